"""FlexAttention of ai.onnx.preview: attention with graphs that change scores and weights."""

from __future__ import annotations

import math
from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import describe
from .attention import softmax_dtype
from .expected import FLOATS, expect


@onnx_op("FlexAttention", domain="ai.onnx.preview")
def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    scale: float | None = None,
    score_mod: Any = None,
    prob_mod: Any = None,
    softmax_precision: int | None = None,
) -> Tensor:
    """``prob_mod(softmax(score_mod(query @ key.T * scale))) @ value``.

    query (B, Hq, L, E), key (B, H, S, E), value (B, H, S, V); query head h attends to head
    h // (Hq / H). The graphs take and give (B, Hq, L, S) in the dtype of the softmax.
    """
    expect("Q", query, ("batch", "q_num_heads", "q_seq_len", "head_size"), FLOATS)
    batch, q_heads, length, size = query.shape
    expect("K", key, (batch, "kv_num_heads", "kv_seq_len", size), (query.dtype,))
    heads, places = key.shape[1:3]
    expect("V", value, (batch, heads, places, "v_head_size"), (query.dtype,))
    if heads == 0 or q_heads % heads:
        raise OnnxError(
            f"expected the heads of Q to be a multiple of those of K, got {q_heads} and {heads}"
        )
    wide = query.dtype if query.dtype is tl.float64 else tl.float32
    precision = softmax_dtype(softmax_precision, wide)
    factor = 1 / math.sqrt(size or 1) if scale is None else scale
    if score_mod is None and prob_mod is None and precision is wide and places:
        grouped = q_heads != heads
        return F.scaled_dot_product_attention(query, key, value, scale=factor, enable_gqa=grouped)

    together = q_heads // heads * length  # the rows of all query heads that share a key
    rows = (query.to(wide) * factor).reshape(batch, heads, together, size)
    scores = rows @ key.to(wide).transpose(-1, -2)
    scores = scores.reshape(batch, q_heads, length, places).to(precision)
    weights = tl.softmax(_modified("score_mod", score_mod, scores), -1)
    weights = _modified("prob_mod", prob_mod, weights).reshape(batch, heads, together, places)
    y = weights @ value.to(precision)
    return y.reshape(batch, q_heads, length, value.shape[3]).to(query.dtype)


def _modified(name: str, graph: Any, x: Tensor) -> Tensor:
    """What a graph makes of the scores or weights; shape and dtype stay."""
    if graph is None:
        return x
    if (graph.n_inputs, graph.n_outputs) != (1, 1):
        raise OnnxError(
            f"expected {name} to have one input and one output, got {graph.n_inputs} and "
            f"{graph.n_outputs}"
        )
    (y,) = graph(x)
    if not isinstance(y, Tensor) or y.shape != x.shape or y.dtype is not x.dtype:
        raise OnnxError(f"expected {name} to give {describe(x)}, got {describe(y)}")
    return y
