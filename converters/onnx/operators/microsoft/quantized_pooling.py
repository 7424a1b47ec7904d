"""Means, pooling and sums of 8-bit numbers."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from .....errors import OnnxError
from ...registry import onnx_op
from ..pooling import average_pool, max_pool
from ..quantization import numbers
from ..quantized_products import one, requantized
from ..windows import Window, flat_pads, window
from .activation import MICROSOFT
from .quantized_elementwise import centred, real, rounded_last, zero_of


def channels_first(x: Tensor) -> Tensor:
    """(N, spatial..., C) as (N, C, spatial...)."""
    return tl.movedim(x, -1, 1)


def channels_last(x: Tensor) -> Tensor:
    """(N, C, spatial...) as (N, spatial..., C)."""
    return tl.movedim(x, 1, -1)


@onnx_op("QLinearAveragePool", domain=MICROSOFT)
def q_linear_average_pool(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor,
    y_zero: Tensor | None = None, *, channels_last: int = 0, auto_pad: str = "NOTSET",
    ceil_mode: int = 0, count_include_pad: int = 0, kernel_shape: list[int],
    pads: list[int] | None = None, strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """Means of dequantised windows: of what is in the image or, with ``count_include_pad``, of
    the whole window, with zeros around the image.
    """
    values = real(x, x_scale, x_zero)
    values = channels_first(values) if channels_last else values
    if count_include_pad:
        win = window(list(values.shape[2:]), kernel_shape, strides, None, pads, auto_pad)
        values = _in_zeros(values, win, bool(ceil_mode))
        pads, auto_pad, ceil_mode = None, "NOTSET", 0
    means = average_pool(
        values, auto_pad=auto_pad, ceil_mode=ceil_mode, kernel_shape=kernel_shape, pads=pads,
        strides=strides,
    )  # fmt: skip
    y = rounded_last(means / one(y_scale, "y_scale"), zero_of(y_zero, x))
    return tl.movedim(y, 1, -1) if channels_last else y


def _in_zeros(x: Tensor, win: Window, ceil: bool) -> Tensor:
    """The image with zeros around it, so that windows fit exactly."""
    sizes = list(x.shape[2:])
    ends = [
        max((count - 1) * stride + reach - size - begin, 0)
        for count, stride, reach, size, begin in zip(
            win.output(sizes, ceil), win.strides, win.reach, sizes, win.begins, strict=True
        )
    ]
    return F.pad(x, flat_pads(win.begins, ends))


@onnx_op("QLinearGlobalAveragePool", domain=MICROSOFT)
def q_linear_global_average_pool(
    x: Tensor, x_scale: Tensor, x_zero: Tensor, y_scale: Tensor, y_zero: Tensor, *,
    channels_last: int = 0,
) -> Tensor:  # fmt: skip
    """Means over all spatial axes."""
    axes = list(range(1, x.ndim - 1)) if channels_last else list(range(2, x.ndim))
    return _mean(x, x_scale, x_zero, y_scale, y_zero, axes, True)


@onnx_op("QLinearReduceMean", domain=MICROSOFT)
def q_linear_reduce_mean(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor,
    y_zero: Tensor | None = None, *, axes: list[int], keepdims: int,
) -> Tensor:  # fmt: skip
    """Means along axes (all, if none is named)."""
    over = axes or list(range(x.ndim))
    return _mean(x, x_scale, x_zero, y_scale, y_zero, over, bool(keepdims))


def _mean(
    x: Tensor, x_scale: Tensor, x_zero: Tensor | None, y_scale: Tensor, y_zero: Tensor | None,
    axes: list[int], keepdims: bool,
) -> Tensor:  # fmt: skip
    """The sum is exact; its scale holds the division by how many there are."""
    count = tl.Size([x.shape[axis] for axis in axes]).numel()
    total = tl.sum(centred(x, x_zero).int(), axes, keepdims, dtype=tl.int32)
    factor = one(x_scale, "x_scale") / (one(y_scale, "y_scale") * float(count))
    return requantized(total, factor, zero_of(y_zero, x))


@onnx_op("ReduceSumInteger", domain=MICROSOFT)
def reduce_sum_integer(x: Tensor, *, axes: list[int], keepdims: int) -> Tensor:
    """Sums along axes (all, if none is named) in 32 bits."""
    target = tl.int32 if x.dtype is tl.int8 else tl.uint32
    over = axes or list(range(x.ndim))
    return tl.sum(numbers(x).long(), over, bool(keepdims)).to(target)


@onnx_op("NhwcMaxPool", domain=MICROSOFT)
def nhwc_max_pool(
    x: Tensor, *, auto_pad: str = "NOTSET", ceil_mode: int = 0,
    dilations: list[int] | None = None, kernel_shape: list[int], pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:  # fmt: skip
    """MaxPool of images whose channels come last."""
    if x.ndim < 3:
        raise OnnxError(f"NhwcMaxPool: expected (N, spatial..., C), got {tuple(x.shape)}")
    pooled: Tensor = max_pool(
        channels_first(x), auto_pad=auto_pad, ceil_mode=ceil_mode, dilations=dilations,
        kernel_shape=kernel_shape, pads=pads, strides=strides, n_outputs=1,
    )  # fmt: skip
    return channels_last(pooled)
