"""Look-ups in tables of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import int32, int64
from ..errors import ArgumentError, DimensionError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import F, Array, op


@op(spaces=F)
def embedding(
    xp: Any,
    input: Array,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows of ``weight`` (n, d) that ``input`` (...) names: (..., d).

    With ``max_norm`` the rows that are used and longer are first shortened to it, in ``weight``
    itself. Raises DimensionError for an index out of range.
    Source: PyTorch ``torch.nn.functional.embedding``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.embedding(tl.tensor([1, 0]), tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    _indices(xp, input, weight, "embedding")
    if padding_idx is not None and not -len(weight) <= padding_idx < len(weight):
        raise ArgumentError(f"embedding: padding_idx {padding_idx} of {len(weight)} rows")
    if max_norm is not None:
        _shorten(xp, input, weight, max_norm, norm_type)
    return xp.take(weight, input, axis=0)


def _indices(xp: Any, input: Array, weight: Array, name: str) -> None:
    if dtype_of(input) not in (int32, int64):
        raise DTypeError(
            f"{name}: expected indices of int64 or int32, got {dtype_of(input).name}; use x.long()"
        )
    if weight.ndim != 2:
        raise ShapeError(f"{name}: expected a weight (n, d), got {tuple(weight.shape)}")
    if input.size and (input.min() < 0 or input.max() >= len(weight)):
        raise DimensionError(
            f"{name}: indices from {int(input.min())} to {int(input.max())} in a table of "
            f"{len(weight)} rows"
        )


def _shorten(xp: Any, input: Array, weight: Array, longest: float, norm_type: float) -> None:
    """Scales the rows that are named and longer than ``longest``, in place, as PyTorch does."""
    used = xp.unique(input)
    rows = weight[used].astype(np.float32)
    norms = (abs(rows) ** norm_type).sum(axis=1) ** (1 / norm_type)
    scale = xp.where(norms > longest, longest / (norms + 1e-7), 1)
    weight[used] = (rows * scale[:, None]).astype(weight.dtype)
