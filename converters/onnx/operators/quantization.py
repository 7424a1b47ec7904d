"""Integers that stand for real numbers: quantise, dequantise, and products of such integers."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....dtypes import dtype as Dtype
from ....errors import OnnxError
from ..casting import cast_dtype
from ..registry import onnx_op
from .convolution import conv
from .creation import dtype_of


def _spread(parameter: Tensor, x: Tensor, axis: int, block: int) -> Tensor:
    """A scale or zero point, laid along ``x``: per tensor, per axis or per block of an axis."""
    if parameter.ndim == 0 or (parameter.numel() == 1 and not block):
        return parameter.reshape(())
    axis = axis % max(x.ndim, 1)
    if block:
        repeated = tl.repeat_interleave(parameter, block, dim=axis)
        return repeated.narrow(axis, 0, x.shape[axis])
    return parameter.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _integers(x: Tensor) -> Tensor:
    """4- and 2-bit integers as int8, for arithmetic."""
    return x if x.dtype.numpy.kind in "iu" else cast_dtype(x, tl.int8)


@onnx_op("DequantizeLinear")
def dequantize_linear(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Tensor:
    """``(x - zero_point) * scale``."""
    target = dtype_of(output_dtype or None, scale.dtype)
    wide = x.float() if x.is_floating_point() else _integers(x).int()
    if zero_point is not None:
        zero = zero_point.float() if zero_point.is_floating_point() else _integers(zero_point).int()
        wide = wide - _spread(zero, x, axis, block_size)
    product = wide.float() * _spread(scale.float(), x, axis, block_size)
    return product.to(target)


@onnx_op("QuantizeLinear")
def quantize_linear(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Tensor:
    """``saturate(round(x / scale) + zero_point)``, halves to even."""
    default = tl.uint8 if zero_point is None else zero_point.dtype
    target = dtype_of(output_dtype or None, default)
    # The division is done in the scale's precision, as the specification asks.
    work = dtype_of(precision or None, scale.dtype)
    ratio = (x.to(work) / _spread(scale.to(work), x, axis, block_size)).float()
    if target.is_floating_point:
        if zero_point is not None:
            ratio = ratio + _spread(zero_point.float(), x, axis, block_size)
        return cast_dtype(ratio, target, bool(saturate))
    rounded = tl.round(ratio)
    if zero_point is not None:
        rounded = rounded + _spread(_integers(zero_point).float(), x, axis, block_size)
    return saturated(rounded, target)


def saturated(x: Tensor, target: Dtype) -> Tensor:
    """Whole numbers held as floats or wide integers, clipped into an integer dtype."""
    limits = tl.iinfo(target)
    clipped = tl.clamp(x.double(), limits.min, limits.max)
    return cast_dtype(clipped.long(), target)


@onnx_op("DynamicQuantizeLinear")
def dynamic_quantize_linear(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """To uint8, with scale and zero point from the range of ``x``, which is made to hold 0."""
    low = tl.clamp(x.min(), max=0.0)
    high = tl.clamp(x.max(), min=0.0)
    scale = (high - low) / 255
    if scale.item() == 0:
        scale = tl.ones_like(scale)
    zero = tl.clamp(tl.round(-low / scale), 0, 255)
    y = tl.clamp(tl.round(x / scale) + zero, 0, 255)
    return y.to(tl.uint8), scale, zero.to(tl.uint8)


def centred(x: Tensor, zero_point: Tensor | None, *, rows: bool = False) -> Tensor:
    """``x - zero_point`` in int32; a 1-d zero point runs along the rows or the columns."""
    wide = _integers(x).int()
    if zero_point is None:
        return wide
    zero = _integers(zero_point).int()
    if zero.ndim == 1 and zero.numel() > 1 and rows:
        zero = zero.unsqueeze(-1)
    return wide - (zero.reshape(()) if zero.numel() == 1 else zero)


def integer_product(a: Tensor, b: Tensor) -> Tensor:
    """A matrix product of int32 tensors whose exact result fits float64's 53 bits."""
    return tl.matmul(a.double(), b.double()).to(tl.int32)


@onnx_op("MatMulInteger")
def mat_mul_integer(
    a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None
) -> Tensor:
    return integer_product(centred(a, a_zero, rows=True), centred(b, b_zero))


@onnx_op("QLinearMatMul")
def q_linear_mat_mul(
    a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor,
) -> Tensor:  # fmt: skip
    product = integer_product(centred(a, a_zero, rows=True), centred(b, b_zero))
    left = a_scale.float()
    if left.ndim == 1 and left.numel() > 1:
        left = left.unsqueeze(-1)
    factor = left * b_scale.float() / y_scale.float()
    y = tl.round(product.float() * factor) + _integers(y_zero).float()
    return saturated(y, y_zero.dtype)


@onnx_op("ConvInteger")
def conv_integer(
    x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None,
    **attributes: Any,
) -> Tensor:  # fmt: skip
    kernel = centred(w, None if w_zero is None else _per_output(w_zero, w))
    return conv(centred(x, x_zero).double(), kernel.double(), **attributes).to(tl.int32)


def _per_output(parameter: Tensor, w: Tensor) -> Tensor:
    """A per-tensor or per-output-channel parameter, along the weights of a convolution."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    return parameter.reshape(-1, *[1] * (w.ndim - 1))


@onnx_op("QLinearConv")
def q_linear_conv(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, w: Tensor, w_scale: Tensor, w_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor, b: Tensor | None = None, **attributes: Any,
) -> Tensor:  # fmt: skip
    """A convolution of integers, requantised; the bias is int32 of scale x_scale * w_scale."""
    kernel = centred(w, _per_output(w_zero, w))
    bias = None if b is None else b.double()
    total = conv(centred(x, x_zero).double(), kernel.double(), bias, **attributes)
    factor = x_scale.float() * w_scale.float() / y_scale.float()
    if factor.numel() > 1:
        factor = factor.reshape(1, -1, *[1] * (x.ndim - 2))
    y = tl.round(total.float() * factor) + y_zero.float()
    return saturated(y, y_zero.dtype)


@onnx_op("BitCast", since=26)
def bit_cast(x: Tensor, *, to: int) -> Tensor:
    """The same bits as numbers of another dtype of the same size."""
    target = dtype_of(to)
    if target.itemsize != x.dtype.itemsize:
        raise OnnxError(f"{x.dtype.name} and {target.name} differ in size")
    return tl.from_numpy(np.array(x._host()).view(target.numpy)).to(x.device)
