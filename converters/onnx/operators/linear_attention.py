"""Linear attention: a state per head that every token updates and every query reads."""

from __future__ import annotations

import math

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import UP_TO_FLOAT32, expect, one_of

RULES = ("linear", "gated", "delta", "gated_delta")


@onnx_op("LinearAttention", since=27)
def linear_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    past_state: Tensor | None = None,
    decay: Tensor | None = None,
    beta: Tensor | None = None,
    *,
    q_num_heads: int,
    kv_num_heads: int,
    scale: float = 0.0,
    update_rule: str = "gated_delta",
    chunk_size: int = 64,
) -> tuple[Tensor, Tensor]:
    """``S = exp(g) S + beta k (v - exp(g) k S)``, ``o = scale q S`` for token after token.

    query (B, T, Hq * K), key (B, T, H * K), value (B, T, H * V), state (B, H, K, V), decay g
    (B, T, H * K) or (B, T, H), beta (B, T, H) or (B, T, 1). The rules without "gated" leave
    exp(g) out, those without "delta" write k v. Kept in float32, whatever comes in.
    """
    _check_rule(update_rule, decay, beta)
    if kv_num_heads < 1 or q_num_heads < 1 or q_num_heads % kv_num_heads:
        raise OnnxError(
            "expected q_num_heads to be a positive multiple of kv_num_heads, got "
            f"{q_num_heads} and {kv_num_heads}"
        )
    heads = kv_num_heads
    expect("query", query, ("batch", "time", "q_num_heads * d_k"), UP_TO_FLOAT32)
    dtype, (batch, time, width) = query.dtype, query.shape
    d_k = _per_head("query", width, q_num_heads)
    expect("key", key, (batch, time, heads * d_k), (dtype,))
    expect("value", value, (batch, time, "kv_num_heads * d_v"), (dtype,))
    d_v = _per_head("value", value.shape[2], heads)

    gates = None if decay is None else tl.exp(_decays(decay, query, heads, d_k))
    rates = None if beta is None else _rates(beta, query, heads)
    queries = _by_time(query, heads, q_num_heads // heads, d_k)
    keys, values = _by_time(key, heads, 1, d_k), _by_time(value, heads, 1, d_v)
    if past_state is None:
        state = tl.zeros(batch, heads, d_k, d_v, device=query.device)
    else:
        expect("past_state", past_state, (batch, heads, d_k, d_v), UP_TO_FLOAT32)
        state = past_state.float()
    read = tl.empty(time, batch, heads, q_num_heads // heads, d_v, device=query.device)
    for t in range(time):
        state = _updated(
            state,
            keys[t],
            values[t],
            None if gates is None else gates[t],
            None if rates is None else rates[t],
        )
        read[t] = queries[t] @ state
    factor = scale or 1 / math.sqrt(d_k or 1)
    output = (read * factor).transpose(0, 1).reshape(batch, time, q_num_heads * d_v)
    return output.to(dtype), state.to(dtype if past_state is None else past_state.dtype)


def _updated(
    state: Tensor, key: Tensor, value: Tensor, gate: Tensor | None, rate: Tensor | None
) -> Tensor:
    """One token written to the states (B, H, K, V); key (B, H, 1, K), value (B, H, 1, V)."""
    if gate is not None:
        state = state * gate
    if rate is not None:
        value = rate * (value - key @ state)
    return state + key.transpose(-1, -2) * value


def _by_time(x: Tensor, heads: int, group: int, size: int) -> Tensor:
    """(B, T, heads * group * size) to float32 (T, B, heads, group, size)."""
    batch, time = x.shape[:2]
    return x.float().reshape(batch, time, heads, group, size).transpose(0, 1)


def _decays(decay: Tensor, query: Tensor, heads: int, d_k: int) -> Tensor:
    """The decays as (T, B, H, K or 1, 1)."""
    batch, time = query.shape[:2]
    expect("decay", decay, (batch, time, "last"), (query.dtype,))
    if decay.shape[2] not in (heads, heads * d_k):
        raise OnnxError(
            f"expected decay of shape ({batch}, {time}, {heads}) or ({batch}, {time}, "
            f"{heads * d_k}), got {tuple(decay.shape)}"
        )
    size = 1 if decay.shape[2] == heads else d_k
    return _by_time(decay, heads, size, 1)


def _rates(beta: Tensor, query: Tensor, heads: int) -> Tensor:
    """The update rates as (T, B, H or 1, 1, 1)."""
    batch, time = query.shape[:2]
    expect("beta", beta, (batch, time, "last"), (query.dtype,))
    if beta.shape[2] not in (1, heads):
        raise OnnxError(
            f"expected beta of shape ({batch}, {time}, {heads}) or ({batch}, {time}, 1), got "
            f"{tuple(beta.shape)}"
        )
    return _by_time(beta, beta.shape[2], 1, 1)


def _check_rule(rule: str, decay: Tensor | None, beta: Tensor | None) -> None:
    one_of("update_rule", rule, RULES)
    for name, given, wanted in (
        ("decay", decay is not None, rule.startswith("gated")),
        ("beta", beta is not None, rule.endswith("delta")),
    ):
        if given != wanted:
            verb = "needs" if wanted else "takes no"
            raise OnnxError(f"update_rule {rule!r} {verb} {name}, got {'one' if given else 'none'}")


def _per_head(name: str, width: int, heads: int) -> int:
    if width % heads:
        raise OnnxError(
            f"expected the last size of {name} to be a multiple of {heads}, got {width}"
        )
    return width // heads
