"""FeatureVectorizer and ArrayFeatureExtractor of ai.onnx.ml, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}
DTYPES = [np.int32, np.int64, np.float32, np.float64]


def data(shape: Any, dtype: Any) -> Any:
    return (np.random.default_rng(0).standard_normal(shape) * 9).astype(dtype)


def run(op_type: str, *inputs: Any, **attributes: Any) -> Any:
    return ours(node_model(op_type, list(inputs), **ML, **attributes), list(inputs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [[2, 1, 3], [1, 1, 1], [4, 3, 0]])
@pytest.mark.parametrize("rows", [1, 4])
def test_feature_vectorizer(rows: int, sizes: Any, dtype: Any, device: Any) -> None:
    inputs = [data((rows, n), dtype) for n in (2, 1, 3)]
    agree("FeatureVectorizer", *inputs, inputdimensions=sizes, device=device, **ML)


def test_feature_vectorizer_of_vectors_and_one_row(device: Any) -> None:
    inputs = [data(2, np.int64), data((1, 3), np.int64), data(1, np.int64)]
    agree("FeatureVectorizer", *inputs, inputdimensions=[2, 3, 1], device=device, **ML)


def test_feature_vectorizer_without_sizes_takes_everything(device: Any) -> None:
    inputs = [data((3, 2), np.float64), data((3, 1), np.float64)]
    same(run("FeatureVectorizer", *inputs), [np.hstack(inputs).astype(np.float32)])


@pytest.mark.parametrize(
    ("inputs", "sizes", "message"),
    [
        ([np.zeros((2, 1)), np.zeros((3, 1))], [1, 1], "of equally many rows, got float64"),
        ([np.zeros((2, 1)), np.zeros((2, 1), np.int64)], [1, 1], "of one dtype"),
        ([np.zeros((1, 1, 2))], [2], r"input 0 to be \[N, C\] or \[C\], got float64 \(1, 1, 2\)"),
        ([np.zeros((1, 2), np.float16)], [2], "input 0 of dtype float32, .* got float16"),
        ([np.zeros((1, 2))], [2, 1], r"1 sizes in inputdimensions, got \[2, 1\]"),
        ([np.zeros((1, 2))], [-1], r"got \[-1\]"),
    ],
)
def test_feature_vectorizer_refuses(inputs: Any, sizes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"FeatureVectorizer_0.*{message}"):
        run("FeatureVectorizer", *inputs, inputdimensions=sizes)


@pytest.mark.parametrize("dtype", [*DTYPES, object])
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (1, 0, 4)])
@pytest.mark.parametrize("index", [[0], [3, 0, 3], [[1, 2], [0, 0]]])
def test_array_feature_extractor(index: Any, shape: Any, dtype: Any, device: Any) -> None:
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if dtype is object:
        x = np.array([f"s{i}" for i in x.reshape(-1)] + [None], object)[:-1].reshape(shape)
    agree("ArrayFeatureExtractor", x, np.array(index), device=device, **ML)


def test_array_feature_extractor_of_nothing(device: Any) -> None:
    x, index = data((3, 4), np.float32), np.zeros(0, np.int64)
    agree("ArrayFeatureExtractor", x, index, key=reference, device=device, **ML)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_array_feature_extractor_of_any_shape(shape: list[int], draw: st.DataObject) -> None:
    index = draw.draw(st.lists(st.integers(0, shape[-1] - 1), min_size=1, max_size=6))
    agree("ArrayFeatureExtractor", data(shape, np.float32), np.array(index), **ML)


@pytest.mark.parametrize(
    ("x", "index", "message"),
    [
        (np.zeros((1, 3)), np.array([3]), "out of range for a size of 3"),
        (np.zeros((1, 3)), np.array([-1]), "indices from 0 on, got -1"),
        (np.zeros((1, 3)), np.int32([0]), "Y of dtype int64, got int32"),
        (np.array(1.0), np.array([0]), r"X of one dimension or more, got float64 \(\)"),
        (np.zeros((1, 3), np.bool_), np.array([0]), "X of dtype .* got bool"),
    ],
)
def test_array_feature_extractor_refuses(x: Any, index: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"ArrayFeatureExtractor_0.*{message}"):
        run("ArrayFeatureExtractor", x, index)
