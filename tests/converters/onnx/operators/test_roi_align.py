"""RoiAlign of every opset against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from single_node import agree

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 12, 15)).astype(np.float32)
ROIS = np.array([[0, 0, 6, 5], [2.5, 1.25, 9.75, 8.5], [3, 3, 3.5, 3.25], [5, 4, 14, 11]], "f")
IMAGES = np.array([0, 1, 1, 0])


@pytest.mark.parametrize("ratio", [0, 1, 3])
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("opset, options", [
    (10, {}), (16, {}), (16, {"coordinate_transformation_mode": "output_half_pixel"}),
])  # fmt: skip
def test_means(device: Any, ratio: int, scale: float, opset: int, options: Any) -> None:
    agree("RoiAlign", X, ROIS, IMAGES, opset=opset, device=device, output_height=3,
          output_width=4, sampling_ratio=ratio, spatial_scale=scale, rtol=1e-4, atol=1e-5,
          **options)  # fmt: skip


@pytest.mark.parametrize("opset", [10, 16])
def test_no_regions(device: Any, opset: int) -> None:
    have = agree("RoiAlign", X, ROIS[:0], IMAGES[:0], opset=opset, device=device)
    assert have[0].shape == (0, 3, 1, 1)
