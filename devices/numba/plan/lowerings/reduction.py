"""Sums, means and extrema over dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

from ...adapter import adapted
from ...reducing import reduce_ir
from ..builder import FLOAT, Arguments, Builder, lowering
from ..places import View, Word
from .convolution import channels_last
from .pooling import pooled
from .rows import bits


def _dims(given: Any, count: int) -> tuple[int, ...]:
    if given is None or given == () or given == []:
        return tuple(range(count))
    dims = (given,) if isinstance(given, int) else tuple(given)
    return tuple(sorted(d % count for d in dims))


def _reduced(builder: Builder, call: Arguments, kind: str, mean: bool) -> str | None:
    shape = builder.shape(call["input"])
    if builder.dtype_of(call["input"]) != FLOAT or builder.dtype(call.output) != FLOAT:
        return "not float32"
    if call.get("dtype") is not None or 0 in shape or not shape:
        return "another dtype, or no elements"
    dims = _dims(call.get("dim"), len(shape))
    count = prod(shape[d] for d in dims)
    factor = 1 / count if mean else 1.0
    target = builder.trace.values[call.output].shape
    if len(shape) == 4 and dims == (2, 3) and kind == "sum":
        x = channels_last(builder, call["input"])
        spans = [[(0, shape[2])], [(0, shape[3])]]
        out = pooled(builder, x, (*shape[:2], 1, 1), spans, [1, 1], factor, False, "mean")
        builder.give(call.output, View(out.buffer, target, _packed(target), FLOAT))
        return None
    kept = [d for d in range(len(shape)) if d not in dims]
    x = builder.contiguous(call["input"], [*kept, *dims])
    out = builder.new(target)
    words: list[Word] = [out.place, x.place, count, bits(factor), prod(shape) // count]
    builder.emit(kind, adapted(reduce_ir(kind), "ppnf"), words, [x], out)
    builder.give(call.output, out)
    return None


def _packed(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    for i in range(len(shape)):
        strides.append(prod(shape[i + 1 :]))
    return tuple(strides)


@lowering("mean")
def mean(builder: Builder, call: Arguments) -> str | None:
    """The mean over dimensions."""
    return _reduced(builder, call, "sum", True)


@lowering("sum")
def sum_(builder: Builder, call: Arguments) -> str | None:
    """The sum over dimensions."""
    return _reduced(builder, call, "sum", False)


@lowering("amax")
def amax(builder: Builder, call: Arguments) -> str | None:
    """The greatest over dimensions."""
    return _reduced(builder, call, "max", False)


@lowering("amin")
def amin(builder: Builder, call: Arguments) -> str | None:
    """The least over dimensions."""
    return _reduced(builder, call, "min", False)
