"""GroupQueryAttention of ``com.microsoft``: the attention of decoders with a cache."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import UP_TO_FLOAT32, expect
from .activation import MICROSOFT
from .heads import NEVER, merged, one_number, positive, scale_of, split
from .kv_cache import Step, assembled, codec, kept, resized
from .normalization import root_mean_square, widened
from .rotary import angles, rotated


@onnx_op("GroupQueryAttention", domain=MICROSOFT)
def group_query_attention(
    query: Tensor,
    key: Tensor | None,
    value: Tensor | None,
    past_key: Tensor | None,
    past_value: Tensor | None,
    seqlens_k: Tensor,
    total_sequence_length: Tensor,
    cos_cache: Tensor | None = None,
    sin_cache: Tensor | None = None,
    position_ids: Tensor | None = None,
    attention_bias: Tensor | None = None,
    head_sink: Tensor | None = None,
    k_scale: Tensor | None = None,
    v_scale: Tensor | None = None,
    q_norm_weight: Tensor | None = None,
    k_norm_weight: Tensor | None = None,
    query_seqlens: Tensor | None = None,
    *,
    causal: int = 1,
    do_rotary: int = 0,
    k_norm_epsilon: float | None = None,
    k_quant_type: str = "NONE",
    kv_cache_bit_width: int | None = None,
    kv_num_heads: int,
    local_window_size: int = -1,
    num_heads: int,
    q_norm_epsilon: float | None = None,
    qk_norm_epsilon: float = 1e-6,
    qk_output: int = 0,
    rotary_interleaved: int = 0,
    scale: float | None = None,
    sliding_window_cache: int = 0,
    smooth_softmax: int = -1,
    softcap: float = 0.0,
    v_quant_type: str = "NONE",
) -> tuple[Tensor, ...]:
    """``softmax(cap(q @ k.T * scale) + bias) @ v``, several heads of q to one of k and v.

    query (B, S, N * H), key and value (B, S, K * H), or all packed as query; past (B, K, C, H),
    of which each sequence fills ``seqlens_k + 1`` with this step. Gives (B, S, N * H), the cache
    with the new tokens, and the scores before (``qk_output`` 1) or after (2) the softmax.
    """
    _check(num_heads, kv_num_heads, local_window_size, causal, qk_output)
    q, k, v = _inputs(query, key, value, num_heads, kv_num_heads)
    if (q_norm_weight is None) != (k_norm_weight is None):
        raise OnnxError("q_norm_weight and k_norm_weight: give both or neither")
    if q_norm_weight is not None and k_norm_weight is not None:
        q = _normalized("q_norm_weight", q, q_norm_weight, q_norm_epsilon or qk_norm_epsilon)
        k = _normalized("k_norm_weight", k, k_norm_weight, k_norm_epsilon or qk_norm_epsilon)

    past = 0 if past_key is None else past_key.shape[2]
    total = one_number("total_sequence_length", total_sequence_length)
    window = local_window_size if sliding_window_cache else None
    step = _step(seqlens_k, query_seqlens, q, past, max(past, total), window)
    if do_rotary:
        first = position_ids is not None and q.shape[2] == total
        positions = _positions(position_ids, step, q, first)
        cos, sin = _caches(cos_cache, sin_cache, positions, q)
        q, k = (rotated(x, cos, sin, bool(rotary_interleaved)) for x in (q, k))

    present, rows = [], []
    codecs = (
        codec("k", k_quant_type, kv_cache_bit_width, k_scale, k),
        codec("v", v_quant_type, kv_cache_bit_width, v_scale, v),
    )
    for name, new, old, code in zip(
        ("past_key", "past_value"), (k, v), (past_key, past_value), codecs, strict=True
    ):
        whole = assembled(_past(name, old, code.packed(new), past), code.packed(new), step)
        rows.append(code.unpacked(whole))
        keep = step.rows if window is None else [kept(t, past, window) for t in step.total]
        present.append(resized(whole, max(past, total) if window is None else past, step, keep))

    keys, values = rows
    mask = _mask(step, q, keys.shape[2], bool(causal), local_window_size)
    bias = _bias(attention_bias, step, q, keys.shape[2], total)
    sink = _sink(head_sink, smooth_softmax, q)
    factor = scale_of(scale, q.shape[3])
    if not (softcap or qk_output) and sink is None:
        return _attended(q, keys, values, factor, mask, bias), *present
    y, before, after = _weighted(q, keys, values, factor, softcap, mask, bias, sink)
    if not qk_output:
        return y, *present
    if window is not None:
        raise OnnxError("qk_output: a cache of a window does not have all scores")
    seen = before if qk_output == 1 else after
    seen = F.pad(seen, [0, total - seen.shape[3]]) if seen.shape[3] < total else seen
    return y, *present, seen.to(query.dtype)


def _check(heads: int, kv_heads: int, window: int, causal: int, qk_output: int) -> None:
    positive(num_heads=heads, kv_num_heads=kv_heads)
    if heads % kv_heads:
        raise OnnxError(
            f"expected num_heads to be a multiple of kv_num_heads, got {heads} and {kv_heads}"
        )
    if window < -1 or (window != -1 and not causal):
        raise OnnxError(
            f"expected local_window_size from 0 on, or -1 for none (without causal always), got "
            f"{window}"
        )
    if qk_output not in (0, 1, 2):
        raise OnnxError(f"expected qk_output to be 0, 1 or 2, got {qk_output}")


def _inputs(
    query: Tensor, key: Tensor | None, value: Tensor | None, heads: int, kv_heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries (B, N, S, H), keys and values (B, K, S, H)."""
    expect("query", query, ("batch", "sequence", "hidden"), UP_TO_FLOAT32)
    if (key is None) != (value is None):
        raise OnnxError("key and value: give both or neither")
    if key is None or value is None:
        together = split("query", query, heads + 2 * kv_heads)
        first, second, third = tl.split(together, [heads, kv_heads, kv_heads], 1)
        return first, second, third
    q = split("query", query, heads)
    shape = (*query.shape[:2], kv_heads * q.shape[3])
    k = split("key", expect("key", key, shape, (query.dtype,)), kv_heads)
    return q, k, split("value", expect("value", value, shape, (query.dtype,)), kv_heads)


def _normalized(name: str, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    expect(name, weight, (x.shape[3],), (x.dtype,))
    return (root_mean_square(widened(x), -1, epsilon)[0] * widened(weight)).to(x.dtype)


def _step(
    seqlens: Tensor, chunks: Tensor | None, q: Tensor, past: int, capacity: int, window: int | None
) -> Step:
    """How many tokens each sequence has; ``window`` is None where the cache holds all."""
    batch, length = q.shape[0], q.shape[2]
    if expect("seqlens_k", seqlens, None, (tl.int32,)).numel() != batch:
        raise OnnxError(f"expected seqlens_k of shape ({batch},), got {tuple(seqlens.shape)}")
    totals = [int(n) + 1 for n in seqlens.reshape(-1).tolist()]
    new = [min(length, t) for t in totals]
    if chunks is not None:
        expect("query_seqlens", chunks, (batch,), (tl.int32,))
        new = [int(n) for n in chunks.tolist()]
        if any(not 0 <= n <= min(length, t) for n, t in zip(new, totals, strict=True)):
            raise OnnxError(
                f"expected query_seqlens from 0 to {length} and to seqlens_k + 1, got {new} of "
                f"{totals}"
            )
    before = [t - n for t, n in zip(totals, new, strict=True)]
    if window is not None:
        if not 0 < window <= past:
            raise OnnxError(
                f"sliding_window_cache: it needs a local_window_size above 0 and a past of at "
                f"least that, got {window} and {past}"
            )
        return Step(totals, new, [kept(b, past, window) for b in before])
    if totals and (min(totals) < 1 or max(totals) > capacity or max(before) > past):
        raise OnnxError(
            f"expected seqlens_k + 1 from 1 to {capacity}, and at most {past} tokens before, got "
            f"{totals} with {new} new"
        )
    return Step(totals, new, before)


def _positions(ids: Tensor | None, step: Step, q: Tensor, first: bool) -> Tensor:
    """The positions (B, S) of the new tokens; in a first prompt they count from one number."""
    count = tl.arange(q.shape[2], device=q.device)
    if ids is not None:
        expect("position_ids", ids, (q.shape[0], q.shape[2]), (tl.int64,))
        return (ids[:1, :1] + count).expand(q.shape[0], -1) if first else ids
    before, last = (
        tl.tensor(values, device=q.device).unsqueeze(1)
        for values in (step.before, [max(t - 1, 0) for t in step.total])
    )
    return tl.minimum(before + count, last)


def _caches(
    cos: Tensor | None, sin: Tensor | None, positions: Tensor, q: Tensor
) -> tuple[Tensor, Tensor]:
    expect("cos_cache", cos, ("max_sequence_length", "half"), (q.dtype,))
    assert cos is not None
    expect("sin_cache", sin, tuple(cos.shape), (q.dtype,))
    assert sin is not None
    if 2 * cos.shape[1] > q.shape[3]:
        raise OnnxError(
            f"expected cos_cache of at most {q.shape[3] // 2} columns, got {tuple(cos.shape)}"
        )
    return angles(positions, cos, "cos_cache"), angles(positions, sin, "sin_cache")


def _past(name: str, past: Tensor | None, new: Tensor, length: int) -> Tensor | None:
    if past is None:
        if length:
            raise OnnxError("past_key and past_value: give both or neither")
        return None
    batch, heads, _, size = new.shape
    return expect(name, past, (batch, heads, length, size), (new.dtype,))


def _mask(step: Step, q: Tensor, places: int, causal: bool, window: int) -> Tensor | None:
    """Where attention may go: bools (B, 1, S, T), or None for everywhere."""
    length = q.shape[2]
    if (length == 1 or not causal) and window < 0 and min(step.rows, default=0) == places:
        return None
    before, first, rows = (
        tl.tensor(values, device=q.device).unsqueeze(1)
        for values in (step.before, step.first, step.rows)
    )
    place = tl.arange(places, device=q.device)
    mask = (place < rows)[:, None]
    if causal:
        at = (before + tl.arange(length, device=q.device)).unsqueeze(2)
        key_at = (first + place).unsqueeze(1)
        mask = mask & (key_at <= at)
        mask = mask & (key_at > at - window) if window >= 0 else mask
    return mask.unsqueeze(1)


def _bias(bias: Tensor | None, step: Step, q: Tensor, places: int, total: int) -> Tensor | None:
    """The attention bias, whose columns are positions, of the tokens that are there."""
    if bias is None:
        return None
    batch, heads, length, _ = q.shape
    expect("attention_bias", bias, ("batch or 1", "heads or 1", length, total), (q.dtype,))
    if bias.shape[0] not in (1, batch) or bias.shape[1] not in (1, heads):
        raise OnnxError(
            f"expected attention_bias of 1 or {batch} sequences and 1 or {heads} heads, got shape "
            f"{tuple(bias.shape)}"
        )
    bias = widened(bias)
    if not any(step.first) and places <= total:
        return bias[..., :places]
    column = tl.arange(places, device=q.device)
    each = bias.expand(batch, -1, -1, -1)
    return tl.stack(
        [
            tl.index_select(each[b], 2, tl.clamp(column + first, 0, total - 1))
            for b, first in enumerate(step.first)
        ]
    )


def _sink(head_sink: Tensor | None, smooth: int, q: Tensor) -> Tensor | None:
    """A score per head (N, 1, 1) that takes part in the softmax and leads nowhere."""
    if head_sink is not None:
        return widened(expect("head_sink", head_sink, (q.shape[1],), (q.dtype,))).reshape(-1, 1, 1)
    return tl.zeros(1, 1, 1, device=q.device) if smooth == 1 else None


def _attended(
    q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None, bias: Tensor | None
) -> Tensor:
    if bias is not None:
        mask = bias if mask is None else tl.where(mask, bias, float("-inf"))
    wide = (widened(x) for x in (q, k, v))
    grouped = q.shape[1] != k.shape[1]
    y = F.scaled_dot_product_attention(*wide, mask, scale=scale, enable_gqa=grouped)
    return merged(y).to(q.dtype)


def _weighted(
    q: Tensor, k: Tensor, v: Tensor, scale: float, cap: float,
    mask: Tensor | None, bias: Tensor | None, sink: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """The attention, its scores and its weights, 0 where attention may not go."""
    batch, heads, length, size = q.shape
    groups, places = k.shape[1:3]
    queries = (widened(q) * scale).reshape(batch, groups, -1, size)
    scores = (queries @ widened(k).transpose(-1, -2)).reshape(batch, heads, length, places)
    scores = tl.tanh(scores / cap) * cap if cap else scores
    scores = scores if bias is None else scores + bias
    closed = scores if mask is None else tl.where(mask, scores, NEVER)
    if sink is not None:
        closed = tl.cat([closed, sink.expand(batch, heads, length, 1)], -1)
    weights = tl.softmax(closed, -1)[..., :places]
    if mask is not None:
        scores, weights = (tl.where(mask, x, 0.0) for x in (scores, weights))
    y = weights.reshape(batch, groups, -1, places) @ widened(v)
    return merged(y.reshape(batch, heads, length, v.shape[3])).to(q.dtype), scores, weights
