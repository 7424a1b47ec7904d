"""What the specification says of operators: the types of their attributes, and bodies.

Some operators it defines by a graph of others (``Softplus``, ``Celu``...). Where tensorlite has no
function of its own for such an operator, that graph is run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import OnnxError
from .attributes import read_attribute
from .build import domain_name, read_function
from .external import ExternalFolder
from .graph import Function, Graph, Node
from .tensors import TensorReader

# By the name of onnx.defs.OpSchema.AttrType; attributes of other types are not checked.
_SINGLE: dict[str, Any] = {
    "FLOAT": float,
    "INT": int,
    "STRING": (str, bytes),
    "TENSOR": np.ndarray,
    "GRAPH": Graph,
}
_LISTS: dict[str, Any] = {"FLOATS": float, "INTS": int, "STRINGS": (str, bytes)}


def check_attributes(node: Node) -> None:
    """Raises OnnxError for an attribute whose type is not the one in the specification."""
    types = _attribute_types(node.domain, node.op_type, node.opset)
    for name, value in node.attributes.items():
        wanted = types.get(name)
        if wanted in _SINGLE:
            right = isinstance(value, _SINGLE[wanted])
        elif wanted in _LISTS:
            kind = _LISTS[wanted]
            right = isinstance(value, list) and all(isinstance(item, kind) for item in value)
        else:
            continue
        if not right:
            raise OnnxError(f"{node}: expected {wanted} as attribute {name!r}, got {value!r:.60}")


@lru_cache(maxsize=1024)
def _attribute_types(domain: str, op_type: str, opset: int) -> dict[str, str]:
    """The type of each attribute by name; none for an operator that is not in the specification."""
    import onnx

    try:
        schema: Any = onnx.defs.get_schema(op_type, opset, domain)
    except onnx.defs.SchemaError:
        return {}
    return {name: attribute.type.name for name, attribute in schema.attributes.items()}


def definition(node: Node) -> Function | None:
    """The operator's body in the specification, at the node's opset, if it has one."""
    return _definition(node.domain, node.op_type, node.opset)


@lru_cache(maxsize=256)
def _definition(domain: str, op_type: str, opset: int) -> Function | None:
    import onnx

    try:
        schema: Any = onnx.defs.get_schema(op_type, opset, domain)
    except onnx.defs.SchemaError:
        return None
    if not schema.has_function:
        return None
    proto = onnx.FunctionProto()
    proto.CopyFrom(schema.function_body)
    proto.domain, proto.name = domain, op_type
    opsets = {domain_name(entry.domain): entry.version for entry in proto.opset_import}
    tensors = TensorReader(ExternalFolder(None))
    found = read_function(proto, tensors, opsets or {domain: opset}, frozenset())
    defaults = {
        name: read_attribute(attribute.default_value, tensors, _no_graph)
        for name, attribute in schema.attributes.items()
        if attribute.default_value.name
    }
    return replace(found, defaults={**defaults, **found.defaults})


def _no_graph(proto: Any) -> Any:
    raise AssertionError("no attribute of the specification has a graph as its default")
