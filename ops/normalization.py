"""Normalisation: batch, layer, group, instance, RMS, local response, and vectors to length one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import TOP, Array, F, op


@op(spaces=F)
def batch_norm(
    xp: Any,
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel of (N, C, ...).

    With ``training`` the mean and variance are the batch's, and the running ones are updated in
    place. Raises ShapeError and ArgumentError. Source: PyTorch
    ``torch.nn.functional.batch_norm`` (Ioffe & Szegedy, 2015).

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1.0], [3.0]])
    >>> tl.nn.functional.batch_norm(x, tl.tensor([2.0]), tl.tensor([1.0]), eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    _floats(input, "batch_norm")
    if input.size == 0:
        return input.copy()
    channels = _channels(input, "batch_norm", running_mean, running_var, weight, bias)
    if training:
        axes = (0, *range(2, input.ndim))
        if input.size // max(channels, 1) <= 1:
            raise ShapeError(
                "batch_norm: training needs more than one value per channel, got shape "
                f"{tuple(input.shape)}; call eval() for inference"
            )
        mean, var = _moments(wide(input), axes)
        _update(running_mean, running_var, mean, var, momentum, input.size // channels)
    elif running_mean is None or running_var is None:
        raise ArgumentError("batch_norm: without training a running mean and variance are needed")
    else:
        mean, var = wide(running_mean), wide(running_var)
    x = wide(input)
    scale = 1 / xp.sqrt(var + eps)
    if weight is not None:
        scale = scale * wide(weight)
    shift = -mean * scale if bias is None else wide(bias) - mean * scale
    each = (channels, *[1] * (input.ndim - 2))
    result = x * scale.reshape(each).astype(x.dtype, copy=False)
    result += shift.reshape(each).astype(x.dtype, copy=False)
    return result.astype(input.dtype, copy=False)


@op(spaces=(F, TOP))
def layer_norm(
    xp: Any,
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions.

    ``normalized_shape`` must be the end of the input's shape, and weight's and bias's shape.
    Raises ShapeError. Source: PyTorch ``torch.nn.functional.layer_norm`` (Ba et al., 2016).

    >>> import tensorlite as tl
    >>> tl.nn.functional.layer_norm(tl.tensor([1.0, 3.0]), (2,), eps=0.0)
    tensor([-1.,  1.])
    """
    _floats(input, "layer_norm")
    axes = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    x = wide(input)
    result = x - x.mean(axis=axes, keepdims=True)
    result /= xp.sqrt((result * result).mean(axis=axes, keepdims=True) + eps)
    if weight is not None:
        result *= wide(weight)
    if bias is not None:
        result += wide(bias)
    return result.astype(input.dtype, copy=False)


@op(spaces=(F, TOP))
def rms_norm(
    xp: Any,
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    eps: float | None = None,
) -> Array:
    """``x / sqrt(mean(x * x) + eps) * weight`` over the last dimensions.

    Without ``eps`` it is the smallest step of the dtype. Raises ShapeError.
    Source: PyTorch ``torch.nn.functional.rms_norm`` (Zhang & Sennrich, 2019).

    >>> import tensorlite as tl
    >>> tl.nn.functional.rms_norm(tl.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    _inexact(input, "rms_norm")
    axes = _last_axes("rms_norm", input, normalized_shape, weight)
    x = wide(input)
    if eps is None:
        eps = float(np.finfo(x.real.dtype).eps)
    square = (x * x).mean(axis=axes, keepdims=True)
    result = x / xp.sqrt(square + eps)
    if weight is not None:
        result = result * wide(weight)
    return result.astype(input.dtype, copy=False)


@op(spaces=(F, TOP))
def group_norm(
    xp: Any,
    input: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Each sample's channels in groups, each group normalised to mean 0 and variance 1.

    Input (N, C, ...), weight and bias (C,). Raises ShapeError.
    Source: PyTorch ``torch.nn.functional.group_norm`` (Wu & He, 2018).

    >>> import tensorlite as tl
    >>> tl.nn.functional.group_norm(tl.tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=1e-12)
    tensor([[-1.,  1.,  0.,  0.]])
    """
    _floats(input, "group_norm")
    channels = _channels(input, "group_norm", weight, bias)
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(f"group_norm: {channels} channels do not split into {num_groups} groups")
    each = math.prod(input.shape[1:]) // num_groups
    grouped = wide(input).reshape(input.shape[0], num_groups, each)
    result = grouped - grouped.mean(axis=2, keepdims=True)
    result /= xp.sqrt((result * result).mean(axis=2, keepdims=True) + eps)
    return _scaled(result.reshape(input.shape), weight, bias).astype(input.dtype, copy=False)


@op(spaces=F)
def instance_norm(
    xp: Any,
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Each channel of each sample normalised to mean 0 and variance 1 over its positions.

    Input (N, C, ...). With ``use_input_stats`` running statistics, if given, are updated in
    place; without it they are used. Raises ShapeError. Source: PyTorch
    ``torch.nn.functional.instance_norm`` (Ulyanov et al., 2016).

    >>> import tensorlite as tl
    >>> tl.nn.functional.instance_norm(tl.tensor([[[1.0, 3.0]]]), eps=0.0)
    tensor([[[-1.,  1.]]])
    """
    _floats(input, "instance_norm")
    channels = _channels(input, "instance_norm", running_mean, running_var, weight, bias)
    x = wide(input)
    axes = tuple(range(2, input.ndim))
    if use_input_stats:
        positions = math.prod(input.shape[2:])
        if positions <= 1:
            raise ShapeError(
                "instance_norm: expected more than one position per channel, got shape "
                f"{tuple(input.shape)}"
            )
        mean, var = _moments(x, axes)
        batch_mean, batch_var = mean.mean(axis=0), var.mean(axis=0)
        _update(running_mean, running_var, batch_mean, batch_var, momentum, positions)
    elif running_mean is None or running_var is None:
        raise ArgumentError("instance_norm: without use_input_stats running ones are needed")
    else:
        mean, var = wide(running_mean)[None], wide(running_var)[None]
    each = (-1, channels, *[1] * (input.ndim - 2))
    result = (x - mean.reshape(each)) / xp.sqrt(var.reshape(each) + eps)
    return _scaled(result, weight, bias).astype(input.dtype, copy=False)


@op(spaces=F, promote="input", floating=True, upcast=True)
def local_response_norm(
    xp: Any, input: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """``x / (k + alpha * mean of x * x over size channels) ** beta``, for (N, C, ...).

    Source: PyTorch ``torch.nn.functional.local_response_norm`` (Krizhevsky et al., 2012).

    >>> import tensorlite as tl
    >>> tl.nn.functional.local_response_norm(tl.ones(1, 2, 1), 1, alpha=1.0, beta=1.0)
    tensor([[[0.5000],
             [0.5000]]])
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected (N, C, ...), got {tuple(input.shape)}")
    if input.size == 0:
        return input
    channels = input.shape[1]
    before = size // 2
    squares = xp.zeros((input.shape[0], channels + size, *input.shape[2:]), input.dtype)
    squares[:, before + 1 : before + 1 + channels] = input * input
    window = sum(squares[:, i + 1 : i + 1 + channels] for i in range(size))
    return input / (k + (alpha / size) * window) ** beta


@op(spaces=F)
def normalize(
    input: Array, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Array | None = None
) -> Array:
    """``x / max(norm(x), eps)`` along ``dim``, with the p-norm.

    Source: PyTorch ``torch.nn.functional.normalize``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.normalize(tl.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps)


def wide(array: Array) -> Array:
    """A 16-bit float array in float32; others as they are."""
    return array.astype(np.float32) if dtype_of(array).is_half else array


def _moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    mean = x.mean(axis=axes, keepdims=True)
    centred = x - mean
    var = (centred * centred).mean(axis=axes)
    return mean.reshape(var.shape), var


def _update(
    running_mean: Array | None,
    running_var: Array | None,
    mean: Array,
    var: Array,
    momentum: float,
    count: int,
) -> None:
    """Moves the running statistics, in place, towards the batch's (variance unbiased)."""
    unbiased = var * (count / (count - 1))
    for running, value in ((running_mean, mean), (running_var, unbiased)):
        if running is not None:
            running[...] = ((1 - momentum) * wide(running) + momentum * value).astype(running.dtype)


def _scaled(x: Array, weight: Array | None, bias: Array | None) -> Array:
    """``x * weight + bias`` per channel, in place."""
    each = (x.shape[1], *[1] * (x.ndim - 2))
    if weight is not None:
        x *= wide(weight).reshape(each)
    if bias is not None:
        x += wide(bias).reshape(each)
    return x


def _channels(input: Array, name: str, *per_channel: Array | None) -> int:
    if input.ndim < 2:
        raise ShapeError(f"{name}: expected (N, C, ...), got shape {tuple(input.shape)}")
    channels = int(input.shape[1])
    for array in per_channel:
        if array is not None and array.size != channels:
            raise ShapeError(
                f"{name}: expected one value for each of the {channels} channels of "
                f"{tuple(input.shape)}, got {tuple(array.shape)}"
            )
    return channels


def _last_axes(
    name: str, input: Array, normalized_shape: Sequence[int], *affine: Array | None
) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        normalized_shape = (normalized_shape,)
    shape = tuple(int(s) for s in normalized_shape)
    start = input.ndim - len(shape)
    if not shape or start < 0 or tuple(input.shape[start:]) != shape:
        raise ShapeError(
            f"{name}: normalized_shape {shape} is not the end of the input's shape "
            f"{tuple(input.shape)}"
        )
    for array in affine:
        if array is not None and tuple(array.shape) != shape:
            raise ShapeError(f"{name}: expected weight and bias {shape}, got {tuple(array.shape)}")
    return tuple(range(start, input.ndim))


def _floats(input: Array, name: str) -> None:
    found: Dtype = dtype_of(input)
    if not found.is_floating_point:
        raise DTypeError(f"{name}: expected floats, got {found.name}")


def _inexact(input: Array, name: str) -> None:
    found: Dtype = dtype_of(input)
    if not (found.is_floating_point or found.is_complex):
        raise DTypeError(f"{name}: expected floats, got {found.name}")
