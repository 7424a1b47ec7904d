"""Float expressions that end as bytes: what requantises a sum, in few instructions.

``clamp(round(x) + zero, low, high)`` is a conversion that rounds (halves to even, as ``round``
does), an integer addition and a saturating cut. Numbers beyond int32 are held at 2**30 before, and
what is not a number becomes the lowest, as :func:`.expressions.narrowed` promises.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .emit import Expression, Value
from .expressions import Tree, emitted
from .llvm import is_x86

_MOST = float(2**30)


def _rounded(tree: Tree) -> tuple[Tree, int] | None:
    """``(x, zero)`` of a clamped ``round(x) + zero``."""
    inner = tree[1][1]
    if inner[0] == "round":
        return inner[1], 0
    if inner[0] == "add" and inner[2][0] == "const":
        inner, (_, zero) = inner[1], inner[2]
        if inner[0] == "round" and zero == int(zero) and abs(zero) <= 255:
            return inner[1], int(zero)
    return None


def narrow(e: Expression, tree: Tree, leaf: Callable[[Tree], Value]) -> Value:
    """The bytes of an expression that stays within the limits of int8 or uint8."""
    whole, least, most = e.integers, int(tree[1][2][1]), int(tree[2][1])
    inner = _rounded(tree) if is_x86() else None
    if inner is None:
        found = e.line(f"fptosi {e.vector} {emitted(e, tree, leaf)} to {whole}")
    else:
        x, zero = inner
        divides = x[0] == "div" and x[2][0] == "const" and _has_reciprocal(x[2][1])
        number, factor = emitted(e, x[1] if divides else x, leaf), x[2][1] if divides else 1.0
        number = _held(e, number, abs(factor) * _MOST)
        found = _nearest(e, _divided(e, number, factor) if divides else number)
        if zero:
            found = e.line(f"add {whole} {found}, {e.whole(zero)}")
        for name, bound in (("smax", least), ("smin", most)):
            full = f"llvm.{name}.v{e.lanes}i32"
            e.declarations.add(f"declare {whole} @{full}({whole}, {whole})")
            found = e.line(f"call {whole} @{full}({whole} {found}, {whole} {e.whole(bound)})")
    return e.line(f"trunc {whole} {found} to <{e.lanes} x i8>")


def _held(e: Expression, x: Value, most: float) -> Value:
    """A number between -most and most; nan stays."""
    low, high = e.constant(-most), e.constant(most)
    held = e.select("ogt", x, high, high, x)
    return e.select("olt", held, low, low, held)


def _has_reciprocal(divisor: float) -> bool:
    """Whether :func:`_divided` is exact: not for a significand of ones only (Markstein, 1990)."""
    bits = int(np.float32(divisor).view(np.int32)) & 0x7FFFFF
    return 1e-20 < abs(divisor) < 1e20 and bits != 0x7FFFFF


def _divided(e: Expression, x: Value, divisor: float) -> Value:
    """``x / divisor``, rounded once; not for infinite x, and tiny ones are inexact.

    A quotient by the rounded reciprocal, and its remainder (Markstein, "Computation of elementary
    functions on the IBM RISC System/6000 processor", 1990): a third of the time of a division.
    """
    reciprocal = e.constant(float(np.float32(1) / np.float32(divisor)))
    quotient = e.mul(x, reciprocal)
    rest = e.fma(quotient, e.constant(-divisor), x)
    return e.fma(rest, reciprocal, quotient)


def _nearest(e: Expression, x: Value) -> Value:
    """Whole numbers, halves to even; the least of int32 for what is not a number."""
    whole = e.integers
    if e.lanes == 16:
        name = "llvm.x86.avx512.mask.cvtps2dq.512"
        e.declarations.add(f"declare {whole} @{name}({e.vector}, {whole}, i16, i32)")
        rest = f"{whole} zeroinitializer, i16 -1, i32 4"
        return e.line(f"call {whole} @{name}({e.vector} {x}, {rest})")
    name = "llvm.x86.avx.cvt.ps2dq.256" if e.lanes == 8 else "llvm.x86.sse2.cvtps2dq"
    e.declarations.add(f"declare {whole} @{name}({e.vector})")
    return e.line(f"call {whole} @{name}({e.vector} {x})")
