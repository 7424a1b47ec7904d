"""Running sums, products and extrema; differences and integrals along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import bool_, float32, get_default_dtype, int64
from ..dtypes import dtype as Dtype
from ..errors import DTypeError, ShapeError
from .dims import dtype_of, is_integral, normalize_dim, normalize_dims
from .elementwise import log_of_sum
from .registry import Array, op


class Cummax(NamedTuple):
    """What :func:`cummax` gives."""

    values: Array
    indices: Array


class Cummin(NamedTuple):
    """What :func:`cummin` gives."""

    values: Array
    indices: Array


@op(method=True, inplace=True, upcast=True)
def cumsum(xp: Any, input: Array, dim: int, *, dtype: Dtype | None = None) -> Array:
    """The sums of the elements up to each, along ``dim``; integers and bools give int64.

    Source: PyTorch ``torch.cumsum``.

    >>> import tensorlite as tl
    >>> tl.cumsum(tl.tensor([1, 2, 3]), dim=0)
    tensor([1, 3, 6])
    """
    return _accumulated(xp.cumsum, input, dim, dtype, "cumsum")


@op(method=True, inplace=True, upcast=True)
def cumprod(xp: Any, input: Array, dim: int, *, dtype: Dtype | None = None) -> Array:
    """The products of the elements up to each, along ``dim``; integers and bools give int64.

    Source: PyTorch ``torch.cumprod``.

    >>> import tensorlite as tl
    >>> tl.cumprod(tl.tensor([1, 2, 3]), dim=0)
    tensor([1, 2, 6])
    """
    return _accumulated(xp.cumprod, input, dim, dtype, "cumprod")


@op(method=True, upcast=True)
def cummax(xp: Any, input: Array, dim: int) -> Cummax:
    """(values, indices): the largest of the elements up to each, and where it was seen last.

    nan is larger than all. Source: PyTorch ``torch.cummax``.

    >>> import tensorlite as tl
    >>> tl.cummax(tl.tensor([1, 3, 2, 3]), dim=0).indices
    tensor([0, 1, 1, 3])
    """
    return Cummax(*_extremes(xp, xp.maximum, input, dim, "cummax"))


@op(method=True, upcast=True)
def cummin(xp: Any, input: Array, dim: int) -> Cummin:
    """(values, indices): the smallest of the elements up to each, and where it was seen last.

    nan is smaller than all. Source: PyTorch ``torch.cummin``.

    >>> import tensorlite as tl
    >>> tl.cummin(tl.tensor([3, 1, 2, 1]), dim=0).indices
    tensor([0, 1, 1, 3])
    """
    return Cummin(*_extremes(xp, xp.minimum, input, dim, "cummin"))


@op(method=True, upcast=True)
def logcumsumexp(xp: Any, input: Array, dim: int) -> Array:
    """``log(cumsum(exp(input)))`` along ``dim``, without overflow.

    Source: PyTorch ``torch.logcumsumexp``.

    >>> import tensorlite as tl
    >>> tl.logcumsumexp(tl.tensor([1000.0, 1000.0]), dim=0)
    tensor([1000.0000, 1000.6932])
    """
    if is_integral(input):
        raise DTypeError(f"logcumsumexp: expected floats, got {dtype_of(input).name}")
    axis = normalize_dim(dim, input.ndim, "logcumsumexp")
    if input.ndim == 0:
        return input.copy()
    if input.dtype.kind == "c":
        return _doubled(xp, lambda a, b: log_of_sum(xp, a, b), input, axis)
    return running(xp, xp.logaddexp, input, axis)


@op(method=True, promote="input prepend append")
def diff(
    xp: Any,
    input: Array,
    n: int = 1,
    dim: int = -1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """The differences of neighbours along ``dim``, taken ``n`` times; of bools whether they differ.

    Source: PyTorch ``torch.diff``.

    >>> import tensorlite as tl
    >>> tl.diff(tl.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    if input.ndim == 0:
        raise ShapeError("diff: expected at least one dimension, got a 0-d tensor")
    axis = normalize_dim(dim, input.ndim, "diff")
    parts = [part for part in (prepend, input, append) if part is not None]
    joined = xp.concatenate(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, joined.shape[axis])):
        later, earlier = _from(joined, axis, 1), _upto(joined, axis, -1)
        joined = later != earlier if dtype_of(input) is bool_ else later - earlier
    return joined if n else joined.copy()


@op(aliases=("trapz",), promote="y x", upcast=True)
def trapezoid(
    xp: Any, y: Array, x: Array | None = None, *, dx: float | None = None, dim: int = -1
) -> Array:
    """The integral of ``y`` along ``dim`` by trapezoids, at points ``x`` or ``dx`` (1) apart.

    Source: PyTorch ``torch.trapezoid``.

    >>> import tensorlite as tl
    >>> tl.trapezoid(tl.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    areas, axis, scale = _areas(y, x, dx, dim, "trapezoid")
    return _floats(areas.sum(axis=axis)) * scale


@op(promote="y x", upcast=True)
def cumulative_trapezoid(
    xp: Any, y: Array, x: Array | None = None, *, dx: float | None = None, dim: int = -1
) -> Array:
    """The integrals of ``y`` up to each point but the first, along ``dim``, by trapezoids.

    Source: PyTorch ``torch.cumulative_trapezoid``.

    >>> import tensorlite as tl
    >>> tl.cumulative_trapezoid(tl.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    areas, axis, scale = _areas(y, x, dx, dim, "cumulative_trapezoid")
    return _floats(xp.cumsum(areas, axis=axis)) * scale


@op()
def gradient(
    xp: Any,
    input: Array,
    *,
    spacing: Any = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> list[Array]:
    """The derivatives along each ``dim`` by central differences, one-sided at the edges.

    ``spacing`` is the step, one per dimension, or their coordinates.
    Source: PyTorch ``torch.gradient``.

    >>> import tensorlite as tl
    >>> tl.gradient(tl.tensor([1.0, 4.0, 9.0]))[0]
    tensor([3., 4., 5.])
    """
    axes = normalize_dims(dim, input.ndim, "gradient")
    steps = list(spacing) if isinstance(spacing, tuple | list) else [spacing] * len(axes)
    found = [
        xp.gradient(input, step, axis=axis, edge_order=edge_order)
        for step, axis in zip(steps, axes, strict=True)
    ]
    kind = get_default_dtype().numpy if is_integral(input) else input.dtype
    return [f.astype(kind, copy=False) for f in found]


def running(xp: Any, function: Any, input: Array, axis: int) -> Array:
    """``function`` of the elements up to each along an axis."""
    try:
        return function.accumulate(input, axis=axis)
    except NotImplementedError:  # CuPy has it for sums and products only
        return _doubled(xp, function, input, axis)


def _doubled(xp: Any, function: Any, input: Array, axis: int) -> Array:
    """:func:`running` in log2(n) steps: each combines with what lies 1, 2, 4... before."""
    result, shift = input.copy(), 1
    while shift < input.shape[axis]:
        later, earlier = _from(result, axis, shift), _upto(result, axis, -shift)
        head = _upto(result, axis, shift)
        result = xp.concatenate([head, function(earlier, later)], axis)
        shift *= 2
    return result


def _accumulated(function: Any, input: Array, dim: int, dtype: Dtype | None, name: str) -> Array:
    axis = normalize_dim(dim, input.ndim, name)
    target = dtype or (int64 if is_integral(input) else dtype_of(input))
    working = (float32 if target.is_half else target).numpy
    if input.dtype.kind == "c" and working.kind != "c":
        input = input.real
    result = input.astype(working)
    if input.ndim:
        result = function(result, axis=axis, dtype=working)
    return result.astype(target.numpy, copy=False)


def _extremes(xp: Any, function: Any, input: Array, dim: int, name: str) -> tuple[Array, Array]:
    if input.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order, got {dtype_of(input).name}")
    axis = normalize_dim(dim, input.ndim, name)
    if input.ndim == 0:
        return input.copy(), xp.zeros((), np.int64)
    values = running(xp, function, input, axis)
    shape = [-1 if a == axis else 1 for a in range(input.ndim)]
    places = xp.broadcast_to(xp.arange(input.shape[axis]).reshape(shape), input.shape)
    seen = (input == values) | xp.isnan(input)
    indices = running(xp, xp.maximum, xp.where(seen, places, 0), axis)
    return values, indices.astype(np.int64, copy=False)


def _areas(
    y: Array, x: Array | None, dx: float | None, dim: int, name: str
) -> tuple[Array, int, float]:
    """(areas, axis, scale): the areas of the trapezoids along an axis, before a scale."""
    if dtype_of(y) is bool_:
        raise DTypeError(f"{name}: expected numbers, got bools")
    axis = normalize_dim(dim, y.ndim, name)
    areas = _from(y, axis, 1) + _upto(y, axis, -1)
    if x is None:
        return areas, axis, 0.5 if dx is None else 0.5 * dx
    along = x.ndim - y.ndim + axis if x.ndim > 1 else 0
    width = _from(x, along, 1) - _upto(x, along, -1)
    if x.ndim == 1:
        width = width.reshape([-1 if a == axis else 1 for a in range(y.ndim)])
    areas = width * areas
    return areas, areas.ndim - y.ndim + axis, 0.5


def _floats(array: Array) -> Array:
    return array.astype(get_default_dtype().numpy) if is_integral(array) else array


def _from(array: Array, axis: int, start: int) -> Array:
    return array[(slice(None),) * axis + (slice(start, None),)]


def _upto(array: Array, axis: int, stop: int) -> Array:
    return array[(slice(None),) * axis + (slice(None, stop),)]
