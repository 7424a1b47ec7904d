"""The transforms of scores, as LinearClassifier and LinearRegressor apply them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from single_node import agree

import tensorlite as tl
from tensorlite.converters.onnx.operators.ml_scores import (
    POST_TRANSFORMS,
    Labels,
    binary_scores,
    post_transform,
    probit,
)
from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}
# ONNX Runtime's PROBIT in float32 has few digits near 0.5.
TOLERANCE = {"PROBIT": {"rtol": 1e-3, "atol": 2e-3}}


def identity(width: int) -> dict[str, Any]:
    """Attributes of a linear model whose scores are its features."""
    return {"coefficients": np.eye(width).reshape(-1).tolist(), "intercepts": [0.0] * width}


@pytest.mark.parametrize("name", POST_TRANSFORMS)
@pytest.mark.parametrize("width", [1, 2, 3, 9])
@pytest.mark.parametrize("rows", [0, 1, 20])
def test_transforms_of_targets(name: str, width: int, rows: int, device: Any) -> None:
    x = np.random.default_rng(rows).random((rows, width), np.float32) * (1 - 1e-3) + 5e-4
    attributes = {**identity(width), "targets": width, "post_transform": name}
    agree("LinearRegressor", x, device=device, **attributes, **TOLERANCE.get(name, {}), **ML)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float32, (4, 3), elements=st.floats(-30, 30, width=32)),
    st.sampled_from(["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]),
)
def test_transforms_of_any_scores(x: Any, name: str) -> None:
    x = np.where(np.abs(x) < 1e-6, 0, x)
    agree("LinearRegressor", x, targets=3, post_transform=name, **identity(3), **ML)


@pytest.mark.parametrize("name", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
def test_scores_of_both_classes_from_one(name: str, device: Any) -> None:
    x = np.float32([[0], [0.25], [-1.5], [40], [-40]])
    labels = {"classlabels_ints": [3, 4], "post_transform": name}
    have = agree("LinearClassifier", x, outputs=2, device=device, **labels, **identity(1), **ML)
    direct = binary_scores(tl.tensor(x, device=device), name, positive=True)
    np.testing.assert_array_equal(direct.numpy(force=True), have[1])


def test_scores_of_both_classes_from_one_of_either_sign(device: Any) -> None:
    score = tl.tensor([0.25, -1.5], device=device)
    for name, want in [
        ("NONE", [[-0.25, 0.25], [1.5, -1.5]]),
        ("SOFTMAX", [[-0.25, 0.25], [1.5, -1.5]]),
        ("LOGISTIC", 1 / (1 + np.exp([[0.25, -0.25], [-1.5, 1.5]]))),
    ]:
        have = binary_scores(score, name, positive=False).numpy(force=True)
        np.testing.assert_allclose(have, want, rtol=1e-6)


def test_probit_is_the_normal_quantile(device: Any) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    p = np.linspace(0.001, 0.999, 99)
    have = probit(tl.tensor(p, device=device)).numpy(force=True)
    np.testing.assert_allclose(have, stats.norm.ppf(p), rtol=5e-3, atol=1e-3)
    edge = probit(tl.tensor([0.0, 0.5, 1.0, -0.1, 1.1], device=device)).numpy(force=True)
    np.testing.assert_array_equal(edge, [-np.inf, 0, np.inf, np.nan, np.nan])


def test_probit_of_two_classes_is_symmetric(device: Any) -> None:
    both = binary_scores(tl.tensor([[0.3], [0.9]], device=device), "PROBIT", positive=True)
    alone = post_transform(tl.tensor([[0.7, 0.3], [0.1, 0.9]], device=device), "PROBIT")
    np.testing.assert_allclose(both.numpy(force=True), alone.numpy(force=True), atol=1e-6)


@pytest.mark.parametrize("name", POST_TRANSFORMS)
def test_dtypes_stay(name: str, device: Any) -> None:
    for dtype in (tl.float32, tl.float64):
        scores = tl.rand(3, 2, dtype=dtype, device=device)
        assert post_transform(scores, name).dtype is dtype
        assert binary_scores(scores[:, :1], name, positive=True).dtype is dtype


def test_labels(device: Any) -> None:
    index = tl.tensor([1, 0, 1], device=device)
    assert Labels([5, 2**40], None, "label").of(index).tolist() == [2**40, 5, 2**40]
    assert Labels(None, ["a", "ü"], "label").of(index).tolist() == ["ü", "a", "ü"]


def test_refusals() -> None:
    with pytest.raises(OnnxError, match="expected NONE, SOFTMAX"):
        post_transform(tl.zeros(2, 2), "SIGMOID")
    for ints, text in [(None, None), ([1], ["a"]), ([], [])]:
        with pytest.raises(OnnxError, match="expected either classlabels_ints or"):
            Labels(ints, text, "classlabel")
