"""Dequantise, multiply, quantise: products of quantised numbers, as ONNX Runtime makes of them.

``DequantizeLinear -> Conv -> QuantizeLinear`` is ``QLinearConv``; likewise ``QLinearMatMul``, and
``QGemm`` of com.microsoft, whose result may stay a float.
Source: ONNX Runtime's QDQ selectors and actions, and its quantisation of biases.
"""

from __future__ import annotations

import numpy as np

from ..graph import Node
from .quantized_values import Quantized, dequantized, product_bias, quantized
from .view import Array, Pass, View

MICROSOFT = "com.microsoft"


def fuse_quantized_convolution(view: View) -> None:
    """``QuantizeLinear(Conv(DequantizeLinear(x), DequantizeLinear(w)))``, with a bias."""
    for conv in view.nodes("Conv"):
        x, w = dequantized(view, conv.inputs[0]), dequantized(view, conv.inputs[1], 0)
        if x is None or w is None or view.constant(w.value) is None:
            continue
        own = conv.inputs[2] if len(conv.inputs) > 2 else ""
        last, vector = (conv, own) if own else added(view, conv, 1)
        y = quantized(view, last.outputs[0])
        if y is None:
            continue
        bias: tuple[str, ...] = ()
        if vector:
            name = product_bias(view, vector, x, w, y)
            if name is None:
                continue
            bias = (name,)
        inputs = (*x.names(view), *w.names(view), *y.names(view)[1:], *bias)
        new = Node("QLinearConv", inputs, y.node.outputs, conv.name, opset=10,
                   attributes=conv.attributes)  # fmt: skip
        view.fuse(_distinct(conv, last, y.node), new, f"QLinearConv, with {y.node.name}")


def _distinct(*nodes: Node) -> list[Node]:
    return list(dict.fromkeys(nodes))


def added(view: View, node: Node, axis: int) -> tuple[Node, str]:
    """The node after which a constant vector along an axis of the result is added, and the vector.

    The node itself and "" if nothing is added to it.
    """
    add = view.user(node.outputs[0], "Add")
    split = None if add is None or add.opset < 7 else view.split(add)
    shape = view.known(node.outputs[0]).shape
    if add is None or split is None or not shape or split[0] != node.outputs[0]:
        return node, ""
    vector = _vector(split[1], len(shape), axis % len(shape))
    if vector is None or vector.dtype != np.float32 or shape[axis] != vector.size:
        return node, ""
    if vector.shape == split[1].shape:
        return add, next(name for name in add.inputs if name != split[0])
    return add, view.add_constant(f"{add.outputs[0]}_added", vector, True)


def _vector(array: Array, rank: int, axis: int) -> Array | None:
    """A constant that only varies along one axis of a result of that rank, as a vector."""
    shape = (1,) * (rank - array.ndim) + array.shape
    if len(shape) != rank or array.size != shape[axis]:
        return None
    return array.reshape(-1)


def fuse_quantized_product(view: View) -> None:
    """``QuantizeLinear(MatMul(DequantizeLinear(a), DequantizeLinear(b)))``."""
    for node in view.nodes("MatMul"):
        factors = factors_of(view, node)
        y = quantized(view, node.outputs[0])
        if factors is None or y is None or factors[0].dtype != y.dtype:
            continue
        inputs = (*factors[0].names(view), *factors[1].names(view), *y.names(view)[1:])
        new = Node("QLinearMatMul", inputs, y.node.outputs, node.name, opset=10)
        view.fuse([node, y.node], new, f"QLinearMatMul, with {y.node.name}")


def factors_of(view: View, node: Node) -> tuple[Quantized, Quantized] | None:
    """The dequantised matrices of a product; the right one may have a scale for each column."""
    a, b = dequantized(view, node.inputs[0]), dequantized(view, node.inputs[1], -1)
    if a is None or b is None:
        return None
    columns = b.scales(view).size > 1
    return None if columns and view.known(node.inputs[1]).rank != 2 else (a, b)


def fuse_quantized_gemm(view: View) -> None:
    """``QuantizeLinear(Gemm(DequantizeLinear(a), DequantizeLinear(b)))``, with a bias."""
    fuse_gemm(view, True)


def fuse_gemm(view: View, to_whole: bool) -> None:
    """``Gemm`` of dequantised matrices whose result is quantised, or is not."""
    for node in view.nodes("Gemm"):
        if node.opset < 11 or node.attributes.get("beta", 1.0) != 1.0:
            continue
        turned = bool(node.attributes.get("transB"))
        a = dequantized(view, node.inputs[0])
        b = dequantized(view, node.inputs[1], 0 if turned else 1)
        if a is None or b is None:
            continue
        y = quantized(view, node.outputs[0])
        if (y is not None) != to_whole or (y is not None and y.dtype != a.dtype):
            continue
        alpha = float(node.attributes.get("alpha", 1.0))
        bias = ""
        if len(node.inputs) > 2 and node.inputs[2]:
            found = product_bias(view, node.inputs[2], a, b, y, alpha)
            if found is None:
                continue
            bias = found
        result = () if y is None else y.names(view)[1:]
        inputs = (*a.names(view), *b.names(view), bias, *result)
        attributes = {k: v for k, v in node.attributes.items() if k != "beta"}
        last = node if y is None else y.node
        new = Node("QGemm", inputs, last.outputs, node.name, MICROSOFT, attributes=attributes)
        view.fuse(_distinct(node, last), new, "QGemm")


PRODUCTS: tuple[Pass, ...] = (
    fuse_quantized_convolution, fuse_quantized_product, fuse_quantized_gemm,
)  # fmt: skip
