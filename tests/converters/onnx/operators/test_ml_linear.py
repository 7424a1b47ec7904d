"""LinearRegressor and LinearClassifier of ai.onnx.ml."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}
DTYPES = [np.float32, np.float64, np.int32, np.int64]
TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"]


def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def weights(functions: int, features: int, seed: int = 1) -> dict[str, Any]:
    return {
        "coefficients": numbers(seed, functions * features).tolist(),
        "intercepts": numbers(seed + 1, functions).tolist(),
    }


@pytest.mark.parametrize("targets", [1, 2, 5])
@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (50, 4), (4,)])
@pytest.mark.parametrize("intercepts", [True, False])
def test_regressor(targets: int, shape: tuple[int, ...], intercepts: bool, device: Any) -> None:
    attributes = weights(targets, 4)
    if not intercepts:
        del attributes["intercepts"]
    x = numbers(3, *shape)
    agree("LinearRegressor", x, device=device, targets=targets, **attributes, **ML)


@pytest.mark.parametrize("dtype", DTYPES)
def test_regressor_of_all_dtypes(dtype: Any, device: Any) -> None:
    x = (numbers(3, 6, 4) * 10).astype(dtype)
    attributes = weights(2, 4)
    matrix = np.reshape(attributes["coefficients"], (2, 4))
    want = x.astype(np.float64) @ matrix.T + attributes["intercepts"]
    model = node_model("LinearRegressor", [x], targets=2, **attributes, **ML)
    same(ours(model, [x], device), [want.astype(np.float32)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("dtype", DTYPES)
def test_classifier(transform: str, classes: int, dtype: Any, device: Any) -> None:
    x = (numbers(classes, 30, 4) * 3).astype(dtype)
    labels = {"classlabels_ints": [10 * i - 5 for i in range(classes)]}
    for multi_class in (0, 1):
        agree(
            "LinearClassifier",
            x,
            outputs=2,
            device=device,
            post_transform=transform,
            multi_class=multi_class,
            rtol=1e-4,
            **labels,
            **weights(classes, 4),
            **ML,
        )


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_classifier_of_any_size(draw: st.DataObject) -> None:
    classes = draw.draw(st.integers(2, 4))
    functions = draw.draw(st.sampled_from([1, 2])) if classes == 2 else classes
    features, rows = draw.draw(st.integers(1, 5)), draw.draw(st.integers(0, 5))
    names = [f"class {i}" for i in range(classes)]
    labels = draw.draw(
        st.sampled_from([{"classlabels_strings": names}, {"classlabels_ints": [*range(classes)]}])
    )
    x = numbers(draw.draw(st.integers(0, 99)), rows, features)
    agree(
        "LinearClassifier",
        x[0] if rows == 1 and draw.draw(st.booleans()) else x,
        outputs=2,
        post_transform=draw.draw(st.sampled_from(TRANSFORMS)),
        rtol=1e-4,
        atol=1e-5,
        **labels,
        **weights(functions, features, draw.draw(st.integers(0, 9))),
        **ML,
    )


def test_of_equal_scores_the_first_class_wins(device: Any) -> None:
    attributes = {"coefficients": [1.0, 1.0, 1.0], "intercepts": [0.0, 0.0, 0.0]}
    x = np.float32([[1], [-1], [0]])
    labels = {"classlabels_strings": ["a", "b", "c"]}
    have = agree("LinearClassifier", x, outputs=2, device=device, **labels, **attributes, **ML)
    assert have[0].tolist() == ["a", "a", "a"]


@pytest.mark.parametrize("functions", [1, 2])
def test_classifier_without_intercepts(functions: int, device: Any) -> None:
    x, attributes = numbers(0, 8, 3), weights(functions, 3)
    zero = {**attributes, "intercepts": [0.0] * functions}
    labels = {"classlabels_ints": [0, 1]}
    del attributes["intercepts"]
    have, want = (
        ours(node_model("LinearClassifier", [x], 2, **given, **ML), [x], device)
        for given in ({**attributes, **labels}, {**zero, **labels})
    )
    same(have, want)


@pytest.mark.parametrize(
    ("op_type", "attributes", "words"),
    [
        ("LinearRegressor", {}, "do not make 1 rows"),
        ("LinearRegressor", {"coefficients": [1.0] * 5, "targets": 2}, "5 coefficients"),
        ("LinearRegressor", {"coefficients": [1.0] * 6, "targets": 0}, "0 rows"),
        ("LinearRegressor", {"coefficients": [1.0] * 4}, "expected 4 features"),
        ("LinearRegressor", {"coefficients": [1.0] * 3, "intercepts": [1.0] * 2}, "1 intercepts"),
        ("LinearRegressor", {"coefficients": [1.0] * 3, "post_transform": "X"}, "NONE, SOFTMAX"),
        ("LinearClassifier", {"coefficients": [1.0] * 3}, "neither"),
        (
            "LinearClassifier",
            {"coefficients": [1.0] * 3, "classlabels_ints": [1], "classlabels_strings": ["a"]},
            "both",
        ),
        (
            "LinearClassifier",
            {"coefficients": [1.0] * 6, "classlabels_ints": [1, 2, 3]},
            "3 x features coefficients",
        ),
        (
            "LinearClassifier",
            {"coefficients": [1.0] * 6, "intercepts": [1.0], "classlabels_ints": [1, 2]},
            "expected 2 intercepts",
        ),
    ],
)
def test_refusals(op_type: str, attributes: dict[str, Any], words: str) -> None:
    x = np.ones((2, 3), np.float32)
    outputs = 2 if op_type == "LinearClassifier" else 1
    with pytest.raises(OnnxError, match=words):
        ours(node_model(op_type, [x], outputs, **attributes, **ML), [x])


@pytest.mark.parametrize("x", [np.ones((2, 2, 3), np.float32), np.ones((2, 3), np.float16)])
def test_refused_inputs(x: Any) -> None:
    model = node_model("LinearRegressor", [x], coefficients=[1.0] * 3, **ML)
    with pytest.raises(OnnxError, match="expected an input"):
        ours(model, [x])
