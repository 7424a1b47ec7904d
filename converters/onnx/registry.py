"""ONNX operators: which function does which operator, from which opset on.

An operator is one decorated function. Its positional parameters are the operator's inputs
(tensors, or None where absent), its keyword-only ones the attributes with ONNX's names and
defaults. Four keywords are no attributes and are given to functions that ask for them:
``opset``, ``n_outputs`` (how many outputs the node names), ``device`` and ``types`` (the dtypes
that the file states for the outputs). Graphs among the attributes arrive as functions.

An operator whose attributes are worth preparing once is a class instead: made of the attributes
when the model is loaded, called with the inputs (and with the ``device``, if it asks).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ...errors import nearest

Function = TypeVar("Function", bound=Callable[..., Any])
CONTEXT = ("opset", "n_outputs", "device", "types")


@dataclass(frozen=True)
class Operator:
    """One version of an operator: the function, and the first opset it is right for."""

    domain: str
    op_type: str
    since: int
    run: Callable[..., Any]  # a function of inputs and attributes, or a class
    custom: bool = False  # a user's, which need not follow the specification

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        return dict(inspect.signature(self.run).parameters)

    @cached_property
    def context(self) -> tuple[str, ...]:
        """Which of the four context keywords it asks for; a class may when it is called."""
        asked = {*self.parameters}
        if isinstance(self.run, type):
            asked |= {"device"} & inspect.signature(self.run.__call__).parameters.keys()
        return tuple(name for name in CONTEXT if name in asked)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes that it takes."""
        keywords = [n for n, p in self.parameters.items() if p.kind is p.KEYWORD_ONLY]
        return tuple(name for name in keywords if name not in CONTEXT)

    @cached_property
    def open_ended(self) -> bool:
        """Whether it takes attributes of any name."""
        return any(p.kind is p.VAR_KEYWORD for p in self.parameters.values())


OPERATORS: dict[tuple[str, str], list[Operator]] = {}


def onnx_op(
    *op_types: str, since: int = 1, domain: str = "", custom: bool = False
) -> Callable[[Function], Function]:
    """Declares the decorated function as the operator(s) of that name, from opset ``since`` on.

    Several versions may stand side by side; a node gets the newest not above its opset.
    """

    def register(function: Function) -> Function:
        for op_type in op_types:
            versions = OPERATORS.setdefault((domain, op_type), [])
            versions[:] = [v for v in versions if v.since != since]
            versions.append(Operator(domain, op_type, since, function, custom))
            versions.sort(key=lambda v: v.since)
        return function

    return register


def register(domain: str, op_type: str, since: int = 1) -> Callable[[Function], Function]:
    """Adds an operator of your own, before the model is loaded.

    Inputs come by position as tensors (None where absent), attributes by name.

    >>> import tensorlite as tl
    >>> @tl.onnx.register("my.domain", "Double")
    ... def double(x, *, factor=2.0):
    ...     return x * factor
    """
    return onnx_op(op_type, since=since, domain=domain, custom=True)


def find(domain: str, op_type: str, opset: int) -> Operator | None:
    """The operator's version for an opset, if there is one."""
    fitting = [v for v in OPERATORS.get((domain, op_type), ()) if v.since <= opset]
    return fitting[-1] if fitting else None


def similar(domain: str, op_type: str) -> str:
    """A hint at operators of nearly that name."""
    return nearest(op_type, known(domain))


def known(domain: str = "") -> Iterable[str]:
    """The names of the operators of a domain."""
    return sorted(name for where, name in OPERATORS if where == domain)
