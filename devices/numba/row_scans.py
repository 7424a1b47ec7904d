"""Rows of numbers one after another: totals of integers, running sums, where the greatest is.

The words of all kernels: the addresses of the results and the rows, the length of a row and the
number of rows. A row lies in one piece.
"""

from __future__ import annotations

from functools import cache

from .code import Code, Value, module
from .fused import Words, share
from .integers import NARROW
from .llvm import compiled

_START = {"sum": 0, "prod": 1, "max": -(2**63), "min": 2**63 - 1}


def _rows() -> tuple[Code, Value, Value, Value, Value, Value]:
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, n, rows = words.next("ptr"), words.next("ptr"), words.next(), words.next()
    first, last = share(code, rows)
    return code, out, x, n, first, last


@cache
def total_ir(kind: str, source: str, result: str) -> str:
    """The "sum", "prod", "max" or "min" of each row of integers, in int64 until it is stored."""
    code, out, x, n, first, last = _rows()
    (from_, way), (to, _) = NARROW[source], NARROW[result]
    with code.loop(last, first) as row:
        base = code.at(from_, x, code.mul(row.index, n))
        with code.loop(n, carried=[("i64", str(_START[kind]))]) as at:
            value = code.value(f"load {from_}, ptr {code.at(from_, base, at.index)}")
            if way:
                value = code.value(f"{way} {from_} {value} to i64")
            so_far = at.carried[0]
            if kind in ("sum", "prod"):
                name = "add" if kind == "sum" else "mul"
                at.next[0] = code.value(f"{name} i64 {so_far}, {value}")
            else:
                test = "sgt" if kind == "max" else "slt"
                better = code.value(f"icmp {test} i64 {value}, {so_far}")
                at.next[0] = code.value(f"select i1 {better}, i64 {value}, i64 {so_far}")
        found = at.carried[0]
        if to != "i64":
            found = code.value(f"trunc i64 {found} to {to}")
        code.do(f"store {to} {found}, ptr {code.at(to, out, row.index)}")
    return module(code)


@cache
def running_ir(source: str) -> str:
    """Sums of what is up to each element: float32 of float32, int64 of integers."""
    code, out, x, n, first, last = _rows()
    floating = source == "float32"
    from_, way = ("float", "") if floating else NARROW[source]
    kind, zero = ("float", "0.0") if floating else ("i64", "0")
    with code.loop(last, first) as row:
        start = code.mul(row.index, n)
        with code.loop(n, carried=[(kind, zero)]) as at:
            place = code.add(start, at.index)
            value = code.value(f"load {from_}, ptr {code.at(from_, x, place)}")
            if way:
                value = code.value(f"{way} {from_} {value} to i64")
            name = "fadd" if floating else "add"
            at.next[0] = code.value(f"{name} {kind} {at.carried[0]}, {value}")
            code.do(f"store {kind} {at.next[0]}, ptr {code.at(kind, out, place)}")
    return module(code)


@cache
def place_ir(greatest: bool) -> str:
    """The place of the first greatest, or least, of each row of float32; nan is beyond both."""
    code, out, x, n, first, last = _rows()
    test = "ogt" if greatest else "olt"
    with code.loop(last, first) as row:
        base = code.at("float", x, code.mul(row.index, n))
        begin = code.value(f"load float, ptr {base}")
        with code.loop(n, "1", carried=[("float", begin), ("i64", "0")]) as at:
            value = code.value(f"load float, ptr {code.at('float', base, at.index)}")
            best, where = at.carried
            better = code.value(f"fcmp {test} float {value}, {best}")
            odd = code.value(f"fcmp uno float {value}, {value}")
            fine = code.value(f"fcmp ord float {best}, {best}")
            odd = code.value(f"and i1 {odd}, {fine}")
            better = code.value(f"or i1 {better}, {odd}")
            at.next[0] = code.value(f"select i1 {better}, float {value}, float {best}")
            at.next[1] = code.value(f"select i1 {better}, i64 {at.index}, i64 {where}")
        code.do(f"store i64 {at.carried[1]}, ptr {code.at('i64', out, row.index)}")
    return module(code)


def scan(ir: str) -> int:
    """The address of a kernel, compiled if need be."""
    return compiled(ir)
