"""Activation functions, and softmax in its two meanings."""

from __future__ import annotations

import numpy as np

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import axis_in, broadcastable
from .half_softmax import half_softmax


@onnx_op("LeakyRelu")
def leaky_relu(x: Tensor, *, alpha: float = 0.01) -> Tensor:
    return F.leaky_relu(x, alpha)


@onnx_op("Elu")
def elu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    return F.elu(x, alpha)


@onnx_op("Celu")
def celu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    return F.celu(x, alpha)


@onnx_op("Selu", since=6)
def selu(
    x: Tensor,
    *,
    alpha: float = 1.67326319217681884765625,
    gamma: float = 1.05070102214813232421875,
) -> Tensor:
    return gamma * tl.where(x > 0, x, alpha * tl.expm1(x))


@onnx_op("Selu")
def selu_1(x: Tensor, *, alpha: float = 1.6732, gamma: float = 1.0507) -> Tensor:
    return selu(x, alpha=alpha, gamma=gamma)


@onnx_op("PRelu", since=7)
def p_relu(x: Tensor, slope: Tensor) -> Tensor:
    broadcastable("slope", slope, tuple(x.shape))
    return tl.where(x < 0, x * slope, x)


@onnx_op("PRelu")
def p_relu_1(x: Tensor, slope: Tensor) -> Tensor:
    """Before opset 7 the slope is one number, or one per channel."""
    channels = x.shape[1] if x.ndim > 1 else 1
    if slope.numel() not in (1, channels):
        raise OnnxError(f"expected 1 or {channels} slopes, got shape {tuple(slope.shape)}")
    along = [1] * x.ndim
    along[1:2] = [slope.numel()] if x.ndim > 1 else []
    return p_relu(x, slope.reshape(along))


@onnx_op("ThresholdedRelu")
def thresholded_relu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    return tl.where(x > alpha, x, tl.zeros_like(x))


@onnx_op("HardSigmoid")
def hard_sigmoid(x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    return tl.clamp(x * alpha + beta, 0, 1)


@onnx_op("HardSwish")
def hard_swish(x: Tensor) -> Tensor:
    return F.hardswish(x)


@onnx_op("Softplus")
def softplus(x: Tensor) -> Tensor:
    return tl.logaddexp(x, tl.zeros_like(x))


@onnx_op("Mish")
def mish(x: Tensor) -> Tensor:
    return F.mish(x)


@onnx_op("Gelu")
def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    return F.gelu(x, approximate=approximate)


@onnx_op("Swish")
def swish(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    return x * tl.sigmoid(x * alpha)


@onnx_op("Shrink")
def shrink(x: Tensor, *, bias: float = 0.0, lambd: float = 0.5) -> Tensor:
    wide = x if x.is_floating_point() else x.float()
    shrunk = tl.where(wide < -lambd, wide + bias, tl.where(wide > lambd, wide - bias, 0.0))
    return shrunk.to(x.dtype)


@onnx_op("Affine")
def affine(x: Tensor, *, alpha: float = 1.0, beta: float = 0.0) -> Tensor:
    return x * alpha + beta


@onnx_op("ScaledTanh")
def scaled_tanh(x: Tensor, *, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    return tl.tanh(x * beta) * alpha


@onnx_op("ParametricSoftplus")
def parametric_softplus(x: Tensor, *, alpha: float = 1.0, beta: float = 1.0) -> Tensor:
    return softplus(x * beta) * alpha


@onnx_op("Softmax", since=13)
def softmax(x: Tensor, *, axis: int = -1) -> Tensor:
    return half_softmax(x, axis) if x.dtype.is_half else tl.softmax(x, axis)


@onnx_op("LogSoftmax", since=13)
def log_softmax(x: Tensor, *, axis: int = -1) -> Tensor:
    return tl.log_softmax(x, axis)


@onnx_op("Hardmax", since=13)
def hardmax(x: Tensor, *, axis: int = -1) -> Tensor:
    """One where the first maximum along the axis stands, zero elsewhere."""
    place = tl.argmax(x, axis, True)
    return tl.scatter(tl.zeros_like(x), axis, place, tl.ones_like(x))


def _flat(x: Tensor, axis: int) -> Tensor:
    axis = axis_in(axis, x)
    return x.reshape(x.shape[:axis].numel(), x.shape[axis:].numel())


@onnx_op("Softmax")
def softmax_1(x: Tensor, *, axis: int = 1) -> Tensor:
    """Before opset 13 all dimensions from ``axis`` on are one."""
    return tl.softmax(_flat(x, axis), 1).reshape(x.shape)


@onnx_op("LogSoftmax")
def log_softmax_1(x: Tensor, *, axis: int = 1) -> Tensor:
    return tl.log_softmax(_flat(x, axis), 1).reshape(x.shape)


@onnx_op("Hardmax")
def hardmax_1(x: Tensor, *, axis: int = 1) -> Tensor:
    return hardmax(_flat(x, axis), axis=1).reshape(x.shape)


@onnx_op("Dropout", since=12)
def dropout(
    x: Tensor,
    ratio: Tensor | None = None,
    training: Tensor | None = None,
    *,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Does nothing, unless the model says that it is training.

    A seed gives the mask that ONNX's reference has for it: the Mersenne twister's doubles.
    """
    mask = tl.ones(list(x.shape), dtype=tl.bool, device=x.device)
    rate = 0.5 if ratio is None else float(ratio.item())
    if training is None or not training.item() or rate == 0:
        return x, mask
    if seed is None:
        mask = tl.rand(list(x.shape), device=x.device) >= rate
    else:
        drawn = np.random.RandomState(seed).uniform(0, 1, tuple(x.shape))
        mask = tl.from_numpy(drawn).to(x.device) >= rate
    return x * mask.to(x.dtype) / (1 - rate), mask


@onnx_op("Dropout", since=10)
def dropout_10(x: Tensor, *, ratio: float = 0.5) -> tuple[Tensor, Tensor]:
    return x, tl.ones(list(x.shape), dtype=tl.bool, device=x.device)


@onnx_op("Dropout")
def dropout_1(x: Tensor, *, ratio: float = 0.5, is_test: int = 0) -> tuple[Tensor, Tensor]:
    """Nothing: before opset 12 no node trains here, whatever ``is_test`` says."""
    return x, tl.ones_like(x)
