"""Convolutions with channels first, as products of the weights and what the windows see.

The windows' numbers go straight from the padded image into the panels of the product, by two
tables: where the windows of the panel's columns begin, and how far from there each number of a
window lies. A matrix of windows is never written out: a few panels at a time are packed and
multiplied while they are in the cache.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, lru_cache, partial
from math import prod
from typing import Any

import numpy as np

from ...ops.convolution import prepared
from ...ops.spatial import Ints, is_channels_last, padded, window_counts
from ..buffers import empty
from ..kernels import kernel
from .code import Code, module
from .gemm import BLOCK, KINDS, Tile, product, tile_for, tiles
from .llvm import compiled
from .memory import address
from .threads import in_parts

Array = np.ndarray[Any, Any]
_PANELS = 512 << 10  # bytes of panels that are packed at a time
_LEAST = 400_000  # multiplications a group
_Gather = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, *[ctypes.c_int64] * 3)


def gather_ir(tile: Tile) -> str:
    """``kernel``: panels ``first`` to ``last``, of ``k`` rows, from where the tables say.

    Windows that begin side by side are read as a vector, others lane by lane.
    """
    code = Code("kernel", "ptr %to, ptr %x, ptr %rows, ptr %columns, i64 %k, i64 %first, i64 %last")
    lanes, index = tile.lanes, f"<{tile.lanes} x i32>"
    with code.loop("%last", "%first") as panel:
        done = code.value(f"sub i64 {panel.index}, %first")
        to = code.at(tile.kind, "%to", code.mul(code.mul(done, tile.columns), "%k"))
        column = code.mul(panel.index, tile.columns)
        for i in range(tile.vectors):
            place = code.at("i32", "%columns", code.add(column, i * lanes))
            begins = code.value(f"load {index}, ptr {place}, align 4")
            first = code.value(f"extractelement {index} {begins}, i32 0")
            last = code.value(f"extractelement {index} {begins}, i32 {lanes - 1}")
            apart = code.value(f"sub i32 {last}, {first}")
            in_line = code.value(f"icmp eq i32 {apart}, {lanes - 1}")
            there = code.at(tile.kind, to, str(i * lanes))
            with code.when(in_line):
                _pack_vector(code, tile, there, first=first)
            with code.when(code.value(f"xor i1 {in_line}, true")):
                _pack_vector(code, tile, there, begins=begins)
    return module(code)


def _pack_vector(code: Code, tile: Tile, to: str, first: str = "", begins: str = "") -> None:
    """One vector of each row of a panel: read from ``first`` on, or from each of ``begins``."""
    kind, lanes, vector = tile.kind, tile.lanes, tile.vector
    with code.loop("%k") as k:
        offset = code.value(f"load i64, ptr {code.at('i64', '%rows', k.index)}")
        base = code.at(kind, "%x", offset)
        if first:
            start = code.value(f"getelementptr {kind}, ptr {base}, i32 {first}")
            value = code.value(f"load {vector}, ptr {start}, align 4")
        else:
            places = code.value(f"getelementptr {kind}, ptr {base}, <{lanes} x i32> {begins}")
            value = code.call(
                vector, f"llvm.masked.gather.{tile.suffix}.v{lanes}p0", f"<{lanes} x ptr> {places}",
                "i32 4", f"<{lanes} x i1> splat (i1 true)", f"{vector} zeroinitializer",
            )  # fmt: skip
        line = code.at(kind, to, code.mul(k.index, tile.columns))
        code.do(f"store {vector} {value}, ptr {line}, align 4")


@cache
def gatherer(tile: Tile) -> Callable[..., None]:
    """The compiled packing of windows."""
    return _Gather(compiled(gather_ir(tile)))


@lru_cache(256)
def _tables(
    channels: int, sizes: Ints, kernel_size: Ints, counts: Ints, stride: Ints, dilation: Ints,
    columns: int,
) -> tuple[Array, Array]:  # fmt: skip
    """How far the numbers of a window lie from its first, and where in an image windows begin.

    The second is filled up to a multiple of ``columns``.
    """
    steps = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    rows = np.arange(channels) * prod(sizes)
    for size, step, apart in zip(kernel_size, steps, dilation, strict=True):
        rows = np.add.outer(rows, np.arange(size) * (step * apart))
    begins = np.zeros((), np.int64)
    for count, step, apart in zip(counts, steps, stride, strict=True):
        begins = np.add.outer(begins, np.arange(count) * (step * apart))
    filled = np.zeros(-(-begins.size // columns) * columns, np.int32)
    filled[: begins.size] = begins.reshape(-1)
    return np.ascontiguousarray(rows.reshape(-1)), filled


def convolve(
    x: Array, w: Array, b: Array | None, stride: Ints, pads: Any, dilation: Ints, groups: int,
    name: str,
) -> Array:  # fmt: skip
    """The convolution of a batch with channels first; any number of spatial dimensions."""
    counts = window_counts(name, x.shape[2:], w.shape[2:], stride, pads, dilation)
    wide = np.ascontiguousarray(padded(np, x, pads))
    weights = np.ascontiguousarray(w)
    out = empty((len(x), len(w), *counts), x.dtype)
    inputs, outputs, k, n = w.shape[1], len(w) // groups, prod(w.shape[1:]), prod(counts)
    tile = tile_for(x.dtype, n)
    rows, begins = _tables(
        inputs, wide.shape[2:], w.shape[2:], counts, stride, dilation, tile.columns
    )
    size = x.itemsize
    bias = np.zeros(len(w), x.dtype) if b is None else np.ascontiguousarray(b)
    panels = len(begins) // tile.columns
    at_once = max(1, _PANELS // (k * tile.columns * size))
    block = max(tile.rows, BLOCK // (k * size) // tile.rows * tile.rows)
    pack = gatherer(tile)
    plane = inputs * prod(wide.shape[2:]) * size
    tables = address(rows), address(begins)

    def run(image: int, group: int, first: int, last: int) -> None:
        at_x = address(wide) + (image * groups + group) * plane
        at_w = address(weights) + group * outputs * k * size
        at_b = address(bias) + group * outputs * size
        at_out = address(out) + (image * groups + group) * outputs * n * size
        space = np.empty(min(at_once, last - first) * k * tile.columns, x.dtype)
        at_space = address(space)
        for low in range(first, last, at_once):
            high = min(low + at_once, last)
            pack(at_space, at_x, *tables, k, low, high)
            column = low * tile.columns
            for row in range(0, outputs, block):
                size_of, large, small = tiles(min(block, outputs - row), tile.rows)
                product(tile, size_of, True)(
                    at_out + (row * n + column) * size, at_w + row * k * size, at_space,
                    at_b + row * size, k, n - column, k, n, large, small, 0, high - low,
                )  # fmt: skip

    least = max(1, 500_000 // (outputs * k * tile.columns))
    for image in range(len(x)):
        for group in range(groups):
            in_parts(partial(run, image, group), panels, least)
    return out


def takes(
    input: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> str | None:  # fmt: skip
    """Why the kernels do not take these arguments."""
    if input.dtype not in KINDS or weight.dtype != input.dtype:
        return f"{input.dtype}; it is for float32 and float64"
    if groups > 1 and weight.shape[1] == 1:
        return "depthwise: nothing to sum over but the window"
    if is_channels_last(input):
        return "channels are last in memory"
    if input.size > 2**31 - 1:
        return "an image of more than 2**31 numbers"
    if weight.size // max(groups, 1) * prod(input.shape[2 - weight.ndim :]) < _LEAST:
        return "so little work in a group that NumPy is as quick"
    return None


def _register(name: str, count: int) -> None:
    def run(
        input: Array, weight: Array, bias: Array | None = None, *args: Any, **options: Any
    ) -> Array:
        x, stride, pads, dilation, groups = prepared(
            name, count, input, weight, bias, *args, **options
        )
        result = convolve(x, weight, bias, stride, pads, dilation, groups, name)
        return result if input.ndim == x.ndim else result[0]

    run.__name__ = f"packed_{name}"
    kernel("numba", f"nn.functional.{name}", when=takes, min_size=256)(run)


for _count in (1, 2, 3):
    _register(f"conv{_count}d", _count)
