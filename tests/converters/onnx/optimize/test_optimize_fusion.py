"""Patterns become one node each, and only where that means the same."""

from __future__ import annotations

import numpy as np
import pytest
from optimizing import check, check_runtime, operators, parsed, random, with_weights

import tensorlite as tl

BATCH_NORM = {
    "s": random(5), "h": random(5) + 1, "m": random(5), "v": np.abs(random(5)) + 0.5,
}  # fmt: skip


@pytest.mark.parametrize("bias", ["", ", b"])
def test_batch_normalization_goes_into_a_convolution(bias: str) -> None:
    text = f"""g (float[n, 3, p, q] x) => (float[n, 5, a, b2] y) {{
        c = Conv (x, w{bias})
        y = BatchNormalization <epsilon = 0.01> (c, s, h, m, v)
    }}"""
    weights = {"w": random(5, 3, 3, 3), **BATCH_NORM, **({"b": random(5) * 2} if bias else {})}
    check(with_weights(text, **weights), {"Conv": 1}, random(2, 3, 6, 7), rtol=1e-4)


def test_a_convolution_whose_result_is_seen_stays() -> None:
    text = """g (float[n, 3, p, q] x) => (float[n, 5, a, b] y, float[n, 5, a, b] c) {
        c = Conv (x, w)
        y = BatchNormalization (c, s, h, m, v)
    }"""
    proto = with_weights(text, w=random(5, 3, 1, 1), **BATCH_NORM)
    check(proto, {"Conv": 1, "BatchNormalization": 1}, random(2, 3, 4, 4), rtol=1e-4)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("c = Conv (x, w)  y = Add (c, k)", {"Conv": 1}),
        ("c = Conv (x, w)  y = Sub (c, k)", {"Conv": 1}),
        ("c = Conv (x, w)  y = Sub (k, c)", {"Conv": 1, "Sub": 1}),
        ("c = Conv (x, w)  y = Mul (k, c)", {"Conv": 1}),
        ("c = Conv (x, w)  y = Div (c, k)", {"Conv": 1}),
        ("c = Conv (x, w)  d = Mul (c, k)  y = Add (d, k)", {"Conv": 1}),
        ("c = Conv (x, w)  y = Add (c, row)", {"Conv": 1, "Add": 1}),
        ("p = Pad (x, pads)  y = Conv <pads = [1, 0, 0, 0]> (p, w)", {"Conv": 1}),
        ("p = Pad (x, pads, one)  y = Conv (p, w)", {"Conv": 1, "Pad": 1}),
        ('p = Pad <mode = "reflect"> (x, pads)  y = Conv (p, w)', {"Conv": 1, "Pad": 1}),
    ],
)
def test_what_goes_into_a_convolution(body: str, left: dict[str, int]) -> None:
    text = f"g (float[n, 3, 6, 6] x) => (float[n, 5, p, q] y) {{ {body} }}"
    proto = with_weights(
        text, w=random(5, 3, 3, 3), k=random(1, 5, 1, 1) + 3, row=random(4), one=np.float32([1])[0],
        pads=np.array([0, 0, 1, 2, 0, 0, 0, 1]),
    )  # fmt: skip
    check(proto, left, random(2, 3, 6, 6), rtol=1e-4)


def test_factors_of_a_grouped_transposed_convolution() -> None:
    text = """g (float[n, 4, 5, 5] x) => (float[n, 6, p, q] y) {
        c = ConvTranspose <group = 2, strides = [2, 2]> (x, w)
        y = Mul (c, k)
    }"""
    proto = with_weights(text, w=random(4, 3, 3, 3), k=random(1, 6, 1, 1))
    check_runtime(proto, {"ConvTranspose": 1}, random(2, 4, 5, 5))


FUSED = "com.microsoft.FusedConv"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("y = Relu (c)", {FUSED: 1}),
        ("y = Sigmoid (c)", {FUSED: 1}),
        ("y = LeakyRelu <alpha = 0.2> (c)", {FUSED: 1}),
        ("y = Clip (c, low, high)", {FUSED: 1}),
        ("y = Clip (c, low)", {"Conv": 1, "Clip": 1}),
        ("y = Elu (c)", {"Conv": 1, "Elu": 1}),
        ("d = Add (x, c)  y = Relu (d)", {FUSED: 1}),
        ("d = Add (c, x)  e = Mul (d, d)  y = Relu (e)",
         {"Conv": 1, "Add": 1, "Mul": 1, "Relu": 1}),
        ("d = Add (c, r)  y = Relu (d)", {"Conv": 1, "Add": 1, "Relu": 1}),
        ("d = Relu (c)  y = Add (c, d)", {"Conv": 1, "Relu": 1, "Add": 1}),
    ],
)  # fmt: skip
def test_activations_of_convolutions(body: str, left: dict[str, int]) -> None:
    text = f"""g (float[n, 3, p, q] x, float[1, 3, 1, 1] r) => (float[n, 3, p, q] y) {{
        c = Conv <pads = [1, 1, 1, 1]> (x, w)
        {body}
    }}"""
    low, high = np.float32([-0.5, 0.75])
    proto = with_weights(text, w=random(3, 3, 3, 3), low=low, high=high)
    check_runtime(proto, left, random(2, 3, 6, 5), random(1, 3, 1, 1))


GELU = "com.microsoft.Gelu"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("a = Div (x, r)  b = Erf (a)  c = Add (b, one)  d = Mul (x, c)  y = Mul (d, half)",
         {GELU: 1}),
        ("a = Mul (x, i)  b = Erf (a)  c = Add (one, b)  d = Mul (c, half)  y = Mul (d, x)",
         {GELU: 1}),
        ("a = Div (x, r)  b = Erf (a)  c = Add (b, one)  h = Mul (x, half)  y = Mul (h, c)",
         {GELU: 1}),
        ("a = Div (x, two)  b = Erf (a)  c = Add (b, one)  d = Mul (x, c)  y = Mul (d, half)",
         {"Div": 1, "Erf": 1, "Add": 1, "Mul": 2}),
        ("p = Pow (x, three)  a = Mul (p, k)  b = Add (x, a)  c = Mul (b, s)  t = Tanh (c)"
         "  u = Add (t, one)  v = Mul (x, u)  y = Mul (v, half)", {"Gelu": 1}),
        ("a = Sigmoid (x)  y = Mul (x, a)", {"com.microsoft.QuickGelu": 1}),
        ("m = Mul (x, two)  a = Sigmoid (m)  y = Mul (x, a)", {"com.microsoft.QuickGelu": 1}),
        ("a = HardSigmoid <alpha = 0.1666666667, beta = 0.5> (x)  y = Mul (x, a)",
         {"HardSwish": 1}),
        ("a = HardSigmoid <alpha = 0.2, beta = 0.5> (x)  y = Mul (x, a)",
         {"HardSigmoid": 1, "Mul": 1}),
        ("a = Add (x, three)  b = Clip (a, zero, six)  c = Mul (x, b)  y = Div (c, six)",
         {"HardSwish": 1}),
    ],
)  # fmt: skip
def test_activations_that_were_written_out(body: str, left: dict[str, int]) -> None:
    text = f"g (float[n, 4] x) => (float[n, 4] y) {{ {body} }}"
    numbers = {"r": 2**0.5, "i": 0.5**0.5, "one": 1, "half": 0.5, "two": 2, "three": 3, "zero": 0,
               "six": 6, "k": 0.044715, "s": (2 / np.pi) ** 0.5}  # fmt: skip
    used = {name: np.array(v, np.float32) for name, v in numbers.items() if name in body}
    check_runtime(with_weights(text, **used), left, random(7, 4) * 3)


LAYER_NORM = """m = ReduceMean <axes = [-1]> (x)  d = Sub (x, m)  p = Pow (d, two)
    v = ReduceMean <axes = [-1]> (p)  e = Add (v, eps)  s = Sqrt (e)  q = Div (d, s)"""
RMS_NORM = "p = Mul (x, x)  v = ReduceMean <axes = [-1]> (p)  e = Add (v, eps)  s = Sqrt (e)"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (f"{LAYER_NORM}  f = Mul (q, scale)  y = Add (f, bias)", {"LayerNormalization": 1}),
        (f"{LAYER_NORM}  y = Mul (scale, q)", {"LayerNormalization": 1}),
        (f"{RMS_NORM}  q = Div (x, s)  y = Mul (q, scale)", {"RMSNormalization": 1}),
        (f"{RMS_NORM}  i = Reciprocal (s)  q = Mul (i, x)  y = Mul (scale, q)",
         {"RMSNormalization": 1}),
        (f"{RMS_NORM}  q = Div (s, x)  y = Mul (q, scale)",
         {"Mul": 2, "ReduceMean": 1, "Add": 1, "Sqrt": 1, "Div": 1}),
    ],
)  # fmt: skip
def test_normalizations_that_were_written_out(body: str, left: dict[str, int]) -> None:
    text = f"g (float[n, m2, 8] x) => (float[n, m2, 8] y) {{ {body} }}"
    weights = {"two": np.float32(2), "eps": np.float32(1e-5), "scale": random(8), "bias": random(8)}
    arrays = {name: np.asarray(array) for name, array in weights.items()}
    check_runtime(with_weights(text, **arrays), left, random(2, 5, 8) + 0.5)


def test_half_precision_keeps_its_steps() -> None:
    text = "g (float16[n] x) => (float16[n] y) {a = Sigmoid (x)  y = Mul (x, a)}"
    assert operators(tl.onnx.load(parsed(text))) == {"Sigmoid": 1, "Mul": 1}
