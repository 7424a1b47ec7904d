"""Constants are computed when a model is loaded, and nodes that do nothing go."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from optimizing import check, operators, parsed, random

import tensorlite as tl
from tensorlite.errors import OnnxError


def test_constants_are_folded() -> None:
    text = """g (float[n, 3] x) => (float[n, 3] y) <float[3] w = {1, 2, 3}> {
        two = Constant <value = float {2.0}> ()
        v = Mul(w, two)
        u = Sqrt(v)
        y = Add(x, u)
    }"""
    module = check(parsed(text), {"Add": 1}, random(4, 3))
    assert [name for name, _ in module.named_parameters()] == ["u"]
    np.testing.assert_allclose(module.intermediate("v", random(4, 3)).numpy(), [2, 4, 6])


def test_an_input_with_a_default_is_no_constant() -> None:
    text = """g (float[3] x, float[3] w) => (float[3] y) <float[3] w = {1, 2, 3}> {
        v = Neg(w)
        y = Add(x, v)
    }"""
    module = tl.onnx.load(parsed(text))
    assert operators(module) == {"Neg": 1, "Add": 1}
    x = np.zeros(3, np.float32)
    assert module(x).tolist() == [-1, -2, -3]
    assert module(x, w=np.ones(3, np.float32)).tolist() == [-1, -1, -1]


def test_random_numbers_are_drawn_at_every_run() -> None:
    text = """g (float[3] x) => (float[3] y) <int64[1] shape = {3}> {
        c = ConstantOfShape <value = float[1] {1.0}> (shape)
        r = RandomNormalLike(c)
        y = Add(x, r)
    }"""
    module = tl.onnx.load(parsed(text))
    x = np.zeros(3, np.float32)
    assert module(x).tolist() != module(x).tolist()


def test_huge_results_wait() -> None:
    text = """g (float x) => (float y) <int64[2] shape = {1000000, 1000000}, float one = {1}> {
        big = Expand(one, shape)
        row = ReduceSum(big)
        filled = ConstantOfShape(shape)
        other = ReduceSum(filled)
        both = Add(row, other)
        y = Add(x, both)
    }"""
    module = tl.onnx.load(parsed(text))
    assert operators(module)["Expand"] == 1 and operators(module)["ConstantOfShape"] == 1


def test_a_constant_that_cannot_be_computed_fails_when_it_runs() -> None:
    text = """g (float[n] x) => (float[n] y) <float[2] a = {1, 2}, float[3] b = {1, 2, 3}> {
        c = Add(a, b)
        y = Add(x, c)
    }"""
    module = tl.onnx.load(parsed(text))
    with pytest.raises(OnnxError, match=r"Add_0.*a: float32 \(2,\), b: float32 \(3,\)"):
        module(np.ones(2, np.float32))


def test_shapes_of_what_is_known_are_constants() -> None:
    text = """g (float[n, 4, 6] x) => (float[n, 24] y) 
        <int64 one = {1}, int64 two = {2}, int64[1] axes = {0}> {
        s = Shape(x)
        a = Gather(s, one)
        b = Gather(s, two)
        c = Mul(a, b)
        u = Unsqueeze(c, axes)
        zero = Constant <value_ints = [0]> ()
        t = Concat <axis = 0> (zero, u)
        y = Reshape(x, t)
    }"""
    check(parsed(text), {"Reshape": 1}, random(3, 4, 6))


def test_a_shape_of_copied_sizes_is_constant() -> None:
    text = """g (float[n, m, 6] x) => (float[n, m, 2, 3] y) 
        <int64 i = {0}, int64 j = {1}, int64[1] axes = {0}, int64[2] last = {2, 3}> {
        s = Shape(x)
        a = Gather(s, i)
        b = Gather(s, j)
        a1 = Unsqueeze(a, axes)
        b1 = Unsqueeze(b, axes)
        t = Concat <axis = 0> (a1, b1, last)
        y = Reshape(x, t)
    }"""
    module = check(parsed(text), {"Reshape": 1}, random(3, 5, 6))
    assert module(np.zeros((0, 5, 6), np.float32)).shape == (0, 5, 2, 3)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("a = Identity(x)  b = Identity(a)  y = Relu(b)", {"Relu": 1}),
        ("a = Relu(x)  y = Identity(a)", {"Relu": 1}),
        ("y = Identity(x)", {"Identity": 1}),
        ("a = Dropout(x)  y = Relu(a)", {"Relu": 1}),
        ("a = Concat <axis = 0> (x)  y = Relu(a)", {"Relu": 1}),
        ("unused = Neg(x)  more = Abs(unused)  y = Relu(x)", {"Relu": 1}),
        ("a = Relu(x)  b = Relu(x)  y = Add(a, b)", {"Relu": 1, "Add": 1}),
        ("a = Cast <to = 11> (x)  b = Cast <to = 1> (a)  y = Relu(b)", {"Relu": 1}),
        ("a = Cast <to = 10> (x)  b = Cast <to = 1> (a)  y = Relu(b)", {"Cast": 2, "Relu": 1}),
        ("a = Transpose <perm = [1, 0]> (x)  b = Transpose <perm = [1, 0]> (a)  y = Relu(b)",
         {"Relu": 1}),
        ("a = Relu(x)  b = Flatten(a)  c = Reshape(b, s)  y = Reshape(c, t)",
         {"Relu": 1, "Reshape": 1}),
        ("one = Constant <value = float {1.0}> ()  a = Mul(x, one)  y = Relu(a)", {"Relu": 1}),
        ("z = Constant <value = float {0.0}> ()  a = Sub(x, z)  y = Relu(a)", {"Relu": 1}),
        ("z = Constant <value_ints = [0]> ()  e = Constant <value_ints = [9223372036854775807]> ()"
         "  a = Slice(x, z, e)  y = Relu(a)", {"Relu": 1}),
        ("p = Constant <value_ints = [0, 0, 0, 0]> ()  a = Pad(x, p)  y = Relu(a)", {"Relu": 1}),
    ],
)  # fmt: skip
def test_what_does_nothing_goes(body: str, left: dict[str, int]) -> None:
    text = f"""g (float[n, 4] x) => (float[a, b] y)
        <int64[2] s = {{2, -1}}, int64[2] t = {{-1, 2}}> {{ {body} }}"""
    check(parsed(text), left, random(6, 4))


def test_outputs_keep_their_names() -> None:
    text = """g (float[n] x) => (float[n] y, float[n] z) {
        a = Relu(x)
        y = Identity(a)
        z = Identity(a)
    }"""
    module = tl.onnx.load(parsed(text))
    assert list(module.run({"x": random(3)})) == ["y", "z"]


def branching() -> onnx.ModelProto:
    def graph(name: str, nodes: list[Any]) -> Any:
        out = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        return helper.make_graph(nodes, name, [], [out])

    then = [
        helper.make_node("Neg", ["w"], ["v"]),
        helper.make_node("Identity", ["v"], ["u"]),
        helper.make_node("Add", ["h", "u"], ["t"]),
    ]
    other = [helper.make_node("Mul", ["h", "w"], ["e"])]
    nodes = [
        helper.make_node("Identity", ["x"], ["h"]),
        helper.make_node("If", ["c"], ["y"], then_branch=graph("t", then),
                         else_branch=graph("e", other)),
    ]  # fmt: skip
    info = helper.make_tensor_value_info
    inputs = [info("x", 1, ["n"]), info("c", 9, [])]
    weight = numpy_helper.from_array(np.array([2.0], np.float32), "w")
    made = helper.make_graph(nodes, "g", inputs, [info("y", 1, ["n"])], [weight])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_branches_are_cleaned_and_see_what_is_around() -> None:
    module = tl.onnx.load(branching())
    (node,) = [n for n in module.model.graph.nodes if n.op_type == "If"]
    then = node.attributes["then_branch"]
    assert [n.op_type for n in then.nodes if n.op_type != "Constant"] == ["Add"]
    assert then.captures == ("h",)
    x = np.array([1.0, 5.0], np.float32)
    assert module(x, np.array(True)).tolist() == [-1.0, 3.0]
    assert module(x, np.array(False)).tolist() == [2.0, 10.0]


def test_operators_of_ones_own_are_left_alone() -> None:
    tl.onnx.register("my.opaque", "Twice")(lambda x: x * 2)
    proto = parsed("g (float[n] x) => (float[n] y) {y = Neg(x)}")
    nodes = [
        helper.make_node("Twice", ["x"], ["unused"], domain="my.opaque"),
        helper.make_node("Twice", ["x"], ["a"], domain="my.opaque"),
        helper.make_node("Twice", ["x"], ["b"], domain="my.opaque"),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    proto.opset_import.append(helper.make_opsetid("my.opaque", 1))
    module = tl.onnx.load(proto)
    assert operators(module) == {"my.opaque.Twice": 3, "Add": 1}


def test_intermediate_values_that_are_gone() -> None:
    text = "g (float[n] x) => (float[n] y) {a = Relu(x)  b = Identity(a)  y = Neg(b)}"
    module = tl.onnx.load(parsed(text))
    assert operators(module) == {"Relu": 1, "Neg": 1}
    x = np.array([-1.0, 2.0], np.float32)
    for name in ("a", "b", "Identity_1"):
        assert module.intermediate(name, x).tolist() == [0.0, 2.0]
    with pytest.raises(OnnxError, match="no node or value 'c'"):
        module.intermediate("c", x)


def test_optimize_leaves_the_module_as_it_was() -> None:
    text = """g (float[n, 2] x) => (float[n, 2] y) <float[2, 2] w = {1, 2, 3, 4}> {
        a = Identity(x)
        y = MatMul(a, w)
    }"""
    plain = tl.onnx.load(parsed(text), optimize=False)
    assert "nothing was changed" in repr(plain.explain())
    better = plain.optimize()
    assert len(plain.model.graph.nodes) == 2 and len(better.model.graph.nodes) == 1
    mine, its = plain.state_dict()["w"].numpy(), better.state_dict()["w"].numpy()
    assert np.shares_memory(mine, its)


def test_explanations_are_tables() -> None:
    from rich.console import Console

    text = "g (float[n] x) => (float[n] y) {a = Identity(x)  y = Neg(a)}"
    found = tl.onnx.load(parsed(text)).explain()
    console = Console(width=120)
    with console.capture() as capture:
        console.print(found)
    for shown in (repr(found), capture.get()):
        assert "remove identity" in shown and "Identity_0" in shown and "2 nodes became 1" in shown


def test_chains_of_many_nodes_are_quick() -> None:
    names = ["x", *(f"v{i}" for i in range(3000)), "y"]
    steps = zip(names, names[1:], strict=False)
    nodes = [helper.make_node("Identity", [a], [b]) for a, b in steps]
    proto = parsed("g (float[n] x) => (float[n] y) {y = Neg(x)}")
    del proto.graph.node[:]
    proto.graph.node.extend([*nodes[:-1], helper.make_node("Neg", [names[-2]], ["y"])])
    assert operators(tl.onnx.load(proto)) == {"Neg": 1}
