"""Depthwise convolution with channels last: a vector of channels and several pixels at a time.

The words: the addresses of the result, the padded input, the weights (a row of channels for each
tap), the bias and the taps' offsets; the numbers of images, rows, columns and channels; the strides
of the result over images, rows and columns, and those of the input over the windows; then for each
operand its address and three strides. All strides are in elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .expressions import ACC, Tree, emitted
from .fused import Vectors, Words, placed, share
from .llvm import compiled, target

_PIXELS = 8


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel; operands are "full", "column" or "one"."""

    taps: int
    tree: Tree = ACC
    operands: tuple[str, ...] = ()


@cache
def depthwise_ir(spec: Spec) -> str:
    """The module of a kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, w, bias, taps = (words.next("ptr") for _ in range(5))
    images, rows, columns, channels = words.many(4)
    to_steps, x_steps = words.many(3), words.many(3)
    given = [(words.next("ptr"), words.many(3)) for _ in spec.operands]
    vectors = Vectors(code, target().lanes)
    lanes, v = vectors.lanes, vectors.e.vector
    first, last = share(code, code.mul(images, rows))
    whole = code.value(f"sub i64 {columns}, {_PIXELS - 1}")

    def pixels(
        indices: list[Value], column: Value, count: int, channel: Value, mask: Value
    ) -> None:
        """``count`` pixels of a row, one vector of channels."""
        here = [placed(code, "float", x, indices, x_steps[:2])]
        here = [
            code.at("float", code.at("float", here[0], code.mul(code.add(column, i), x_steps[2])),
                    channel)
            for i in range(count)
        ]  # fmt: skip
        start = vectors.load(code.at("float", bias, channel), mask)
        with code.loop(str(spec.taps), carried=[(v, start)] * count) as tap:
            offset = code.value(f"load i64, ptr {code.at('i64', taps, tap.index)}")
            line = code.at("float", w, code.add(code.mul(tap.index, channels), channel))
            weight = vectors.load(line, mask)
            for i in range(count):
                value = vectors.load(code.at("float", here[i], offset), mask)
                tap.next[i] = vectors.e.fma(value, weight, tap.carried[i])
        for i in range(count):
            places = [*indices, code.add(column, i)]

            def leaf(node: Tree, i: int = i, places: list[Value] = places) -> Value:
                if node == ACC:
                    return tap.carried[i]
                base, steps = given[node[1]]
                kind = spec.operands[node[1]]
                if kind == "one":
                    return vectors.number(base)
                if kind == "full":
                    base = placed(code, "float", base, places, steps)
                return vectors.load(code.at("float", base, channel), mask)

            value = emitted(vectors.e, spec.tree, leaf)
            to = placed(code, "float", out, places, to_steps)
            vectors.store(value, code.at("float", to, channel), mask)

    def row_of(indices: list[Value], channel: Value, mask: Value) -> None:
        with code.loop(whole, step=_PIXELS) as group:
            pixels(indices, group.index, _PIXELS, channel, mask)
        done = code.value(f"sdiv i64 {columns}, {_PIXELS}")
        with code.loop(columns, code.mul(done, _PIXELS)) as single:
            pixels(indices, single.index, 1, channel, mask)

    with code.loop(last, first) as turn:
        indices = [
            code.value(f"sdiv i64 {turn.index}, {rows}"),
            code.value(f"srem i64 {turn.index}, {rows}"),
        ]
        full = code.value(f"and i64 {channels}, {-lanes}")
        with code.loop(full, step=lanes) as channel:
            row_of(indices, channel.index, "")
        left = code.value(f"sub i64 {channels}, {full}")
        with code.when(code.value(f"icmp sgt i64 {left}, 0")):
            row_of(indices, full, vectors.mask(left))
    return module(code)


def depthwise(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return compiled(depthwise_ir(spec))
