"""Normalisation: batch, instance, layer, group, RMS, Lp, LRN, mean and variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import axis_in, expect


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
    """``(x - mean) / sqrt(variance + epsilon) * scale + bias`` per channel.

    In training the mean and the variance are the batch's; the running ones follow them.
    """
    _per_channel(x, scale=scale, B=bias, input_mean=mean, input_var=variance)
    if not training_mode:
        return _normalized(x, mean, variance, scale, bias, epsilon)
    now, spread = _moments(x)
    y = _normalized(x, now, spread, scale, bias, epsilon)
    return y, _moved(mean, now, momentum), _moved(variance, spread, momentum)


@onnx_op("BatchNormalization", since=9)
def batch_normalization_9(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    n_outputs: int = 1,
) -> Any:
    """Before opset 14 a node trains if it names more outputs than Y.

    These are the running mean and variance, and the batch's.
    """
    if n_outputs == 1:
        return batch_normalization(x, scale, bias, mean, variance, epsilon=epsilon)
    y, *running = batch_normalization(
        x, scale, bias, mean, variance, epsilon=epsilon, momentum=momentum, training_mode=1
    )
    return y, *running, *_moments(x)


@onnx_op("BatchNormalization", since=7)
def batch_normalization_7(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
    n_outputs: int = 1,
) -> Any:
    """Without ``spatial`` every activation is a channel, with its own mean and variance."""
    parameters = [scale, bias, mean, variance]
    options: dict[str, Any] = {
        "epsilon": epsilon, "momentum": momentum, "n_outputs": n_outputs
    }  # fmt: skip
    if spatial:
        return batch_normalization_9(x, *parameters, **options)
    sizes = x.shape[1:]
    for name, parameter in zip(("scale", "B", "mean", "var"), parameters, strict=True):
        if tuple(parameter.shape) not in (tuple(sizes), (sizes.numel(),)):
            raise OnnxError(
                f"expected {name} of shape {tuple(sizes)}, got {tuple(parameter.shape)}"
            )
    flat = [parameter.reshape(-1) for parameter in parameters]
    found = batch_normalization_9(x.reshape(x.shape[0], sizes.numel()), *flat, **options)
    y, *statistics = found if isinstance(found, tuple) else (found,)
    return y.reshape(x.shape), *[s.reshape(scale.shape) for s in statistics]


@onnx_op("BatchNormalization")
def batch_normalization_1(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float = 1e-5,
    is_test: int = 0,
    momentum: float = 0.9,
    spatial: int = 1,
    n_outputs: int = 1,
) -> Any:
    """With ``is_test`` nothing is trained, whatever outputs are named."""
    found = batch_normalization_7(
        x, scale, bias, mean, variance, epsilon=epsilon, momentum=momentum, spatial=spatial,
        n_outputs=1 if is_test else n_outputs,
    )  # fmt: skip
    return found if n_outputs == 1 or not is_test else (*found, mean, variance, mean, variance)


def _per_channel(x: Tensor, **parameters: Tensor) -> None:
    channels = x.shape[1] if x.ndim > 1 else 1
    for name, parameter in parameters.items():
        expect(name, parameter, (channels,))


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the variance of each channel."""
    x = x if x.ndim > 1 else x.unsqueeze(1)
    axes = [i for i in range(x.ndim) if i != 1]
    return tl.mean(x, axes), tl.var(x, axes, correction=0)


def _moved(running: Tensor, now: Tensor, momentum: float) -> Tensor:
    return (running * momentum + now.to(running.dtype) * (1 - momentum)).to(running.dtype)


def _normalized(
    x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, bias: Tensor, epsilon: float
) -> Tensor:
    if x.ndim == 1:  # one channel
        return _normalized(x.unsqueeze(1), mean, variance, scale, bias, epsilon).squeeze(1)
    return F.batch_norm(x, mean, variance, scale, bias, eps=epsilon).to(x.dtype)


@onnx_op("InstanceNormalization")
def instance_normalization(
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    epsilon: float = 1e-5,
) -> Tensor:
    _per_channel(x, scale=scale, B=bias)
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
    square = F.pad(x * x, [0, 0] * (x.ndim - 2) + [low, high])
    sums = square[:, : x.shape[1]]
    for i in range(1, size):
        sums = sums + square[:, i : i + x.shape[1]]
    return x / (bias + alpha / size * sums) ** beta


@onnx_op("LpNormalization")
def lp_normalization(x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    if p not in (1, 2):
        raise OnnxError(f"expected p to be 1 or 2, got {p}")
    length = tl.sum(tl.abs(x), axis, True) if p == 1 else tl.sqrt(tl.sum(x * x, axis, True))
    return tl.where(length == 0, 0.0, x / length)


@onnx_op("MeanVarianceNormalization", since=9)
def mean_variance_normalization(x: Tensor, *, axes: Sequence[int] = (0, 2, 3)) -> Tensor:
    along = [axis_in(axis, x, "axes") for axis in axes]
    centred = x - tl.mean(x, along, True)
    return centred / (tl.sqrt(tl.mean(centred * centred, along, True)) + 1e-9)
