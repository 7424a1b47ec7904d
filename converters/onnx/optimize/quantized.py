"""Dequantise, operate, quantise: operators on quantised numbers, as ONNX Runtime makes of them.

``DequantizeLinear -> Conv -> QuantizeLinear`` is ``QLinearConv``; likewise ``QLinearMatMul``,
and ``QLinearAdd`` and ``QLinearMul`` of com.microsoft. Source: ONNX Runtime's QDQ selectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Node
from .view import Pass, View

_EIGHT = ("int8", "uint8")


@dataclass(frozen=True)
class Quantized:
    """A quantised value: its numbers, scale and zero point, all by name."""

    value: str
    scale: str
    zero: str
    dtype: str

    @property
    def names(self) -> tuple[str, str, str]:
        return (self.value, self.scale, self.zero)


def _dequantized(view: View, name: str, channel: int | None = None) -> Quantized | None:
    """What a value was dequantised from: 8 bits, with one scale or one per ``channel``."""
    node = view.producer(name, "DequantizeLinear")
    return None if node is None else _parameters(view, node, node.inputs[0], channel)


def _quantized(view: View, name: str) -> tuple[Quantized, Node] | None:
    """The quantisation that is a value's only use, and its node."""
    node = view.user(name, "QuantizeLinear")
    found = None if node is None else _parameters(view, node, node.outputs[0], None)
    return None if node is None or found is None else (found, node)


def _parameters(view: View, node: Node, value: str, channel: int | None) -> Quantized | None:
    if node.attributes.get("block_size") or len(node.inputs) < 3 or not node.inputs[2]:
        return None
    scale, zero = view.constant(node.inputs[1]), view.constant(node.inputs[2])
    if scale is None or zero is None or scale.dtype != np.float32 or scale.shape != zero.shape:
        return None
    if zero.dtype.name not in _EIGHT or node.attributes.get("precision"):
        return None
    if scale.size != 1 or scale.ndim > 1:
        rank = view.known(value).rank
        axis = node.attributes.get("axis", 1)
        if channel is None or rank is None or scale.ndim != 1 or axis % rank != channel % rank:
            return None
    return Quantized(value, node.inputs[1], node.inputs[2], zero.dtype.name)


def fuse_quantized_convolution(view: View) -> None:
    """``QuantizeLinear(Conv(DequantizeLinear(x), DequantizeLinear(w)))``, with an int32 bias."""
    for conv in view.nodes("Conv"):
        x, w = _dequantized(view, conv.inputs[0]), _dequantized(view, conv.inputs[1], 0)
        found = _quantized(view, conv.outputs[0])
        if x is None or w is None or found is None or view.constant(w.value) is None:
            continue
        y, last = found
        bias: tuple[str, ...] = ()
        if len(conv.inputs) > 2 and conv.inputs[2]:
            name = _bias(view, conv.inputs[2], x, w)
            if name is None:
                continue
            bias = (name,)
        inputs = (*x.names, *w.names, y.scale, y.zero, *bias)
        new = Node("QLinearConv", inputs, last.outputs, conv.name, opset=10,
                   attributes=conv.attributes)  # fmt: skip
        view.fuse([conv, last], new, f"QLinearConv, with {last.name}")


def _bias(view: View, name: str, x: Quantized, w: Quantized) -> str | None:
    """The int32 numbers of a bias whose scale is that of the products, and whose zero is 0."""
    node = view.producer(name, "DequantizeLinear")
    numbers = None if node is None else view.constant(node.inputs[0])
    if node is None or numbers is None or numbers.dtype != np.int32 or numbers.ndim != 1:
        return None
    if node.attributes.get("block_size"):
        return None
    if len(node.inputs) > 2 and node.inputs[2]:
        zero = view.constant(node.inputs[2])
        if zero is None or zero.any():
            return None
    scales = [view.constant(n) for n in (node.inputs[1], x.scale, w.scale)]
    own, first, second = (np.zeros(1) if s is None else s.reshape(-1) for s in scales)
    if own.size not in (1, numbers.size) or second.size not in (1, numbers.size):
        return None
    return node.inputs[0] if np.allclose(own, first * second, rtol=1e-5, atol=0) else None


def fuse_quantized_product(view: View) -> None:
    """``QuantizeLinear(MatMul(DequantizeLinear(a), DequantizeLinear(b)))``."""
    for node in view.nodes("MatMul"):
        b = _dequantized(view, node.inputs[1], -1)
        columns = None if b is None else view.constant(b.scale)
        if columns is not None and columns.size > 1 and view.known(node.inputs[1]).rank != 2:
            continue
        _fuse_pair(view, node, "QLinearMatMul", "", 10, -1)


def fuse_quantized_arithmetic(view: View) -> None:
    """``QuantizeLinear(Add(DequantizeLinear(a), DequantizeLinear(b)))``, and so with ``Mul``."""
    for node in view.nodes("Add", "Mul"):
        if node.opset >= 7:
            _fuse_pair(view, node, f"QLinear{node.op_type}", "com.microsoft", 1, None)


def _fuse_pair(
    view: View, node: Node, operator: str, domain: str, opset: int, channel: int | None
) -> None:
    a, b = _dequantized(view, node.inputs[0]), _dequantized(view, node.inputs[1], channel)
    found = _quantized(view, node.outputs[0])
    if a is None or b is None or found is None:
        return
    y, last = found
    if len({a.dtype, b.dtype, y.dtype}) != 1 and (domain or a.dtype != y.dtype):
        return
    inputs = (*a.names, *b.names, y.scale, y.zero)
    new = Node(operator, inputs, last.outputs, node.name, domain, opset=opset)
    view.fuse([node, last], new, f"{operator}, with {last.name}")


QUANTIZED: tuple[Pass, ...] = (
    fuse_quantized_convolution, fuse_quantized_product, fuse_quantized_arithmetic,
)  # fmt: skip
