"""The fused products and convolutions of com.microsoft against ONNX Runtime and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

MS = {"domain": "com.microsoft", "opset": 1}


def normal(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def run(op_type: str, *inputs: Any, device: Any = "cpu", **attributes: Any) -> Any:
    model = node_model(op_type, list(inputs), 1, 1, "com.microsoft", **attributes)
    return ours(model, list(inputs), device)[0]


SHAPES = [
    ((3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (3, 4, 5)),
    ((4,), (4, 5)),
    ((3, 0), (0, 2)),
]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("trans", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_fused_mat_mul(shapes: Any, dtype: Any, trans: Any, device: Any) -> None:
    a, b = (normal(*s, seed=i, dtype=dtype) for i, s in enumerate(shapes))
    a, b = (
        np.ascontiguousarray(x.swapaxes(-1, -2)) if t and x.ndim > 1 else x
        for x, t in zip((a, b), trans, strict=True)
    )
    attributes = {"transA": trans[0], "transB": trans[1], "alpha": 0.3, "device": device, **MS}
    agree("FusedMatMul", a, b, **attributes)
    if dtype is np.float32:
        agree("TransposeMatMul", a, b, **attributes)


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3)])
def test_fused_mat_mul_with_a_vector(shape: tuple[int, ...], device: Any) -> None:
    """ONNX Runtime reads a transposed A as if it were not, where B is a vector."""
    a, b = normal(*shape), normal(4, seed=1)
    same([run("FusedMatMul", a, b, transA=1, device=device)], [a.swapaxes(-1, -2) @ b])
    agree("FusedMatMul", a, normal(3, seed=1), transB=1, device=device, **MS)


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("batch", [(1, 0), (0, 1), (1, 1)])
def test_fused_mat_mul_with_the_batch_inside(
    trans_a: int, trans_b: int, batch: Any, device: Any
) -> None:
    a, b = normal(2, 3, 4, 5), normal(2, 3, 5, 6, seed=1)
    a = a.swapaxes(-1, -2) if trans_a else a
    b = b.swapaxes(-1, -2) if trans_b else b
    a = np.moveaxis(a, -2, 0) if batch[0] else a
    b = np.moveaxis(b, -2, 0) if batch[1] else b
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    names = {"transA": trans_a, "transB": trans_b, "transBatchA": batch[0], "transBatchB": batch[1]}
    (y,) = agree("FusedMatMul", a, b, device=device, **names, **MS)
    assert y.shape == (2, 3, 4, 6)


def test_fused_mat_mul_of_half_precision(device: Any) -> None:
    a, b = normal(5, 7, dtype=np.float16), normal(5, 6, dtype=np.float16, seed=1)
    want = (a.astype(np.float32).T @ b.astype(np.float32) * 0.5).astype(np.float16)
    same([run("FusedMatMul", a, b, transA=1, alpha=0.5, device=device)], [want], 2e-3, 2e-3)


def test_fused_mat_mul_refuses() -> None:
    with pytest.raises(OnnxError, match="expected B of dtype float32, got float64"):
        run("FusedMatMul", normal(2, 2), normal(2, 2, dtype=np.float64))
    with pytest.raises(OnnxError, match="expected A of dtype .* got int64"):
        run("FusedMatMul", np.ones((2, 2), int), np.ones((2, 2), int))


def test_fused_mat_mul_activation(device: Any) -> None:
    a, b = normal(2, 3, 4), normal(4, 5, seed=1)
    product = 0.5 * (a @ b)
    for name, want in (
        ("Relu", np.maximum(product, 0)),
        ("Tanh", np.tanh(product)),
        ("LeakyRelu", np.where(product < 0, product * np.float32(0.2), product)),
    ):
        have = run(
            "FusedMatMulActivation",
            a,
            b,
            activation=name,
            activation_alpha=0.2,
            alpha=0.5,
            device=device,
        )
        same([have], [want])
    e = np.exp(product)
    have = run(
        "FusedMatMulActivation",
        a,
        b,
        activation="Softmax",
        activation_axis=1,
        alpha=0.5,
        device=device,
    )
    same([have], [e / e.sum(1, keepdims=True)])


GEMM_ACTIVATIONS = {
    "Relu": (),
    "Tanh": (),
    "Sigmoid": (),
    "Softplus": (),
    "Softsign": (),
    "LeakyRelu": ("alpha",),
    "Elu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "ThresholdedRelu": ("alpha",),
    "ParametricSoftplus": ("alpha", "beta"),
    "ScaledTanh": ("alpha", "beta"),
    "Celu": ("alpha",),
    "Selu": ("alpha", "gamma"),
}
AMOUNTS = {"alpha": 0.3, "beta": 0.4, "gamma": 1.1}


@pytest.mark.parametrize("activation", GEMM_ACTIVATIONS)
def test_fused_gemm(activation: str, device: Any) -> None:
    names = GEMM_ACTIVATIONS[activation]
    agree(
        "FusedGemm",
        normal(4, 3),
        normal(5, 4, seed=1),
        normal(5, seed=2),
        device=device,
        transA=1,
        transB=1,
        alpha=0.7,
        beta=1.3,
        activation=activation,
        **{f"activation_{name}": AMOUNTS[name] for name in names},
        **MS,
    )


def test_fused_gemm_without_a_parameter_takes_its_default(device: Any) -> None:
    a, b = normal(2, 3), normal(3, 2, seed=1)
    have = run("FusedGemm", a, b, activation="LeakyRelu", device=device)
    same([have], [np.where(a @ b < 0, a @ b * np.float32(0.01), a @ b)])


def test_fused_gemm_refuses() -> None:
    a = normal(2, 2)
    with pytest.raises(OnnxError, match="expected activation to be one of Affine, .* got 'Mush'"):
        run("FusedGemm", a, a, activation="Mush")
    with pytest.raises(OnnxError, match="activation"):
        run("FusedGemm", a, a)


CONV_ACTIVATIONS = [
    ("Relu", None),
    ("Tanh", None),
    ("Sigmoid", None),
    ("HardSwish", None),
    ("LeakyRelu", [0.2]),
    ("Clip", [-0.5, 0.7]),
    ("HardSigmoid", [0.3, 0.4]),
]


@pytest.mark.parametrize("activation, parameters", CONV_ACTIVATIONS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("residual", [False, True])
def test_fused_conv(
    activation: str, parameters: Any, bias: bool, residual: bool, device: Any
) -> None:
    extra = {} if parameters is None else {"activation_params": parameters}
    inputs = [
        normal(2, 4, 6, 5),
        normal(6, 2, 3, 3, seed=1),
        normal(6, seed=2) if bias else None,
        normal(2, 6, 6, 5, seed=3) if residual else None,
    ]
    agree(
        "FusedConv",
        *inputs,
        device=device,
        group=2,
        pads=[1, 1, 1, 1],
        activation=activation,
        **extra,
        **MS,
        rtol=1e-4,
        atol=1e-5,
    )


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
)
def test_fused_conv_of_many_forms(kernel: int, stride: int, dilation: int, pad: str) -> None:
    dilation = 1 if pad.startswith("SAME") else dilation
    agree(
        "FusedConv",
        normal(1, 2, 7, 6),
        normal(3, 2, kernel, kernel, seed=1),
        strides=[stride] * 2,
        dilations=[dilation] * 2,
        auto_pad=pad,
        activation="Relu",
        **MS,
        rtol=1e-4,
        atol=1e-5,
    )


def test_fused_conv_refuses() -> None:
    x, w = normal(1, 1, 4, 4), normal(1, 1, 3, 3)
    with pytest.raises(OnnxError, match="Clip: 1 activation_params, not 2"):
        run("FusedConv", x, w, activation="Clip", activation_params=[0.1])
    with pytest.raises(OnnxError, match="expected activation to be one of Relu, .* got 'Elu'"):
        run("FusedConv", x, w, activation="Elu", activation_params=[0.1])
    with pytest.raises(OnnxError, match=r"expected Z of shape \(1, 1, 2, 2\)"):
        run("FusedConv", x, w, None, normal(1, 1, 4, 4), activation="Relu")


def test_nhwc_convolution_is_conv_with_the_channels_last(device: Any) -> None:
    x, w, b = normal(2, 3, 6, 5), normal(4, 3, 3, 2, seed=1), normal(4, seed=2)
    z = normal(2, 4, 4, 4, seed=3)
    last = [np.ascontiguousarray(np.moveaxis(a, 1, -1)) for a in (x, z)]
    (plain,) = agree("FusedConv", x, w, b, z, activation="Relu", **MS, rtol=1e-4, atol=1e-5)
    have = run("NhwcFusedConv", last[0], w, b, last[1], activation="Relu", device=device)
    same([have], [np.moveaxis(plain, 1, -1)], 1e-4, 1e-5)
    plain = run("FusedConv", x, w, b)
    same([run("NhwcConv", last[0], w, b, device=device)], [np.moveaxis(plain, 1, -1)], 1e-4, 1e-5)


def test_gemm_fast_gelu(device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, w, b = normal(2, 3, 4), normal(4, 5, seed=1), normal(5, seed=2)
    want = torch.nn.functional.gelu(torch.from_numpy(x @ w + b), approximate="tanh")
    same([run("GemmFastGelu", x, w, b, device=device)], [want.numpy()])
