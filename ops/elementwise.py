"""Functions of one number, element by element: magnitude, powers, exponentials, logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Number, bool_, complex128, float64
from ..errors import DTypeError
from .dims import dtype_of, is_integral
from .registry import TOP, Array, F, op


@op("abs", method=True, inplace=True, fast=np.abs, fast_kinds="uifc", aliases=("absolute",))
def absolute(xp: Any, input: Array) -> Array:
    """``|input|``; of complex numbers the real modulus. Source: PyTorch ``torch.abs``.

    >>> import tensorlite as tl
    >>> tl.tensor([-1.5, 2.0]).abs()
    tensor([1.5000, 2.0000])
    """
    _no_bool(input, "abs", "it is its own absolute value")
    return xp.abs(input)


@op("neg", method=True, inplace=True, fast=np.negative, fast_kinds="uifc", aliases=("negative",))
def neg(xp: Any, input: Array) -> Array:
    """``-input``. Raises DTypeError for bools. Source: PyTorch ``torch.neg``.

    >>> import tensorlite as tl
    >>> -tl.tensor([1, -2])
    tensor([-1,  2])
    """
    _no_bool(input, "neg", "invert a mask with ~ or logical_not")
    return xp.negative(input)


@op(method=True)
def positive(xp: Any, input: Array) -> Array:
    """``+input``, the tensor itself. Raises DTypeError for bools.

    Source: PyTorch ``torch.positive``.

    >>> import tensorlite as tl
    >>> +tl.tensor([1, -2])
    tensor([ 1, -2])
    """
    _no_bool(input, "positive", "convert it, e.g. x.int()")
    return input


@op(method=True, inplace=True, fast=np.square, fast_kinds="uifc")
def square(xp: Any, input: Array) -> Array:
    """``input * input``; bools become int64. Source: PyTorch ``torch.square``.

    >>> import tensorlite as tl
    >>> tl.square(tl.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    return input.astype(np.int64) if dtype_of(input) is bool_ else xp.square(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.sqrt)
def sqrt(xp: Any, input: Array) -> Array:
    """The square root; nan for negative numbers. Source: PyTorch ``torch.sqrt``.

    >>> import tensorlite as tl
    >>> tl.sqrt(tl.tensor([4, 9]))
    tensor([2., 3.])
    """
    return xp.sqrt(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True)
def rsqrt(xp: Any, input: Array) -> Array:
    """``1 / sqrt(input)``. Source: PyTorch ``torch.rsqrt``.

    >>> import tensorlite as tl
    >>> tl.rsqrt(tl.tensor([4.0, 0.0]))
    tensor([0.5000,    inf])
    """
    return xp.reciprocal(xp.sqrt(input))


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.reciprocal)
def reciprocal(xp: Any, input: Array) -> Array:
    """``1 / input``; integers become floats. Source: PyTorch ``torch.reciprocal``.

    >>> import tensorlite as tl
    >>> tl.reciprocal(tl.tensor([2, 4]))
    tensor([0.5000, 0.2500])
    """
    return xp.reciprocal(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.exp)
def exp(xp: Any, input: Array) -> Array:
    """``e ** input``. Source: PyTorch ``torch.exp``.

    >>> import tensorlite as tl
    >>> tl.exp(tl.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return xp.exp(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.exp2, fast_kinds="f", spaces=(TOP, "special"),
)  # fmt: skip
def exp2(xp: Any, input: Array) -> Array:
    """``2 ** input``. Source: PyTorch ``torch.exp2``.

    >>> import tensorlite as tl
    >>> tl.exp2(tl.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return xp.exp(input * math.log(2)) if input.dtype.kind == "c" else xp.exp2(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.expm1, spaces=(TOP, "special"),
)  # fmt: skip
def expm1(xp: Any, input: Array) -> Array:
    """``e ** input - 1``, accurate near 0. Source: PyTorch ``torch.expm1``.

    >>> import tensorlite as tl
    >>> tl.expm1(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return xp.expm1(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.log)
def log(xp: Any, input: Array) -> Array:
    """The natural logarithm; -inf for 0, nan for negative numbers. Source: PyTorch ``torch.log``.

    >>> import tensorlite as tl
    >>> tl.log(tl.tensor([1.0, 0.0]))
    tensor([0., -inf])
    """
    return xp.log(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.log2)
def log2(xp: Any, input: Array) -> Array:
    """The logarithm of base 2. Source: PyTorch ``torch.log2``.

    >>> import tensorlite as tl
    >>> tl.log2(tl.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return xp.log2(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.log10)
def log10(xp: Any, input: Array) -> Array:
    """The logarithm of base 10. Source: PyTorch ``torch.log10``.

    >>> import tensorlite as tl
    >>> tl.log10(tl.tensor([1.0, 20.0]))
    tensor([0.0000, 1.3010])
    """
    return xp.log10(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.log1p, spaces=(TOP, "special"),
)  # fmt: skip
def log1p(xp: Any, input: Array) -> Array:
    """``log(1 + input)``, accurate near 0. Source: PyTorch ``torch.log1p``.

    >>> import tensorlite as tl
    >>> tl.log1p(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return xp.log1p(input)


@op(method=True, promote="input other", floating=True, upcast=True)
def logaddexp(xp: Any, input: Array, other: Array) -> Array:
    """``log(exp(input) + exp(other))`` without overflow. Source: PyTorch ``torch.logaddexp``.

    >>> import tensorlite as tl
    >>> tl.logaddexp(tl.tensor([-1000.0]), tl.tensor([-1000.0]))
    tensor([-999.3068])
    """
    return log_of_sum(xp, input, other)


@op(method=True, promote="input other", floating=True, upcast=True)
def logaddexp2(xp: Any, input: Array, other: Array) -> Array:
    """``log2(2 ** input + 2 ** other)`` without overflow. Source: PyTorch ``torch.logaddexp2``.

    >>> import tensorlite as tl
    >>> tl.logaddexp2(tl.tensor([3.0]), tl.tensor([3.0]))
    tensor([4.])
    """
    return xp.logaddexp2(input, other)


def _sigmoid(input: Array, xp: Any = np) -> Array:
    result = xp.negative(input, out=xp.empty_like(input))
    xp.exp(result, out=result)
    result += 1
    return xp.reciprocal(result, out=result)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=(TOP, F),
    fast=_sigmoid, fast_kinds="Fc",
)  # fmt: skip
def sigmoid(xp: Any, input: Array) -> Array:
    """``1 / (1 + exp(-input))``. Source: PyTorch ``torch.sigmoid``.

    >>> import tensorlite as tl
    >>> tl.sigmoid(tl.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return _sigmoid(input, xp)


@op(method=True, inplace=True)
def float_power(xp: Any, input: Array | Number, exponent: Array | Number) -> Array:
    """``input ** exponent`` in float64, or complex128 if either is complex.

    Source: PyTorch ``torch.float_power``.

    >>> import tensorlite as tl
    >>> tl.float_power(tl.tensor([1, 2]), 0.5)
    tensor([1.0000, 1.4142], dtype=tensorlite.float64)
    """
    either = xp.asarray(input), xp.asarray(exponent)
    wide = complex128 if any(a.dtype.kind == "c" for a in either) else float64
    return xp.power(*[a.astype(wide.numpy) for a in either])


@op(method=True, promote="input other", inplace=True)
def gcd(xp: Any, input: Array, other: Array) -> Array:
    """The greatest common divisor of integers, never negative. Source: PyTorch ``torch.gcd``.

    >>> import tensorlite as tl
    >>> tl.gcd(tl.tensor([12, -4]), tl.tensor([18, 6]))
    tensor([6, 2])
    """
    _integers_only(input, "gcd")
    return xp.gcd(input, other)


@op(method=True, promote="input other", inplace=True)
def lcm(xp: Any, input: Array, other: Array) -> Array:
    """The least common multiple of integers, never negative. Source: PyTorch ``torch.lcm``.

    >>> import tensorlite as tl
    >>> tl.lcm(tl.tensor([12, -4]), tl.tensor([18, 6]))
    tensor([36, 12])
    """
    _integers_only(input, "lcm")
    return xp.lcm(input, other)


def log_of_sum(xp: Any, input: Array, other: Array) -> Array:
    """``log(exp(input) + exp(other))``, of complex numbers too."""
    if input.dtype.kind != "c":
        return xp.logaddexp(input, other)
    swap = other.real > input.real
    large, small = xp.where(swap, other, input), xp.where(swap, input, other)
    same = (large == small) & ~xp.isfinite(large.real)
    return xp.where(same, large, large + xp.log1p(xp.exp(small - large)))


def _integers_only(input: Array, name: str) -> None:
    if not is_integral(input, bool_too=False):
        raise DTypeError(f"{name}: expected integers, got {dtype_of(input).name}")


def _no_bool(input: Array, name: str, hint: str) -> None:
    if dtype_of(input) is bool_:
        raise DTypeError(f"{name}: not defined for bools; {hint}")
