"""Products of values that are quantised as they come: ``quantize_dynamic`` of ONNX Runtime.

``MatMulInteger -> Cast -> Mul`` by the product of both scales, and a bias, is
``MatMulIntegerToFloat`` of com.microsoft; with the ``DynamicQuantizeLinear`` before it, if nothing
else needs that, ``DynamicQuantizeMatMul``. Source: ONNX Runtime's fusions of that name.
"""

from __future__ import annotations

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
        scales = None if mul is None else _scales(view, mul, cast.outputs[0])
        if mul is None or scales is None or mul.opset < 7:
            continue
        a_scale, b_scale = scales
        columns = view.constant(node.inputs[1])
        factor = view.constant(b_scale)
        if columns is None or factor is None or columns.ndim != 2:
            continue
        if factor.size != 1 and factor.shape != (columns.shape[1],):
            continue
        a_zero, b_zero = [*node.inputs[2:], "", ""][:2]
        last, bias = mul, ""
        add = view.user(mul.outputs[0], "Add")
        split = None if add is None or add.opset < 7 else view.split(add)
        if add is not None and split is not None and split[1].shape == (columns.shape[1],):
            last, bias = add, next(name for name in add.inputs if name != split[0])
        inputs = _without_end((*node.inputs[:2], a_scale, b_scale, a_zero, b_zero, bias))
        olds = [node, cast, mul, *([add] if add is last and add is not None else [])]
        new = Node("MatMulIntegerToFloat", inputs, last.outputs, node.name, MICROSOFT)
        view.fuse(olds, new, f"with {len(olds) - 1} nodes after it")


def _scales(view: View, mul: Node, product: str) -> tuple[str, str] | None:
    """The scales of the left matrix and of the weights, which a product is multiplied by."""
    other = next((name for name in mul.inputs if name != product), "")
    node = view.producer(other, "Mul")
    split = None if node is None else view.split(node)
    if node is None or split is None or node.opset < 7:
        return None
    known = view.known(split[0])
    if known.dtype != "float32" or (known.shape not in ((), (1,)) and not _dynamic(view, split[0])):
        return None
    return split[0], next(name for name in node.inputs if name != split[0])


def _dynamic(view: View, name: str) -> Node | None:
    """The node that quantised a value as it came, and gives this scale."""
    node = view.producer(name, "DynamicQuantizeLinear")
    return node if node is not None and node.outputs[1] == name else None


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
