"""Softmax of half precision: rounded as its function body is, and right for long rows."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from single_node import agree, node_model, ours, reference

HALVES = [np.float16, ml_dtypes.bfloat16]


def softmax(x: Any, device: Any, axis: int = -1) -> Any:
    return ours(node_model("Softmax", [x], opset=13, axis=axis), [x], device)[0]


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_short_rows_are_those_of_the_reference(axis: int, dtype: Any, device: Any) -> None:
    x = np.random.default_rng(0).standard_normal((5, 3, 7)).astype(dtype)
    # NumPy adds float16 in float32 along the last axis only; elsewhere the last bit may differ
    tolerance = 2e-3 if dtype is np.float16 and axis != -1 else 0
    options = {"opset": 13, "axis": axis, "rtol": tolerance, "atol": 0}
    agree("Softmax", x, device=device, key=reference, **options)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("length", [1, 9, 16, 17, 100, 4096])
@pytest.mark.parametrize("spread", [0, 1, 4])
def test_long_rows(length: int, spread: int, dtype: Any, device: Any) -> None:
    x = (np.random.default_rng(0).standard_normal((3, length)) * spread).astype(dtype)
    wide = np.exp(x.astype(np.float64))
    want = wide / wide.sum(-1, keepdims=True)
    tolerance = 2e-2 if dtype is np.float16 else 6e-2
    y = softmax(x, device)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.astype(np.float64), want, rtol=tolerance, atol=1e-6)


@pytest.mark.parametrize("dtype", HALVES)
def test_empty_and_infinite(dtype: Any, device: Any) -> None:
    assert softmax(np.zeros((2, 0), dtype), device).shape == (2, 0)
    x = np.array([[-np.inf, 0, 0], [-np.inf, -np.inf, 1]], dtype)
    want = [[0, 0.5, 0.5], [0, 0, 1]]
    np.testing.assert_array_equal(softmax(x, device).astype(np.float64), want)
