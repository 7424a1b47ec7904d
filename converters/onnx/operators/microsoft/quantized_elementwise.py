"""8-bit arithmetic element by element: operands are dequantised, results quantised again."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..quantization import dequantize_linear, numbers, quantize_linear, saturated
from ..quantized_products import one
from .activation import MICROSOFT


def real(x: Tensor, scale: Tensor, zero: Tensor | None) -> Tensor:
    """``(x - zero) * scale`` in float32, with one scale for all."""
    return dequantize_linear(x, one(scale, "scale"), None if zero is None else _zero(zero))


def quantized(y: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    """``saturate(round(y / scale) + zero)``, with one scale for all."""
    return quantize_linear(y, one(scale, "scale"), _zero(zero))


def _zero(zero: Tensor) -> Tensor:
    return one(zero, "zero point")


def zero_of(zero: Tensor | None, x: Tensor) -> Tensor:
    """The zero point of a result whose dtype is that of ``x``; 0 where absent."""
    if zero is None:
        return tl.zeros((), dtype=x.dtype, device=x.device)
    if zero.dtype is not x.dtype:
        raise OnnxError(f"zero point: expected {x.dtype.name} as the input, got {zero.dtype.name}")
    return _zero(zero)


def centred(x: Tensor, zero: Tensor | None) -> Tensor:
    """``x - zero`` as whole float32."""
    return numbers(x) if zero is None else numbers(x) - numbers(zero_of(zero, x))


def _same_dtype(a: Tensor, b: Tensor) -> None:
    if a.dtype is not b.dtype:
        raise OnnxError(f"expected two operands of one dtype, got {a.dtype.name}, {b.dtype.name}")


@onnx_op("QLinearAdd", domain=MICROSOFT)
def q_linear_add(
    a: Tensor, a_scale: Tensor, a_zero: Tensor | None, b: Tensor, b_scale: Tensor,
    b_zero: Tensor | None, c_scale: Tensor, c_zero: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``(a_scale * (a - a_zero) + b_scale * (b - b_zero)) / c_scale + c_zero``, saturated.

    Computed as ``a * (a_scale / c_scale) + (b * (b_scale / c_scale) + constant)``, each product
    and sum rounded once to float32, as ONNX Runtime's kernels for processors with AVX2 do.
    """
    _same_dtype(a, b)
    scale, zero = one(c_scale, "C_scale"), zero_of(c_zero, a)
    first, second = one(a_scale, "A_scale") / scale, one(b_scale, "B_scale") / scale
    shift = first * numbers(zero_of(a_zero, a)) + second * numbers(zero_of(b_zero, b))
    total = tl.fma(numbers(a), first, tl.fma(numbers(b), second, numbers(zero) - shift))
    return saturated(tl.round(total), zero.dtype)


def rounded_last(y: Tensor, zero: Tensor) -> Tensor:
    """``saturate(round(y + zero))``: halves go to the even sum, as in ONNX Runtime."""
    return saturated(tl.round(y + numbers(zero)), zero.dtype)


@onnx_op("QLinearMul", domain=MICROSOFT)
def q_linear_mul(
    a: Tensor, a_scale: Tensor, a_zero: Tensor | None, b: Tensor, b_scale: Tensor,
    b_zero: Tensor | None, c_scale: Tensor, c_zero: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``(a - a_zero) * (b - b_zero) * a_scale * b_scale / c_scale + c_zero``, saturated."""
    _same_dtype(a, b)
    factor = one(a_scale, "A_scale") * one(b_scale, "B_scale") / one(c_scale, "C_scale")
    return rounded_last(centred(a, a_zero) * centred(b, b_zero) * factor, zero_of(c_zero, a))


@onnx_op("MulInteger", domain=MICROSOFT)
def mul_integer(
    a: Tensor, a_zero: Tensor | None, b: Tensor, b_zero: Tensor | None = None
) -> Tensor:
    """``(a - a_zero) * (b - b_zero)`` in int32."""
    _same_dtype(a, b)
    return (centred(a, a_zero) * centred(b, b_zero)).to(tl.int32)


@onnx_op("QLinearSigmoid", domain=MICROSOFT)
def q_linear_sigmoid(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor,
    y_zero: Tensor | None = None,
) -> Tensor:  # fmt: skip
    return quantized(tl.sigmoid(real(x, x_scale, x_zero)), y_scale, zero_of(y_zero, x))


@onnx_op("QLinearLeakyRelu", domain=MICROSOFT)
def q_linear_leaky_relu(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor,
    y_zero: Tensor | None = None, *, alpha: float = 0.01,
) -> Tensor:  # fmt: skip
    y = F.leaky_relu(real(x, x_scale, x_zero), alpha)
    return quantized(y, y_scale, zero_of(y_zero, x))


@onnx_op("QLinearSoftmax", domain=MICROSOFT)
def q_linear_softmax(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor,
    y_zero: Tensor | None = None, *, axis: int = -1, **attributes: int,
) -> Tensor:  # fmt: skip
    """Softmax as of the ai.onnx opset named: before 13, over all axes from ``axis`` on."""
    if set(attributes) != {"opset"}:
        raise OnnxError(f"expected the attributes axis and opset, got {sorted(attributes)}")
    values, zero = real(x, x_scale, x_zero), zero_of(y_zero, x)
    if attributes["opset"] >= 13:
        return quantized(tl.softmax(values, axis), y_scale, zero)
    rest = tl.Size(x.shape[axis % x.ndim :]).numel()
    y = tl.softmax(values.reshape(-1, rest), 1).reshape(x.shape)
    return quantized(y, y_scale, zero)


@onnx_op("QLinearWhere", domain=MICROSOFT)
def q_linear_where(
    condition: Tensor, x: Tensor, x_scale: Tensor, x_zero: Tensor, y: Tensor, y_scale: Tensor,
    y_zero: Tensor, z_scale: Tensor, z_zero: Tensor,
) -> Tensor:  # fmt: skip
    """Elements of ``x`` or ``y``, brought to the scale of the result."""
    _same_dtype(x, y)
    return tl.where(
        condition,
        rescaled(x, x_scale, x_zero, z_scale, z_zero),
        rescaled(y, y_scale, y_zero, z_scale, z_zero),
    )


def rescaled(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor, y_zero: Tensor
) -> Tensor:
    """``x`` in another scale and zero point."""
    return quantized(real(x, x_scale, x_zero), y_scale, y_zero)


@onnx_op("QLinearConcat", domain=MICROSOFT)
def q_linear_concat(y_scale: Tensor, y_zero: Tensor, *inputs: Any, axis: int) -> Tensor:
    """Tensors, each followed by its scale and zero point, brought to one scale and joined."""
    if not inputs or len(inputs) % 3:
        raise OnnxError(
            f"QLinearConcat: {len(inputs)} inputs; expected triples of tensor, scale, zero point"
        )
    triples = zip(inputs[::3], inputs[1::3], inputs[2::3], strict=True)
    return tl.cat([rescaled(x, scale, zero, y_scale, y_zero) for x, scale, zero in triples], axis)
