"""Small ONNX models and tensors for the tests in this folder."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tensorlite.converters.onnx.reader import read
from tensorlite.errors import OnnxError

FLOAT = TensorProto.FLOAT


def info(name, dtype=FLOAT, shape=None):
    """A value of a tensor type."""
    return helper.make_tensor_value_info(name, dtype, shape)


def build(nodes, inputs=("x",), outputs=("y",), opset=17, **graph):
    """A model of these nodes; inputs and outputs are names or ValueInfoProtos."""
    inputs = [info(v) if isinstance(v, str) else v for v in inputs]
    outputs = [info(v) if isinstance(v, str) else v for v in outputs]
    return helper.make_model(
        helper.make_graph(nodes, "main_graph", inputs, outputs, **graph),
        opset_imports=[helper.make_opsetid("", opset)],
    )


def relu(name="r"):
    """y = Relu(x)"""
    return helper.make_node("Relu", ["x"], ["y"], name=name)


def with_weight(weight):
    """y = x + w with this TensorProto."""
    return build([helper.make_node("Add", ["x", "w"], ["y"])], initializer=[weight])


def tensor(code=FLOAT, dims=(4,), **data):
    """A TensorProto named w, as valid as what it is given."""
    return TensorProto(name="w", data_type=code, dims=dims, **data)


def sparse(values, indices, dims):
    """A float32 SparseTensorProto named w."""
    return onnx.SparseTensorProto(
        values=numpy_helper.from_array(np.asarray(values, np.float32), "w"),
        indices=numpy_helper.from_array(np.asarray(indices, np.int64), "i"),
        dims=dims,
    )


def external(location=None, proto=None, name="w", **entries):
    """A TensorProto (four float32, or like ``proto``) whose data is in another file."""
    made = TensorProto()
    made.CopyFrom(tensor() if proto is None else proto)
    made.ClearField("raw_data")
    made.name = name
    made.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        if value is not None:
            made.external_data.add(key=key, value=str(value))
    return made


def function(name, calls, inputs=("a",), outputs=("b",), **kwargs):
    """A function f.name whose body calls these, one after the other."""
    values = [inputs[0], *(f"t{i}" for i in range(len(calls) - 1)), outputs[0]]
    body = [
        helper.make_node(c, [values[i]], [values[i + 1]], domain="f" if c != "Relu" else "")
        for i, c in enumerate(calls)
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    return helper.make_function("f", name, inputs, outputs, body, opsets, **kwargs)


def function_model(*functions, call="A"):
    """A model that calls one of these functions."""
    model = build([helper.make_node(call, ["x"], ["y"], domain="f")])
    model.opset_import.append(helper.make_opsetid("f", 1))
    model.functions.extend(functions)
    return model


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


def assert_same(got, expected):
    """The same dtype, shape and bits."""
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert got.tobytes() == expected.tobytes()
