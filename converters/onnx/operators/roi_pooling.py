"""MaxRoiPool: the maximum in every cell of a grid over regions of interest."""

from __future__ import annotations

import math

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import FLOATS, expect


@onnx_op("MaxRoiPool")
def max_roi_pool(
    x: Tensor, rois: Tensor, *, pooled_shape: list[int], spatial_scale: float = 1.0
) -> Tensor:
    """Maxima in pooled_shape cells of each region: x (N, C, H, W) to (regions, C, *pooled_shape).

    rois (regions, 5) are rows of an image's index and the corners x1, y1, x2, y2, whose pixels
    belong to the region. A cell outside of the image gives 0. Girshick, 2015.
    """
    expect("X", x, ("N", "C", "H", "W"), FLOATS)
    expect("rois", rois, ("num_rois", 5), (x.dtype,))
    if len(pooled_shape) != 2 or min(pooled_shape) < 1:
        raise OnnxError(f"expected pooled_shape of two positive sizes, got {pooled_shape}")
    height, width = x.shape[2:]
    regions: list[list[float]] = rois.tolist()
    y = tl.zeros(len(regions), x.shape[1], *pooled_shape, dtype=x.dtype, device=x.device)
    for target, (image, *corners) in zip(y, regions, strict=True):
        if image not in range(x.shape[0]):
            raise OnnxError(f"expected an image from 0 to {x.shape[0] - 1}, got {image:g} in rois")
        x1, y1, x2, y2 = (_rounded(c * spatial_scale) for c in corners)
        columns = _cells(x1, x2, pooled_shape[1], width)
        for row, (top, bottom) in enumerate(_cells(y1, y2, pooled_shape[0], height)):
            if top >= bottom:
                continue
            line = tl.amax(x[int(image), :, top:bottom], 1)
            for column, (left, right) in enumerate(columns):
                if left < right:
                    target[:, row, column] = tl.amax(line[:, left:right], 1)
    return y


def _cells(first: int, last: int, count: int, limit: int) -> list[tuple[int, int]]:
    """The bounds of ``count`` cells, which may overlap, over pixels first to last."""
    length = max(last - first + 1, 1)
    return [
        (
            min(max(first + i * length // count, 0), limit),
            min(max(first - (-(i + 1) * length // count), 0), limit),
        )
        for i in range(count)
    ]


def _rounded(value: float) -> int:
    """The nearest integer, halves away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
