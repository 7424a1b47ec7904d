"""ONNX's ``If``: what decides is read when the plan runs, and each branch is a plan of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .....ops.trace import Call, Ref
from .....tensor import wrap
from ..builder import SCOPES, Builder

if TYPE_CHECKING:
    from ..compile import Compiled


class Branches:
    """A function that reads some of its tensors, as plans: one for each of their values."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], read: list[int]
    ) -> None:
        self.function = function
        self.args = args
        self.read = read  # the arguments that decide
        self.others = [i for i, a in enumerate(args) if isinstance(a, Ref) and i not in read]
        self.plans: dict[tuple[bool, ...], Compiled] = {}

    def __call__(self, *given: Any) -> Any:
        key = tuple([bool(given[i]._array) for i in self.read])
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self._compiled({i: given[i] for i in self.read})
        return plan(*[given[i] for i in self.others])

    def _compiled(self, decided: dict[int, Any]) -> Compiled:
        from ..compile import Compiled

        known = list(self.args)
        for i, value in decided.items():
            known[i] = wrap(value._array.copy(), value._device)

        def branch(*rest: Any) -> Any:
            found = list(known)
            for i, value in zip(self.others, rest, strict=True):
                found[i] = value
            return self.function(*found)

        return Compiled(branch)


def if_(builder: Builder, call: Call) -> Call:
    """The call with a function that has plans; that of the example's branch is made now."""
    values = builder.trace.values
    read = [
        i for i, arg in enumerate(call.args)
        if isinstance(arg, Ref) and values[arg.index].dtype == np.bool_
        and values[arg.index].size == 1
    ]  # fmt: skip
    if not read or call.kwargs:
        return call
    function = Branches(call.function, call.args, read)
    device = builder.trace.device
    function(*[wrap(values[a.index], device) if isinstance(a, Ref) else a for a in call.args])
    return replace(call, function=function, why="what decides is read; its branches are plans")


SCOPES["If"] = if_
