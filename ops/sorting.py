"""Sorting, searching, uniqueness and top-k."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from .dims import normalize_dim
from .ordering import first_of, order_of
from .registry import TOP, Array, op


class Sorted(NamedTuple):
    """Sorted elements, and where they stood."""

    values: Any
    indices: Any


@op(method=True)
def sort(
    xp: Any, input: Array, dim: int = -1, descending: bool = False, stable: bool = False
) -> Any:
    """Elements in order along a dimension, and their indices; nan comes after all numbers.

    Always stable. Source: PyTorch ``torch.sort``.

    >>> import tensorlite as tl
    >>> tl.sort(tl.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    place = normalize_dim(dim, input.ndim, "sort")
    if input.ndim == 0:
        return Sorted(input.copy(), xp.zeros((), np.int64))
    order = order_of(xp, input, place, descending)
    return Sorted(xp.take_along_axis(input, order, place), order.astype(np.int64))


@op(method=True)
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort a dimension. Source: PyTorch ``torch.argsort``.

    >>> import tensorlite as tl
    >>> tl.argsort(tl.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return input.sort(dim, descending).indices


@op(method=True)
def msort(input: Any) -> Any:
    """Sorted along the first dimension. Source: PyTorch ``torch.msort``.

    >>> import tensorlite as tl
    >>> tl.msort(tl.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return input.sort(0).values


class TopK(NamedTuple):
    """The k extreme elements, and where they stood."""

    values: Any
    indices: Any


@op(method=True)
def topk(
    xp: Any, input: Array, k: Any, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    """The k largest (or smallest) elements along a dimension, in order.

    Source: PyTorch ``torch.topk``.

    >>> import tensorlite as tl
    >>> tl.topk(tl.tensor([3, 1, 2]), 2).values
    tensor([3, 2])
    """
    place, count = normalize_dim(dim, input.ndim, "topk"), int(k)
    size = input.shape[place] if input.ndim else 1
    if not 0 <= count <= size:
        raise ShapeError(f"topk: {count} elements out of {size}")
    if input.ndim == 0:
        return TopK(input.copy(), xp.zeros((), np.int64))
    order = first_of(xp, input, place, count, largest)
    return TopK(xp.take_along_axis(input, order, place), order.astype(np.int64))


class KthValue(NamedTuple):
    """The k-th smallest element, and where it stood."""

    values: Any
    indices: Any


@op(method=True)
def kthvalue(xp: Any, input: Array, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along a dimension, counted from 1.

    Source: PyTorch ``torch.kthvalue``.

    >>> import tensorlite as tl
    >>> tl.kthvalue(tl.tensor([3, 1, 2]), 2).values
    tensor(2)
    """
    place = normalize_dim(dim, input.ndim, "kthvalue")
    size = input.shape[place] if input.ndim else 1
    if not 1 <= k <= size:
        raise ShapeError(f"kthvalue: k is 1 to {size}, not {k}")
    if input.ndim == 0:
        return KthValue(input.copy(), xp.zeros((), np.int64))
    order = xp.take(first_of(xp, input, place, k, False), xp.asarray([k - 1]), axis=place)
    values = xp.take_along_axis(input, order, place)
    if not keepdim:
        values, order = values.squeeze(place), order.squeeze(place)
    return KthValue(values, order.astype(np.int64))


@op(promote="sorted_sequence input")
def searchsorted(
    xp: Any, sorted_sequence: Array, input: Any, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Array | None = None,
) -> Array:  # fmt: skip
    """Where elements would be put into sorted rows to keep them sorted.

    Source: PyTorch ``torch.searchsorted``.

    >>> import tensorlite as tl
    >>> tl.searchsorted(tl.tensor([1, 3, 5]), tl.tensor([3, 4]))
    tensor([1, 2])
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError(f"searchsorted: side={side!r} and right={right} do not agree")
    way = "right" if right or side == "right" else "left"
    target = np.int32 if out_int32 else np.int64
    rows = sorted_sequence
    if sorter is not None:
        rows = xp.take_along_axis(rows, sorter, -1)
    if rows.ndim == 1:
        return xp.searchsorted(rows, input, way).astype(target)
    if rows.shape[:-1] != input.shape[:-1]:
        raise ShapeError(f"searchsorted: rows {rows.shape} and values {input.shape} do not match")
    flat, values = rows.reshape(-1, rows.shape[-1]), input.reshape(-1, input.shape[-1])
    found = [xp.searchsorted(r, v, way) for r, v in zip(flat, values, strict=True)]
    return xp.stack(found).reshape(input.shape).astype(target)


@op()
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the bucket that each element falls into. Source: PyTorch ``torch.bucketize``.

    >>> import tensorlite as tl
    >>> tl.bucketize(tl.tensor([0, 2, 9]), tl.tensor([1, 3]))
    tensor([0, 1, 2])
    """
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@op(method=True)
def unique(
    xp: Any, input: Array, sorted: bool = True, return_inverse: bool = False,
    return_counts: bool = False, dim: int | None = None,
) -> Any:  # fmt: skip
    """The different elements (or slices), sorted; where each went, and how often each occurs.

    Source: PyTorch ``torch.unique``.

    >>> import tensorlite as tl
    >>> tl.unique(tl.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    place = None if dim is None else normalize_dim(dim, input.ndim, "unique")
    values, inverse, counts = np.unique(
        input, return_inverse=True, return_counts=True, axis=place, equal_nan=False
    )
    inverse = inverse.reshape(input.shape if place is None else -1).astype(np.int64)
    extra = [inverse] * return_inverse + [counts.astype(np.int64)] * return_counts
    return (values, *extra) if extra else values


@op(method=True)
def unique_consecutive(
    xp: Any, input: Array, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """Runs of equal elements (or slices) as one. Source: PyTorch ``torch.unique_consecutive``.

    >>> import tensorlite as tl
    >>> tl.unique_consecutive(tl.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    place = 0 if dim is None else normalize_dim(dim, input.ndim, "unique_consecutive")
    rows = input.reshape(-1) if dim is None else xp.moveaxis(input, place, 0)
    count = rows.shape[0]
    flat = rows.reshape(count, -1) if count else rows.reshape(0, 1)
    starts = xp.ones(count, bool)
    starts[1:] = (flat[1:] != flat[:-1]).any(1)
    values = xp.moveaxis(rows[starts], 0, place) if dim is not None else rows[starts]
    inverse = (xp.cumsum(starts) - 1).astype(np.int64)
    counts = xp.diff(xp.append(xp.nonzero(starts)[0], count)).astype(np.int64)
    inverse = inverse.reshape(input.shape) if dim is None else inverse
    extra = [inverse] * return_inverse + [counts] * return_counts
    return (values, *extra) if extra else values


@op(spaces=TOP)
def isin(
    xp: Any, elements: Array, test_elements: Any, *, assume_unique: bool = False,
    invert: bool = False,
) -> Array:  # fmt: skip
    """Whether each element is among others. Source: PyTorch ``torch.isin``.

    >>> import tensorlite as tl
    >>> tl.isin(tl.tensor([1, 2]), tl.tensor([2, 3]))
    tensor([False,  True])
    """
    return xp.isin(elements, test_elements, invert=invert)
