"""Gather, scatter, take, put, masked operations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ArgumentError, DimensionError, DTypeError, ShapeError
from .dims import normalize_dim
from .registry import Array, Number, op

_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _checked(index: Array, size: int, name: str, *, negative: bool = False) -> Array:
    """Indices, all within a size (counted from the end too where that is allowed)."""
    if index.dtype.kind not in "iu":
        raise DTypeError(f"{name}: indices are integers, got {index.dtype}")
    low = -size if negative else 0
    if index.size and not (low <= index.min() and index.max() < size):
        raise DimensionError(
            f"{name}: an index is out of range for a size of {size}: they go from "
            f"{index.min()} to {index.max()}"
        )
    return index


def _grid(xp: Any, index: Array, dim: int) -> tuple[Array, ...]:
    """For every element of ``index``: its own place, but ``index`` along ``dim``."""
    shape = index.shape
    return tuple(
        index
        if i == dim
        else xp.arange(n).reshape([-1 if k == i else 1 for k in range(len(shape))])
        for i, n in enumerate(shape)
    )


@op(method=True)
def gather(xp: Any, input: Array, dim: int, index: Array, *, sparse_grad: bool = False) -> Array:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on.

    Source: PyTorch ``torch.gather``.

    >>> import tensorlite as tl
    >>> tl.gather(tl.tensor([[1, 2], [3, 4]]), 1, tl.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    place = normalize_dim(dim, input.ndim, "gather")
    if input.ndim == 0 or index.ndim == 0:
        _checked(index, 1 if input.ndim == 0 else input.shape[0], "gather")
        return input.reshape(-1)[index]
    if not index.size:
        return xp.empty(index.shape, input.dtype)
    if index.ndim != input.ndim:
        raise ShapeError(f"gather: index has {index.ndim} dimensions, input {input.ndim}")
    if any(
        n > m for i, (n, m) in enumerate(zip(index.shape, input.shape, strict=True)) if i != place
    ):
        raise ShapeError(
            f"gather: index {tuple(index.shape)} is larger than input {tuple(input.shape)} "
            f"apart from dimension {place}"
        )
    return input[_grid(xp, _checked(index, input.shape[place], "gather"), place)]


@op(method=True, inplace=True)
def scatter(
    xp: Any, input: Array, dim: int, index: Array, src: Any = None, *, value: Any = None,
    reduce: str | None = None,
) -> Array:  # fmt: skip
    """A copy with ``out[index[i][j]][j] = src[i][j]`` for dim 0, and so on; ``src`` or a number.

    Source: PyTorch ``torch.scatter``.

    >>> import tensorlite as tl
    >>> tl.scatter(tl.zeros(3), 0, tl.tensor([2, 0]), tl.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    source = value if src is None else src
    if source is None:
        raise ArgumentError("scatter: expected src or value")
    if reduce is not None:
        known = {"add": "sum", "multiply": "prod"}
        if reduce not in known:
            raise ArgumentError(f"scatter: reduce is 'add' or 'multiply', not {reduce!r}")
        return _scattered(xp, input, dim, index, source, known[reduce], "scatter")
    return _scattered(xp, input, dim, index, source, None, "scatter")


@op(method=True, inplace=True)
def scatter_add(xp: Any, input: Array, dim: int, index: Array, src: Array) -> Array:
    """A copy with ``src`` added at the indices. Source: PyTorch ``torch.scatter_add``.

    >>> import tensorlite as tl
    >>> tl.scatter_add(tl.ones(2), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]))
    tensor([4., 1.])
    """
    return _scattered(xp, input, dim, index, src, "sum", "scatter_add")


@op(method=True, inplace=True)
def scatter_reduce(
    xp: Any, input: Array, dim: int, index: Array, src: Array, reduce: str, *,
    include_self: bool = True,
) -> Array:  # fmt: skip
    """A copy in which what meets at an index is reduced: sum, prod, mean, amax or amin.

    Source: PyTorch ``torch.scatter_reduce``.

    >>> import tensorlite as tl
    >>> tl.scatter_reduce(tl.zeros(2), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]), "amax")
    tensor([2., 0.])
    """
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"scatter_reduce: reduce is one of {_REDUCTIONS}, not {reduce!r}")
    return _scattered(xp, input, dim, index, src, reduce, "scatter_reduce", include_self)


def _scattered(
    xp: Any, input: Array, dim: int, index: Array, source: Any, reduce: str | None, name: str,
    include_self: bool = True,
) -> Array:  # fmt: skip
    place = normalize_dim(dim, input.ndim, name)
    shape = input.shape
    target = xp.atleast_1d(input.copy(order="C"))
    index = xp.atleast_1d(index)
    if hasattr(source, "dtype") and source.ndim:
        if source.dtype != input.dtype:
            raise DTypeError(f"{name}: input is {input.dtype}, src {source.dtype}; expected one")
        source = source[tuple(slice(n) for n in index.shape)]
        if source.shape != index.shape and source.size != index.size:
            raise ShapeError(f"{name}: index {index.shape} is larger than src {source.shape}")
    elif not hasattr(source, "dtype"):
        source = xp.asarray(source).astype(input.dtype)
    if not index.size:
        return target.reshape(shape)
    where = _grid(xp, _checked(index, target.shape[place], name), place)
    if reduce is None:
        target[where] = source
        return target.reshape(shape)
    reduced(xp, target, where, source, reduce, include_self)
    return target.reshape(shape)


def reduced(
    xp: Any, target: Array, where: Any, source: Any, reduce: str, include_self: bool
) -> None:
    """Combines ``source`` into ``target`` at indices, which may repeat."""
    if not include_self:
        first: Any = {"sum": 0, "mean": 0, "prod": 1}.get(reduce)
        if first is None:
            lowest, highest = _limits(target)
            first = lowest if reduce == "amax" else highest
        target[where] = first
    ufunc = {"sum": xp.add, "mean": xp.add, "prod": xp.multiply, "amax": xp.maximum,
             "amin": xp.minimum}[reduce]  # fmt: skip
    ufunc.at(target, where, source)
    if reduce == "mean":
        counts = xp.zeros(target.shape, np.int64)
        xp.add.at(counts, where, 1)
        counts = xp.maximum(counts + include_self, 1)
        if target.dtype.kind in "iu":
            target[...] = target // counts
        else:
            target[...] = (target / counts).astype(target.dtype)


def _limits(array: Array) -> tuple[Any, Any]:
    if array.dtype.kind == "b":
        return False, True
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        return limits.min, limits.max
    return -np.inf, np.inf


@op(method=True)
def index_select(xp: Any, input: Array, dim: int, index: Array) -> Array:
    """The slices at indices, as a copy. Source: PyTorch ``torch.index_select``.

    >>> import tensorlite as tl
    >>> tl.index_select(tl.tensor([5, 6, 7]), 0, tl.tensor([2, 0]))
    tensor([7, 5])
    """
    if index.ndim > 1:
        raise ShapeError(f"index_select: expected a vector of indices, got {tuple(index.shape)}")
    place = normalize_dim(dim, input.ndim, "index_select")
    places = _checked(xp.atleast_1d(index), input.shape[place] if input.ndim else 1, "index_select")
    return xp.take(input, places, axis=place) if input.ndim else input.copy()


def _at(dim: int, index: Array) -> tuple[Any, ...]:
    return (*[slice(None)] * dim, index)


@op(method=True, inplace=True)
def index_add(
    xp: Any, input: Array, dim: int, index: Array, source: Array, *, alpha: Number = 1
) -> Array:
    """A copy with slices of ``source`` added at indices. Source: PyTorch ``torch.index_add``.

    >>> import tensorlite as tl
    >>> tl.index_add(tl.zeros(3), 0, tl.tensor([0, 0]), tl.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    place = normalize_dim(dim, input.ndim, "index_add")
    result = xp.atleast_1d(input.copy(order="C"))
    xp.add.at(result, _at(place, xp.atleast_1d(index)), (source * alpha).astype(input.dtype))
    return result.reshape(input.shape)


@op(method=True, inplace=True)
def index_copy(xp: Any, input: Array, dim: int, index: Array, source: Array) -> Array:
    """A copy with slices of ``source`` written at indices. Source: PyTorch ``torch.index_copy``.

    >>> import tensorlite as tl
    >>> tl.index_copy(tl.zeros(3), 0, tl.tensor([2]), tl.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    place = normalize_dim(dim, input.ndim, "index_copy")
    result = xp.atleast_1d(input.copy(order="C"))
    result[_at(place, xp.atleast_1d(index))] = source
    return result.reshape(input.shape)


@op(method=True, inplace=True)
def index_fill(xp: Any, input: Array, dim: int, index: Array, value: Any) -> Array:
    """A copy with one number in the slices at indices. Source: PyTorch ``torch.index_fill``.

    >>> import tensorlite as tl
    >>> tl.index_fill(tl.zeros(3), 0, tl.tensor([0, 2]), 1)
    tensor([1., 0., 1.])
    """
    place = normalize_dim(dim, input.ndim, "index_fill")
    result = xp.atleast_1d(input.copy(order="C"))
    result[_at(place, xp.atleast_1d(index))] = value
    return result.reshape(input.shape)


@op(method=True, inplace=True)
def index_put(
    xp: Any, input: Array, indices: Any, values: Array, accumulate: bool = False
) -> Array:
    """A copy with ``out[indices] = values``, or ``+=``. Source: PyTorch ``torch.index_put``.

    >>> import tensorlite as tl
    >>> tl.index_put(tl.zeros(3), (tl.tensor([0, 2]),), tl.tensor(1.0))
    tensor([1., 0., 1.])
    """
    result = input.copy(order="C")
    where = tuple(slice(None) if i is None else i for i in indices)
    if accumulate:
        xp.add.at(result, where, values)
    else:
        result[where] = values
    return result


@op(method=True)
def take(xp: Any, input: Array, index: Array) -> Array:
    """Elements of the flat tensor. Source: PyTorch ``torch.take``.

    >>> import tensorlite as tl
    >>> tl.take(tl.tensor([[5, 6], [7, 8]]), tl.tensor([0, 3]))
    tensor([5, 8])
    """
    return input.reshape(-1)[_checked(index, input.size, "take", negative=True)]


@op(method=True)
def take_along_dim(xp: Any, input: Array, indices: Array, dim: int | None = None) -> Array:
    """Elements at indices along a dimension, broadcast. Source: PyTorch
    ``torch.take_along_dim``.

    >>> import tensorlite as tl
    >>> tl.take_along_dim(tl.tensor([[3, 1]]), tl.tensor([[1, 0]]), 1)
    tensor([[1, 3]])
    """
    if dim is None:
        return input.reshape(-1)[indices.reshape(-1)]
    return xp.take_along_axis(input, indices, normalize_dim(dim, input.ndim, "take_along_dim"))


@op(method=True, inplace=True)
def put(xp: Any, input: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """A copy with elements of the flat tensor replaced. Source: PyTorch ``torch.Tensor.put``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 2).put(tl.tensor([3]), tl.tensor([5.0]))
    tensor([[0., 0.],
            [0., 5.]])
    """
    result = input.copy(order="C")
    flat = result.reshape(-1)
    places = _checked(index.reshape(-1), input.size, "put", negative=True)
    if accumulate:
        xp.add.at(flat, places, source.reshape(-1))
    else:
        flat[places] = source.reshape(-1)
    return result


def _mask(mask: Array, name: str) -> Array:
    if mask.dtype.kind != "b":
        raise DTypeError(f"{name}: expected a bool mask, got {mask.dtype}")
    return mask


@op(method=True, inplace=True)
def masked_fill(xp: Any, input: Array, mask: Array, value: Any) -> Array:
    """A copy with one number where the mask is true. Source: PyTorch ``torch.masked_fill``.

    >>> import tensorlite as tl
    >>> tl.masked_fill(tl.ones(2), tl.tensor([True, False]), -1)
    tensor([-1.,  1.])
    """
    if getattr(value, "ndim", 0):
        raise ShapeError(f"masked_fill: expected one number, got shape {tuple(value.shape)}")
    filler = xp.asarray(value).astype(input.dtype)
    return xp.where(_mask(mask, "masked_fill"), filler, input)


@op(method=True)
def masked_select(xp: Any, input: Array, mask: Array) -> Array:
    """The elements where the mask is true. Source: PyTorch ``torch.masked_select``.

    >>> import tensorlite as tl
    >>> tl.masked_select(tl.tensor([1, 2]), tl.tensor([False, True]))
    tensor([2])
    """
    input, mask = xp.broadcast_arrays(input, _mask(mask, "masked_select"))
    return input[mask]


@op(method=True, inplace=True)
def masked_scatter(xp: Any, input: Array, mask: Array, source: Array) -> Array:
    """A copy with the elements of ``source``, in order, where the mask is true.

    Source: PyTorch ``torch.Tensor.masked_scatter``.

    >>> import tensorlite as tl
    >>> tl.zeros(3).masked_scatter(tl.tensor([True, False, True]), tl.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """
    result, mask = xp.broadcast_arrays(input, _mask(mask, "masked_scatter"))
    result = result.copy()
    count = int(mask.sum())
    if count > source.size:
        raise ShapeError(f"masked_scatter: {count} places, {source.size} elements in source")
    result[mask] = source.reshape(-1)[:count]
    return result


@op(promote="input other")
def where(xp: Any, condition: Array, input: Any = None, other: Any = None) -> Any:
    """``input`` where the condition holds, ``other`` elsewhere; alone, the indices where it holds.

    Source: PyTorch ``torch.where``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([-1.0, 2.0]); tl.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        return tuple(i.astype(np.int64) for i in xp.nonzero(xp.atleast_1d(condition)))
    if condition.dtype.kind != "b" and condition.dtype != np.uint8:
        raise DTypeError(f"where: expected a bool condition, got {condition.dtype}")
    return xp.where(condition.astype(bool), input, other)


@op("tensor_where", spaces=(), method="where")
def tensor_where(input: Any, condition: Any, other: Any) -> Any:
    """This tensor where the condition holds, ``other`` elsewhere. Source: PyTorch
    ``torch.Tensor.where``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([-1.0, 2.0]); x.where(x > 0, 0.0)
    tensor([0., 2.])
    """
    return where(condition, input, other)


@op(method=True)
def nonzero(xp: Any, input: Array, *, as_tuple: bool = False) -> Any:
    """The indices of elements that are not zero, a row each. Source: PyTorch ``torch.nonzero``.

    >>> import tensorlite as tl
    >>> tl.nonzero(tl.tensor([0, 5, 6]))
    tensor([[1],
            [2]])
    """
    if as_tuple:
        return tuple(i.astype(np.int64) for i in xp.nonzero(xp.atleast_1d(input)))
    if input.ndim == 0:
        return xp.zeros((int(bool(input)), 0), np.int64)
    return xp.stack(xp.nonzero(input), 1).astype(np.int64)


@op(method=True)
def argwhere(xp: Any, input: Array) -> Array:
    """:func:`nonzero`. Source: PyTorch ``torch.argwhere``.

    >>> import tensorlite as tl
    >>> tl.argwhere(tl.tensor([0, 5]))
    tensor([[1]])
    """
    return xp.argwhere(input).astype(np.int64)


@op(method=True)
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy with one slice replaced. Source: PyTorch ``torch.select_scatter``.

    >>> import tensorlite as tl
    >>> tl.select_scatter(tl.zeros(2, 2), tl.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    result = input.clone()
    result.select(dim, index).copy_(src)
    return result


@op(method=True)
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    """A copy with a range of slices replaced. Source: PyTorch ``torch.slice_scatter``.

    >>> import tensorlite as tl
    >>> tl.slice_scatter(tl.zeros(3), tl.ones(2), 0, 1)
    tensor([0., 1., 1.])
    """
    result = input.clone()
    place = normalize_dim(dim, input.ndim, "slice_scatter")
    result[(slice(None),) * place + (slice(start, end, step),)] = src
    return result


@op(method=True)
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy with a diagonal replaced. Source: PyTorch ``torch.diagonal_scatter``.

    >>> import tensorlite as tl
    >>> tl.diagonal_scatter(tl.zeros(2, 2), tl.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    result = input.clone()
    result.diagonal(offset, dim1, dim2).copy_(src)
    return result
