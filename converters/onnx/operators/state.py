"""Operators of decoding that carry state: a causal convolution's, and caches written in place."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import UP_TO_FLOAT32, expect, one_of


@onnx_op("CausalConvWithState", since=27)
def causal_conv_with_state(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    past_state: Tensor | None = None,
    *,
    activation: str = "none",
) -> tuple[Tensor, Tensor]:
    """A depthwise convolution that looks back, and the last k - 1 places for the next call.

    x (B, C, L), weight (C, 1, k), bias (C), states (B, C, k - 1). Half precision is computed in
    float32.
    """
    one_of("activation", activation, ("none", "silu", "swish"))
    expect("input", x, ("batch", "channels", "length"), UP_TO_FLOAT32)
    batch, channels, length = x.shape
    expect("weight", weight, (channels, 1, "k"), (x.dtype,))
    back = weight.shape[2] - 1
    if back < 0:
        raise OnnxError(f"expected weight of a kernel size of 1 or more, got {tuple(weight.shape)}")
    if bias is not None:
        expect("bias", bias, (channels,), (x.dtype,))
    if past_state is None:
        past_state = tl.zeros(batch, channels, back, dtype=x.dtype, device=x.device)
    expect("past_state", past_state, (batch, channels, back), (x.dtype,))

    padded = tl.cat([past_state, x], 2)
    present = padded[:, :, length:]
    if x.numel() == 0:
        return x, present
    offset = None if bias is None else bias.float()
    y = F.conv1d(padded.float(), weight.float(), offset, groups=channels)
    return (y if activation == "none" else F.silu(y)).to(x.dtype), present


@onnx_op("TensorScatter", since=24)
def tensor_scatter(
    past: Tensor,
    update: Tensor,
    write_indices: Tensor | None = None,
    *,
    mode: str = "linear",
    axis: int = -2,
) -> Tensor:
    """The cache with the update written along ``axis``, for each sample from its own index on.

    past (B, ..., max_sequence_length, ...), update (B, ..., sequence_length, ...), write_indices
    (B): zeros where absent; ``circular`` goes on at the beginning where the end is reached.
    """
    one_of("mode", mode, ("linear", "circular"))
    expect("past_cache", past)
    dim = axis + past.ndim if axis < 0 else axis
    if not 0 < dim < past.ndim:
        raise OnnxError(
            f"expected axis to name a dimension of {tuple(past.shape)} other than the first, got "
            f"{axis}"
        )
    sizes = (*past.shape[:dim], "sequence_length", *past.shape[dim + 1 :])
    expect("update", update, sizes, (past.dtype,))
    room, length = past.shape[dim], update.shape[dim]
    if length > room:
        raise OnnxError(f"expected an update of at most {room} along axis {axis}, got {length}")
    present = past.clone()
    for sample, start in enumerate(_starts(write_indices, past, mode, room - length)):
        start %= max(room, 1)
        fitting = min(length, room - start)
        cache, new = present[sample], update[sample]
        cache.narrow(dim - 1, start, fitting).copy_(new.narrow(dim - 1, 0, fitting))
        rest = length - fitting
        cache.narrow(dim - 1, 0, rest).copy_(new.narrow(dim - 1, fitting, rest))
    return present


def _starts(indices: Tensor | None, past: Tensor, mode: str, last: int) -> list[int]:
    """Where each sample's update begins; ``last`` is the last place where it fits."""
    if indices is None:
        return [0] * past.shape[0]
    expect("write_indices", indices, (past.shape[0],), (tl.int64,))
    starts: list[int] = indices.tolist()
    if mode == "linear" and not all(0 <= start <= last for start in starts):
        raise OnnxError(
            f"expected write_indices from 0 to {last}, where the update still fits, got {starts}"
        )
    return starts
