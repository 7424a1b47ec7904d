"""Islands of dequantised operators become operators on quantised numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from optimizing import operators, random, runtime, with_weights

import tensorlite as tl

Q, DQ = "QuantizeLinear", "DequantizeLinear"
ENDS = {Q: 1, DQ: 1}
STEP = 0.05  # the scale of results


def numbers(*shape: int, dtype: Any = np.int8) -> Any:
    random_ = np.random.default_rng(7)
    shift = 128 if dtype is np.uint8 else 0
    return (random_.integers(-100, 100, shape) + shift).astype(dtype)


def weights(dtype: Any) -> dict[str, Any]:
    """Constants by name; activations are of the dtype, weights int8."""
    sw, sx = np.float32([0.01, 0.02, 0.03, 0.015, 0.025]), np.float32(0.0213)
    shift = 128 if dtype is np.uint8 else 0
    return {
        "sx": sx, "zx": dtype(3 + shift), "sy": np.float32(STEP), "zy": dtype(-5 + shift),
        "lowest": dtype(np.iinfo(dtype).min), "s2": np.float32(0.013), "z2": dtype(11 + shift),
        "wq": numbers(5, 3, 3, 3), "sw": sw, "zw": np.zeros(5, np.int8), "z8": np.int8(1),
        "bq": np.arange(5, dtype=np.int32) * 100, "sb": sw * sx, "mq": numbers(6, 6, dtype=dtype),
        "bf": np.linspace(-1, 1, 5).astype(np.float32),
        "b4": np.linspace(-1, 1, 5).astype(np.float32).reshape(1, 5, 1, 1),
        "b6": np.linspace(-1, 1, 6).astype(np.float32),
        "n6": numbers(6, 6), "s6": np.float32([1, 2, 3, 4, 5, 6]) / 100, "z6": np.zeros(6, np.int8),
        "g6": numbers(4, 108), "s4": np.float32([1, 2, 3, 4]) / 1000, "z4": np.zeros(4, np.int8),
        "gb": np.arange(4, dtype=np.int32) * 50, "sg": np.float32([1, 2, 3, 4]) / 1000 * sx,
        "f5": np.float32([0.5, 1, 2, 0.7, 1.1]), "m5": np.float32([0.1, -1, 0, 0.3, 0.2]),
        "v5": np.float32([1, 2, 0.5, 0.1, 0.7]), "sign": np.float32([0.5, -1, 2, 0.7, 1.1]),
        "low": np.float32(-0.5), "high": np.float32(1.5), "axes": np.int64([2, 3]),
        "small": np.float32(1e-3),
    }  # fmt: skip


def model(text: str, dtype: Any, opset: int = 17) -> Any:
    """The model with the constants that it names."""
    words = set(re.findall(r"\w+", text))
    used = {name: np.asarray(a) for name, a in weights(dtype).items() if name in words}
    return with_weights(text, opset, **used)


def agree(
    proto: Any, left: dict[str, int], x: Any, share: float = 0.02, step: float = STEP
) -> None:
    """Asserts which operators are left, and that results are at most a step from unoptimised."""
    module = tl.onnx.load(proto)
    failed = [c for c in module.explain().changes if "failed and was left out" in c.done]
    assert not failed
    assert operators(module) == left
    (expected,) = runtime(proto, x)
    have = module(x).numpy()
    assert have.dtype == expected.dtype
    difference = np.abs(have - expected)
    assert difference.max() <= step * 1.01  # one step, where halves are rounded another way
    assert (difference > 1e-5).mean() <= share
    np.testing.assert_allclose(
        tl.onnx.load(proto, optimize=False)(x).numpy(), expected, atol=step * 1.01
    )


W = "w = DequantizeLinear <axis = 0> (wq, sw, zw)"
M = "m = DequantizeLinear (mq, sx, zx)"
CONVOLUTIONS = [
    (f"{W}  c = Conv (xd, w)", {"QLinearConv": 1}),
    (f"{W}  b = DequantizeLinear <axis = 0> (bq, sb)  c = Conv <pads = [1, 1, 1, 1]> (xd, w, b)",
     {"QLinearConv": 1}),
    (f"{W}  b = DequantizeLinear <axis = 0> (bq, sw)  c = Conv (xd, w, b)", {"QLinearConv": 1}),
    (f"{W}  c = Conv <strides = [2, 1]> (xd, w, bf)", {"QLinearConv": 1}),
    (f"{W}  k = Conv (xd, w)  c = Add (k, b4)", {"QLinearConv": 1}),
    (f"{W}  k = Conv (xd, w)  r = Relu (k)  c = Clip (r, low, high)",
     {"QLinearConv": 1, "Clip": 2}),
]  # fmt: skip
PRODUCTS = [
    (f"{M}  c = MatMul (xd, m)", {"QLinearMatMul": 1}),
    ("m = DequantizeLinear <axis = -1> (n6, s6, z6)  c = MatMul (xd, m)", {"QLinearMatMul": 1}),
    ("m = DequantizeLinear <axis = 0> (n6, s6, z6)  c = MatMul (xd, m)",
     {"MatMul": 1, Q: 2, DQ: 2}),
    ("m = DequantizeLinear <axis = 1> (n6, s6, z6)  k = MatMul (xd, m)  c = Add (k, b6)",
     {"com.microsoft.MatMulIntegerToFloat": 1, Q: 2, DQ: 1}),
    ("m = DequantizeLinear <axis = 0> (n6, s6, z6)  t = Transpose <perm = [1, 0]> (m)"
     "  c = MatMul (xd, t)", {"QLinearMatMul": 1}),
    (f"{M}  k = MatMul (xd, m)  c = Transpose <perm = [0, 2, 1, 3]> (k)",
     {"QLinearMatMul": 1, "Transpose": 1}),
]  # fmt: skip
ARITHMETIC = [
    (f"{M}  c = Add (xd, m)", {"com.microsoft.QLinearAdd": 1}),
    (f"{M}  c = Sum (xd, m)", {"com.microsoft.QLinearAdd": 1}),
    (f"{M}  c = Mul (xd, m)", {"com.microsoft.QLinearMul": 1}),
    (f"{M}  k = Add (xd, m)  c = Relu (k)", {"com.microsoft.QLinearAdd": 1, "Clip": 1}),
    (f"{M}  k = Sub (xd, m)  c = Relu (k)", {"Sub": 1, "Relu": 1, Q: 2, DQ: 2}),
    ("c = Sigmoid (xd)", {"com.microsoft.QLinearSigmoid": 1}),
    ("c = LeakyRelu <alpha = 0.2> (xd)", {"com.microsoft.QLinearLeakyRelu": 1}),
    ("c = Softmax <axis = 1> (xd)", {"com.microsoft.QLinearSoftmax": 1}),
    ("c = AveragePool <kernel_shape = [2, 2], pads = [1, 0, 0, 1]> (xd)",
     {"com.microsoft.QLinearAveragePool": 1}),
    ("c = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], count_include_pad = 1> (xd)",
     {"com.microsoft.QLinearAveragePool": 1}),
    ("c = GlobalAveragePool (xd)", {"com.microsoft.QLinearGlobalAveragePool": 1}),
    ("c = ReduceMean <axes = [1, -1]> (xd)", {"com.microsoft.QLinearReduceMean": 1}),
    ("o = DequantizeLinear (xo, s2, z2)  c = Concat <axis = 1> (xd, o)",
     {"com.microsoft.QLinearConcat": 1, Q: 2, DQ: 1}),
    ("k = Less (x, low)  o = DequantizeLinear (xo, s2, z2)  c = Where (k, xd, o)",
     {"com.microsoft.QLinearWhere": 1, "Less": 1, Q: 2, DQ: 1}),
    ("c = Tanh (xd)", {"Tanh": 1, Q: 2, DQ: 2}),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(("body", "left"), [*CONVOLUTIONS, *PRODUCTS, *ARITHMETIC])
def test_islands(body: str, left: dict[str, int], dtype: Any) -> None:
    second = "xo = QuantizeLinear (x, s2, z2)" if "xo" in body else ""
    text = f"""g (float[n, 3, 6, 6] x) => (float[n, p, q, r] y) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)  {second}
        {body}  yq = QuantizeLinear (c, sy, zy)  y = DequantizeLinear (yq, sy, zy)
    }}"""
    agree(model(text, dtype), {**ENDS, **left}, random(2, 3, 6, 6))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(
    ("body", "opset", "left"),
    [
        ("c = Relu (k)", 17, {}),
        ("c = Clip (k, low)", 17, {}),
        ("c = Clip (k, small, high)", 17, {"Clip": 1}),
        ("c = Clip <min = 0.0, max = 1000.0> (k)", 10, {}),
        ("c = Clip <min = 0.0, max = 6.0> (k)", 10, {"Clip": 1}),
        ("c = Clip (k)", 17, {}),
        ("r = Relu (k)  c = MaxPool <kernel_shape = [2, 2]> (r)", 17, {"MaxPool": 1}),
    ],
)
def test_clamps_are_the_limits_of_what_follows(
    body: str, opset: int, left: dict[str, int], dtype: Any
) -> None:
    text = f"""g (float[n, 3, 6, 6] x) => (float[n, p, q, r] y) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        w = DequantizeLinear <axis = 0> (wq, sw, zw)  k = Conv (xd, w)
        {body}  yq = QuantizeLinear (c, sy, lowest)  y = DequantizeLinear (yq, sy, lowest)
    }}"""
    if opset < 13:  # without scales per channel
        text = text.replace(" <axis = 0>", "").replace("(wq, sw, zw)", "(wq, s2, z8)")
    proto = model(text, dtype, opset)
    agree(proto, {**ENDS, "QLinearConv": 1, **left}, random(2, 3, 6, 6))


@pytest.mark.parametrize(
    ("body", "opset", "operator"),
    [
        ("c = Softmax <axis = 2> (xd)", 12, "QLinearSoftmax"),
        ("c = Softmax (xd)", 11, "QLinearSoftmax"),
        ("c = ReduceMean <keepdims = 1> (xd, axes)", 18, "QLinearReduceMean"),
        ("c = AveragePool <kernel_shape = [2, 2], dilations = [1, 1]> (xd)", 19,
         "QLinearAveragePool"),
    ],
)  # fmt: skip
def test_other_opsets(body: str, opset: int, operator: str) -> None:
    text = f"""g (float[2, 3, 6, 6] x) => (float[n, p, q, r] y) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        {body}  yq = QuantizeLinear (c, small, zy)  y = DequantizeLinear (yq, small, zy)
    }}"""
    left = {**ENDS, f"com.microsoft.{operator}": 1}
    agree(model(text, np.uint8, opset), left, random(2, 3, 6, 6), 0.1, 1e-3)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("bias", ["", ", gd", ", b4f"])
@pytest.mark.parametrize("quantised", [True, False])
def test_gemm(quantised: bool, bias: str, dtype: Any) -> None:
    """With a bias that is quantised with the scale of the products, or another way."""
    end = "yq = QuantizeLinear (c, sy, zy)  y = DequantizeLinear (yq, sy, zy)"
    text = f"""g (float[n, 108] x) => (float[n, 4] y) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        w = DequantizeLinear <axis = 0> (g6, s4, z4)
        gd = DequantizeLinear <axis = 0> (gb, sg)  b4f = DequantizeLinear <axis = 0> (gb, s4)
        c = Gemm <transB = 1> (xd, w{bias})  {end if quantised else "y = Identity (c)"}
    }}"""
    left = {"com.microsoft.QGemm": 1, Q: 1} | ({DQ: 1} if quantised else {})
    if bias == ", b4f" and not quantised:  # it is no multiple of the products' scale
        left = {Q: 1, DQ: 1, "Gemm": 1}
    agree(model(text, dtype), left, random(3, 108))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("c = Conv <pads = [1, 1, 1, 1]> (xd, w)", {}),
        ("c = Conv <strides = [2, 2]> (xd, w, bf)", {"Add": 1}),
        ("c = Conv (xd, w, bd)", {"Add": 1}),
        ("k = Conv (xd, w)  c = Add (k, b4)", {"Add": 1}),
        ("k = Conv (xd, w)  r = Relu (k)  c = Add (k, r)", {"Add": 1, "Relu": 1}),
    ],
)
def test_convolutions_whose_results_stay_floats(
    body: str, left: dict[str, int], dtype: Any
) -> None:
    text = f"""g (float[n, 3, 6, 6] x) => (float[n, p, q, r] c) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        bd = DequantizeLinear <axis = 0> (bq, sb)  w = DequantizeLinear <axis = 0> (wq, sw, zw)
        {body}
    }}"""
    agree(model(text, dtype), {Q: 1, "ConvInteger": 1, "Cast": 1, "Mul": 1, **left},
          random(2, 3, 6, 6), share=0)  # fmt: skip


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("bias", ["", ", bf", ", bd"])
@pytest.mark.parametrize("weight", ["<axis = 0> (wq, sw, zw)", "(wq, s2, z8)", "(wq, s2)"])
def test_batch_normalisation(weight: str, bias: str, dtype: Any) -> None:
    text = f"""g (float[n, 3, 6, 6] x) => (float[n, p, q, r] y) {{
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        bd = DequantizeLinear <axis = 0> (bq, sb)  w = DequantizeLinear {weight}
        k = Conv (xd, w{bias})  n5 = BatchNormalization (k, f5, bf, m5, v5)  c = Relu (n5)
        yq = QuantizeLinear (c, sy, lowest)  y = DequantizeLinear (yq, sy, lowest)
    }}"""
    agree(model(text, dtype), {**ENDS, "QLinearConv": 1}, random(2, 3, 6, 6))
    below = model(text.replace("f5", "sign"), dtype)  # factors below zero: not into scales
    assert operators(tl.onnx.load(below))["QLinearConv"] == 0
    (want,) = runtime(below, random(2, 3, 6, 6))
    np.testing.assert_allclose(
        tl.onnx.load(below)(random(2, 3, 6, 6)).numpy(), want, atol=1.01 * STEP
    )


def test_products_of_two_values_that_are_computed() -> None:
    text = """g (float[2, 3, 6, 6] x) => (float[2, 3, 6, 6] y) {
        xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)
        t = Transpose <perm = [0, 1, 3, 2]> (xd)  y = MatMul (xd, t)
    }"""
    left = {Q: 1, "Transpose": 1, "com.microsoft.MatMulIntegerToFloat": 1}
    agree(model(text, np.uint8), left, random(2, 3, 6, 6))


def test_parameters_that_operators_cannot_have_are_left() -> None:
    """A scale that is computed, one below zero, or one for each channel of an activation."""
    for bad in ({"sx": np.float32(-0.02)}, {"sx": np.float32(1e-38)}):
        text = """g (float[2, 3, 6, 6] x) => (float[2, 3, 6, 6] y) {
            xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)  c = Relu (xd)
            yq = QuantizeLinear (c, sx, zx)  y = DequantizeLinear (yq, sx, zx)
        }"""
        proto = with_weights(text, **bad, zx=np.array(3, np.int8))
        x = random(2, 3, 6, 6)
        (expected,) = runtime(proto, x)
        module = tl.onnx.load(proto)
        assert operators(module) == {Q: 2, DQ: 2, "Relu": 1}
        np.testing.assert_array_equal(module(x).numpy(), expected)
