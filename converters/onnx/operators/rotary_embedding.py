"""Rotary position embeddings: pairs of numbers turned by an angle for each position."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import FLOATS, expect


@onnx_op("RotaryEmbedding", since=23)
def rotary_embedding(
    x: Tensor,
    cos_cache: Tensor,
    sin_cache: Tensor,
    position_ids: Tensor | None = None,
    *,
    interleaved: int = 0,
    num_heads: int | None = None,
    rotary_embedding_dim: int = 0,
) -> Tensor:
    """``(a cos - b sin, a sin + b cos)`` for pairs (a, b) of each head; the rest stays.

    x (B, H, L, E) or (B, L, H * E). Pairs are the two halves of the first
    ``rotary_embedding_dim`` numbers, or neighbours if ``interleaved``. Caches are
    (positions, pairs) with position_ids (B, L), (B, L, pairs) without.
    """
    expect("X", x, None, FLOATS)
    heads_last = _heads_last(x, num_heads)
    batch, length, _, size = heads_last.shape
    turned = rotary_embedding_dim or size
    if turned % 2 or not 0 <= turned <= size:
        raise OnnxError(
            f"expected an even rotary_embedding_dim of at most {size}, got {rotary_embedding_dim}"
        )
    if interleaved not in (0, 1):
        raise OnnxError(f"expected interleaved to be 0 or 1, got {interleaved}")
    sizes = (batch, length, turned // 2)
    cos = _angles("cos_cache", cos_cache, x, position_ids, sizes)
    sin = _angles("sin_cache", sin_cache, x, position_ids, sizes)

    pairs = heads_last[..., :turned]
    if interleaved:
        a, b = pairs[..., 0::2], pairs[..., 1::2]
    else:
        a, b = pairs[..., : turned // 2], pairs[..., turned // 2 :]
    y = tl.empty(x.shape, dtype=x.dtype, device=x.device)
    out = _heads_last(y, num_heads)
    real, imaginary = a * cos - b * sin, a * sin + b * cos
    if interleaved:
        out[..., 0:turned:2], out[..., 1:turned:2] = real, imaginary
    else:
        out[..., : turned // 2], out[..., turned // 2 : turned] = real, imaginary
    out[..., turned:] = heads_last[..., turned:]
    return y


def _heads_last(x: Tensor, num_heads: int | None) -> Tensor:
    """(B, L, H, E), a view wherever it can be one."""
    if x.ndim == 3:
        batch, length, width = x.shape
        if num_heads is None or num_heads < 1 or width % (2 * num_heads):
            raise OnnxError(
                f"expected num_heads so that the last dimension of X, {width}, is an even "
                f"multiple of it, got {num_heads}"
            )
        return x.reshape(batch, length, num_heads, width // num_heads)
    expect("X", x, ("batch_size", "num_heads", "sequence_length", "head_size"))
    if x.shape[3] % 2 or num_heads not in (None, x.shape[1]):
        raise OnnxError(
            f"expected an even head_size and num_heads as in X, got {tuple(x.shape)} and "
            f"{num_heads} heads"
        )
    return x.transpose(1, 2)


def _angles(
    name: str,
    cache: Tensor,
    x: Tensor,
    position_ids: Tensor | None,
    sizes: tuple[int, int, int],
) -> Tensor:
    """Cosines or sines for every place, (B, L, 1, pairs)."""
    batch, length, pairs = sizes
    if position_ids is None:
        expect(name, cache, sizes, (x.dtype,))
        return cache.unsqueeze(2)
    expect(name, cache, ("max_position_id_plus_1", pairs), (x.dtype,))
    expect("position_ids", position_ids, (batch, length), (tl.int64,))
    return F.embedding(position_ids, cache).unsqueeze(2)
