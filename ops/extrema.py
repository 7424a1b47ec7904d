"""The largest and smallest elements, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .comparison import maximum, minimum
from .dims import dtype_of, normalize_dim, normalize_dims
from .registry import Array, op

Dims = int | Sequence[int] | None


class Max(NamedTuple):
    """What :func:`max` with a dimension gives."""

    values: Array
    indices: Array


class Min(NamedTuple):
    """What :func:`min` with a dimension gives."""

    values: Array
    indices: Array


class Aminmax(NamedTuple):
    """What :func:`aminmax` gives."""

    min: Array
    max: Array


@op(method=True, upcast=True)
def amax(xp: Any, input: Array, dim: Dims = (), keepdim: bool = False) -> Array:
    """The largest element over ``dim`` (one, several, or all); nan if one is.

    Raises ShapeError when there is nothing to choose from. Source: PyTorch ``torch.amax``.

    >>> import tensorlite as tl
    >>> tl.amax(tl.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([5, 7])
    """
    axes = _axes(input, dim, "amax")
    return input.max(axis=axes, keepdims=keepdim)


@op(method=True, upcast=True)
def amin(xp: Any, input: Array, dim: Dims = (), keepdim: bool = False) -> Array:
    """The smallest element over ``dim`` (one, several, or all); nan if one is.

    Raises ShapeError when there is nothing to choose from. Source: PyTorch ``torch.amin``.

    >>> import tensorlite as tl
    >>> tl.amin(tl.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([1, 2])
    """
    axes = _axes(input, dim, "amin")
    return input.min(axis=axes, keepdims=keepdim)


@op(method=True, upcast=True)
def aminmax(xp: Any, input: Array, *, dim: int | None = None, keepdim: bool = False) -> Aminmax:
    """(min, max) over one dimension or all. Source: PyTorch ``torch.aminmax``.

    >>> import tensorlite as tl
    >>> tl.aminmax(tl.tensor([3, 1, 2])).max
    tensor(3)
    """
    axes = _axes(input, dim, "aminmax")
    low, high = input.min(axis=axes, keepdims=keepdim), input.max(axis=axes, keepdims=keepdim)
    return Aminmax(low, high)


@op(
    "max", method=True, fast_kinds="buif",
    fast=lambda array: np.maximum.reduce(array, axis=None),
)  # fmt: skip
def max_(
    input: Array, dim: Any = None, keepdim: bool = False, *, other: Array | None = None
) -> Any:
    """The largest element; with ``dim`` (values, indices) along it; with a tensor, `maximum`.

    Of equal elements the first is named; nan is larger than all. Source: PyTorch ``torch.max``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1, 5], [7, 2]])
    >>> tl.max(x)
    tensor(7)
    >>> tl.max(x, dim=1).indices
    tensor([1, 0])
    >>> tl.max(x, tl.tensor([4]))
    tensor([[4, 5],
            [7, 4]])
    """
    other = dim if isinstance(dim, Tensor) else other
    if other is not None:
        return maximum(input, other)
    if dim is None:
        return amax(input)
    return Max(amax(input, dim, keepdim), argmax(input, dim, keepdim))


@op(
    "min", method=True, fast_kinds="buif",
    fast=lambda array: np.minimum.reduce(array, axis=None),
)  # fmt: skip
def min_(
    input: Array, dim: Any = None, keepdim: bool = False, *, other: Array | None = None
) -> Any:
    """The smallest element; with ``dim`` (values, indices) along it; with a tensor, `minimum`.

    Of equal elements the first is named; nan is smaller than all. Source: PyTorch ``torch.min``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1, 5], [7, 2]])
    >>> tl.min(x)
    tensor(1)
    >>> tl.min(x, dim=1).indices
    tensor([0, 1])
    >>> tl.min(x, tl.tensor([4]))
    tensor([[1, 4],
            [4, 2]])
    """
    other = dim if isinstance(dim, Tensor) else other
    if other is not None:
        return minimum(input, other)
    if dim is None:
        return amin(input)
    return Min(amin(input, dim, keepdim), argmin(input, dim, keepdim))


@op(method=True, upcast=True)
def argmax(xp: Any, input: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the largest element is (int64): along ``dim``, or in the flattened tensor.

    Source: PyTorch ``torch.argmax``.

    >>> import tensorlite as tl
    >>> tl.argmax(tl.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([1, 0])
    """
    return _place(xp.argmax, input, dim, keepdim, "argmax")


@op(method=True, upcast=True)
def argmin(xp: Any, input: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the smallest element is (int64): along ``dim``, or in the flattened tensor.

    Source: PyTorch ``torch.argmin``.

    >>> import tensorlite as tl
    >>> tl.argmin(tl.tensor([[1, 5], [7, 2]]), dim=1)
    tensor([0, 1])
    """
    return _place(xp.argmin, input, dim, keepdim, "argmin")


def _axes(input: Array, dim: Dims, name: str) -> tuple[int, ...]:
    _ordered(input, name)
    axes = normalize_dims(dim, input.ndim, name)
    if 0 in [input.shape[a] for a in axes]:
        raise ShapeError(
            f"{name}: no element to choose from over dim {axes} of the shape {input.shape}"
        )
    return axes


def _place(find: Any, input: Array, dim: int | None, keepdim: bool, name: str) -> Array:
    _ordered(input, name)
    axis = None if dim is None else normalize_dim(dim, input.ndim, name)
    if axis is None or input.ndim == 0:
        if input.size == 0:
            raise ShapeError(f"{name}: no element to choose from in the shape {input.shape}")
        found = find(input).astype(np.int64)
        return found.reshape((1,) * input.ndim) if keepdim else found
    _nonempty(input, axis, name)
    return find(input, axis=axis, keepdims=keepdim).astype(np.int64, copy=False)


def _nonempty(input: Array, axis: int, name: str) -> None:
    if input.shape[axis] == 0:
        raise ShapeError(
            f"{name}: no element to choose from along dim {axis} of the shape {input.shape}"
        )


def _ordered(input: Array, name: str) -> None:
    if input.dtype.kind == "c":
        raise DTypeError(f"{name}: complex numbers have no order, got {dtype_of(input).name}")
