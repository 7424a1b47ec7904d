"""Sums and extrema of rows that lie in one piece.

The words of the kernel: the addresses of the results and the rows, the length of a row, a factor,
and the number of rows.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .code import module
from .rows import Row


@cache
def reduce_ir(kind: str) -> str:
    """The module: "sum" (times a factor), "max" or "min" of each row."""
    row = Row("ptr %out, ptr %x, i64 %n, float %factor, i64 %first, i64 %last")
    code, e = row.code, row.e
    filler = e.constant({"sum": 0.0, "max": float("-inf"), "min": float("inf")}[kind])
    name = {"max": "maximum", "min": "minimum"}.get(kind, "")
    with code.loop("%last", "%first") as rows:
        x = code.at("float", "%x", code.mul(rows.index, "%n"))

        def step(load: Any, store: Any, total: str) -> str:
            return e.call(name, load(x), total) if name else e.add(load(x), total)

        total = row.each(step, filler, filler)
        if name:
            reduce = f"llvm.vector.reduce.f{name}.v{row.lanes}f32"
            result = code.call("float", reduce, f"{e.vector} {total}")
        else:
            result = code.value(f"fmul float {row.sum(total)}, %factor")
        code.do(f"store float {result}, ptr {code.at('float', '%out', rows.index)}")
    return module(code)
