"""The ONNX reader on valid files: what comes out is what onnx's own helpers say is in them."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tensorlite.converters.onnx.external import ExternalFolder
from tensorlite.converters.onnx.graph import Graph, Model, Node, TypeInfo
from tensorlite.converters.onnx.reader import read
from tensorlite.converters.onnx.tensors import DTYPES, STRING, TensorReader

NUMERIC = sorted(set(DTYPES) - {STRING})
SHAPES = [(), (1,), (5,), (2, 3), (0, 4), (3, 1, 7)]


def info(name, dtype=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, dtype, shape)


def build(nodes, inputs=("x",), outputs=("y",), opset=17, **graph):
    inputs = [info(v) if isinstance(v, str) else v for v in inputs]
    outputs = [info(v) if isinstance(v, str) else v for v in outputs]
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, **graph),
        opset_imports=[helper.make_opsetid("", opset)],
    )


def sample(code, shape, seed=0):
    """An array of the dtype with every kind of bits in it."""
    rng = np.random.default_rng(seed)
    dtype = DTYPES[code]
    if dtype == np.bool_:
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return (rng.normal(size=shape) * 2).astype(np.float32).astype(dtype)


def tensor(proto):
    return TensorReader(ExternalFolder(None)).tensor(proto)


def assert_same(got, expected):
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert got.tobytes() == expected.tobytes()


def test_every_data_type_of_onnx_is_known():
    codes = set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED}
    assert set(DTYPES) == codes
    for code in NUMERIC:
        assert DTYPES[code] == helper.tensor_dtype_to_np_dtype(code)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", NUMERIC, ids=lambda c: DTYPES[c].name)
def test_raw_data(code, shape):
    array = sample(code, shape)
    proto = numpy_helper.from_array(array, "w")
    assert proto.data_type == code
    assert_same(tensor(proto), numpy_helper.to_array(proto))
    assert_same(tensor(proto), np.asarray(array))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", NUMERIC, ids=lambda c: DTYPES[c].name)
def test_data_in_typed_fields(code, shape):
    proto = helper.make_tensor("w", code, shape, np.ravel(sample(code, shape)))
    assert not proto.HasField("raw_data")
    assert_same(tensor(proto), numpy_helper.to_array(proto))


def test_small_integers_wrap_like_the_bits_they_are():
    proto = TensorProto(data_type=TensorProto.INT8, dims=[2], int32_data=[255, -1])
    assert tensor(proto).tolist() == [-1, -1]


def test_bool_bytes_other_than_one_are_true():
    proto = TensorProto(data_type=TensorProto.BOOL, dims=[3], raw_data=b"\0\x01\x07")
    assert (tensor(proto) ^ np.array([True, True, True])).tolist() == [True, False, False]


def test_arrays_may_be_written_to():
    proto = numpy_helper.from_array(np.arange(12, dtype=np.float32))
    tensor(proto)[0] = 7
    assert tensor(proto)[0] == 0


@pytest.mark.parametrize("shape", [(), (4,), (2, 2), (0,)], ids=str)
def test_strings(shape):
    words = ["", "ä日本", "two words", "\n"][: int(np.prod(shape))]
    proto = helper.make_tensor("s", TensorProto.STRING, shape, [w.encode() for w in words])
    array = tensor(proto)
    assert array.dtype == object
    assert array.shape == shape
    assert array.ravel().tolist() == words


def test_strings_that_are_not_utf8_keep_their_bytes():
    proto = helper.make_tensor("s", TensorProto.STRING, [1], [b"a\xff"])
    assert tensor(proto)[0].encode("utf-8", "surrogateescape") == b"a\xff"


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("code", [TensorProto.FLOAT, TensorProto.INT4, TensorProto.STRING])
def test_sparse_tensors_become_dense(code, linear):
    places = np.array([[0, 1, 2], [1, 0, 0], [1, 1, 3]])
    shape = (2, 2, 4)
    values = np.array(["a", "b", "c"], object) if code == STRING else sample(code, 3)
    dense = np.full(shape, "", object) if code == STRING else np.zeros(shape, DTYPES[code])
    for place, value in zip(places, values, strict=True):
        dense[tuple(place)] = value
    indices = np.ravel_multi_index(tuple(places.T), shape) if linear else places
    proto = helper.make_sparse_tensor(
        numpy_helper.from_array(values, "w"),
        numpy_helper.from_array(indices.astype(np.int64)),
        shape,
    )
    got = TensorReader(ExternalFolder(None)).sparse(proto)
    assert got.dtype == dense.dtype
    assert got.tolist() == dense.tolist()

    node = helper.make_node("Identity", ["w"], ["y"])
    model = read(build([node], inputs=[], sparse_initializer=[proto]))
    assert model.graph.initializers["w"].tolist() == dense.tolist()


def external(array, location, offset=None, length=None, name="w"):
    proto = numpy_helper.from_array(array, name)
    proto.ClearField("raw_data")
    proto.data_location = TensorProto.EXTERNAL
    entries = {"location": location, "offset": offset, "length": length}
    for key, value in entries.items():
        if value is not None:
            proto.external_data.add(key=key, value=str(value))
    return proto


@pytest.mark.parametrize("offset", [0, 1, 4096])
@pytest.mark.parametrize("code", NUMERIC, ids=lambda c: DTYPES[c].name)
def test_external_data(tmp_path, code, offset):
    array = sample(code, (3, 5))
    raw = numpy_helper.from_array(array).raw_data
    (tmp_path / "weights.bin").write_bytes(bytes(offset) + raw + b"more")
    proto = external(array, "weights.bin", offset, len(raw))
    got = TensorReader(ExternalFolder(tmp_path)).tensor(proto)
    assert_same(got, array)
    assert got.flags.aligned
    assert got.flags.writeable


def save_external(folder, array):
    folder.mkdir(exist_ok=True)
    (folder / "deep").mkdir(exist_ok=True)
    array.tofile(folder / "deep" / "w.bin")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    model = build([node], initializer=[external(array, "deep/w.bin")])
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx", model


def test_writing_to_external_data_leaves_the_file_alone(tmp_path):
    array = np.arange(8, dtype=np.float32)
    path, _ = save_external(tmp_path, array)
    weights = read(path).graph.initializers["w"]
    weights += 1
    assert np.array_equal(np.fromfile(tmp_path / "deep" / "w.bin", np.float32), array)
    assert np.array_equal(read(path).graph.initializers["w"], array)


def test_folder_for_models_that_come_without_one(tmp_path):
    array = np.arange(8, dtype=np.float32)
    _, model = save_external(tmp_path / "weights", array)
    for source in (model, model.SerializeToString()):
        got = read(source, folder=tmp_path / "weights").graph.initializers["w"]
        assert np.array_equal(got, array)


def test_a_link_that_stays_inside_the_folder_is_followed(tmp_path):
    array = np.arange(8, dtype=np.float32)
    path, _ = save_external(tmp_path, array)
    (tmp_path / "deep" / "w.bin").rename(tmp_path / "moved.bin")
    (tmp_path / "deep" / "w.bin").symlink_to(tmp_path / "moved.bin")
    assert np.array_equal(read(path).graph.initializers["w"], array)


def test_weights_over_two_gigabytes(tmp_path):
    array = np.arange(4, dtype=np.int64)
    offset = 3 << 30
    with open(tmp_path / "w.bin", "wb") as file:
        file.seek(offset)
        file.write(array.tobytes())
    proto = external(array, "w.bin", offset)
    assert np.array_equal(TensorReader(ExternalFolder(tmp_path)).tensor(proto), array)
    whole = TensorProto(name="w", data_type=TensorProto.INT8, data_location=TensorProto.EXTERNAL)
    whole.dims.append(offset + array.nbytes)
    whole.external_data.add(key="location", value="w.bin")
    got = TensorReader(ExternalFolder(tmp_path)).tensor(whole)
    assert got.size == offset + 32
    assert got[-8] == 3


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


def function_model():
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
    model = read(function_model())
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
    model = function_model()
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
    if proto.data_type == STRING:
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


def test_the_reader_leaves_nothing_open(tmp_path):
    path, _ = save_external(tmp_path, np.arange(8, dtype=np.float32))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    models = [read(path) for _ in range(5)]
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    # A mapping holds one descriptor of its own until the arrays are gone.
    assert after - before <= len(models)
    del models
    if os.path.isdir("/proc/self/fd"):
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_for_every_tensor(tmp_path):
    """More files than a process may have open at once."""
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    weights = []
    for i in range(300):
        (tmp_path / f"w{i}").write_bytes(np.int32([i]).tobytes())
        weights.append(external(np.int32([i]), f"w{i}", name=f"w{i}"))
    model = build([helper.make_node("Relu", ["w0"], ["y"])], inputs=[], initializer=weights)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
    try:
        got = read(model, folder=tmp_path).graph.initializers
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert [int(got[f"w{i}"][0]) for i in range(300)] == list(range(300))
