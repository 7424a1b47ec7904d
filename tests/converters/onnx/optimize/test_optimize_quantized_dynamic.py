"""Models whose activations are quantised as they come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from optimizing import operators, random, runtime, with_weights

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


def test_what_is_asked_for_in_between_is_kept() -> None:
    body = PRODUCT.format(q="q", s="s", z="z", n=1)
    text = f"g (float[2, 24] x) => (float[2, 10] m1, float[2, 10] f1, uint8[2, 24] q) {{ {body} }}"
    arrays = {n: a for n, a in given(10, False).items() if n not in ("w2", "b", "c")}
    proto = with_weights(text, **arrays)
    module, x = tl.onnx.load(proto), random(2, 24)
    for have, want in zip(module.run({"x": x}).values(), runtime(proto, x), strict=True):
        np.testing.assert_allclose(have.numpy(), want, rtol=1e-5)


def quantized(proto: onnx.ModelProto, folder: Path, **options: Any) -> Path:
    """The file with weights that ONNX Runtime quantised, and activations quantised as they come."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path = folder / "int8.onnx"
    onnx.save(proto, folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", path, weight_type=QuantType.QInt8, **options)
    return path


def onnxruntime(path: Path, *inputs: Any) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = ort.InferenceSession(str(path), options)
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def initializers(**arrays: Any) -> list[onnx.TensorProto]:
    return [onnx.numpy_helper.from_array(np.asarray(a), name) for name, a in arrays.items()]


def value(name: str, *shape: Any) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def made(nodes: list[Any], x: Any, rank: int, **weights: Any) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", [value("x", *x.shape)], [value("y", *[None] * rank)],
                              initializers(**weights))  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_lstm(direction: str, per_channel: bool, tmp_path: Path) -> None:
    x, n, count = random(6, 2, 16), 24, 2 if direction == "bidirectional" else 1
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=n, direction=direction)
    weights = {"w": random(count, 4 * n, 16) / 4, "r": random(count, 4 * n, n) / 4,
               "b": random(count, 8 * n)}  # fmt: skip
    path = quantized(made([node], x, 4, **weights), tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    assert operators(module) == {"com.microsoft.DynamicQuantizeLSTM": 1}
    np.testing.assert_allclose(module(x).numpy(), onnxruntime(path, x)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("per_channel", [False, True])
def test_convolution(per_channel: bool, tmp_path: Path) -> None:
    x = random(2, 3, 9, 9)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1] * 4),
             helper.make_node("Relu", ["c"], ["y"])]  # fmt: skip
    proto = made(nodes, x, 4, w=random(8, 3, 3, 3), b=random(8))
    path = quantized(proto, tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    assert operators(module)["ConvInteger"] == 1
    np.testing.assert_allclose(module(x).numpy(), onnxruntime(path, x)[0], rtol=1e-4, atol=1e-4)


def encoder(x: Any, heads: int = 4) -> onnx.ModelProto:
    """A layer of BERT, as exporters write it."""
    _, length, width = x.shape
    nodes: list[Any] = []
    weights: dict[str, Any] = {
        "shape": np.int64([0, 0, heads, width // heads]), "joined": np.int64([0, 0, width]),
        "root": np.float32((width / heads) ** 0.5), "half": np.float32(0.5), "one": np.float32(1),
        "root2": np.float32(2**0.5), "g": np.ones(width, np.float32),
    }  # fmt: skip

    def add(kind: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"v{len(nodes)}"], **attributes))
        return f"v{len(nodes) - 1}"

    def linear(x: str, i: int, o: int) -> str:
        name = f"w{len(weights)}"
        source = np.random.default_rng(len(weights))
        weights[name] = (source.standard_normal((i, o)) / i**0.5).astype(np.float32)
        weights[name + "b"] = source.standard_normal(o).astype(np.float32) / 10
        return add("Add", add("MatMul", x, name), name + "b")

    q, k, v = (add("Reshape", linear("x", width, width), "shape") for _ in range(3))
    q, v = (add("Transpose", y, perm=[0, 2, 1, 3]) for y in (q, v))
    scores = add("MatMul", q, add("Transpose", k, perm=[0, 2, 3, 1]))
    mixed = add("MatMul", add("Softmax", add("Div", scores, "root"), axis=-1), v)
    mixed = add("Reshape", add("Transpose", mixed, perm=[0, 2, 1, 3]), "joined")
    y = add("LayerNormalization", add("Add", linear(mixed, width, width), "x"), "g")
    up = linear(y, width, 4 * width)
    gate = add("Add", add("Erf", add("Div", up, "root2")), "one")
    down = linear(add("Mul", add("Mul", up, gate), "half"), 4 * width, width)
    nodes.append(helper.make_node("LayerNormalization", [add("Add", down, y), "g"], ["y"]))
    return made(nodes, x, 3, **weights)


@pytest.mark.parametrize("per_channel", [False, True])
def test_encoder(per_channel: bool, tmp_path: Path) -> None:
    x = random(2, 7, 32)
    path = quantized(encoder(x), tmp_path, per_channel=per_channel)
    module = tl.onnx.load(path)
    left = operators(module)
    assert left[QUANTIZE] == 1  # for queries, keys and values
    assert left[INTEGER] == left[DYNAMIC] == 3
    assert not {"MatMulInteger", "Cast"} & set(left)
    want = onnxruntime(path, x)[0]
    np.testing.assert_allclose(module(x).numpy(), want, atol=0.02)
    assert np.abs(module(x).numpy() - want).mean() < 1e-4
    plain = tl.onnx.load(path, optimize=False)
    np.testing.assert_allclose(plain(x).numpy(), want, atol=0.02)
