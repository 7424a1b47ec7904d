"""Depthwise convolution with channels first: a vector of columns and several rows at a time.

Each plane of the padded input is convolved with its own window. What the windows of neighbouring
rows share is loaded once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...ops.convolution import prepared
from ...ops.spatial import window_counts
from ..buffers import empty
from ..kernels import kernel
from .code import Code, Value, module
from .fused import Vectors
from .llvm import compiled, target
from .memory import address
from .padding import padded
from .threads import Native

Array = np.ndarray[Any, Any]
_ROWS = 4  # at a time
_PART = 30_000  # multiplications below which another thread is not worth waking


@cache
def planes_ir(height: int, width: int, step: int, rows_apart: int) -> str:
    """Planes ``first`` to ``last`` for windows of height x width, ``step`` columns and
    ``rows_apart`` rows from one to the next.
    """
    code = Code(
        "kernel",
        "ptr %out, ptr %x, ptr %w, ptr %bias, i64 %channels, i64 %in_rows, i64 %in_columns, "
        "i64 %rows, i64 %columns, i64 %has_bias, i64 %first, i64 %last",
    )
    vectors = Vectors(code, target().lanes)
    e, lanes = vectors.e, vectors.lanes
    room = code.mul("%in_rows", "%in_columns")
    area = code.mul("%rows", "%columns")
    whole_rows = code.value(f"sub i64 %rows, {_ROWS - 1}")
    whole_columns = code.value(f"and i64 %columns, {-lanes}")
    left = code.value(f"sub i64 %columns, {whole_columns}")
    mask_left = vectors.mask(left)

    def loaded(place: Value, mask: Value) -> Value:
        """A vector of the input, every ``step``-th column."""
        if step == 1:
            return vectors.load(place, mask)
        if step == 2 and not mask:
            # Two loads that end where the last number is, not one behind it.
            low, high = vectors.load(place), vectors.load(code.at("float", place, str(lanes - 1)))
            even = [*range(0, lanes, 2), *range(lanes + 1, 2 * lanes, 2)]
            order = f"<{lanes} x i32> <{', '.join(f'i32 {i}' for i in even)}>"
            return code.value(f"shufflevector {e.vector} {low}, {e.vector} {high}, {order}")
        return vectors.gather(place, str(step), mask)

    def strip(plane: list[Value], row: Value, count: int, column: Value, mask: Value) -> None:
        """``count`` rows of one vector of columns."""
        out, x, weights, start = plane
        sums = [start] * count
        corner = code.at("float", x, code.mul(code.mul(row, rows_apart), "%in_columns"))
        corner = code.at("float", corner, code.mul(column, step))
        for i in range((count - 1) * rows_apart + height):
            line = code.at("float", corner, code.mul("%in_columns", i))
            uses = [(n, i - n * rows_apart) for n in range(count)]
            uses = [(n, tap) for n, tap in uses if 0 <= tap < height]
            for j in range(width) if uses else ():
                value = loaded(code.at("float", line, str(j)), mask)
                for n, tap in uses:
                    weight = vectors.number(code.at("float", weights, str(tap * width + j)))
                    sums[n] = e.fma(value, weight, sums[n])
        for n, value in enumerate(sums):
            to = code.at("float", out, code.mul(code.add(row, n), "%columns"))
            vectors.store(value, code.at("float", to, column), mask)

    with code.loop("%last", "%first") as index:
        channel = code.value(f"srem i64 {index.index}, %channels")
        biased = code.value("icmp ne i64 %has_bias, 0")
        at = code.value(f"select i1 {biased}, i64 {channel}, i64 0")
        number = vectors.number(code.at("float", "%bias", at))
        zero = e.constant(0.0)
        plane = [
            code.at("float", "%out", code.mul(index.index, area)),
            code.at("float", "%x", code.mul(index.index, room)),
            code.at("float", "%w", code.mul(channel, height * width)),
            code.value(f"select i1 {biased}, {e.vector} {number}, {e.vector} {zero}"),
        ]
        with code.loop(whole_rows, step=_ROWS) as rows:
            _across(code, lanes, whole_columns, left, mask_left, plane, rows.index, _ROWS, strip)
        done = code.mul(code.value(f"sdiv i64 %rows, {_ROWS}"), _ROWS)
        with code.loop("%rows", done) as single:
            _across(code, lanes, whole_columns, left, mask_left, plane, single.index, 1, strip)
    return module(code)


def _across(
    code: Code, lanes: int, whole: Value, left: Value, mask: Value, plane: list[Value], row: Value,
    count: int, strip: Callable[[list[Value], Value, int, Value, Value], None],
) -> None:  # fmt: skip
    """All columns of some rows, a vector at a time, the last masked."""
    with code.loop(whole, step=lanes) as column:
        strip(plane, row, count, column.index, "")
    with code.when(code.value(f"icmp sgt i64 {left}, 0")):
        strip(plane, row, count, whole, mask)


@cache
def planes(height: int, width: int, step: int, rows_apart: int) -> Native:
    """The compiled loops."""
    return Native(compiled(planes_ir(height, width, step, rows_apart)), "pppp" + "i" * 6)


def takes(
    input: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> str | None:  # fmt: skip
    """Why the kernel does not take these arguments."""
    if groups == 1 or input.ndim != 4 or weight.shape[1] != 1 or weight.shape[0] != groups:
        return "not depthwise"
    if input.shape[1] != groups or input.shape[0] == 0:
        return "channels and groups differ, or no images"
    if any(a is not None and a.dtype != np.float32 for a in (input, weight, bias)):
        return f"{input.dtype}; it is for float32"
    if dilation not in (1, (1, 1), [1, 1]):
        return "dilation"
    if max(weight.shape[2:]) > 7:
        return "windows of more than seven rows or columns"
    return None


@kernel("numba", "nn.functional.conv2d", when=takes, min_size=4096)
def depthwise_conv2d(
    input: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """conv2d with as many groups as channels, in float32."""
    x, steps, pads, spread, _ = prepared(
        "conv2d", 2, input, weight, bias, stride, padding, dilation, groups
    )
    rows, columns = window_counts("conv2d", x.shape[2:], weight.shape[2:], steps, pads, spread)
    wide, w = padded(x, pads), np.ascontiguousarray(weight)
    b = w if bias is None else np.ascontiguousarray(bias)
    out = empty((*x.shape[:2], rows, columns), np.float32)
    run = planes(*w.shape[2:], steps[1], steps[0])
    given = (
        address(out), address(wide), address(w), address(b), groups, *wide.shape[2:], rows, columns,
        int(bias is not None),
    )  # fmt: skip
    work = rows * columns * w[0].size
    run.over(len(x) * groups, max(1, _PART // (work + 1)), *given)
    return out
