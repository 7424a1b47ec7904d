"""The ONNX reader on valid files: what comes out is what onnx's own helpers say is in them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assert_same, build, info

from tensorlite.converters.onnx.graph import Graph, Model, Node, TypeInfo
from tensorlite.converters.onnx.reader import read


def test_attributes_of_every_kind():
    inner = helper.make_graph([], "inner", [], [info("x")])
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([7.0], np.float32), "v"),
        numpy_helper.from_array(np.array([1], np.int64)),
        [3],
    )
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.INT64, [2]))
    given = {
        "f": 0.5,
        "i": -3,
        "s": "ä",
        "b": b"\xff\x00",
        "t": numpy_helper.from_array(np.arange(3)),
        "g": inner,
        "sp": sparse,
        "tp": kind,
        "fs": [0.5, 2.0],
        "is": [1, 2],
        "ss": ["a", b"\xff"],
        "ts": [numpy_helper.from_array(np.float32(4))],
        "gs": [inner, inner],
        "sps": [sparse],
        "tps": [kind, kind],
    }
    node = helper.make_node("Op", ["x"], ["y"], **given)
    node.attribute.append(helper.make_attribute("none", [], attr_type=onnx.AttributeProto.INTS))
    got = read(build([node])).graph.nodes[0].attributes

    assert (got["f"], got["i"], got["s"], got["b"]) == (0.5, -3, "ä", b"\xff\x00")
    assert (got["fs"], got["is"], got["ss"]) == ([0.5, 2.0], [1, 2], ["a", b"\xff"])
    assert got["none"] == []
    assert got["t"].tolist() == [0, 1, 2]
    assert got["ts"][0] == 4 and got["ts"][0].shape == ()
    assert got["sp"].tolist() == [0, 7, 0] and got["sps"][0].tolist() == [0, 7, 0]
    assert got["g"].name == "inner" and [g.name for g in got["gs"]] == ["inner", "inner"]
    assert got["tp"] == TypeInfo("sequence", element=TypeInfo("tensor", "int64", (2,)))
    assert got["tps"] == [got["tp"], got["tp"]]


def test_attributes_of_the_first_ir_version_state_no_type():
    node = helper.make_node("Op", ["x"], ["y"], axis=2, names=["a"])
    for attribute in node.attribute:
        attribute.ClearField("type")
    assert read(build([node])).graph.nodes[0].attributes == {"axis": 2, "names": ["a"]}


def test_a_zero_that_was_left_out_is_zero():
    node = helper.make_node("Op", ["x"], ["y"], axis=2, alpha=1.0, text="a")
    for attribute in node.attribute:
        for value in "ifs":
            attribute.ClearField(value)
    got = read(build([node])).graph.nodes[0].attributes
    assert got == {"axis": 0, "alpha": 0.0, "text": ""}


def test_types_of_values():
    tensor_type = helper.make_tensor_type_proto(TensorProto.FLOAT16, ["n", None, 3, -1])
    inputs = [
        helper.make_value_info("t", tensor_type),
        helper.make_value_info("any", helper.make_tensor_type_proto(TensorProto.STRING, None)),
        helper.make_value_info("seq", helper.make_sequence_type_proto(tensor_type)),
        helper.make_value_info("opt", helper.make_optional_type_proto(tensor_type)),
        helper.make_value_info("map", helper.make_map_type_proto(TensorProto.INT64, tensor_type)),
        helper.make_value_info("sp", helper.make_sparse_tensor_type_proto(TensorProto.INT4, [2])),
        onnx.ValueInfoProto(name="untyped"),
    ]
    values = read(build([], inputs=inputs, outputs=["t"])).graph.inputs
    assert [str(v) for v in values] == [
        "t: float16[n, ?, 3, ?]",
        "any: string[...]",
        "seq: sequence(float16[n, ?, 3, ?])",
        "opt: optional(float16[n, ?, 3, ?])",
        "map: map(int64, float16[n, ?, 3, ?])",
        "sp: sparse int4[2]",
        "untyped: unknown",
    ]
    t = values[0]
    assert (t.kind, t.dtype, t.shape) == ("tensor", "float16", ("n", None, 3, None))
    assert values[2].element == t.type
    assert values[1].shape is None


def test_model_properties():
    model = build([helper.make_node("Relu", ["x"], ["y"])])
    model.producer_name, model.producer_version = "maker", "1.2"
    model.domain, model.model_version, model.doc_string = "org.example", 7, "what it is"
    model.opset_import.append(helper.make_opsetid("my.domain", 900))
    helper.set_model_props(model, {"author": "me"})
    model.graph.value_info.append(info("y", shape=[2]))
    got = read(model)
    assert (got.producer, got.domain, got.version) == ("maker 1.2", "org.example", 7)
    assert (got.doc, got.metadata) == ("what it is", {"author": "me"})
    assert got.opsets == {"": 17, "my.domain": 900}
    assert got.ir_version == model.ir_version
    assert got.graph.value_info["y"].shape == (2,)
    assert got.path is None


def test_both_names_of_the_standard_domain():
    node = helper.make_node("Relu", ["x"], ["y"], domain="ai.onnx")
    model = build([node])
    model.opset_import[0].domain = "ai.onnx"
    got = read(model)
    assert got.opsets == {"": 17}
    assert (got.graph.nodes[0].domain, got.graph.nodes[0].opset) == ("", 17)


def test_opset_imports_came_with_ir_version_3():
    model = build([helper.make_node("Relu", ["x"], ["y"])])
    model.ClearField("opset_import")
    model.ir_version = 2
    assert read(model).opsets == {"": 1}


def test_an_ir_version_newer_than_known_is_read():
    model = build([helper.make_node("Relu", ["x"], ["y"])])
    model.ir_version = onnx.IR_VERSION + 5
    assert read(model).ir_version == onnx.IR_VERSION + 5


def test_weights_that_are_inputs_are_defaults():
    weight = numpy_helper.from_array(np.float32([1, 2]), "w")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    graph = read(build([node], inputs=["x", "w"], initializer=[weight])).graph
    assert [v.name for v in graph.inputs] == ["x", "w"]
    assert graph.initializers["w"].tolist() == [1, 2]


def test_node_names_are_unique_and_never_empty():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"], name="same"),
        helper.make_node("Relu", ["b"], ["c"], name="same"),
        helper.make_node("Relu", ["c"], ["d"], name="Relu_0"),
        helper.make_node("Relu", ["d"], ["y"], name="same_2"),
    ]
    names = [n.name for n in read(build(nodes)).graph.nodes]
    assert names == ["Relu_0_2", "same", "same_2", "Relu_0", "same_2_2"]


def test_absent_inputs_and_outputs_are_empty_names():
    node = helper.make_node("Op", ["x", "", "x"], ["", "y", ""])
    got = read(build([node])).graph.nodes[0]
    assert (got.inputs, got.outputs) == (("x", "", "x"), ("", "y", ""))


def branch(name, nodes, outputs):
    return helper.make_graph(nodes, name, [], [info(v) for v in outputs])


def nested_if():
    """y = If(c){ If(c){x + later} else {x} } else {later}, with `later` defined after the If."""
    yes = branch("yes", [helper.make_node("Add", ["x", "later"], ["p"])], ["p"])
    no = branch("no", [], ["x"])
    inner = helper.make_node("If", ["c"], ["q"], then_branch=yes, else_branch=no)
    then = branch("then", [inner], ["q"])
    other = branch("other", [], ["later"])
    outer = helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)
    return [outer, helper.make_node("Relu", ["x"], ["later"])]


def test_subgraphs_say_what_they_take_from_outside():
    graph = read(build(nested_if(), inputs=["x", info("c", TensorProto.BOOL)])).graph
    assert [n.op_type for n in graph.nodes] == ["Relu", "If"]
    assert graph.captures == ()
    other, then = graph.nodes[1].subgraphs()
    assert (then.name, other.name) == ("then", "other")
    assert set(then.captures) == {"c", "x", "later"}
    assert other.captures == ("later",)
    assert [n.op_type for n in graph.walk()] == ["Relu", "If", "If", "Add"]


def test_nodes_are_put_into_an_order_that_runs():
    nodes = [
        helper.make_node("Add", ["a", "b"], ["y"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Neg", ["x"], ["side"]),
        helper.make_node("Relu", ["x"], ["a"]),
    ]
    graph = read(build(nodes)).graph
    assert [n.op_type for n in graph.nodes] == ["Neg", "Relu", "Relu", "Add"]
    assert [n.outputs for n in graph.nodes] == [("side",), ("a",), ("b",), ("y",)]


def twice_model():
    body = [
        helper.make_node("Op", ["a"], ["t"]),
        helper.make_node("Add", ["t", "b"], ["c"]),
    ]
    for name, kind in (("alpha", onnx.AttributeProto.FLOAT), ("axis", onnx.AttributeProto.INT)):
        body[0].attribute.add(name=name, ref_attr_name=f"my_{name}", type=kind)
    function = helper.make_function(
        "my.domain",
        "Twice",
        ["a", "b"],
        ["c"],
        body,
        [helper.make_opsetid("", 13)],
        attributes=["my_alpha"],
        attribute_protos=[helper.make_attribute("my_axis", 1)],
    )
    model = build([helper.make_node("Twice", ["x", "x"], ["y"], domain="my.domain", my_alpha=2.0)])
    model.opset_import.append(helper.make_opsetid("my.domain", 1))
    model.functions.append(function)
    return model


def test_functions():
    model = read(twice_model())
    call = model.graph.nodes[0]
    function = model.function(call)
    assert function is model.functions["my.domain", "Twice", ""]
    assert (function.attributes, function.defaults) == (("my_alpha",), {"my_axis": 1})
    assert [v.name for v in function.graph.inputs] == ["a", "b"]
    assert [v.name for v in function.graph.outputs] == ["c"]
    op, add = function.graph.nodes
    assert op.ref_attributes == {"alpha": "my_alpha", "axis": "my_axis"}
    assert op.attributes == {}
    assert (op.opset, add.opset, call.opset) == (13, 13, 1)
    assert call.operator == "my.domain.Twice"
    assert model.function(add) is None


def test_overloads_of_a_function_are_told_apart():
    model = twice_model()
    other = model.functions.add()
    other.CopyFrom(model.functions[0])
    other.overload = "other"
    model.graph.node[0].overload = "other"
    got = read(model)
    assert got.function(got.graph.nodes[0]) is got.functions["my.domain", "Twice", "other"]


def test_sources(tmp_path, monkeypatch):
    model = build([helper.make_node("Relu", ["x"], ["y"])])
    data = model.SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    monkeypatch.chdir(tmp_path)
    for source in (path, str(path), "model.onnx", data, bytearray(data), memoryview(data), model):
        assert read(source).graph.nodes[0].op_type == "Relu"
    assert read(path).path == path


def test_progress_counts_the_weights():
    weights = [numpy_helper.from_array(np.float32([i]), f"w{i}") for i in range(3)]
    calls = []
    model = build([helper.make_node("Relu", ["w0"], ["y"])], inputs=[], initializer=weights)
    read(model, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def assert_same_graph(got: Graph, proto: onnx.GraphProto) -> None:
    """Everything that onnx's helpers find in the protobuf is in the Graph."""
    assert [v.name for v in got.inputs] == [v.name for v in proto.input]
    assert [v.name for v in got.outputs] == [v.name for v in proto.output]
    for weight in proto.initializer:
        assert_weight(got.initializers[weight.name], weight)
    by_outputs = {node.outputs: node for node in got.nodes}
    assert len(got.nodes) == len(proto.node)
    for node in proto.node:
        assert_same_node(by_outputs[tuple(node.output)], node)


def assert_weight(got, proto):
    if proto.data_type == TensorProto.STRING:
        assert got.ravel().tolist() == [s.decode() for s in proto.string_data]
    else:
        assert_same(got, numpy_helper.to_array(proto))


def assert_same_node(got: Node, proto: onnx.NodeProto) -> None:
    assert (got.op_type, got.inputs) == (proto.op_type, tuple(proto.input))
    assert got.name == proto.name or not proto.name
    for attribute in proto.attribute:
        if attribute.ref_attr_name:
            assert got.ref_attributes[attribute.name] == attribute.ref_attr_name
            continue
        value, expected = got.attributes[attribute.name], helper.get_attribute_value(attribute)
        if isinstance(expected, TensorProto):
            assert_weight(value, expected)
        elif isinstance(expected, onnx.GraphProto):
            assert_same_graph(value, expected)
        elif isinstance(expected, bytes):
            assert value == expected.decode()
        elif attribute.type == onnx.AttributeProto.STRINGS:
            assert value == [s.decode() for s in expected]
        elif attribute.type in (onnx.AttributeProto.TYPE_PROTO, onnx.AttributeProto.SPARSE_TENSOR):
            assert isinstance(value, (TypeInfo, np.ndarray))
        else:
            assert value == expected


def models_of_the_onnx_package():
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    return sorted(folder.rglob("*.onnx"))


@pytest.mark.parametrize(
    "path", models_of_the_onnx_package(), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_models_of_the_onnx_package(path):
    model = read(path)
    assert isinstance(model, Model)
    assert_same_graph(model.graph, onnx.load(path).graph)


@pytest.mark.slow
def test_conformance_cases_of_the_onnx_package():
    from onnx.backend.test.case import model as models
    from onnx.backend.test.case import node as nodes

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = [*nodes.collect_testcases(None), *models.collect_testcases()]
    protos = [case.model for case in cases if case.model is not None]
    assert len(protos) > 1800
    for proto in protos:
        model = read(proto.SerializeToString())
        assert_same_graph(model.graph, proto.graph)
        assert len(model.functions) == len(proto.functions)
