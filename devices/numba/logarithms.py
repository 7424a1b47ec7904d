"""Logarithms as vector expressions: the exponent apart, and a polynomial for the rest.

``log(1 + x)`` keeps the digits of a small x by the error of ``u = 1 + x``: the logarithm of u plus
``(x - (u - 1)) / u``. The coefficients are those of Cephes' ``logf`` (Moshier).
"""

from __future__ import annotations

from .emit import Expression, Value

_COEFFICIENTS = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip


def log(e: Expression, x: Value) -> Value:
    """The natural logarithm: -inf of 0, nan of negative numbers."""
    tiny = e.constant(1.17549435e-38)
    scaled = e.select("olt", x, tiny, e.mul(x, e.constant(2.0**25)), x)
    bits = e.line(f"bitcast {e.vector} {scaled} to {e.integers}")
    exponent = e.line(f"ashr {e.integers} {bits}, {e.whole(23)}")
    exponent = e.line(f"sub {e.integers} {exponent}, {e.whole(126)}")
    n = e.line(f"sitofp {e.integers} {exponent} to {e.vector}")
    n = e.sub(n, e.select("olt", x, tiny, e.constant(25.0), e.constant(0.0)))
    kept = e.line(f"and {e.integers} {bits}, {e.whole(0x007FFFFF)}")
    kept = e.line(f"or {e.integers} {kept}, {e.whole(0x3F000000)}")
    m = e.line(f"bitcast {e.integers} {kept} to {e.vector}")  # from 1/2 to 1
    root, one = e.constant(0.70710678), e.constant(1.0)
    n = e.sub(n, e.select("olt", m, root, one, e.constant(0.0)))
    r = e.sub(e.select("olt", m, root, e.add(m, m), m), one)
    square = e.mul(r, r)
    y = e.mul(e.mul(e.polynomial(r, *_COEFFICIENTS), r), square)
    y = e.fma(n, e.constant(-2.12194440e-4), y)
    y = e.fma(square, e.constant(-0.5), y)
    found = e.fma(n, e.constant(0.693359375), e.add(r, y))
    infinity, zero = e.constant(float("inf")), e.constant(0.0)
    found = e.select("oeq", x, infinity, infinity, found)
    found = e.select("oeq", x, zero, e.constant(float("-inf")), found)
    return e.select("olt", x, zero, e.constant(float("nan")), e.select("uno", x, x, x, found))


def log1p(e: Expression, x: Value) -> Value:
    """``log(1 + x)``."""
    one = e.constant(1.0)
    u = e.add(one, x)
    lost = e.div(e.sub(x, e.sub(u, one)), u)
    infinity = e.constant(float("inf"))
    held = e.select("oeq", u, infinity, e.constant(0.0), lost)
    held = e.select("ole", u, e.constant(0.0), e.constant(0.0), held)
    return e.add(log(e, u), held)
