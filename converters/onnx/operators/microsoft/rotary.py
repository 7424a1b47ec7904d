"""Rotary position embeddings: RotaryEmbedding of ``com.microsoft``, and what attention shares."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect
from .activation import MICROSOFT
from .heads import merged, split


def rotated(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool) -> Tensor:
    """Pairs ``(a, b)`` of x (B, N, S, H) as ``(a cos - b sin, b cos + a sin)``, in float32.

    cos and sin broadcast to (B, N, S, R / 2). The R first elements are paired, neighbours if
    interleaved and otherwise halves; the rest stays. Source: RoFormer (Su et al., 2021).
    """
    size = 2 * cos.shape[-1]
    wide, cos, sin = x[..., :size].float(), cos.float(), sin.float()
    if interleaved:
        first, second = wide[..., 0::2], wide[..., 1::2]
    else:
        first, second = tl.chunk(wide, 2, -1)
    pair = first * cos - second * sin, second * cos + first * sin
    turned = tl.stack(pair, -1).reshape(wide.shape) if interleaved else tl.cat(pair, -1)
    turned = turned.to(x.dtype)
    return turned if size == x.shape[-1] else tl.cat([turned, x[..., size:]], -1)


def angles(positions: Tensor, cache: Tensor, name: str) -> Tensor:
    """The rows of a cache of cosines or sines for positions (B, S), as (B, 1, S, R / 2)."""
    if positions.numel():
        low, high = positions.min().item(), positions.max().item()
        if low < 0 or high >= cache.shape[0]:
            raise OnnxError(
                f"{name} has {cache.shape[0]} positions, but those from {low} to {high} are needed"
            )
    return cache[positions.long()].unsqueeze(1)


def check_caches(cos: Tensor, sin: Tensor, size: int, x: Tensor) -> None:
    """Raises OnnxError unless both caches are (positions, size / 2) in the dtype of ``x``."""
    expect("cos_cache", cos, ("max_sequence_length", size // 2), (x.dtype,))
    expect("sin_cache", sin, tuple(cos.shape), (x.dtype,))


@onnx_op("RotaryEmbedding", domain=MICROSOFT)
def rotary_embedding(
    x: Tensor,
    position_ids: Tensor,
    cos_cache: Tensor,
    sin_cache: Tensor,
    *,
    interleaved: int = 0,
    is_packed_batching: int = 0,
    num_heads: int = 0,
    rotary_embedding_dim: int = 0,
    scale: float = 1.0,
) -> Tensor:
    """:func:`rotated` of x (B, S, N * H) or (B, N, S, H) by its positions.

    ``position_ids`` is (B, S), or has one element: the position of the first. ``scale`` and
    ``is_packed_batching`` have no meaning in ONNX Runtime, and none here.
    """
    expect("input", x, None, UP_TO_FLOAT32)
    if x.ndim not in (3, 4):
        raise OnnxError(f"expected input of 3 or 4 dimensions, got shape {tuple(x.shape)}")
    if rotary_embedding_dim and not num_heads:
        raise OnnxError("rotary_embedding_dim: it needs num_heads, got none")
    expect("cos_cache", cos_cache, ("max_sequence_length", "half"))
    if x.ndim == 4:
        heads = x
    elif num_heads:
        heads = split("input", x, num_heads)
    else:
        heads = split("input", x, max(x.shape[2] // max(2 * cos_cache.shape[1], 1), 1))
    check_caches(cos_cache, sin_cache, rotary_embedding_dim or heads.shape[3], x)
    positions = _positions(position_ids, heads.shape[0], heads.shape[2])
    cos = angles(positions, cos_cache, "cos_cache")
    sin = angles(positions, sin_cache, "sin_cache")
    y = rotated(heads, cos, sin, bool(interleaved))
    return y if x.ndim == 4 else merged(y)


def _positions(ids: Tensor, batch: int, length: int) -> Tensor:
    """Positions (B, S) or (1, S)."""
    expect("position_ids", ids, None, (tl.int64,))
    if ids.numel() == 1 and ids.ndim < 2:
        return (tl.arange(length, device=ids.device) + ids).reshape(1, length)
    return expect("position_ids", ids, (batch, length))
