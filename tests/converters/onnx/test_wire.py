"""Taking the weights out of a file's bytes changes nothing about the model that is read."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tensorlite.converters.onnx import wire
from tensorlite.converters.onnx.reader import read
from tensorlite.errors import FileFormatError


def model_with(*weights):
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node("Relu", [weights[0].name], ["y"])
    graph = helper.make_graph([node], "main_graph", [], [y], list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def weights():
    """Large and small, raw and typed, in an order that makes indices count."""
    rng = np.random.default_rng(0)
    large = rng.normal(size=(50, 50)).astype(np.float32)
    return [
        numpy_helper.from_array(np.float32([1, 2]), "small"),
        numpy_helper.from_array(large, "first"),
        helper.make_tensor("typed", TensorProto.FLOAT, [2500], large.ravel()),
        helper.make_tensor("text", TensorProto.STRING, [600], [b"some words"] * 600),
        numpy_helper.from_array(large.astype(np.float16).reshape(25, 100), "second"),
        numpy_helper.from_array(rng.integers(-8, 8, 9001).astype(np.int8), "odd"),
    ]


def test_large_weights_are_taken_out_and_come_back():
    model = model_with(*weights())
    data = model.SerializeToString()
    message, taken = wire.split(memoryview(data))
    assert sorted(taken) == [1, 4, 5]
    assert len(message) + sum(map(len, taken.values())) <= len(data)

    rest = onnx.ModelProto.FromString(message)
    for index, raw in taken.items():
        assert not rest.graph.initializer[index].HasField("raw_data")
        rest.graph.initializer[index].raw_data = bytes(raw)
    assert rest == model

    got = read(data).graph.initializers
    for proto in model.graph.initializer:
        expected = numpy_helper.to_array(proto)
        assert got[proto.name].dtype.itemsize == expected.dtype.itemsize or proto.name == "text"
        assert np.array_equal(got[proto.name], expected)


def test_the_file_is_not_needed_any_more(tmp_path):
    path = tmp_path / "model.onnx"
    array = np.arange(100_000, dtype=np.float32)
    path.write_bytes(model_with(numpy_helper.from_array(array, "w")).SerializeToString())
    weight = read(path).graph.initializers["w"]
    path.write_bytes(b"")
    assert np.array_equal(weight, array)
    assert weight.flags.writeable and weight.flags.aligned


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + data,
        lambda data: data + b"\x0b\x0c",
        lambda data: data + b"\x0b",
        lambda data: data[:-1],
        lambda data: data + b"\x80" * 11,
        lambda data: data + b"\x3a",
    ],
    ids=["two graphs", "a group", "an open group", "cut short", "long number", "no length"],
)
def test_what_is_unusual_is_left_to_the_library(change):
    data = change(model_with(*weights()).SerializeToString())
    message, taken = wire.split(memoryview(data))
    assert taken == {}
    assert bytes(message) == data


def test_raw_data_that_is_there_twice_is_left_to_the_library():
    # Protobuf messages that follow each other are merged; of a field given twice the last counts.
    first = numpy_helper.from_array(np.zeros(2000, np.float32), "w").SerializeToString()
    last = TensorProto(raw_data=np.ones(2000, np.float32).tobytes()).SerializeToString()
    twice = first + last
    data = model_with(TensorProto(name="w")).SerializeToString()
    tensor = TensorProto(name="w").SerializeToString()
    graph_with = onnx.ModelProto.FromString(data).graph.SerializeToString()
    graph = graph_with.replace(
        b"".join(wire._message(5, [tensor])), b"".join(wire._message(5, [twice]))
    )
    model = data.replace(
        b"".join(wire._message(7, [graph_with])), b"".join(wire._message(7, [graph]))
    )
    assert wire.split(memoryview(model))[1] == {}
    assert read(model).graph.initializers["w"].sum() == 2000


def test_a_file_of_endless_fields_is_left_to_the_library():
    data = b"\x08\x07" * (wire._MOST_FIELDS + 1)
    assert wire.split(memoryview(data)) == (data, {})


def outcome(source):
    """What reading gives, in a form that can be compared."""
    try:
        model = read(source)
    except FileFormatError:
        return "refused"
    weights = model.graph.initializers.items()
    return [(k, v.dtype.name, v.shape, v.tolist()) for k, v in weights]


def parsed(data):
    try:
        return onnx.ModelProto.FromString(data)
    except DecodeError:
        return data


SEED = model_with(
    numpy_helper.from_array(np.arange(4, dtype=np.int16), "a"),
    numpy_helper.from_array(np.arange(6, dtype=np.int64).reshape(2, 3), "b"),
    helper.make_tensor("c", TensorProto.INT32, [2], [1, 2]),
).SerializeToString()


@settings(
    max_examples=1000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_mutants_are_read_the_same_with_and_without(monkeypatch, data):
    monkeypatch.setattr(wire, "_LARGE", 0)
    mutant = bytearray(SEED)
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(mutant)))
        length = data.draw(st.integers(0, 3))
        mutant[start : start + length] = data.draw(st.binary(max_size=4))
    assert outcome(bytes(mutant)) == outcome(parsed(bytes(mutant)))
