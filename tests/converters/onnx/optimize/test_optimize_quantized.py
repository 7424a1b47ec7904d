"""Islands of dequantised operators become operators on quantised numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optimizing import operators, random, runtime, with_weights

import tensorlite as tl

QX = "xq = QuantizeLinear (x, sx, zx)  xd = DequantizeLinear (xq, sx, zx)"
ENDS = {"QuantizeLinear": 1, "DequantizeLinear": 1}


def numbers(*shape: int) -> Any:
    return np.random.default_rng(7).integers(-100, 100, shape).astype(np.int8)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("w = DequantizeLinear <axis = 0> (wq, sw, zw)  c = Conv (xd, w)", {"QLinearConv": 1}),
        ("w = DequantizeLinear <axis = 0> (wq, sw, zw)  b = DequantizeLinear <axis = 0> (bq, sb)"
         "  c = Conv <pads = [1, 1, 1, 1]> (xd, w, b)", {"QLinearConv": 1}),
        ("w = DequantizeLinear <axis = 0> (wq, sw, zw)  b = DequantizeLinear <axis = 0> (bq, sw)"
         "  c = Conv (xd, w, b)", {"QLinearConv": 1}),
        ("m = DequantizeLinear (mq, sx, zx)  c = MatMul (xd, m)", {"QLinearMatMul": 1}),
        ("m = DequantizeLinear <axis = -1> (mq, s6, z6)  c = MatMul (xd, m)", {"QLinearMatMul": 1}),
        ("m = DequantizeLinear <axis = 0> (mq, s6, z6)  c = MatMul (xd, m)",
         {"MatMul": 1, "QuantizeLinear": 2, "DequantizeLinear": 2}),
        ("k = DequantizeLinear (mq, sx, zx)  c = Add (xd, k)", {"com.microsoft.QLinearAdd": 1}),
        ("k = DequantizeLinear (mq, sx, zx)  c = Mul (xd, k)", {"com.microsoft.QLinearMul": 1}),
    ],
)  # fmt: skip
def test_islands(body: str, left: dict[str, int]) -> None:
    text = f"""g (float[n, 3, 6, 6] x) => (float[n, p, q, r] y) {{
        {QX}  {body}  yq = QuantizeLinear (c, sy, zy)  y = DequantizeLinear (yq, sy, zy)
    }}"""
    sw, sx = np.float32([0.01, 0.02, 0.03, 0.015, 0.025]), np.float32(0.02)
    arrays = {
        "sx": sx, "zx": np.int8(3), "sy": np.float32(0.05), "zy": np.int8(-5),
        "wq": numbers(5, 3, 3, 3), "sw": sw, "zw": np.zeros(5, np.int8),
        "bq": np.arange(5, dtype=np.int32) * 100, "sb": sw * sx, "mq": numbers(6, 6),
        "s6": np.float32([1, 2, 3, 4, 5, 6]) / 100, "z6": np.zeros(6, np.int8),
    }  # fmt: skip
    words = set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())
    used = {name: np.asarray(array) for name, array in arrays.items() if name in words}
    proto = with_weights(text, **used)
    module, x = tl.onnx.load(proto), random(2, 3, 6, 6)
    wanted = {**ENDS, **left}
    assert operators(module) == wanted
    (expected,) = runtime(proto, x)
    difference = np.abs(module(x).numpy() - expected)
    assert difference.max() <= 0.05 * 1.01  # one step, where halves are rounded another way
    assert (difference > 1e-6).mean() < 0.02
