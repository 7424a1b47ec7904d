"""Operators on images and boxes: GridSample, CenterCropPad, NonMaxSuppression."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import strings, to_value
from .shape import ints
from .windows import flat_pads

Array = np.ndarray[Any, Any]
_MODES = {"linear": "bilinear", "cubic": "bicubic"}


@onnx_op("GridSample")
def grid_sample(
    x: Tensor,
    grid: Tensor,
    *,
    mode: str = "linear",
    padding_mode: str = "zeros",
    align_corners: int = 0,
) -> Tensor:
    mode = _MODES.get(mode, mode)
    if x.dtype is tl.dtypes.string:
        return _sampled_strings(x, grid, mode, padding_mode, bool(align_corners))
    return F.grid_sample(x, grid, mode, padding_mode, bool(align_corners))


def _sampled_strings(x: Tensor, grid: Tensor, mode: str, padding: str, corners: bool) -> Tensor:
    """The nearest string: the places of the strings are sampled; 0 is outside."""
    if mode != "nearest":
        raise OnnxError(f"GridSample of strings takes mode nearest only, got {mode}")
    places = tl.arange(1, x.numel() + 1, dtype=tl.float64, device=grid.device).reshape(x.shape)
    found = F.grid_sample(places, grid.double(), mode, padding, corners)._host()
    table = np.concatenate([np.array([""], object), x._host().reshape(-1)])
    return strings(table[found.astype(np.int64)])


@onnx_op("AffineGrid")
def affine_grid(theta: Tensor, size: Tensor, *, align_corners: int = 0) -> Tensor:
    return F.affine_grid(theta, ints(size), bool(align_corners))


@onnx_op("CenterCropPad")
def center_crop_pad(x: Tensor, shape: Tensor, *, axes: list[int] | None = None) -> Tensor:
    """Each axis cut or padded with zeros to a size, around its middle."""
    along = list(range(x.ndim)) if axes is None else [a % x.ndim for a in axes]
    for axis, wanted in zip(along, ints(shape) or [], strict=True):
        have = x.shape[axis]
        if wanted < have:
            x = x.narrow(axis, (have - wanted) // 2, wanted)
        elif wanted > have:
            begins, ends = [0] * x.ndim, [0] * x.ndim
            begins[axis] = (wanted - have) // 2
            ends[axis] = wanted - have - begins[axis]
            fill = "" if x.dtype is tl.dtypes.string else 0
            x = F.pad(x, flat_pads(begins, ends), value=fill)
    return x


@onnx_op("NonMaxSuppression")
def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    limit: Tensor | None = None,
    iou_threshold: Tensor | None = None,
    score_threshold: Tensor | None = None,
    *,
    center_point_box: int = 0,
) -> Tensor:
    """(batch, class, box) of the boxes kept: the best first, those that overlap it dropped."""
    most = 0 if limit is None else int(limit.reshape(-1)[0].item())
    overlap = 0.0 if iou_threshold is None else float(iou_threshold.reshape(-1)[0].item())
    least = None if score_threshold is None else float(score_threshold.reshape(-1)[0].item())
    return tl.non_max_suppression(_corners(boxes, center_point_box), scores, most, overlap, least)


def _corners(boxes: Tensor, centred: int) -> Tensor:
    """Boxes as (low, low, high, high), from two opposite corners or middle and size."""
    first, second = boxes[..., :2], boxes[..., 2:]
    if centred:
        return tl.cat([first - second / 2, first + second / 2], -1)
    return tl.cat([tl.minimum(first, second), tl.maximum(first, second)], -1)


@onnx_op("RoiAlign", since=16)
def roi_align(
    x: Tensor,
    rois: Tensor,
    images: Tensor,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Tensor:
    """Means (or maxima) of bilinear samples in each cell of a grid over each region."""
    if mode not in ("avg", "max"):
        raise OnnxError(f"RoiAlign: mode {mode!r}: expected avg or max")
    shift = 0.5 if coordinate_transformation_mode == "half_pixel" else 0.0
    host, regions = x._host(), rois._host() * spatial_scale - shift
    least = 0.0 if shift else 1.0
    outputs = np.zeros((len(regions), x.shape[1], output_height, output_width), np.float64)
    for place, (image, (x1, y1, x2, y2)) in enumerate(zip(images._host(), regions, strict=True)):
        height, width = max(y2 - y1, least), max(x2 - x1, least)
        rows = sampling_ratio or int(np.ceil(height / output_height))
        columns = sampling_ratio or int(np.ceil(width / output_width))
        ys = y1 + (np.arange(output_height * rows) + 0.5) * height / (output_height * rows)
        xs = x1 + (np.arange(output_width * columns) + 0.5) * width / (output_width * columns)
        cells = _sampled(host[int(image)], ys, xs, mode).reshape(
            -1, output_height, rows, output_width, columns
        )
        outputs[place] = cells.mean((2, 4)) if mode == "avg" else cells.max((2, 4))
    return to_value(outputs.astype(host.dtype), x.device)


@onnx_op("RoiAlign", since=10)
def roi_align_10(
    x: Tensor, rois: Tensor, images: Tensor, *, mode: str = "avg", output_height: int = 1,
    output_width: int = 1, sampling_ratio: int = 0, spatial_scale: float = 1.0,
) -> Tensor:  # fmt: skip
    """Opset 10 has no half pixels."""
    return roi_align(
        x, rois, images, coordinate_transformation_mode="output_half_pixel", mode=mode,
        output_height=output_height, output_width=output_width, sampling_ratio=sampling_ratio,
        spatial_scale=spatial_scale,
    )  # fmt: skip


def _sampled(image: Array, ys: Array, xs: Array, mode: str) -> Array:
    """Bilinear samples at a grid of places; zero further than one pixel outside."""
    height, width = image.shape[1:]
    outside = (((ys < -1) | (ys > height))[:, None]) | (((xs < -1) | (xs > width))[None])
    ys, xs = np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)
    top, left = np.floor(ys).astype(int), np.floor(xs).astype(int)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    fy, fx = (ys - top)[:, None], (xs - left)[None]
    parts = (
        image[:, top][:, :, left] * ((1 - fy) * (1 - fx)),
        image[:, top][:, :, right] * ((1 - fy) * fx),
        image[:, bottom][:, :, left] * (fy * (1 - fx)),
        image[:, bottom][:, :, right] * (fy * fx),
    )
    # The maximum is over the four weighted neighbours, as onnxruntime defined it.
    found = np.maximum.reduce(parts) if mode == "max" else sum(parts)
    return np.where(outside, 0, found)
