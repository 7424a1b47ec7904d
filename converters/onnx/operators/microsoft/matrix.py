"""Matrices and signals of ``com.microsoft``: inverses, distances, Fourier transforms."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from .....errors import OnnxError
from ...registry import onnx_op
from ..expected import FLOATS, expect, one_of
from .activation import MICROSOFT
from .normalization import widened


@onnx_op("Inverse", domain=MICROSOFT)
def inverse(x: Tensor) -> Tensor:
    """The inverse of each square matrix; half precision in float32."""
    expect("X", x, None, FLOATS)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise OnnxError(f"expected square matrices, got shape {tuple(x.shape)}")
    found: Tensor = tl.linalg.inv(widened(x))
    return found.to(x.dtype)


_NORMS = {"sqeuclidean": 2.0, "euclidean": 2.0, "cityblock": 1.0, "chebyshev": float("inf")}


@onnx_op("CDist", domain=MICROSOFT)
def cdist(a: Tensor, b: Tensor, *, metric: str = "sqeuclidean") -> Tensor:
    """The distance of each row of ``a`` (M, N) and each of ``b`` (K, N): (M, K)."""
    one_of("metric", metric, tuple(_NORMS))
    expect("A", a, ("rows", "columns"), FLOATS)
    expect("B", b, ("rows", a.shape[1]), (a.dtype,))
    found = tl.cdist(a, b, _NORMS[metric], "donot_use_mm_for_euclid_dist")
    return found * found if metric == "sqeuclidean" else found


def _one_signal(x: Tensor, dims: int, onesided: int, normalized: int, least: int) -> Tensor:
    expect("X", x, None, FLOATS)
    for name, have, want in (
        ("signal_ndim", dims, 1),
        ("onesided", onesided, 1),
        ("normalized", normalized, 0),
    ):
        if have != want:
            raise OnnxError(f"expected {name} {want}, got {have}")
    if x.ndim < least:
        raise OnnxError(f"expected X of {least} dimensions or more, got shape {tuple(x.shape)}")
    return widened(x)


@onnx_op("Rfft", domain=MICROSOFT)
def rfft(x: Tensor, *, normalized: int = 0, onesided: int = 1, signal_ndim: int = 1) -> Tensor:
    """The transform of real signals (..., n) as (..., n // 2 + 1, 2): real and imaginary parts."""
    wide = _one_signal(x, signal_ndim, onesided, normalized, 1)
    parts: Tensor = tl.view_as_real(tl.fft.rfft(wide))
    return parts.to(x.dtype)


@onnx_op("Irfft", domain=MICROSOFT)
def irfft(x: Tensor, *, normalized: int = 0, onesided: int = 1, signal_ndim: int) -> Tensor:
    """The real signals (..., 2 m - 2) whose transform is (..., m, 2)."""
    wide = _one_signal(x, signal_ndim, onesided, normalized, 2)
    if x.shape[-1] != 2 or x.shape[-2] < 2:
        raise OnnxError(f"expected X of shape (..., 2 or more, 2), got {tuple(x.shape)}")
    signal: Tensor = tl.fft.irfft(tl.view_as_complex(wide.contiguous()))
    return signal.to(x.dtype)


def _complex_product(a: Tensor, b: Tensor, sign: int) -> Any:
    """``a * b`` or ``a * conj(b)`` of numbers that are pairs in the last dimension."""
    expect("A", a, None, FLOATS)
    expect("B", b, None, (a.dtype,))
    if not (a.ndim and b.ndim and a.shape[-1] == b.shape[-1] == 2):
        raise OnnxError(
            f"expected A and B with a last size of 2, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    (ar, ai), (br, bi) = (x.unbind(-1) for x in (widened(a), widened(b)))
    bi = bi * sign
    return tl.stack([ar * br - ai * bi, ar * bi + ai * br], -1).to(a.dtype)


@onnx_op("ComplexMul", domain=MICROSOFT)
def complex_mul(a: Tensor, b: Tensor) -> Tensor:
    return _complex_product(a, b, 1)


@onnx_op("ComplexMulConj", domain=MICROSOFT)
def complex_mul_conj(a: Tensor, b: Tensor) -> Tensor:
    """``a * conj(b)``."""
    return _complex_product(a, b, -1)
