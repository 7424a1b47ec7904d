"""Weights that are quantised while activations are not stay as small as they are in the file."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from optimizing import operators, random

import tensorlite as tl
from tensorlite.converters.onnx.optimize import constants

DQ, N_BITS = "DequantizeLinear", "com.microsoft.MatMulNBits"
LOOK_UP = "com.microsoft.GatherBlockQuantized"
BITS = {"int8": 8, "uint8": 8, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2}


def tensor(name: str, array: Any) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(array, name)


def whole(dtype: str, *shape: int) -> Any:
    limits = ml_dtypes.iinfo(dtype)
    values = np.random.default_rng(sum(shape)).integers(int(limits.min), int(limits.max) + 1, shape)
    small = values.astype(np.uint8 if dtype.startswith("u") else np.int8)
    return small.astype(getattr(ml_dtypes, dtype, dtype))


def scales(*shape: int, dtype: Any = np.float32) -> Any:
    return np.random.default_rng(1).uniform(0.001, 0.02, shape).astype(dtype)


def model(
    nodes: list[Any], x: Any, weights: dict[str, Any], rank: int = 2, opset: int = 25
) -> onnx.ModelProto:
    """A model of one input x and one output y."""
    code = helper.np_dtype_to_tensor_dtype(x.dtype)
    kind = TensorProto.FLOAT if x.dtype == np.int64 else code
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", code, x.shape)],
        [helper.make_tensor_value_info("y", kind, [None] * rank)],
        [tensor(name, array) for name, array in weights.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=11)


def kept(module: Any) -> int:
    """The bytes of the weights that a model holds."""
    return sum(array.nbytes for array in module.model.graph.initializers.values())


def check(proto: onnx.ModelProto, left: dict[str, int], x: Any, most: float) -> None:
    """Asserts which operators and at most how many bytes of weights are left, and the results
    of the model as it is in the file.
    """
    module = tl.onnx.load(proto)
    assert not [c for c in module.explain().changes if "failed and was left out" in c.done]
    assert operators(module) == left
    assert kept(module) <= most
    want = tl.onnx.load(proto, optimize=False)(x).numpy()
    close = 2e-3 if want.dtype == np.float16 else 1e-5
    have = module(x).numpy()
    assert have.dtype == want.dtype
    np.testing.assert_allclose(have, want, rtol=close, atol=close * float(np.abs(want).max()))


def dequantize(dtype: str, shape: tuple[int, int], axis: int, block: int, zero: bool,
               scale_dtype: Any = np.float32) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """A node that gives w, and its constants; ``axis`` is that of blocks, or of a scale each."""
    sizes: list[int] = [-(-n // block) if block and i == axis else n for i, n in enumerate(shape)]
    given = tuple(sizes) if block else (shape[axis],)
    weights = {"wq": whole(dtype, *shape), "s": scales(*given, dtype=scale_dtype)}
    inputs = ["wq", "s"]
    if zero:
        weights["z"] = whole(dtype, *given)
        inputs.append("z")
    attributes = {"block_size": block} if block else {}
    return helper.make_node(DQ, inputs, ["w"], axis=axis, **attributes), weights


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("block", [0, 16, 32, 64, 128])
@pytest.mark.parametrize("dtype", BITS)
def test_products(dtype: str, block: int, zero: bool) -> None:
    x = random(3, 5, 256)
    node, weights = dequantize(dtype, (256, 200), 0 if block else 1, block, zero)
    proto = model([node, helper.make_node("MatMul", ["x", "w"], ["y"])], x, weights, 3)
    parameters = 200 * 256 / (block or 128) * (5 if zero or dtype.startswith("u") else 4)
    check(proto, {N_BITS: 1}, x, 256 * 200 * BITS[dtype] / 8 + parameters)


@pytest.mark.parametrize("columns", [200, 201])
@pytest.mark.parametrize("turned", [0, 1])
@pytest.mark.parametrize("dtype", ["int8", "uint4"])
def test_gemm(dtype: str, turned: int, columns: int) -> None:
    """Of odd sizes too, whose blocks are filled up."""
    x, shape = random(5, 251), (columns, 251) if turned else (251, columns)
    node, weights = dequantize(dtype, shape, 1 - turned, 0, True)
    for bias in ([], ["b"]):
        gemm = helper.make_node("Gemm", ["x", "w", *bias], ["y"], transB=turned)
        given = weights | ({"b": random(columns)} if bias else {})
        size = 256 * columns * (BITS[dtype] / 8 + 5 / 16) + 4 * columns
        check(model([node, gemm], x, given), {N_BITS: 1}, x, size)


def test_weights_that_are_turned_first() -> None:
    """As PyTorch's exporters write a linear layer."""
    x = random(5, 256)
    for block in (0, 32):
        node, weights = dequantize("int4", (200, 256), 1 if block else 0, block, True)
        turn = helper.make_node("Transpose", ["w"], ["t"], perm=[1, 0])
        proto = model([node, turn, helper.make_node("MatMul", ["x", "t"], ["y"])], x, weights)
        check(proto, {N_BITS: 1}, x, 200 * 256 / 2 + 200 * 256 / (block or 128) * 5)


def test_turned_weights_that_are_too_many_to_be_computed(monkeypatch: Any) -> None:
    monkeypatch.setattr(constants, "_result_bytes", lambda view, node, inputs: None)
    test_weights_that_are_turned_first()


def test_half_precision() -> None:
    x = random(5, 256, dtype=np.float16)
    node, weights = dequantize("uint8", (256, 200), 0, 64, True, np.float16)
    proto = model([node, helper.make_node("MatMul", ["x", "w"], ["y"])], x, weights)
    check(proto, {N_BITS: 1}, x, 256 * 200 + 200 * 4 * 3)


def test_layouts_that_blocks_cannot_have() -> None:
    """Scales along the rows, blocks along the columns or of odd sizes: dequantised when called."""
    x = random(5, 256)
    for axis, block in ((0, 0), (1, 32), (0, 8), (0, 24)):
        node, weights = dequantize("int8", (256, 200), axis, block, False)
        proto = model([node, helper.make_node("MatMul", ["x", "w"], ["y"])], x, weights)
        check(proto, {DQ: 1, "MatMul": 1}, x, sum(a.nbytes for a in weights.values()))


def test_float8() -> None:
    x = random(5, 256)
    weights = {"wq": random(256, 200).astype(ml_dtypes.float8_e4m3fn), "s": np.float32(0.5)}
    nodes = [
        helper.make_node(DQ, ["wq", "s"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    proto = model(nodes, x, {name: np.asarray(array) for name, array in weights.items()})
    check(proto, {DQ: 1, "MatMul": 1}, x, 256 * 200 + 4)


def test_convolutions_dequantise_when_called() -> None:
    x = random(1, 32, 6, 6)
    weights = {"wq": whole("int8", 64, 32, 3, 3), "s": scales(64)}
    nodes = [helper.make_node(DQ, ["wq", "s"], ["w"], axis=0),
             helper.make_node("Conv", ["x", "w"], ["y"])]  # fmt: skip
    check(model(nodes, x, weights, 4), {DQ: 1, "Conv": 1}, x, 64 * 32 * 9 + 4 * 64)


def test_few_weights_become_floats() -> None:
    x = random(5, 64)
    node, weights = dequantize("int8", (64, 8), 1, 0, True)
    proto = model([node, helper.make_node("MatMul", ["x", "w"], ["y"])], x, weights)
    check(proto, {"MatMul": 1}, x, 64 * 8 * 4)


LOOKUPS: list[tuple[int | None, int, dict[str, int], float]] = [
    (None, 0, {"Gather": 1, DQ: 1}, 0),
    (1, 0, {"Gather": 1, DQ: 1}, 64 * 5),
    (0, 0, {LOOK_UP: 1}, 500 * 5),
    (1, 32, {LOOK_UP: 1}, 500 * 2 * 5),
]


@pytest.mark.parametrize(("axis", "block", "left", "more"), LOOKUPS)
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int4", "uint4"])
def test_lookups(
    dtype: str, zero: bool, axis: int | None, block: int, left: dict[str, int], more: float
) -> None:
    """Rows of a table are dequantised when they are looked up."""
    x = np.array([[3, 499, 0], [-1, 7, 7]], np.int64)
    node, weights = dequantize(dtype, (500, 64), axis or 0, block, zero)
    if axis is None:
        weights = {name: a if name == "wq" else a[0] for name, a in weights.items()}
    proto = model([node, helper.make_node("Gather", ["w", "x"], ["y"])], x, weights, 3)
    if BITS[dtype] == 4 and axis is None:  # Gather is for numbers of 8 bits and more
        left, more = {LOOK_UP: 1}, 500 * 5
    numbers = 500 * 64 * (BITS[dtype] / 8 if LOOK_UP in left else 1)
    check(proto, left, x, numbers + more + 5)


def test_a_table_that_is_a_matrix_too() -> None:
    """The words of a language model, at its beginning and, turned, at its end."""
    x = np.array([[3, 499, 0]], np.int64)
    node, weights = dequantize("int8", (500, 64), 0, 0, False)
    nodes = [node, helper.make_node("Gather", ["w", "x"], ["e"]),
             helper.make_node("Transpose", ["w"], ["t"], perm=[1, 0]),
             helper.make_node("MatMul", ["e", "t"], ["y"])]  # fmt: skip
    proto = model(nodes, x, weights, 3)
    check(proto, {LOOK_UP: 1, N_BITS: 1}, x, 2 * 500 * 64 + 3 * 500 * 4)
    graph = tl.onnx.load(proto).model.graph
    first, second = (a for a in graph.initializers.values() if a.nbytes == 500 * 64)
    assert np.shares_memory(first, second)


def test_layers_that_share_their_weights() -> None:
    x = random(5, 256)
    node, weights = dequantize("int4", (256, 256), 0, 32, True)
    nodes = [node, *(helper.make_node("MatMul", [a, "w"], [b]) for a, b in ("xh", "hy"))]
    check(model(nodes, x, weights), {N_BITS: 2}, x, 256 * 256 / 2 + 256 * 256 / 32 * 5)


@pytest.mark.parametrize("dtype", [name for name, bits in BITS.items() if bits > 2])
def test_onnxruntime_gives_the_same(dtype: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    x = random(5, 256)
    node, weights = dequantize(dtype, (256, 200), 0, 32, True)
    proto = model([node, helper.make_node("MatMul", ["x", "w"], ["y"])], x, weights, opset=21)
    proto.ir_version = 10
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    (want,) = session.run(None, {"x": x})
    np.testing.assert_allclose(tl.onnx.load(proto)(x).numpy(), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("scale", "zero", "left"),
    [
        ((), None, N_BITS),
        ((1,), (1,), N_BITS),
        ((1, 200), None, N_BITS),
        ((200,), (), N_BITS),
        ((200,), (1, 200), N_BITS),
        ((256, 1), None, DQ),
        ((256, 200), None, None),
        ((256, 1), (1, 200), None),
    ],
)
def test_dequantisation_that_is_written_out(scale: Any, zero: Any, left: str | None) -> None:
    """As a cast, a difference and a product: ``DequantizeLinear``, where that can say it."""
    x = random(5, 256)
    weights = {"wq": whole("int8", 256, 200), "s": scales(*scale)}
    nodes = [helper.make_node("Cast", ["wq"], ["f"], to=TensorProto.FLOAT)]
    if zero is not None:
        weights["z"] = whole("int8", *zero)
        nodes += [helper.make_node("Cast", ["z"], ["g"], to=TensorProto.FLOAT),
                  helper.make_node("Sub", ["f", "g"], ["d"])]  # fmt: skip
    nodes += [helper.make_node("Mul", ["s", "f" if zero is None else "d"], ["w"]),
              helper.make_node("MatMul", ["x", "w"], ["y"])]  # fmt: skip
    proto = model(nodes, x, weights)
    if left is None:
        check(proto, {"MatMul": 1}, x, 4 * 256 * 200)
    else:
        extra = {"MatMul": 1} if left == DQ else {}
        check(proto, {left: 1, **extra}, x, 256 * 200 + 5 * 200 * 2)


def test_zero_points_that_are_no_whole_numbers() -> None:
    x = random(5, 256)
    nodes = [helper.make_node("Cast", ["wq"], ["f"], to=TensorProto.FLOAT),
             helper.make_node("Sub", ["f", "z"], ["d"]),
             helper.make_node("Mul", ["d", "s"], ["w"]),
             helper.make_node("MatMul", ["x", "w"], ["y"])]  # fmt: skip
    for zero, left in ((0.5, "MatMul"), (300.0, "MatMul"), (-7.0, N_BITS)):
        weights = {"wq": whole("int8", 256, 200), "s": scales(200), "z": np.float32(zero)}
        proto = model(nodes, x, {name: np.asarray(array) for name, array in weights.items()})
        check(proto, {left: 1}, x, 4 * 256 * 200)


@pytest.mark.parametrize("dtype", ["int8", "uint4", "int2"])
def test_plans(dtype: str) -> None:
    x = np.array([[3, 499, 0], [-1, 7, 7]], np.int64)
    node, weights = dequantize(dtype, (500, 64), 1, 32, True)
    other, more = dequantize(dtype, (64, 300), 0, 32, False)
    other.input[:], other.output[:] = ["vq", "t"], ["v"]
    weights |= {"vq": more["wq"], "t": more["s"]}
    nodes = [node, other, helper.make_node("Gather", ["w", "x"], ["e"]),
             helper.make_node("MatMul", ["e", "v"], ["y"])]  # fmt: skip
    proto = model(nodes, x, weights, 3)
    check(proto, {LOOK_UP: 1, N_BITS: 1}, x, 60_000)
    given = tl.from_numpy(x).to("numba")
    have = tl.onnx.load(proto, device="numba").compile(given)(given).cpu().numpy()
    want = tl.onnx.load(proto, optimize=False)(x).numpy()
    np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-5)
