"""Convolutions with channels first, as products of the weights and what the windows see.

The windows' numbers go straight from the padded image into the panels of the product, by two
tables: where the windows of the panel's columns begin, and how far from there each number of a
window lies. A matrix of windows is never written out: a few panels at a time are packed and
multiplied while they are in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from math import prod
from typing import Any

import numpy as np

from ...ops.convolution import prepared
from ...ops.spatial import Ints, is_channels_last, window_counts
from ...threads import get_num_threads
from ..buffers import empty
from ..kernels import kernel
from .code import Code, Value, module
from .fused import Words, share
from .gemm import BLOCK, KINDS, Tile, product, tile_for, tiles
from .llvm import compiled
from .memory import address
from .padding import padded
from .threads import run_parts

Array = np.ndarray[Any, Any]
_PANELS = 512 << 10  # bytes of panels that are packed at a time
_LEAST = 400_000  # multiplications a group
_SHARE = 500_000  # operations below which a thread is not worth waking
# Rows of weights that could be multiplied while windows of one pixel, or of more, are packed.
_PACK = 8, 48


def gather_ir(tile: Tile) -> str:
    """``kernel``: panels ``first`` to ``last``, of ``k`` rows, from where the tables say.

    Windows that begin side by side are read as a vector, those of two lines of the image as two
    that are blended, others lane by lane.
    """
    code = Code("kernel", "ptr %to, ptr %x, ptr %rows, ptr %columns, i64 %k, i64 %first, i64 %last")
    lanes, index = tile.lanes, f"<{tile.lanes} x i32>"
    steps = f"<{', '.join(f'i32 {i}' for i in range(lanes))}>"
    with code.loop("%last", "%first") as panel:
        done = code.value(f"sub i64 {panel.index}, %first")
        to = code.at(tile.kind, "%to", code.mul(code.mul(done, tile.columns), "%k"))
        column = code.mul(panel.index, tile.columns)
        for i in range(tile.vectors):
            place = code.at("i32", "%columns", code.add(column, i * lanes))
            begins = code.value(f"load {index}, ptr {place}, align 4")
            first = code.value(f"extractelement {index} {begins}, i32 0")
            last = code.value(f"extractelement {index} {begins}, i32 {lanes - 1}")
            second = code.value(f"sub i32 {last}, {lanes - 1}")
            in_line, of_second = (
                code.value(f"icmp eq {index} {begins}, {_from(code, index, start, steps)}")
                for start in (first, second)
            )
            mask = f"<{lanes} x i1>"
            either = code.value(f"or {mask} {in_line}, {of_second}")
            one, two = (
                code.call("i1", f"llvm.vector.reduce.and.v{lanes}i1", f"{mask} {m}")
                for m in (in_line, either)
            )
            two = code.value(f"and i1 {two}, {code.value(f'icmp sge i32 {second}, {first}')}")
            there = code.at(tile.kind, to, str(i * lanes))
            with code.when(one):
                _pack_vector(code, tile, there, partial(_line, code, tile, first))
            with code.when(code.value(f"and i1 {two}, {code.value(f'xor i1 {one}, true')}")):
                _pack_vector(
                    code, tile, there, partial(_blended, code, tile, in_line, first, second)
                )
            with code.when(code.value(f"xor i1 {two}, true")):
                _pack_vector(code, tile, there, partial(_lanes, code, tile, begins))
    return module(code)


def _from(code: Code, index: str, start: Value, steps: str) -> Value:
    """``start``, ``start + 1``, ..."""
    lanes = index[1 : index.index(" ")]
    one = code.value(f"insertelement {index} poison, i32 {start}, i32 0")
    all_ = code.value(
        f"shufflevector {index} {one}, {index} poison, <{lanes} x i32> zeroinitializer"
    )
    return code.value(f"add {index} {all_}, {steps}")


def _pack_vector(code: Code, tile: Tile, to: str, read: Callable[[Value], Value]) -> None:
    """One vector of each row of a panel, as it is read from where a row's numbers begin."""
    with code.loop("%k") as k:
        offset = code.value(f"load i64, ptr {code.at('i64', '%rows', k.index)}")
        value = read(code.at(tile.kind, "%x", offset))
        line = code.at(tile.kind, to, code.mul(k.index, tile.columns))
        code.do(f"store {tile.vector} {value}, ptr {line}, align 4")


def _line(code: Code, tile: Tile, start: Value, base: Value) -> Value:
    place = code.value(f"getelementptr {tile.kind}, ptr {base}, i32 {start}")
    return code.value(f"load {tile.vector}, ptr {place}, align 4")


def _blended(
    code: Code, tile: Tile, mask: Value, first: Value, second: Value, base: Value
) -> Value:
    parts = [f"{tile.vector} {_line(code, tile, start, base)}" for start in (first, second)]
    return code.value(f"select <{tile.lanes} x i1> {mask}, {', '.join(parts)}")


def _lanes(code: Code, tile: Tile, begins: Value, base: Value) -> Value:
    lanes, vector = tile.lanes, tile.vector
    places = code.value(f"getelementptr {tile.kind}, ptr {base}, <{lanes} x i32> {begins}")
    return code.call(
        vector, f"llvm.masked.gather.{tile.suffix}.v{lanes}p0", f"<{lanes} x ptr> {places}",
        "i32 4", f"<{lanes} x i1> splat (i1 true)", f"{vector} zeroinitializer",
    )  # fmt: skip


@cache
def gatherer(tile: Tile) -> int:
    """The address of the packing of windows."""
    return compiled(gather_ir(tile))


def driver_ir(tile: Tile) -> str:
    """``kernel(args, part, parts)``: a share of the panels of all images, groups and splits.

    A few panels at a time are packed, and multiplied with blocks of rows of the weights. With more
    than one split each block of rows is work of its own.
    """
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, w, bias, space, rows, begins = (words.next("ptr") for _ in range(7))
    k, n, panels, at_once, units, groups, splits, plane, outputs, block, room = words.many(11)
    pack = words.next("ptr")
    whole, rest = ((words.next("ptr"), *words.many(2)) for _ in range(2))
    first, last = share(code, code.mul(units, panels))
    space = code.at(tile.kind, space, code.mul("%part", room))
    beyond = code.value(f"sdiv i64 {code.add(last, code.add(panels, -1))}, {panels}")
    with code.loop(beyond, code.value(f"sdiv i64 {first}, {panels}")) as unit:
        before = code.mul(unit.index, panels)
        low = _larger(code, code.value(f"sub i64 {first}, {before}"), "0")
        high = _smaller(code, code.value(f"sub i64 {last}, {before}"), panels)
        which = code.value(f"sdiv i64 {unit.index}, {splits}")
        top = code.mul(code.value(f"srem i64 {unit.index}, {splits}"), block)
        one = code.value(f"icmp eq i64 {splits}, 1")
        bottom = _smaller(code, code.add(top, block), outputs)
        bottom = code.value(f"select i1 {one}, i64 {outputs}, i64 {bottom}")
        skipped = code.mul(code.value(f"srem i64 {which}, {groups}"), outputs)
        at_x = code.at(tile.kind, x, code.mul(which, plane))
        at_w = code.at(tile.kind, w, code.mul(skipped, k))
        at_bias = code.at(tile.kind, bias, skipped)
        at_out = code.at(tile.kind, out, code.mul(code.mul(which, outputs), n))
        with code.loop(high, low, step_by=at_once) as panel:
            end = _smaller(code, code.add(panel.index, at_once), high)
            code.do(f"call void {pack}(ptr {space}, ptr {at_x}, ptr {rows}, ptr {begins}, i64 {k}, "
                    f"i64 {panel.index}, i64 {end})")  # fmt: skip
            column = code.mul(panel.index, tile.columns)
            columns = code.value(f"sub i64 {n}, {column}")
            count = code.value(f"sub i64 {end}, {panel.index}")
            with code.loop(bottom, top, step_by=block) as row:
                left = code.value(f"sub i64 {outputs}, {row.index}")
                full = code.value(f"icmp sge i64 {left}, {block}")
                function, large, small = (
                    code.value(f"select i1 {full}, {kind} {a}, {kind} {b}")
                    for kind, a, b in zip(("ptr", "i64", "i64"), whole, rest, strict=True)
                )
                to = code.at(tile.kind, at_out, code.add(code.mul(row.index, n), column))
                given = (
                    f"ptr {to}, ptr {code.at(tile.kind, at_w, code.mul(row.index, k))}, "
                    f"ptr {space}, ptr {code.at(tile.kind, at_bias, row.index)}, "
                    f"i64 {k}, i64 {columns}, i64 {k}, i64 {n}, i64 {large}, i64 {small}, "
                    f"i64 0, i64 {count}"
                )
                code.do(f"call void {function}({given})")
    return module(code)


def _larger(code: Code, a: Value, b: Value) -> Value:
    return code.value(f"select i1 {code.value(f'icmp sgt i64 {a}, {b}')}, i64 {a}, i64 {b}")


def _smaller(code: Code, a: Value, b: Value) -> Value:
    return code.value(f"select i1 {code.value(f'icmp slt i64 {a}, {b}')}, i64 {a}, i64 {b}")


@cache
def driver(tile: Tile) -> int:
    """The address of the loops over panels and blocks of rows."""
    return compiled(driver_ir(tile))


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
    found = _laid_out(
        name, x.dtype, x.shape, w.shape, stride, pads, dilation, groups, get_num_threads()
    )
    wide, weights = padded(x, pads), np.ascontiguousarray(w)
    bias = np.zeros(len(w), x.dtype) if b is None else np.ascontiguousarray(b)
    out, space = empty(found.shape, x.dtype), empty((found.space,), x.dtype)
    block = found.words.copy()
    block[:5] = [address(a) for a in (out, wide, weights, bias, space)]
    run_parts(found.kernel, block, found.parts)
    return out


@dataclass(frozen=True)
class Layout:
    """What a convolution of certain shapes needs beside its arrays."""

    shape: Ints  # of the result
    space: int  # numbers that the panels take, of all threads
    parts: int
    kernel: int
    words: Array  # the first five are the addresses of arrays
    held: tuple[Array, Array]  # the tables that the words point to


def _splits(panels: int, outputs: int, parts: int, rows: int, pack: int) -> int:
    """Into how many the weights' rows are split, so that threads have equal shares of the work."""

    def time(splits: int) -> int:
        height = -(-outputs // (splits * rows)) * rows
        return -(-panels * -(-outputs // height) // parts) * (height + pack)

    return 1 if parts == 1 else min(range(1, 9), key=time)


@lru_cache(256)
def _laid_out(
    name: str, dtype: np.dtype[Any], given: Ints, weights: Ints, stride: Ints, pads: Any,
    dilation: Ints, groups: int, most: int,
) -> Layout:  # fmt: skip
    counts = window_counts(name, given[2:], weights[2:], stride, pads, dilation)
    sizes = tuple(size + sum(both) for size, both in zip(given[2:], pads, strict=True))
    outputs, k, n = weights[0] // groups, prod(weights[1:]), prod(counts)
    tile = tile_for(dtype, n)
    tables = _tables(weights[1], sizes, weights[2:], counts, stride, dilation, tile.columns)
    panels = len(tables[1]) // tile.columns
    at_once = max(1, _PANELS // (k * tile.columns * dtype.itemsize))
    units = given[0] * groups
    block = max(tile.rows, BLOCK // (k * dtype.itemsize) // tile.rows * tile.rows)
    parts = max(1, min(most, 2 * units * outputs * k * n // _SHARE))
    splits = _splits(units * panels, outputs, parts, tile.rows, _PACK[prod(weights[2:]) > 1])
    if splits > 1:
        block = min(block, -(-outputs // (splits * tile.rows)) * tile.rows)
        splits = -(-outputs // block)
    each = min(at_once, panels) * k * tile.columns
    words = [
        *[0] * 5, *map(address, tables), k, n, panels, at_once, units * splits, groups, splits,
        weights[1] * prod(sizes), outputs, block, each, gatherer(tile),
    ]  # fmt: skip
    for count in (min(block, outputs), outputs % block):
        high, large, small = tiles(count or 1, tile.rows)
        words += [product(tile, high, True).there, large, small]
    return Layout(
        (given[0], weights[0], *counts), parts * each, parts, driver(tile),
        np.array(words, np.int64), tables,
    )  # fmt: skip


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
