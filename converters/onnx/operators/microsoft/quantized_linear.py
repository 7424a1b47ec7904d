"""QuantizeLinear and DequantizeLinear as they were before ai.onnx had 16- and 4-bit integers."""

from __future__ import annotations

from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..quantization import dequantize_linear, quantize_linear
from .activation import MICROSOFT


def _axis(scale: Tensor, axis: int | None) -> int:
    if axis is None and scale.numel() != 1:
        raise OnnxError(
            f"scale {tuple(scale.shape)}: expected one number, as no axis is named for more"
        )
    return 1 if axis is None else axis


@onnx_op("QuantizeLinear", domain=MICROSOFT)
def quantize_linear_along(
    x: Tensor, scale: Tensor, zero_point: Tensor | None = None, *, axis: int | None = None
) -> Tensor:
    """``saturate(round(x / scale) + zero_point)`` in float32."""
    axis = _axis(scale, axis)
    return quantize_linear(x.float(), scale.float(), zero_point, axis=axis)


@onnx_op("DequantizeLinear", domain=MICROSOFT)
def dequantize_linear_along(
    x: Tensor, scale: Tensor, zero_point: Tensor | None = None, *, axis: int | None = None
) -> Tensor:
    """``(x - zero_point) * scale``."""
    return dequantize_linear(x, scale, zero_point, axis=_axis(scale, axis))
