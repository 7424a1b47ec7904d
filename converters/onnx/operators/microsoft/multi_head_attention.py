"""MultiHeadAttention and DecoderMaskedMultiHeadAttention of ``com.microsoft``."""

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
    from_beams,
    key_mask,
    one_number,
    positive,
    scale_of,
    scores,
    split,
    with_bias,
    written,
)


@onnx_op("MultiHeadAttention", domain=MICROSOFT)
def multi_head_attention(
    query: Tensor,
    key: Tensor | None = None,
    value: Tensor | None = None,
    bias: Tensor | None = None,
    key_padding_mask: Tensor | None = None,
    attention_bias: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    past_sequence_length: Tensor | None = None,
    cache_indirection: Tensor | None = None,
    *,
    mask_filter_value: float | None = None,
    num_heads: int,
    scale: float | None = None,
    unidirectional: int = 0,
    n_outputs: int = 1,
) -> Any:
    """``softmax(q @ k.T * scale + mask) @ v`` per head.

    query (B, S, N * H) with key (B, L, N * H) and value (B, L, N * V); or with both packed as key
    (B, L, N, 2, H), or both ready as (B, N, L, H); or all packed as query (B, S, N, 3, H). ``bias``
    is added to what is not ready. Gives (B, S, N * V), the keys and values with those of the past
    (B, N, T, H), and the scores before the softmax (B, N, S, T). With ``past_sequence_length`` the
    past is a buffer of which that much is filled.
    """
    positive(num_heads=num_heads)
    expect("query", query, None, UP_TO_FLOAT32)
    query, key, value = _inputs(query, key, value, bias, num_heads)
    start, keys, values = _cached(key, value, past_key, past_value, past_sequence_length)
    places = start + key.shape[2]
    extent = Extent(query.shape[0], num_heads, query.shape[2], start, places)
    added = key_mask("key_padding_mask", key_padding_mask, extent, mask_filter_value)
    added = with_bias(added, attention_bias, extent)
    added = causal(added, extent, query) if unidirectional else added
    return _outputs(query, keys, values, places, cache_indirection, start, scale, added, n_outputs)


@onnx_op("DecoderMaskedMultiHeadAttention", domain=MICROSOFT)
def decoder_masked_multi_head_attention(
    query: Tensor,
    key: Tensor | None = None,
    value: Tensor | None = None,
    mask_index: Tensor | None = None,
    attention_bias: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    past_sequence_length: Tensor | None = None,
    beam_width: Tensor | None = None,
    cache_indirection: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    mask_filter_value: float | None = None,
    num_heads: int,
    output_qk: int = 0,
    past_present_share_buffer: int = 0,
    scale: float | None = None,
    n_outputs: int = 1,
) -> Any:
    """:func:`multi_head_attention` of one new token per sequence.

    query (B, 1, N * H) with key and value alike, or all packed as (B, 1, 2 * N * H + N * V), or
    ready keys and values (B, N, L, H) to cross-attend to.
    """
    positive(num_heads=num_heads)
    expect("query", query, ("batch", 1, "hidden"), UP_TO_FLOAT32)
    if key is None and value is None:
        query, key, value = _unpacked(query, past_value, num_heads)
    if beam_width is not None and one_number("beam_width", beam_width) > 1:
        expect("cache_indirection", cache_indirection)
    if past_present_share_buffer and past_key is not None and past_sequence_length is None:
        raise OnnxError("past_present_share_buffer: it needs past_sequence_length, got none")
    filled = past_sequence_length if past_present_share_buffer else None
    query, key, value = _inputs(query, key, value, bias, num_heads)
    start, keys, values = _cached(key, value, past_key, past_value, filled)
    places = start + key.shape[2]
    extent = Extent(query.shape[0], num_heads, 1, start, places)
    added = key_mask("mask_index", mask_index, extent, mask_filter_value)
    added = with_bias(added, attention_bias, extent)
    return _outputs(query, keys, values, places, cache_indirection, start, scale, added, n_outputs)


def _unpacked(
    query: Tensor, past_value: Tensor | None, heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of one row; the past tells how wide a value is."""
    width = query.shape[2]
    wide = width // 3 if past_value is None else heads * past_value.shape[-1]
    if width < wide or (width - wide) % 2:
        raise OnnxError(f"expected query with query, key and value packed, got {query.shape}")
    half = (width - wide) // 2
    first, second, third = tl.split(query, [half, half, wide], -1)
    return first, second, third


def _inputs(
    query: Tensor, key: Tensor | None, value: Tensor | None, bias: Tensor | None, heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (B, N, S, H), with their bias."""
    dtype = query.dtype
    if key is None:
        if value is not None:
            raise OnnxError("expected a key beside the value, got none")
        expect("query", query, ("batch", "sequence", heads, 3, "head_size"))
        return _biased([query[:, :, :, i].transpose(1, 2) for i in range(3)], bias, 3)
    batch = query.shape[0]
    first = split("query", query, heads)
    size = first.shape[3]
    if value is None:
        expect("key", key, (batch, "kv_sequence", heads, 2, size), (dtype,))
        pair = [key[:, :, :, i].transpose(1, 2) for i in range(2)]
        return _biased([first, *pair], bias, 3)
    if key.ndim == 4:
        expect("key", key, (batch, heads, "kv_sequence", size), (dtype,))
        expect("value", value, (batch, heads, key.shape[2], "v_head_size"), (dtype,))
        return _biased([first, key, value], bias, 1)
    expect("key", key, (batch, "kv_sequence", query.shape[2]), (dtype,))
    expect("value", value, (batch, key.shape[1], "v_hidden"), (dtype,))
    return _biased([first, split("key", key, heads), split("value", value, heads)], bias, 3)


def _biased(parts: list[Tensor], bias: Tensor | None, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The first ``count`` parts with their piece of the bias."""
    if bias is not None:
        sizes = [part.shape[1] * part.shape[3] for part in parts]
        expect("bias", bias, (sum(sizes),), (parts[0].dtype,))
        pieces = tl.split(bias, sizes)
        for i in range(count):
            heads, size = parts[i].shape[1], parts[i].shape[3]
            parts[i] = parts[i] + pieces[i].reshape(heads, 1, size)
    query, key, value = parts
    return query, key, value


def _cached(
    key: Tensor,
    value: Tensor,
    past_key: Tensor | None,
    past_value: Tensor | None,
    filled: Tensor | None,
) -> tuple[int, Tensor, Tensor]:
    """How long the past is, and the keys and values with it (whole buffers, where they are)."""
    if (past_key is None) != (past_value is None):
        raise OnnxError("past_key and past_value: give both or neither")
    if past_key is None or past_value is None:
        return 0, key, value
    if filled is None:
        return past_key.shape[2], appended(past_key, key), appended(past_value, value)
    start = one_number("past_sequence_length", filled)
    return start, written(past_key, key, start), written(past_value, value, start)


def _outputs(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    places: int,
    indirection: Tensor | None,
    start: int,
    scale: float | None,
    added: Tensor | None,
    n_outputs: int,
) -> Any:
    """The attention, then keys, values and scores as far as they are asked for."""
    factor = scale_of(scale, query.shape[3])
    key, value = keys[:, :, :places], values[:, :, :places]
    if indirection is not None and start:
        key, value = (
            tl.cat([from_beams(x, indirection, start), x[:, :, start:]], 2) for x in (key, value)
        )
    y = attended(query, key, value, factor, added)
    if n_outputs == 1:
        return y
    if n_outputs < 4:
        return y, keys, values
    return y, keys, values, scores(query, key, factor, added).to(query.dtype)
