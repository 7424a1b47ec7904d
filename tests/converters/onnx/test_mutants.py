"""Mutated ONNX models: the reader gives a model or one of its own errors, nothing else."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_models import build, external, function, info, relu, sparse, tensor

from tensorlite.converters.onnx.reader import read
from tensorlite.errors import FileFormatError


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    (inside / "w.bin").write_bytes(bytes(16))
    return inside


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
