"""Quantised ONNX operators in plans: integers, exactly those of the operators themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from same import same

import tensorlite as tl

onnx = pytest.importorskip("onnx")
pytest.importorskip("numba")

HEAD = '<ir_version: 8, opset_import: ["": 17]>\n'
LINEAR = "float s = {0.5}, uint8 z = {1}, uint8[2, 2] w = {1, 2, 250, 4}"
FILTER = "float s = {0.5}, uint8 z = {1}, uint8[1, 1, 2, 2] w = {1, 2, 250, 4}"
GRAPHS = {
    "there and back": (
        "g (float[4,4] x) => (float[4,4] y) <float s = {0.1}, int8 z = {3}>"
        "{q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)}"
    ),
    "dynamic": "g (float[4,4] x) => (uint8[4,4] y, float a, uint8 b) "
    "{y, a, b = DynamicQuantizeLinear(x)}",
    "MatMulInteger": f"g (float[4,2] x) => (int32[4,2] y) <{LINEAR}>"
    "{q, a, b = DynamicQuantizeLinear(x)  y = MatMulInteger(q, w, b, z)}",
    "ConvInteger": f"g (float[1,1,4,4] x) => (int32[1,1,3,3] y) <{FILTER}>"
    "{q, a, b = DynamicQuantizeLinear(x)  y = ConvInteger(q, w, b, z)}",
    "QLinearMatMul": f"g (uint8[4,2] x) => (uint8[4,2] y) <{LINEAR}>"
    "{y = QLinearMatMul(x, s, z, w, s, z, s, z)}",
    "QLinearConv": f"g (uint8[1,1,4,4] x) => (uint8[1,1,3,3] y) <{FILTER}>"
    "{y = QLinearConv(x, s, z, w, s, z, s, z)}",
}


@pytest.mark.parametrize("name", GRAPHS)
def test_quantized(name: str) -> None:
    model: Any = tl.onnx.load(onnx.parser.parse_model(HEAD + GRAPHS[name]), device="numba")
    (info,) = model.inputs
    random = np.random.default_rng(0)
    x = random.integers(0, 256, info.shape)
    x = x.astype(np.uint8) if info.dtype == "uint8" else (x / 40 - 3).astype(np.float32)
    same(model, x, close=0)
