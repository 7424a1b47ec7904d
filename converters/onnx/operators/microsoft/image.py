"""Images of ``com.microsoft``: crops, masked pooling, sampling, dynamic padding."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..convolution import conv_transpose
from ..expected import FLOATS, UP_TO_FLOAT32, expect, one_of
from ..image import grid_sample as onnx_grid_sample
from ..pooling import max_pool
from ..shape import ints
from .activation import MICROSOFT

LOWEST = -3.4028234663852886e38


@onnx_op("CropAndResize", domain=MICROSOFT)
def crop_and_resize(
    x: Tensor,
    rois: Tensor,
    batch_indices: Tensor,
    crop_size: Tensor,
    *,
    extrapolation_value: float = 0.0,
    mode: str = "bilinear",
) -> Tensor:
    """Boxes (R, 4) cut out of images (N, C, H, W) and resized to (R, C, *crop_size).

    A box is y1, x1, y2, x2, with 0 and 1 the first and last row or column; corners are aligned, a
    size of 1 takes the middle. Source: TensorFlow ``tf.image.crop_and_resize``.
    """
    one_of("mode", mode, ("bilinear", "nearest"))
    expect("X", x, ("batch", "channels", "height", "width"), FLOATS)
    expect("rois", rois, ("num_rois", 4), (x.dtype,))
    expect("batch_indices", batch_indices, (rois.shape[0],), (tl.int32,))
    sizes = ints(expect("crop_size", crop_size, (2,), (tl.int32,))) or []
    if min(sizes) < 1:
        raise OnnxError(f"expected a crop_size above 0, got {sizes}")
    image = batch_indices.long()
    if image.numel() and not (image.min().item() >= 0 and image.max().item() < x.shape[0]):
        raise OnnxError(f"expected batch_indices from 0 to {x.shape[0] - 1}, got {image.tolist()}")
    down = _places(rois[:, 0], rois[:, 2], x.shape[2], sizes[0])
    across = _places(rois[:, 1], rois[:, 3], x.shape[3], sizes[1])
    inside = (
        _inside(down, x.shape[2])[:, None, :, None] & _inside(across, x.shape[3])[:, None, None]
    )
    planes = x.permute(0, 2, 3, 1)
    rows, columns = down.clamp(0, x.shape[2] - 1), across.clamp(0, x.shape[3] - 1)

    def at(row: Tensor, column: Tensor) -> Tensor:
        found = planes[image[:, None, None], row.long()[:, :, None], column.long()[:, None]]
        return found.movedim(-1, 1)

    if mode == "nearest":
        y = at(tl.floor(rows + 0.5), tl.floor(columns + 0.5))
    else:
        top, left = tl.floor(rows), tl.floor(columns)
        bottom, right = tl.ceil(rows), tl.ceil(columns)
        part = (columns - left)[:, None, None]
        upper = at(top, left) * (1 - part) + at(top, right) * part
        lower = at(bottom, left) * (1 - part) + at(bottom, right) * part
        part = (rows - top)[:, None, :, None]
        y = upper * (1 - part) + lower * part
    return tl.where(inside, y, extrapolation_value).to(x.dtype)


def _places(first: Tensor, last: Tensor, size: int, count: int) -> Tensor:
    """Where the rows or columns of each crop lie in the image: (R, count)."""
    if count == 1:
        return (0.5 * (first + last) * (size - 1)).unsqueeze(1)
    step = (last - first) * (size - 1) / (count - 1)
    place = tl.arange(count, device=first.device).to(first.dtype)
    return (first * (size - 1)).unsqueeze(1) + step.unsqueeze(1) * place


def _inside(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places <= size - 1)


@onnx_op("GridSample", domain=MICROSOFT)
def grid_sample(
    x: Tensor,
    grid: Tensor,
    *,
    align_corners: int = 0,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
) -> Tensor:
    one_of("mode", mode, ("bilinear", "nearest", "bicubic"))
    one_of("padding_mode", padding_mode, ("zeros", "border", "reflection"))
    expect("X", x, ("batch", "channels", "height", "width"))
    return onnx_grid_sample(
        x, grid, mode=mode, padding_mode=padding_mode, align_corners=align_corners
    )


@onnx_op("MaxpoolWithMask", domain=MICROSOFT)
def maxpool_with_mask(
    x: Tensor,
    mask: Tensor,
    *,
    auto_pad: str = "NOTSET",
    kernel_shape: list[int],
    pads: list[int] | None = None,
    storage_order: int = 0,
    strides: list[int] | None = None,
) -> Tensor:
    """Maxima of where the mask is not 0; the lowest float32 where it is 0 in all of a window."""
    expect("X", x, None, UP_TO_FLOAT32)
    expect("M", mask, ("batch", "channels", *x.shape[2:]), (tl.int32,))
    for axis in (0, 1):
        if mask.shape[axis] not in (1, x.shape[axis]):
            raise OnnxError(
                f"expected M of shape {tuple(x.shape)}, or with 1 instead of the first two, got "
                f"{tuple(mask.shape)}"
            )
    y = max_pool(
        tl.where(mask != 0, x.float(), LOWEST),
        auto_pad=auto_pad,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
        n_outputs=1,
    )
    return tl.clamp(y, min=LOWEST).to(x.dtype)


@onnx_op("ConvTransposeWithDynamicPads", domain=MICROSOFT)
def conv_transpose_with_dynamic_pads(
    x: Tensor,
    w: Tensor,
    pads: Tensor | None = None,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    output_padding: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """ConvTranspose whose pads are an input."""
    if pads is not None:
        expect("Pads", pads, (2 * (x.ndim - 2),), (tl.int64,))
    return conv_transpose(
        x,
        w,
        b,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        output_padding=output_padding,
        pads=ints(pads) if pads is not None else None,
        strides=strides,
    )
