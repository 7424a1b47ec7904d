"""Models whose activations are quantised as they come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import quantized_files
from onnx import TensorProto, helper
from optimizing import operators, parsed, random, runtime, with_weights
from quantized_files import dynamic

import tensorlite as tl

DYNAMIC, INTEGER = "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.MatMulIntegerToFloat"
QUANTIZE = "DynamicQuantizeLinear"
PRODUCT = """{q}, {s}, {z} = DynamicQuantizeLinear (x)  i{n} = MatMulInteger ({q}, w{n}, {z}, zero)
    f{n} = Cast <to = 1> (i{n})  t{n} = Mul ({s}, scale)  m{n} = Mul (f{n}, t{n})"""


def given(columns: int, each: bool) -> dict[str, Any]:
    """Weights, with one scale and zero point or one for each column."""
    source = np.random.default_rng(0)
    shape = (columns,) if each else (1,)
    return {
        "w1": source.integers(-128, 128, (24, columns)).astype(np.int8),
        "w2": source.integers(-128, 128, (24, columns)).astype(np.int8),
        "scale": source.uniform(0.001, 0.1, shape).astype(np.float32),
        "zero": source.integers(-3, 3, shape).astype(np.int8),
        "b": source.standard_normal(columns).astype(np.float32), "c": random(5, 1),
    }  # fmt: skip


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize(
    ("end", "left"),
    [
        ("y = Identity (m1)", {DYNAMIC: 1}),
        ("y = Add (m1, b)", {DYNAMIC: 1}),
        ("y = Add (b, m1)", {DYNAMIC: 1}),
        ("y = Add (m1, c)", {DYNAMIC: 1, "Add": 1}),
        ("h = Exp (m1)  y = Add (m1, h)", {DYNAMIC: 1, "Exp": 1, "Add": 1}),
    ],
)
def test_products(end: str, left: dict[str, int], each: bool) -> None:
    body = PRODUCT.format(q="q", s="s", z="z", n=1)
    text = f"g (float[2, 5, 24] x) => (float[2, 5, 10] y) {{ {body}  {end} }}"
    words = set(re.findall(r"\w+", text))
    used = {name: a for name, a in given(10, each).items() if name in words}
    proto = with_weights(text, **used)
    module, x = tl.onnx.load(proto), random(2, 5, 24)
    assert operators(module) == left
    (want,) = runtime(proto, x)
    np.testing.assert_allclose(module(x).numpy(), want, rtol=1e-5, atol=1e-5)


def test_products_of_one_value_quantise_it_once() -> None:
    first = PRODUCT.format(q="q", s="s", z="z", n=1)
    second = PRODUCT.format(q="q", s="s", z="z", n=2).split(")", 1)[1]
    arrays = {n: a for n, a in given(10, False).items() if n not in ("b", "c")}
    text = f"g (float[2, 24] x) => (float[2, 10] y) {{ {first} {second} y = Mul (m1, m2) }}"
    proto = with_weights(text, **arrays)
    module, x = tl.onnx.load(proto), random(2, 24)
    assert operators(module) == {QUANTIZE: 1, INTEGER: 2, "Mul": 1}
    np.testing.assert_allclose(module(x).numpy(), runtime(proto, x)[0], rtol=1e-5)


def test_products_of_two_values_that_are_quantised_as_they_come() -> None:
    text = """g (float[2, 5, 24] x) => (float[2, 5, 5] y) {
        q, s, z = DynamicQuantizeLinear (x)  t = Transpose <perm = [0, 2, 1]> (x)  e = Exp (t)
        r, p, v = DynamicQuantizeLinear (e)  i = MatMulInteger (q, r, z, v)
        f = Cast <to = 1> (i)  m = Mul (p, s)  y = Mul (m, f)
    }"""
    proto, x = parsed(text), random(2, 5, 24)
    module = tl.onnx.load(proto)
    assert operators(module) == {QUANTIZE: 1, DYNAMIC: 1, "Transpose": 1, "Exp": 1}
    np.testing.assert_allclose(module(x).numpy(), runtime(proto, x)[0], rtol=1e-4, atol=1e-3)


def test_what_is_asked_for_in_between_is_kept() -> None:
    body = PRODUCT.format(q="q", s="s", z="z", n=1)
    text = f"g (float[2, 24] x) => (float[2, 10] m1, float[2, 10] f1, uint8[2, 24] q) {{ {body} }}"
    arrays = {n: a for n, a in given(10, False).items() if n not in ("w2", "b", "c")}
    proto = with_weights(text, **arrays)
    module, x = tl.onnx.load(proto), random(2, 24)
    for have, want in zip(module.run({"x": x}).values(), runtime(proto, x), strict=True):
        np.testing.assert_allclose(have.numpy(), want, rtol=1e-5)


def onnxruntime(path: Path, x: Any) -> Any:
    return quantized_files.onnxruntime(path, {"x": x}, True)


def made(node: Any, x: Any, **weights: Any) -> onnx.ModelProto:
    """A model of one node from x to y."""
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
            for n, s in (("x", x.shape), ("y", None))]  # fmt: skip
    arrays = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph([node], "g", info[:1], info[1:], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_lstm(direction: str, per_channel: bool, tmp_path: Path) -> None:
    x, n, count = random(6, 2, 16), 24, 2 if direction == "bidirectional" else 1
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=n, direction=direction)
    weights = {"w": random(count, 4 * n, 16) / 4, "r": random(count, 4 * n, n) / 4,
               "b": random(count, 8 * n)}  # fmt: skip
    path = dynamic(made(node, x, **weights), tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    assert operators(module) == {"com.microsoft.DynamicQuantizeLSTM": 1}
    np.testing.assert_allclose(module(x).numpy(), onnxruntime(path, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("per_channel", [False, True])
def test_convolution(per_channel: bool, tmp_path: Path) -> None:
    x = random(2, 3, 9, 9)
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1] * 4)
    proto = made(node, x, w=random(8, 3, 3, 3), b=random(8))
    path = dynamic(proto, tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    assert operators(module)["ConvInteger"] == 1
    np.testing.assert_allclose(module(x).numpy(), onnxruntime(path, x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("per_channel", [False, True])
def test_encoder(per_channel: bool, tmp_path: Path) -> None:
    x = random(2, 7, 32)
    path = dynamic(quantized_files.encoder(), tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    left = operators(module)
    assert left[QUANTIZE] == 1  # for queries, keys and values
    assert left[INTEGER] == left[DYNAMIC] == 3
    assert not {"MatMulInteger", "Cast"} & set(left)
    want = onnxruntime(path, x)
    np.testing.assert_allclose(module(x).numpy(), want, atol=0.02)
    assert np.abs(module(x).numpy() - want).mean() < 1e-4
    plain = tl.onnx.load(path, optimize=False)
    np.testing.assert_allclose(plain(x).numpy(), want, atol=0.02)


def test_the_plan_of_an_encoder(tmp_path: Path) -> None:
    path, x = dynamic(quantized_files.encoder(), tmp_path), tl.from_numpy(random(2, 7, 32))
    want = tl.onnx.load(path)(x).numpy()
    plan = tl.onnx.load(path, device="numba").compile(x.to("numba"))
    np.testing.assert_allclose(plan(x.to("numba")).cpu().numpy(), want, atol=0.02)
