"""Operators whose results are integers, as expressions over int64."""

from __future__ import annotations

from typing import Any

from .....ops.trace import Ref
from .....tensor import Tensor
from ..builder import Arguments
from .elementwise import Chain, _number, elementwise


def _one(name: str) -> None:
    @elementwise(name, kind="whole")
    def rule(f: Chain, call: Arguments) -> Any:
        return f(f"i.{name}", call["input"])


for _name in ("neg", "abs", "sign"):
    _one(_name)


def _pair(name: str) -> None:
    @elementwise(name, kind="whole")
    def rule(f: Chain, call: Arguments) -> Any:
        second = call["other"]
        if call.get("alpha", 1) != 1:
            second = f("i.mul", second, int(call["alpha"]))
        return f(f"i.{name}", call["input"], second)


for _name in ("add", "sub", "mul", "maximum", "minimum"):
    _pair(_name)


@elementwise("rsub", kind="whole")
def rsub(f: Chain, call: Arguments) -> Any:
    if call.get("alpha", 1) != 1:
        return "a factor"
    return f("i.sub", call["other"], call["input"])


@elementwise("bitwise_and", kind="whole")
def bitwise_and(f: Chain, call: Arguments) -> Any:
    return f("i.and", call["input"], call["other"])


@elementwise("bitwise_or", kind="whole")
def bitwise_or(f: Chain, call: Arguments) -> Any:
    return f("i.or", call["input"], call["other"])


@elementwise("bitwise_xor", kind="whole")
def bitwise_xor(f: Chain, call: Arguments) -> Any:
    return f("i.xor", call["input"], call["other"])


@elementwise("bitwise_not", kind="whole")
def bitwise_not(f: Chain, call: Arguments) -> Any:
    return f("i.xor", call["input"], -1)


@elementwise("square", kind="whole")
def square(f: Chain, call: Arguments) -> Any:
    return f("i.mul", call["input"], call["input"])


def _divided(name: str) -> None:
    @elementwise(name, kind="whole")
    def rule(f: Chain, call: Arguments) -> Any:
        divisor = _number(call["other"], 8)
        if divisor is None or divisor <= 0:
            return "a divisor that is no positive number"
        return f(f"i.{name}", call["input"], divisor)


for _name in ("floor_divide", "remainder"):
    _divided(_name)


@elementwise("div", kind="whole")
def div(f: Chain, call: Arguments) -> Any:
    """Rounded towards zero, or down."""
    divisor, mode = _number(call["other"], 8), call.get("rounding_mode")
    if divisor is None or divisor <= 0:
        return "a divisor that is no positive number"
    return f("i.divide" if mode == "trunc" else "i.floor_divide", call["input"], divisor)


@elementwise("fmod", kind="whole")
def fmod(f: Chain, call: Arguments) -> Any:
    divisor = _number(call["other"], 8)
    if divisor is None or divisor <= 0:
        return "a divisor that is no positive number"
    return f("i.rest", call["input"], divisor)


@elementwise("clamp", kind="whole")
def clamp(f: Chain, call: Arguments) -> Any:
    found = call["input"]
    for name, bound in (("maximum", call.get("min")), ("minimum", call.get("max"))):
        if bound is not None:
            found = f(f"i.{name}", found, bound)
    return "no bounds" if found is call["input"] else found


@elementwise("where", kind="whole")
def where(f: Chain, call: Arguments) -> Any:
    if call.get("input") is None or call.get("other") is None:
        return "places, not values"
    return f("i.where", call["condition"], call["input"], call["other"])


@elementwise("floor", "ceil", "round", "trunc", "relu", kind="whole")
def as_it_is(f: Chain, call: Arguments) -> Any:
    if call.call.name == "relu":
        return f("i.maximum", call["input"], 0)
    return f("i.add", call["input"], 0)


@elementwise("to", kind="whole")
def to_whole(f: Chain, call: Arguments) -> Any:
    given = call["input"]
    if isinstance(given, Ref | Tensor) and f.builder.dtype_of(given).kind == "f":  # type: ignore[union-attr]
        return f("i.trunc", given)
    return f("i.add", given, 0)
