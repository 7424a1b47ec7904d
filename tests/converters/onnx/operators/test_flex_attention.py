"""FlexAttention against ONNX's reference and PyTorch's flex_attention."""

from __future__ import annotations

import warnings
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from single_node import ours, reference, same

from tensorlite.errors import OnnxError

# ONNX's reference takes the root of the scale in float32, even for float64.
TOLERANCE = {np.float64: 1e-7, np.float32: 1e-5, np.float16: 4e-3, ml_dtypes.bfloat16: 4e-2}
CODES = {np.float32: 1, np.float16: 10, np.float64: 11, ml_dtypes.bfloat16: 16}
Arrays = list[Any]


def flex_model(inputs: Arrays, **attributes: Any) -> onnx.ModelProto:
    """One node; single_node's node_model would not know the opset of its graphs."""
    code = helper.np_dtype_to_tensor_dtype(inputs[0].dtype)
    names = ["x0", "x1", "x2"]
    node = helper.make_node("FlexAttention", names, ["y"], domain="ai.onnx.preview", **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), [None] * x.ndim)
        for n, x in zip(names, inputs, strict=True)
    ]
    output = helper.make_tensor_value_info("y", code, [None] * 4)
    graph = helper.make_graph([node], "g", infos, [output])
    imports = [helper.make_opsetid("", 26), helper.make_opsetid("ai.onnx.preview", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=13)


def modifier(op_type: str, constant: float, code: int = TensorProto.FLOAT) -> onnx.GraphProto:
    """A graph of one operator with a constant."""
    value = numpy_helper.from_array(
        np.array(constant, helper.tensor_dtype_to_np_dtype(code)), "constant"
    )
    return helper.make_graph(
        [helper.make_node(op_type, ["x", "constant"], ["z"])],
        "modifier",
        [helper.make_tensor_value_info("x", code, [None] * 4)],
        [helper.make_tensor_value_info("z", code, [None] * 4)],
        [value],
    )


def causal(length: int, places: int, dtype: Any) -> onnx.GraphProto:
    """A graph that adds -inf where a key comes after the query."""
    mask = np.triu(np.full((length, places), -np.inf, dtype), 1)
    graph = modifier("Add", 0.0, CODES[dtype])
    graph.initializer[0].CopyFrom(numpy_helper.from_array(mask, "constant"))
    return graph


def attention_inputs(
    batch: int = 2,
    q_heads: int = 4,
    heads: int = 2,
    length: int = 3,
    places: int = 5,
    size: int = 4,
    v_size: int = 6,
    dtype: Any = np.float32,
) -> Arrays:
    random = np.random.default_rng(0)
    shapes = [
        (batch, q_heads, length, size),
        (batch, heads, places, size),
        (batch, heads, places, v_size),
    ]
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def run(inputs: Arrays, device: Any = "cpu", **attributes: Any) -> Arrays:
    return ours(flex_model(inputs, **attributes), inputs, device)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("precision", [None, *CODES])
def test_dtypes_and_precisions(dtype: Any, precision: Any, device: Any) -> None:
    inputs = attention_inputs(dtype=dtype)
    attributes = {} if precision is None else {"softmax_precision": CODES[precision]}
    tolerance = max(TOLERANCE[dtype], TOLERANCE.get(precision, 0))
    want = reference(flex_model(inputs, **attributes), inputs)
    same(run(inputs, device, **attributes), want, tolerance, tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("precision", [None, *CODES])
def test_graphs_work_in_the_precision_of_the_softmax(
    dtype: Any, precision: Any, device: Any
) -> None:
    inputs = attention_inputs(dtype=dtype)
    inner = precision or (np.float64 if dtype is np.float64 else np.float32)
    attributes: dict[str, Any] = {
        "score_mod": modifier("Mul", 0.5, CODES[inner]),
        "prob_mod": modifier("Add", 0.25, CODES[inner]),
    }
    if precision is not None:
        attributes["softmax_precision"] = CODES[precision]
    tolerance = max(TOLERANCE[dtype], TOLERANCE[inner])
    want = reference(flex_model(inputs, **attributes), inputs)
    same(run(inputs, device, **attributes), want, tolerance, tolerance)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 3),
    heads=st.integers(1, 3),
    group=st.integers(1, 3),
    length=st.integers(1, 5),
    places=st.integers(1, 5),
    size=st.integers(1, 5),
    v_size=st.integers(1, 5),
    scale=st.sampled_from([None, 0.1, 2.0]),
    score_mod=st.sampled_from([None, "Add", "Mul"]),
    prob_mod=st.sampled_from([None, "Mul"]),
)
def test_any_sizes(
    batch: int, heads: int, group: int, length: int, places: int, size: int, v_size: int,
    scale: float | None, score_mod: str | None, prob_mod: str | None,
) -> None:  # fmt: skip
    inputs = attention_inputs(batch, heads * group, heads, length, places, size, v_size)
    attributes: dict[str, Any] = {}
    if scale is not None:
        attributes["scale"] = scale
    if score_mod is not None:
        attributes["score_mod"] = modifier(score_mod, 0.7)
    if prob_mod is not None:
        attributes["prob_mod"] = modifier(prob_mod, 0.5)
    same(run(inputs, **attributes), reference(flex_model(inputs, **attributes), inputs))


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("scale", [None, 0.375, -0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pytorchs_flex_attention(mask: bool, scale: float | None, dtype: Any, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from torch.nn.attention.flex_attention import flex_attention

    def later_is_hidden(score: Any, b: Any, h: Any, q: Any, k: Any) -> Any:
        return torch.where(q >= k, score, -torch.inf)

    inputs = attention_inputs(dtype=dtype)
    q, k, v = (torch.from_numpy(x) for x in inputs)
    score_mod = later_is_hidden if mask else None
    with warnings.catch_warnings(action="ignore"):  # that it runs uncompiled
        want = flex_attention(q, k, v, score_mod=score_mod, scale=scale, enable_gqa=True)
    attributes: dict[str, Any] = {} if scale is None else {"scale": scale}
    if mask:
        attributes["score_mod"] = causal(3, 5, dtype)
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    same(run(inputs, device, **attributes), [want.numpy()], tolerance, tolerance)


def test_graphs_see_values_around_them(device: Any) -> None:
    inputs = attention_inputs()
    inside = modifier("Add", 0.0)
    bias = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)
    inside.initializer[0].CopyFrom(numpy_helper.from_array(bias, "constant"))
    around = modifier("Add", 0.0)
    del around.initializer[:]
    model = flex_model(inputs, score_mod=around)
    model.graph.initializer.append(numpy_helper.from_array(bias, "constant"))
    same(ours(model, inputs, device), reference(flex_model(inputs, score_mod=inside), inputs))


@pytest.mark.parametrize(
    "sizes", [(0, 4, 2, 3, 5, 4, 6), (2, 4, 2, 0, 5, 4, 6), (2, 4, 2, 3, 5, 4, 0)]
)
@pytest.mark.parametrize("mod", [False, True])
def test_of_nothing(sizes: tuple[int, ...], mod: bool, device: Any) -> None:
    inputs = attention_inputs(*sizes)
    attributes = {"score_mod": modifier("Add", 1.0)} if mod else {}
    want = np.zeros((*inputs[0].shape[:3], inputs[2].shape[3]), np.float32)
    same(run(inputs, device, **attributes), [want])


def test_without_keys_the_sum_is_zero(device: Any) -> None:
    inputs = attention_inputs(places=0)
    same(run(inputs, device), [np.zeros((2, 4, 3, 6), np.float32)])


@pytest.mark.parametrize(
    ("place", "shape", "message"),
    [
        (0, (4, 3, 4), "expected Q of shape"),
        (0, (2, 3, 3, 4), "multiple of those of K, got 3 and 2"),
        (1, (2, 2, 5, 3), "expected K of shape"),
        (1, (1, 2, 5, 4), "expected K of shape"),
        (1, (2, 2, 4, 4), "expected V of shape"),
        (2, (2, 4, 5, 6), "expected V of shape"),
        (2, (2, 2, 6), "expected V of shape"),
    ],
)
def test_wrong_shapes(place: int, shape: tuple[int, ...], message: str) -> None:
    inputs = attention_inputs()
    inputs[place] = np.zeros(shape, np.float32)
    with pytest.raises(OnnxError, match=message):
        run(inputs)


def test_wrong_dtypes_and_attributes() -> None:
    inputs = attention_inputs()
    with pytest.raises(OnnxError, match="expected K of dtype float32"):
        run([inputs[0], inputs[1].astype(np.float16), inputs[2]])
    with pytest.raises(OnnxError, match="expected Q of dtype"):
        run([x.astype(np.int32) for x in inputs])
    with pytest.raises(OnnxError, match="expected softmax_precision to be one of 1"):
        run(inputs, softmax_precision=7)


def test_graphs_that_do_not_keep_shape_and_dtype() -> None:
    inputs = attention_inputs()
    summed = modifier("ReduceSum", 0.0)
    del summed.node[0].input[1], summed.initializer[:]
    with pytest.raises(OnnxError, match=r"expected score_mod to give float32 \(2, 4, 3, 5\)"):
        run(inputs, score_mod=summed)
    truth = modifier("Less", 0.5)
    truth.output[0].type.tensor_type.elem_type = TensorProto.BOOL
    with pytest.raises(OnnxError, match=r"expected prob_mod to give float32 .*, got bool"):
        run(inputs, prob_mod=truth)
    two = modifier("Add", 0.5)
    two.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, None))
    with pytest.raises(OnnxError, match="expected score_mod to have one input and one output"):
        run(inputs, score_mod=two)
