"""SVMRegressor and SVMClassifier of ai.onnx.ml."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

import tensorlite as tl
from tensorlite.converters.onnx.operators.ml_coupling import coupled
from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}
DTYPES = [np.float32, np.float64, np.int32, np.int64]
TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]
KERNELS = [
    ("LINEAR", [0.0, 0.0, 0.0]),
    ("POLY", [0.4, 0.3, 2.0]),
    ("POLY", [0.4, 0.3, 3.0]),
    ("RBF", [0.3, 0.0, 0.0]),
    ("SIGMOID", [0.2, -0.1, 0.0]),
]
CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def regressor(vectors: int, features: int, kernel: tuple[str, list[float]]) -> dict[str, Any]:
    return {
        "coefficients": numbers(1, vectors).tolist(),
        "support_vectors": numbers(2, vectors * features).tolist(),
        "n_supports": vectors,
        "rho": [0.3],
        "kernel_type": kernel[0],
        "kernel_params": kernel[1],
    }


def classifier(
    counts: list[int],
    features: int,
    kernel: tuple[str, list[float]] = KERNELS[3],
    probability: bool = False,
    text: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    classes, vectors = len(counts), sum(counts)
    pairs = classes * (classes - 1) // 2
    attributes = {
        "coefficients": numbers(seed + 1, (classes - 1) * vectors).tolist(),
        "support_vectors": numbers(seed + 2, vectors * features).tolist(),
        "vectors_per_class": counts,
        "rho": (numbers(seed + 3, pairs) / 4).tolist(),
        "kernel_type": kernel[0],
        "kernel_params": kernel[1],
    }
    if probability:
        attributes["prob_a"] = (-1 - np.abs(numbers(seed + 4, pairs))).tolist()
        attributes["prob_b"] = (numbers(seed + 5, pairs) / 5).tolist()
    if text:
        return {**attributes, "classlabels_strings": [f"class {i}" for i in range(classes)]}
    return {**attributes, "classlabels_ints": [3 * i - 2 for i in range(classes)]}


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (60, 4), (4,)])
@pytest.mark.parametrize("one_class", [0, 1])
def test_regressor(kernel: Any, shape: tuple[int, ...], one_class: int, device: Any) -> None:
    attributes = regressor(7, 4, kernel)
    x = numbers(9, *shape)
    agree("SVMRegressor", x, device=device, one_class=one_class, **attributes, **CLOSE, **ML)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_regressor_has_one_score_which_stays(transform: str, device: Any) -> None:
    attributes = regressor(7, 4, KERNELS[3])
    x = numbers(9, 5, 4)
    agree("SVMRegressor", x, device=device, post_transform=transform, **attributes, **CLOSE, **ML)


@pytest.mark.parametrize("one_class", [0, 1])
def test_regressor_without_vectors(one_class: int, device: Any) -> None:
    # The kernel is not looked at then.
    attributes = {"coefficients": [0.5, -1.0, 2.0], "rho": [0.1], "kernel_params": [1.0, 1.0, 2.0]}
    x = numbers(0, 20, 3)
    agree(
        "SVMRegressor", x, device=device, kernel_type="RBF", one_class=one_class, **attributes, **ML
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype: Any, device: Any) -> None:
    x = (numbers(4, 25, 3) * 3).astype(dtype)
    attributes = classifier([3, 2, 4], 3)
    agree("SVMClassifier", x, outputs=2, device=device, **attributes, **CLOSE, **ML)
    attributes = regressor(5, 3, KERNELS[3])
    floats = x.astype(np.float32)
    want = ours(node_model("SVMRegressor", [floats], **attributes, **ML), [floats], device)
    same(ours(node_model("SVMRegressor", [x], **attributes, **ML), [x], device), want, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("counts", [[3, 4], [2, 3, 1], [1, 0, 5, 2, 3]], ids=str)
@pytest.mark.parametrize("probability", [False, True])
def test_classifier(kernel: Any, counts: list[int], probability: bool, device: Any) -> None:
    attributes = classifier(counts, 4, kernel, probability)
    for rows in (0, 1, 40):
        x = numbers(rows, rows, 4)
        # Coupling stops by a threshold, which float32 and float64 may pass a step apart.
        close = {"rtol": 1e-3, "atol": 2e-3} if probability else CLOSE
        agree("SVMClassifier", x, outputs=2, device=device, **attributes, **close, **ML)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("counts", [[3, 4], [2, 3, 1]], ids=str)
@pytest.mark.parametrize("probability", [False, True])
def test_transforms(transform: str, counts: list[int], probability: bool, device: Any) -> None:
    attributes = classifier(counts, 3, probability=probability)
    close = {"rtol": 1e-3, "atol": 2e-3} if probability else CLOSE
    x = numbers(5, 30, 3)
    attributes["post_transform"] = transform
    agree("SVMClassifier", x, outputs=2, device=device, **attributes, **close, **ML)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_classifier_of_any_size(draw: st.DataObject) -> None:
    counts = draw.draw(st.lists(st.integers(0, 3), min_size=2, max_size=5).filter(any))
    features = draw.draw(st.integers(1, 4))
    seed = draw.draw(st.integers(0, 99))
    kernel = draw.draw(st.sampled_from(KERNELS))
    attributes = classifier(counts, features, kernel, text=draw.draw(st.booleans()), seed=seed)
    x = numbers(seed + 50, draw.draw(st.integers(0, 6)), features)
    close = {"rtol": 1e-3, "atol": 1e-4}
    agree(
        "SVMClassifier",
        x,
        outputs=2,
        post_transform=draw.draw(st.sampled_from(TRANSFORMS[:3])),
        **attributes,
        **close,
        **ML,
    )


def test_many_rows_are_taken_in_blocks(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorlite.converters.onnx.operators.ml_svm._BLOCK", 50)
    x = numbers(3, 33, 4)
    agree("SVMRegressor", x, device=device, **regressor(7, 4, KERNELS[3]), **CLOSE, **ML)
    attributes = classifier([2, 3, 4], 4)
    agree("SVMClassifier", x, outputs=2, device=device, **attributes, **CLOSE, **ML)


def test_of_equally_many_votes_the_first_class_wins(device: Any) -> None:
    # A beats B, B beats C, C beats A wherever the feature is positive.
    attributes = {
        "coefficients": [1.0, 0.0, 0.0, -1.0, 1.0, 0.0],
        "support_vectors": [1.0, 1.0, 1.0],
        "vectors_per_class": [1, 1, 1],
        "rho": [0.0, 0.0, 0.0],
        "kernel_params": [0.0, 0.0, 0.0],
        "classlabels_strings": ["A", "B", "C"],
    }
    x = np.float32([[1], [0], [-1]])
    have = agree("SVMClassifier", x, outputs=2, device=device, **attributes, **ML)
    assert have[0][0] == "A"


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("classes", [1, 2, 3, 5])
def test_classifier_without_vectors(transform: str, classes: int, device: Any) -> None:
    attributes = {
        "coefficients": numbers(3, classes * 4).tolist(),
        "rho": [0.2],
        "kernel_params": [0.0, 0.0, 0.0],
        "classlabels_ints": [5 * i for i in range(classes)],
        "post_transform": transform,
    }
    x = numbers(8, 40, 4)
    agree("SVMClassifier", x, outputs=2, device=device, **attributes, **CLOSE, **ML)


@pytest.mark.parametrize("coefficients", [[1.0, -0.5], [1.0, 0.5], [-1.0, -0.5]])
@pytest.mark.parametrize("probability", [False, True])
def test_which_of_two_linear_functions_wins(
    coefficients: list[float], probability: bool, device: Any
) -> None:
    extra = {"prob_a": [-1.0], "prob_b": [0.1]} if probability else {}
    attributes = {"rho": [0.1], "kernel_params": [0.0] * 3, "classlabels_ints": [5, 7], **extra}
    x = np.linspace(-2, 2, 41, dtype=np.float32)[:, None]
    agree(
        "SVMClassifier",
        x,
        outputs=2,
        device=device,
        coefficients=coefficients,
        **attributes,
        **ML,
    )


def test_probabilities_of_two_are_those_of_the_pair(device: Any) -> None:
    p = tl.linspace(0.01, 0.99, 21, dtype=tl.float64, device=device)
    pairwise = tl.stack([tl.zeros_like(p), p, 1 - p, tl.zeros_like(p)], 1).reshape(-1, 2, 2)
    have = coupled(pairwise).numpy(force=True)
    np.testing.assert_allclose(have[:, 0], p.numpy(force=True), atol=0.005)
    np.testing.assert_allclose(have.sum(1), 1)


def test_consistent_pairs_give_the_probabilities_they_come_from(device: Any) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), 30) * 0.9 + 0.025
    pairwise = p[:, :, None] / (p[:, :, None] + p[:, None, :])
    have = coupled(tl.tensor(pairwise, device=device)).numpy(force=True)
    np.testing.assert_allclose(have, p, atol=0.02)


@pytest.mark.parametrize(
    ("op_type", "change", "words"),
    [
        ("SVMRegressor", {"kernel_type": "COSINE"}, "LINEAR, POLY, RBF, SIGMOID"),
        ("SVMRegressor", {"kernel_params": [1.0]}, "gamma, coef0, degree"),
        ("SVMRegressor", {"coefficients": None}, "0 coefficients"),
        ("SVMRegressor", {"n_supports": 6}, "expected 6 coefficients, got 5"),
        ("SVMRegressor", {"n_supports": -1}, "expected -1 coefficients"),
        ("SVMRegressor", {"support_vectors": [1.0] * 16}, "16 support_vectors"),
        ("SVMRegressor", {"support_vectors": [1.0] * 20}, "expected 4 features"),
        ("SVMRegressor", {"rho": [1.0, 2.0]}, "expected 1 rho"),
        ("SVMRegressor", {"post_transform": "X"}, "expected NONE"),
        ("SVMClassifier", {"classlabels_ints": None}, "neither"),
        ("SVMClassifier", {"classlabels_strings": ["a"]}, "both"),
        ("SVMClassifier", {"vectors_per_class": [2, 3, 4, 5]}, "4 vectors_per_class for 3"),
        ("SVMClassifier", {"vectors_per_class": [-1, 4, 6]}, "none below zero"),
        ("SVMClassifier", {"coefficients": [1.0] * 20}, "expected 2 x 9 coefficients"),
        ("SVMClassifier", {"rho": [1.0]}, "expected 3 rho, got 1"),
        ("SVMClassifier", {"prob_a": [1.0]}, "1 prob_a for 0 prob_b"),
        ("SVMClassifier", {"prob_a": [1.0], "prob_b": [1.0]}, "expected 3 prob_a"),
        ("SVMClassifier", {"kernel_params": [1.0, 2.0]}, "gamma, coef0, degree"),
    ],
)
def test_refusals(op_type: str, change: dict[str, Any], words: str) -> None:
    regression = op_type == "SVMRegressor"
    whole = regressor(5, 3, KERNELS[3]) if regression else classifier([2, 3, 4], 3)
    attributes = {k: v for k, v in {**whole, **change}.items() if v is not None}
    x = np.ones((2, 3), np.float32)
    with pytest.raises(OnnxError, match=words):
        ours(node_model(op_type, [x], 1 if regression else 2, **attributes, **ML), [x])
