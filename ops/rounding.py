"""Rounding, signs, and the parts that a floating-point number is made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Number, bool_
from ..errors import DTypeError
from ..tensor import Tensor
from .arithmetic import mul, pow
from .dims import dtype_of, is_integral
from .registry import TOP, Array, op


@op(method=True, inplace=True, upcast=True, fast=np.floor, fast_kinds="f")
def floor(xp: Any, input: Array) -> Array:
    """The largest integer not above; integers stay. Source: PyTorch ``torch.floor``.

    >>> import tensorlite as tl
    >>> tl.floor(tl.tensor([-1.5, 2.7]))
    tensor([-2.,  2.])
    """
    return _rounded(xp.floor, input, "floor")


@op(method=True, inplace=True, upcast=True, fast=np.ceil, fast_kinds="f")
def ceil(xp: Any, input: Array) -> Array:
    """The smallest integer not below; integers stay. Source: PyTorch ``torch.ceil``.

    >>> import tensorlite as tl
    >>> tl.ceil(tl.tensor([-1.5, 2.7]))
    tensor([-1.,  3.])
    """
    return _rounded(xp.ceil, input, "ceil")


@op(method=True, inplace=True, upcast=True, fast=np.trunc, fast_kinds="f", aliases=("fix",))
def trunc(xp: Any, input: Array) -> Array:
    """The integer part, towards 0; integers stay. Source: PyTorch ``torch.trunc``.

    >>> import tensorlite as tl
    >>> tl.trunc(tl.tensor([-1.5, 2.7]))
    tensor([-1.,  2.])
    """
    return _rounded(xp.trunc, input, "trunc")


@op(
    "round", method=True, inplace=True, upcast=True, fast=np.rint, fast_kinds="f",
    spaces=(TOP, "special"),
)  # fmt: skip
def round_(xp: Any, input: Array, *, decimals: int = 0) -> Array:
    """The nearest number of so many decimals, halves to even.

    With negative ``decimals``, to tens, hundreds... Raises DTypeError for integers with
    decimals. Source: PyTorch ``torch.round``.

    >>> import tensorlite as tl
    >>> tl.round(tl.tensor([0.5, 1.5, -2.7]))
    tensor([ 0.,  2., -3.])
    >>> tl.round(tl.tensor([1.2345]), decimals=2)
    tensor([1.2300])
    """
    if decimals == 0:
        return _rounded(xp.rint, input, "round")
    if is_integral(input):
        raise DTypeError(
            f"round: decimals={decimals} for {dtype_of(input).name}; only floats have decimals"
        )
    scale = input.dtype.type(10.0 ** abs(decimals))
    if decimals > 0:
        return xp.rint(input * scale) / scale
    return xp.rint(input / scale) * scale


@op(method=True, inplace=True, upcast=True)
def frac(xp: Any, input: Array) -> Array:
    """``input - trunc(input)``, for floats. Source: PyTorch ``torch.frac``.

    >>> import tensorlite as tl
    >>> tl.frac(tl.tensor([-1.5, 2.25]))
    tensor([-0.5000,  0.2500])
    """
    if is_integral(input):
        raise DTypeError(f"frac: expected floats, got {dtype_of(input).name}")
    return input - xp.trunc(input)


@op(method=True, inplace=True, upcast=True)
def sign(xp: Any, input: Array) -> Array:
    """-1, 0 or 1; 0 for nan. Source: PyTorch ``torch.sign``.

    >>> import tensorlite as tl
    >>> tl.sign(tl.tensor([-1.5, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    if input.dtype.kind == "c":
        raise DTypeError("sign: expected real numbers, got complex ones; use sgn")
    return _signs(xp, input)


@op(method=True, inplace=True, upcast=True)
def sgn(xp: Any, input: Array) -> Array:
    """``input / |input|``, 0 for 0; of real numbers the sign. Source: PyTorch ``torch.sgn``.

    >>> import tensorlite as tl
    >>> tl.sgn(tl.tensor([3 + 4j, 0j]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    if input.dtype.kind != "c":
        return _signs(xp, input)
    size = xp.abs(input)
    return xp.where(size == 0, 0, input / xp.where(size == 0, 1, size)).astype(input.dtype)


@op(method=True)
def signbit(xp: Any, input: Array) -> Array:
    """Whether the sign bit is set: true for -0.0. Source: PyTorch ``torch.signbit``.

    >>> import tensorlite as tl
    >>> tl.signbit(tl.tensor([-0.0, 1.0]))
    tensor([ True, False])
    """
    return input < 0 if is_integral(input) else xp.signbit(input)


@op(method=True, inplace=True, promote="input other", floating=True, upcast=True)
def copysign(xp: Any, input: Array, other: Array | Number) -> Array:
    """``|input|`` with the sign of ``other``; integers become floats.

    Source: PyTorch ``torch.copysign``.

    >>> import tensorlite as tl
    >>> tl.copysign(tl.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    return xp.copysign(input, other)


@op(method=True, promote="input other", inplace=True)
def nextafter(xp: Any, input: Array, other: Array) -> Array:
    """The next number of this dtype from ``input`` towards ``other``.

    Source: PyTorch ``torch.nextafter``.

    >>> import tensorlite as tl
    >>> tl.nextafter(tl.tensor([0.0]), tl.tensor([1.0])) > 0
    tensor([True])
    """
    return xp.nextafter(input, other)


@op(method=True, inplace=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2 ** other``. Source: PyTorch ``torch.ldexp``.

    >>> import tensorlite as tl
    >>> tl.ldexp(tl.tensor([1.0, 3.0]), tl.tensor([2, -1]))
    tensor([4.0000, 1.5000])
    """
    if input.is_floating_point() and not other.is_floating_point():
        other = other.to(input.dtype)
    return mul(input, pow(2.0, other))


class FrexpResult(NamedTuple):
    """What :func:`frexp` gives."""

    mantissa: Array
    exponent: Array


@op(method=True, upcast=True)
def frexp(xp: Any, input: Array) -> FrexpResult:
    """(mantissa, exponent): ``input == mantissa * 2 ** exponent``, 0.5 <= |mantissa| < 1.

    The exponent is int32. Source: PyTorch ``torch.frexp``.

    >>> import tensorlite as tl
    >>> tl.frexp(tl.tensor([6.0])).exponent
    tensor([3], dtype=tensorlite.int32)
    """
    if is_integral(input):
        raise DTypeError(f"frexp: expected floats, got {dtype_of(input).name}")
    mantissa, exponent = xp.frexp(input)
    return FrexpResult(mantissa, exponent.astype(np.int32))


@op(method=True, inplace=True)
def heaviside(xp: Any, input: Array, values: Array) -> Array:
    """0 below zero, 1 above, ``values`` at zero. Both must have one dtype.

    Source: PyTorch ``torch.heaviside``.

    >>> import tensorlite as tl
    >>> tl.heaviside(tl.tensor([-1.5, 0.0, 2.0]), tl.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.dtype != values.dtype:
        raise DTypeError(
            f"heaviside: expected one dtype, got {dtype_of(input).name} and "
            f"{dtype_of(values).name}; convert one with x.to(...)"
        )
    return xp.where(input == 0, values, (input > 0).astype(input.dtype))


def _rounded(function: Any, input: Array, name: str) -> Array:
    if dtype_of(input) is bool_:
        raise DTypeError(f"{name}: not defined for bools")
    return input.copy() if is_integral(input) else function(input)


def _signs(xp: Any, input: Array) -> Array:
    if dtype_of(input) is bool_:
        return input.copy()
    if is_integral(input):
        return xp.sign(input)
    return (input > 0).astype(input.dtype) - (input < 0).astype(input.dtype)
