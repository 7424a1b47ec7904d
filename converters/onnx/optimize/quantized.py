"""Dequantise, multiply, quantise: products of quantised numbers, as ONNX Runtime makes of them.

``DequantizeLinear -> Conv -> QuantizeLinear`` is ``QLinearConv``; likewise ``QLinearMatMul``, and
``QGemm`` and ``MatMulIntegerToFloat`` of com.microsoft, which the last does not have to follow.
Source: ONNX Runtime's QDQ selectors and actions, and its quantisation of biases.
"""

from __future__ import annotations

import numpy as np

from ..graph import Node
from .quantized_dynamic import DYNAMIC
from .quantized_elementwise import ELEMENTWISE
from .quantized_moves import MOVES
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
        last, added = (conv, "") if own else _added(view, conv, 1)
        y = quantized(view, last.outputs[0])
        if y is None:
            continue
        bias: tuple[str, ...] = ()
        if own or added:
            name = product_bias(view, own or added, x, w, y)
            if name is None:
                continue
            bias = (name,)
        inputs = (*x.names(view), *w.names(view), *y.names(view)[1:], *bias)
        new = Node("QLinearConv", inputs, y.node.outputs, conv.name, opset=10,
                   attributes=conv.attributes)  # fmt: skip
        view.fuse(_distinct(conv, last, y.node), new, f"QLinearConv, with {y.node.name}")


def _distinct(*nodes: Node) -> list[Node]:
    return list(dict.fromkeys(nodes))


def _added(view: View, node: Node, axis: int) -> tuple[Node, str]:
    """The node after which a constant vector along an axis of the result is added, and the vector.

    The node itself and "" if nothing is added to it.
    """
    add = view.user(node.outputs[0], "Add")
    split = None if add is None or add.opset < 7 else view.split(add)
    rank = view.known(node.outputs[0]).rank
    if add is None or split is None or rank is None or split[0] != node.outputs[0]:
        return node, ""
    vector = _vector(split[1], rank, axis % rank)
    if vector is None or vector.dtype != np.float32:
        return node, ""
    if vector.shape == split[1].shape:
        return add, next(name for name in add.inputs if name != split[0])
    return add, view.add_constant(f"{add.outputs[0]}_added", vector, True)


def _vector(array: Array, rank: int, axis: int) -> Array | None:
    """A constant that only varies along one axis of a result of that rank, as a vector."""
    shape = (1,) * (rank - array.ndim) + array.shape
    if len(shape) != rank or shape[axis] == 1 or array.size != shape[axis]:
        return None
    return array.reshape(-1)


def fuse_quantized_product(view: View) -> None:
    """``QuantizeLinear(MatMul(DequantizeLinear(a), DequantizeLinear(b)))``."""
    for node in view.nodes("MatMul"):
        factors = _factors(view, node)
        y = quantized(view, node.outputs[0])
        if factors is None or y is None or factors[0].dtype != y.dtype:
            continue
        inputs = (*factors[0].names(view), *factors[1].names(view), *y.names(view)[1:])
        new = Node("QLinearMatMul", inputs, y.node.outputs, node.name, opset=10)
        view.fuse([node, y.node], new, f"QLinearMatMul, with {y.node.name}")


def _factors(view: View, node: Node) -> tuple[Quantized, Quantized] | None:
    """The dequantised matrices of a product; the right one may have a scale for each column."""
    a, b = dequantized(view, node.inputs[0]), dequantized(view, node.inputs[1], -1)
    if a is None or b is None:
        return None
    columns = b.scales(view).size > 1
    return None if columns and view.known(node.inputs[1]).rank != 2 else (a, b)


def fuse_product_to_float(view: View) -> None:
    """``MatMul(DequantizeLinear(a), DequantizeLinear(b))`` and a bias, whose result is a float."""
    for node in view.nodes("MatMul"):
        factors = _factors(view, node)
        if factors is None or quantized(view, node.outputs[0]) is not None:
            continue
        first, second = view.known(node.inputs[0]).rank, view.known(node.inputs[1]).rank
        if first is None or second is None or first < 2 or second < 2:
            continue
        last, bias = _added(view, node, -1)
        a, b = (each.names(view) for each in factors)
        inputs = (a[0], b[0], a[1], b[1], a[2], b[2], *([bias] if bias else []))
        new = Node("MatMulIntegerToFloat", inputs, last.outputs, node.name, MICROSOFT)
        view.fuse(_distinct(node, last), new, "the product of the quantised matrices")


def fuse_quantized_gemm(view: View) -> None:
    """``Gemm`` of dequantised matrices, quantised or not."""
    for node in view.nodes("Gemm"):
        if node.opset < 11 or node.attributes.get("beta", 1.0) != 1.0:
            continue
        turned = bool(node.attributes.get("transB"))
        a = dequantized(view, node.inputs[0])
        b = dequantized(view, node.inputs[1], 0 if turned else 1)
        if a is None or b is None:
            continue
        y = quantized(view, node.outputs[0])
        if y is not None and y.dtype != a.dtype:
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
QUANTIZED: tuple[Pass, ...] = (*MOVES, *PRODUCTS, *ELEMENTWISE, *DYNAMIC)
LAST_PRODUCTS: tuple[Pass, ...] = (fuse_product_to_float,)
