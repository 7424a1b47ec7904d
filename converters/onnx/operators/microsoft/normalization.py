"""Normalisations of ``com.microsoft``: of sums with a residual, by root mean square, in groups."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import FLOATS, UP_TO_FLOAT32, expect
from ..normalization import layer_normalization
from .activation import MICROSOFT


def widened(x: Tensor) -> Tensor:
    """Half precision as float32, anything else as it is."""
    return x.float() if x.dtype.is_half else x


def residual_sum(x: Tensor, skip: Tensor, bias: Tensor | None) -> Tensor:
    """``x + skip + bias``, half precision in float32; ``skip`` may lack the batch or have one."""
    expect("input", x, None, FLOATS)
    shape = tuple(x.shape)
    if x.ndim not in (2, 3):
        raise OnnxError(f"expected input of 2 or 3 dimensions, got shape {shape}")
    expect("skip", skip, None, (x.dtype,))
    fitting = [shape, shape[-2:], (1, *shape[-2:])]
    if tuple(skip.shape) not in fitting:
        shapes = " or ".join(str(s) for s in dict.fromkeys(fitting))
        raise OnnxError(f"expected skip of shape {shapes}, got {tuple(skip.shape)}")
    total = widened(x) + widened(skip)
    return total if bias is None else total + widened(_vector("bias", bias, x))


def _vector(name: str, weight: Tensor, x: Tensor) -> Tensor:
    return expect(name, weight, tuple(x.shape[-1:]), (x.dtype,))


@onnx_op("SkipLayerNormalization", domain=MICROSOFT)
def skip_layer_normalization(
    x: Tensor,
    skip: Tensor,
    gamma: Tensor,
    beta: Tensor | None = None,
    bias: Tensor | None = None,
    *,
    epsilon: float = 1e-12,
    n_outputs: int = 1,
) -> Any:
    """Layer normalisation of ``x + skip + bias``; also its mean, 1 / deviation and the sum."""
    total = residual_sum(x, skip, bias)
    scale = widened(_vector("gamma", gamma, x))
    shift = None if beta is None else widened(_vector("beta", beta, x))
    if n_outputs == 1:
        return layer_normalization(total, scale, shift, epsilon=epsilon).to(x.dtype)
    y, mean, inverse = layer_normalization(total, scale, shift, epsilon=epsilon, n_outputs=3)
    return y.to(x.dtype), mean.float(), inverse.float(), total.to(x.dtype)


@onnx_op("SkipSimplifiedLayerNormalization", domain=MICROSOFT)
def skip_simplified_layer_normalization(
    x: Tensor,
    skip: Tensor,
    gamma: Tensor,
    bias: Tensor | None = None,
    *,
    epsilon: float = 1e-12,
    n_outputs: int = 1,
) -> Any:
    """``x + skip + bias`` over its root mean square; also what SkipLayerNormalization gives."""
    total = residual_sum(x, skip, bias)
    y, inverse = root_mean_square(total, -1, epsilon)
    y = (y * widened(_vector("gamma", gamma, x))).to(x.dtype)
    if n_outputs == 1:
        return y
    mean = tl.mean(total, -1, True)
    return y, mean.float(), inverse.float(), total.to(x.dtype)


def root_mean_square(x: Tensor, axis: int, epsilon: float) -> tuple[Tensor, Tensor]:
    """``x / sqrt(mean(x^2) + epsilon)`` over the dimensions from ``axis`` on, and the factor."""
    axes = list(range(axis % x.ndim, x.ndim))
    inverse = tl.rsqrt(tl.mean(x * x, axes, True) + epsilon)
    return x * inverse, inverse


@onnx_op("SimplifiedLayerNormalization")
def simplified_layer_normalization(
    x: Tensor, scale: Tensor, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> tuple[Tensor, Tensor]:
    """``x / sqrt(mean(x^2) + epsilon) * scale``, in the dtype of ``scale``, and the factor.

    Written into the domain of ai.onnx, though ONNX does not define it.
    """
    expect("X", x, None, FLOATS)
    if not -x.ndim <= axis < x.ndim:
        raise OnnxError(f"expected axis within {x.ndim} dimensions, got {axis}")
    expect("scale", scale, tuple(x.shape[axis:]), FLOATS)
    y, inverse = root_mean_square(widened(x), axis, epsilon)
    return (y * widened(scale)).to(scale.dtype), inverse.float()


@onnx_op("GatedRMSNorm", domain=MICROSOFT)
def gated_rms_norm(
    x: Tensor, scale: Tensor, gate: Tensor, *, activation: str = "silu", epsilon: float = 1e-5
) -> Tensor:
    """``x / sqrt(mean(x^2) + epsilon) * scale * activation(gate)`` over groups of its length."""
    expect("X", x, None, UP_TO_FLOAT32)
    expect("scale", scale, ("channels",), (x.dtype,))
    expect("gate", gate, tuple(x.shape), (x.dtype,))
    gates = {"silu": F.silu, "swish": F.silu, "sigmoid": tl.sigmoid}
    if activation not in gates:
        raise OnnxError(f"expected activation to be one of {', '.join(gates)}, got {activation!r}")
    size = scale.shape[0]
    if not size or x.ndim == 0 or x.shape[-1] % size:
        raise OnnxError(
            f"expected the last size of X to be a multiple of that of scale, got {tuple(x.shape)} "
            f"and {tuple(scale.shape)}"
        )
    groups = x.float().reshape(*x.shape[:-1], x.shape[-1] // size, size)
    y = (root_mean_square(groups, -1, epsilon)[0] * scale.float()).reshape(x.shape)
    return (y * gates[activation](gate.float())).to(x.dtype)


@onnx_op("GroupNorm", domain=MICROSOFT)
def group_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    *,
    activation: int,
    channels_last: int = 1,
    epsilon: float = 1e-5,
    groups: int,
) -> Tensor:
    """Group normalisation of images, channels last, then SiLU if ``activation`` is 1."""
    expect("X", x, ("batch", "height", "width", "channels"), UP_TO_FLOAT32)
    if activation not in (0, 1):
        raise OnnxError(f"expected activation to be 0 (none) or 1 (SiLU), got {activation}")
    first = widened(x.movedim(-1, 1) if channels_last else x)
    channels = (first.shape[1],)
    scale = widened(expect("gamma", gamma, channels, UP_TO_FLOAT32))
    shift = widened(expect("beta", beta, channels, UP_TO_FLOAT32))
    y = F.group_norm(first, groups, scale, shift, epsilon)
    y = F.silu(y) if activation else y
    return (y.movedim(1, -1) if channels_last else y).to(x.dtype)


@onnx_op("SkipGroupNorm", domain=MICROSOFT)
def skip_group_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    skip: Tensor,
    bias: Tensor | None = None,
    *,
    activation: int,
    channels_last: int = 1,
    epsilon: float = 1e-5,
    groups: int,
) -> tuple[Tensor, Tensor]:
    """:func:`group_norm` of ``x + skip + bias``, and that sum."""
    expect("X", x, ("batch", "height", "width", "channels"), UP_TO_FLOAT32)
    batch, channels = x.shape[0], x.shape[-1 if channels_last else 1]
    around = (batch, 1, 1, channels) if channels_last else (batch, channels, 1, 1)
    if expect("skip", skip, None, (x.dtype,)).ndim == 2:
        skip = expect("skip", skip, (batch, channels)).reshape(*around)
    if tuple(skip.shape) not in (tuple(x.shape), around):
        raise OnnxError(
            f"expected skip of shape {tuple(x.shape)}, {around} or {(batch, channels)}, got "
            f"{tuple(skip.shape)}"
        )
    total = x + skip
    if bias is not None:
        expect("bias", bias, (channels,), (x.dtype,))
        total = total + (bias if channels_last else bias.reshape(-1, 1, 1))
    y = group_norm(
        total,
        gamma,
        beta,
        activation=activation,
        channels_last=channels_last,
        epsilon=epsilon,
        groups=groups,
    )
    return y, total
