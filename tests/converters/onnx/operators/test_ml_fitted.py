"""Fitted scikit-learn models, written as ONNX nodes: they predict what scikit-learn predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from single_node import node_model, ours

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn import datasets, impute, linear_model, naive_bayes, preprocessing, svm  # noqa: E402

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}


def floats(array: Any) -> list[float]:
    return np.asarray(array, np.float32).reshape(-1).tolist()


def iris(classes: int = 3) -> tuple[Any, Any]:
    x, y = datasets.load_iris(return_X_y=True)
    return x[y < classes].astype(np.float32), y[y < classes]


def predict(op_type: str, x: Any, outputs: int, device: Any, **attributes: Any) -> list[Any]:
    """What a node makes of x, in one batch; checked to be the same row by row."""
    model = node_model(op_type, [x], outputs, **attributes, **ML)
    whole = ours(model, [x], device)
    first = ours(model, [x[:1]], device)
    for all_rows, one in zip(whole, first, strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, all_rows[:1], rtol=1e-4, atol=1e-5)
        else:
            assert one.tolist() == all_rows[:1].tolist()
    return whole


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("text", [True, False])
def test_logistic_regression(classes: int, text: bool, device: Any) -> None:
    x, y = iris(classes)
    target = np.array(["setosa", "versicolor", "virginica"])[y] if text else y
    fitted = linear_model.LogisticRegression(max_iter=1000).fit(x, target)
    names = fitted.classes_.tolist()
    labels, scores = predict(
        "LinearClassifier",
        x,
        2,
        device,
        coefficients=floats(fitted.coef_),
        intercepts=floats(fitted.intercept_),
        post_transform="LOGISTIC" if classes == 2 else "SOFTMAX",
        multi_class=int(classes > 2),
        **({"classlabels_strings": names} if text else {"classlabels_ints": names}),
    )
    assert labels.tolist() == fitted.predict(x).tolist()
    np.testing.assert_allclose(scores, fitted.predict_proba(x), atol=2e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_linear_svc(classes: int, device: Any) -> None:
    x, y = iris(classes)
    fitted = svm.LinearSVC(random_state=0, max_iter=20000).fit(x, y)
    labels, scores = predict(
        "LinearClassifier",
        x,
        2,
        device,
        coefficients=floats(fitted.coef_),
        intercepts=floats(fitted.intercept_),
        classlabels_ints=fitted.classes_.tolist(),
    )
    assert labels.tolist() == fitted.predict(x).tolist()
    decisions = fitted.decision_function(x)
    np.testing.assert_allclose(scores[:, -1], decisions.reshape(len(x), -1)[:, -1], atol=1e-4)


def test_ridge_of_several_targets(device: Any) -> None:
    x, y = datasets.load_linnerud(return_X_y=True)
    fitted = linear_model.Ridge().fit(x, y)
    (have,) = predict(
        "LinearRegressor",
        x,
        1,
        device,
        coefficients=floats(fitted.coef_),
        intercepts=floats(fitted.intercept_),
        targets=y.shape[1],
    )
    np.testing.assert_allclose(have, fitted.predict(x), rtol=1e-5)


def machine(fitted: Any) -> dict[str, Any]:
    """The attributes of a fitted kernel machine, libsvm's coefficients as the node wants them."""
    return {
        "coefficients": floats(fitted.dual_coef_),
        "support_vectors": floats(fitted.support_vectors_),
        "kernel_type": fitted.kernel.upper(),
        "kernel_params": [float(fitted._gamma), float(fitted.coef0), float(fitted.degree)],
    }


KERNELS = [
    {"kernel": "linear"},
    {"kernel": "poly", "degree": 3, "coef0": 0.5},
    {"kernel": "rbf"},
    {"kernel": "sigmoid", "gamma": 0.01, "coef0": 0.1},
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_svc(kernel: dict[str, Any], classes: int, device: Any) -> None:
    x, y = iris(classes)
    fitted = svm.SVC(decision_function_shape="ovo", **kernel).fit(x, y)
    labels, scores = predict(
        "SVMClassifier",
        x,
        2,
        device,
        vectors_per_class=fitted.n_support_.tolist(),
        rho=floats(fitted._intercept_),
        classlabels_ints=fitted.classes_.tolist(),
        **{**machine(fitted), "coefficients": floats(fitted._dual_coef_)},
    )
    assert labels.tolist() == fitted.predict(x).tolist()
    decisions = fitted.decision_function(x)
    # Of two classes scikit-learn's decision is for the second, libsvm's for the first.
    want = decisions if classes > 2 else np.stack([decisions, -decisions], 1)
    np.testing.assert_allclose(scores, want, rtol=2e-3, atol=2e-3)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("classes", [2, 3])
def test_svc_with_probabilities(classes: int, device: Any) -> None:
    x, y = iris(classes)
    x = x + np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    fitted = svm.SVC(probability=True, random_state=0).fit(x, y)
    labels, scores = predict(
        "SVMClassifier",
        x,
        2,
        device,
        vectors_per_class=fitted.n_support_.tolist(),
        rho=floats(fitted._intercept_),
        prob_a=floats(fitted.probA_),
        prob_b=floats(fitted.probB_),
        classlabels_ints=fitted.classes_.tolist(),
        **{**machine(fitted), "coefficients": floats(fitted._dual_coef_)},
    )
    assert labels.tolist() == fitted.predict(x).tolist()
    np.testing.assert_allclose(scores, fitted.predict_proba(x), atol=3e-3)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_svr(kernel: dict[str, Any], device: Any) -> None:
    x, y = datasets.load_diabetes(return_X_y=True, scaled=True)
    fitted = svm.SVR(C=50.0, **kernel).fit(x * 10, y)
    (have,) = predict(
        "SVMRegressor",
        (x * 10).astype(np.float32),
        1,
        device,
        n_supports=len(fitted.support_),
        rho=floats(fitted.intercept_),
        **machine(fitted),
    )
    np.testing.assert_allclose(have[:, 0], fitted.predict(x * 10), rtol=1e-3)


@pytest.mark.parametrize("kernel", KERNELS[:3], ids=str)
def test_one_class_svm(kernel: dict[str, Any], device: Any) -> None:
    x, _ = iris()
    x = preprocessing.StandardScaler().fit_transform(x).astype(np.float32)
    fitted = svm.OneClassSVM(nu=0.2, **kernel).fit(x)
    (have,) = predict(
        "SVMRegressor",
        x,
        1,
        device,
        n_supports=len(fitted.support_),
        rho=floats(fitted.intercept_),
        one_class=1,
        **machine(fitted),
    )
    clear = np.abs(fitted.decision_function(x)) > 1e-4
    assert have[clear, 0].tolist() == fitted.predict(x)[clear].tolist()


def test_standard_scaler(device: Any) -> None:
    x, _ = iris()
    fitted = preprocessing.StandardScaler().fit(x)
    offset, scale = floats(fitted.mean_), floats(1 / fitted.scale_)
    (have,) = predict("Scaler", x, 1, device, offset=offset, scale=scale)
    np.testing.assert_allclose(have, fitted.transform(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["max", "l1", "l2"])
def test_normalizer(norm: str, device: Any) -> None:
    x, _ = iris()  # nothing below zero, where MAX differs
    (have,) = predict("Normalizer", x, 1, device, norm=norm.upper())
    np.testing.assert_allclose(have, preprocessing.Normalizer(norm).transform(x), rtol=1e-5)


@pytest.mark.parametrize("missing", [np.nan, -1.0])
def test_simple_imputer(missing: float, device: Any) -> None:
    x, _ = iris()
    x[np.random.default_rng(0).random(x.shape) < 0.2] = missing
    fitted = impute.SimpleImputer(missing_values=missing).fit(x)
    attributes = {"imputed_value_floats": floats(fitted.statistics_)}
    (have,) = predict("Imputer", x, 1, device, replaced_value_float=missing, **attributes)
    np.testing.assert_allclose(have, fitted.transform(x), rtol=1e-6)


def gaussian_naive_bayes(fitted: Any) -> onnx.ModelProto:
    """``log prior + sum(log density)``, the greatest, and softmax, of ordinary ONNX operators."""
    arrays = {
        "mean": fitted.theta_[None],
        "precision": -0.5 / fitted.var_[None],
        "offset": np.log(fitted.class_prior_) - 0.5 * np.log(2 * np.pi * fitted.var_).sum(1),
    }
    weights = [onnx.numpy_helper.from_array(np.float32(a), name) for name, a in arrays.items()]
    weights.append(onnx.numpy_helper.from_array(np.array([1]), "axis"))
    weights.append(onnx.numpy_helper.from_array(np.array([2]), "last"))
    weights.append(onnx.numpy_helper.from_array(fitted.classes_.astype(np.int64), "classes"))
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axis"], ["row"]),
        helper.make_node("Sub", ["row", "mean"], ["difference"]),
        helper.make_node("Mul", ["difference", "difference"], ["square"]),
        helper.make_node("Mul", ["square", "precision"], ["exponent"]),
        helper.make_node("ReduceSum", ["exponent", "last"], ["density"], keepdims=0),
        helper.make_node("Add", ["density", "offset"], ["joint"]),
        helper.make_node("ArgMax", ["joint"], ["best"], axis=1, keepdims=0),
        helper.make_node("Gather", ["classes", "best"], ["label"]),
        helper.make_node("Softmax", ["joint"], ["probability"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [onnx.ValueInfoProto(name="label"), onnx.ValueInfoProto(name="probability")],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_gaussian_naive_bayes(device: Any) -> None:
    import tensorlite as tl

    x, y = iris()
    fitted = naive_bayes.GaussianNB().fit(x, y * 10)
    model = tl.onnx.load(gaussian_naive_bayes(fitted), device=device)
    label, probability = model(tl.tensor(x, device=device))
    assert label.tolist() == fitted.predict(x).tolist()
    np.testing.assert_allclose(
        probability.numpy(force=True), fitted.predict_proba(x), rtol=1e-3, atol=1e-5
    )


def test_a_pipeline_of_four_nodes(device: Any) -> None:
    x, y = iris()
    holes = x.copy()
    holes[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    filled = impute.SimpleImputer().fit(holes)
    scaled = preprocessing.StandardScaler().fit(filled.transform(holes))
    fitted = linear_model.LogisticRegression().fit(
        preprocessing.normalize(scaled.transform(filled.transform(holes))), y
    )
    domain = {"domain": "ai.onnx.ml"}
    nodes = [
        helper.make_node(
            "Imputer",
            ["x"],
            ["filled"],
            imputed_value_floats=floats(filled.statistics_),
            replaced_value_float=float("nan"),
            **domain,
        ),
        helper.make_node(
            "Scaler",
            ["filled"],
            ["scaled"],
            offset=floats(scaled.mean_),
            scale=floats(1 / scaled.scale_),
            **domain,
        ),
        helper.make_node("Normalizer", ["scaled"], ["rows"], norm="L2", **domain),
        helper.make_node(
            "LinearClassifier",
            ["rows"],
            ["label", "probability"],
            coefficients=floats(fitted.coef_),
            intercepts=floats(fitted.intercept_),
            classlabels_ints=fitted.classes_.tolist(),
            post_transform="SOFTMAX",
            **domain,
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [onnx.ValueInfoProto(name="label"), onnx.ValueInfoProto(name="probability")],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    import tensorlite as tl

    found = tl.onnx.load(model, device=device).run({"x": holes})
    rows = preprocessing.normalize(scaled.transform(filled.transform(holes)))
    assert found["label"].tolist() == fitted.predict(rows).tolist()
    np.testing.assert_allclose(
        found["probability"].numpy(force=True), fitted.predict_proba(rows), atol=2e-5
    )
