"""Activations that exporters wrote out step by step: GELU in both forms, SiLU, HardSwish, Mish.

They become ``Gelu`` (com.microsoft), ``Gelu`` of ai.onnx with the approximation by tanh,
``QuickGelu``, ``HardSwish`` and ``Mish``.
"""

from __future__ import annotations

from dataclasses import replace
from math import pi, sqrt

from ..graph import Node
from .view import Pass, View

_FLOATS = ("float32", "float64")  # in half precision each step would be rounded by itself


def _is(view: View, name: str, value: float, tolerance: float = 1e-3) -> bool:
    """Whether a value is a constant scalar near a number; it broadcasts to anything."""
    array, number = view.constant(name), view.number(name)
    if array is None or number is None or array.ndim > 1:
        return False
    return abs(number - value) <= tolerance * abs(value)


def _times(view: View, node: Node, value: float) -> str | None:
    """The other factor of a product with a constant near ``value``."""
    for name, other in view.pairs(node):
        if node.opset >= 7 and _is(view, other, value):
            return name
    return None


def _typed(view: View, name: str) -> bool:
    return view.known(name).dtype in _FLOATS


def fuse_gelu(view: View) -> None:
    """``x * (1 + erf(x / sqrt(2))) / 2``, wherever the half stands."""
    for erf in view.nodes("Erf"):
        scaled = view.inner(erf.inputs[0], "Div", "Mul")
        plus = view.user(erf.outputs[0], "Add")
        if scaled is None or plus is None or _times(view, plus, 1.0) != erf.outputs[0]:
            continue
        x = _scaled_by_root(view, scaled)
        if x is None or not _typed(view, x):
            continue
        found = _gated(view, x, plus, [scaled, erf, plus])
        if found is not None:
            nodes, last = found
            new = Node("Gelu", (x,), last.outputs, erf.name, "com.microsoft")
            view.fuse(nodes, new, f"{len(nodes)} nodes are GELU")


def _scaled_by_root(view: View, node: Node) -> str | None:
    if node.op_type == "Mul":
        return _times(view, node, sqrt(0.5))
    fits = node.opset >= 7 and _is(view, node.inputs[1], sqrt(2.0))
    return node.inputs[0] if fits else None


def _gated(view: View, x: str, plus: Node, inner: list[Node]) -> tuple[list[Node], Node] | None:
    """The nodes up to ``x * plus / 2``, in any of its three orders."""
    value = plus.outputs[0]
    mul = view.user(value, "Mul")
    if mul is None:
        return None
    if _times(view, mul, 0.5) == value:  # x * (plus / 2)
        last = view.user(mul.outputs[0], "Mul")
        return ([*inner, mul, last], last) if _joins(last, x, mul.outputs[0]) and last else None
    other = mul.inputs[0] if mul.inputs[1] == value else mul.inputs[1]
    if other == x:  # (x * plus) / 2
        last = view.user(mul.outputs[0], "Mul", "Div")
        if last is None or last.opset < 7:
            return None
        halved = (
            _times(view, last, 0.5) == mul.outputs[0]
            if last.op_type == "Mul"
            else _is(view, last.inputs[1], 2.0) and last.inputs[0] == mul.outputs[0]
        )
        return ([*inner, mul, last], last) if halved else None
    half = view.inner(other, "Mul", "Div")  # (x / 2) * plus
    if half is None or half.opset < 7:
        return None
    if half.op_type == "Mul":
        fits = _times(view, half, 0.5) == x
    else:
        fits = half.inputs[0] == x and _is(view, half.inputs[1], 2.0)
    return ([*inner, half, mul], mul) if fits else None


def _joins(node: Node | None, first: str, second: str) -> bool:
    return node is not None and node.inputs in ((first, second), (second, first))


def fuse_tanh_gelu(view: View) -> None:
    """``x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2``."""
    for tanh in view.nodes("Tanh"):
        plus = view.user(tanh.outputs[0], "Add")
        outer = view.inner(tanh.inputs[0], "Mul")
        if plus is None or outer is None or _times(view, plus, 1.0) != tanh.outputs[0]:
            continue
        inside = _times(view, outer, sqrt(2.0 / pi))
        total = None if inside is None else view.inner(inside, "Add")
        if total is None:
            continue
        for x, cubed in view.pairs(total):
            scaled = view.inner(cubed, "Mul")
            power = None if scaled is None else _times(view, scaled, 0.044715)
            cube = None if power is None else view.inner(power, "Pow")
            if scaled is None or cube is None or not _typed(view, x):
                continue
            if cube.inputs[0] != x or not _is(view, cube.inputs[1], 3.0):
                continue
            found = _gated(view, x, plus, [cube, scaled, total, outer, tanh, plus])
            if found is not None:
                nodes, last = found
                new = Node("Gelu", (x,), last.outputs, tanh.name, opset=20,
                           attributes={"approximate": "tanh"})  # fmt: skip
                view.fuse(nodes, new, f"{len(nodes)} nodes are GELU by tanh")
                break


def fuse_silu(view: View) -> None:
    """``x * sigmoid(alpha * x)``."""
    for sigmoid in view.nodes("Sigmoid"):
        mul = view.user(sigmoid.outputs[0], "Mul")
        if mul is None or mul.opset < 7:
            continue
        x, alpha, nodes = sigmoid.inputs[0], 1.0, [sigmoid, mul]
        if not _joins(mul, x, sigmoid.outputs[0]):
            scaled = view.inner(x, "Mul")
            split = None if scaled is None else view.split(scaled)
            if scaled is None or split is None or scaled.opset < 7 or split[1].ndim > 0:
                continue
            x, alpha = split[0], float(split[1].item())
            nodes = [scaled, *nodes]
        if not _joins(mul, x, sigmoid.outputs[0]) or not _typed(view, x):
            continue
        new = Node("QuickGelu", (x,), mul.outputs, sigmoid.name, "com.microsoft",
                   attributes={"alpha": alpha})  # fmt: skip
        view.fuse(nodes, new, f"x * sigmoid({alpha:g} x)")


def fuse_hard_swish(view: View) -> None:
    """``x * HardSigmoid(x)`` with the slope 1 / 6."""
    for gate in view.nodes("HardSigmoid"):
        mul = view.user(gate.outputs[0], "Mul")
        if mul is None or mul.opset < 7 or not _joins(mul, gate.inputs[0], gate.outputs[0]):
            continue
        alpha, beta = gate.attributes.get("alpha", 0.2), gate.attributes.get("beta", 0.5)
        if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5 or not _typed(view, gate.inputs[0]):
            continue
        new = replace(gate, op_type="HardSwish", opset=14, outputs=mul.outputs, attributes={})
        view.fuse([gate, mul], new, f"with {mul.name} it is HardSwish")


def fuse_clipped_hard_swish(view: View) -> None:
    """``x * clip(x + 3, 0, 6) / 6``, multiplied and divided in either order."""
    for clip in view.nodes("Clip"):
        add = view.inner(clip.inputs[0], "Add")
        x = None if add is None else _times(view, add, 3.0)
        if add is None or x is None or not _clips_to_six(view, clip) or not _typed(view, x):
            continue
        mul = view.user(clip.outputs[0], "Mul")
        last = None if mul is None else view.user(mul.outputs[0], "Div", "Mul")
        if mul is None or last is None or not _joins(mul, x, clip.outputs[0]) or mul.opset < 7:
            continue
        if last.op_type == "Div":
            fits = last.inputs[0] == mul.outputs[0] and _is(view, last.inputs[1], 6.0, 1e-6)
        else:
            fits = _times(view, last, 1 / 6) == mul.outputs[0]
        if fits:
            new = Node("HardSwish", (x,), last.outputs, clip.name, opset=14)
            view.fuse([add, clip, mul, last], new, "4 nodes are HardSwish")


def _clips_to_six(view: View, clip: Node) -> bool:
    if clip.opset < 11:
        return clip.attributes.get("min") == 0.0 and clip.attributes.get("max") == 6.0
    bounds = [view.number(name) for name in clip.inputs[1:]]
    return bounds == [0.0, 6.0]


def fuse_mish(view: View) -> None:
    """``x * tanh(softplus(x))``."""
    for tanh in view.nodes("Tanh"):
        soft = view.inner(tanh.inputs[0], "Softplus")
        mul = view.user(tanh.outputs[0], "Mul")
        if soft is None or mul is None or mul.opset < 7 or not _typed(view, soft.inputs[0]):
            continue
        if _joins(mul, soft.inputs[0], tanh.outputs[0]):
            new = Node("Mish", soft.inputs, mul.outputs, tanh.name, opset=18)
            view.fuse([soft, tanh, mul], new, "3 nodes are Mish")


def join_relu(view: View) -> None:
    """``Relu`` before another ``Relu``, or before a ``Clip`` that lets nothing below 0 through."""
    for node in view.nodes("Relu", "Clip"):
        first = view.producer(node.inputs[0], "Relu")
        if first is None or not _typed(view, first.inputs[0]):
            continue
        if node.op_type == "Clip" and not _clips_from_zero(view, node):
            continue
        view.reroute(node, 0, first.inputs[0])
        view.note(node, f"Relu {first.name} before it is not needed")


def _clips_from_zero(view: View, clip: Node) -> bool:
    low = clip.attributes.get("min") if clip.opset < 11 else None
    if clip.opset >= 11 and len(clip.inputs) > 1:
        low = view.number(clip.inputs[1])
    return low is not None and low >= 0.0


ACTIVATION: tuple[Pass, ...] = (
    fuse_gelu,
    fuse_tanh_gelu,
    fuse_silu,
    fuse_hard_swish,
    fuse_clipped_hard_swish,
    fuse_mish,
    join_relu,
)
