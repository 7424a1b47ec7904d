"""The activations of com.microsoft against ONNX Runtime and PyTorch."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

MS = {"domain": "com.microsoft", "opset": 1}
TOLERANCE = {np.float64: 1e-7, np.float32: 1e-5, np.float16: 2e-3, ml_dtypes.bfloat16: 2e-2}


def normal(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Any:
    return (np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype)


def run(op_type: str, *inputs: Any, device: Any = "cpu", **attributes: Any) -> Any:
    model = node_model(op_type, list(inputs), 1, 1, "com.microsoft", **attributes)
    return ours(model, list(inputs), device)[0]


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 4)])
def test_against_onnxruntime(shape: tuple[int, ...], device: Any) -> None:
    x, b = normal(*shape), normal(shape[-1], seed=1)
    agree("Gelu", x, device=device, **MS)
    agree("FastGelu", x, device=device, **MS)
    agree("QuickGelu", x, device=device, **MS)
    agree("QuickGelu", x, device=device, alpha=-0.5, **MS)
    if x.size:
        agree("FastGelu", x, b, device=device, **MS)
        agree("BiasGelu", x, b, device=device, **MS)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", ["Gelu", "FastGelu", "BiasGelu", "QuickGelu"])
def test_of_every_dtype(name: str, dtype: Any, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, b = normal(3, 6, dtype=dtype), normal(6, seed=1, dtype=dtype)
    inputs = [x, b] if name == "BiasGelu" else [x]
    y = torch.from_numpy((x + b if name == "BiasGelu" else x).astype(np.float64))
    want = {
        "Gelu": lambda: torch.nn.functional.gelu(y),
        "BiasGelu": lambda: torch.nn.functional.gelu(y),
        "FastGelu": lambda: torch.nn.functional.gelu(y, approximate="tanh"),
        "QuickGelu": lambda: y * torch.sigmoid(1.702 * y),
    }[name]()
    have = run(name, *inputs, device=device)
    same([have], [want.numpy().astype(dtype)], TOLERANCE[dtype], TOLERANCE[dtype])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_of_any_shape(shape: list[int]) -> None:
    x, b = normal(*shape), normal(shape[-1], seed=1)
    agree("BiasGelu", x, b, **MS)
    agree("FastGelu", x, b, **MS)
    agree("QuickGelu", x, **MS)


def test_quick_gelu_of_large_numbers(device: Any) -> None:
    same([run("QuickGelu", np.float32([-1e4, 1e4]), device=device)], [np.float32([0, 1e4])])


def test_bias_split_gelu(device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, b = normal(2, 3, 8), normal(8, seed=1)
    left, right = torch.from_numpy(x + b).chunk(2, -1)
    want = (left * torch.nn.functional.gelu(right)).numpy()
    same([run("BiasSplitGelu", x, b, device=device)], [want])


def test_bias_add(device: Any) -> None:
    x, b, skip = normal(2, 3, 8), normal(8, seed=1), normal(2, 3, 8, seed=2)
    same([run("BiasAdd", x, b, skip, device=device)], [x + b + skip])


@pytest.mark.parametrize(
    "bias, axis, inner",
    [((2, 1, 1, 5), 3, 1), ((4, 5), 3, 0), ((1, 1, 4, 5), 2, 0), ((2, 3, 4, 5), -1, 1)],
)
def test_bias_softmax(bias: tuple[int, ...], axis: int, inner: int, device: Any) -> None:
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed")
    x, b = normal(2, 3, 4, 5), normal(*bias, seed=1)
    want = special.softmax(x + b, axis=tuple(range(axis % 4, 4)))
    have = run("BiasSoftmax", x, b, axis=axis, is_inner_broadcast=inner, device=device)
    same([have], [want])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_scaled_silu(dtype: Any, device: Any) -> None:
    x, tolerance = normal(3, 4, dtype=dtype), TOLERANCE[dtype]
    options = {"device": device, "rtol": tolerance, "atol": tolerance, **MS}
    if dtype is not ml_dtypes.bfloat16:
        agree("ScaledSiLU", x, alpha=0.7, **options)
        agree("ScaledSiLU", x, np.float32([1.3]).reshape(()), alpha=0.7, **options)
        return
    z = (x.astype(np.float32) * np.float32(0.7)).astype(dtype).astype(np.float64)
    want = (z / (1 + np.exp(-z))).astype(dtype)
    same([run("ScaledSiLU", x, alpha=0.7, device=device)], [want], tolerance, tolerance)


def test_swiglu_is_silu_of_the_gate_times_the_rest(device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    g, u = normal(3, 4), normal(3, 4, seed=1)
    silu = torch.nn.functional.silu(torch.from_numpy(g)).numpy()
    same([run("SwiGLU", g, u, device=device)], [silu * u])
    same([run("SwiGLU", np.concatenate([g, u], -1), device=device)], [silu * u])


@pytest.mark.parametrize("limit", [0.0, 1.5, -1.0])
def test_swiglu_with_limit_alpha_and_beta(limit: float, device: Any) -> None:
    g, u = normal(5, 4), normal(5, 4, seed=1)
    left = np.minimum(g, limit) if limit > 0 else g
    right = np.clip(u, -limit, limit) if limit > 0 else u
    want = left / (1 + np.exp(-1.7 * left)) * (right + 1)
    have = run(
        "SwiGLU", g, u, activation_alpha=1.7, activation_beta=1.0, limit=limit, device=device
    )
    same([have], [want.astype(np.float32)])


def test_swiglu_rounds_the_activation_when_asked(device: Any) -> None:
    g, u = normal(64, dtype=np.float16), normal(64, seed=1, dtype=np.float16)
    wide = g.astype(np.float32)
    silu = wide / (1 + np.exp(-wide))
    once = (silu * u.astype(np.float32)).astype(np.float16)
    twice = (silu.astype(np.float16).astype(np.float32) * u.astype(np.float32)).astype(np.float16)
    assert (once != twice).any()
    same([run("SwiGLU", g, u, device=device)], [once], 0, 1e-6)
    same([run("SwiGLU", g, u, round_activation=1, device=device)], [twice], 0, 1e-6)


def test_errors() -> None:
    x = normal(2, 3)
    with pytest.raises(OnnxError, match=r"expected bias of shape \(3,\), got float32 \(2,\)"):
        run("BiasGelu", x, normal(2))
    with pytest.raises(OnnxError, match="expected bias of dtype float32, got float16"):
        run("FastGelu", x, normal(3, dtype=np.float16))
    with pytest.raises(OnnxError, match="expected X of dtype .* got int64"):
        run("Gelu", np.ones(3, int))
    with pytest.raises(OnnxError, match=r"even last size, got \(1, 2, 3\)"):
        run("BiasSplitGelu", normal(1, 2, 3), normal(3))
    with pytest.raises(OnnxError, match="even last size where up is absent"):
        run("SwiGLU", x)
    with pytest.raises(OnnxError, match="expected skip of shape"):
        run("BiasAdd", normal(1, 2, 3), normal(3), normal(2, 2, 3))
    with pytest.raises(OnnxError, match="expected a scalar as scale"):
        run("ScaledSiLU", x, normal(2))
    with pytest.raises(OnnxError, match="expected axis within 2 dimensions, got 5"):
        run("BiasSoftmax", x, x, axis=5, is_inner_broadcast=1)
