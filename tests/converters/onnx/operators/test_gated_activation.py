"""SwiGLU against ONNX's reference and PyTorch."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

from tensorlite.errors import OnnxError

TOLERANCE = {np.float64: 1e-7, np.float32: 1e-5, np.float16: 2e-3, ml_dtypes.bfloat16: 2e-2}


def pair(shape: tuple[int, ...], dtype: Any) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return tuple((random.standard_normal(shape) * 3).astype(dtype) for _ in range(2))


def swiglu(a: Any, b: Any, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model("SwiGLU", [a, b], 1, 28, **attributes), [a, b], device)[0]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("alpha", [None, 0.5, 1.702, -1.0, 0.0])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3, 4)])
def test_swiglu(dtype: Any, alpha: float | None, shape: tuple[int, ...], device: Any) -> None:
    a, b = pair(shape, dtype)
    wide = np.float64 if dtype is np.float64 else np.float32
    attributes = {} if alpha is None else {"alpha": alpha}
    model = node_model("SwiGLU", [a.astype(wide), b.astype(wide)], 1, 28, **attributes)
    want = np.asarray(reference(model, [a.astype(wide), b.astype(wide)])[0]).astype(dtype)
    same([swiglu(a, b, device, **attributes)], [want], TOLERANCE[dtype], TOLERANCE[dtype])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=4), st.floats(-3, 3, width=32))
def test_swiglu_of_any_shape(shape: list[int], alpha: float) -> None:
    agree("SwiGLU", *pair(tuple(shape), np.float32), opset=28, key=reference, alpha=alpha)


def test_swiglu_is_pytorchs_silu_times_the_other(device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    a, b = pair((3, 7), np.float32)
    want = torch.nn.functional.silu(torch.from_numpy(a)) * torch.from_numpy(b)
    same([swiglu(a, b, device)], [want.numpy()])


def test_swiglu_of_large_gates(device: Any) -> None:
    a = np.float32([-1e4, 1e4])
    same([swiglu(a, np.float32([2, 2]), device)], [np.float32([0, 2e4])])


def test_swiglu_does_not_broadcast() -> None:
    a, b = np.zeros((2, 3), np.float32), np.zeros((1, 3), np.float32)
    with pytest.raises(OnnxError, match=r"expected B of shape \(2, 3\), got float32 \(1, 3\)"):
        swiglu(a, b)
    with pytest.raises(OnnxError, match="expected B of dtype float32"):
        swiglu(a, a.astype(np.float16))
    with pytest.raises(OnnxError, match="expected A of dtype"):
        swiglu(a.astype(np.int32), a.astype(np.int32))
