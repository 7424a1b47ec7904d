"""Scaled dot-product and multi-head attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor
from .dims import dtype_of
from .dropout import dropout, kept
from .joining import cat
from .linear import linear
from .registry import Array, F, op
from .softmax import normalized, softmax


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
        weights = (
            xp.where(closed, xp.zeros((), weights.dtype), weights) if closed.any() else weights
        )
    if dropout_p > 0:
        weights = weights * kept(xp, weights.shape, weights.dtype, dropout_p)
    return xp.matmul(weights, value)


def _check(query: Array, key: Array, value: Array, mask: Array | None, is_causal: bool) -> None:
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


@op(spaces=F)
def multi_head_attention_forward(
    query: Array,
    key: Array,
    value: Array,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Array | None,
    in_proj_bias: Array | None,
    bias_k: Array | None,
    bias_v: Array | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Array,
    out_proj_bias: Array | None,
    training: bool = True,
    key_padding_mask: Array | None = None,
    need_weights: bool = True,
    attn_mask: Array | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Array | None = None,
    k_proj_weight: Array | None = None,
    v_proj_weight: Array | None = None,
    static_k: Array | None = None,
    static_v: Array | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Array, Array | None]:
    """What ``nn.MultiheadAttention`` computes: (output, weights or None).

    query (L, N, E), key and value (S, N, ...), or all without N. Masks, (L, S) or (N * heads, L, S)
    and (N, S), are True, or -inf, where attention may *not* go. Raises ShapeError, ArgumentError.
    Source: PyTorch ``torch.nn.functional.multi_head_attention_forward``.

    >>> import tensorlite as tl
    >>> x, eye = tl.ones(1, 1, 2), tl.eye(2)
    >>> output, weights = tl.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, tl.cat([eye, eye, eye]), None, None, None, False, 0.0, eye, None
    ... )
    >>> output.tolist(), weights.tolist()
    ([[[1.0, 1.0]]], [[[1.0]]])
    """
    if is_causal and attn_mask is None:
        raise ArgumentError("multi_head_attention_forward: is_causal is a hint about attn_mask")
    batched = query.ndim == 3
    if not batched:
        if query.ndim != 2 or key.ndim != 2 or value.ndim != 2:
            shapes = ", ".join(str(tuple(x.shape)) for x in (query, key, value))
            raise ShapeError(f"multi_head_attention_forward: expected (L, N, E), got {shapes}")
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    if width != embed_dim_to_check or width % num_heads:
        raise ShapeError(
            f"multi_head_attention_forward: expected an embedding of {embed_dim_to_check} that "
            f"{num_heads} heads divide, got {width}"
        )
    if use_separate_proj_weight:
        projections = [q_proj_weight, k_proj_weight, v_proj_weight]
        biases = [None] * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        given = zip((query, key, value), projections, biases, strict=True)
        q, k, v = (linear(x, w, b) for x, w, b in given)
    else:
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    mask = _mask(attn_mask, key_padding_mask, batch, num_heads, query.dtype)
    if bias_k is not None and bias_v is not None:
        k, v = cat([k, bias_k.expand(1, batch, -1)]), cat([v, bias_v.expand(1, batch, -1)])
        mask = _one_more(mask)
    q, k, v = (
        x.reshape(-1, batch, num_heads, width // num_heads).permute(1, 2, 0, 3) for x in (q, k, v)
    )
    k = k if static_k is None else static_k.reshape(batch, num_heads, -1, k.shape[-1])
    v = v if static_v is None else static_v.reshape(batch, num_heads, -1, v.shape[-1])
    if add_zero_attn:
        k, v = (cat([x, x.new_zeros(batch, num_heads, 1, x.shape[-1])], dim=2) for x in (k, v))
        mask = _one_more(mask)
    dropout_p = dropout_p if training else 0.0
    weights = None
    if need_weights:
        scores = (q * (1 / math.sqrt(q.shape[-1]))) @ k.transpose(-2, -1)
        weights = softmax(scores if mask is None else scores + mask, -1)
        weights = dropout(weights, dropout_p) if dropout_p else weights
        attended = weights @ v
        weights = weights.mean(1) if average_attn_weights else weights
        weights = weights if batched else weights.squeeze(0)
    else:
        attended = scaled_dot_product_attention(q, k, v, mask, dropout_p)
    attended = attended.permute(2, 0, 1, 3).reshape(length, batch, width)
    output = linear(attended, out_proj_weight, out_proj_bias)
    return (output if batched else output.squeeze(1)), weights


def _projected(
    query: Tensor, key: Tensor, value: Tensor, weight: Any, bias: Any
) -> tuple[Tensor, ...]:
    """Query, key and value times their thirds of one weight, in as few products as can be."""
    width = query.shape[-1]
    if query is key is value:
        return linear(query, weight, bias).chunk(3, -1)
    parts = weight.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    first = linear(query, parts[0], biases[0])
    if key is value:
        rest = linear(key, weight[width:], None if bias is None else bias[width:])
        return (first, *rest.chunk(2, -1))
    return first, linear(key, parts[1], biases[1]), linear(value, parts[2], biases[2])


def _mask(attn_mask: Any, key_padding_mask: Any, batch: int, heads: int, dtype: Any) -> Any:
    """Both masks as one of floats that are added to the scores (N, heads, L, S), or None."""
    masks: list[Any] = []
    if attn_mask is not None:
        added = _additive(attn_mask, dtype)
        if added.ndim not in (2, 3):
            raise ShapeError(f"attn_mask: expected (L, S) or (N * heads, L, S), got {added.shape}")
        lead = (1, 1) if added.ndim == 2 else (batch, heads)
        masks.append(added.reshape(*lead, *added.shape[-2:]))
    if key_padding_mask is not None:
        if key_padding_mask.ndim != 2 or len(key_padding_mask) != batch:
            raise ShapeError(
                f"key_padding_mask: expected ({batch}, S), got {tuple(key_padding_mask.shape)}"
            )
        masks.append(_additive(key_padding_mask, dtype)[:, None, None])
    if len(masks) == 2:
        return masks[0] + masks[1]
    return masks[0] if masks else None


def _additive(mask: Tensor, dtype: Any) -> Tensor:
    if mask.dtype is bool_:
        return mask.new_zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)
    if not mask.dtype.is_floating_point:
        raise DTypeError(f"attention masks are of bools or floats, got {mask.dtype.name}")
    return mask.to(dtype)


def _one_more(mask: Any) -> Any:
    """The mask with a column that lets everything through."""
    return None if mask is None else cat([mask, mask.new_zeros(*mask.shape[:-1], 1)], dim=-1)
