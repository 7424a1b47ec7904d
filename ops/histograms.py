"""Counts of elements: in bins, and of each integer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import float64
from ..errors import ArgumentError, DTypeError, OperatorError, ShapeError
from .dims import dtype_of, is_integral
from .registry import Array, op


class Histogram(NamedTuple):
    """What :func:`histogram` gives."""

    hist: Array
    bin_edges: Array


class Histogramdd(NamedTuple):
    """What :func:`histogramdd` gives."""

    hist: Array
    bin_edges: tuple[Array, ...]


@op(method=True, upcast=True)
def histc(xp: Any, input: Array, bins: int = 100, min: float = 0, max: float = 0) -> Array:
    """How many elements lie in each of ``bins`` equal parts of [min, max].

    Equal ``min`` and ``max`` stand for those of the elements; others are not counted.
    Source: PyTorch ``torch.histc``.

    >>> import tensorlite as tl
    >>> tl.histc(tl.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    _floats(input, "histc")
    low, high = _range(input, (min, max) if min != max else None, 1, "histc")
    flat = input.reshape(-1)
    inside = flat[(flat >= low) & (flat <= high)]
    part = (inside - inside.dtype.type(low)) * bins / inside.dtype.type(high - low)
    places = xp.minimum(part.astype(np.int64), bins - 1)
    return xp.bincount(places, minlength=bins).astype(input.dtype)


@op(method=True)
def histogram(
    xp: Any,
    input: Array,
    bins: int | Array,
    *,
    range: Sequence[float] | None = None,
    weight: Array | None = None,
    density: bool = False,
) -> Histogram:
    """(hist, bin_edges): the number (or weight) of elements between neighbouring edges.

    ``bins`` is a count of equal parts of ``range`` (by default that of the elements) or the
    edges. Each bin has its left edge, the last both. ``density`` divides by the total and the
    width. Source: PyTorch ``torch.histogram``.

    >>> import tensorlite as tl
    >>> tl.histogram(tl.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    _floats(input, "histogram")
    limits = None if range is None else tuple(range)
    edges = _edges(xp, input, bins, limits, "histogram")
    hist = _binned(xp, input.reshape(-1, 1), [edges], weight, density)
    return Histogram(hist, edges)


@op()
def histogramdd(
    xp: Any,
    input: Array,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: Array | None = None,
    density: bool = False,
) -> Histogramdd:
    """(hist, bin_edges): :func:`histogram` of points, in the last dimension, in a grid of bins.

    ``bins`` is a count, one per coordinate, or their edges; ``range`` the limits of each in turn.
    Source: PyTorch ``torch.histogramdd``.

    >>> import tensorlite as tl
    >>> tl.histogramdd(tl.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    _floats(input, "histogramdd")
    number = input.shape[-1]
    per = [bins] * number if isinstance(bins, int) else list(bins)
    if len(per) != number:
        raise ShapeError(f"histogramdd: expected bins for {number} coordinates, got {len(per)}")
    points = input.reshape(-1, number)
    limits = [None] * number if range is None else list(zip(range[::2], range[1::2], strict=True))
    edges = [
        _edges(xp, points[:, i], b, r, "histogramdd")
        for i, (b, r) in enumerate(zip(per, limits, strict=True))
    ]
    return Histogramdd(_binned(xp, points, edges, weight, density), tuple(edges))


@op(method=True)
def bincount(xp: Any, input: Array, weights: Array | None = None, minlength: int = 0) -> Array:
    """How often each integer from 0 occurs in a vector, or the sum of its ``weights``.

    int64; with weights float32 or float64. Source: PyTorch ``torch.bincount``.

    >>> import tensorlite as tl
    >>> tl.bincount(tl.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    if input.ndim != 1 or not is_integral(input, bool_too=False):
        raise DTypeError(
            f"bincount: expected a vector of integers, got {dtype_of(input).name} {input.shape}"
        )
    if minlength < 0:
        raise ArgumentError(f"bincount: minlength={minlength} is negative")
    if input.size and int(input.min()) < 0:
        raise OperatorError("bincount: expected no negative numbers")
    places = input.astype(np.int64)
    if weights is None:
        return xp.bincount(places, minlength=minlength).astype(np.int64, copy=False)
    if weights.shape != input.shape:
        raise ShapeError(
            f"bincount: expected weights of the shape {input.shape}, got {weights.shape}"
        )
    kind = weights.dtype if dtype_of(weights).name == "float32" else float64.numpy
    return xp.bincount(places, weights.astype(np.float64), minlength).astype(kind, copy=False)


def _floats(input: Array, name: str) -> None:
    if dtype_of(input).name not in ("float32", "float64"):
        raise DTypeError(f"{name}: expected floats, got {dtype_of(input).name}; use x.float()")


def _range(input: Array, given: Any, margin: float, name: str) -> tuple[float, float]:
    """The limits given, or those of the elements; a margin apart if they are the same."""
    if given is not None:
        low, high = (float(v) for v in given)
    elif input.size:
        low, high = float(input.min()), float(input.max())
    else:
        low, high = 0.0, 1.0
    if not (math.isfinite(low) and math.isfinite(high)) or low > high:
        raise OperatorError(f"{name}: the range from {low} to {high} is empty or not finite")
    return (low - margin, high + margin) if low == high else (low, high)


def _edges(xp: Any, input: Array, bins: Any, limits: Any, name: str) -> Array:
    if not isinstance(bins, int):
        if bins.dtype != input.dtype:
            raise DTypeError(
                f"{name}: expected edges of {dtype_of(input).name}, got {dtype_of(bins).name}"
            )
        return bins
    low, high = _range(input, limits, 0.5, name)
    return xp.linspace(low, high, bins + 1).astype(input.dtype)


def _binned(
    xp: Any, points: Array, edges: Sequence[Array], weight: Array | None, density: bool
) -> Array:
    """The histogram of points (n, d) in the grid of the edges."""
    shape = [len(e) - 1 for e in edges]
    place = xp.zeros(len(points), np.int64)
    inside = xp.ones(len(points), bool)
    for i, e in enumerate(edges):
        along = xp.searchsorted(e, points[:, i], side="right") - 1
        along = xp.where(points[:, i] == e[-1], shape[i] - 1, along)
        inside &= (along >= 0) & (along < shape[i])
        place = place * shape[i] + along
    weights = None if weight is None else weight.reshape(-1)[inside].astype(np.float64)
    hist = xp.bincount(place[inside], weights, math.prod(shape)).reshape(shape)
    hist = hist.astype(points.dtype)
    if density:
        hist = hist / hist.sum()
        for i, e in enumerate(edges):
            hist = hist / xp.diff(e).reshape([-1 if a == i else 1 for a in range(hist.ndim)])
    return hist
