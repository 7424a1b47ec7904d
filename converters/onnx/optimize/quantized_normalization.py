"""Batch normalisation after a convolution with dequantised weights goes into their scales.

Networks that are trained for 8 bits are exported with it. Source: TensorRT's fusion of the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..graph import Node
from .quantized_values import axis_of, real_vector, usual
from .view import Array, Pass, View


def fuse_quantized_normalization(view: View) -> None:
    """``BatchNormalization(Conv(x, DequantizeLinear(w), b))``, where no factor is below zero."""
    for node in view.nodes("BatchNormalization"):
        if node.opset < 7 or node.attributes.get("training_mode") or len(node.outputs) > 1:
            continue
        conv = view.inner(node.inputs[0], "Conv")
        given = [view.constant(name) for name in node.inputs[1:5]]
        arrays = [array.astype(np.float64) for array in given if array is not None]
        if conv is None or len(arrays) != 4 or len({array.shape for array in arrays}) != 1:
            continue
        weight = view.producer(conv.inputs[1], "DequantizeLinear")
        if weight is None or node.attributes.get("spatial", 1) != 1:
            continue
        scale, shift, mean, variance = arrays
        factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        scaled = _scaled(view, weight, factor)
        bias = _bias(view, conv, factor, shift - mean * factor)
        if scaled is None or bias is None:
            continue
        view.before(conv, scaled)
        name = view.add_constant(f"{node.outputs[0]}_bias", bias, True)
        inputs = (conv.inputs[0], scaled.outputs[0], name)
        new = replace(conv, inputs=inputs, outputs=node.outputs)
        view.fuse([conv, node], new, f"{node.op_type} {node.name} went into its scales")


def _scaled(view: View, weight: Node, factor: Array) -> Node | None:
    """The node that dequantises weights with their scales times the factors."""
    numbers, scale = view.constant(weight.inputs[0]), view.constant(weight.inputs[1])
    zero_name = weight.inputs[2] if len(weight.inputs) > 2 else ""
    zero = view.constant(zero_name)
    if numbers is None or scale is None or numbers.ndim < 3 or (zero_name and zero is None):
        return None
    if zero is not None and zero.dtype != numbers.dtype:
        return None
    if weight.attributes.get("block_size") or scale.dtype != np.float32 or scale.ndim > 1:
        return None
    if factor.shape != numbers.shape[:1] or scale.size not in (1, factor.size):
        return None
    if scale.size > 1 and axis_of(weight, numbers.ndim) != 0:
        return None
    product = (scale.astype(np.float64) * factor).astype(np.float32).reshape(-1)
    if not usual(product) or (zero is not None and zero.size not in (1, factor.size)):
        return None
    inputs = [weight.inputs[0], view.add_constant(f"{weight.inputs[1]}_scaled", product)]
    if zero is not None:
        zeros = np.ascontiguousarray(np.broadcast_to(zero.reshape(-1), product.shape))
        inputs.append(view.add_constant(f"{zero_name}_each", zeros))
    name = view.context.fresh(f"{weight.name}_scaled")
    return replace(
        weight, inputs=tuple(inputs), outputs=(view.context.fresh(f"{weight.outputs[0]}_scaled"),),
        name=name, opset=max(weight.opset, 13), attributes={**weight.attributes, "axis": 0},
    )  # fmt: skip


def _bias(view: View, conv: Node, factor: Array, shift: Array) -> Array | None:
    name = conv.inputs[2] if len(conv.inputs) > 2 else ""
    own = real_vector(view, name) if name else np.zeros(factor.shape)
    if own is None or own.shape != factor.shape:
        return None
    bias: Array = (own.astype(np.float64) * factor + shift).astype(np.float32)
    return bias if np.isfinite(bias).all() else None


NORMALIZED: tuple[Pass, ...] = (fuse_quantized_normalization,)
