"""Products of dequantised values whose results stay floats: whole numbers multiplied, then scaled.

``MatMul`` becomes ``MatMulIntegerToFloat`` of com.microsoft, ``Gemm`` its ``QGemm``, ``Conv`` the
nodes ``ConvInteger``, ``Cast``, ``Mul`` and, with a bias, ``Add``.
"""

from __future__ import annotations

import numpy as np

from ..graph import Node
from .quantized_products import added, factors_of, fuse_gemm
from .quantized_values import dequantized, quantized, real_vector
from .view import Array, Pass, View

MICROSOFT = "com.microsoft"
_FLOAT32 = 1
_JOINING = ("Add", "Sum", "Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Clip",
            "HardSigmoid")  # fmt: skip


def fuse_product_to_float(view: View) -> None:
    """``MatMul(DequantizeLinear(a), DequantizeLinear(b))`` and a bias, whose result is a float."""
    for node in view.nodes("MatMul"):
        factors = factors_of(view, node)
        if factors is None or quantized(view, node.outputs[0]) is not None:
            continue
        first, second = view.known(node.inputs[0]).rank, view.known(node.inputs[1]).rank
        if first is None or second is None or first < 2 or second < 2:
            continue
        last, bias = added(view, node, -1)
        a, b = (each.names(view) for each in factors)
        inputs = (a[0], b[0], a[1], b[1], a[2], b[2], *([bias] if bias else []))
        new = Node("MatMulIntegerToFloat", inputs, last.outputs, node.name, MICROSOFT)
        view.fuse(list(dict.fromkeys([node, last])), new, "the product of the quantised matrices")


def fuse_gemm_to_float(view: View) -> None:
    """``Gemm(DequantizeLinear(a), DequantizeLinear(b))``, whose result is a float."""
    fuse_gemm(view, False)


def fuse_activated_convolution(view: View) -> None:
    """:func:`fuse_convolution_to_float` where what follows would make it a float convolution."""
    found = (conv for conv in view.nodes("Conv") if _joined(view, conv))
    _fuse_convolutions(view, list(found))


def _joined(view: View, conv: Node) -> bool:
    last, _ = added(view, conv, 1)
    return any(view.user(node.outputs[0], *_JOINING) is not None for node in (conv, last))


def fuse_convolution_to_float(view: View) -> None:
    """``Conv(DequantizeLinear(x), DequantizeLinear(w))`` and a bias, whose result is a float."""
    _fuse_convolutions(view, list(view.nodes("Conv")))


def _fuse_convolutions(view: View, convolutions: list[Node]) -> None:
    for conv in convolutions:
        x, w = dequantized(view, conv.inputs[0]), dequantized(view, conv.inputs[1], 0)
        if x is None or w is None or quantized(view, conv.outputs[0]) is not None:
            continue
        numbers = view.constant(w.value)
        if numbers is None:
            continue
        own = conv.inputs[2] if len(conv.inputs) > 2 else ""
        last, name = (conv, own) if own else added(view, conv, 1)
        bias = real_vector(view, name)
        if name and bias is None:
            continue
        shape = (1, -1, *[1] * (numbers.ndim - 2))
        factors = (x.scales(view) * w.scales(view)).astype(np.float32).reshape(shape)
        terms = [("Mul", factors)]
        if bias is not None:
            terms.append(("Add", bias.reshape(shape)))
        _scaled(view, conv, last, (x.names(view), w.names(view)), terms)


def _scaled(
    view: View, conv: Node, last: Node, given: tuple[tuple[str, ...], tuple[str, ...]],
    terms: list[tuple[str, Array]],
) -> None:  # fmt: skip
    """The convolution of whole numbers, cast, and what its result is multiplied by and added to."""
    if not view.context.available("ConvInteger", "", 10):
        return
    x, w = given
    fresh = view.context.fresh

    def node(kind: str, inputs: tuple[str, ...], opset: int, **attributes: int) -> Node:
        name = fresh(f"{conv.name}_{kind}")
        return Node(kind, inputs, (f"{name}_value",), name, opset=opset, attributes=attributes)

    product = Node("ConvInteger", (x[0], w[0], x[2], w[2]), (fresh(f"{conv.outputs[0]}_whole"),),
                   conv.name, opset=10, attributes=conv.attributes)  # fmt: skip
    cast = node("Cast", product.outputs, 13, to=_FLOAT32)
    made = [product, cast]
    for kind, array in terms:
        constant = view.add_constant(f"{conv.outputs[0]}_{kind}", array, True)
        made.append(node(kind, (made[-1].outputs[0], constant), 13))
    for each in made[:-1]:
        view.before(last, each)
    final = made[-1]
    new = Node(final.op_type, final.inputs, last.outputs, final.name, opset=13)
    view.fuse(list(dict.fromkeys([conv, last])), new, "the convolution of the quantised numbers")


ACTIVATED: tuple[Pass, ...] = (fuse_activated_convolution,)
TO_FLOAT: tuple[Pass, ...] = (
    fuse_product_to_float, fuse_gemm_to_float, fuse_convolution_to_float,
)  # fmt: skip
