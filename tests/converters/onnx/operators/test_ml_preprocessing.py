"""Scaler, Normalizer, Imputer and Binarizer of ai.onnx.ml."""

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
SHAPES = [(0, 3), (1, 3), (7, 3), (3,)]


def data(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return (random.standard_normal(shape) * 5).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 3])
def test_scaler(dtype: Any, shape: tuple[int, ...], count: int, device: Any) -> None:
    scale, offset = [2.0, -0.5, 3.0][:count], [0.25, 1.0, -2.0][:count]
    agree("Scaler", data(shape, dtype), device=device, scale=scale, offset=offset, **ML)


def test_scaler_takes_either_attribute_alone(device: Any) -> None:
    x = data((4, 3), np.float32)
    for attributes, want in [
        ({"scale": [2.0]}, x * 2),
        ({"offset": [0.5, 1, 2]}, x - np.float32([0.5, 1, 2])),
        ({}, x),
    ]:
        same(ours(node_model("Scaler", [x], **ML, **attributes), [x], device), [want])


def test_scaler_of_integers_loses_no_digits(device: Any) -> None:
    x = np.array([[2**24 + 1]], np.int32)
    model = node_model("Scaler", [x], offset=[float(2**24)], scale=[1.0], **ML)
    same(ours(model, [x], device), [np.float32([[1]])])


def test_scaler_scales_along_the_last_dimension(device: Any) -> None:
    x = data((2, 3, 4), np.float32)
    model = node_model("Scaler", [x], offset=[1.0, 2, 3, 4], scale=[1.0, 2, 3, 4], **ML)
    steps = np.arange(1, 5, dtype=np.float32)
    same(ours(model, [x], device), [(x - steps) * steps])


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_normalizer(norm: str, dtype: Any, shape: tuple[int, ...], device: Any) -> None:
    agree("Normalizer", data(shape, dtype), device=device, norm=norm, **ML)


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
def test_normalizer_leaves_zeros(norm: str, device: Any) -> None:
    agree("Normalizer", np.zeros((2, 3), np.float32), device=device, norm=norm, **ML)


def test_normalizer_of_large_numbers(device: Any) -> None:
    x = np.float32([[3e30, 4e30]])
    model = node_model("Normalizer", [x], norm="L2", **ML)
    same(ours(model, [x], device), [np.float32([[0.6, 0.8]])])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), max_size=5), st.data())
def test_normalizer_of_any_rows(rows: list[list[int]], draw: st.DataObject) -> None:
    dtype = draw.draw(st.sampled_from(DTYPES))
    x = np.array(rows, dtype).reshape(-1, 3)
    agree("Normalizer", x, norm=draw.draw(st.sampled_from(["MAX", "L1", "L2"])), **ML)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("replaced", [float("nan"), 2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_imputer_of_floats(
    count: int, replaced: float, shape: tuple[int, ...], device: Any
) -> None:
    x = data(shape, np.int32).astype(np.float32)
    x[np.random.default_rng(1).random(shape) < 0.4] = replaced
    attributes = {
        "imputed_value_floats": [-1.5, 2.5, 9.0][:count],
        "replaced_value_float": replaced,
    }
    have = agree("Imputer", x, device=device, **attributes, **ML)
    wide = x.astype(np.float64)
    same(
        ours(node_model("Imputer", [wide], **attributes, **ML), [wide], device),
        [have[0].astype(np.float64)],
    )


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_imputer_of_integers(count: int, shape: tuple[int, ...], device: Any) -> None:
    x = data(shape, np.int64)
    attributes = {"imputed_value_int64s": [7, 8, 9][:count], "replaced_value_int64": 3}
    have = agree("Imputer", x, device=device, **attributes, **ML)
    short = x.astype(np.int32)
    same(
        ours(node_model("Imputer", [short], **attributes, **ML), [short], device),
        [have[0].astype(np.int32)],
    )


def test_imputer_of_more_dimensions_goes_along_the_last(device: Any) -> None:
    x = np.zeros((2, 3, 2), np.float32)
    model = node_model("Imputer", [x], imputed_value_floats=[1.0, 2.0], **ML)
    same(ours(model, [x], device), [x + np.float32([1, 2])])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [*SHAPES, (), (2, 3, 4)])
def test_binarizer(dtype: Any, shape: tuple[int, ...], device: Any) -> None:
    x = np.asarray(data(shape, dtype))
    model = node_model("Binarizer", [x], threshold=0.5, **ML)
    same(ours(model, [x], device), [np.asarray(x > 0.5, dtype)])


def test_binarizer_at_the_threshold(device: Any) -> None:
    x = np.float32([1, np.nextafter(np.float32(1), np.float32(2)), np.inf, -np.inf])
    agree("Binarizer", x, device=device, threshold=1.0, **ML)
    agree("Binarizer", x, device=device, **ML)


@pytest.mark.parametrize(
    ("op_type", "x", "attributes", "words"),
    [
        ("Scaler", np.ones((2, 3), np.float32), {"scale": [1.0, 2.0]}, "1 or 3 numbers in scale"),
        ("Scaler", np.ones(3, np.float32), {"scale": [1.0], "offset": [1.0, 2, 3]}, "3 in offset"),
        ("Scaler", np.ones((2, 3), np.float16), {"scale": [1.0]}, "expected an input of dtype"),
        ("Normalizer", np.ones((2, 3), np.float32), {"norm": "L3"}, "MAX, L1, L2"),
        ("Normalizer", np.ones((2, 3, 4), np.float32), {}, r"\[N, C\]"),
        ("Normalizer", np.ones((2, 3), np.int8), {}, "expected an input of dtype"),
        ("Imputer", np.ones((2, 3), np.float32), {}, "neither"),
        (
            "Imputer",
            np.ones((2, 3), np.float32),
            {"imputed_value_floats": [1.0], "imputed_value_int64s": [1]},
            "both",
        ),
        ("Imputer", np.ones((2, 3), np.int64), {"imputed_value_floats": [1.0]}, "input of floats"),
        ("Imputer", np.ones((2, 3), np.float32), {"imputed_value_int64s": [1]}, "of integers"),
        ("Imputer", np.ones((2, 3), np.float32), {"imputed_value_floats": [1.0, 2]}, "1 or 3"),
        ("Imputer", np.ones((2, 3), np.int32), {"imputed_value_int64s": [2**31]}, "into int32"),
        ("Binarizer", np.ones((2, 3), np.uint8), {}, "expected an input of dtype"),
    ],
)
def test_refusals(op_type: str, x: Any, attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(OnnxError, match=words):
        ours(node_model(op_type, [x], **attributes, **ML), [x])
