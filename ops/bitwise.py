"""Bits of integers, and logic on truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError
from .dims import dtype_of, is_integral
from .registry import Array, op


@op(method=True, inplace=True, promote="input other", fast=np.bitwise_and, fast_kinds="bui")
def bitwise_and(xp: Any, input: Array, other: Array) -> Array:
    """``input & other`` of integers or bools. Source: PyTorch ``torch.bitwise_and``.

    >>> import tensorlite as tl
    >>> tl.tensor([6, 5]) & 3
    tensor([2, 1])
    """
    _no_floats(input, "bitwise_and")
    return xp.bitwise_and(input, other)


@op(method=True, inplace=True, promote="input other", fast=np.bitwise_or, fast_kinds="bui")
def bitwise_or(xp: Any, input: Array, other: Array) -> Array:
    """``input | other`` of integers or bools. Source: PyTorch ``torch.bitwise_or``.

    >>> import tensorlite as tl
    >>> tl.tensor([True, False]) | tl.tensor([False, False])
    tensor([ True, False])
    """
    _no_floats(input, "bitwise_or")
    return xp.bitwise_or(input, other)


@op(method=True, inplace=True, promote="input other", fast=np.bitwise_xor, fast_kinds="bui")
def bitwise_xor(xp: Any, input: Array, other: Array) -> Array:
    """``input ^ other`` of integers or bools. Source: PyTorch ``torch.bitwise_xor``.

    >>> import tensorlite as tl
    >>> tl.tensor([6, 5]) ^ 3
    tensor([5, 6])
    """
    _no_floats(input, "bitwise_xor")
    return xp.bitwise_xor(input, other)


@op(method=True, inplace=True, fast=np.invert, fast_kinds="bui")
def bitwise_not(xp: Any, input: Array) -> Array:
    """``~input``: every bit inverted, bools negated. Source: PyTorch ``torch.bitwise_not``.

    >>> import tensorlite as tl
    >>> ~tl.tensor([True, False])
    tensor([False,  True])
    """
    _no_floats(input, "bitwise_not")
    return xp.invert(input)


@op(method=True, inplace=True, promote="input other")
def bitwise_left_shift(xp: Any, input: Array, other: Array) -> Array:
    """``input << other`` of integers; 0 when all bits are gone.

    Source: PyTorch ``torch.bitwise_left_shift``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 3]) << 2
    tensor([ 4, 12])
    """
    _no_floats(input, "bitwise_left_shift", bool_too=False)
    return xp.where(_outside(input, other), 0, xp.left_shift(input, other)).astype(input.dtype)


@op(method=True, inplace=True, promote="input other")
def bitwise_right_shift(xp: Any, input: Array, other: Array) -> Array:
    """``input >> other`` of integers, keeping the sign.

    Source: PyTorch ``torch.bitwise_right_shift``.

    >>> import tensorlite as tl
    >>> tl.tensor([-8, 9]) >> 2
    tensor([-2,  2])
    """
    _no_floats(input, "bitwise_right_shift", bool_too=False)
    gone = xp.where(input < 0, -1, 0) if dtype_of(input).is_signed else 0
    shifted = xp.right_shift(input, other)
    return xp.where(_outside(input, other), gone, shifted).astype(input.dtype)


@op(method=True, inplace=True, upcast=True)
def logical_and(xp: Any, input: Array, other: Array) -> Array:
    """Whether both are nonzero. Source: PyTorch ``torch.logical_and``.

    >>> import tensorlite as tl
    >>> tl.logical_and(tl.tensor([1, 0]), tl.tensor([2.0, 3.0]))
    tensor([ True, False])
    """
    return xp.logical_and(input, other)


@op(method=True, inplace=True, upcast=True)
def logical_or(xp: Any, input: Array, other: Array) -> Array:
    """Whether one or both are nonzero. Source: PyTorch ``torch.logical_or``.

    >>> import tensorlite as tl
    >>> tl.logical_or(tl.tensor([1, 0]), tl.tensor([2.0, 0.0]))
    tensor([ True, False])
    """
    return xp.logical_or(input, other)


@op(method=True, inplace=True, upcast=True)
def logical_xor(xp: Any, input: Array, other: Array) -> Array:
    """Whether exactly one is nonzero. Source: PyTorch ``torch.logical_xor``.

    >>> import tensorlite as tl
    >>> tl.logical_xor(tl.tensor([1, 0]), tl.tensor([2.0, 3.0]))
    tensor([False,  True])
    """
    return xp.logical_xor(input, other)


@op(method=True, inplace=True, upcast=True)
def logical_not(xp: Any, input: Array) -> Array:
    """Whether it is zero. Source: PyTorch ``torch.logical_not``.

    >>> import tensorlite as tl
    >>> tl.logical_not(tl.tensor([1, 0]))
    tensor([False,  True])
    """
    return xp.logical_not(input)


def _outside(input: Array, shift: Array) -> Array:
    return (shift < 0) | (shift >= 8 * input.dtype.itemsize)


def _no_floats(input: Array, name: str, *, bool_too: bool = True) -> None:
    if not is_integral(input, bool_too=bool_too):
        kinds = "integers or bools" if bool_too else "integers"
        raise DTypeError(f"{name}: expected {kinds}, got {dtype_of(input).name}")
