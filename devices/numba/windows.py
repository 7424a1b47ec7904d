"""Maxima and sums of windows with channels last: pooling, and reductions over pixels.

Each result is a window: where it begins, how many rows and columns it has (what sticks out of the
image is left out beforehand), where its result goes, and a factor. The words: the addresses of the
result, the input, the table of windows (four numbers each) and of the factors; the numbers of
windows and channels; and the input's strides from row to row and column to column.
"""

from __future__ import annotations

from functools import cache

from .code import Code, Value, module
from .fused import Vectors, Words, share
from .llvm import made_by, target

_AT_ONCE = 4  # vectors of channels


@cache
def windows_ir(maximum: bool) -> str:
    """The module of the kernel for maxima, or for sums times a factor."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, table, factors = (words.next("ptr") for _ in range(4))
    count, channels, row_step, column_step = words.many(4)
    vectors = Vectors(code, target().lanes)
    e, lanes = vectors.e, vectors.lanes
    zero = e.constant(float("-inf") if maximum else 0.0)
    block = lanes * _AT_ONCE
    blocks = code.value(f"sdiv i64 {code.add(channels, block - 1)}, {block}")
    first, last = share(code, code.mul(count, blocks))

    def reduced(window: list[Value], factor: Value, channel: Value, many: int, mask: str) -> None:
        from_ = code.at("float", code.at("float", x, window[0]), channel)
        carried = [(e.vector, zero)] * many
        with code.loop(window[1], carried=carried) as row:
            line = code.at("float", from_, code.mul(row.index, row_step))
            with code.loop(
                window[2], carried=[(e.vector, value) for value in row.carried]
            ) as column:
                place = code.at("float", line, code.mul(column.index, column_step))
                for i in range(many):
                    value = vectors.load(code.at("float", place, str(i * lanes)), mask)
                    so_far = column.carried[i]
                    column.next[i] = (
                        e.call("maximum", value, so_far) if maximum else e.add(value, so_far)
                    )
            row.next = list(column.carried)
        to = code.at("float", code.at("float", out, window[3]), channel)
        for i, value in enumerate(row.carried):
            result = value if maximum else e.mul(value, factor)
            vectors.store(result, code.at("float", to, str(i * lanes)), mask)

    with code.loop(last, first) as unit:
        number = code.value(f"sdiv i64 {unit.index}, {blocks}")
        within = code.value(f"srem i64 {unit.index}, {blocks}")
        entry = code.at("i64", table, code.mul(number, 4))
        window = [code.value(f"load i64, ptr {code.at('i64', entry, str(i))}") for i in range(4)]
        factor = vectors.number(code.at("float", factors, number))
        channel = code.mul(within, block)
        left = code.value(f"sub i64 {channels}, {channel}")
        full = code.value(f"icmp sge i64 {left}, {block}")
        with code.when(full):
            reduced(window, factor, channel, _AT_ONCE, "")
        with code.when(code.value(f"xor i1 {full}, true")):
            with code.loop(left, step=lanes) as part:
                rest = code.value(f"sub i64 {left}, {part.index}")
                at = code.add(channel, part.index)
                reduced(window, factor, at, 1, vectors.mask(rest))
    return module(code)


def windows(maximum: bool) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(windows_ir, maximum)
