"""Operators that the specification itself defines by a graph of others (``Softplus``, ``Celu``...).

Where tensorlite has no function of its own for such an operator, that graph is run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from .attributes import read_attribute
from .build import domain_name, read_function
from .external import ExternalFolder
from .graph import Function, Node
from .tensors import TensorReader


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
