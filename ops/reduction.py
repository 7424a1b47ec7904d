"""Sums, products, means and truth over dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import bool_, float32, int64, uint8
from ..dtypes import dtype as Dtype
from ..errors import DTypeError, ShapeError
from .dims import dtype_of, is_integral, normalize_dims, sizes_of
from .registry import TOP, Array, op

Dims = int | Sequence[int] | None
_BLOCK = 1024  # sums of more elements than this are done in two levels
_FLOAT = np.dtype(np.float32)
_ONES = [np.ones(n, np.float32) for n in range(33)]


def _total(array: Array) -> Array:
    """The sum of all elements; of a few it is taken as a product, which NumPy is quicker at."""
    if array.dtype is _FLOAT and array.size < 33:
        flat = array if array.ndim == 1 else array.ravel()
        return flat.dot(_ONES[array.size])
    return np.add.reduce(array, None)


@op("sum", method=True, upcast=True, fast=_total, fast_kinds="Fc")
def sum_(
    xp: Any, input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Array:
    """The sum over ``dim`` (one, several, or all); integers and bools give int64.

    16-bit floats are added in float32. Source: PyTorch ``torch.sum``.

    >>> import tensorlite as tl
    >>> tl.sum(tl.tensor([[1, 2], [3, 4]]), dim=0)
    tensor([4, 6])
    >>> tl.tensor([1.5, 2.5]).sum()
    tensor(4.)
    """
    axes = normalize_dims(dim, input.ndim, "sum")
    target = dtype or (int64 if is_integral(input) else dtype_of(input))
    return added(_as(input, target), axes, keepdim).astype(target.numpy, copy=False)


@op(method=True, upcast=True)
def nansum(
    xp: Any, input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Array:
    """The sum over ``dim``, nan counted as 0. Source: PyTorch ``torch.nansum``.

    >>> import tensorlite as tl
    >>> tl.nansum(tl.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    axes = normalize_dims(dim, input.ndim, "nansum")
    target = dtype or (int64 if is_integral(input) else dtype_of(input))
    known = xp.where(xp.isnan(input), xp.zeros((), input.dtype), input)
    return added(_as(known, target), axes, keepdim).astype(target.numpy, copy=False)


@op(method=True, upcast=True)
def mean(
    xp: Any, input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Array:
    """The sum over ``dim`` divided by the count. Integers need ``dtype``.

    Source: PyTorch ``torch.mean``.

    >>> import tensorlite as tl
    >>> tl.mean(tl.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    target = dtype or dtype_of(input)
    _floats_only(target, "mean")
    axes = normalize_dims(dim, input.ndim, "mean")
    total = added(_as(input, target), axes, keepdim)
    return _per(total, count(input.shape, axes)).astype(target.numpy, copy=False)


@op(method=True, upcast=True)
def nanmean(
    xp: Any, input: Array, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype | None = None
) -> Array:
    """The mean over ``dim`` of what is not nan. Source: PyTorch ``torch.nanmean``.

    >>> import tensorlite as tl
    >>> tl.nanmean(tl.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    target = dtype or dtype_of(input)
    _floats_only(target, "nanmean")
    axes = normalize_dims(dim, input.ndim, "nanmean")
    unknown = xp.isnan(input)
    known = _as(xp.where(unknown, xp.zeros((), input.dtype), input), target)
    counts = (~unknown).sum(axis=axes, keepdims=keepdim).astype(known.dtype)
    return (added(known, axes, keepdim) / counts).astype(target.numpy, copy=False)


@op(method=True, upcast=True)
def prod(
    xp: Any,
    input: Array,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
) -> Array:
    """The product over ``dim``, or of all; integers and bools give int64.

    Source: PyTorch ``torch.prod``.

    >>> import tensorlite as tl
    >>> tl.prod(tl.tensor([[1, 2], [3, 4]]), 1)
    tensor([ 2, 12])
    """
    axes = normalize_dims(dim, input.ndim, "prod")
    target = dtype or (int64 if is_integral(input) else dtype_of(input))
    return _as(input, target).prod(axis=axes, keepdims=keepdim).astype(target.numpy, copy=False)


@op("any", method=True, upcast=True)
def any_(xp: Any, input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether one element or more is nonzero, as bool (of uint8: as uint8).

    Source: PyTorch ``torch.any``.

    >>> import tensorlite as tl
    >>> tl.any(tl.tensor([[0, 1], [0, 0]]), dim=1)
    tensor([ True, False])
    """
    axes = normalize_dims(dim, input.ndim, "any")
    return _truth(input, _nonzero(input).any(axis=axes, keepdims=keepdim))


@op("all", method=True, upcast=True)
def all_(xp: Any, input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether no element is zero, as bool (of uint8: as uint8). Source: PyTorch ``torch.all``.

    >>> import tensorlite as tl
    >>> tl.all(tl.tensor([[1, 1], [0, 1]]), dim=1)
    tensor([ True, False])
    """
    axes = normalize_dims(dim, input.ndim, "all")
    return _truth(input, _nonzero(input).all(axis=axes, keepdims=keepdim))


@op(method=True)
def count_nonzero(xp: Any, input: Array, dim: Dims = None) -> Array:
    """How many elements over ``dim`` are nonzero, as int64.

    Source: PyTorch ``torch.count_nonzero``.

    >>> import tensorlite as tl
    >>> tl.count_nonzero(tl.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    axes = normalize_dims(dim, input.ndim, "count_nonzero")
    return _nonzero(input).sum(axis=axes, dtype=np.int64)


@op(method=True, promote="input", floating=True, upcast=True, spaces=(TOP, "special"))
def logsumexp(xp: Any, input: Array, dim: Dims, keepdim: bool = False) -> Array:
    """``log(sum(exp(input)))`` over ``dim``, without overflow. Source: PyTorch ``torch.logsumexp``.

    >>> import tensorlite as tl
    >>> tl.logsumexp(tl.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    axes = normalize_dims(dim, input.ndim, "logsumexp")
    if 0 in [input.shape[a] for a in axes]:
        return xp.log(added(input, axes, keepdim))
    top = input.real.max(axis=axes, keepdims=True)
    top = xp.where(xp.isfinite(top), top, xp.zeros((), top.dtype))
    total = xp.log(added(xp.exp(input - top), axes, keepdim))
    return total + (top if keepdim else top.reshape(total.shape))


@op(spaces=(), method=True)
def sum_to_size(xp: Any, input: Array, *size: Any) -> Array:
    """The sum over the dimensions that broadcasting ``size`` to this shape would add or stretch.

    Source: PyTorch ``torch.Tensor.sum_to_size``.

    >>> import tensorlite as tl
    >>> tl.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    target = sizes_of(size)
    lead = input.ndim - len(target)
    fits = lead >= 0 and all(t in (1, s) for t, s in zip(target, input.shape[lead:], strict=True))
    if not fits:
        raise ShapeError(
            f"sum_to_size: size {target} does not broadcast to the shape {input.shape}"
        )
    stretched = [i + lead for i, t in enumerate(target) if t == 1 and input.shape[i + lead] != 1]
    axes = (*range(lead), *stretched)
    if target and not axes:
        return input
    dtype = np.int64 if is_integral(input) else input.dtype
    return input.sum(axis=axes, dtype=dtype).reshape(target)


def count(shape: Sequence[int], axes: Sequence[int]) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape[a] for a in axes)


def added(input: Array, axes: tuple[int, ...], keepdim: bool = False) -> Array:
    """The sum over axes, in the dtype of the array.

    NumPy adds pairwise along the last axis only; along the others the error would grow with
    their length, so long ones are added in blocks first.
    """
    if not axes:
        return input.copy()
    inner = input.ndim - 1 in axes
    long = [a for a in axes if input.shape[a] > _BLOCK]
    if inner or not long or input.dtype.kind not in "fc":
        return input.sum(axis=axes, dtype=input.dtype, keepdims=keepdim)
    axis = long[0]
    blocks, rest = divmod(input.shape[axis], _BLOCK)
    before, after = (slice(None),) * axis, input.shape[axis + 1 :]
    head = input[(*before, slice(0, blocks * _BLOCK))]
    head = head.reshape(*input.shape[:axis], blocks, _BLOCK, *after).sum(axis=axis + 1)
    total = added(head, axes, keepdim)
    if rest:
        total = total + added(input[(*before, slice(blocks * _BLOCK, None))], axes, keepdim)
    return total


def _as(input: Array, target: Dtype) -> Array:
    """The array in which a result of dtype ``target`` is accumulated."""
    working = float32 if target.is_half else target
    if input.dtype.kind == "c" and not working.is_complex:
        input = input.real
    return input.astype(working.numpy, copy=False)


def _per(total: Array, number: int) -> Array:
    return total / total.dtype.type(number)


def _nonzero(input: Array) -> Array:
    return input if input.dtype.kind == "b" else input != 0


def _truth(input: Array, result: Array) -> Array:
    return result.astype(np.uint8) if dtype_of(input) is uint8 else result


def _floats_only(dtype: Dtype, name: str) -> None:
    if dtype.is_integral or dtype is bool_:
        raise DTypeError(
            f"{name}: expected floats or complex numbers, got {dtype.name}; "
            "give dtype=tl.float32 or use x.float()"
        )
