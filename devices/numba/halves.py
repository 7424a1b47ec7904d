"""Floats of 16 bits in vectors: read as float32, and rounded to half or bfloat16.

Arithmetic is in float32; where an operator's result has 16 bits it is rounded to them at once,
as the operator by itself would do. bfloat16 is the upper half of a float32, rounded in integers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from .emit import Expression, Value
from .llvm import is_x86, target

HALVES = ("float16", "bfloat16")


@cache
def has(dtype: str) -> bool:
    """Whether vectors of a dtype can be converted: half takes F16C, or another processor family."""
    return dtype == "bfloat16" or not is_x86() or target().lanes >= 8


def widened(e: Expression, dtype: str, bits: Value) -> Value:
    """Vectors of 16 bits as float32."""
    narrow = f"<{e.lanes} x i16>"
    if dtype == "float16":
        half = e.line(f"bitcast {narrow} {bits} to <{e.lanes} x half>")
        return e.line(f"fpext <{e.lanes} x half> {half} to {e.vector}")
    wide = e.line(f"zext {narrow} {bits} to {e.integers}")
    up = e.line(f"shl {e.integers} {wide}, {e.whole(16)}")
    return e.line(f"bitcast {e.integers} {up} to {e.vector}")


def rounded(e: Expression, dtype: str, x: Value) -> Value:
    """float32 as 16 bits, to nearest, halves to even."""
    narrow, whole = f"<{e.lanes} x i16>", e.integers
    if dtype == "float16":
        half = e.line(f"fptrunc {e.vector} {x} to <{e.lanes} x half>")
        return e.line(f"bitcast <{e.lanes} x half> {half} to {narrow}")
    bits = e.line(f"bitcast {e.vector} {x} to {whole}")
    upper = e.line(f"lshr {whole} {bits}, {e.whole(16)}")
    odd = e.line(f"and {whole} {upper}, {e.whole(1)}")
    more = e.line(f"add {whole} {odd}, {e.whole(0x7FFF)}")
    nearest = e.line(f"lshr {whole} {e.line(f'add {whole} {bits}, {more}')}, {e.whole(16)}")
    quiet = e.line(f"or {whole} {upper}, {e.whole(0x40)}")
    is_nan = f"<{e.lanes} x i1> {e.line(f'fcmp uno {e.vector} {x}, {x}')}"
    found = e.line(f"select {is_nan}, {whole} {quiet}, {whole} {nearest}")
    return e.line(f"trunc {whole} {found} to {narrow}")


def _there_and_back(dtype: str) -> Callable[..., Value]:
    return lambda e, x: widened(e, dtype, rounded(e, dtype, x))


FUNCTIONS: dict[str, Callable[..., Value]] = {f"f.{d}": _there_and_back(d) for d in HALVES}
