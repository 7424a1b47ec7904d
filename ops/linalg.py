"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import bool_
from ..errors import DTypeError, ShapeError
from .dims import dtype_of
from .registry import TOP, Array, op


def _matmul(first: Array, second: Array) -> Array:
    if first.itemsize < 4:
        return NotImplemented
    if first.ndim == 2 == second.ndim:
        return first.dot(second)
    return np.matmul(first, second)


@op(method=True, fast=_matmul, fast_kinds="fc", spaces=(TOP, "linalg"))
def matmul(xp: Any, input: Array, other: Array) -> Array:
    """The matrix product ``input @ other``: (..., n, k) by (..., k, m), batches broadcast.

    A vector is a row on the left, a column on the right, and vanishes from the result's shape.
    Both must have one dtype. 16-bit floats are multiplied in float32.
    Raises ShapeError and DTypeError. Source: PyTorch ``torch.matmul``.

    >>> import tensorlite as tl
    >>> tl.tensor([[1.0, 2.0], [3.0, 4.0]]) @ tl.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    _multiplies("matmul", input, other)
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(
            f"matmul: expected vectors, matrices or batches, got {input.shape} and {other.shape}; "
            "use * for numbers"
        )
    rows = other.shape[-2] if other.ndim > 1 else other.shape[0]
    if input.shape[-1] != rows:
        raise ShapeError(
            f"matmul: the last size of {input.shape} is {input.shape[-1]}, but {other.shape} "
            f"has {rows} rows"
        )
    return _multiplied(xp.matmul, input, other)


def _multiplied(function: Any, *arrays: Array) -> Array:
    """``function(*arrays)``, for 16-bit floats in float32."""
    if not dtype_of(arrays[0]).is_half:
        return function(*arrays)
    return function(*[a.astype(np.float32) for a in arrays]).astype(arrays[0].dtype)


def _multiplies(name: str, *arrays: Array) -> None:
    found = [dtype_of(a) for a in arrays]
    if any(d is not found[0] for d in found) or found[0] is bool_:
        names = " and ".join(d.name for d in found)
        raise DTypeError(
            f"{name}: expected numbers of one dtype, got {names}; convert with x.to(...)"
        )
