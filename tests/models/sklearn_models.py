"""scikit-learn models through skl2onnx, against scikit-learn's own predictions."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

import tensorlite as tl

Array = np.ndarray[Any, Any]

_LOADERS = ("iris", "digits", "breast_cancer", "diabetes", "wine")


@cache
def data(name: str, rows: int = 240) -> tuple[Array, Array]:
    """Features (float32) and targets of a data set that scikit-learn brings, in a random order."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    assert name in _LOADERS
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:rows]
    return x[order].astype(np.float32), y[order]


def scaled(name: str, rows: int = 240) -> tuple[Array, Array]:
    """The same with features of mean 0 and deviation 1."""
    x, y = data(name, rows)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-3)
    return x.astype(np.float32), y


def as_onnx(model: Any, x: Any, **options: Any) -> Any:
    """The model as skl2onnx writes it."""
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
    with warnings.catch_warnings():
        # skl2onnx's own, about the packages it uses and models it cannot name the outputs of.
        warnings.simplefilter("ignore")
        try:
            return skl2onnx.to_onnx(model, None if x is None else x[:1], **options)
        except ValueError as error:
            # onnx 1.19 and later take no NumPy integers, which skl2onnx gives for some trees.
            if "Unable to create node" not in str(error):
                raise
            pytest.skip("this skl2onnx cannot write the model with this onnx")


def converted(model: Any, x: Any, device: tl.device, **options: Any) -> Any:
    """The model as skl2onnx writes it, on a device."""
    return tl.onnx.load(as_onnx(model, x, **options), device=device)


def outputs(module: Any, x: Array) -> tuple[Any, ...]:
    """What the module gives for rows; arrays for tensors."""
    found = module(np.ascontiguousarray(x))
    found = found if isinstance(found, tuple) else (found,)
    return tuple(f.cpu().numpy() if isinstance(f, tl.Tensor) else f for f in found)


def same_numbers(want: Any, have: Any, rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Asserts that predictions are numbers that differ little."""
    want = np.asarray(want, np.float64)
    np.testing.assert_allclose(np.asarray(have).reshape(want.shape), want, rtol, atol)


def same_labels(want: Any, have: Any) -> None:
    """Asserts the same classes; some converters give them as a row or a column."""
    np.testing.assert_array_equal(np.asarray(have).reshape(np.shape(want)), np.asarray(want))


def is_as_written(model: Any, x: Array, device: tl.device, **options: Any) -> None:
    """Asserts what ONNX Runtime gives, for models that skl2onnx writes not quite as they are."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    proto = as_onnx(model, x, **options)
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    want = session.run(None, {proto.graph.input[0].name: x})
    have = outputs(tl.onnx.load(proto, device=device), x)
    for w, h in zip(want, have, strict=True):
        assert w.shape == h.shape and w.dtype == h.dtype
        if w.dtype.kind in "iuO":
            same_labels(w, h)
        else:
            same_numbers(w, h)


def is_regressor(
    model: Any, x: Array, device: tl.device, rtol: float = 1e-4, atol: float = 1e-5, **options: Any
) -> None:
    """Asserts that a fitted regressor predicts the same as a module."""
    (have,) = outputs(converted(model, x, device, **options), x)
    same_numbers(model.predict(x), have, rtol, atol)


def is_classifier(
    model: Any, x: Array, device: tl.device, rtol: float = 1e-4, atol: float = 1e-5,
    scores: str = "predict_proba",
) -> None:  # fmt: skip
    """Asserts that a fitted classifier gives the same labels and scores as a module."""
    options = {id(model): {"zipmap": False}}
    if scores == "decision_function":
        options = {id(model): {"raw_scores": True}}
        if type(model).__name__ not in ("LinearSVC", "RidgeClassifier"):
            options[id(model)]["zipmap"] = False
    label, have = outputs(converted(model, x, device, options=options), x)
    want = getattr(model, scores)(x)
    same_labels(model.predict(x), label)
    if want.ndim == 1:  # of two classes: ONNX has a column for each
        have = have[:, 1] if have.shape[1] == 2 else have
    same_numbers(want, have, rtol, atol)


def is_transformer(
    model: Any, x: Any, device: tl.device, rtol: float = 1e-4, atol: float = 1e-5, **options: Any
) -> None:
    """Asserts that a fitted transformer gives the same features as a module."""
    (have,) = outputs(converted(model, x, device, **options), x)
    want = model.transform(x)
    same_numbers(want.toarray() if hasattr(want, "toarray") else want, have, rtol, atol)
