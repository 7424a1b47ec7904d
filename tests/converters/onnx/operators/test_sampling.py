"""Resize, Upsample, GridSample, NonMaxSuppression, Unique and Col2Im against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from single_node import agree

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1, 2, 5, 6)).astype(np.float32)
NONE = np.array([], np.float32)
GRID = (RNG.random((1, 4, 3, 2)) * 2.6 - 1.3).astype(np.float32)
CLOSE = {"rtol": 1e-4, "atol": 1e-4}
# With scales of fractions "align_corners" counts the unrounded length here, as in ONNX's cases.
COORDINATES = ["half_pixel", "pytorch_half_pixel", "asymmetric", "tf_crop_and_resize"]
SCALES = [[1, 1, 2, 3], [1, 1, 1.7, 2.3], [1, 1, 0.6, 0.55]]


@pytest.mark.parametrize("opset", [11, 13, 18, 19])
@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("scales", SCALES)
def test_resize(device: Any, opset: int, mode: str, coordinates: str, scales: Any) -> None:
    options: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": coordinates}
    roi = NONE if opset < 13 else None
    if coordinates == "tf_crop_and_resize":
        roi = np.array([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.9], np.float32)
        options["extrapolation_value"] = 7.0
    inputs = [X, roi, np.array(scales, np.float32)]
    agree("Resize", *inputs, opset=opset, device=device, **CLOSE, **options)
    if mode == "cubic":
        agree("Resize", *inputs, opset=opset, device=device, exclude_outside=1, **CLOSE, **options)
    if opset >= 18 and coordinates == "half_pixel":
        agree("Resize", *inputs, opset=opset, device=device, antialias=1, **CLOSE, **options)


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "asymmetric"])
def test_resize_to_the_nearest(device: Any, nearest: str, coordinates: str) -> None:
    """By factors whose places are exact, so that no last digit decides."""
    options = {"nearest_mode": nearest, "coordinate_transformation_mode": coordinates}
    scales = np.array([1, 1, 2, 4], np.float32)
    agree("Resize", X, None, scales, opset=13, mode="nearest", device=device, **options)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scales", [[1, 1, 2, 3], [1, 1, 1.5, 2.5]])
def test_upsample(device: Any, mode: str, scales: list[float]) -> None:
    given = np.array(scales, np.float32)
    agree("Resize", X, given, opset=10, mode=mode, device=device, **CLOSE)
    agree("Upsample", X, given, opset=9, mode=mode, device=device, **CLOSE)
    agree("Upsample", X, opset=7, mode=mode, scales=[float(s) for s in scales], device=device,
          **CLOSE)  # fmt: skip


@pytest.mark.parametrize("opset, mode", [
    (16, "bilinear"), (16, "nearest"), (16, "bicubic"), (20, "linear"), (20, "nearest"),
    (20, "cubic"),
])  # fmt: skip
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [0, 1])
def test_grid_sample(device: Any, opset: int, mode: str, padding: str, corners: int) -> None:
    agree("GridSample", X, GRID, opset=opset, mode=mode, padding_mode=padding,
          align_corners=corners, device=device, **CLOSE)  # fmt: skip


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize("most", [0, 2, 5])
@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.9])
def test_non_max_suppression(device: Any, center: int, most: int, overlap: float) -> None:
    boxes, scores = RNG.random((2, 12, 4), np.float32), RNG.random((2, 3, 12), np.float32)
    numbers = np.array(most), np.array(overlap, np.float32), np.array(0.2, np.float32)
    agree("NonMaxSuppression", boxes, scores, *numbers, opset=11, center_point_box=center,
          device=device)  # fmt: skip


@pytest.mark.parametrize("ordered", [0, 1])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_unique(device: Any, ordered: int, axis: int | None) -> None:
    x = RNG.integers(0, 3, (4, 3)).astype(np.int64)
    options = {} if axis is None else {"axis": axis}
    agree("Unique", x, outputs=4, opset=11, sorted=ordered, device=device, **options)


def test_col2im(device: Any) -> None:
    x = RNG.standard_normal((1, 8, 12)).astype(np.float32)
    agree("Col2Im", x, np.array([4, 5]), np.array([2, 2]), opset=18, device=device)
