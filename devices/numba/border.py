"""Zeros around images with channels last, for a convolution to read.

The words: the address, then the numbers of images, rows, columns and channels, and how many rows at
the top and bottom and columns at the left and right are zero.
"""

from __future__ import annotations

from functools import cache

from .code import Code, Value, module
from .fused import Words, share
from .llvm import compiled


@cache
def border_ir() -> str:
    """The module of the kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    base = words.next("ptr")
    images, rows, columns, channels, top, bottom, left, right = words.many(8)
    line = code.mul(code.mul(columns, channels), 4)
    at_left, at_right = (code.mul(code.mul(n, channels), 4) for n in (left, right))
    inner = code.value(f"sub i64 {rows}, {bottom}")
    first, last = share(code, code.mul(images, rows))
    with code.loop(last, first) as row:
        place = code.at("i8", base, code.mul(row.index, line))
        within = code.value(f"srem i64 {row.index}, {rows}")
        above = code.value(f"icmp slt i64 {within}, {top}")
        below = code.value(f"icmp sge i64 {within}, {inner}")
        outside = code.value(f"or i1 {above}, {below}")
        with code.when(outside):
            _zero(code, place, line)
        with code.when(code.value(f"xor i1 {outside}, true")):
            _zero(code, place, at_left)
            end = code.value(f"sub i64 {line}, {at_right}")
            _zero(code, code.at("i8", place, end), at_right)
    return module(code)


def _zero(code: Code, place: Value, size: Value) -> None:
    code.call("void", "llvm.memset.p0.i64", f"ptr {place}", "i8 0", f"i64 {size}", "i1 false")


def border() -> int:
    """The address of the kernel, compiled if need be."""
    return compiled(border_ir())
