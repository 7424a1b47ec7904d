"""Every operator that ONNX allows on strings, besides those on text.

What moves elements about does with strings what it does with numbers. So ONNX Runtime (or the
reference evaluator) runs it on numbers, and number i stands for the string "si", 0 for "".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from single_node import agree, node_model, onnxruntime, ours, reference, same

import tensorlite as tl
from tensorlite.devices import base
from tensorlite.errors import OnnxError


def ints(*values: Any) -> Any:
    return np.array(values, np.int64)


def named(numbers: Any) -> Any:
    """Numbers as the strings that they stand for."""
    numbers = np.asarray(numbers)
    array = np.empty(numbers.size, object)
    array[:] = [f"s{int(i)}" if i else "" for i in numbers.reshape(-1)]
    return array.reshape(numbers.shape)


@pytest.fixture
def far() -> Iterator[str]:
    """A device that does not share memory with the cpu, as a GPU."""

    class Far(base.Device):
        kind = "far"

    yield "far"
    del base.KINDS["far"]
    for key in [key for key in base._open if key[0] == "far"]:
        del base._open[key]


X = np.arange(24).reshape(1, 4, 2, 3)
Y = np.arange(24, 36)
HALVES = np.array([True, False, True])
GRID = np.linspace(-1.3, 1.2, 24, dtype=np.float32).reshape(1, 3, 4, 2)

# Operator, opset, inputs, which of them are strings, attributes.
MOVES: list[tuple[str, int, list[Any], list[int], dict[str, Any]]] = [
    ("CenterCropPad", 18, [X, ints(2, 4)], [0], {"axes": [2, 3]}),
    ("CenterCropPad", 18, [X, ints(5, 1)], [0], {"axes": [1, 2]}),
    ("Compress", 11, [X, HALVES], [0], {"axis": 1}),
    ("Compress", 9, [X, HALVES], [0], {}),
    ("Concat", 13, [X, X], [0, 1], {"axis": -1}),
    ("Concat", 4, [X, X], [0, 1], {"axis": 1}),
    ("DepthToSpace", 13, [X], [0], {"blocksize": 2}),
    ("DepthToSpace", 13, [X], [0], {"blocksize": 2, "mode": "CRD"}),
    ("Expand", 13, [X, ints(2, 1, 2, 1)], [0], {}),
    ("Flatten", 13, [X], [0], {"axis": 2}),
    ("Gather", 13, [X, ints(0, -1, 1)], [0], {"axis": 1}),
    ("Gather", 1, [X, np.array([[0, 1]])], [0], {"axis": 2}),
    ("GatherElements", 13, [X, ints([[[0, 1, 0]]])], [0], {"axis": 2}),
    ("GatherND", 11, [X, ints([0, 1], [0, -1])], [0], {}),
    ("GatherND", 13, [X[0], ints([1], [0], [1], [0])], [0], {"batch_dims": 1}),
    ("GridSample", 20, [X, GRID], [0], {"mode": "nearest"}),
    ("GridSample", 20, [X, GRID], [0], {"mode": "nearest", "padding_mode": "border"}),
    ("GridSample", 16, [X, GRID], [0], {"mode": "nearest", "padding_mode": "reflection"}),
    ("Identity", 13, [X], [0], {}),
    ("OneHot", 11, [ints(0, 2, -1, 9), ints(4), Y[:2]], [2], {}),
    ("OneHot", 9, [ints(0, 2), ints(4), Y[:2]], [2], {"axis": 0}),
    ("Pad", 13, [X, ints(0, 0, 1, 1, 0, 0, 0, 2)], [0], {}),
    ("Pad", 13, [X, ints(0, 0, -1, 1, 0, 0, 0, -2)], [0], {}),
    ("Pad", 13, [X, ints(0, 0, 1, 1, 0, 0, 0, 2), np.array(30)], [0, 2], {}),
    ("Pad", 13, [X, ints(0, 0, 1, 1, 0, 0, 0, 2)], [0], {"mode": "reflect"}),
    ("Pad", 18, [X, ints(1, 2), None, ints(2)], [0], {"mode": "edge"}),
    ("Pad", 19, [X, ints(0, 0, 1, 1, 0, 0, 0, 2)], [0], {"mode": "wrap"}),
    ("Reshape", 13, [X, ints(2, -1)], [0], {}),
    ("Resize", 13, [X, None, np.float32([1, 1, 2, 2])], [0], {"mode": "nearest"}),
    ("Resize", 18, [X, None, None, ints(1, 4, 3, 5)], [0], {"mode": "nearest"}),
    ("Resize", 10, [X, np.float32([1, 1, 2, 2])], [0], {"mode": "nearest"}),
    ("Resize", 13, [X, np.float32([0, 0, -1, 0, 1, 1, 1, 2]), None, ints(1, 4, 4, 6)], [0],
     {"mode": "nearest", "coordinate_transformation_mode": "tf_crop_and_resize"}),
    ("ReverseSequence", 10, [X[0, 0], ints(2, 1, 2)], [0], {}),
    ("ScatterElements", 13, [X, ints([[[0, 1, 0]]]), Y[:3].reshape(1, 1, 1, 3)], [0, 2],
     {"axis": 2}),
    ("Scatter", 9, [X, ints([[[0, 1, 0]]]), Y[:3].reshape(1, 1, 1, 3)], [0, 2], {"axis": 2}),
    ("ScatterND", 13, [X, ints([0, 1], [0, -1]), Y.reshape(2, 2, 3)], [0, 2], {}),
    ("Slice", 13, [X, ints(0, 5), ints(9, -9), ints(1, 3), ints(2, -1)], [0], {}),
    ("Slice", 1, [X], [0], {"starts": [1], "ends": [3], "axes": [1]}),
    ("SpaceToDepth", 13, [X.reshape(1, 1, 4, 6)], [0], {"blocksize": 2}),
    ("Split", 13, [X], [0], {"axis": 1, "outputs": 2}),
    ("Split", 13, [X, ints(1, 3)], [0], {"axis": 1, "outputs": 2}),
    ("Split", 18, [X], [0], {"axis": 1, "num_outputs": 3, "outputs": 3}),
    ("Squeeze", 13, [X, ints(0)], [0], {}),
    ("Squeeze", 11, [X], [0], {"axes": [0]}),
    ("TensorScatter", 24, [X.reshape(2, 3, 4), Y[:8].reshape(2, 1, 4), ints(1, 2)], [0, 1], {}),
    ("Tile", 13, [X, ints(1, 1, 2, 1)], [0], {}),
    ("Transpose", 13, [X], [0], {"perm": [3, 0, 2, 1]}),
    ("Trilu", 14, [X], [0], {}),
    ("Trilu", 14, [X, np.array(-1)], [0], {"upper": 0}),
    ("Trilu", 14, [X, np.array(1)], [0], {"upper": 1}),
    ("Unsqueeze", 13, [X, ints(0, -1)], [0], {}),
    ("Unsqueeze", 11, [X], [0], {"axes": [0]}),
    ("Upsample", 9, [X, np.float32([1, 1, 2, 2])], [0], {"mode": "nearest"}),
    ("Upsample", 7, [X], [0], {"mode": "nearest", "scales": [1.0, 1, 2, 2]}),
    ("Where", 16, [HALVES, X, X[..., ::-1].copy()], [1, 2], {}),
    ("Where", 9, [HALVES, X, np.array(7)], [1, 2], {}),
]  # fmt: skip
IDS = [f"{move[0]}-{i}" for i, move in enumerate(MOVES)]


def answer(op_type: str, opset: int, inputs: list[Any], texts: list[int], options: Any) -> Any:
    """What the operator makes of numbers, as strings."""
    outputs, attributes = options.get("outputs", 1), {**options}
    attributes.pop("outputs", None)
    if op_type in ("DepthToSpace", "GridSample", "Resize", "SpaceToDepth", "Upsample"):
        inputs = [x.astype(np.float32) if i in texts else x for i, x in enumerate(inputs)]
    model = node_model(op_type, inputs, outputs, opset, **attributes)
    sizes = op_type == "Resize" and len(inputs) == 4  # ONNX Runtime wants to know the shape of x
    newer = op_type in ("TensorScatter", "CenterCropPad") or opset in (1, 19) or sizes
    return [named(y) for y in (reference if newer else onnxruntime)(model, inputs)]


def moved(move: Any, device: Any) -> Any:
    op_type, opset, inputs, texts, options = move
    inputs = [named(x) if i in texts else x for i, x in enumerate(inputs)]
    outputs, attributes = options.get("outputs", 1), {**options}
    attributes.pop("outputs", None)
    return ours(node_model(op_type, inputs, outputs, opset, **attributes), inputs, device)


@pytest.mark.parametrize("move", MOVES, ids=IDS)
def test_strings_move_as_numbers_do(move: Any, device: Any) -> None:
    same(moved(move, device), answer(*move))


@pytest.mark.parametrize("move", MOVES, ids=IDS)
def test_strings_move_in_a_model_on_another_device(move: Any, far: Any) -> None:
    same(moved(move, far), moved(move, "cpu"))


@pytest.mark.parametrize("options", [{}, {"sorted": 0}, {"axis": 0}, {"axis": 1, "sorted": 0}])
def test_unique(options: Any, device: Any, far: Any) -> None:
    x = np.array([[3, 1, 3], [3, 2, 3], [3, 1, 3]])
    model = node_model("Unique", [x], 4, 11, **options)
    values, *rest = onnxruntime(model, [x])
    text = node_model("Unique", [named(x)], 4, 11, **options)
    same(ours(text, [named(x)], device), [named(values), *rest])
    same(ours(text, [named(x)], far), [named(values), *rest])


@pytest.mark.parametrize("other", [X[..., ::-1].copy(), np.array(7)])
def test_equal(other: Any, device: Any, far: Any) -> None:
    inputs = [named(X), named(other)]
    agree("Equal", *inputs, opset=19, device=device)
    agree("Equal", *inputs, opset=19, device=far)


def test_shape_size_and_non_zero(device: Any) -> None:
    x = named(X - 3)
    for op_type in ("Shape", "Size"):
        agree(op_type, x, opset=13, device=device)
    (have,) = ours(node_model("NonZero", [x], opset=13), [x], device)
    np.testing.assert_array_equal(have, np.nonzero(X - 3))


@pytest.mark.parametrize("op_type", ["RandomNormalLike", "RandomUniformLike"])
def test_random_numbers_of_the_shape_of_strings(op_type: str, device: Any) -> None:
    x = named(X)
    (have,) = ours(node_model(op_type, [x], opset=22, dtype=1), [x], device)
    assert have.shape == X.shape and have.dtype == np.float32


CASTS = [
    (TensorProto.FLOAT, ["1.5", "-2", "1e-5", "NaN", "-INF", "INF", "1E8"]),
    (TensorProto.DOUBLE, ["0.1", "1e300"]),
    (TensorProto.FLOAT16, ["0.5", "65504"]),
    (TensorProto.INT64, ["9223372036854775807", "-9007199254740993", "12"]),
    (TensorProto.INT32, ["-7", "0"]),
    (TensorProto.INT8, ["-128", "127"]),
    (TensorProto.UINT64, ["18446744073709551615", "1"]),
]


@pytest.mark.parametrize(("to", "texts"), CASTS)
def test_cast_from_text(to: int, texts: list[str], device: Any, far: Any) -> None:
    x = np.array(texts, object)
    agree("Cast", x, opset=19, device=device, to=to)
    agree("Cast", x, opset=19, device=far, to=to)
    like = np.zeros(1, helper.tensor_dtype_to_np_dtype(to))
    want = ours(node_model("Cast", [x], opset=19, to=to), [x])
    same(ours(node_model("CastLike", [x, like], opset=19), [x, like], device), want)


def test_cast_of_a_fraction_to_a_whole_number(device: Any) -> None:
    x = np.array(["100.5", "-1.9e1"], object)
    model = node_model("Cast", [x], opset=19, to=TensorProto.INT64)
    same(ours(model, [x], device), [ints(100, -19)])


@pytest.mark.parametrize("to", [TensorProto.FLOAT, TensorProto.INT32])
def test_cast_refuses_other_text(to: int) -> None:
    x = np.array(["1", "one"], object)
    with pytest.raises(OnnxError, match="Cast_0.*'one'"):
        ours(node_model("Cast", [x], opset=19, to=to), [x])


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.float32, np.float64, np.bool_])
def test_cast_to_text_and_back(dtype: Any, device: Any) -> None:
    x = np.array([0, 1, -3, 100]).astype(dtype)
    if dtype in (np.float32, np.float64):
        x = np.array([0.1, -1e-7, 1e20, np.nan, np.inf], dtype)
    there = node_model("Cast", [x], opset=19, to=TensorProto.STRING)
    (text,) = ours(there, [x], device)
    assert text.dtype == object and all(type(item) is str for item in text)
    if dtype is not np.bool_:
        back = node_model("Cast", [text], opset=19, to=helper.np_dtype_to_tensor_dtype(x.dtype))
        np.testing.assert_array_equal(ours(back, [text], device)[0], x)


def graph(nodes: list[Any], inputs: list[Any], outputs: list[str]) -> onnx.GraphProto:
    infos = [helper.make_tensor_value_info(*info) for info in inputs]
    return helper.make_graph(nodes, "g", infos, [onnx.ValueInfoProto(name=n) for n in outputs])


def run(whole: onnx.GraphProto, device: Any, **inputs: Any) -> Any:
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return [y for y in tl.onnx.load(model, device=device).run(inputs).values()]


def test_sequences_of_strings(device: Any) -> None:
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "y"], ["s"]),
        helper.make_node("SequenceInsert", ["s", "x", "one"], ["t"]),
        helper.make_node("SequenceAt", ["t", "one"], ["a"]),
        helper.make_node("SequenceErase", ["t", "one"], ["u"]),
        helper.make_node("ConcatFromSequence", ["u"], ["c"], axis=0),
        helper.make_node("ConcatFromSequence", ["t"], ["n"], axis=0, new_axis=1),
        helper.make_node("SplitToSequence", ["c"], ["p"], axis=0),
        helper.make_node("SequenceLength", ["p"], ["l"]),
    ]
    inputs: list[Any] = [("x", TensorProto.STRING, [2]), ("y", TensorProto.STRING, [2]),
                         ("one", TensorProto.INT64, [])]  # fmt: skip
    whole = graph(nodes, inputs, ["a", "c", "n", "l"])
    x, y = np.array(["a", ""], object), np.array(["b", "c"], object)
    a, c, n, length = run(whole, device, x=x, y=y, one=np.array(1))
    assert a.tolist() == ["a", ""] and c.tolist() == ["a", "", "b", "c"]
    assert n.tolist() == [["a", ""], ["a", ""], ["b", "c"]] and length.item() == 4


@pytest.mark.parametrize("condition", [True, False])
def test_if_and_optional_with_strings(condition: bool, device: Any) -> None:
    yes = graph([helper.make_node("StringConcat", ["x", "x"], ["r"])], [], ["r"])
    text = helper.make_tensor("v", TensorProto.STRING, [1], ["no"])
    no = graph([helper.make_node("Constant", [], ["r"], value=text)], [], ["r"])
    nodes = [
        helper.make_node("If", ["b"], ["r"], then_branch=yes, else_branch=no),
        helper.make_node("Optional", ["r"], ["o"]),
        helper.make_node("OptionalHasElement", ["o"], ["h"]),
        helper.make_node("OptionalGetElement", ["o"], ["e"]),
    ]
    inputs: list[Any] = [("x", TensorProto.STRING, [1]), ("b", TensorProto.BOOL, [])]
    whole = graph(nodes, inputs, ["h", "e"])
    has, element = run(whole, device, x=np.array(["ab"], object), b=np.array(condition))
    assert has.item() and element.tolist() == (["abab"] if condition else ["no"])


@pytest.mark.parametrize("count", [0, 3])
def test_loop_and_scan_with_strings(count: int, device: Any) -> None:
    body = graph(
        [helper.make_node("StringConcat", ["s", "x"], ["t"]),
         helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["t"], ["u"])],
        [("i", TensorProto.INT64, []), ("c", TensorProto.BOOL, []), ("s", TensorProto.STRING, [1])],
        [],
    )  # fmt: skip
    body.output.extend(
        [helper.make_tensor_value_info("d", TensorProto.BOOL, []),
         helper.make_tensor_value_info("t", TensorProto.STRING, [1]),
         helper.make_tensor_value_info("u", TensorProto.STRING, [1])]
    )  # fmt: skip
    loop = helper.make_node("Loop", ["n", "", "x"], ["last", "all"], body=body)
    whole = graph(
        [loop], [("x", TensorProto.STRING, [1]), ("n", TensorProto.INT64, [])], ["last", "all"]
    )
    last, every = run(whole, device, x=np.array(["a"], object), n=np.array(count))
    assert last.tolist() == ["a" * (count + 1)]
    assert every.dtype is tl.dtypes.string and every.shape == (count, 1)
    assert every.tolist() == [["a" * i] for i in range(2, count + 2)]
    step = graph(
        [helper.make_node("StringConcat", ["s", "x"], ["t"]),
         helper.make_node("Identity", ["t"], ["u"])],
        [("s", TensorProto.STRING, []), ("x", TensorProto.STRING, [])], ["t", "u"],
    )  # fmt: skip
    scan = helper.make_node("Scan", ["s", "x"], ["last", "all"], body=step, num_scan_inputs=1)
    inputs: list[Any] = [("s", TensorProto.STRING, []), ("x", TensorProto.STRING, [3])]
    whole = graph([scan], inputs, ["last", "all"])
    x = np.array(["a", "b", "c"], object)
    last, every = run(whole, device, s=np.array("", object), x=x)
    assert last.tolist() == "abc" and every.tolist() == ["a", "ab", "abc"]


def test_errors_in_a_branch_name_the_node_inside_once(device: Any) -> None:
    yes, no = (
        graph([helper.make_node("StringConcat", ["x", "y"], ["r"], name=name)], [], ["r"])
        for name in ("inside", "unused")
    )
    node = helper.make_node("If", ["b"], ["r"], name="around", then_branch=yes, else_branch=no)
    inputs: list[Any] = [("x", TensorProto.FLOAT, [1]), ("y", TensorProto.STRING, [1]),
                         ("b", TensorProto.BOOL, [])]  # fmt: skip
    given = {"x": np.float32([1]), "y": np.array(["a"], object), "b": np.array(True)}
    with pytest.raises(OnnxError, match=r"^node 'inside' \(StringConcat, opset 21\)") as error:
        run(graph([node], inputs, ["r"]), device, **given)
    assert error.value.node == "inside" and "around" not in str(error.value)
