"""Scaled dot-product and multi-head attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import F, Array, op
from .softmax import normalized


@op(spaces=F, upcast=True)
def scaled_dot_product_attention(
    xp: Any,
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """``softmax(query @ key.T * scale + mask) @ value`` (Vaswani et al., 2017).

    query (..., L, E), key (..., S, E), value (..., S, V), mask broadcast to (..., L, S): bools
    are True where attention may go, floats are added. ``scale`` is ``1 / sqrt(E)`` unless given;
    with ``enable_gqa`` several heads of the query share one of key and value. A row with no place
    to go gives zeros. Raises ShapeError, DTypeError, ArgumentError.
    Source: PyTorch ``torch.nn.functional.scaled_dot_product_attention``.

    >>> import tensorlite as tl
    >>> q = tl.ones(1, 2, 4)
    >>> v = tl.tensor([[[1.0], [3.0]]])
    >>> tl.nn.functional.scaled_dot_product_attention(q, q, v, is_causal=True)
    tensor([[[1.],
             [2.]]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        key, value = (xp.repeat(a, query.shape[-3] // a.shape[-3], axis=-3) for a in (key, value))
    scores = xp.matmul(query * _scale(query, scale), key.swapaxes(-1, -2))
    mask = attn_mask
    if is_causal:
        mask = xp.tril(xp.ones((query.shape[-2], key.shape[-2]), bool))
    if mask is not None:
        scores = _masked(xp, scores, mask)
    weights = normalized(xp, scores, scores.ndim - 1)
    if mask is not None:
        closed = scores.max(axis=-1, keepdims=True, initial=-math.inf) == -math.inf
        weights = xp.where(closed, xp.zeros((), weights.dtype), weights) if closed.any() else weights
    if dropout_p > 0:
        from .dropout import kept

        weights = weights * kept(xp, weights.shape, weights.dtype, dropout_p)
    return xp.matmul(weights, value)


def _check(
    query: Array, key: Array, value: Array, mask: Array | None, is_causal: bool
) -> None:
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1]:
        shapes = ", ".join(str(tuple(a.shape)) for a in (query, key, value))
        raise ShapeError(
            "scaled_dot_product_attention: expected (..., L, E), (..., S, E), (..., S, V), got "
            f"{shapes}"
        )
    if not query.dtype == key.dtype == value.dtype:
        names = ", ".join(dtype_of(a).name for a in (query, key, value))
        raise DTypeError(f"scaled_dot_product_attention: expected one dtype, got {names}")
    if is_causal and mask is not None:
        raise ArgumentError("scaled_dot_product_attention: give attn_mask or is_causal, not both")


def _scale(query: Array, scale: float | None) -> float:
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale


def _masked(xp: Any, scores: Array, mask: Array) -> Array:
    if mask.dtype == np.bool_:
        return xp.where(mask, scores, xp.asarray(-math.inf, scores.dtype))
    return scores + mask.astype(scores.dtype, copy=False)

