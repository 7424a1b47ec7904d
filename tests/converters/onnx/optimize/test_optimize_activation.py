"""Activations written out or repeated become one node, and only where that means the same."""

from __future__ import annotations

import numpy as np
import pytest
from optimizing import check_runtime, random, with_weights


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("a = Softplus (x)  b = Tanh (a)  y = Mul (x, b)", {"Mish": 1}),
        ("a = Softplus (x)  b = Tanh (a)  y = Mul (b, x)", {"Mish": 1}),
        ("a = Softplus (x)  b = Tanh (a)  y = Mul (a, b)", {"Softplus": 1, "Tanh": 1, "Mul": 1}),
        ("a = Softplus (x)  b = Tanh (a)  c = Mul (x, b)  y = Add (c, a)",
         {"Softplus": 1, "Tanh": 1, "Mul": 1, "Add": 1}),
        ("a = Relu (x)  y = Relu (a)", {"Relu": 1}),
        ("a = Relu (x)  y = Clip (a, zero, six)", {"Clip": 1}),
        ("a = Relu (x)  y = Clip (a, two, six)", {"Clip": 1}),
        ("a = Relu (x)  y = Clip (a, low, six)", {"Relu": 1, "Clip": 1}),
        ("a = Relu (x)  y = Clip (a, , six)", {"Relu": 1, "Clip": 1}),
        ("a = Relu (x)  b = Clip (a, zero, six)  y = Sub (b, a)", {"Relu": 1, "Clip": 1, "Sub": 1}),
    ],
)  # fmt: skip
def test_activations_join(body: str, left: dict[str, int], opset: int) -> None:
    text = f"g (float[n, 4] x) => (float[n, 4] y) {{ {body} }}"
    numbers = {"zero": 0, "two": 2, "six": 6, "low": -1}
    used = {name: np.array(v, np.float32) for name, v in numbers.items() if name in body}
    check_runtime(with_weights(text, opset, **used), left, random(7, 4) * 4)


def test_a_relu_that_is_an_output_stays() -> None:
    text = "g (float[n, 4] x) => (float[n, 4] y, float[n, 4] a) { a = Relu (x)  y = Relu (a) }"
    check_runtime(with_weights(text), {"Relu": 2}, random(7, 4) * 4)


def test_half_precision_keeps_the_steps_of_mish() -> None:
    text = """g (float16[n] x) => (float16[n] y) {
        a = Softplus (x)  b = Tanh (a)  y = Mul (x, b) }"""
    check_runtime(with_weights(text), {"Softplus": 1, "Tanh": 1, "Mul": 1}, random(9, dtype="f2"))
