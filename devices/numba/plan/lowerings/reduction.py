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


def dims_of(given: Any, count: int) -> tuple[int, ...]:
    if given is None or given == () or given == []:
        return tuple(range(count))
    dims = (given,) if isinstance(given, int) else tuple(given)
    return tuple(sorted(d % count for d in dims))


def _reduced(builder: Builder, call: Arguments, kind: str, mean: bool) -> str | None:
    shape = builder.shape(call["input"])
    if builder.dtype(call.output).kind in "iub":
        from .statistics import totals

        return totals(builder, call, kind) if not mean else "a mean of integers"
    if builder.dtype_of(call["input"]) != FLOAT or builder.dtype(call.output) != FLOAT:
        return "not float32"
    if call.get("dtype") is not None or 0 in shape or not shape:
        return "another dtype, or no elements"
    dims = dims_of(call.get("dim"), len(shape))
    count = prod(shape[d] for d in dims)
    factor = 1 / count if mean else 1.0
    target = builder.trace.values[call.output].shape
    if len(shape) == 4 and dims == (2, 3) and kind == "sum":
        x = channels_last(builder, call["input"])
        spans = [[(0, shape[2])], [(0, shape[3])]]
        out = pooled(builder, x, (*shape[:2], 1, 1), spans, [1, 1], factor, False, "mean")
        builder.give(call.output, View(out.buffer, target, _packed(target), FLOAT))
        return None
    out = reduced(builder, builder.view(call["input"]), dims, kind, factor)
    builder.give(call.output, View(out.buffer, target, _packed(target), FLOAT))
    return None


def reduced(builder: Builder, x: View, dims: tuple[int, ...], kind: str, factor: float) -> View:
    """The "sum" times a factor, "max" or "min" over dimensions, which the result lacks."""
    kept = [d for d in range(len(x.shape)) if d not in dims]
    count = prod(x.shape[d] for d in dims)
    x = builder.ordered(x, [*kept, *dims])
    out = builder.new(tuple(x.shape[d] for d in kept))
    words: list[Word] = [out.place, x.place, count, bits(factor), x.size // count]
    builder.emit(kind, adapted(reduce_ir(kind), "ppnf"), words, [x], out)
    return out


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
