"""Rows of a table by their numbers, which are checked.

The words: the addresses of the result, the table, the numbers and a word that is set to one when a
number is out of range (nothing is read then); how many tables there are one behind another, the
rows of each, the bytes of a row, how many numbers there are, and the bytes from row to row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .code import Code, module
from .fused import Words, share
from .llvm import made_by


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel."""

    size: int  # of a number in bytes: 4 or 8
    width: int = 0  # of a row in bytes: 1, 2, 4 or 8, or 0 where a word says it
    negative: bool = False  # whether -1 is the last row


@cache
def gather_ir(spec: Spec) -> str:
    """The module of the kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, table, numbers, error = (words.next("ptr") for _ in range(4))
    tables, rows, width, count, pitch = words.many(5)
    first, last = share(code, code.mul(tables, count))
    kind = f"i{8 * spec.size}"
    with code.loop(last, first) as unit:
        which = code.value(f"sdiv i64 {unit.index}, {count}")
        within = code.value(f"srem i64 {unit.index}, {count}")
        number = code.value(f"load {kind}, ptr {code.at(kind, numbers, within)}")
        if spec.size == 4:
            number = code.value(f"sext i32 {number} to i64")
        if spec.negative:
            below = code.value(f"icmp slt i64 {number}, 0")
            after = code.add(number, rows)
            number = code.value(f"select i1 {below}, i64 {after}, i64 {number}")
        good = code.value(f"icmp ult i64 {number}, {rows}")
        with code.when(code.value(f"xor i1 {good}, true")):
            code.do(f"store i64 1, ptr {error}")
        with code.when(good):
            row = code.add(code.mul(which, rows), number)
            source = code.at("i8", table, code.mul(row, pitch))
            to = code.at("i8", out, code.mul(unit.index, width))
            if spec.width:
                element = f"i{8 * spec.width}"
                value = code.value(f"load {element}, ptr {source}, align 1")
                code.do(f"store {element} {value}, ptr {to}, align 1")
            else:
                code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {to}", f"ptr {source}",
                          f"i64 {width}", "i1 false")  # fmt: skip
    return module(code)


def gather_rows(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(gather_ir, spec)


@cache
def along_ir(size: int, width: int, back: bool = False) -> str:
    """The kernel of ``out[a, m, b] = table[a, numbers[a, m, b], b]``, elements of a width.

    Its words: the addresses of the result, the table, the numbers and the word of errors, then the
    sizes of a, of the table's middle dimension, of m and of b. ``back`` is the other way round:
    the table is written to, in the order of the numbers.
    """
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, table, numbers, error = (words.next("ptr") for _ in range(4))
    outer, rows, count, inner = words.many(4)
    ends = share(code, outer if back else code.mul(outer, count))
    first, last = (code.mul(end, count) for end in ends) if back else ends
    kind, element = f"i{8 * size}", f"i{8 * width}"
    with code.loop(last, first) as unit, code.loop(inner) as column:
        at = code.add(code.mul(unit.index, inner), column.index)
        number = code.value(f"load {kind}, ptr {code.at(kind, numbers, at)}")
        if size == 4:
            number = code.value(f"sext i32 {number} to i64")
        good = code.value(f"icmp ult i64 {number}, {rows}")
        with code.when(code.value(f"xor i1 {good}, true")):
            code.do(f"store i64 1, ptr {error}")
        with code.when(good):
            which = code.value(f"sdiv i64 {unit.index}, {count}")
            row = code.add(code.mul(which, rows), number)
            place = code.at(element, table, code.add(code.mul(row, inner), column.index))
            source, to = place, code.at(element, out, at)
            if back:
                source, to = to, source
            value = code.value(f"load {element}, ptr {source}")
            code.do(f"store {element} {value}, ptr {to}")
    return module(code)


def gather_along(size: int, width: int, back: bool = False) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(along_ir, size, width, back)
