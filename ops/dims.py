"""Dimensions, shapes and dtypes in the arguments of operators."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import dtype as Dtype
from ..errors import DimensionError, ShapeError


def normalize_dim(dim: int, ndim: int, name: str) -> int:
    """A dimension counted from the front; 0-d tensors are treated as having one.

    >>> normalize_dim(-1, 3, "sum")
    2
    """
    limit = max(ndim, 1)
    dim = int(dim)
    if not -limit <= dim < limit:
        raise DimensionError(
            f"{name}: dimension out of range (expected {-limit} to {limit - 1}, got {dim})"
        )
    return dim + limit if dim < 0 else dim


def normalize_dims(
    dim: int | Sequence[int] | None, ndim: int, name: str, *, empty_is_all: bool = True
) -> tuple[int, ...]:
    """The dimensions of a reduction; None (and an empty list, if so asked) means all."""
    if dim is None or (empty_is_all and not isinstance(dim, int) and len(dim) == 0):
        return tuple(range(ndim))
    dims = [normalize_dim(d, ndim, name) for d in ([dim] if isinstance(dim, int) else dim)]
    if len(set(dims)) != len(dims):
        raise ShapeError(f"{name}: a dimension appears twice in {tuple(dims)}")
    return tuple(d for d in dims if d < ndim)


def sizes_of(size: tuple[Any, ...]) -> tuple[int, ...]:
    """The sizes given as ``f(2, 3)`` or ``f((2, 3))``, as plain integers.

    >>> sizes_of((2, 3)), sizes_of(((2, 3),))
    ((2, 3), (2, 3))
    """
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = tuple(size[0])
    return tuple(index(s) for s in size)


def pair(value: int | Sequence[int], count: int, name: str) -> tuple[int, ...]:
    """One number for every spatial dimension: 3 gives (3, 3), a sequence is checked.

    >>> pair(3, 2, "kernel_size")
    (3, 3)
    """
    if isinstance(value, int | np.integer):
        return (int(value),) * count
    values = tuple(int(v) for v in value)
    if len(values) == 1:
        return values * count
    if len(values) != count:
        raise ShapeError(f"{name}: expected one number or {count}, got {values}")
    return values


def dtype_of(array: Any) -> Dtype:
    """The tensorlite dtype of a raw array."""
    return dtypes.from_numpy(array.dtype)


def is_integral(array: Any, *, bool_too: bool = True) -> bool:
    """Whether a raw array holds integers (and, unless told otherwise, bools)."""
    found = dtype_of(array)
    return found.is_integral or (bool_too and found is dtypes.bool_)


def special(xp: Any) -> Any:
    """The special functions that go with an array namespace: SciPy's or CuPy's."""
    if xp.__name__ == "cupy":
        import cupyx.scipy.special as found
    else:
        import scipy.special as found
    return found
