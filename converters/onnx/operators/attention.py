"""Attention of queries to keys and values, with caches, masks and windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorlite as tl
from tensorlite import Tensor, dtype
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .attention_mask import (
    UNBOUNDED,
    Window,
    between,
    by_rows,
    checked_mask,
    closed_rows,
    combined,
)
from .expected import FLOATS, expect
from .half_softmax import half_softmax

PRECISIONS = {1: tl.float32, 10: tl.float16, 11: tl.float64, 16: tl.bfloat16}
RAW, CAPPED, MASKED, WEIGHTS = range(4)  # which stage qk_matmul_output shows


@dataclass(frozen=True)
class Scoring:
    """How weights are made of queries and keys."""

    scale: float
    softcap: float
    precision: dtype  # of the softmax
    shown: int | None  # the stage that is an output too


@onnx_op("Attention", since=23)
def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    nonpad_kv_seqlen: Tensor | None = None,
    *,
    is_causal: int = 0,
    kv_num_heads: int | None = None,
    left_window_size: int = UNBOUNDED,
    q_num_heads: int | None = None,
    qk_matmul_output_mode: int = RAW,
    right_window_size: int = UNBOUNDED,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: int | None = None,
    n_outputs: int,
    opset: int,
) -> tuple[Tensor | None, ...]:
    """``softmax(softcap(query @ key.T * scale) + mask) @ value``, and the keys and values.

    query (B, Hq, L, E), key (B, H, S, E), value (B, H, S, V), or (B, L, Hq * E) and so on; query
    head h attends to head h // (Hq / H). Keys and values go behind the past ones. A row without
    a key to attend to gives zeros. Every step is rounded to the dtype of the query.
    """
    windows = (left_window_size, right_window_size)
    _check_version(opset, nonpad_kv_seqlen, windows)
    expect("Q", query, None, FLOATS)
    flat = query.ndim == 3
    query, key, value = _by_heads(query, key, value, q_num_heads, kv_num_heads, opset)
    past = 0
    if past_key is not None or past_value is not None:
        if nonpad_kv_seqlen is not None:
            raise OnnxError("expected past_key and past_value or nonpad_kv_seqlen, got both")
        past, key, value = _appended(past_key, past_value, key, value)
    present = key, value
    batch, heads, length, size = query.shape
    places = key.shape[2]

    scoring = Scoring(
        _scale(scale, size),
        softcap,
        softmax_dtype(softmax_precision, query.dtype),
        _one_of("qk_matmul_output_mode", qk_matmul_output_mode, 4) if n_outputs > 3 else None,
    )
    causal = bool(_one_of("is_causal", is_causal, 2))
    window = _window(windows, causal, past, nonpad_kv_seqlen, query, places)
    if attn_mask is not None:
        shortest = None if opset < 24 else 0 if nonpad_kv_seqlen is None else max(window.filled)
        attn_mask = checked_mask(attn_mask, (batch, heads, length, places), shortest)
    start, stop = 0, places
    if scoring.shown is None:  # keys that no query sees may be left out
        ends = places if attn_mask is None else attn_mask.shape[3]
        start, stop = window.span(length, ends)
        key, value = key[:, :, start:stop], value[:, :, start:stop]
    if attn_mask is not None:
        attn_mask = between(attn_mask, start, stop)
        attn_mask = attn_mask if attn_mask.dtype is tl.bool else attn_mask.to(query.dtype)
    mask = combined(attn_mask, window.seen(length, start, stop, query.device))
    y, shown = _attended(query, key, value, mask, scoring)
    if flat:
        y = y.transpose(1, 2).reshape(batch, length, heads * y.shape[3])
    return y, *present, shown


def _check_version(opset: int, nonpad: Tensor | None, windows: tuple[int, int]) -> None:
    if opset < 24 and nonpad is not None:
        raise OnnxError("expected at most 6 inputs before opset 24, got nonpad_kv_seqlen")
    if opset < 25 and windows != (UNBOUNDED, UNBOUNDED):
        raise OnnxError("expected no left_window_size and right_window_size before opset 25")


def _by_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    q_heads: int | None,
    kv_heads: int | None,
    opset: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """The three as (B, heads, length, size), with shapes and dtypes that fit each other."""
    if query.ndim == 3:
        query = _split("Q", query, "q_num_heads", q_heads)
        key = _split("K", key, "kv_num_heads", kv_heads)
        value = _split("V", value, "kv_num_heads", kv_heads)
    elif opset >= 25 and (q_heads is not None or kv_heads is not None):
        raise OnnxError("expected q_num_heads and kv_num_heads only with inputs of 3 dimensions")
    expect("Q", query, ("batch_size", "q_num_heads", "q_sequence_length", "head_size"))
    batch, heads, _, size = query.shape
    expect("K", key, (batch, "kv_num_heads", "kv_sequence_length", size), (query.dtype,))
    expect("V", value, (batch, *key.shape[1:3], "v_head_size"), FLOATS)
    found = heads, key.shape[1]
    if found[1] == 0 or found[0] % found[1]:
        raise OnnxError(f"expected q_num_heads to be a multiple of kv_num_heads, got {found}")
    given = heads if q_heads is None else q_heads, found[1] if kv_heads is None else kv_heads
    if given != found:
        raise OnnxError(f"expected (q_num_heads, kv_num_heads) as in Q and K, {found}, got {given}")
    return query, key, value


def _split(name: str, x: Tensor, attribute: str, heads: int | None) -> Tensor:
    """(B, length, heads * size) as (B, heads, length, size)."""
    expect(name, x, ("batch_size", "sequence_length", "hidden_size"))
    batch, length, width = x.shape
    if heads is None or heads < 1 or width % heads:
        raise OnnxError(
            f"expected {attribute} to divide the last dimension of {name}, {width}, got {heads}"
        )
    return x.reshape(batch, length, heads, width // heads).transpose(1, 2)


def _appended(
    past_key: Tensor | None, past_value: Tensor | None, key: Tensor, value: Tensor
) -> tuple[int, Tensor, Tensor]:
    """How many past keys there are, and keys and values behind the past ones."""
    if past_key is None or past_value is None:
        raise OnnxError("expected both past_key and past_value or neither, got one of them")
    batch, heads, _, size = key.shape
    expect("past_key", past_key, (batch, heads, "past_sequence_length", size), (key.dtype,))
    past = past_key.shape[2]
    expect("past_value", past_value, (batch, heads, past, value.shape[3]), (value.dtype,))
    return past, tl.cat([past_key, key], 2), tl.cat([past_value, value], 2)


def _window(
    sizes: tuple[int, int],
    causal: bool,
    past: int,
    nonpad: Tensor | None,
    query: Tensor,
    places: int,
) -> Window:
    if min(sizes) < UNBOUNDED:
        raise OnnxError(
            f"expected left_window_size and right_window_size of -1 or more, got {sizes}"
        )
    left, right = sizes[0], 0 if causal else sizes[1]
    if nonpad is None:
        return Window(left, right, (past,), (places,))
    batch, _, length, _ = query.shape
    expect("nonpad_kv_seqlen", nonpad, (batch,), (tl.int64,))
    filled = tuple(nonpad.tolist())
    if not all(0 <= n <= places for n in filled):
        raise OnnxError(f"expected nonpad_kv_seqlen from 0 to {places}, got {list(filled)}")
    return Window(left, right, tuple(n - length for n in filled), filled)


def _one_of(name: str, value: int, count: int) -> int:
    if not 0 <= value < count:
        raise OnnxError(f"expected {name} from 0 to {count - 1}, got {value}")
    return value


def _scale(scale: float | None, size: int) -> float:
    if scale is None:
        return 1 / math.sqrt(size or 1)
    if not scale >= 0:
        raise OnnxError(f"expected scale of 0 or more, for its square root, got {scale}")
    return scale


def softmax_dtype(code: int | None, default: dtype) -> dtype:
    """What the attribute softmax_precision stands for. Raises OnnxError."""
    if code is None:
        return default
    if code not in PRECISIONS:
        known = ", ".join(f"{code} ({d.name})" for code, d in PRECISIONS.items())
        raise OnnxError(f"expected softmax_precision to be one of {known}, got {code}")
    return PRECISIONS[code]


def _attended(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, how: Scoring
) -> tuple[Tensor, Tensor | None]:
    """The output (B, Hq, L, V) and the stage that is shown (B, Hq, L, S).

    All queries that share a head of the keys are rows of one product: keys are not repeated.
    """
    batch, heads, length, size = query.shape
    group = heads // key.shape[1]
    rows = query.reshape(batch, key.shape[1], group * length, size)
    mask = None if mask is None else by_rows(mask, group, length)
    kinds = {query.dtype, value.dtype, how.precision}
    if how.shown is None and not how.softcap and len(kinds) == 1 and not query.dtype.is_half:
        y, shown = F.scaled_dot_product_attention(rows, key, value, mask, scale=how.scale), None
    else:
        y, shown = _in_steps(rows, key, value, mask, how)
    y = y.reshape(batch, heads, length, value.shape[3])
    return y, None if shown is None else shown.reshape(batch, heads, length, key.shape[2])


def _in_steps(
    rows: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, how: Scoring
) -> tuple[Tensor, Tensor | None]:
    """Attention with every step rounded, and the stage that is shown."""
    scores = _scores(rows, key, how.scale)
    shown = scores if how.shown == RAW else None
    scores = _capped(scores, how.softcap)
    shown = scores if how.shown == CAPPED else shown
    if mask is not None:
        bools = mask.dtype is tl.bool
        scores = tl.where(mask, scores, -math.inf) if bools else scores + mask
    shown = scores if how.shown == MASKED else shown
    scores = scores.to(how.precision)
    weights = half_softmax(scores, -1) if how.precision.is_half else tl.softmax(scores, -1)
    if mask is not None and weights.numel():
        weights = weights.masked_fill(closed_rows(mask), 0)
    weights = weights.to(rows.dtype)
    shown = weights if how.shown == WEIGHTS else shown
    wide = tl.promote_types(rows.dtype, value.dtype)
    return (weights.to(wide) @ value.to(wide)).to(rows.dtype), shown


def _scores(rows: Tensor, key: Tensor, scale: float) -> Tensor:
    """``rows @ key.T * scale``; half precision has the root of the scale on either side."""
    if not rows.dtype.is_half:
        return (rows * scale) @ key.transpose(-1, -2)
    root = tl.tensor(math.sqrt(scale), dtype=rows.dtype, device=rows.device)
    return (rows * root) @ (key * root).transpose(-1, -2)


def _capped(scores: Tensor, cap: float) -> Tensor:
    if not cap:
        return scores
    bound = tl.tensor(cap, dtype=scores.dtype, device=scores.device)
    return (scores / bound).tanh_().mul_(bound)
