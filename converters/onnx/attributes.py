"""AttributeProto as a plain Python value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import OnnxError
from .graph import AttributeValue, Graph
from .tensors import TensorReader
from .text import at, quote, text
from .typeinfo import read_type

ReadGraph = Callable[[Any], Graph]

# AttributeProto.AttributeType -> the field that holds the value
_FIELDS = {
    1: "f",
    2: "i",
    3: "s",
    4: "t",
    5: "g",
    6: "floats",
    7: "ints",
    8: "strings",
    9: "tensors",
    10: "graphs",
    11: "sparse_tensor",
    12: "sparse_tensors",
    13: "tp",
    14: "type_protos",
}
_ZEROS: dict[str, AttributeValue] = {"f": 0.0, "i": 0, "s": ""}


def read_attribute(proto: Any, tensors: TensorReader, read_graph: ReadGraph) -> AttributeValue:
    """The value of an AttributeProto that is not a reference to a function's attribute."""
    with at(lambda: f"attribute {quote(proto.name)}"):
        field = _FIELDS[proto.type] if proto.type else _only_field(proto)
        repeated = field.endswith("s") and field != "s"
        if not repeated and not proto.HasField(field):
            return _absent(proto, field)
        value = getattr(proto, field)
        match field:
            case "f" | "i":
                return value
            case "floats" | "ints":
                return list(value)
            case "s":
                return _string(value)
            case "strings":
                return [_string(v) for v in value]
            case "t":
                return tensors.tensor(value)
            case "tensors":
                return [tensors.tensor(v) for v in value]
            case "sparse_tensor":
                return tensors.sparse(value)
            case "sparse_tensors":
                return [tensors.sparse(v) for v in value]
            case "g":
                return read_graph(value)
            case "graphs":
                return [read_graph(v) for v in value]
            case "tp":
                return read_type(value)
        return [read_type(v) for v in value]


def attribute_name(proto: Any) -> str:
    """The attribute's name, which must be there."""
    name = text(proto.name, "an attribute's name")
    if not name:
        raise OnnxError("an attribute has no name")
    return name


def _string(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return bytes(value)


def _values(proto: Any) -> list[str]:
    known = set(_FIELDS.values())
    return [field.name for field, _ in proto.ListFields() if field.name in known]


def _only_field(proto: Any) -> str:
    """Files of the first IR version do not state the type."""
    found = _values(proto)
    if len(found) != 1:
        raise OnnxError(f"it states no type and has {' and '.join(found) or 'no value'}")
    return found[0]


def _absent(proto: Any, field: str) -> AttributeValue:
    """Writers that leave out zeros are common; anything else that is absent is an error."""
    found = _values(proto)
    if field in _ZEROS and not found:
        return _ZEROS[field]
    raise OnnxError(
        f"its type asks for the field {field!r}, but it has {' and '.join(found) or 'no value'}"
    )
