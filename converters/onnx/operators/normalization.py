"""Normalisation: batch, instance, layer, group, RMS, Lp, LRN, mean and variance."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ..registry import onnx_op

Consumed = list[int] | None


def _along_channels(x: Tensor, ndim: int) -> Tensor:
    return x.reshape(-1, *[1] * (ndim - 2))


@onnx_op("BatchNormalization", since=14)
def batch_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * scale + bias`` per channel."""
    if not training_mode:
        return F.batch_norm(x, mean, variance, scale, bias, eps=epsilon).to(x.dtype)
    axes = [i for i in range(x.ndim) if i != 1]
    now, spread = tl.mean(x, axes), tl.var(x, axes, correction=0)
    y = F.batch_norm(x, now, spread, scale, bias, eps=epsilon)
    running = mean * momentum + now * (1 - momentum)
    return y, running, variance * momentum + spread * (1 - momentum)


@onnx_op("BatchNormalization")
def batch_normalization_1(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
    is_test: int = 0,
    consumed_inputs: Consumed = None,
) -> Tensor:
    """Without ``spatial`` every activation has its own mean and variance."""
    if spatial:
        return F.batch_norm(x, mean, variance, scale, bias, eps=epsilon)
    return (x - mean) / tl.sqrt(variance + epsilon) * scale + bias


@onnx_op("InstanceNormalization")
def instance_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    epsilon: float = 1e-5,
    consumed_inputs: Consumed = None,
) -> Tensor:
    return F.instance_norm(x, weight=scale, bias=bias, eps=epsilon)


@onnx_op("LayerNormalization")
def layer_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
    n_outputs: int = 1,
) -> Any:
    """Over the dimensions from ``axis`` on; also gives the mean and 1 / deviation if asked."""
    axis = axis % x.ndim
    sizes = list(x.shape[axis:])
    if (
        n_outputs == 1
        and list(scale.shape) == sizes
        and (bias is None or list(bias.shape) == sizes)
    ):
        return F.layer_norm(x, sizes, scale, bias, epsilon)
    wide = x.float() if x.dtype.is_half else x
    axes = list(range(axis, x.ndim))
    mean = tl.mean(wide, axes, True)
    inverse = tl.rsqrt(tl.mean((wide - mean) ** 2, axes, True) + epsilon)
    y = ((wide - mean) * inverse).to(x.dtype) * scale
    return y if bias is None else y + bias, mean, inverse


@onnx_op("RMSNormalization")
def rms_normalization(
    x: Tensor, scale: Tensor, *, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> Tensor:
    """``x / sqrt(mean(x^2) + epsilon) * scale`` over the dimensions from ``axis`` on."""
    wide = x.float() if x.dtype.is_half else x
    axes = list(range(axis % x.ndim, x.ndim))
    inverse = tl.rsqrt(tl.mean(wide * wide, axes, True) + epsilon)
    return ((wide * inverse).to(x.dtype) * scale).to(scale.dtype)


@onnx_op("GroupNormalization", since=21)
def group_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    epsilon: float = 1e-5,
    num_groups: int,
    stash_type: int = 1,
) -> Tensor:
    return F.group_norm(x, num_groups, scale, bias, epsilon)


@onnx_op("GroupNormalization")
def group_normalization_18(
    x: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float = 1e-5, num_groups: int
) -> Tensor:
    """Opset 18: one scale and bias per group."""
    y = F.group_norm(x, num_groups, eps=epsilon)
    each = x.shape[1] // num_groups
    scale, bias = scale.repeat_interleave(each), bias.repeat_interleave(each)
    return y * _along_channels(scale, x.ndim) + _along_channels(bias, x.ndim)


@onnx_op("LRN")
def lrn(
    x: Tensor, *, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0, size: int
) -> Tensor:
    """``x / (bias + alpha / size * sum of squares over neighbouring channels) ** beta``."""
    low, high = (size - 1) // 2, size // 2
    square = x * x
    sums = tl.zeros_like(x)
    for channel in range(x.shape[1]):
        near = square[:, max(channel - low, 0) : channel + high + 1]
        sums[:, channel] = tl.sum(near, 1)
    return x / (bias + alpha / size * sums) ** beta


@onnx_op("LpNormalization")
def lp_normalization(x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    length = tl.sum(tl.abs(x), axis, True) if p == 1 else tl.sqrt(tl.sum(x * x, axis, True))
    return tl.where(length == 0, 0.0, x / length)


@onnx_op("MeanVarianceNormalization")
def mean_variance_normalization(x: Tensor, *, axes: list[int] | None = None) -> Tensor:
    along = axes if axes is not None else [0, 2, 3]
    mean = tl.mean(x, along, True)
    deviation = tl.sqrt(tl.mean(x * x, along, True) - mean * mean)
    return (x - mean) / (deviation + 1e-9)
