"""Borders around images with channels last, for a convolution to read.

The words: the address, that of a byte which fills the border, then the numbers of images, rows and
columns, the bytes of a pixel, and how many rows at the top and bottom and columns at the left and
right are border.
"""

from __future__ import annotations

from functools import cache

from .code import Code, Value, module
from .fused import Words, share
from .llvm import made_by


@cache
def border_ir() -> str:
    """The module of the kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    base, fill = words.next("ptr"), words.next("ptr")
    images, rows, columns, pixel, top, bottom, left, right = words.many(8)
    line = code.mul(columns, pixel)
    at_left, at_right = code.mul(left, pixel), code.mul(right, pixel)
    byte = code.value(f"load i8, ptr {fill}")
    inner = code.value(f"sub i64 {rows}, {bottom}")
    first, last = share(code, code.mul(images, rows))
    with code.loop(last, first) as row:
        place = code.at("i8", base, code.mul(row.index, line))
        within = code.value(f"srem i64 {row.index}, {rows}")
        above = code.value(f"icmp slt i64 {within}, {top}")
        below = code.value(f"icmp sge i64 {within}, {inner}")
        outside = code.value(f"or i1 {above}, {below}")
        with code.when(outside):
            _fill(code, place, line, byte)
        with code.when(code.value(f"xor i1 {outside}, true")):
            _fill(code, place, at_left, byte)
            end = code.value(f"sub i64 {line}, {at_right}")
            _fill(code, code.at("i8", place, end), at_right, byte)
    return module(code)


def _fill(code: Code, place: Value, size: Value, byte: Value) -> None:
    code.call("void", "llvm.memset.p0.i64", f"ptr {place}", f"i8 {byte}", f"i64 {size}", "i1 false")


def border() -> int:
    """The address of the kernel, compiled if need be."""
    return made_by(border_ir)
