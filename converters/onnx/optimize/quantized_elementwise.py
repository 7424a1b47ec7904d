"""Dequantise, compute, quantise: arithmetic, activations, means and joining in 8 bits.

They become the QLinear operators of com.microsoft. Source: ONNX Runtime's QDQ selectors.
"""

from __future__ import annotations

from typing import Any

from ..graph import Node
from .quantized_values import Quantized, alike, dequantized, quantized, real_number
from .view import Pass, View

MICROSOFT = "com.microsoft"


def fuse_quantized_arithmetic(view: View) -> None:
    """``QuantizeLinear(Add(DequantizeLinear(a), DequantizeLinear(b)))``, and so with ``Mul``."""
    for node in view.nodes("Add", "Mul", "Sum"):
        y = quantized(view, node.outputs[0])
        if node.opset < (8 if node.op_type == "Sum" else 7) or len(node.inputs) != 2:
            continue
        a, b = (dequantized(view, name) for name in node.inputs)
        if a is None or b is None or y is None or len({a.dtype, b.dtype, y.dtype}) != 1:
            continue
        operator = "QLinearMul" if node.op_type == "Mul" else "QLinearAdd"
        inputs = (*a.names(view), *b.names(view), *y.names(view)[1:])
        _fuse(view, node, y, operator, inputs)


def _fuse(
    view: View, node: Node, y: Quantized, operator: str, inputs: tuple[str, ...],
    attributes: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    new = Node(operator, inputs, y.node.outputs, node.name, MICROSOFT, attributes=attributes or {})
    view.fuse([node, y.node], new, f"{operator}, with {y.node.name}")


def drop_scaling(view: View) -> None:
    """A product with a constant that only changes the scale: the numbers stay what they are."""
    for node in view.nodes("Mul", "Div"):
        y = quantized(view, node.outputs[0])
        if y is None or node.opset < 7:
            continue
        pairs = view.pairs(node) if node.op_type == "Mul" else [node.inputs]
        for name, other in pairs:
            x, number = dequantized(view, name), real_number(view, other)
            if x is None or not number or view.known(other).rank not in (0, 1):
                continue
            factor = number if node.op_type == "Mul" else 1 / number
            ranked = view.known(other).rank == 0 or bool(view.known(name).rank)
            if ranked and alike(view, x, y, factor) and view.forward(y.node, x.value):
                view.note(node, f"{node.op_type} changes the scale only")
                break


def fuse_quantized_function(view: View) -> None:
    """Functions and means of one dequantised value, quantised with the same dtype."""
    for node in view.nodes(*_ATTRIBUTES):
        x, y = dequantized(view, node.inputs[0]), quantized(view, node.outputs[0])
        if x is None or y is None or x.dtype != y.dtype:
            continue
        attributes = _ATTRIBUTES[node.op_type](view, node)
        if attributes is not None:
            inputs = (*x.names(view), *y.names(view)[1:])
            _fuse(view, node, y, f"QLinear{node.op_type}", inputs, attributes)


def _none(view: View, node: Node) -> dict[str, Any] | None:
    return {}


def _own(view: View, node: Node) -> dict[str, Any] | None:
    return dict(node.attributes) if node.opset >= 6 else None


def _softmax(view: View, node: Node) -> dict[str, Any] | None:
    default = -1 if node.opset >= 13 else 1
    return {"axis": node.attributes.get("axis", default), "opset": node.opset}


def _average(view: View, node: Node) -> dict[str, Any] | None:
    if any(step != 1 for step in node.attributes.get("dilations") or ()):
        return None
    return {name: value for name, value in node.attributes.items() if name != "dilations"}


def _mean(view: View, node: Node) -> dict[str, Any] | None:
    axes = node.attributes.get("axes")
    if len(node.inputs) > 1 and node.inputs[1]:
        axes = view.numbers(node.inputs[1])
        if axes is None:
            return None
    if not axes and node.attributes.get("noop_with_empty_axes"):
        return None
    return {"axes": axes or [], "keepdims": node.attributes.get("keepdims", 1)}


_ATTRIBUTES: dict[str, Any] = {
    "Sigmoid": _none, "LeakyRelu": _own, "Softmax": _softmax, "AveragePool": _average,
    "GlobalAveragePool": _none, "ReduceMean": _mean,
}  # fmt: skip


def fuse_quantized_joining(view: View) -> None:
    """``Concat`` and ``Where`` of dequantised values, quantised."""
    for node in view.nodes("Concat", "Where"):
        y = quantized(view, node.outputs[0])
        first = 1 if node.op_type == "Where" else 0
        found = [dequantized(view, name) for name in node.inputs[first:]]
        parts = [part for part in found if part is not None]
        if y is None or len(parts) != len(found) or {p.dtype for p in parts} != {y.dtype}:
            continue
        if all(alike(view, part, y) for part in parts):
            _on_numbers(view, node, y, [part.value for part in parts])
            continue
        given = [name for part in parts for name in part.names(view)]
        result = y.names(view)[1:]
        if node.op_type == "Where":
            inputs = (node.inputs[0], *given, *result)
            _fuse(view, node, y, "QLinearWhere", inputs)
        elif "axis" in node.attributes:
            inputs = (*result, *given)
            _fuse(view, node, y, "QLinearConcat", inputs, {"axis": node.attributes["axis"]})


def _on_numbers(view: View, node: Node, y: Quantized, parts: list[str]) -> None:
    """The operator itself, on the numbers."""
    inputs = (*node.inputs[: len(node.inputs) - len(parts)], *parts)
    new = Node(node.op_type, inputs, y.node.outputs, node.name, opset=node.opset,
               attributes=node.attributes)  # fmt: skip
    view.fuse([node, y.node], new, "on the quantised numbers, all of one scale")


ELEMENTWISE: tuple[Pass, ...] = (
    drop_scaling, fuse_quantized_arithmetic, fuse_quantized_function, fuse_quantized_joining,
)  # fmt: skip
