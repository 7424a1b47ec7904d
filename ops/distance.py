"""Distances and similarities between vectors."""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import get_default_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of, is_integral
from .norms import norm_of_vector
from .reduction import added
from .registry import TOP, Array, F, op

_BLOCK = 1 << 22  # differences held at once
_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


@op(upcast=True)
def cdist(xp: Any, x1: Array, x2: Array, p: float = 2.0, compute_mode: str = _MODES[0]) -> Array:
    """The p-norm of the difference of every two rows: (..., n, d), (..., m, d) to (..., n, m).

    Euclidean distances of more than 25 rows are taken from a matrix product, unless
    ``compute_mode`` says otherwise. Source: PyTorch ``torch.cdist``.

    >>> import tensorlite as tl
    >>> tl.cdist(tl.tensor([[0.0, 0.0]]), tl.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    _vectors("cdist", x1, x2)
    if compute_mode not in _MODES:
        raise ArgumentError(f"cdist: compute_mode={compute_mode!r}; expected one of {_MODES}")
    many = max(x1.shape[-2], x2.shape[-2]) > 25
    if p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and many)):
        return _euclidean(xp, x1, x2)
    pairs = math.prod(x2.shape[:-1]) * max(x1.shape[-1], 1)
    rows = max(1, _BLOCK // max(1, pairs))
    blocks = [
        _differences(xp, x1[..., i : i + rows, None, :], x2[..., None, :, :], p)
        for i in range(0, max(x1.shape[-2], 1), rows)
    ]
    return blocks[0] if len(blocks) == 1 else xp.concatenate(blocks, -2)


@op(spaces=(F, TOP), upcast=True)
def pdist(xp: Any, input: Array, p: float = 2.0) -> Array:
    """The p-norm of the difference of each two rows of (n, d), as n * (n - 1) / 2 numbers.

    Source: PyTorch ``torch.nn.functional.pdist``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.pdist(tl.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    if input.ndim != 2:
        raise ShapeError(f"pdist: expected a matrix, got shape {input.shape}")
    first, second = xp.triu_indices(len(input), 1)
    return _differences(xp, input[first], input[second], p)


@op(spaces=(TOP, F), promote="x1 x2", upcast=True)
def cosine_similarity(xp: Any, x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """``sum(x1 * x2) / (max(|x1|, eps) * max(|x2|, eps))`` along ``dim``, after broadcasting.

    Source: PyTorch ``torch.nn.functional.cosine_similarity``.

    >>> import tensorlite as tl
    >>> tl.cosine_similarity(tl.tensor([[1.0, 0.0]]), tl.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    if is_integral(x1):
        raise DTypeError(f"cosine_similarity: expected floats, got {dtype_of(x1).name}")
    x1, x2 = xp.broadcast_arrays(x1, x2)
    sizes = [
        xp.maximum(norm_of_vector(xp, x, 2, dim, True, None, "cosine_similarity"), eps)
        for x in (x1, x2)
    ]
    axis = dim % max(x1.ndim, 1)
    return added(x1 / sizes[0] * (x2 / sizes[1]), (axis,) if x1.ndim else ())


@op(spaces=(TOP, F), promote="x1 x2", upcast=True)
def pairwise_distance(
    xp: Any, x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Array:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension.

    Source: PyTorch ``torch.nn.functional.pairwise_distance``.

    >>> import tensorlite as tl
    >>> tl.pairwise_distance(tl.tensor([[0.0, 0.0]]), tl.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    difference = x1 - x2
    if is_integral(difference):
        difference = difference.astype(get_default_dtype().numpy)
    return norm_of_vector(xp, difference + eps, p, -1, keepdim, None, "pairwise_distance")


def _euclidean(xp: Any, x1: Array, x2: Array) -> Array:
    squares1, squares2 = (added(x * x, (x.ndim - 1,), True) for x in (x1, x2))
    product = xp.matmul(x1, x2.swapaxes(-1, -2))
    return xp.sqrt(xp.maximum(squares1 - 2 * product + squares2.swapaxes(-1, -2), 0))


def _differences(xp: Any, first: Array, second: Array, p: float) -> Array:
    """The p-norm of differences along the last dimension; 0 of vectors of no elements."""
    size = xp.abs(first - second)
    if size.shape[-1] == 0:
        return xp.zeros(size.shape[:-1], size.dtype)
    return norm_of_vector(xp, size, p, -1, False, None, "cdist")


def _vectors(name: str, x1: Array, x2: Array) -> None:
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(
            f"{name}: expected (..., n, d) and (..., m, d), got {x1.shape} and {x2.shape}"
        )
