"""Inverse trigonometric and hyperbolic functions as vector expressions.

The arc tangent's polynomial is that of Cephes' ``atanf`` (Moshier); the others are made of it, of
the exponential and of the logarithm.
"""

from __future__ import annotations

import math

from .emit import Expression, Value, exp
from .logarithms import log, log1p


def atan(e: Expression, x: Value) -> Value:
    """Beyond tan(3 pi / 8) the one of -1/x, beyond tan(pi / 8) that of (x - 1) / (x + 1)."""
    size, one = e.call("fabs", x), e.constant(1.0)
    far, middle = e.constant(2.414213562373095), e.constant(0.4142135623730950)
    between = e.div(e.sub(size, one), e.add(size, one))
    reduced = e.select("ogt", size, middle, between, size)
    reduced = e.select("ogt", size, far, e.div(e.constant(-1.0), size), reduced)
    start = e.select("ogt", size, middle, e.constant(math.pi / 4), e.constant(0.0))
    start = e.select("ogt", size, far, e.constant(math.pi / 2), start)
    square = e.mul(reduced, reduced)
    p = e.polynomial(
        square, 8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1
    )
    found = e.add(start, e.fma(e.mul(p, square), reduced, reduced))
    return e.call("copysign", found, x)


def asin(e: Expression, x: Value) -> Value:
    one = e.constant(1.0)
    return atan(e, e.div(x, e.call("sqrt", e.mul(e.sub(one, x), e.add(one, x)))))


def acos(e: Expression, x: Value) -> Value:
    """``2 atan(sqrt((1 - x) / (1 + x)))``, which keeps the digits of small results."""
    one = e.constant(1.0)
    half = atan(e, e.call("sqrt", e.div(e.sub(one, x), e.add(one, x))))
    return e.add(half, half)


def sinh(e: Expression, x: Value) -> Value:
    """A polynomial near zero; else half of ``e**x - e**-x``, by ``e**(|x| / 2)`` squared."""
    size, square = e.call("fabs", x), e.mul(x, x)
    p = e.polynomial(square, 2.03721912945e-4, 8.33028376239e-3, 1.66667160211e-1)
    near = e.fma(e.mul(p, square), x, x)
    root = exp(e, e.mul(size, e.constant(0.5)))
    rest = e.div(e.constant(0.5), e.mul(root, root))
    far = e.sub(e.mul(e.mul(e.constant(0.5), root), root), rest)
    return e.select("olt", size, e.constant(1.0), near, e.call("copysign", far, x))


def cosh(e: Expression, x: Value) -> Value:
    root = exp(e, e.mul(e.call("fabs", x), e.constant(0.5)))
    rest = e.div(e.constant(0.5), e.mul(root, root))
    return e.add(e.mul(e.mul(e.constant(0.5), root), root), rest)


def asinh(e: Expression, x: Value) -> Value:
    """``log(x + sqrt(x * x + 1))`` of the size; of large ones ``log(2 x)``."""
    size, one = e.call("fabs", x), e.constant(1.0)
    square = e.mul(size, size)
    more = e.div(square, e.add(one, e.call("sqrt", e.add(square, one))))
    near = log1p(e, e.add(size, more))
    far = e.add(log(e, size), e.constant(math.log(2)))
    return e.call("copysign", e.select("ogt", size, e.constant(1e9), far, near), x)


def acosh(e: Expression, x: Value) -> Value:
    """``log1p(t + sqrt(2 t + t * t))`` with ``t = x - 1``; of large ones ``log(2 x)``."""
    t = e.sub(x, e.constant(1.0))
    near = log1p(e, e.add(t, e.call("sqrt", e.fma(t, t, e.add(t, t)))))
    far = e.add(log(e, x), e.constant(math.log(2)))
    return e.select("ogt", x, e.constant(1e9), far, near)


def atanh(e: Expression, x: Value) -> Value:
    size = e.call("fabs", x)
    ratio = e.div(e.add(size, size), e.sub(e.constant(1.0), size))
    return e.call("copysign", e.mul(e.constant(0.5), log1p(e, ratio)), x)


FUNCTIONS = {
    "atan": atan, "asin": asin, "acos": acos, "sinh": sinh, "cosh": cosh, "asinh": asinh,
    "acosh": acosh, "atanh": atanh,
}  # fmt: skip
