"""The dtype of a node's outputs, from the operator's schema and the dtypes of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ..graph import Node
from ..tensors import DTYPES, dtype_name
from .quantized_types import TYPED, quantized_dtype

_AS_FIRST = ("FusedConv", "FusedGemm", "FusedMatMul", "FusedMatMulActivation", "Gelu", "FastGelu",
             "QuickGelu", "BiasGelu", "SkipLayerNormalization", "MultiHeadAttention",
             "SkipSimplifiedLayerNormalization", "RotaryEmbedding")  # fmt: skip


def dtype_of(node: Node, place: int, dtypes: Sequence[str | None]) -> str | None:
    """The dtype of output number ``place``, if it follows from those of the inputs."""
    first = dtypes[0] if dtypes else None
    if node.domain == "com.microsoft" and node.op_type in TYPED and place == 0:
        return quantized_dtype(node, dtypes)
    if node.domain:
        fits = node.domain == "com.microsoft" and node.op_type in _AS_FIRST
        return first if fits and place == 0 else None
    if node.op_type in ("Cast", "EyeLike", "RandomNormal", "RandomUniform"):
        return _named(node.attributes.get("to" if node.op_type == "Cast" else "dtype"))
    if node.op_type == "DequantizeLinear":
        named = _named(node.attributes.get("output_dtype"))
        return named or (dtypes[1] if len(dtypes) > 1 else None)
    if node.op_type == "QuantizeLinear":
        named = _named(node.attributes.get("output_dtype"))
        return named or (dtypes[2] if len(dtypes) > 2 else "uint8")
    if node.op_type == "ConstantOfShape":
        value = node.attributes.get("value")
        return "float32" if value is None else str(value.dtype.name)
    if node.op_type == "Split":
        return first
    rule = _rules(node.op_type, node.opset)
    if place >= len(rule):
        return None
    found = rule[place]
    if isinstance(found, int):
        return dtypes[found] if found < len(dtypes) else None
    return found


def _named(code: object) -> str | None:
    return dtype_name(code) if isinstance(code, int) and DTYPES.get(code) is not None else None


@lru_cache(maxsize=1024)
def _rules(op_type: str, opset: int) -> tuple[int | str | None, ...]:
    """For each output the input whose dtype it has, or its only dtype, or None."""
    from onnx import defs

    try:
        schema = defs.get_schema(op_type, opset, "")
    except defs.SchemaError:
        return ()
    inputs = [formal.type_str for formal in schema.inputs]
    found: list[int | str | None] = []
    for formal in schema.outputs:
        types = list(formal.types)
        if formal.type_str in inputs and all(t.startswith("tensor(") for t in types):
            found.append(inputs.index(formal.type_str))
        elif len(types) == 1 and types[0].startswith("tensor("):
            found.append(_plain(types[0]))
        else:
            found.append(None)
    return tuple(found)


_NAMES = {"float": "float32", "double": "float64"}


def _plain(type_text: str) -> str:
    name = type_text.removeprefix("tensor(").rstrip(")")
    return _NAMES.get(name, name)
