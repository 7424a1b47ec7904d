"""Rows of a table by their numbers, which are checked.

The words: the addresses of the result, the table, the numbers and a word that is set to one when a
number is out of range (nothing is read then); how many tables there are one behind another, the
rows of each, the bytes of a row, and how many numbers there are.
"""

from __future__ import annotations

from functools import cache

from .code import Code, module
from .fused import Words, share
from .llvm import compiled


@cache
def gather_ir(size: int) -> str:
    """The module of the kernel, for numbers of 4 or 8 bytes."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, table, numbers, error = (words.next("ptr") for _ in range(4))
    tables, rows, width, count = words.many(4)
    first, last = share(code, code.mul(tables, count))
    kind = f"i{8 * size}"
    with code.loop(last, first) as unit:
        which = code.value(f"sdiv i64 {unit.index}, {count}")
        within = code.value(f"srem i64 {unit.index}, {count}")
        number = code.value(f"load {kind}, ptr {code.at(kind, numbers, within)}")
        if size == 4:
            number = code.value(f"sext i32 {number} to i64")
        good = code.value(f"icmp ult i64 {number}, {rows}")
        with code.when(code.value(f"xor i1 {good}, true")):
            code.do(f"store i64 1, ptr {error}")
        with code.when(good):
            row = code.add(code.mul(which, rows), number)
            source = code.at("i8", table, code.mul(row, width))
            to = code.at("i8", out, code.mul(unit.index, width))
            code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {to}", f"ptr {source}",
                      f"i64 {width}", "i1 false")  # fmt: skip
    return module(code)


def gather_rows(size: int) -> int:
    """The address of a kernel, compiled if need be."""
    return compiled(gather_ir(size))
