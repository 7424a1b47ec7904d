"""Nodes against the specification: how many inputs and outputs, which attributes, which dtypes.

Source: the schemas of ai.onnx in ``onnx.defs``, at the node's opset. Operators that have none
there, and opsets newer than the installed package, are not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import OnnxError, nearest
from ...tensor import Tensor
from .graph import Graph, Node
from .tensors import DTYPES, dtype_name
from .values import describe

MEANINGLESS = ("consumed_inputs",)
"""Attributes of opset 1 that said where memory may be used again."""

_MANY = 2**31 - 1
_DTYPE_NAMED_BY = ("to", "dtype", "output_datatype", "output_dtype")
# Inputs that count or say where, to which the first schemas give the dtype of the data.
_WHOLE_NUMBERS = (("Tile", 1, "tiles"), ("Tile", 1, "axis"), ("Split", 1, "split"))
# Of what each type of attribute is made; other types are not checked.
_SINGLE: dict[str, Any] = {
    "FLOAT": float, "INT": int, "STRING": (str, bytes), "TENSOR": np.ndarray, "GRAPH": Graph,
}  # fmt: skip
_LISTS: dict[str, Any] = {"FLOATS": float, "INTS": int, "STRINGS": (str, bytes)}


@dataclass(frozen=True)
class Formal:
    """An input as the specification has it; ``dtypes`` are those of its tensors."""

    name: str
    required: bool
    variable: str  # inputs of the same type variable have one type
    kinds: frozenset[str]
    dtypes: tuple[str, ...]


@dataclass(frozen=True)
class Signature:
    """An operator at one opset."""

    inputs: tuple[Formal, ...]
    variadic: bool
    counts: tuple[int, int]
    most_outputs: int
    attributes: dict[str, str]  # the type of each by name, as onnx.defs.OpSchema.AttrType has it
    required: frozenset[str]
    results: tuple[str, ...]  # the dtypes that the first output may have

    def formal(self, place: int) -> Formal:
        return self.inputs[min(place, len(self.inputs) - 1)]


def signature(node: Node) -> Signature | None:
    """The signature of a node's operator at its opset, if the specification has one."""
    return None if node.domain else _signature(node.op_type, node.opset)


@lru_cache(maxsize=1024)
def _signature(op_type: str, opset: int) -> Signature | None:
    from onnx import defs

    try:
        schema: Any = defs.get_schema(op_type, opset, "")
    except defs.SchemaError:
        return None
    if schema.deprecated or opset > defs.onnx_opset_version():
        return None
    options = defs.OpSchema.FormalParameterOption
    formals = [_formal(formal, options) for formal in schema.inputs]
    return Signature(
        inputs=tuple(_whole(f, op_type, schema.since_version) for f in formals),
        variadic=schema.max_input == _MANY,
        counts=(schema.min_input, schema.max_input),
        most_outputs=schema.max_output,
        attributes={n: a.type.name for n, a in schema.attributes.items()},
        required=frozenset(n for n, a in schema.attributes.items() if a.required),
        results=_dtypes(schema.outputs[0].types),
    )


def _whole(formal: Formal, op_type: str, version: int) -> Formal:
    if (op_type, version, formal.name) not in _WHOLE_NUMBERS:
        return formal
    return replace(formal, variable="", dtypes=("int32", "int64", *formal.dtypes))


def _formal(formal: Any, options: Any) -> Formal:
    types = [name.removeprefix("optional(") for name in formal.types]
    optional = any(name.startswith("optional(") for name in formal.types)
    return Formal(
        name=formal.name,
        required=formal.option != options.Optional and not optional,
        variable=formal.type_str if formal.is_homogeneous else "",
        kinds=frozenset(name.partition("(")[0] for name in types),
        dtypes=_dtypes(types),
    )


def _dtypes(types: Iterable[str]) -> tuple[str, ...]:
    """The dtypes in ``tensor(float)``, ``seq(tensor(float8e4m3fn))``..., in their codes' order."""
    from onnx import TensorProto

    names = {name.rpartition("tensor(")[2].rstrip(")") for name in types if "tensor(" in name}
    codes = {TensorProto.DataType.Value(name.upper()) for name in names}
    return tuple(dtype_name(code) for code in sorted(codes))


def check_node(node: Node) -> None:
    """Raises OnnxError unless the numbers of inputs and outputs and the attributes are right."""
    spec = signature(node)
    if spec is None:
        return
    _check_inputs(node, spec)
    if len(node.outputs) > spec.most_outputs:
        raise OnnxError(
            f"{node}: {len(node.outputs)} outputs, expected at most {spec.most_outputs}"
        )
    check_attributes(node)
    missing = sorted(spec.required - node.attributes.keys() - set(MEANINGLESS))
    if missing:
        raise OnnxError(f"{node}: expected the attribute {missing[0]!r}, which is not there")
    _check_result(node, spec)


def _check_result(node: Node, spec: Signature) -> None:
    """The dtype that an attribute names is one that the output may have."""
    for name in _DTYPE_NAMED_BY:
        code = node.attributes.get(name)
        if not isinstance(code, int) or not code and name == "output_dtype":
            continue
        known = DTYPES.get(code) is not None
        if not known or dtype_name(code) not in spec.results:
            have = dtype_name(code) if known else "unknown"
            raise OnnxError(
                f"{node}: expected {name} to be one of {', '.join(spec.results)}, got {code} "
                f"({have})"
            )


def check_attributes(node: Node) -> None:
    """Raises OnnxError for an attribute that the operator has not, or of another type."""
    spec = signature(node)
    if spec is None:
        return
    for name, value in node.attributes.items():
        wanted = spec.attributes.get(name)
        if wanted is None:
            known = sorted(spec.attributes)
            raise OnnxError(
                f"{node}: unknown attribute {name!r}; it takes {', '.join(known) or 'none'}."
                f"{nearest(name, known)}"
            )
        if not _is_a(value, wanted):
            raise OnnxError(f"{node}: expected {wanted} as attribute {name!r}, got {value!r:.60}")


def _is_a(value: Any, wanted: str) -> bool:
    if wanted in _LISTS:
        return isinstance(value, list) and all(isinstance(item, _LISTS[wanted]) for item in value)
    return wanted not in _SINGLE or isinstance(value, _SINGLE[wanted])


def _check_inputs(node: Node, spec: Signature) -> None:
    least, most = spec.counts
    if not least <= len(node.inputs) <= most:
        span = f"{least}" if least == most else f"{least} to {most}"
        span = f"at least {least}" if spec.variadic else span
        raise OnnxError(f"{node}: {len(node.inputs)} inputs, expected {span}")
    for place, name in enumerate(node.inputs):
        formal = spec.formal(place)
        if not name and formal.required and place < max(least, 1):
            raise OnnxError(f"{node}: expected a tensor as {formal.name}, got nothing")


def checked(node: Node, run: Callable[..., Any]) -> Callable[..., Any]:
    """``run``, which the first time looks at the types of its inputs."""
    spec = signature(node)
    if spec is None or not spec.inputs:
        return run
    pending = [spec]

    def looking(values: Any, *inputs: Any) -> Any:
        if pending:
            check_types(spec, inputs)
            pending.clear()
        return run(values, *inputs)

    return looking


def check_types(spec: Signature, inputs: Sequence[Any]) -> None:
    """Raises OnnxError unless the inputs are of the kinds and dtypes that are allowed."""
    bound: dict[str, tuple[str, Tensor]] = {}  # type variable -> the first input of that type
    for place, value in enumerate(inputs):
        formal = spec.formal(place)
        name = formal.name
        if value is None:
            if formal.required and place < spec.counts[0]:
                raise OnnxError(f"expected a tensor as {name}, got nothing")
        elif isinstance(value, Tensor):
            _check_tensor(formal, name, value)
            if formal.variable:
                other, first = bound.setdefault(formal.variable, (name, value))
                if first.dtype is not value.dtype:
                    raise OnnxError(
                        f"expected {name} of dtype {first.dtype.name}, as {other} has, got "
                        f"{describe(value)}"
                    )
        elif isinstance(value, list | dict):
            kind = "seq" if isinstance(value, list) else "map"
            if kind not in formal.kinds:
                raise OnnxError(f"expected a tensor as {name}, got {describe(value)}")


def _check_tensor(formal: Formal, name: str, value: Tensor) -> None:
    if "tensor" not in formal.kinds:
        kinds = " or ".join(sorted(formal.kinds)).replace("seq", "sequence")
        raise OnnxError(f"expected a {kinds} as {name}, got {describe(value)}")
    if value.dtype.name not in formal.dtypes:
        names = ", ".join(formal.dtypes)
        raise OnnxError(f"expected {name} of dtype {names}, got {describe(value)}")
