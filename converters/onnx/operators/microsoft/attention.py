"""Attention of ``com.microsoft``, which projects its input to queries, keys and values itself."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect
from .activation import MICROSOFT
from .heads import (
    Extent,
    appended,
    attended,
    causal,
    key_mask,
    one_number,
    positive,
    scale_of,
    split,
    with_bias,
    written,
)
from .rotary import rotated


@onnx_op("Attention", domain=MICROSOFT)
def attention(
    x: Tensor,
    weights: Tensor,
    bias: Tensor | None = None,
    mask_index: Tensor | None = None,
    past: Tensor | None = None,
    attention_bias: Tensor | None = None,
    past_sequence_length: Tensor | None = None,
    *,
    do_rotary: int = 0,
    mask_filter_value: float | None = None,
    num_heads: int,
    past_present_share_buffer: int = 0,
    qkv_hidden_sizes: list[int] | None = None,
    rotary_embedding_dim: int = 0,
    scale: float | None = None,
    unidirectional: int = 0,
    n_outputs: int = 1,
) -> Any:
    """``softmax(q @ k.T * scale + mask) @ v`` per head of ``q, k, v = x @ weights + bias``.

    x (B, S, D), weights (D, 2 * N * H + N * V), past (2, B, N, P, H) with the keys and values
    before; with ``past_present_share_buffer`` a buffer whose first ``past_sequence_length`` places
    are filled. Gives (B, S, N * V) and the past of the next step.
    """
    positive(num_heads=num_heads)
    query, key, value = _projected(x, weights, bias, num_heads, qkv_hidden_sizes)
    batch, _, length, size = query.shape
    if past is None and past_present_share_buffer:
        raise OnnxError("past_present_share_buffer: it needs past, got none")
    if past is not None:
        expect("past", past, (2, batch, num_heads, "past", size), (x.dtype,))
    start = 0
    if past_present_share_buffer:
        if past_sequence_length is None:
            raise OnnxError("past_present_share_buffer: it needs past_sequence_length, got none")
        start = one_number("past_sequence_length", past_sequence_length)
    elif past is not None:
        start = past.shape[3]
    if do_rotary:
        query, key = (_turned(t, start, rotary_embedding_dim or size) for t in (query, key))
    pasts = (None, None) if past is None else (past[0], past[1])
    present = [
        written(old, new, start)
        if past_present_share_buffer and old is not None
        else appended(old, new)
        for old, new in zip(pasts, (key, value), strict=True)
    ]
    extent = Extent(batch, num_heads, length, start, start + length)
    added = key_mask("mask_index", mask_index, extent, mask_filter_value, starts=True)
    added = with_bias(added, attention_bias, extent)
    added = causal(added, extent, query) if unidirectional else added
    keys, values = (t[:, :, : extent.places] for t in present)
    y = attended(query, keys, values, scale_of(scale, size), added)
    return (y, tl.stack(present)) if n_outputs > 1 else y


def _projected(
    x: Tensor, weights: Tensor, bias: Tensor | None, heads: int, sizes: list[int] | None
) -> list[Tensor]:
    """Queries, keys and values (B, N, S, H)."""
    expect("input", x, ("batch", "sequence", "hidden"), UP_TO_FLOAT32)
    expect("weights", weights, (x.shape[2], "q + k + v"), (x.dtype,))
    width = weights.shape[1]
    if sizes is None:
        if width % 3:
            raise OnnxError(
                f"expected weights whose last size is a multiple of 3, got {tuple(weights.shape)}; "
                "other sizes need qkv_hidden_sizes"
            )
        sizes = [width // 3] * 3
    if len(sizes) != 3 or sizes[0] != sizes[1] or sum(sizes) != width or min(sizes) < 1:
        raise OnnxError(
            f"expected qkv_hidden_sizes to be three, the first two equal, with the sum {width}, "
            f"got {sizes}"
        )
    together = tl.matmul(x, weights)
    if bias is not None:
        together = together + expect("bias", bias, (width,), (x.dtype,))
    return [split("q, k and v", part, heads) for part in tl.split(together, sizes, -1)]


def _turned(x: Tensor, start: int, size: int) -> Tensor:
    """Rotary embedding by halves with the frequencies ``10000 ** (-2 i / size)``."""
    place = tl.arange(start, start + x.shape[2], device=x.device).float().unsqueeze(1)
    half = tl.arange(size // 2, device=x.device).float()
    angle = place * 10000.0 ** (half * (-2.0 / size))
    return rotated(x, tl.cos(angle), tl.sin(angle), interleaved=False)
