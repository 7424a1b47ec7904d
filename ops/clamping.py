"""Bounds, blends, and sums of products: clamp, lerp, addcmul and their like."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Number, bool_, finfo
from ..errors import ArgumentError, DTypeError
from .dims import dtype_of, is_integral
from .registry import Array, op


@op(method=True, inplace=True, promote="input min max", upcast=True, aliases=("clip",))
def clamp(
    xp: Any, input: Array, min: Array | Number | None = None, max: Array | Number | None = None
) -> Array:
    """``minimum(maximum(input, min), max)``; either bound may be left out, nan stays nan.

    Source: PyTorch ``torch.clamp``.

    >>> import tensorlite as tl
    >>> tl.clamp(tl.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    >>> tl.tensor([-2, 5]).clamp(min=0)
    tensor([0, 5])
    """
    if min is None and max is None:
        raise ArgumentError("clamp: expected min, max or both, got neither")
    if min is None:
        return xp.minimum(input, max)
    return xp.maximum(input, min) if max is None else xp.clip(input, min, max)


@op(method=True, inplace=True, promote="input min", upcast=True)
def clamp_min(xp: Any, input: Array, min: Array | Number) -> Array:
    """``maximum(input, min)``. Source: PyTorch ``torch.clamp_min``.

    >>> import tensorlite as tl
    >>> tl.clamp_min(tl.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return xp.maximum(input, min)


@op(method=True, inplace=True, promote="input max", upcast=True)
def clamp_max(xp: Any, input: Array, max: Array | Number) -> Array:
    """``minimum(input, max)``. Source: PyTorch ``torch.clamp_max``.

    >>> import tensorlite as tl
    >>> tl.clamp_max(tl.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    return xp.minimum(input, max)


@op(method=True, inplace=True)
def nan_to_num(
    xp: Any,
    input: Array,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Array:
    """nan, inf and -inf replaced: by 0, and by the largest and smallest number of the dtype.

    Source: PyTorch ``torch.nan_to_num``.

    >>> import tensorlite as tl
    >>> tl.nan_to_num(tl.tensor([float("nan"), float("inf"), 1.0]), posinf=9)
    tensor([0., 9., 1.])
    """
    if is_integral(input):
        return input.copy()
    if input.dtype.kind == "c":
        result = input.copy()
        result.real = _finite(xp, input.real, nan, posinf, neginf)
        result.imag = _finite(xp, input.imag, nan, posinf, neginf)
        return result
    return _finite(xp, input, nan, posinf, neginf)


@op(method=True, inplace=True, upcast=True)
def lerp(xp: Any, input: Array, end: Array, weight: Array | Number) -> Array:
    """``input + weight * (end - input)``, exact at both ends. All of one dtype.

    Source: PyTorch ``torch.lerp``.

    >>> import tensorlite as tl
    >>> tl.lerp(tl.tensor([1.0, 2.0]), tl.tensor([3.0, 6.0]), 0.5)
    tensor([2., 4.])
    """
    _one_dtype("lerp", input, end, weight)
    step = end - input
    if not hasattr(weight, "dtype"):
        number = input.dtype.type(weight)
        return input + number * step if abs(weight) < 0.5 else end - step * (1 - number)
    return xp.where(xp.abs(weight) < 0.5, input + weight * step, end - step * (1 - weight))


@op(method=True, inplace=True, promote="input tensor1 tensor2", upcast=True)
def addcmul(xp: Any, input: Array, tensor1: Array, tensor2: Array, *, value: Number = 1) -> Array:
    """``input + value * tensor1 * tensor2``. Source: PyTorch ``torch.addcmul``.

    >>> import tensorlite as tl
    >>> tl.addcmul(tl.tensor([1.0]), tl.tensor([2.0]), tl.tensor([3.0]), value=0.5)
    tensor([4.])
    """
    if dtype_of(input) is bool_:
        raise DTypeError("addcmul: not defined for bools")
    return input + xp.asarray(value, input.dtype) * tensor1 * tensor2


@op(promote="input other addend", upcast=True)
def fma(xp: Any, input: Array, other: Array, addend: Array) -> Array:
    """``input * other + addend`` with one rounding, for float32 and smaller floats.

    Raises DTypeError for others. Source: IEEE 754 fusedMultiplyAdd.

    >>> import tensorlite as tl
    >>> x = tl.tensor([1.0 + 2.0**-12])
    >>> (tl.fma(x, x, tl.tensor([-1.0])) - 2.0**-11).item() == 2.0**-24
    True
    """
    if dtype_of(input).name != "float32":
        raise DTypeError(f"fma: expected float32, got {dtype_of(input).name}; use x.float()")
    # Products of float32 are exact in float64. The sum is rounded to odd, so that rounding it
    # again to float32 is as rounding once (Boldo and Melquiond, 2008).
    product = input.astype(xp.float64) * other
    addend = addend.astype(xp.float64)
    with np.errstate(invalid="ignore"):
        total = product + addend
        back = total - product
        lost = (product - (total - back)) + (addend - back)
    even = (total.view(xp.int64) & 1) == 0
    moved = xp.nextafter(total, xp.where(lost > 0, xp.inf, -xp.inf))
    inexact = xp.isfinite(total) & (lost != 0) & even
    return xp.where(inexact, moved, total).astype(xp.float32)


@op(method=True, inplace=True, promote="input tensor1 tensor2", upcast=True)
def addcdiv(xp: Any, input: Array, tensor1: Array, tensor2: Array, *, value: Number = 1) -> Array:
    """``input + value * tensor1 / tensor2``, for floats. Source: PyTorch ``torch.addcdiv``.

    >>> import tensorlite as tl
    >>> tl.addcdiv(tl.tensor([1.0]), tl.tensor([3.0]), tl.tensor([2.0]))
    tensor([2.5000])
    """
    if is_integral(input):
        raise DTypeError(f"addcdiv: expected floats, got {dtype_of(input).name}; use x.float()")
    return input + xp.asarray(value, input.dtype) * tensor1 / tensor2


def _finite(
    xp: Any, input: Array, nan: float | None, posinf: float | None, neginf: float | None
) -> Array:
    limits = finfo(dtype_of(input))
    dtype = input.dtype
    high = xp.asarray(limits.max if posinf is None else posinf, dtype)
    low = xp.asarray(limits.min if neginf is None else neginf, dtype)
    result = xp.where(input == np.inf, high, xp.where(input == -np.inf, low, input))
    return xp.where(xp.isnan(input), xp.asarray(nan or 0, dtype), result)


def _one_dtype(name: str, *values: Any) -> None:
    found = [dtype_of(v).name for v in values if hasattr(v, "dtype")]
    if len(set(found)) > 1:
        raise DTypeError(f"{name}: expected one dtype, got {', '.join(found)}")
