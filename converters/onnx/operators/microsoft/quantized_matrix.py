"""Products of matrices of 8- and 16-bit integers, exact in int32."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..quantization import dynamic_quantize_linear, numbers
from ..quantized_products import (
    along_columns,
    along_rows,
    integer_product,
    one,
    product_of,
    requantized,
)
from .activation import MICROSOFT


@onnx_op("MatMulIntegerToFloat", domain=MICROSOFT)
def mat_mul_integer_to_float(
    a: Tensor, b: Tensor, a_scale: Tensor, b_scale: Tensor, a_zero: Tensor | None = None,
    b_zero: Tensor | None = None, bias: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``(a - a_zero) @ (b - b_zero) * a_scale * b_scale + bias``."""
    total = product_of(a, b, a_zero, b_zero)
    left = along_rows(a_scale.float(), a, "scale")
    y = total.float() * (left * along_columns(b_scale.float(), b, "scale"))
    return (y if bias is None else y + bias.float()).to(a_scale.dtype)


@onnx_op("DynamicQuantizeMatMul", domain=MICROSOFT)
def dynamic_quantize_mat_mul(
    a: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """``a`` is quantised to uint8 by its own range, then multiplied."""
    y, scale, zero = dynamic_quantize_linear(a)
    return mat_mul_integer_to_float(y, b, scale, b_scale, zero, b_zero, bias)


@onnx_op("MatMulInteger16", domain=MICROSOFT)
def mat_mul_integer_16(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b`` of 16-bit integers, in 32 bits."""
    product = integer_product(numbers(a).double(), numbers(b).double(), bits=16)
    unsigned = a.dtype is tl.uint16 and b.dtype is tl.uint16
    return product.to(tl.uint32) if unsigned else product


@onnx_op("QGemm", domain=MICROSOFT)
def q_gemm(
    a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor,
    c: Tensor | None = None, y_scale: Tensor | None = None, y_zero: Tensor | None = None, *,
    alpha: float = 1.0, transA: int = 0, transB: int = 0,
) -> Tensor:  # fmt: skip
    """``alpha * A' @ B' + C``, where C is int32 of scale ``alpha * a_scale * b_scale``; in
    float32, or quantised if the scale of the result is given.
    """
    if a.ndim != 2 or b.ndim != 2:
        raise OnnxError(f"QGemm: expected two matrices, got {tuple(a.shape)}, {tuple(b.shape)}")
    left, right = a.T if transA else a, b.T if transB else b
    rows = one(a_zero, "zero point of A")
    columns = None if b_zero is None else along_columns(b_zero, right, "zero point")
    each = c is not None and tuple(c.shape) == (right.shape[1],)
    total = tl.integer_matmul(left, right, rows, columns, c if each else None)
    if c is not None and not each:
        total = total + c
    factor = alpha * one(a_scale, "a_scale") * along_columns(b_scale, right, "scale")
    if y_scale is None:
        return total.float() * factor
    zero = tl.zeros((), dtype=a.dtype, device=a.device) if y_zero is None else y_zero
    return requantized(total, factor / one(y_scale, "y_scale"), zero)
