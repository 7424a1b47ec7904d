"""Calls that together are one operator: attention written as two products and a softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....ops.trace import Call, Ref, bound, references
from ....tensor import Tensor
from .places import Array


class Calls:
    """Calls by what they give and what uses that."""

    def __init__(self, calls: Sequence[Call], values: list[Array], kept: Sequence[int]) -> None:
        self.calls = list(calls)
        self.values = values
        self.makers = {i: n for n, c in enumerate(calls) for i in references(c.outputs)}
        self.uses: dict[int, int] = dict.fromkeys(kept, 2)
        for call in calls:
            for index in references((call.args, call.kwargs)):
                self.uses[index] = self.uses.get(index, 0) + 1

    def maker(self, value: Any, *names: str) -> int | None:
        """The position of the call that gave a value, if it has one of these names and the value
        has no other use.
        """
        if not isinstance(value, Ref) or self.uses.get(value.index) != 1:
            return None
        position = self.makers.get(value.index)
        found = position is not None and self.calls[position].name in names
        return position if found and not self.calls[position or 0].why else None

    def named(self, position: int) -> dict[str, Any]:
        """A call's arguments by name."""
        from ....ops.registry import OPS

        call = self.calls[position]
        return bound(OPS[call.name], call.args, call.kwargs)

    def rank(self, value: Any) -> int:
        return self.values[value.index].ndim if isinstance(value, Ref) else -1


def with_attention(calls: Sequence[Call], values: list[Array], kept: Sequence[int]) -> list[Call]:
    """The calls, with ``softmax(q @ k * scale + mask) @ v`` as one named "attention"."""
    found = Calls(calls, values, kept)
    gone: set[int] = set()
    for position, call in enumerate(found.calls):
        if call.name not in ("matmul", "bmm") or call.why:
            continue
        whole = _attention(found, position)
        if whole is not None:
            parts, made = whole
            gone.update(parts)
            found.calls[position] = made
    return [c for n, c in enumerate(found.calls) if n not in gone]


def _attention(found: Calls, position: int) -> tuple[list[int], Call] | None:
    given = found.named(position)
    weights, v = given["input"], given.get("other", given.get("mat2"))
    softmax = found.maker(weights, "softmax")
    if softmax is None or not isinstance(v, Ref):
        return None
    options = found.named(softmax)
    if options.get("dim") not in (-1, found.rank(weights) - 1) or options.get("dtype"):
        return None
    parts, scores, mask, scale = [softmax], options["input"], None, 1.0
    added = found.maker(scores, "add")
    if added is not None:
        sides = found.named(added)
        pair = [sides["input"], sides["other"]]
        inner = next((s for s in pair if found.maker(s, "matmul", "bmm", "mul", "div")), None)
        if inner is None or sides.get("alpha", 1) != 1:
            return None
        mask = pair[1] if inner is pair[0] else pair[0]
        parts, scores = [*parts, added], inner
    while (step := found.maker(scores, "mul", "div")) is not None:
        sides = found.named(step)
        number = _number(sides["other"])
        if number is None or sides.get("rounding_mode"):
            return None
        scale = scale * number if found.calls[step].name == "mul" else scale / number
        parts, scores = [*parts, step], sides["input"]
    product = found.maker(scores, "matmul", "bmm")
    if product is None:
        return None
    sides = found.named(product)
    q, k = sides["input"], sides.get("other", sides.get("mat2"))
    refs = [r for r in (q, k, v) if isinstance(r, Ref)]
    shapes = [found.values[r.index].shape for r in refs]
    if len(shapes) != 3 or len({s[:-2] for s in shapes}) != 1 or len(shapes[0]) < 3:
        return None
    refs = [r for r in (q, k, v, mask) if isinstance(r, Ref)]
    if any(found.values[r.index].dtype != np.float32 for r in refs):
        return None
    if isinstance(mask, Tensor) and mask.dtype.name != "float32":
        return None
    if isinstance(mask, bool | int | float) or found.rank(options["input"]) != len(shapes[0]):
        return None
    call = found.calls[position]
    made = Call("attention", call.function, (q, k, v, mask, scale), {}, call.outputs,
                label=call.label)  # fmt: skip
    return [*parts, product], made


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point():
        return float(value.item())
    return None
