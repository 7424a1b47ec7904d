"""Depthwise convolution with channels last: a vector of channels and several pixels at a time.

A row of pixels is cut into groups of two sizes that differ by one, as rows are in :mod:`.gemm`.
Around that go a few vectors of channels, the rows of a band, blocks of channels and bands: what
a block reads for a row is still in the first-level cache when the next row needs it again.

The words: the addresses of the result, the padded input, the weights (a row of channels for each
tap), the bias and the taps' offsets; the numbers of images, rows, rows in a band and channels; how
many groups are one pixel larger, and how many are not; the strides of the result over images, rows
and columns, and those of the input over the windows and from one tap of a row to the next; then for
each operand its address and three strides. All strides are in elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .expressions import ACC, SUM, Tree, emitted
from .fused import SOURCES, Vectors, Words, placed, share
from .llvm import made_by, target
from .narrowing import narrow

PIXELS = 8  # at most so many in a group
_VECTORS = 4  # of channels in a block


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel; operands are "full", "column" or "one"."""

    taps: int
    width: int  # taps of a row, side by side; 1 if they are apart
    stride: int  # from window to window, in taps of a row; 0 if they share nothing
    pixels: int  # in a group, or one more
    tree: Tree = ACC
    operands: tuple[str, ...] = ()
    x: str = "float32"  # the input's dtype; with an integer one the bias is int32
    result: str = "float32"


@cache
def depthwise_ir(spec: Spec) -> str:
    """The module of a kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, w, bias, taps = (words.next("ptr") for _ in range(5))
    images, rows, band, channels, large, small = words.many(6)
    to_steps, x_steps = words.many(3), words.many(4)
    given = [(words.next("ptr"), words.many(3)) for _ in spec.operands]
    vectors = Vectors(code, target().lanes)
    lanes, integers, whole = vectors.lanes, vectors.e.integers, spec.x != "float32"
    x_kind, to_kind = SOURCES[spec.x][0], SOURCES[spec.result][0]
    width = lanes * _VECTORS
    blocks = code.value(f"sdiv i64 {code.add(channels, width - 1)}, {width}")
    more = code.value(f"add i64 {rows}, {code.add(band, -1)}")
    bands = code.value(f"sdiv i64 {more}, {band}")
    first, last = share(code, code.mul(code.mul(images, bands), blocks))

    def whole_sum(total: Value, of_bias: Value, mask: Value) -> Value:
        """A sum of whole numbers as integers, and the bias."""
        cut = code.value(f"fptosi {vectors.e.vector} {total} to {integers}")
        return code.value(f"add {integers} {cut}, {vectors.load_integers(of_bias, mask)}")

    def pixels(
        indices: list[Value], column: Value, count: int, channel: Value, mask: Value
    ) -> None:
        """``count`` pixels of a row, one vector of channels.

        What neighbouring windows share of a row is loaded once: loads are what limits this kernel.
        """
        corner = code.at(x_kind, placed(code, x_kind, x, indices, x_steps[:2]), channel)
        corner = code.at(x_kind, corner, code.mul(column, x_steps[2]))
        of_bias = code.at("float", bias, channel)
        sums = [vectors.e.constant(0.0) if whole else vectors.load(of_bias, mask)] * count
        line = code.at("float", w, channel)
        for row in range(spec.taps // spec.width):
            offset = code.value(f"load i64, ptr {code.at('i64', taps, str(row * spec.width))}")
            place, loaded = code.at(x_kind, corner, offset), {}
            for tap in range(spec.width):
                weight = vectors.load(line, mask)
                line = code.at("float", line, channels)
                for i in range(count):
                    at = i * spec.stride + tap if spec.stride else i
                    if at not in loaded:
                        step = x_steps[3] if spec.stride else x_steps[2]
                        there = code.at(x_kind, place, code.mul(step, at))
                        loaded[at] = vectors.load(there, mask, spec.x)
                    sums[i] = vectors.e.fma(loaded[at], weight, sums[i])
        if whole:
            sums = [whole_sum(total, of_bias, mask) for total in sums]
        for i in range(count):
            places = [*indices, code.add(column, i)]

            def leaf(node: Tree, i: int = i, places: list[Value] = places) -> Value:
                if node == ACC and whole:
                    return code.value(f"sitofp {integers} {sums[i]} to {vectors.e.vector}")
                if node == ACC:
                    return sums[i]
                base, steps = given[node[1]]
                kind = spec.operands[node[1]]
                if kind == "one":
                    return vectors.number(base)
                if kind == "full":
                    base = placed(code, "float", base, places, steps)
                return vectors.load(code.at("float", base, channel), mask)

            to = code.at(to_kind, placed(code, to_kind, out, places, to_steps), channel)
            if spec.tree == SUM:
                vectors.store_integers(sums[i], to, mask)
                continue
            if spec.result == "float32":
                vectors.store(emitted(vectors.e, spec.tree, leaf), to, mask)
            else:
                vectors.store_bytes(narrow(vectors.e, spec.tree, leaf), to, mask)

    def row_of(indices: list[Value], channel: Value, mask: Value) -> None:
        start = "0"
        for size, groups in ((spec.pixels + 1, large), (spec.pixels, small)):
            if size <= PIXELS:
                with code.loop(groups) as group:
                    column = code.value(f"add i64 {start}, {code.mul(group.index, size)}")
                    pixels(indices, column, size, channel, mask)
                start = code.mul(groups, size)

    def least(a: Value, b: Value) -> Value:
        return code.value(f"select i1 {code.value(f'icmp slt i64 {a}, {b}')}, i64 {a}, i64 {b}")

    with code.loop(last, first) as unit:
        block = code.mul(code.value(f"srem i64 {unit.index}, {blocks}"), width)
        outer = code.value(f"sdiv i64 {unit.index}, {blocks}")
        image = code.value(f"sdiv i64 {outer}, {bands}")
        begin = code.mul(code.value(f"srem i64 {outer}, {bands}"), band)
        end = least(code.value(f"add i64 {begin}, {band}"), rows)
        stop = least(code.add(block, width), channels)
        inside = code.value(f"sub i64 {stop}, {block}")
        full = code.add(code.value(f"and i64 {inside}, {-lanes}"), block)
        left = code.value(f"sub i64 {stop}, {full}")
        with code.loop(end, begin) as row:
            with code.loop(full, block, step=lanes) as channel:
                row_of([image, row.index], channel.index, "")
            with code.when(code.value(f"icmp sgt i64 {left}, 0")):
                row_of([image, row.index], full, vectors.mask(left))
    return module(code)


def depthwise(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(depthwise_ir, spec)
