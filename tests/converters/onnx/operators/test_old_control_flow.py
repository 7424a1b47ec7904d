"""If, Loop and Scan at every version, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from single_node import onnxruntime, ours, same

import tensorlite as tl

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
RNG = np.random.default_rng(0)


def info(name: str, kind: int, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def model_of(
    opset: int, nodes: list[Any], inputs: list[Any], outputs: list[Any]
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)


def check(model: onnx.ModelProto, device: Any, *inputs: Any) -> list[Any]:
    have = ours(model, list(inputs), device)
    same(have, onnxruntime(model, list(inputs)))
    return have


def branch(name: str, op_type: str, *operands: str) -> Any:
    """A graph of one node over values from outside."""
    node = helper.make_node(op_type, list(operands), [f"{name}_y"])
    return helper.make_graph([node], name, [], [info(f"{name}_y", FLOAT, None, None)])


@pytest.mark.parametrize("opset", [7, 11, 13, 16, 19, 21])
def test_if(opset: int, device: tl.device) -> None:
    node = helper.make_node(
        "If", ["x0"], ["y"], then_branch=branch("a", "Add", "x1", "x2"),
        else_branch=branch("b", "Sub", "x1", "x2"),
    )  # fmt: skip
    inputs = [info("x0", BOOL), info("x1", FLOAT, None, None), info("x2", FLOAT, None, None)]
    model = model_of(opset, [node], inputs, [info("y", FLOAT, None, None)])
    a, b = RNG.standard_normal((2, 3, 4)).astype(np.float32)
    for chosen in (True, False):
        check(model, device, np.array(chosen), a, b)


def loop_body() -> Any:
    """Doubles what it carries; goes on while the sum is below the limit; gives each value."""
    nodes = [
        helper.make_node("Add", ["v", "v"], ["w"]),
        helper.make_node("ReduceSum", ["w"], ["total"], keepdims=0),
        helper.make_node("Less", ["total", "x3"], ["again"]),
        helper.make_node("Identity", ["w"], ["each"]),
        helper.make_node("Cast", ["i"], ["number"], to=FLOAT),
    ]
    return helper.make_graph(
        nodes, "body", [info("i", INT64), info("c", BOOL), info("v", FLOAT, None)],
        [info("again", BOOL), info("w", FLOAT, None), info("each", FLOAT, None),
         info("number", FLOAT)],
    )  # fmt: skip


@pytest.mark.parametrize("opset", [9, 11, 13, 16, 19, 21])
@pytest.mark.parametrize(
    ("limits", "count", "first", "limit"),
    [
        ("both", 4, True, 1e9), ("both", 9, True, 40.0), ("both", 4, False, 1e9),
        ("both", 0, True, 1e9), ("count", 3, True, 1e9), ("condition", 0, True, 100.0),
    ],
)  # fmt: skip
def test_loop(
    opset: int, limits: str, count: int, first: bool, limit: float, device: tl.device
) -> None:
    names = ["" if limits == "condition" else "x0", "" if limits == "count" else "x1", "x2"]
    node = helper.make_node("Loop", names, ["y", "all", "numbers"], body=loop_body())
    inputs = [info("x0", INT64), info("x1", BOOL), info("x2", FLOAT, None), info("x3", FLOAT)]
    outputs = [info("y", FLOAT, None), info("all", FLOAT, None, None), info("numbers", FLOAT, None)]
    model = model_of(opset, [node], inputs, outputs)
    given = np.array(count), np.array(first), np.ones(3, np.float32), np.array(limit, np.float32)
    if limits == "count":  # then the body's own condition still ends it
        given = (*given[:3], np.array(1e9, np.float32))
    check(model, device, *given)


def scan_body(rank: int) -> Any:
    """A running sum of rows, and its product with another sequence's row."""
    row = [None] * rank
    nodes = [
        helper.make_node("Add", ["s", "a"], ["t"]), helper.make_node("Mul", ["t", "b"], ["each"]),
        helper.make_node("Identity", ["t"], ["sum"]),
    ]  # fmt: skip
    names = ("s", "a", "b"), ("t", "each", "sum")
    return helper.make_graph(
        nodes, "body", *[[info(name, FLOAT, *row) for name in group] for group in names]
    )


@pytest.mark.parametrize("directions", [[0, 0], [1, 0], [0, 1]])
def test_scan_of_opset_8(directions: list[int], device: tl.device) -> None:
    """The first dimension is the batch; there is an optional input of lengths."""
    node = helper.make_node("Scan", ["", "x0", "x1", "x2"], ["y", "all", "sums"], body=scan_body(1),
                            num_scan_inputs=2, directions=directions)  # fmt: skip
    inputs = [
        info("x0", FLOAT, None, None),
        *(info(f"x{i}", FLOAT, None, None, None) for i in (1, 2)),
    ]
    outputs = [info("y", FLOAT, None, None), info("all", FLOAT, None, None, None),
               info("sums", FLOAT, None, None, None)]  # fmt: skip
    model = model_of(8, [node], inputs, outputs)
    a, b = RNG.standard_normal((2, 3, 5, 4)).astype(np.float32)
    check(model, device, np.zeros((3, 4), np.float32), a, b)


def test_lengths_of_a_scan_of_opset_8(device: tl.device) -> None:
    node = helper.make_node("Scan", ["x0", "x1", "x2", "x3"], ["y", "all", "sums"],
                            body=scan_body(1), num_scan_inputs=2)  # fmt: skip
    inputs = [info("x0", INT64, None), info("x1", FLOAT, None, None),
              *(info(f"x{i}", FLOAT, None, None, None) for i in (2, 3))]  # fmt: skip
    outputs = [info("y", FLOAT, None, None), info("all", FLOAT, None, None, None),
               info("sums", FLOAT, None, None, None)]  # fmt: skip
    model = model_of(8, [node], inputs, outputs)
    a, b = RNG.standard_normal((2, 3, 5, 4)).astype(np.float32)
    check(model, device, np.array([5, 2, 3]), np.zeros((3, 4), np.float32), a, b)


@pytest.mark.parametrize("opset", [9, 11, 16, 19, 21])
@pytest.mark.parametrize(
    "attributes",
    [
        {}, {"scan_input_directions": [1, 0]}, {"scan_output_directions": [0, 1]},
        {"scan_input_axes": [1, 0]}, {"scan_output_axes": [1, 2]},
        {"scan_input_axes": [1, 1], "scan_output_axes": [0, 1], "scan_input_directions": [1, 1]},
    ],
)  # fmt: skip
def test_scan(opset: int, attributes: dict[str, Any], device: tl.device) -> None:
    node = helper.make_node("Scan", ["x0", "x1", "x2"], ["y", "all", "sums"], body=scan_body(2),
                            num_scan_inputs=2, **attributes)  # fmt: skip
    inputs = [info(f"x{i}", FLOAT, *[None] * rank) for i, rank in enumerate((2, 3, 3))]
    outputs = [info("y", FLOAT, None, None), info("all", FLOAT, None, None, None),
               info("sums", FLOAT, None, None, None)]  # fmt: skip
    model = model_of(opset, [node], inputs, outputs)
    a, b = RNG.standard_normal((2, 5, 3, 4)).astype(np.float32)
    axes = attributes.get("scan_input_axes", [0, 0])
    given = [np.moveaxis(v, 0, axis).copy() for v, axis in zip((a, b), axes, strict=True)]
    check(model, device, np.zeros((3, 4), np.float32), *given)


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_a_loop_that_gathers_a_sequence(opset: int, device: tl.device) -> None:
    """Sequences are carried from opset 13 on."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node("Gather", ["x1", "i"], ["row"], axis=0),
            helper.make_node("SequenceInsert", ["s", "row"], ["t"]),
        ],
        "body",
        [info("i", INT64), info("c", BOOL),
         helper.make_tensor_sequence_value_info("s", FLOAT, None)],
        [info("d", BOOL), helper.make_tensor_sequence_value_info("t", FLOAT, None)],
    )  # fmt: skip
    nodes = [
        helper.make_node("SequenceEmpty", [], ["none"]),
        helper.make_node("Loop", ["x0", "", "none"], ["rows"], body=body),
        helper.make_node("ConcatFromSequence", ["rows"], ["y"], axis=0, new_axis=1),
    ]
    inputs = [info("x0", INT64), info("x1", FLOAT, None, None)]
    model = model_of(opset, nodes, inputs, [info("y", FLOAT, None, None)])
    x = RNG.standard_normal((4, 3)).astype(np.float32)
    check(model, device, np.array(3), x)
