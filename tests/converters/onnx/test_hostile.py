"""The ONNX reader on bad files: one named error that says what and where, nothing else.

No file here may cost more than a moment or a few megabytes; what a mutant costs is measured in
the fuzz runs.
"""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from tensorlite.converters.onnx.reader import read
from tensorlite.errors import FileFormatError, OnnxError, UnsafeFileError

FLOAT = TensorProto.FLOAT


def info(name, dtype=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def build(nodes, inputs=("x",), outputs=("y",), opset=17, **graph):
    inputs = [info(v) if isinstance(v, str) else v for v in inputs]
    outputs = [info(v) if isinstance(v, str) else v for v in outputs]
    return helper.make_model(
        helper.make_graph(nodes, "main_graph", inputs, outputs, **graph),
        opset_imports=[helper.make_opsetid("", opset)],
    )


def relu(name="r"):
    return helper.make_node("Relu", ["x"], ["y"], name=name)


def with_weight(weight):
    return build([helper.make_node("Add", ["x", "w"], ["y"])], initializer=[weight])


def refuses(source, *parts, kind=OnnxError, **options):
    """The reader's error for this, which must have all the parts in it."""
    with pytest.raises(kind) as caught:
        read(source, **options)
    message = str(caught.value)
    for part in parts:
        assert part in message
    assert "\n" not in message
    assert len(message) < 4000
    return message


# --- files that are something else ---------------------------------------------------------


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


# --- the model -----------------------------------------------------------------------------


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
    node = helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft", name="gelu")
    refuses(build([node]), "'gelu'", "'Gelu'", "'com.microsoft'", "it lists 'ai.onnx'")


# --- names ---------------------------------------------------------------------------------


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


# --- tensors -------------------------------------------------------------------------------


def tensor(code=FLOAT, dims=(4,), **data):
    return TensorProto(name="w", data_type=code, dims=dims, **data)


BAD_TENSORS = [
    (tensor(raw_data=bytes(15)), "needs 16 bytes, the file has 15"),
    (tensor(raw_data=bytes(20)), "needs 16 bytes, the file has 20"),
    (tensor(raw_data=b""), "needs 16 bytes, the file has 0"),
    (tensor(float_data=[1, 2, 3]), "needs 4 numbers in float_data, the file has 3"),
    (tensor(int64_data=[1, 2, 3, 4]), "needs 4 numbers in float_data, the file has 0"),
    (tensor(dims=[2**60]), "impossible shape"),
    (tensor(dims=[2**60], raw_data=bytes(16)), "impossible shape"),
    (tensor(dims=[2**40], raw_data=bytes(16)), "needs 4398046511104 bytes, the file has 16"),
    (tensor(dims=[2**31, 2**31, 2**31, 4]), "impossible shape"),
    (tensor(dims=[0, 2**62]), "impossible shape"),
    (tensor(dims=[-1], raw_data=bytes(4)), "negative dimension"),
    (tensor(dims=[-2, -2], raw_data=bytes(16)), "negative dimension"),
    (tensor(dims=[1] * 70, raw_data=bytes(4)), "70 dimensions"),
    (tensor(code=0, raw_data=bytes(16)), "unknown data type code 0"),
    (tensor(code=99, raw_data=bytes(16)), "unknown data type code 99"),
    (tensor(code=-1, raw_data=bytes(16)), "unknown data type code -1"),
    (tensor(TensorProto.INT4, [5], raw_data=bytes(2)), "needs 3 bytes, the file has 2"),
    (tensor(TensorProto.INT4, [5], int32_data=[0] * 5), "needs 3 numbers in int32_data"),
    (tensor(TensorProto.COMPLEX64, [2], float_data=[1, 2]), "needs 4 numbers"),
    (tensor(TensorProto.STRING, [2], string_data=[b"a"]), "needs 2 strings, the file has 1"),
    (tensor(TensorProto.STRING, [1], raw_data=b"a"), "strings stand in string_data"),
    (tensor(TensorProto.STRING, [2**50]), "strings, the file has 0"),
    (tensor(segment=TensorProto.Segment(begin=0, end=1)), "segments"),
]


@pytest.mark.parametrize(("proto", "message"), BAD_TENSORS, ids=range(len(BAD_TENSORS)))
def test_tensors_that_do_not_fit(proto, message):
    refuses(with_weight(proto), message, "main_graph")
    node = helper.make_node("Constant", [], ["y"], name="const", value=proto)
    refuses(build([node]), message, "node 'const' (Constant, opset 17)", "attribute 'value'")


def sparse(values, indices, dims):
    return onnx.SparseTensorProto(
        values=numpy_helper.from_array(np.asarray(values, np.float32), "w"),
        indices=numpy_helper.from_array(np.asarray(indices, np.int64), "i"),
        dims=dims,
    )


BAD_SPARSE = [
    (sparse([1], [0], [2**60]), "impossible shape"),
    (sparse([1], [0], [2**40]), "would fill"),
    (sparse([1], [9], [9]), "outside of its shape"),
    (sparse([1], [-1], [9]), "outside of its shape"),
    (sparse([1], [[0, 3]], [2, 3]), "outside of its shape"),
    (sparse([1], [[-1, 3]], [2, 4]), "outside of its shape"),
    (sparse([1, 2], [1, 1], [9]), "ascending"),
    (sparse([1, 2], [2, 1], [9]), "ascending"),
    (sparse([1, 2], [1], [9]), "indices of shape"),
    (sparse([[1, 2]], [1, 2], [9]), "values of one dimension"),
    (sparse([1], [0], [-9]), "negative dimension"),
    (onnx.SparseTensorProto(dims=[3]), "unknown data type code 0"),
]


@pytest.mark.parametrize(("proto", "message"), BAD_SPARSE, ids=range(len(BAD_SPARSE)))
def test_sparse_tensors_that_do_not_fit(proto, message):
    node = helper.make_node("Constant", [], ["y"], name="const", sparse_value=proto)
    refuses(build([node]), "node 'const'", message)


def test_many_sparse_tensors_together_are_bounded():
    nodes = [
        helper.make_node("Constant", [], [f"y{i}"], sparse_value=sparse([1], [0], [1 << 23]))
        for i in range(20)
    ]
    refuses(build(nodes, outputs=["y0"]), "would fill", "256 MiB")


# --- external data -------------------------------------------------------------------------


def external(location=None, code=FLOAT, **entries):
    proto = tensor(code)
    proto.data_location = TensorProto.EXTERNAL
    if location is not None:
        entries["location"] = location
    for key, value in entries.items():
        proto.external_data.add(key=key, value=value)
    return proto


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    (inside / "w.bin").write_bytes(bytes(16))
    (tmp_path / "secret").write_bytes(bytes(16))
    return inside


def save(folder, weight):
    path = folder / "model.onnx"
    path.write_bytes(with_weight(weight).SerializeToString())
    return path


@pytest.mark.parametrize(
    "location",
    ["../secret", "sub/../../secret", "..", "/etc/passwd", "C:\\secret", "\\\\host\\share\\x"]
    + ["..\\secret", "C:secret", "w.bin/../../secret", "w\0.bin", "\\secret"],
)
def test_external_data_outside_of_the_folder(folder, location):
    message = "only files below the model's folder are read"
    refuses(save(folder, external(location)), "'w'", message, kind=UnsafeFileError)


def test_external_data_through_a_link(folder):
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "dir").symlink_to(folder.parent)
    refuses(save(folder, external("link")), "a link to", kind=UnsafeFileError)
    refuses(save(folder, external("dir/secret")), "a link to", kind=UnsafeFileError)
    (folder / "loop").symlink_to(folder / "loop")
    refuses(save(folder, external("loop")), "missing")


def test_external_data_that_is_no_file(folder):
    refuses(save(folder, external("gone.bin")), "'gone.bin'", "missing", "beside the model")
    refuses(save(folder, external("n" * 5000)), "missing")
    (folder / "sub").mkdir()
    refuses(save(folder, external("sub")), "not a regular file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        refuses(save(folder, external("pipe")), "not a regular file")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"offset": "1"}, "lies at bytes 1 to 17 of 'w.bin', which has only 16"),
        ({"offset": "17"}, "which has only 16"),
        ({"offset": str(2**62)}, "which has only 16"),
        ({"offset": "-1"}, "the offset of its external data is '-1', not a number"),
        ({"offset": "9" * 100_000}, "not a number"),
        ({"offset": "²"}, "not a number"),
        ({"offset": ""}, "not a number"),
        ({"length": "15"}, "needs 16 bytes, its external data has 15"),
        ({"length": str(2**60)}, "needs 16 bytes"),
        ({"length": "x"}, "the length of its external data is 'x', not a number"),
    ],
)
def test_external_data_that_does_not_fit_its_file(folder, entries, message):
    refuses(save(folder, external("w.bin", **entries)), "'w'", message)


def test_external_data_that_is_larger_than_its_file(folder):
    weight = external("w.bin")
    weight.dims[:] = [2**50]
    refuses(save(folder, weight), "which has only 16")


def test_external_data_without_location(folder):
    refuses(save(folder, external()), "without a location")
    refuses(save(folder, external("")), "without a location")


def test_external_strings(folder):
    refuses(save(folder, external("w.bin", TensorProto.STRING)), "cannot be external data")


def test_external_data_of_a_model_without_folder():
    model = with_weight(external("w.bin"))
    refuses(model, "'w.bin'", "pass the path of the model, or folder=")
    refuses(model.SerializeToString(), "pass the path of the model, or folder=")


def test_an_empty_external_file(folder):
    (folder / "empty").write_bytes(b"")
    refuses(save(folder, external("empty")), "which has only 0")
    weight = external("empty")
    weight.dims[:] = [0, 3]
    assert read(save(folder, weight)).graph.initializers["w"].shape == (0, 3)


# --- attributes, types, functions, nesting --------------------------------------------------


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


def function(name, calls, inputs=("a",), outputs=("b",), **kwargs):
    """A function whose body calls these, one after the other."""
    values = [inputs[0], *(f"t{i}" for i in range(len(calls) - 1)), outputs[0]]
    body = [
        helper.make_node(c, [values[i]], [values[i + 1]], domain="f" if c != "Relu" else "")
        for i, c in enumerate(calls)
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    return helper.make_function("f", name, inputs, outputs, body, opsets, **kwargs)


def function_model(*functions, call="A"):
    model = build([helper.make_node(call, ["x"], ["y"], domain="f")])
    model.opset_import.append(helper.make_opsetid("f", 1))
    model.functions.extend(functions)
    return model


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


# --- cost ----------------------------------------------------------------------------------


def test_many_nodes_of_one_name():
    nodes = [helper.make_node("Relu", ["x"], [f"y{i}"], name="same") for i in range(20_000)]
    graph = read(build(nodes, outputs=["y7"])).graph
    assert len({node.name for node in graph.nodes}) == 20_000


def test_a_long_chain_in_reverse():
    values = ["y", *(f"v{i}" for i in range(20_000)), "x"]
    nodes = [helper.make_node("Relu", [b], [a]) for a, b in zip(values, values[1:], strict=False)]
    graph = read(build(nodes)).graph
    assert graph.nodes[0].inputs == ("x",) and graph.nodes[-1].outputs == ("y",)


# --- mutants -------------------------------------------------------------------------------


def seeds():
    """A few small models which together have every part of the format in them."""
    leaf = helper.make_graph([helper.make_node("Relu", ["w"], ["p"])], "b", [], [info("p")])
    nodes = [
        helper.make_node("Add", ["x", "w"], ["h"], name="add", axis=1, mode="a", ints=[1, 2]),
        helper.make_node("If", ["c"], ["i"], then_branch=leaf, else_branch=leaf),
        helper.make_node("Constant", [], ["k"], sparse_value=sparse([1], [2], [4])),
        helper.make_node("A", ["h"], ["y"], domain="f", floats=[1.0]),
    ]
    weights = [
        numpy_helper.from_array(np.arange(4, dtype=np.float32), "w"),
        tensor(float_data=[1, 2, 3, 4]),
        tensor(TensorProto.STRING, [2], string_data=[b"a", b"b"]),
        external("w.bin", offset="0", length="16"),
    ]
    for i, weight in enumerate(weights[1:]):
        weight.name = f"w{i}"
    inputs = ["x", info("c", TensorProto.BOOL, []), info("n", TensorProto.INT64, ["n", 2])]
    model = build(nodes, inputs=inputs, initializer=weights)
    model.opset_import.append(helper.make_opsetid("f", 1))
    model.functions.append(function("A", ["Relu", "Relu"], attributes=["alpha"]))
    return [model.SerializeToString(), build([relu()]).SerializeToString()]


SEEDS = seeds()


def attempt(data, folder=None):
    """Reads it or gets a named error; anything else fails the test."""
    try:
        model = read(data, folder=folder)
    except FileFormatError as error:
        assert str(error)
        return
    total = sum(w.nbytes for w in model.graph.initializers.values())
    assert total < 1 << 20


def test_the_seeds_are_valid(folder):
    for seed in SEEDS:
        assert read(seed, folder=folder).graph.nodes


@settings(
    max_examples=1000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_mutated_bytes(folder, data):
    mutant = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(mutant)))
        length = data.draw(st.integers(0, 3))
        mutant[start : start + length] = data.draw(st.binary(max_size=4))
    attempt(bytes(mutant), folder)


def messages(proto):
    """The message and all that stand in it."""
    found = [proto]
    for message in found:
        for field, value in message.ListFields():
            if field.message_type is not None:
                found.extend(value if field.is_repeated else [value])
    return found


NUMBERS = st.sampled_from([0, 1, -1, 7, 127, 255, 2**31 - 1, 2**31, 2**62, -(2**63)])


def mutate(draw, message):
    """One change: a field cleared, set to an odd value, or a repeated field's entry doubled."""
    field = draw(st.sampled_from(list(message.DESCRIPTOR.fields)))
    if field.is_repeated:
        values = getattr(message, field.name)
        action = draw(st.sampled_from(["clear", "double", "drop"]))
        if action == "clear":
            message.ClearField(field.name)
        elif len(values):
            at = draw(st.integers(0, len(values) - 1))
            if action == "drop":
                del values[at]
            else:
                values.extend([values[at]])
        return
    if draw(st.booleans()) or field.message_type is not None:
        message.ClearField(field.name)
    elif field.cpp_type in (field.CPPTYPE_INT32, field.CPPTYPE_INT64):
        bits = 31 if field.cpp_type == field.CPPTYPE_INT32 else 63
        setattr(message, field.name, max(-(2**bits), min(draw(NUMBERS), 2**bits - 1)))
    elif field.cpp_type == field.CPPTYPE_ENUM:
        setattr(message, field.name, draw(st.sampled_from(list(field.enum_type.values))).number)
    elif field.cpp_type == field.CPPTYPE_STRING:
        text = draw(st.sampled_from(["", "x", "y", "w", "A", "f", "../w.bin", "ai.onnx"]))
        setattr(message, field.name, text.encode() if field.type == field.TYPE_BYTES else text)


@settings(
    max_examples=1000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_mutated_messages(folder, data):
    model = onnx.ModelProto.FromString(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 3))):
        found = messages(model)
        mutate(data.draw, found[data.draw(st.integers(0, len(found) - 1))])
    attempt(model, folder)
