"""Inverse and CDist against ONNX Runtime, the transforms against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, normal, run
from single_node import same

from tensorlite.errors import OnnxError


def regular(*shape: int, dtype: Any = np.float32) -> Any:
    """Matrices that are well invertible."""
    return (normal(*shape) + 4 * np.eye(shape[-1], dtype=np.float32)).astype(dtype)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (1, 1), (2, 2, 4, 4), (0, 3, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_inverse(shape: tuple[int, ...], dtype: Any, device: Any) -> None:
    tolerance = 2e-3 if dtype is np.float16 else 1e-4
    agree("Inverse", regular(*shape, dtype=dtype), device=device, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean"])
def test_cdist(dtype: Any, metric: str, device: Any) -> None:
    a, b = normal(40, 3, dtype=dtype), normal(30, 3, seed=1, dtype=dtype)
    agree("CDist", a, b, metric=metric, device=device, rtol=1e-4, atol=1e-3)
    agree("CDist", a[:1], b, metric=metric, device=device, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("metric", ["sqeuclidean", "euclidean", "cityblock", "chebyshev"])
def test_cdist_against_scipy(metric: str, device: Any) -> None:
    distance = pytest.importorskip("scipy.spatial.distance", reason="SciPy is not installed")
    a, b = normal(6, 3, dtype=np.float64), normal(5, 3, seed=1, dtype=np.float64)
    same(run("CDist", a, b, metric=metric, device=device), [distance.cdist(a, b, metric)])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3), max_size=2), st.integers(1, 6))
def test_rfft_and_back(batch: list[int], half: int) -> None:
    x = normal(*batch, 2 * half)
    want = np.fft.rfft(x)
    parts = np.stack([want.real, want.imag], -1).astype(np.float32)
    same(run("Rfft", x), [parts], 1e-4, 1e-5)
    same(run("Irfft", parts, signal_ndim=1), [x], 1e-4, 1e-5)


def test_rfft_of_other_dtypes(device: Any) -> None:
    x = normal(2, 8, dtype=np.float64)
    want = np.stack([np.fft.rfft(x).real, np.fft.rfft(x).imag], -1)
    same(run("Rfft", x, device=device), [want])
    half = run("Rfft", x.astype(np.float16), device=device)
    same(half, [want.astype(np.float16)], 1e-2, 1e-2)


def test_complex_products(device: Any) -> None:
    a, b = normal(2, 3, 2), normal(3, 2, seed=1)
    first, second = a[..., 0] + 1j * a[..., 1], b[..., 0] + 1j * b[..., 1]
    for name, want in (
        ("ComplexMul", first * second),
        ("ComplexMulConj", first * second.conj()),
    ):
        parts = np.stack([want.real, want.imag], -1).astype(np.float32)
        same(run(name, a, b, device=device), [parts])


def test_errors() -> None:
    def refuses(name: str, message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(name, *inputs, **attributes)

    refuses("Inverse", r"square matrices, got shape \(2, 3\)", normal(2, 3))
    refuses("CDist", "metric to be one of", normal(2, 3), normal(2, 3), metric="cosine")
    refuses("CDist", r"B of shape \(rows, 3\)", normal(2, 3), normal(2, 4))
    refuses("Rfft", "signal_ndim 1, got 2", normal(2, 4), signal_ndim=2)
    refuses("Rfft", "normalized 0, got 1", normal(2, 4), normalized=1)
    refuses("Irfft", r"\(..., 2 or more, 2\)", normal(2, 3), signal_ndim=1)
    refuses("ComplexMul", "last size of 2", normal(2, 3), normal(2, 3))
