"""The ONNX reader on bad files: one named error that says what and where, nothing else."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, helper, numpy_helper
from onnx_models import FLOAT, build, function, function_model, info, refuses, relu, with_weight

from tensorlite.converters.onnx.reader import read
from tensorlite.errors import OnnxError


def zip_file(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, b"x" * 100)
    return out.getvalue()


OTHERS = [
    (b"", "is empty"),
    (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "a web page (HTML)"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), "a PNG picture"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(64), "a JPEG picture"),
    (zip_file("model/data.pkl"), "a PyTorch checkpoint"),
    (zip_file("readme.txt"), "a zip archive"),
    (b'@\0\0\0\0\0\0\0{"w":{"dtype":"F32","shape":[1]}}' + bytes(32), "a safetensors file"),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M", "PyTorch checkpoint"),
    (b"\x93NUMPY\x01\0v\0{'descr': '<f4'}", "a numpy array"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
    (b"\x1f\x8b\x08\0\0\0\0\0", "a gzip archive"),
    (b"GGUF\x03\0\0\0", "a GGUF file"),
    (b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file"),
    (b"\x1c\0\0\0TFL3" + bytes(64), "a TensorFlow Lite model"),
    (b'{"a": 1}', "JSON"),
    (b"just some words\n", "text"),
    (bytes(range(256)), "no valid protobuf"),
    (numpy_helper.from_array(np.arange(3)).SerializeToString(), "no graph"),
]


@pytest.mark.parametrize(("data", "guess"), OTHERS, ids=[guess for _, guess in OTHERS])
def test_files_that_are_not_onnx(tmp_path, data, guess):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    refuses(path, str(path), guess)
    refuses(data, guess)


def test_a_truncated_file_is_refused_at_every_length():
    weight = numpy_helper.from_array(np.arange(4, dtype=np.float32), "w")
    data = with_weight(weight).SerializeToString()
    for length in range(len(data)):
        try:
            model = read(data[:length])
        except OnnxError:
            continue
        # What is cut off is only what follows the graph.
        assert length > data.index(b"main_graph")
        assert model.graph.initializers["w"].tolist() == [0, 1, 2, 3]


def test_a_path_that_is_no_file(tmp_path):
    (tmp_path / "model.onnx").write_bytes(build([relu()]).SerializeToString())
    refuses(tmp_path / "modle.onnx", "no such file", "Did you mean 'model.onnx'?")
    refuses(tmp_path / "nowhere" / "model.onnx", "no such file")
    refuses(tmp_path, "a folder")
    refuses("a\0b", "cannot be read")
    refuses("n" * 5000, "cannot be read")


def test_a_pipe_does_not_hang(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "model.onnx")
    refuses(tmp_path / "model.onnx", "not a regular file")


def test_a_device_does_not_hang():
    if not os.path.exists("/dev/zero"):
        pytest.skip("this system has no /dev/zero")
    refuses("/dev/zero", "not a regular file")


def test_sources_of_another_type():
    refuses(3, "expected a path, bytes or an onnx.ModelProto, got int")


def test_a_protobuf_over_two_gigabytes(tmp_path):
    path = tmp_path / "model.onnx"
    with open(path, "wb") as file:
        file.truncate((2 << 30) + 10)
    refuses(path, "2 GB", "save_as_external_data")


def test_a_model_without_graph():
    refuses(onnx.ModelProto(ir_version=8), "no graph")


def test_a_model_without_opset_import():
    model = build([relu()])
    model.ClearField("opset_import")
    refuses(model, "no opset_import")


def test_opsets_newer_than_known():
    newest = onnx.defs.onnx_opset_version()
    refuses(
        build([relu()], opset=newest + 1),
        f"opset {newest + 1}",
        f"knows is {newest}",
        onnx.__version__,
        "upgrade onnx",
    )
    ml = build([relu()])
    ml.opset_import.append(helper.make_opsetid("ai.onnx.ml", 99))
    refuses(ml, "opset 99 of ai.onnx.ml")


@pytest.mark.parametrize("version", [0, -1, -(2**63)])
def test_opsets_that_are_none(version):
    refuses(build([relu()], opset=version), "opset_import", str(version))


def test_two_versions_of_a_domain():
    model = build([relu()])
    model.opset_import.append(helper.make_opsetid("ai.onnx", 12))
    refuses(model, "imported as 17 and as 12")


def test_a_domain_that_is_not_imported():
    node = helper.make_node("Gelu", ["x"], ["y"], domain="my.own", name="gelu")
    refuses(build([node]), "'gelu'", "'Gelu'", "'my.own'", "it lists 'ai.onnx'")


def test_a_dangling_input():
    nodes = [
        helper.make_node("Relu", ["x"], ["hidden"]),
        helper.make_node("Add", ["hiden", "x"], ["y"], name="add"),
    ]
    refuses(
        build(nodes),
        "'main_graph'",
        "node 'add' (Add, opset 17)",
        "'hiden'",
        "nothing defines",
        "Did you mean 'hidden'?",
    )


def test_a_dangling_input_of_a_subgraph():
    inner = helper.make_graph([helper.make_node("Relu", ["no"], ["z"])], "b", [], [info("z")])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    refuses(build([node]), "node 'Relu_0' (Relu, opset 17)", "'no'", "nothing defines")


def test_a_subgraph_does_not_give_its_values_away():
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "b", [], [info("z")])
    nodes = [
        helper.make_node("If", ["x"], ["c"], then_branch=inner, else_branch=inner),
        helper.make_node("Relu", ["z"], ["y"]),
    ]
    refuses(build(nodes), "'z'", "nothing defines")


def test_undefined_outputs():
    refuses(build([relu()], outputs=["y", "z"]), "the graph has the output 'z'")
    inner = helper.make_graph([], "b", [], [info("z")])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    refuses(build([node]), "subgraph 'b' has the output 'z'")


def test_an_output_that_is_defined_twice():
    refuses(build([relu("a"), relu("b")]), "node 'b'", "'y' is already that of node 'a'")
    same = helper.make_node("Split", ["x"], ["y", "y"], name="s")
    refuses(build([same]), "node 's'", "'y' is already that of")
    refuses(build([helper.make_node("Relu", ["x"], ["x"])]), "already an input or weight")


def test_names_that_are_repeated():
    weight = numpy_helper.from_array(np.float32([1]), "w")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    refuses(build([node], initializer=[weight, weight]), "'w' is there twice")
    refuses(build([relu()], inputs=["x", "x"]), "input 'x' is listed twice")
    twice = relu()
    twice.attribute.extend([helper.make_attribute("a", 1)] * 2)
    refuses(build([twice]), "node 'r' (Relu, opset 17)", "attribute 'a' is there twice")


def test_names_that_are_missing():
    refuses(build([relu()], inputs=["x", ""]), "no name")
    refuses(build([helper.make_node("", ["x"], ["y"])]), "no operator type")
    refuses(with_weight(numpy_helper.from_array(np.float32([1]))), "(initializer) has no name")
    nameless = relu()
    nameless.attribute.append(helper.make_attribute("", 1))
    refuses(build([nameless]), "an attribute has no name")


def test_a_cycle():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="start"),
        helper.make_node("Add", ["a", "c"], ["b"], name="one"),
        helper.make_node("Relu", ["b"], ["c"], name="two"),
        helper.make_node("Relu", ["c"], ["y"], name="end"),
    ]
    message = refuses(build(nodes), "needs its own result")
    assert "'one' -> 'two'" in message or "'two' -> 'one'" in message
    refuses(build([helper.make_node("Add", ["x", "y"], ["y"], name="self")]), "cycle 'self'")


def test_a_cycle_through_a_subgraph():
    inner = helper.make_graph([helper.make_node("Relu", ["y"], ["z"])], "b", [], [info("z")])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner, name="if")
    refuses(build([node]), "cycle 'if'")


def test_names_that_are_not_utf8():
    data = build([relu("abcdef")]).SerializeToString()
    refuses(data.replace(b"abcdef", b"abc\xff\xfef"), "not UTF-8")
    refuses(data.replace(b"Relu", b"Re\xffu"), "not UTF-8")


def test_absurdly_long_names_are_cut_in_messages():
    long = "n" * 1_000_000
    refuses(build([helper.make_node("Relu", [long], ["y"], name=long)]), "nothing defines")
    refuses(build([helper.make_node(long, ["x"], ["x"], name=long)]), "already an input")


def attribute_model(**fields):
    node = relu()
    node.attribute.append(AttributeProto(name="a", **fields))
    return build([node])


def test_attributes_that_contradict_their_type():
    where = "node 'r' (Relu, opset 17): attribute 'a'"
    refuses(attribute_model(type=AttributeProto.INT, f=1.0), where, "'i', but it has f")
    refuses(attribute_model(type=AttributeProto.TENSOR), where, "'t', but it has no value")
    refuses(attribute_model(type=AttributeProto.GRAPH, i=1), where, "'g', but it has i")
    refuses(attribute_model(), where, "no type and has no value")
    refuses(attribute_model(i=1, f=2.0), where, "no type and has f and i")
    refuses(attribute_model(ref_attr_name="b"), "refers to 'b'", "stands in none")


def test_types_that_are_none():
    refuses(build([relu()], inputs=[info("x", 77)]), "value 'x'", "data type code 77")
    negative = info("x", FLOAT, [1])
    negative.type.tensor_type.shape.dim[0].dim_value = -5
    refuses(build([relu()], inputs=[negative]), "value 'x'", "the dimension -5")
    deep = helper.make_tensor_type_proto(FLOAT, None)
    for _ in range(40):
        deep = helper.make_sequence_type_proto(deep)
    refuses(build([relu()], inputs=[helper.make_value_info("x", deep)]), "nested")


def nested(depth):
    model = build([])
    graph = model.graph
    for _ in range(depth):
        node = graph.node.add(op_type="If", input=["x"], output=["y"])
        graph = node.attribute.add(name="then_branch", type=AttributeProto.GRAPH).g
        graph.output.add(name="y")
    graph.node.add(op_type="Relu", input=["x"], output=["y"])
    return model


def test_graphs_in_graphs():
    assert len(list(read(nested(30).SerializeToString()).graph.walk())) == 31
    refuses(nested(40), "more than 32 deep")


def test_a_file_nested_deeper_than_protobuf_allows():
    data = b""
    for _ in range(300):
        for tag in b"\x32\x2a\x0a":  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            length = len(data)
            data = bytes([tag, length & 127 | 128, length >> 7]) + data
    length = len(data)
    refuses(bytes([0x3A, length & 127 | 128, length >> 7]) + data, "no valid protobuf")


def test_recursive_functions():
    refuses(function_model(function("A", ["A"])), "'f.A' calls itself")
    loop = [function("A", ["B"]), function("B", ["Relu", "C"]), function("C", ["B"])]
    message = refuses(function_model(*loop), "calls itself")
    assert "'f.B' -> 'f.C' -> 'f.B'" in message or "'f.C' -> 'f.B' -> 'f.C'" in message


def test_functions_that_expand_to_billions_of_nodes():
    names = [f"F{i}" for i in range(40)]
    layers = [function(a, [b, b]) for a, b in zip(names, names[1:], strict=False)]
    model = function_model(*layers, function(names[-1], ["Relu"]), call="F0")
    refuses(model, "when its functions are put in", "at most 10000000")


def test_functions_that_call_functions_without_end():
    names = [f"F{i}" for i in range(5000)]
    chain = [function(a, [b]) for a, b in zip(names, names[1:], strict=False)]
    model = function_model(*chain, function(names[-1], ["Relu"]), call="F0")
    refuses(model, "more than 64 deep")


def test_functions_with_bad_bodies():
    refuses(function_model(function("A", ["Relu"]), function("A", ["Relu"])), "'f.A'", "twice")
    refuses(function_model(function("", ["Relu"])), "a function has no name")
    dangling = function("A", ["Relu"])
    dangling.node[0].input[0] = "x"
    refuses(function_model(dangling), "function 'A'", "'x', which nothing defines")
    lost = function("A", ["Relu"])
    lost.output.append("c")
    refuses(function_model(lost), "the output 'c', which nothing defines")
    unknown = function("A", ["Relu"], attributes=["alpha"])
    unknown.node[0].attribute.append(AttributeProto(name="a", ref_attr_name="alhpa", type=1))
    refuses(function_model(unknown), "refers to 'alhpa'", "Did you mean 'alpha'?")
    doubled = function("A", ["Relu"], inputs=("a", "a"))
    refuses(function_model(doubled), "'a' is listed twice")


def test_many_nodes_of_one_name():
    nodes = [helper.make_node("Relu", ["x"], [f"y{i}"], name="same") for i in range(20_000)]
    graph = read(build(nodes, outputs=["y7"])).graph
    assert len({node.name for node in graph.nodes}) == 20_000


def test_a_long_chain_in_reverse():
    values = ["y", *(f"v{i}" for i in range(20_000)), "x"]
    nodes = [helper.make_node("Relu", [b], [a]) for a, b in zip(values, values[1:], strict=False)]
    graph = read(build(nodes)).graph
    assert graph.nodes[0].inputs == ("x",) and graph.nodes[-1].outputs == ("y",)
