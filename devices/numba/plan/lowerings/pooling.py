"""Pooling and means over pixels: windows with channels last."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from .....ops.dims import pair
from .....ops.pool import adaptive_bounds
from .....ops.spatial import pads_of, window_counts
from .....tensor import wrap
from ...windows import windows
from ..builder import FLOAT, Arguments, Builder, lowering
from ..places import View, Word
from .convolution import channels_last, last

Spans = Sequence[tuple[int, int]]  # the first and the number of elements of each window


def pooled(
    builder: Builder, x: View, shape: tuple[int, ...], spans: Sequence[Spans],
    steps: Sequence[int], factors: Any, maximum: bool, name: str,
) -> View:  # fmt: skip
    """A step over the windows that are the product of the spans along each dimension."""
    out = builder.new(shape, FLOAT, last(len(shape) - 2))
    at_rows, at_columns = (x.strides[2], x.strides[3]) if len(spans) == 2 else (0, x.strides[2])
    rows = spans[0] if len(spans) == 2 else [(0, 1)]
    columns = spans[-1]
    to = out.strides if len(spans) == 2 else (*out.strides[:2], 0, out.strides[2])
    table = [
        (n * x.strides[0] + r * at_rows + c * at_columns, height, width,
         n * to[0] + i * to[2] + j * to[3])
        for n in range(shape[0])
        for (i, (r, height)), (j, (c, width)) in product(enumerate(rows), enumerate(columns))
    ]  # fmt: skip
    step = [1] * (2 - len(steps)) + list(steps)
    scale = np.broadcast_to(np.asarray(factors, np.float32).reshape(-1), len(table) // shape[0])
    words: list[Word] = [
        out.place, x.place, builder.table(np.array(table, np.int64)),
        builder.table(np.tile(scale, shape[0]).astype(np.float32)), len(table), shape[1],
        at_rows * step[0], at_columns * step[1],
    ]  # fmt: skip
    builder.emit(name, windows(maximum), words, [x], out)
    return out


def _spans(size: int, kernel: int, stride: int, begin: int, dilation: int, count: int) -> Spans:
    """The elements within an image that each window along a dimension has."""
    found = []
    for i in range(count):
        start = i * stride - begin
        inside = [start + k * dilation for k in range(kernel)]
        inside = [p for p in inside if 0 <= p < size]
        found.append((inside[0], len(inside)) if inside else (0, 0))
    return found


def _pool(builder: Builder, call: Arguments, count: int, maximum: bool) -> str | None:
    given, name = call.given, call.call.name
    shape = builder.shape(given["input"])
    if builder.dtype_of(given["input"]) != FLOAT or len(shape) != count + 2 or 0 in shape:
        return "no batch of float32 images"
    if given.get("return_indices") or count > 2:
        return "indices too" if count < 3 else "three dimensions"
    kernel = pair(given["kernel_size"], count, name)
    stride = kernel if given.get("stride") in (None, [], ()) else pair(given["stride"], count, name)
    pads = pads_of(given.get("padding", 0), count, name)
    dilation = pair(given.get("dilation", 1), count, name)
    counts = window_counts(
        name, shape[2:], kernel, stride, pads, dilation, given.get("ceil_mode", False)
    )
    spans = [
        _spans(*along)
        for along in zip(
            shape[2:], kernel, stride, [p[0] for p in pads], dilation, counts, strict=True
        )
    ]
    if any(not n for along in spans for _, n in along):
        return "a window outside of the image"
    factors: Any = 1.0
    if not maximum:
        ones = wrap(np.ones((1, 1, *shape[2:]), np.float32), builder.trace.device)
        shares = call.call.function(ones, *call.call.args[1:], **call.call.kwargs).numpy()
        sizes = np.ones(())
        for along in spans:
            sizes = np.multiply.outer(sizes, [n for _, n in along])
        factors = shares[0, 0] / sizes
    x = channels_last(builder, given["input"])
    result = (*shape[:2], *counts)
    kind = "max pool" if maximum else "average pool"
    builder.give(call.output, pooled(builder, x, result, spans, dilation, factors, maximum, kind))
    return None


def _register(count: int) -> None:
    @lowering(f"nn.functional.max_pool{count}d")
    def max_pool(builder: Builder, call: Arguments) -> str | None:
        return _pool(builder, call, count, True)

    @lowering(f"nn.functional.avg_pool{count}d")
    def average_pool(builder: Builder, call: Arguments) -> str | None:
        return _pool(builder, call, count, False)

    @lowering(
        f"nn.functional.adaptive_avg_pool{count}d", f"nn.functional.adaptive_max_pool{count}d"
    )
    def adaptive(builder: Builder, call: Arguments) -> str | None:
        if call.get("return_indices", False):
            return "indices too"
        shape, target = builder.shape(call["input"]), builder.trace.values[call.output].shape
        maximum = "max" in call.call.name
        if builder.dtype_of(call["input"]) != FLOAT or len(shape) != count + 2 or 0 in shape:
            return "no batch of float32 images"
        bounds = [adaptive_bounds(size, n) for size, n in zip(shape[2:], target[2:], strict=True)]
        spans = [[(a, b - a) for a, b in along] for along in bounds]
        sizes = np.ones(())
        for along in spans:
            sizes = np.multiply.outer(sizes, [n for _, n in along])
        x = channels_last(builder, call["input"])
        name = "max pool" if maximum else "average pool"
        builder.give(
            call.output,
            pooled(builder, x, target, spans, [1] * count, 1 / sizes, maximum, name),
        )
        return None


for _count in (1, 2):
    _register(_count)
