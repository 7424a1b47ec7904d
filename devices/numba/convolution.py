"""Convolutions with channels first, as products of the weights and what the windows see.

The windows' numbers go straight from the padded image into the panels of the product, by two
tables: where the windows of the panel's columns begin, and how far from there each number of a
window lies. A matrix of windows is never written out: a few panels at a time are packed and
multiplied while they are in the cache.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np

from ...ops.convolution import prepared
from ...ops.spatial import Ints, is_channels_last, padded, window_counts
from ...threads import get_num_threads
from ..buffers import empty
from ..kernels import kernel
from .code import Code, Value, module
from .fused import Words, share
from .gemm import BLOCK, KINDS, Tile, product, tile_for, tiles
from .llvm import compiled
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_PANELS = 512 << 10  # bytes of panels that are packed at a time
_LEAST = 400_000  # multiplications a group
_SHARE = 500_000  # multiplications below which a thread is not worth waking


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
def gatherer(tile: Tile) -> int:
    """The address of the packing of windows."""
    return compiled(gather_ir(tile))


def driver_ir(tile: Tile) -> str:
    """``kernel(args, part, parts)``: a share of the panels of all images and groups.

    A few panels at a time are packed, and multiplied with blocks of rows of the weights: whole
    blocks, and one of what is left.
    """
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, w, bias, space, rows, begins = (words.next("ptr") for _ in range(7))
    k, n, panels, at_once, units, groups, plane, outputs, block, room = words.many(10)
    pack = words.next("ptr")
    sizes = [(words.next("ptr"), *words.many(2)) for _ in range(2)]
    first, last = share(code, code.mul(units, panels))
    space = code.at(tile.kind, space, code.mul("%part", room))
    whole = code.value(f"sdiv i64 {outputs}, {block}")
    whole_or_one = _larger(code, whole, "1")
    row = code.mul(whole, block)
    left = code.value(f"icmp sgt i64 {outputs}, {row}")
    some = code.value(f"icmp sgt i64 {whole}, 0")
    rest = code.value(f"and i1 {left}, {some}")
    beyond = code.value(f"sdiv i64 {code.add(last, code.add(panels, -1))}, {panels}")
    with code.loop(beyond, code.value(f"sdiv i64 {first}, {panels}")) as unit:
        before = code.mul(unit.index, panels)
        low = _larger(code, code.value(f"sub i64 {first}, {before}"), "0")
        high = _smaller(code, code.value(f"sub i64 {last}, {before}"), panels)
        group = code.value(f"srem i64 {unit.index}, {groups}")
        skipped = code.mul(group, outputs)
        at_x = code.at(tile.kind, x, code.mul(unit.index, plane))
        at_w = code.at(tile.kind, w, code.mul(skipped, k))
        at_bias = code.at(tile.kind, bias, skipped)
        at_out = code.at(tile.kind, out, code.mul(code.mul(unit.index, outputs), n))
        with code.loop(high, low, step_by=at_once) as panel:
            end = _smaller(code, code.add(panel.index, at_once), high)
            code.do(f"call void {pack}(ptr {space}, ptr {at_x}, ptr {rows}, ptr {begins}, i64 {k}, "
                    f"i64 {panel.index}, i64 {end})")  # fmt: skip
            column = code.mul(panel.index, tile.columns)
            columns = code.value(f"sub i64 {n}, {column}")
            count = code.value(f"sub i64 {end}, {panel.index}")

            def multiply(which: int, row: Value) -> None:
                function, large, small = sizes[which]
                to = code.at(tile.kind, at_out, code.add(code.mul(row, n), column))  # noqa: B023
                given = (
                    f"ptr {to}, ptr {code.at(tile.kind, at_w, code.mul(row, k))}, "  # noqa: B023
                    f"ptr {space}, ptr {code.at(tile.kind, at_bias, row)}, "  # noqa: B023
                    f"i64 {k}, i64 {columns}, i64 {k}, i64 {n}, i64 {large}, i64 {small}, "  # noqa: B023
                    f"i64 0, i64 {count}"  # noqa: B023
                )
                code.do(f"call void {function}({given})")

            with code.loop(whole_or_one) as number:
                multiply(0, code.mul(number.index, block))
            with code.when(rest):
                multiply(1, row)
    return module(code)


def _larger(code: Code, a: Value, b: Value) -> Value:
    return code.value(f"select i1 {code.value(f'icmp sgt i64 {a}, {b}')}, i64 {a}, i64 {b}")


def _smaller(code: Code, a: Value, b: Value) -> Value:
    return code.value(f"select i1 {code.value(f'icmp slt i64 {a}, {b}')}, i64 {a}, i64 {b}")


@cache
def driver(tile: Tile) -> int:
    """The address of the loops over panels and blocks of rows."""
    return compiled(driver_ir(tile))


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
    units = len(x) * groups
    worth = units * panels // max(1, _SHARE // (outputs * k * tile.columns))
    threads = max(1, min(get_num_threads(), worth))
    each = min(at_once, panels) * k * tile.columns
    space = empty((threads * each,), x.dtype)
    words = [
        address(out), address(wide), address(weights), address(bias), address(space),
        address(rows), address(begins), k, n, panels, at_once, units, groups,
        inputs * prod(wide.shape[2:]), outputs, block, each, gatherer(tile),
    ]  # fmt: skip
    for count in (min(block, outputs), outputs % block):
        high, large, small = tiles(count, tile.rows)
        words += [product(tile, high, True).there, large, small]
    run_parts(driver(tile), np.array(words, np.int64), threads)
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
