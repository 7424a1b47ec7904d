"""Comparisons and logical operators: their results are bools, truths within an expression."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....ops.trace import Ref
from .....tensor import Tensor
from ..builder import FLOAT, Arguments
from .elementwise import Chain, elementwise


def _all_whole(f: Chain, *arguments: Any) -> bool | str:
    """Whether operands are integers or bools, or why they cannot be compared."""
    whole = True
    for argument in arguments:
        if isinstance(argument, Ref | Tensor):
            dtype = f.builder.dtype_of(argument)
            if dtype is None or dtype.kind not in "iub" and dtype != FLOAT:
                return f"{dtype}"
            whole = whole and dtype.kind in "iub"
        else:
            whole = whole and not isinstance(argument, float)
    return whole


def _comparison(name: str) -> None:
    @elementwise(name, kind="bool")
    def rule(f: Chain, call: Arguments) -> Any:
        whole = _all_whole(f, call["input"], call["other"])
        if isinstance(whole, str):
            return whole
        return f(f"int_{name}" if whole else name, call["input"], call["other"])


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _comparison(_name)


def _truth(f: Chain, argument: Any) -> Any:
    if f.builder.dtype_of(argument) == np.bool_:
        return argument
    return f("int_ne" if _all_whole(f, argument) else "ne", argument, 0)


@elementwise("logical_and", kind="bool")
def logical_and(f: Chain, call: Arguments) -> Any:
    return f("mul", _truth(f, call["input"]), _truth(f, call["other"]))


@elementwise("logical_or", kind="bool")
def logical_or(f: Chain, call: Arguments) -> Any:
    return f("clamp_low", _truth(f, call["input"]), _truth(f, call["other"]))


@elementwise("logical_xor", kind="bool")
def logical_xor(f: Chain, call: Arguments) -> Any:
    return f("ne", _truth(f, call["input"]), _truth(f, call["other"]))


@elementwise("logical_not", kind="bool")
def logical_not(f: Chain, call: Arguments) -> Any:
    return f("sub", 1.0, _truth(f, call["input"]))


elementwise("bitwise_and", kind="bool")(logical_and)
elementwise("bitwise_or", kind="bool")(logical_or)
elementwise("bitwise_xor", kind="bool")(logical_xor)
elementwise("bitwise_not", kind="bool")(logical_not)


@elementwise("isnan", kind="bool")
def isnan(f: Chain, call: Arguments) -> Any:
    return f("isnan", call["input"])


@elementwise("isinf", kind="bool")
def isinf(f: Chain, call: Arguments) -> Any:
    return f("eq", f("abs", call["input"]), float("inf"))


@elementwise("isfinite", kind="bool")
def isfinite(f: Chain, call: Arguments) -> Any:
    return f("lt", f("abs", call["input"]), float("inf"))


@elementwise("where", kind="bool")
def where(f: Chain, call: Arguments) -> Any:
    if call.get("input") is None or call.get("other") is None:
        return "places, not values"
    parts = [_truth(f, call[name]) if isinstance(call[name], Ref | Tensor) else call[name]
             for name in ("condition", "input", "other")]  # fmt: skip
    return f("where", *parts)


@elementwise("to", kind="bool")
def to_bool(f: Chain, call: Arguments) -> Any:
    return _truth(f, call["input"])
