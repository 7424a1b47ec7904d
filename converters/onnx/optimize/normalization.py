"""Normalisations that exporters wrote out step by step, over the last dimension.

They become ``LayerNormalization`` and ``RMSNormalization`` of ai.onnx.
"""

from __future__ import annotations

from ..graph import Node
from .shapes import axes_of
from .view import Pass, View

_FLOATS = ("float32", "float64")  # in half precision each step would be rounded by itself


def _mean(view: View, node: Node | None) -> str | None:
    """What a node takes the mean of, if along the last dimension, which it keeps."""
    if node is None or not node.attributes.get("keepdims", 1):
        return None
    axes = axes_of(node, [view.facts.value(name) if name else None for name in node.inputs])
    rank = view.known(node.inputs[0]).rank
    if axes is None or len(axes) != 1 or axes[0] not in (-1, None if rank is None else rank - 1):
        return None
    return node.inputs[0]


def _squared(view: View, name: str) -> tuple[str, Node] | None:
    """What a value is the square of, and the node that squares it."""
    node = view.inner(name, "Pow", "Mul")
    if node is None or node.opset < 7:
        return None
    if node.op_type == "Mul":
        return (node.inputs[0], node) if node.inputs[0] == node.inputs[1] else None
    power = view.constant(node.inputs[1])
    fits = view.number(node.inputs[1]) == 2 and power is not None and power.ndim < 2
    return (node.inputs[0], node) if fits else None


def _deviation(view: View, name: str) -> tuple[str, float, list[Node]] | None:
    """``sqrt(mean(v * v) + epsilon)`` as ``v``, ``epsilon`` and the nodes."""
    root = view.inner(name, "Sqrt")
    add = None if root is None else view.inner(root.inputs[0], "Add")
    split = None if add is None else view.split(add)
    if root is None or add is None or split is None or split[1].size != 1 or split[1].ndim > 1:
        return None
    mean = view.inner(split[0], "ReduceMean")
    squared = None if mean is None else _mean(view, mean)
    found = None if squared is None else _squared(view, squared)
    if mean is None or found is None or add.opset < 7:
        return None
    epsilon = float(split[1].reshape(()).item())
    return found[0], epsilon, [root, add, mean, found[1]]


def _scale(view: View, name: str, x: str) -> bool:
    """Whether a constant is a vector along the last dimension of ``x``."""
    array, known = view.constant(name), view.known(x)
    if array is None or known.shape is None or not known.shape or array.ndim != 1:
        return False
    return array.shape == known.shape[-1:] and array.dtype.name == known.dtype


def _applied(view: View, name: str, x: str, operator: str) -> tuple[str, Node] | None:
    """The vector that a value's only user multiplies it with or adds to it, and that user."""
    user = view.user(name, operator)
    if user is None or user.opset < 7:
        return None
    for value, vector in view.pairs(user):
        if value == name and _scale(view, vector, x):
            return vector, user
    return None


def fuse_layer_normalization(view: View) -> None:
    """``(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + bias``."""
    for quotient in view.nodes("Div"):
        found = _deviation(view, quotient.inputs[1])
        if found is None or quotient.opset < 7 or found[0] != quotient.inputs[0]:
            continue
        centred, epsilon, nodes = found
        sub = view.producer(centred, "Sub")
        if sub is None or centred in view.outputs or view.captured.get(centred):
            continue
        uses = view.consumers[centred]
        mean = view.inner(sub.inputs[1], "ReduceMean")
        x = sub.inputs[0]
        if mean is None or _mean(view, mean) != x or set(uses) != {quotient, nodes[-1]}:
            continue
        if view.known(x).dtype not in _FLOATS:
            continue
        scaled = _applied(view, quotient.outputs[0], x, "Mul")
        if scaled is None:
            continue
        shifted = _applied(view, scaled[1].outputs[0], x, "Add")
        last = scaled[1] if shifted is None else shifted[1]
        inputs = (x, scaled[0]) if shifted is None else (x, scaled[0], shifted[0])
        every = [mean, sub, *nodes, quotient, scaled[1], *([] if shifted is None else [last])]
        new = Node("LayerNormalization", inputs, last.outputs, quotient.name, opset=17,
                   attributes={"axis": -1, "epsilon": epsilon})  # fmt: skip
        view.fuse(every, new, f"{len(every)} nodes are LayerNormalization")


def fuse_rms_normalization(view: View) -> None:
    """``x / sqrt(mean(x^2) + epsilon) * scale``, divided or times the reciprocal."""
    for node in view.nodes("Div", "Mul"):
        if node.opset < 7:
            continue
        for x, divisor in view.pairs(node):
            if node.op_type == "Div" and divisor != node.inputs[1]:
                continue
            inverse = view.inner(divisor, "Reciprocal") if node.op_type == "Mul" else None
            if node.op_type == "Mul" and inverse is None:
                continue
            found = _deviation(view, divisor if inverse is None else inverse.inputs[0])
            if found is None or found[0] != x or view.known(x).dtype not in _FLOATS:
                continue
            scaled = _applied(view, node.outputs[0], x, "Mul")
            if scaled is None:
                continue
            every = [*found[2], *([] if inverse is None else [inverse]), node, scaled[1]]
            new = Node("RMSNormalization", (x, scaled[0]), scaled[1].outputs, node.name, opset=23,
                       attributes={"axis": -1, "epsilon": found[1]})  # fmt: skip
            view.fuse(every, new, f"{len(every)} nodes are RMSNormalization")
            break


NORMALIZATION: tuple[Pass, ...] = (fuse_layer_normalization, fuse_rms_normalization)
