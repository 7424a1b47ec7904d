"""Products and convolutions that an optimiser has merged with what stood around them."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..convolution import conv
from ..expected import FLOATS, UP_TO_FLOAT32, expect, one_of
from ..matrix import gemm
from .activation import MICROSOFT, activated, fast_gelu

Ints = list[int] | None


@onnx_op("FusedMatMul", "TransposeMatMul", domain=MICROSOFT)
def fused_mat_mul(
    a: Tensor,
    b: Tensor,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    transBatchA: int = 0,
    transBatchB: int = 0,
) -> Tensor:
    """``alpha * A' @ B'``, where A' and B' are transposed as asked; vectors never are."""
    expect("A", a, None, FLOATS)
    expect("B", b, None, (a.dtype,))
    product = tl.matmul(_turned(a, transA, transBatchA), _turned(b, transB, transBatchB))
    return product if alpha == 1 else product * alpha


def _turned(x: Tensor, rows: int, batch: int) -> Tensor:
    """The first dimension brought behind the batch, then the last two exchanged."""
    if x.ndim < 2:
        return x
    x = x.movedim(0, -2) if batch else x
    return x.transpose(-1, -2) if rows else x


@onnx_op("FusedMatMulActivation", domain=MICROSOFT)
def fused_mat_mul_activation(
    a: Tensor,
    b: Tensor,
    *,
    activation: str,
    activation_alpha: float | None = None,
    activation_axis: int | None = None,
    activation_beta: float | None = None,
    activation_gamma: float | None = None,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    transBatchA: int = 0,
    transBatchB: int = 0,
) -> Tensor:
    """:func:`fused_mat_mul`, then an activation or a softmax along ``activation_axis``."""
    y = fused_mat_mul(
        a,
        b,
        alpha=alpha,
        transA=transA,
        transB=transB,
        transBatchA=transBatchA,
        transBatchB=transBatchB,
    )
    if activation in ("Softmax", "LogSoftmax"):
        along = tl.softmax if activation == "Softmax" else tl.log_softmax
        return along(y, -1 if activation_axis is None else activation_axis)
    parameters = {"alpha": activation_alpha, "beta": activation_beta, "gamma": activation_gamma}
    return activated(y, activation, parameters)


@onnx_op("FusedGemm", domain=MICROSOFT)
def fused_gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    activation: str,
    activation_alpha: float | None = None,
    activation_beta: float | None = None,
    activation_gamma: float | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """``activation(alpha * A' @ B' + beta * C)``."""
    expect("A", a, ("rows", "columns"))
    expect("B", b, ("rows", "columns"), (a.dtype,))
    y = gemm(a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)
    parameters = {"alpha": activation_alpha, "beta": activation_beta, "gamma": activation_gamma}
    return activated(y, activation, parameters)


@onnx_op("GemmFastGelu", domain=MICROSOFT)
def gemm_fast_gelu(x: Tensor, w: Tensor, bias: Tensor | None = None) -> Tensor:
    expect("X", x, None, UP_TO_FLOAT32)
    return fast_gelu(tl.matmul(x, expect("W", w, ("rows", "columns"), (x.dtype,))), bias)


CONV_ACTIVATIONS = ("Relu", "Tanh", "Sigmoid", "HardSwish", "LeakyRelu", "Clip", "HardSigmoid")
_CONV_PARAMETERS = {"LeakyRelu": 1, "Clip": 2, "HardSigmoid": 2}


def _conv_activated(y: Tensor, activation: str, parameters: list[float] | None) -> Tensor:
    if not activation:
        return y
    one_of("activation", activation, CONV_ACTIVATIONS)
    values, count = parameters or [], _CONV_PARAMETERS.get(activation, 0)
    if count and len(values) != count:
        raise OnnxError(f"activation {activation}: {len(values)} activation_params, not {count}")
    if activation == "Clip":
        return tl.clamp(y, *values)
    return activated(y, activation, dict(zip(("alpha", "beta"), values[:count], strict=False)))


@onnx_op("FusedConv", domain=MICROSOFT)
def fused_conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    z: Tensor | None = None,
    *,
    activation: str = "",
    activation_params: list[float] | None = None,
    **attributes: Any,
) -> Tensor:
    """``activation(Conv(x, w, b) + z)``."""
    y = conv(x, w, b, **attributes)
    if z is not None:
        y = y + expect("Z", z, tuple(y.shape), (y.dtype,))
    return _conv_activated(y, activation, activation_params)


@onnx_op("NhwcConv", "NhwcFusedConv", domain=MICROSOFT)
def nhwc_fused_conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    z: Tensor | None = None,
    *,
    activation: str = "",
    activation_params: list[float] | None = None,
    **attributes: Any,
) -> Tensor:
    """:func:`fused_conv` of images whose last dimension is the channels."""
    y = fused_conv(
        x.movedim(-1, 1),
        w,
        b,
        None if z is None else z.movedim(-1, 1),
        activation=activation,
        activation_params=activation_params,
        **attributes,
    )
    return y.movedim(1, -1)
