"""Convolutions of 8-bit integers, channels first or last."""

from __future__ import annotations

from typing import Any

from tensorlite import Tensor

from ...registry import onnx_op
from ..quantized_products import q_linear_conv
from .activation import MICROSOFT


@onnx_op("QLinearConv", domain=MICROSOFT)
def q_linear_conv_either_way(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, w: Tensor, w_scale: Tensor, w_zero: Tensor,
    y_scale: Tensor, y_zero: Tensor, b: Tensor | None = None, *, channels_last: int = 0,
    auto_pad: str = "NOTSET", dilations: list[int] | None = None, group: int = 1,
    kernel_shape: list[int] | None = None, pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """The standard ``QLinearConv``, of images whose last dimension may be the channels."""
    attributes: dict[str, Any] = {
        "auto_pad": auto_pad, "dilations": dilations, "group": group,
        "kernel_shape": kernel_shape, "pads": pads, "strides": strides,
    }  # fmt: skip
    image = x.movedim(-1, 1) if channels_last else x
    y = q_linear_conv(image, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, b, **attributes)
    return y.movedim(1, -1) if channels_last else y
