"""QAttention: attention whose projection is a product of 8-bit matrices."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import expect
from .activation import MICROSOFT
from .heads import Extent, appended, attended, causal, key_mask, positive, scale_of, split
from .quantized_matrix import mat_mul_integer_to_float


@onnx_op("QAttention", domain=MICROSOFT)
def q_attention(
    x: Tensor, weights: Tensor, bias: Tensor, x_scale: Tensor, w_scale: Tensor,
    mask_index: Tensor | None = None, x_zero: Tensor | None = None,
    w_zero: Tensor | None = None, past: Tensor | None = None, *, num_heads: int,
    do_rotary: int = 0, mask_filter_value: float | None = None,
    past_present_share_buffer: int = 0, scale: float | None = None, unidirectional: int = 0,
    n_outputs: int = 1,
) -> Any:  # fmt: skip
    """``softmax(q @ k.T * scale + mask) @ v`` per head of ``q, k, v = dequantised(x @ w) + bias``.

    x (B, S, D) and weights (D, 3 * N * H) are 8-bit integers, past (2, B, N, P, H) has the keys
    and values before. Gives (B, S, N * H) and the past of the next step.
    """
    positive(num_heads=num_heads)
    if do_rotary or past_present_share_buffer:
        raise OnnxError("do_rotary and past_present_share_buffer: expected 0; no kernel has them")
    expect("input", x, ("batch", "sequence", "hidden"), (tl.int8, tl.uint8))
    width = expect("weight", weights, (x.shape[2], "3 * hidden"), (tl.int8, tl.uint8)).shape[1]
    expect("bias", bias, (width,), (x_scale.dtype,))
    if width % 3:
        raise OnnxError(f"weight: expected a multiple of 3 columns, got {width}")
    together = mat_mul_integer_to_float(x, weights, x_scale, w_scale, x_zero, w_zero, bias)
    query, key, value = (
        split("q, k and v", part, num_heads) for part in tl.split(together, width // 3, -1)
    )
    batch, _, length, size = query.shape
    if past is not None:
        expect("past", past, (2, batch, num_heads, "past", size), (query.dtype,))
    keys = appended(None if past is None else past[0], key)
    values = appended(None if past is None else past[1], value)
    extent = Extent(batch, num_heads, length, keys.shape[2] - length, keys.shape[2])
    added = key_mask("mask_index", mask_index, extent, mask_filter_value, starts=True)
    added = causal(added, extent, query) if unidirectional else added
    y = attended(query, keys, values, scale_of(scale, size), added)
    return (y, tl.stack([keys, values])) if n_outputs > 1 else y
