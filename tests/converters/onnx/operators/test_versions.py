"""Every version of every operator of ai.onnx: a function or a body, its inputs and attributes."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

import tensorlite as tl
import tensorlite.converters.onnx.operators  # noqa: F401
from tensorlite.converters.onnx.definitions import definition
from tensorlite.converters.onnx.graph import Node
from tensorlite.converters.onnx.registry import Operator, find
from tensorlite.converters.onnx.signatures import MEANINGLESS
from tensorlite.errors import OnnxError

SCHEMAS = {
    f"{schema.name}-{schema.since_version}": schema
    for schema in onnx.defs.get_all_schemas_with_history()
    if not schema.domain and not schema.deprecated
}
OURS = {
    name: operator
    for name, schema in SCHEMAS.items()
    if (operator := find("", schema.name, schema.since_version)) is not None
}
# What a parameter's default is instead of the schema's, and why.
OTHER_DEFAULTS = {
    ("GRU-1", "direction"): "forward",  # the schema spells it foward
    ("GridSample-16", "mode"): "linear",  # which this version calls bilinear
}
# Parameters with a default where the schema has none: what the text says of an absent one.
STATED_IN_WORDS = {
    ("StringNormalizer", "locale"): "en_US",
    ("StringSplit", "delimiter"): "",
    ("SequenceEmpty", "dtype"): 1,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_there(name: str) -> None:
    schema = SCHEMAS[name]
    node = Node(schema.name, (), (), "node", opset=schema.since_version)
    assert name in OURS or definition(node) is not None


def positional(operator: Operator) -> tuple[int, float]:
    """How many inputs a function needs, and takes at most; a class takes them when called."""
    called = operator.run.__call__ if isinstance(operator.run, type) else operator.run
    parameters = list(inspect.signature(called).parameters.values())
    parameters = parameters[1:] if isinstance(operator.run, type) else parameters
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in plain)
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return needed, float("inf") if endless else len(plain)


@pytest.mark.parametrize("name", OURS)
def test_numbers_of_inputs(name: str) -> None:
    schema = SCHEMAS[name]
    needed, most = positional(OURS[name])
    # Absent inputs at the end are left out, those before it are None.
    assert needed <= max(schema.min_input, 1)
    assert schema.max_input <= most


@pytest.mark.parametrize("name", OURS)
def test_attributes(name: str) -> None:
    operator = OURS[name]
    missing = set(SCHEMAS[name].attributes) - set(operator.attributes) - set(MEANINGLESS)
    assert not missing or operator.open_ended


@pytest.mark.parametrize("name", OURS)
def test_defaults(name: str) -> None:
    operator, schema = OURS[name], SCHEMAS[name]
    for attribute, spec in schema.attributes.items():
        if attribute not in operator.attributes:
            continue
        have = operator.parameters[attribute].default
        if spec.required:
            assert have is inspect.Parameter.empty, attribute
            continue
        want = default(spec)
        if want is None:
            want = STATED_IN_WORDS.get((schema.name, attribute))
        want = OTHER_DEFAULTS.get((name, attribute), want)
        assert same(have, want), f"{attribute}: {have!r}, in the schema {want!r}"


def default(attribute: Any) -> Any:
    """The default of a schema's attribute, with text for bytes; None if it has none."""
    if not attribute.default_value.name:
        return None
    value = helper.get_attribute_value(attribute.default_value)
    if isinstance(value, list):
        return [v.decode() if isinstance(v, bytes) else v for v in value]
    return value.decode() if isinstance(value, bytes) else value


def same(have: Any, want: Any) -> bool:
    """Whether two defaults are one value; floats are those of 32 bits in the schema."""
    if isinstance(want, float):
        return bool(np.float32(have) == np.float32(want))
    return bool(list(have) == want if isinstance(have, tuple) else have == want)


def load(op_type: str, opset: int, inputs: int, outputs: int, **attributes: Any) -> None:
    node = helper.make_node(
        op_type, [f"x{i}" for i in range(inputs)], [f"y{i}" for i in range(outputs)], **attributes
    )
    inputs_ = [onnx.ValueInfoProto(name=name) for name in node.input]
    graph = helper.make_graph([node], "g", inputs_, [onnx.ValueInfoProto(name=node.output[0])])
    tl.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]))


@pytest.mark.parametrize("name", SCHEMAS)
def test_other_numbers_of_inputs_and_outputs_are_refused(name: str) -> None:
    schema = SCHEMAS[name]
    call = (schema.name, schema.since_version)
    few, many, outputs = schema.min_input, schema.max_input, schema.max_output
    if few:
        with pytest.raises(OnnxError, match=f"{few - 1} inputs, expected"):
            load(*call, few - 1, 1)
    if many < 100:
        with pytest.raises(OnnxError, match=f"{many + 1} inputs, expected"):
            load(*call, many + 1, 1)
    if outputs < 100 and schema.name != "Constant":
        with pytest.raises(OnnxError, match=f"{outputs + 1} outputs, expected at most {outputs}"):
            load(*call, few, outputs + 1)


@pytest.mark.parametrize("name", SCHEMAS)
def test_attributes_of_later_versions_are_refused(name: str) -> None:
    schema = SCHEMAS[name]
    for later in SCHEMAS.values():
        if later.name != schema.name or later.since_version < schema.since_version:
            continue
        for attribute in set(later.attributes) - set(schema.attributes):
            with pytest.raises(
                OnnxError, match=f"attribute.* '?{attribute}|{attribute}.* attribute"
            ):
                load(schema.name, schema.since_version, schema.min_input, 1, **{attribute: 1})


@pytest.mark.parametrize("name", [n for n, s in SCHEMAS.items() if s.name != "Constant"])
def test_required_attributes_are_required(name: str) -> None:
    schema = SCHEMAS[name]
    required = {n for n, a in schema.attributes.items() if a.required} - set(MEANINGLESS)
    if not required:
        return
    with pytest.raises(OnnxError, match=f"the attribute '{min(required)}'"):
        load(schema.name, schema.since_version, schema.min_input, 1)
