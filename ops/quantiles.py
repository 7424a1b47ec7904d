"""Medians, quantiles and the most frequent element."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, DTypeError, OperatorError, ShapeError
from .dims import dtype_of, normalize_dim
from .registry import Array, op
from .scan import running

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


class Median(NamedTuple):
    """What :func:`median` with a dimension gives."""

    values: Array
    indices: Array


class Nanmedian(NamedTuple):
    """What :func:`nanmedian` with a dimension gives."""

    values: Array
    indices: Array


class Mode(NamedTuple):
    """What :func:`mode` gives."""

    values: Array
    indices: Array


@op(method=True, upcast=True)
def median(xp: Any, input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """The element in the middle, the lower of two; with ``dim`` (values, indices) along it.

    nan if one is. Source: PyTorch ``torch.median``.

    >>> import tensorlite as tl
    >>> tl.median(tl.tensor([4, 1, 3, 2]))
    tensor(2)
    >>> tl.median(tl.tensor([[4, 1, 3]]), dim=1).values
    tensor([3])
    """
    if dim is None:
        return _middle_of_all(xp, input, True, "median")
    return Median(*_median_along(xp, input, dim, keepdim, True, "median"))


@op(method=True, upcast=True)
def nanmedian(xp: Any, input: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    """:func:`median` of what is not nan. Source: PyTorch ``torch.nanmedian``.

    >>> import tensorlite as tl
    >>> tl.nanmedian(tl.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    if dim is None:
        return _middle_of_all(xp, input, False, "nanmedian")
    return Nanmedian(*_median_along(xp, input, dim, keepdim, False, "nanmedian"))


@op(method=True, upcast=True)
def mode(xp: Any, input: Array, dim: int = -1, keepdim: bool = False) -> Mode:
    """(values, indices): along ``dim`` the smallest of the most frequent elements.

    The index is that of its last occurrence. Source: PyTorch ``torch.mode``.

    >>> import tensorlite as tl
    >>> tl.mode(tl.tensor([2, 1, 2, 1, 0]))
    Mode(values=tensor(1), indices=tensor(3))
    """
    axis = normalize_dim(dim, input.ndim, "mode")
    if input.ndim == 0:
        return Mode(input.copy(), xp.zeros((), np.int64))
    size = input.shape[axis]
    if size == 0:
        raise ShapeError(f"mode: no element to choose from along dim {dim} of {input.shape}")
    moved = xp.moveaxis(input, axis, -1)
    order = xp.argsort(moved, axis=-1, kind="stable")
    ranked = xp.take_along_axis(moved, order, -1)
    places = xp.broadcast_to(xp.arange(size), ranked.shape)
    new = xp.ones(ranked.shape, bool)
    new[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
    start = running(xp, xp.maximum, xp.where(new, places, 0), -1)
    last = xp.argmax(places - start, axis=-1)[..., None]
    values, indices = (xp.take_along_axis(a, last, -1) for a in (ranked, order))
    return Mode(*_restored(xp, (values, indices), axis, keepdim))


@op(method=True)
def quantile(
    xp: Any,
    input: Array,
    q: Array | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Array:
    """The element below which a share ``q`` (0 to 1) of them lies, interpolated.

    A vector of shares gives a new first dimension. nan if one element is.
    ``interpolation``: "linear", "lower", "higher", "midpoint" or "nearest".
    Source: PyTorch ``torch.quantile``.

    >>> import tensorlite as tl
    >>> tl.quantile(tl.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile(xp, input, q, dim, keepdim, interpolation, True, "quantile")


@op(method=True)
def nanquantile(
    xp: Any,
    input: Array,
    q: Array | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Array:
    """:func:`quantile` of what is not nan. Source: PyTorch ``torch.nanquantile``.

    >>> import tensorlite as tl
    >>> tl.nanquantile(tl.tensor([1.0, float("nan"), 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile(xp, input, q, dim, keepdim, interpolation, False, "nanquantile")


def _median_along(
    xp: Any, input: Array, dim: int, keepdim: bool, strict: bool, name: str
) -> tuple[Array, ...]:
    axis = normalize_dim(dim, input.ndim, name)
    if input.ndim == 0:
        return input.copy(), xp.zeros((), np.int64)
    if input.shape[axis] == 0:
        raise ShapeError(f"{name}: no element to choose from along dim {dim} of {input.shape}")
    return _restored(xp, _middle(xp, xp.moveaxis(input, axis, -1), strict, name), axis, keepdim)


def _middle_of_all(xp: Any, input: Array, strict: bool, name: str) -> Array:
    _ordered(input, name)
    known = input.reshape(-1)
    if known.dtype.kind == "f":
        unknown = xp.isnan(known)
        if known.size == 0 or unknown.all() or (strict and unknown.any()):
            return xp.asarray(np.nan, input.dtype)
        known = known[~unknown]
    if known.size == 0:
        raise ShapeError(f"{name}: no element to choose from in the shape {input.shape}")
    middle = (known.size - 1) // 2
    return xp.partition(known, middle)[middle]


def _middle(xp: Any, input: Array, strict: bool, name: str) -> tuple[Array, Array]:
    """(values, indices) of the middle along the last axis, kept; nan wins if ``strict``."""
    _ordered(input, name)
    size = input.shape[-1]
    order = xp.argsort(input, axis=-1, kind="stable")  # nan comes last
    unknown = xp.isnan(input).sum(axis=-1, keepdims=True)
    place = (size - unknown - 1) // 2
    if strict:
        place = xp.where(unknown > 0, size - unknown, place)
    indices = xp.take_along_axis(order, xp.maximum(place, 0), -1)
    return xp.take_along_axis(input, indices, -1), indices.astype(np.int64, copy=False)


def _ordered(input: Array, name: str) -> None:
    if input.dtype.kind in "cb":
        raise DTypeError(f"{name}: expected real numbers, got {dtype_of(input).name}")


def _restored(xp: Any, results: tuple[Array, ...], axis: int, keepdim: bool) -> tuple[Array, ...]:
    """Results whose last axis, of size 1, stands for ``axis``."""
    if keepdim:
        return tuple(xp.moveaxis(r, -1, axis) for r in results)
    return tuple(r[..., 0] for r in results)


def _quantile(
    xp: Any,
    input: Array,
    q: Any,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
    strict: bool,
    name: str,
) -> Array:
    if dtype_of(input).name not in ("float32", "float64"):
        raise DTypeError(f"{name}: expected float32 or float64, got {dtype_of(input).name}")
    if interpolation not in INTERPOLATIONS:
        expected = ", ".join(INTERPOLATIONS)
        raise ArgumentError(f"{name}: interpolation={interpolation!r}; expected {expected}")
    q = xp.asarray(q, None if hasattr(q, "dtype") else input.dtype)
    if q.dtype != input.dtype or q.ndim > 1:
        raise DTypeError(
            f"{name}: expected q as a number or a vector of {dtype_of(input).name}, got "
            f"{dtype_of(q).name} {q.shape}"
        )
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise OperatorError(f"{name}: q lies between 0 and 1, got {q.tolist()}")
    axis = 0 if dim is None else normalize_dim(dim, input.ndim, name)
    flat = input.reshape(-1) if dim is None or input.ndim == 0 else input
    result = _interpolated(xp, xp.moveaxis(flat, axis, -1), q.reshape(-1), interpolation, strict)
    if keepdim:
        shape = [1] * input.ndim if dim is None else list(input.shape)
        if input.ndim and dim is not None:
            shape[axis] = 1
        result = result.reshape((len(result), *shape))
    return result if q.ndim else result[0]


def _interpolated(xp: Any, input: Array, q: Array, how: str, strict: bool) -> Array:
    """The quantiles along the last axis, in a new first one."""
    size = input.shape[-1]
    ranked = xp.sort(input, axis=-1)
    unknown = xp.isnan(input).sum(axis=-1)
    known = xp.full(unknown.shape, size) if strict else size - unknown
    ranks = q.reshape((-1,) + (1,) * known.ndim) * xp.maximum(known - 1, 0).astype(input.dtype)
    if strict:
        ranks = xp.where(unknown > 0, xp.asarray(size - 1, input.dtype), ranks)
    if how == "nearest":
        ranks = xp.rint(ranks)
    below, above = xp.floor(ranks), xp.ceil(ranks)
    low, high = (
        xp.moveaxis(xp.take_along_axis(ranked, xp.moveaxis(r, 0, -1).astype(np.int64), -1), -1, 0)
        for r in (below, above)
    )
    if how in ("lower", "nearest"):
        return low
    if how == "higher":
        return high
    weight = xp.asarray(0.5, input.dtype) if how == "midpoint" else ranks - below
    step = high - low
    return xp.where(weight < 0.5, low + weight * step, high - step * (1 - weight))
