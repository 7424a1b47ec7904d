"""Reductions of the elements that a mask keeps.

A mask is a bool tensor that broadcasts to the input; where it is false, the element counts for
nothing. Where no element is left the result is the operation's on nothing: a sum of 0, a product
of 1, a mean of nan. Source: PyTorch ``torch.masked``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..dtypes import dtype as Dtype
from . import elementwise, extrema, norms, quantiles, reduction
from .clamping import clamp_min
from .dims import normalize_dims
from .gather import where
from .registry import Array, op

Dims = int | Sequence[int] | None
INF = float("inf")


@op("sum", spaces="masked")
def sum_(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The sum of what is kept. Source: PyTorch ``torch.masked.sum``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.sum(x, 0, mask=mask)
    tensor(3.)
    """
    x = filled(cast(input, dtype), mask, 0)
    return reduction.sum_(x, dim, keepdim, dtype=dtype)


@op(spaces="masked")
def prod(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The product of what is kept, over one dimension or more.

    Source: PyTorch ``torch.masked.prod``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.prod(x, 0, mask=mask)
    tensor(2.)
    """
    x = filled(cast(input, dtype), mask, 1)
    dims = normalize_dims(dim, x.ndim, "masked.prod")
    if not dims:
        return reduction.prod(x, dtype=dtype)
    for axis in sorted(dims, reverse=True):
        x = reduction.prod(x, axis, keepdim, dtype=dtype)
    return x


@op(spaces="masked")
def amax(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The largest of what is kept. Source: PyTorch ``torch.masked.amax``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.amax(x, 0, mask=mask)
    tensor(2.)
    """
    x = cast(input, dtype)
    return extrema.amax(filled(x, mask, -INF), _all(dim), keepdim)


@op(spaces="masked")
def amin(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The smallest of what is kept. Source: PyTorch ``torch.masked.amin``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.amin(x, 0, mask=mask)
    tensor(1.)
    """
    x = cast(input, dtype)
    return extrema.amin(filled(x, mask, INF), _all(dim), keepdim)


@op(spaces="masked")
def argmax(
    input: Array,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """Where the largest of what is kept is, in the dtype of the input.

    Source: PyTorch ``torch.masked.argmax``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.argmax(x, 0, mask=mask)
    tensor(2.)
    """
    x = cast(input, dtype)
    return extrema.argmax(filled(x, mask, -INF), dim, keepdim).to(x.dtype)


@op(spaces="masked")
def argmin(
    input: Array,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """Where the smallest of what is kept is, in the dtype of the input.

    Source: PyTorch ``torch.masked.argmin``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.argmin(x, 0, mask=mask)
    tensor(1.)
    """
    x = cast(input, dtype)
    return extrema.argmin(filled(x, mask, INF), dim, keepdim).to(x.dtype)


@op(spaces="masked")
def mean(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The mean of what is kept. Source: PyTorch ``torch.masked.mean``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.mean(x, 0, mask=mask)
    tensor(1.5000)
    """
    x = cast(input, dtype)
    if mask is None:
        return reduction.mean(x, dim, keepdim)
    return _mean(x, dim, keepdim, mask)


@op(spaces="masked")
def logsumexp(
    input: Array,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """``log(sum(exp(x)))`` of what is kept. Source: PyTorch ``torch.masked.logsumexp``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.logsumexp(x, 0, mask=mask)
    tensor(2.3133)
    """
    x = cast(input, dtype)
    dims = normalize_dims(dim, x.ndim, "masked.logsumexp")
    return reduction.logsumexp(filled(x, mask, -INF), dims, keepdim).to(x.dtype)


@op(spaces="masked")
def median(
    input: Array,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The middle of what is kept, along one dimension. Source: PyTorch ``torch.masked.median``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([False, True, True])
    >>> tl.masked.median(x, 0, mask=mask)
    tensor(1.)
    """
    x = filled(cast(input, dtype), mask, float("nan"))
    return quantiles.nanmedian(x, dim, keepdim).values


@op(spaces="masked")
def norm(
    input: Array,
    ord: float | None = 2.0,
    dim: Dims = None,
    *,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The vector norm of what is kept. Source: PyTorch ``torch.masked.norm``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 4.0]), tl.tensor([True, False, True])
    >>> tl.masked.norm(x, 2, 0, mask=mask)
    tensor(5.)
    """
    order = 2.0 if ord is None else ord
    x = filled(cast(input, dtype), mask, INF if order == -INF else 0)
    return norms.vector_norm(x, order, dim, keepdim)


@op(spaces="masked")
def var(
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The variance of what is kept, of n elements over ``n - correction``.

    Source: PyTorch ``torch.masked.var``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([True, True, False])
    >>> tl.masked.var(x, 0, unbiased=False, mask=mask)
    tensor(1.)
    """
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


@op(spaces="masked")
def std(
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Dtype | None = None,
    mask: Array | None = None,
) -> Array:
    """The square root of :func:`var`.

    Source: PyTorch ``torch.masked.std``.

    >>> import tensorlite as tl
    >>> x, mask = tl.tensor([3.0, 1.0, 2.0]), tl.tensor([True, True, False])
    >>> tl.masked.std(x, 0, unbiased=False, mask=mask)
    tensor(1.)
    """
    return elementwise.sqrt(_variance(input, dim, unbiased, correction, keepdim, dtype, mask))


def cast(input: Array, dtype: Dtype | None) -> Array:
    """The input in another dtype, if one is given."""
    return input if dtype is None else input.to(dtype)


def filled(input: Array, mask: Array | None, value: float) -> Array:
    """The input with ``value``, or the nearest number of its dtype, where the mask is false."""
    if mask is None:
        return input
    if value in (INF, -INF) and input.dtype.is_integral:
        limits = dtypes.iinfo(input.dtype)
        value = limits.max if value > 0 else limits.min
    return where(mask, input, input.new_full((), value))


def _all(dim: Dims) -> Any:
    return () if dim is None else dim


def _kept(input: Array, mask: Array | None, dims: tuple[int, ...]) -> Array:
    """How many elements are kept over the dimensions, which stay with size 1."""
    if mask is None:
        mask = input.new_ones((), dtype=dtypes.bool_)
    kept = mask.expand(input.shape)
    return reduction.sum_(kept, dims, True)


def _mean(input: Array, dim: Dims, keepdim: bool, mask: Array | None) -> Array:
    dims = normalize_dims(dim, input.ndim, "masked.mean")
    total = reduction.sum_(filled(input, mask, 0), dims, True)
    return _dropped(total / _kept(input, mask, dims), dims, keepdim)


def _variance(
    input: Array,
    dim: Dims,
    unbiased: bool | None,
    correction: float | None,
    keepdim: bool,
    dtype: Dtype | None,
    mask: Array | None,
) -> Array:
    if dtype is None and not (input.is_floating_point() or input.is_complex()):
        dtype = dtypes.get_default_dtype()
    x = cast(input, dtype)
    if correction is None:
        correction = 0 if unbiased is False else 1
    dims = normalize_dims(dim, x.ndim, "masked.var")
    spread = elementwise.absolute(x - _mean(x, dims, True, mask))
    total = reduction.sum_(filled(spread * spread, mask, 0), dims, True)
    result = total / clamp_min(_kept(x, mask, dims) - correction, 0)
    return _dropped(result, dims, keepdim).to(x.dtype)


def _dropped(result: Array, dims: tuple[int, ...], keepdim: bool) -> Array:
    return result if keepdim or not dims else result.squeeze(dims)
