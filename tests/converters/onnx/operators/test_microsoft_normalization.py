"""The normalisations of com.microsoft against ONNX Runtime, PyTorch and NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
import single_node
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, normal, run
from single_node import same

from tensorlite.errors import OnnxError

TOLERANCE = {np.float32: 1e-5, np.float16: 3e-3, ml_dtypes.bfloat16: 3e-2}
SKIPS = [((2, 3, 8), (2, 3, 8)), ((2, 3, 8), (1, 3, 8)), ((2, 3, 8), (3, 8)), ((3, 8), (3, 8))]


def rounded(dtype: Any) -> dict[str, float]:
    return {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}


@pytest.mark.parametrize("shapes", SKIPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("beta", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_skip_layer_normalization(
    shapes: Any, dtype: Any, beta: bool, bias: bool, device: Any
) -> None:
    x, skip = (normal(*s, seed=i, dtype=dtype) for i, s in enumerate(shapes))
    gamma = normal(8, seed=2, dtype=dtype)
    shift = normal(8, seed=3, dtype=dtype) if beta else None
    bias = normal(8, seed=4, dtype=dtype) if bias else None
    options = {"device": device, "epsilon": 1e-5, **rounded(dtype)}
    agree("SkipLayerNormalization", x, skip, gamma, shift, bias, **options)
    agree("SkipLayerNormalization", x, skip, gamma, shift, bias, outputs=4, **options)
    agree("SkipLayerNormalization", x, skip, gamma, shift, bias, outputs="1001", **options)


@pytest.mark.parametrize("shapes", SKIPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("bias", [False, True])
def test_skip_simplified_layer_normalization(
    shapes: Any, dtype: Any, bias: bool, device: Any
) -> None:
    x, skip = (normal(*s, seed=i, dtype=dtype) for i, s in enumerate(shapes))
    gamma = normal(8, seed=2, dtype=dtype)
    bias = normal(8, seed=4, dtype=dtype) if bias else None
    options = {"device": device, "epsilon": 1e-5, **rounded(dtype)}
    agree("SkipSimplifiedLayerNormalization", x, skip, gamma, bias, **options)
    agree("SkipSimplifiedLayerNormalization", x, skip, gamma, bias, outputs="1001", **options)


def test_the_statistics_of_a_simplified_normalization(device: Any) -> None:
    x, skip, gamma = normal(2, 3, 8), normal(2, 3, 8, seed=1), normal(8, seed=2)
    _, mean, inverse, total = run(
        "SkipSimplifiedLayerNormalization", x, skip, gamma, outputs=4, device=device
    )
    want = x + skip
    same(
        [mean, inverse, total],
        [
            want.mean(-1, keepdims=True),
            1 / np.sqrt((want**2).mean(-1, keepdims=True)),
            want,
        ],
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 9), st.sampled_from([1e-6, 1e-3, 0.1]))
def test_skip_layer_normalization_of_any_shape(
    batch: int, length: int, hidden: int, epsilon: float
) -> None:
    shape = (batch, length, hidden)
    x, skip, gamma = normal(*shape), normal(*shape, seed=1), normal(hidden, seed=2)
    agree("SkipLayerNormalization", x, skip, gamma, epsilon=epsilon, rtol=1e-4, atol=1e-4)
    agree("SkipSimplifiedLayerNormalization", x, skip, gamma, epsilon=epsilon, rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_simplified_layer_normalization(dtype: Any, axis: int, device: Any) -> None:
    """It stands in ai.onnx, in files that ONNX Runtime has optimised."""
    x = normal(2, 3, 8, dtype=dtype)
    scale = normal(*x.shape[axis % 3 :], seed=1, dtype=dtype)
    tolerance = TOLERANCE.get(dtype, 1e-6)
    single_node.agree(
        "SimplifiedLayerNormalization",
        x,
        scale,
        outputs=2,
        device=device,
        axis=axis,
        epsilon=1e-4,
        rtol=tolerance,
        atol=tolerance,
    )


def test_simplified_layer_normalization_takes_the_dtype_of_its_scale(device: Any) -> None:
    x = normal(2, 8, dtype=np.float16)
    (y, _) = single_node.agree(
        "SimplifiedLayerNormalization", x, normal(8, seed=1), outputs=2, device=device, rtol=1e-3
    )
    assert y.dtype == np.float32


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("activation", ["silu", "swish", "sigmoid"])
def test_gated_rms_norm(dtype: Any, activation: str, device: Any) -> None:
    inputs = [normal(2, 3, 8), normal(4, seed=1), normal(2, 3, 8, seed=2)]
    x, scale, gate = (a.astype(dtype) for a in inputs)
    options = {"activation": activation, "epsilon": 1e-3, "device": device}
    if dtype is not ml_dtypes.bfloat16:
        agree("GatedRMSNorm", x, scale, gate, **rounded(dtype), **options)
        return
    have = run("GatedRMSNorm", x, scale, gate, **options)
    wide = run("GatedRMSNorm", *[a.astype(np.float32) for a in (x, scale, gate)], **options)
    same(have, [wide[0].astype(dtype)], 1e-2, 1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("channels_last", [0, 1])
@pytest.mark.parametrize("activation", [0, 1])
def test_group_norm(dtype: Any, channels_last: int, activation: int, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, gamma, beta = normal(2, 6, 3, 4, dtype=dtype), normal(6, seed=1), normal(6, seed=2)
    y = torch.nn.functional.group_norm(
        torch.from_numpy(x.astype(np.float32)),
        3,
        torch.from_numpy(gamma),
        torch.from_numpy(beta),
        1e-3,
    )
    want = (torch.nn.functional.silu(y) if activation else y).numpy().astype(dtype)
    attributes = {
        "groups": 3,
        "epsilon": 1e-3,
        "activation": activation,
        "channels_last": channels_last,
    }
    given = np.moveaxis(x, 1, -1).copy() if channels_last else x
    (have,) = run("GroupNorm", given, gamma, beta, device=device, **attributes)
    have = np.moveaxis(have, -1, 1) if channels_last else have
    same([have], [want], TOLERANCE[dtype], TOLERANCE[dtype])


@pytest.mark.parametrize("skip", [(2, 3, 4, 6), (2, 1, 1, 6), (2, 6)])
@pytest.mark.parametrize("channels_last", [0, 1])
def test_skip_group_norm(skip: tuple[int, ...], channels_last: int, device: Any) -> None:
    x, bias = normal(2, 3, 4, 6), normal(6, seed=4)
    gamma, beta, more = normal(6, seed=1), normal(6, seed=2), normal(*skip, seed=3)
    total = x + (more if more.ndim == 4 else more[:, None, None]) + bias

    def placed(a: Any) -> Any:
        return a if channels_last or a.ndim < 4 else np.moveaxis(a, -1, 1).copy()

    attributes = {"groups": 2, "activation": 1, "channels_last": channels_last, "device": device}
    have = run("SkipGroupNorm", placed(x), gamma, beta, placed(more), bias, outputs=2, **attributes)
    want = run("GroupNorm", placed(total), gamma, beta, **attributes)
    same(have, [want[0], placed(total)])


def test_errors() -> None:
    x, g = normal(2, 3, 8), normal(8)
    with pytest.raises(OnnxError, match=r"expected skip of shape \(2, 3, 8\) or \(3, 8\) or "):
        run("SkipLayerNormalization", x, normal(2, 1, 8), g)
    with pytest.raises(OnnxError, match=r"expected gamma of shape \(8,\), got float32 \(7,\)"):
        run("SkipSimplifiedLayerNormalization", x, x, normal(7))
    with pytest.raises(OnnxError, match="expected input of 2 or 3 dimensions"):
        run("SkipLayerNormalization", x[0, 0], g, g)
    with pytest.raises(OnnxError, match="expected skip of dtype float32, got float16"):
        run("SkipLayerNormalization", x, x.astype(np.float16), g)
    with pytest.raises(OnnxError, match="expected scale of shape"):
        single_node.ours(
            single_node.node_model("SimplifiedLayerNormalization", [x, normal(7)]), [x, normal(7)]
        )
    with pytest.raises(OnnxError, match=r"0 \(none\) or 1 \(SiLU\), got 2"):
        run("GroupNorm", normal(1, 2, 2, 4), normal(4), normal(4), groups=2, activation=2)
    with pytest.raises(OnnxError, match="multiple of that of scale"):
        run("GatedRMSNorm", x, normal(3), x)
    with pytest.raises(OnnxError, match="expected activation to be one of silu, swish, sigmoid"):
        run("GatedRMSNorm", x, g, x, activation="relu")
