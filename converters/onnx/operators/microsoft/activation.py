"""Activations of ``com.microsoft``: GELU in its forms, and activations named by other operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from .. import activation
from ..expected import FLOATS, UP_TO_FLOAT32, expect, one_of

MICROSOFT = "com.microsoft"


@onnx_op("Gelu", domain=MICROSOFT)
def gelu(x: Tensor) -> Tensor:
    return F.gelu(expect("X", x, None, FLOATS))


@onnx_op("FastGelu", domain=MICROSOFT)
def fast_gelu(x: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y (1 + tanh(sqrt(2 / pi) (y + 0.044715 y^3))) / 2`` of ``y = x + bias``."""
    expect("X", x, None, FLOATS)
    return F.gelu(x if bias is None else x + _along_last(bias, x), approximate="tanh")


@onnx_op("BiasGelu", domain=MICROSOFT)
def bias_gelu(x: Tensor, bias: Tensor) -> Tensor:
    expect("A", x, None, FLOATS)
    return F.gelu(x + _along_last(bias, x))


@onnx_op("QuickGelu", domain=MICROSOFT)
def quick_gelu(x: Tensor, *, alpha: float = 1.702) -> Tensor:
    """``x * sigmoid(alpha * x)``, half precision in float32."""
    expect("X", x, None, FLOATS)
    wide = x.float() if x.dtype.is_half else x
    return (wide * tl.sigmoid(wide * alpha)).to(x.dtype)


@onnx_op("BiasSplitGelu", domain=MICROSOFT)
def bias_split_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """The left half of ``x + bias`` times GELU of the right half."""
    expect("X", x, ("batch", "image_size", "hidden"), UP_TO_FLOAT32)
    if x.shape[2] % 2:
        raise OnnxError(f"expected X with an even last size, got {tuple(x.shape)}")
    left, right = tl.chunk(x + _along_last(bias, x), 2, -1)
    return left * F.gelu(right)


@onnx_op("BiasAdd", domain=MICROSOFT)
def bias_add(x: Tensor, bias: Tensor, skip: Tensor) -> Tensor:
    expect("X", x, ("batch", "image_size", "channels"), UP_TO_FLOAT32)
    return x + _along_last(bias, x) + expect("skip", skip, tuple(x.shape), (x.dtype,))


@onnx_op("BiasSoftmax", domain=MICROSOFT)
def bias_softmax(x: Tensor, bias: Tensor, *, axis: int = 1, is_inner_broadcast: int) -> Tensor:
    """``softmax(x + bias)`` over all dimensions from ``axis`` on.

    The bias lacks leading dimensions, or (``is_inner_broadcast``) has some of size 1.
    """
    expect("bias", bias, None, (expect("data", x, None, FLOATS).dtype,))
    if not -x.ndim <= axis < x.ndim:
        raise OnnxError(f"expected axis within {x.ndim} dimensions, got {axis}")
    axis = axis % x.ndim
    scores = (x + bias).reshape(x.shape[:axis].numel(), x.shape[axis:].numel())
    return tl.softmax(scores, 1).reshape(x.shape)


@onnx_op("ScaledSiLU", domain=MICROSOFT)
def scaled_silu(x: Tensor, scale: Tensor | None = None, *, alpha: float = 1.0) -> Tensor:
    """``z * sigmoid(z)`` of ``z = scale * x``, each step rounded to the dtype of ``x``."""
    expect("X", x, None, UP_TO_FLOAT32)
    factor: Any = alpha
    if scale is not None:
        if expect("scale", scale, None, UP_TO_FLOAT32).numel() != 1:
            raise OnnxError(f"expected a scalar as scale, got shape {tuple(scale.shape)}")
        factor = scale.float().reshape(())
    z = (x.float() * factor).to(x.dtype)
    return z * tl.sigmoid(z)


@onnx_op("SwiGLU", domain=MICROSOFT)
def swiglu(
    gate: Tensor,
    up: Tensor | None = None,
    *,
    activation_alpha: float = 1.0,
    activation_beta: float = 0.0,
    limit: float = 0.0,
    round_activation: int = 0,
) -> Tensor:
    """``g * sigmoid(alpha * g) * (l + beta)`` of gate ``g`` and ``l``, clamped by a limit above 0.

    Without ``up`` the gate's last dimension holds both halves.
    """
    expect("gate", gate, None, UP_TO_FLOAT32)
    if up is not None:
        expect("up", up, tuple(gate.shape), (gate.dtype,))
        halves = gate.float(), up.float()
    else:
        if gate.ndim == 0 or gate.shape[-1] % 2:
            raise OnnxError(
                f"expected gate with an even last size where up is absent, got {tuple(gate.shape)}"
            )
        left, right = tl.chunk(gate.float(), 2, -1)
        halves = left, right
    bound = limit if limit > 0 else None
    y = gated(*halves, activation_alpha, bound)
    y = y.to(gate.dtype).float() if round_activation else y
    return (y * _shifted(halves[1], activation_beta, bound)).to(gate.dtype)


def gated_product(
    gate: Tensor, up: Tensor, alpha: float, beta: float, limit: float | None
) -> Tensor:
    """``g * sigmoid(alpha * g) * (l + beta)``: SwiGLU with its clamps."""
    return gated(gate, up, alpha, limit) * _shifted(up, beta, limit)


def gated(gate: Tensor, up: Tensor, alpha: float, limit: float | None) -> Tensor:
    """``g * sigmoid(alpha * g)`` of the clamped gate."""
    gate = gate if limit is None else tl.clamp(gate, max=limit)
    return gate * tl.sigmoid(gate * alpha)


def _shifted(up: Tensor, beta: float, limit: float | None) -> Tensor:
    up = up if limit is None else tl.clamp(up, -limit, limit)
    return up + beta if beta else up


def _along_last(bias: Tensor, x: Tensor) -> Tensor:
    """A bias along the last dimension of ``x``."""
    return expect("bias", bias, tuple(x.shape[-1:]), (x.dtype,))


Activation = Callable[..., Tensor]
_BY_NAME: dict[str, tuple[Activation, tuple[str, ...]]] = {
    "Affine": (activation.affine, ("alpha", "beta")),
    "Celu": (activation.celu, ("alpha",)),
    "Elu": (activation.elu, ("alpha",)),
    "HardSigmoid": (activation.hard_sigmoid, ("alpha", "beta")),
    "HardSwish": (activation.hard_swish, ()),
    "LeakyRelu": (activation.leaky_relu, ("alpha",)),
    "ParametricSoftplus": (activation.parametric_softplus, ("alpha", "beta")),
    "Relu": (F.relu, ()),
    "ScaledTanh": (activation.scaled_tanh, ("alpha", "beta")),
    "Selu": (activation.selu, ("alpha", "gamma")),
    "Sigmoid": (tl.sigmoid, ()),
    "Softplus": (activation.softplus, ()),
    "Softsign": (F.softsign, ()),
    "Tanh": (tl.tanh, ()),
    "ThresholdedRelu": (activation.thresholded_relu, ("alpha",)),
}


def activated(y: Tensor, name: str, parameters: dict[str, float | None]) -> Tensor:
    """``y`` through the activation of that ONNX name; an absent parameter has ONNX's default.

    Raises OnnxError for an unknown name or a parameter that the activation does not have.
    """
    one_of("activation", name, tuple(_BY_NAME))
    function, known = _BY_NAME[name]
    return function(y, **{k: v for k, v in parameters.items() if v is not None and k in known})
