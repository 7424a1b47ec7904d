"""Products of values that are quantised as they come: ``quantize_dynamic`` of ONNX Runtime.

``MatMulInteger -> Cast -> Mul`` by the product of both scales, and a bias, is
``MatMulIntegerToFloat`` of com.microsoft; with the ``DynamicQuantizeLinear`` before it, if nothing
else needs that, ``DynamicQuantizeMatMul``. Source: ONNX Runtime's fusions of that name.
"""

from __future__ import annotations

import numpy as np

from ..graph import Node
from .view import Pass, View

MICROSOFT = "com.microsoft"


def fuse_product_of_integers(view: View) -> None:
    """``Cast(MatMulInteger(a, b)) * (a_scale * b_scale) + bias``."""
    for node in view.nodes("MatMulInteger"):
        cast = view.user(node.outputs[0], "Cast")
        if cast is None or cast.attributes.get("to") != 1:
            continue
        mul = view.user(cast.outputs[0], "Mul")
        scales = None if mul is None else _scales(view, mul, cast.outputs[0], node)
        if mul is None or scales is None or mul.opset < 7:
            continue
        a_zero, b_zero = [*node.inputs[2:], "", ""][:2]
        last, bias = mul, ""
        columns = view.known(node.inputs[1]).shape
        add = view.user(mul.outputs[0], "Add")
        split = None if add is None or add.opset < 7 else view.split(add)
        if add is not None and split is not None and columns and split[1].shape == columns[-1:]:
            last, bias = add, next(name for name in add.inputs if name != split[0])
        inputs = _without_end((*node.inputs[:2], *scales, a_zero, b_zero, bias))
        olds = list(dict.fromkeys([node, cast, mul, last]))
        new = Node("MatMulIntegerToFloat", inputs, last.outputs, node.name, MICROSOFT)
        view.fuse(olds, new, f"with {len(olds) - 1} nodes after it")


def _scales(view: View, mul: Node, product: str, node: Node) -> tuple[str, str] | None:
    """The scales of both matrices, whose product the product of integers is multiplied by."""
    other = next((name for name in mul.inputs if name != product), "")
    made = view.producer(other, "Mul")
    if made is None or made.opset < 7:
        return None
    for first, second in view.pairs(made):
        if _of_dynamic(view, first, node.inputs[0]) and (
            _of_dynamic(view, second, node.inputs[1]) or _of_columns(view, second, node.inputs[1])
        ):
            return first, second
    return None


def _of_dynamic(view: View, scale: str, value: str) -> bool:
    """Whether a value was quantised as it came, with this scale."""
    node = view.producer(value, "DynamicQuantizeLinear")
    return node is not None and node.outputs[:2] == (value, scale)


def _of_columns(view: View, scale: str, value: str) -> bool:
    """Whether a constant is a scale of a matrix: one number, or one for each column."""
    factor, columns = view.constant(scale), view.constant(value)
    if factor is None or columns is None or columns.ndim != 2 or factor.dtype != np.float32:
        return False
    return factor.size == 1 and factor.ndim < 2 or factor.shape == columns.shape[1:]


def _without_end(names: tuple[str, ...]) -> tuple[str, ...]:
    while names and not names[-1]:
        names = names[:-1]
    return names


def fuse_dynamic_product(view: View) -> None:
    """``MatMulIntegerToFloat`` of what ``DynamicQuantizeLinear`` gives it alone."""
    for node in view.nodes("com.microsoft.MatMulIntegerToFloat"):
        before = view.producer(node.inputs[0], "DynamicQuantizeLinear")
        a_zero = node.inputs[4] if len(node.inputs) > 4 else ""
        if before is None or len(before.outputs) != 3:
            continue
        if before.outputs != (node.inputs[0], node.inputs[2], a_zero):
            continue
        if any(view.count(name) != 1 for name in before.outputs):
            continue
        inputs = (before.inputs[0], node.inputs[1], node.inputs[3], *node.inputs[5:])
        new = Node("DynamicQuantizeMatMul", inputs, node.outputs, node.name, MICROSOFT)
        view.fuse([before, node], new, f"{before.name} went into it")


DYNAMIC: tuple[Pass, ...] = (fuse_product_of_integers, fuse_dynamic_product)
