"""Products of quantised numbers: matrices and convolutions, exact in int32."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..casting import cast_dtype
from ..registry import onnx_op
from .quantization import numbers, saturated
from .windows import window

# Sums of products are exact in floats as long as they stay below 2**24 or 2**53: floats have
# fast products, so long sums are taken in pieces that do.
_BOUND_8 = 255 * 255  # the largest product of two centred 8-bit numbers
_BOUND_16 = 65535 * 65535
_STEP_8 = 2**24 // _BOUND_8
_STEP_16 = 2**53 // _BOUND_16


def integer_product(a: Tensor, b: Tensor, bits: int = 8) -> Tensor:
    """The int32 matrix product of floats that are whole numbers of ``bits`` bits and a sign."""
    step = _STEP_8 if bits == 8 else _STEP_16
    k = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != k or k <= step:
        return _in_int32(tl.matmul(a, b))
    total: Any = None
    for start in range(0, k, step):
        size = min(step, k - start)
        part = tl.matmul(a.narrow(-1, start, size), b.narrow(-2 if b.ndim > 1 else 0, start, size))
        total = _in_int32(part) if total is None else total + _in_int32(part)
    return total


def _in_int32(x: Tensor) -> Tensor:
    """Whole numbers as int32; those beyond its range lose their high bits."""
    return x.to(tl.int32) if x.dtype is tl.float32 else x.long().to(tl.int32)


def rows_centred(a: Tensor, zero: Tensor | None) -> Tensor:
    """``a - zero`` in float32, for the left matrix: a zero point for all, or one per row."""
    return numbers(a) if zero is None else numbers(a) - along_rows(numbers(zero), a, "zero point")


def columns_centred(b: Tensor, zero: Tensor | None) -> Tensor:
    """``b - zero`` in float32, for the right matrix: a zero point for all, or one per column."""
    if zero is None:
        return numbers(b)
    return numbers(b) - along_columns(numbers(zero), b, "zero point")


def along_rows(parameter: Tensor, a: Tensor, what: str) -> Tensor:
    """A parameter of the rows of ``a``: one, (M,), or (..., M, 1)."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    if a.ndim > 1 and tuple(parameter.shape) == (a.shape[-2],):
        return parameter.unsqueeze(-1)
    wanted = (*a.shape[:-1], 1)
    return _shaped(parameter, wanted, a.shape[-2:-1], f"{what} of the rows", a)


def along_columns(parameter: Tensor, b: Tensor, what: str) -> Tensor:
    """A parameter of the columns of ``b``: one, (N,), or (..., 1, N)."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    if b.ndim > 1 and tuple(parameter.shape) == (b.shape[-1],):
        return parameter
    wanted = (*b.shape[:-2], 1, b.shape[-1])
    return _shaped(parameter, wanted, b.shape[-1:], f"{what} of the columns", b)


def _shaped(parameter: Tensor, wanted: Any, alone: Any, what: str, x: Tensor) -> Tensor:
    if tuple(parameter.shape) != tuple(wanted):
        raise OnnxError(
            f"{what} of {tuple(x.shape)}: expected one number, shape {tuple(alone)} or "
            f"{tuple(wanted)}, got {tuple(parameter.shape)}"
        )
    return parameter


def eight_bits(*given: Tensor) -> bool:
    """Whether tensors are of the dtypes that :func:`tensorlite.integer_matmul` multiplies."""
    return all(x.dtype in (tl.int8, tl.uint8) for x in given)


def product_of(a: Tensor, b: Tensor, a_zero: Tensor | None, b_zero: Tensor | None) -> Tensor:
    """``(a - a_zero) @ (b - b_zero)`` in int32."""
    if not eight_bits(a, b):
        return integer_product(rows_centred(a, a_zero), columns_centred(b, b_zero))
    rows = None if a_zero is None else along_rows(a_zero, a, "zero point")
    columns = None if b_zero is None else along_columns(b_zero, b, "zero point")
    return tl.integer_matmul(a, b, rows, columns)


@onnx_op("MatMulInteger")
def mat_mul_integer(
    a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None
) -> Tensor:
    """``(a - a_zero) @ (b - b_zero)`` in int32."""
    return product_of(a, b, a_zero, b_zero)


@onnx_op("QLinearMatMul")
def q_linear_mat_mul(
    a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor,
) -> Tensor:  # fmt: skip
    """The product of dequantised matrices, quantised; float8 is multiplied in float32."""
    if a.dtype.is_integral and b.dtype.is_integral:
        product = product_of(a, b, a_zero, b_zero).float()
    else:
        product = tl.matmul(rows_centred(a, a_zero), columns_centred(b, b_zero))
    factor = along_rows(a_scale.float(), a, "scale") * along_columns(b_scale.float(), b, "scale")
    return requantized(product, factor / one(y_scale, "y_scale").float(), y_zero)


def requantized(total: Tensor, factor: Tensor, zero: Tensor) -> Tensor:
    """``saturate(round(total * factor) + zero)`` in the dtype of ``zero``."""
    zero = one(zero, "zero point of the output")
    scaled = total.float() * factor
    if zero.is_floating_point():
        return cast_dtype(scaled + zero.float(), zero.dtype)
    return saturated(tl.round(scaled) + numbers(zero), zero.dtype)


def one(parameter: Tensor, what: str) -> Tensor:
    """A scale or zero point of a whole tensor, as a tensor of no dimensions."""
    if parameter.numel() != 1:
        raise OnnxError(f"{what}: expected one number, got shape {tuple(parameter.shape)}")
    return parameter.reshape(())


def integer_conv(
    x: Tensor, w: Tensor, x_zero: Tensor | None, w_zero: Tensor | None, b: Tensor | None = None, *,
    auto_pad: str = "NOTSET", dilations: list[int] | None = None, group: int = 1,
    kernel_shape: list[int] | None = None, pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """The int32 convolution of ``x - x_zero`` with ``w - w_zero``."""
    win = window(list(x.shape[2:]), list(w.shape[2:]), strides, dilations, pads, auto_pad)
    padding = win.begins if win.symmetric else tuple(zip(win.begins, win.ends, strict=True))
    zero = None if x_zero is None else one(x_zero, "zero point of x")
    zeros = None if w_zero is None else per_output(w_zero, w, "zero point of w").reshape(-1)
    return tl.integer_conv(x, w, b, zero, zeros, win.strides, padding, win.dilations, group)


def per_output(parameter: Tensor, w: Tensor, what: str) -> Tensor:
    """A per-tensor or per-output-channel parameter, along the weights of a convolution."""
    if parameter.numel() == 1:
        return parameter.reshape(())
    if tuple(parameter.shape) != (w.shape[0],):
        raise OnnxError(
            f"{what}: expected one number or ({w.shape[0]},), one per output channel, "
            f"got {tuple(parameter.shape)}"
        )
    return parameter.reshape(-1, *[1] * (w.ndim - 1))


@onnx_op("ConvInteger")
def conv_integer(
    x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None, *,
    auto_pad: str = "NOTSET", dilations: list[int] | None = None, group: int = 1,
    kernel_shape: list[int] | None = None, pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """``conv(x - x_zero, w - w_zero)`` in int32; what is padded is 0, that is ``x_zero``."""
    return integer_conv(
        x, w, x_zero, w_zero, auto_pad=auto_pad, dilations=dilations, group=group,
        kernel_shape=kernel_shape, pads=pads, strides=strides,
    )  # fmt: skip


@onnx_op("QLinearConv")
def q_linear_conv(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, w: Tensor, w_scale: Tensor, w_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor, b: Tensor | None = None, *, auto_pad: str = "NOTSET",
    dilations: list[int] | None = None, group: int = 1, kernel_shape: list[int] | None = None,
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """A convolution of integers, requantised; the bias is int32 of scale x_scale * w_scale."""
    total = integer_conv(
        x, w, x_zero, w_zero, b, auto_pad=auto_pad, dilations=dilations, group=group,
        kernel_shape=kernel_shape, pads=pads, strides=strides,
    )  # fmt: skip
    channels = (1, -1, *[1] * (x.ndim - 2))
    factor = one(x_scale, "x_scale") * per_output(w_scale, w, "w_scale") / one(y_scale, "y_scale")
    return requantized(total, factor if factor.ndim == 0 else factor.reshape(channels), y_zero)
