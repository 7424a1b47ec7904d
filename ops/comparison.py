"""Comparisons, larger and smaller of two, and tests for nan and infinity."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Number
from ..errors import DTypeError
from .dims import dtype_of, is_integral
from .registry import Array, op


@op(method=True, inplace=True, promote="input other", fast=np.equal)
def eq(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input == other``, element by element. Source: PyTorch ``torch.eq``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]) == 2
    tensor([False,  True])
    """
    return xp.equal(input, other)


@op(method=True, inplace=True, promote="input other", fast=np.not_equal, aliases=("not_equal",))
def ne(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input != other``, element by element. Source: PyTorch ``torch.ne``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]) != 2
    tensor([ True, False])
    """
    return xp.not_equal(input, other)


@op(
    method=True, inplace=True, promote="input other", fast=np.less, fast_kinds="buif",
    aliases=("less",),
)  # fmt: skip
def lt(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input < other``, element by element, of real numbers. Source: PyTorch ``torch.lt``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]) < 2
    tensor([ True, False])
    """
    _real_only(input, "lt")
    return xp.less(input, other)


@op(
    method=True, inplace=True, promote="input other", fast=np.less_equal, fast_kinds="buif",
    aliases=("less_equal",),
)  # fmt: skip
def le(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input <= other``, element by element, of real numbers. Source: PyTorch ``torch.le``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2, 3]) <= 2
    tensor([ True,  True, False])
    """
    _real_only(input, "le")
    return xp.less_equal(input, other)


@op(
    method=True, inplace=True, promote="input other", fast=np.greater, fast_kinds="buif",
    aliases=("greater",),
)  # fmt: skip
def gt(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input > other``, element by element, of real numbers. Source: PyTorch ``torch.gt``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2, 3]) > 2
    tensor([False, False,  True])
    """
    _real_only(input, "gt")
    return xp.greater(input, other)


@op(
    method=True, inplace=True, promote="input other", fast=np.greater_equal, fast_kinds="buif",
    aliases=("greater_equal",),
)  # fmt: skip
def ge(xp: Any, input: Array, other: Array | Number) -> Array:
    """``input >= other``, element by element, of real numbers. Source: PyTorch ``torch.ge``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2, 3]) >= 2
    tensor([False,  True,  True])
    """
    _real_only(input, "ge")
    return xp.greater_equal(input, other)


@op(method=True, promote="input other", fast=np.maximum, fast_kinds="buif")
def maximum(xp: Any, input: Array, other: Array) -> Array:
    """The larger of two, element by element; nan if either is. Source: PyTorch ``torch.maximum``.

    >>> import tensorlite as tl
    >>> tl.maximum(tl.tensor([1, 5]), tl.tensor([3, 2]))
    tensor([3, 5])
    """
    _real_only(input, "maximum")
    return xp.maximum(input, other)


@op(method=True, promote="input other", fast=np.minimum, fast_kinds="buif")
def minimum(xp: Any, input: Array, other: Array) -> Array:
    """The smaller of two, element by element; nan if either is. Source: PyTorch ``torch.minimum``.

    >>> import tensorlite as tl
    >>> tl.minimum(tl.tensor([1, 5]), tl.tensor([3, 2]))
    tensor([1, 2])
    """
    _real_only(input, "minimum")
    return xp.minimum(input, other)


@op(method=True, promote="input other", upcast=True)
def fmax(xp: Any, input: Array, other: Array) -> Array:
    """The larger of two; where one is nan, the other. Source: PyTorch ``torch.fmax``.

    >>> import tensorlite as tl
    >>> tl.fmax(tl.tensor([1.0, float("nan")]), tl.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """
    _real_only(input, "fmax")
    return xp.fmax(input, other)


@op(method=True, promote="input other", upcast=True)
def fmin(xp: Any, input: Array, other: Array) -> Array:
    """The smaller of two; where one is nan, the other. Source: PyTorch ``torch.fmin``.

    >>> import tensorlite as tl
    >>> tl.fmin(tl.tensor([1.0, float("nan")]), tl.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    _real_only(input, "fmin")
    return xp.fmin(input, other)


@op(method=True, fast=np.isnan)
def isnan(xp: Any, input: Array) -> Array:
    """Whether each element is nan. Source: PyTorch ``torch.isnan``.

    >>> import tensorlite as tl
    >>> tl.isnan(tl.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return xp.isnan(input)


@op(method=True, fast=np.isinf)
def isinf(xp: Any, input: Array) -> Array:
    """Whether each element is inf or -inf. Source: PyTorch ``torch.isinf``.

    >>> import tensorlite as tl
    >>> tl.isinf(tl.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return xp.isinf(input)


@op(method=True, fast=np.isfinite)
def isfinite(xp: Any, input: Array) -> Array:
    """Whether each element is neither nan nor infinite. Source: PyTorch ``torch.isfinite``.

    >>> import tensorlite as tl
    >>> tl.isfinite(tl.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """
    return xp.isfinite(input)


@op(method=True)
def isposinf(xp: Any, input: Array) -> Array:
    """Whether each element is inf. Source: PyTorch ``torch.isposinf``.

    >>> import tensorlite as tl
    >>> tl.isposinf(tl.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
    """
    _real_only(input, "isposinf")
    return xp.zeros(input.shape, bool) if is_integral(input) else input == np.inf


@op(method=True)
def isneginf(xp: Any, input: Array) -> Array:
    """Whether each element is -inf. Source: PyTorch ``torch.isneginf``.

    >>> import tensorlite as tl
    >>> tl.isneginf(tl.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """
    _real_only(input, "isneginf")
    return xp.zeros(input.shape, bool) if is_integral(input) else input == -np.inf


@op(method=True)
def isreal(xp: Any, input: Array) -> Array:
    """Whether each element has no imaginary part. Source: PyTorch ``torch.isreal``.

    >>> import tensorlite as tl
    >>> tl.isreal(tl.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """
    return input.imag == 0 if input.dtype.kind == "c" else xp.ones(input.shape, bool)


@op(method=True, upcast=True)
def isclose(
    xp: Any,
    input: Array,
    other: Array,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element; of one dtype.

    Source: PyTorch ``torch.isclose``.

    >>> import tensorlite as tl
    >>> tl.isclose(tl.tensor([1.0, 2.0]), tl.tensor([1.0 + 1e-7, 2.1]))
    tensor([ True, False])
    """
    return _close(xp, input, other, rtol, atol, equal_nan, "isclose")


@op(method=True, upcast=True)
def allclose(
    xp: Any,
    input: Array,
    other: Array,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether :func:`isclose` holds for all elements, as a Python bool.

    Source: PyTorch ``torch.allclose``.

    >>> import tensorlite as tl
    >>> tl.allclose(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 2.1]))
    False
    """
    return bool(_close(xp, input, other, rtol, atol, equal_nan, "allclose").all())


@op(method=True)
def equal(xp: Any, input: Array, other: Array) -> bool:
    """Whether two tensors have the same shape and elements, as a Python bool (nan equals nothing).

    Source: PyTorch ``torch.equal``.

    >>> import tensorlite as tl
    >>> tl.equal(tl.tensor([1, 2]), tl.tensor([1, 2]))
    True
    """
    return input.shape == other.shape and bool((input == other).all())


def _close(
    xp: Any, input: Array, other: Array, rtol: float, atol: float, equal_nan: bool, name: str
) -> Array:
    if input.dtype != other.dtype:
        raise DTypeError(
            f"{name}: expected one dtype, got {dtype_of(input).name} and {dtype_of(other).name}; "
            "convert one with x.to(...)"
        )
    near = input == other
    if equal_nan:
        near = near | (xp.isnan(input) & xp.isnan(other))
    if is_integral(input):
        if rtol == 0 and atol == 0:
            return near
        input, other = input.astype(np.float64), other.astype(np.float64)
    gap = xp.abs(input - other)
    return near | (xp.isfinite(gap) & (gap <= atol + xp.abs(rtol * other)))


def _real_only(input: Array, name: str) -> None:
    if input.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order, got {dtype_of(input).name}")
