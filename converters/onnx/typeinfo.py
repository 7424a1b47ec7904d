"""TypeProto and ValueInfoProto as :class:`TypeInfo` and :class:`ValueInfo`."""

from __future__ import annotations

from typing import Any

from ...errors import OnnxError
from .graph import Kind, Shape, TypeInfo, ValueInfo
from .tensors import dtype_name
from .text import at, quote, text

_MAX_NESTING = 16
_KINDS: dict[str, Kind] = {
    "tensor_type": "tensor",
    "sparse_tensor_type": "sparse",
    "sequence_type": "sequence",
    "optional_type": "optional",
    "map_type": "map",
    "opaque_type": "opaque",
}


def read_value_info(proto: Any) -> ValueInfo:
    """A ValueInfoProto; a name is a must, a type is not."""
    name = text(proto.name, "a value's name")
    if not name:
        raise OnnxError("a value has no name")
    with at(lambda: f"value {quote(name)}"):
        return ValueInfo(name, read_type(proto.type), text(proto.doc_string, "its description"))


def read_type(proto: Any, nesting: int = 0) -> TypeInfo:
    """A TypeProto, of the kind ``"unknown"`` when nothing is stated."""
    if nesting > _MAX_NESTING:
        raise OnnxError(f"a type is nested more than {_MAX_NESTING} deep")
    field = proto.WhichOneof("value")
    if field is None:
        return TypeInfo()
    kind, inner = _KINDS[field], getattr(proto, field)
    if kind in ("tensor", "sparse"):
        return TypeInfo(kind, _element(inner.elem_type), _shape(inner))
    if kind == "map":
        value = read_type(inner.value_type, nesting + 1)
        return TypeInfo(kind, _element(inner.key_type), element=value)
    if kind == "opaque":
        return TypeInfo(kind)
    return TypeInfo(kind, element=read_type(inner.elem_type, nesting + 1))


def _element(code: int) -> str | None:
    return dtype_name(code) if code else None


def _shape(proto: Any) -> Shape | None:
    return tuple(_dim(d) for d in proto.shape.dim) if proto.HasField("shape") else None


def _dim(proto: Any) -> int | str | None:
    if proto.HasField("dim_value"):
        value = int(proto.dim_value)
        if value < -1:
            raise OnnxError(f"its shape has the dimension {value}")
        # Not in the specification, but exporters write -1 for a dimension they do not know.
        return None if value == -1 else value
    return text(proto.dim_param, "a dimension's name") or None
