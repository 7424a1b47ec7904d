"""Sums, products and quotients of two tensors, with broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import bool_, get_default_dtype
from ..errors import ArgumentError, DTypeError, OperatorError
from .dims import dtype_of, is_integral
from .numbers import element
from .registry import Array, Number, op


@op(method=True, inplace=True, promote="input other", fast=np.add)
def add(xp: Any, input: Array, other: Array | Number, *, alpha: Number = 1) -> Array:
    """``input + alpha * other``, with broadcasting and type promotion.

    Source: PyTorch ``torch.add``.

    >>> import tensorlite as tl
    >>> tl.add(tl.tensor([1, 2]), tl.tensor([10, 20]), alpha=2)
    tensor([21, 42])
    """
    return xp.add(input, _scaled(xp, other, alpha, "add"))


@op(method=True, inplace=True, promote="input other", fast=np.subtract, aliases=("subtract",))
def sub(xp: Any, input: Array, other: Array | Number, *, alpha: Number = 1) -> Array:
    """``input - alpha * other``, with broadcasting and type promotion.

    Raises DTypeError for bools (use ``^`` or ``logical_xor``). Source: PyTorch ``torch.sub``.

    >>> import tensorlite as tl
    >>> tl.tensor([5.0, 6.0]) - 1
    tensor([4., 5.])
    """
    if dtype_of(input) is bool_:
        raise DTypeError("sub: bools cannot be subtracted; use ^ or logical_xor")
    return xp.subtract(input, _scaled(xp, other, alpha, "sub"))


@op(method=True, promote="input other")
def rsub(xp: Any, input: Array, other: Array | Number, *, alpha: Number = 1) -> Array:
    """``other - alpha * input``. Source: PyTorch ``torch.rsub``.

    >>> import tensorlite as tl
    >>> tl.rsub(tl.tensor([1, 2]), 10)
    tensor([9, 8])
    """
    if dtype_of(input) is bool_:
        raise DTypeError("rsub: bools cannot be subtracted; use ^ or logical_xor")
    return xp.subtract(other, _scaled(xp, input, alpha, "rsub"))


@op(method=True, inplace=True, promote="input other", fast=np.multiply, aliases=("multiply",))
def mul(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input * other``, with broadcasting and type promotion. Source: PyTorch ``torch.mul``.

    >>> import tensorlite as tl
    >>> tl.tensor([1.0, 2.0]) * 3
    tensor([3., 6.])
    """
    return xp.multiply(input, other)


@op(
    method=True,
    inplace=True,
    promote="input other",
    fast=np.true_divide,
    fast_kinds="fc",
    aliases=("divide", "true_divide"),
)
def div(xp: Any, input: Array, other: Array | Number, *, rounding_mode: str | None = None) -> Array:
    """``input / other``; ``rounding_mode`` "floor" or "trunc" rounds, and keeps integers.

    Without it integers become floats. Raises OperatorError for integers rounded after a
    division by zero. Source: PyTorch ``torch.div``.

    >>> import tensorlite as tl
    >>> tl.tensor([7, -7]) / 2
    tensor([ 3.5000, -3.5000])
    """
    if rounding_mode is None:
        return xp.true_divide(*_as_floats(input, other))
    if rounding_mode == "floor":
        return _floor_divide(xp, input, other)
    if rounding_mode != "trunc":
        raise ArgumentError(
            f"div: rounding_mode is None, 'floor' or 'trunc', not {rounding_mode!r}"
        )
    if not is_integral(input):
        return xp.trunc(xp.true_divide(input, other))
    quotient = _floor_divide(xp, input, other)
    inexact = xp.remainder(input, other) != 0
    return quotient + ((quotient < 0) & inexact).astype(quotient.dtype)


@op(method=True, inplace=True, promote="input other")
def floor_divide(xp: Any, input: Array, other: Array | Number) -> Array:
    """``floor(input / other)``. Source: PyTorch ``torch.floor_divide``.

    >>> import tensorlite as tl
    >>> tl.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    return _floor_divide(xp, input, other)


@op(method=True, inplace=True, promote="input other")
def remainder(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input - floor(input / other) * other``: the sign is the divisor's, as Python's ``%``.

    Source: PyTorch ``torch.remainder``.

    >>> import tensorlite as tl
    >>> tl.tensor([-3, 3]) % 2
    tensor([1, 1])
    """
    _no_zero(xp, other, "remainder")
    return xp.remainder(input, other)


@op(method=True, inplace=True, promote="input other")
def fmod(xp: Any, input: Array, other: Array | Number) -> Array:
    """The remainder of C: its sign is the dividend's. Source: PyTorch ``torch.fmod``.

    >>> import tensorlite as tl
    >>> tl.fmod(tl.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    _no_zero(xp, other, "fmod")
    return xp.fmod(input, other)


@op(method=True, inplace=True, promote="input exponent", fast=np.power, fast_kinds="fc")
def pow(xp: Any, input: Array | Number, exponent: Array | Number) -> Array:
    """``input ** exponent``, with broadcasting and type promotion.

    Raises OperatorError for integers to a negative integer number. Source: PyTorch ``torch.pow``.

    >>> import tensorlite as tl
    >>> tl.tensor([1.0, 2.0, 3.0]) ** 2
    tensor([1., 4., 9.])
    """
    if not is_integral(input):
        return xp.power(input, exponent)
    if dtype_of(input) is bool_:
        return input | ~exponent
    if (exponent >= 0).all():
        return xp.power(input, exponent)
    if exponent.ndim == 0:
        raise OperatorError("integers to a negative integer power; use a float, e.g. x.float()")
    positive = xp.power(input, xp.maximum(exponent, 0))
    sign = xp.where(exponent % 2 == 0, 1, input).astype(input.dtype)
    negative = xp.where(abs(input) == 1, sign, 0).astype(input.dtype)
    return xp.where(exponent >= 0, positive, negative)


def _as_floats(*arrays: Array) -> tuple[Array, ...]:
    if is_integral(arrays[0]):
        return tuple(a.astype(get_default_dtype().numpy) for a in arrays)
    return arrays


def _floor_divide(xp: Any, input: Array, other: Array) -> Array:
    _no_zero(xp, other, "floor_divide")
    if is_integral(input):
        return xp.floor_divide(input, other).astype(input.dtype)
    quotient = xp.floor_divide(input, other)
    return xp.where(other == 0, xp.true_divide(input, other), quotient)  # inf, where NumPy has nan


def _no_zero(xp: Any, divisor: Array, name: str) -> None:
    if is_integral(divisor) and not xp.all(divisor):
        raise OperatorError(f"{name}: integers divided by zero")


def _scaled(xp: Any, other: Array, alpha: Number, name: str) -> Array:
    if isinstance(alpha, int) and alpha == 1:
        return other
    if is_integral(other) and isinstance(alpha, float | complex):
        raise DTypeError(f"{name}: alpha={alpha} for integers; expected an integer alpha")
    return xp.multiply(other, element(xp, alpha, other.dtype, name))
