"""MaxRoiPool against ONNX Runtime and its definition in whole numbers."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

ROIS = [[0, 0, 0, 7, 5], [1, 2, 1, 5, 4], [1, 3, 3, 3, 3], [0, 5, 4, 2, 1], [0, -3, -2, 20, 9]]


def image(dtype: Any = np.float32, shape: tuple[int, ...] = (2, 3, 6, 8)) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def run(x: Any, rois: Any, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model("MaxRoiPool", [x, rois], 1, 22, **attributes), [x, rois], device)[0]


@pytest.mark.parametrize("pooled", [[1, 1], [2, 2], [4, 2]])
@pytest.mark.parametrize("scale", [None, 1.0, 0.5, 2.0])
def test_onnxruntime(pooled: list[int], scale: float | None, device: Any) -> None:
    """Which knows no version but the first; that of opset 22 only added a dtype."""
    attributes = {} if scale is None else {"spatial_scale": scale}
    rois = np.array(ROIS, np.float32)
    agree(
        "MaxRoiPool",
        image(),
        rois,
        opset=1,
        device=device,
        pooled_shape=pooled,
        **attributes,
    )


def pooled_by_hand(x: Any, rois: Any, pooled: list[int]) -> Any:
    """Cells with bounds in fractions, so that no rounding moves them."""
    y = np.zeros((len(rois), x.shape[1], *pooled), x.dtype)
    for n, (index, x1, y1, x2, y2) in enumerate(rois.astype(int).tolist()):
        height, width = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for i, j in np.ndindex(*pooled):
            top, left = (
                first + floor(Fraction(cell * size, count))
                for first, cell, size, count in (
                    (y1, i, height, pooled[0]),
                    (x1, j, width, pooled[1]),
                )
            )
            bottom, right = (
                first + ceil(Fraction((cell + 1) * size, count))
                for first, cell, size, count in (
                    (y1, i, height, pooled[0]),
                    (x1, j, width, pooled[1]),
                )
            )
            cell_ = x[index, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            if cell_.size:
                y[n, :, i, j] = cell_.max((1, 2))
    return y


@settings(max_examples=50, deadline=None)
@given(
    rois=st.lists(st.tuples(st.integers(0, 1), *[st.integers(-4, 12)] * 4), min_size=0, max_size=4),
    pooled=st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_any_region(rois: list[tuple[int, ...]], pooled: tuple[int, int]) -> None:
    x, regions = image(), np.array(rois, np.float32).reshape(-1, 5)
    have = run(x, regions, pooled_shape=list(pooled))
    same([have], [pooled_by_hand(x, regions, list(pooled))])


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ml_dtypes.bfloat16])
def test_dtypes(dtype: Any, device: Any) -> None:
    x, rois = image(dtype), np.array(ROIS, dtype)
    have = run(x, rois, device, pooled_shape=[3, 2])
    want = pooled_by_hand(x.astype(np.float64), rois.astype(np.float64), [3, 2])
    same([have], [want.astype(dtype)], 0, 0)


def test_halves_round_away_from_zero(device: Any) -> None:
    x, rois = image(), np.float32([[0, 1, 1, 3, 3], [0, -1, 1, 5, 3]])
    away = np.float32([[0, 1, 1, 2, 2], [0, -1, 1, 3, 2]])
    have = run(x, rois, device, pooled_shape=[2, 2], spatial_scale=0.5)
    same([have], [run(x, away, device, pooled_shape=[2, 2])])


@pytest.mark.parametrize(
    ("rois", "attributes", "message"),
    [
        ([[2, 0, 0, 1, 1]], {}, "expected an image from 0 to 1, got 2"),
        ([[-1, 0, 0, 1, 1]], {}, "expected an image from 0 to 1, got -1"),
        ([[0.5, 0, 0, 1, 1]], {}, "expected an image from 0 to 1, got 0.5"),
        ([[0, 0, 1, 1]], {}, r"expected rois of shape \(num_rois, 5\)"),
        ([[0, 0, 0, 1, 1]], {"pooled_shape": [2]}, "expected pooled_shape of two positive sizes"),
        ([[0, 0, 0, 1, 1]], {"pooled_shape": [0, 2]}, "expected pooled_shape of two positive"),
        ([[0, 0, 0, np.nan, 1]], {}, "NaN"),
    ],
)
def test_what_does_not_fit(rois: Any, attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(OnnxError, match=message):
        run(image(), np.array(rois, np.float32), **{"pooled_shape": [2, 2], **attributes})


def test_wrong_dtypes_and_shapes() -> None:
    rois = np.array(ROIS, np.float32)
    with pytest.raises(OnnxError, match="expected X of shape"):
        run(image()[0], rois, pooled_shape=[2, 2])
    with pytest.raises(OnnxError, match="expected rois of dtype float32"):
        run(image(), rois.astype(np.float64), pooled_shape=[2, 2])
