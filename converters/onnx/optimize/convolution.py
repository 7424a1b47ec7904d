"""What stands around a convolution goes into it: normalisation, factors, biases, paddings, and
what follows as an activation.

Source: graph_transformer fusions of ONNX Runtime (Conv with BatchNormalization, Mul, Add, Pad and
activation), whose ``com.microsoft.FusedConv`` is used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Node
from .view import Array, Pass, View

MICROSOFT = "com.microsoft"


def fuse_batch_normalization(view: View) -> None:
    """``BatchNormalization(Conv(x, w, b))`` is a convolution with other weights."""
    for node in view.nodes("BatchNormalization"):
        if node.opset < 7 or node.attributes.get("training_mode") or len(node.outputs) > 1:
            continue
        conv = view.inner(node.inputs[0], "Conv", "ConvTranspose")
        given = [view.constant(name) for name in node.inputs[1:5]]
        if conv is None or node.attributes.get("spatial", 1) != 1:
            continue
        parameters = [array.astype(np.float64) for array in given if array is not None]
        if len(parameters) != 4 or any(array.ndim != 1 for array in parameters):
            continue
        scale, shift, mean, variance = parameters
        factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        _scaled(view, conv, node, factor, shift - mean * factor)


def fuse_affine(view: View) -> None:
    """Factors and addends per channel after a convolution go into its weights and bias."""
    for node in view.nodes("Mul", "Add", "Sub", "Div"):
        if node.opset < 7:
            continue
        constants = [view.constant(name) for name in node.inputs]
        if (constants[0] is None) == (constants[1] is None):
            continue
        place = 0 if constants[0] is None else 1
        array, conv = constants[1 - place], view.inner(node.inputs[place], "Conv", "ConvTranspose")
        if conv is None or array is None or (place == 1 and node.op_type in ("Sub", "Div")):
            continue
        weight = view.constant(conv.inputs[1])
        if weight is None or array.dtype != weight.dtype:
            continue
        each = _per_channel(array, weight.ndim, _channels(conv, weight))
        if each is None:
            continue
        one, zero = np.ones_like(each), np.zeros_like(each)
        pair = {"Mul": (each, zero), "Div": (one / each, zero), "Add": (one, each),
                "Sub": (one, -each)}[node.op_type]  # fmt: skip
        _scaled(view, conv, node, *pair)


def _channels(conv: Node, weight: Array) -> int:
    if conv.op_type == "Conv":
        return int(weight.shape[0])
    return int(weight.shape[1] * conv.attributes.get("group", 1))


def _per_channel(array: Array, rank: int, channels: int) -> Array | None:
    """A constant that broadcasts along the channels only, as a float64 vector."""
    if array.size == 1 and array.ndim <= rank:
        return np.full(channels, array.reshape(()).item(), np.float64)
    shape = (1,) * (rank - array.ndim) + array.shape
    if len(shape) != rank or shape != (1, channels, *[1] * (rank - 2)):
        return None
    return array.astype(np.float64).reshape(-1)


def _scaled(view: View, conv: Node, node: Node, factor: Array, shift: Array) -> None:
    """Puts a convolution with weights times ``factor`` and a bias in the place of both nodes."""
    weight = view.constant(conv.inputs[1])
    biased = len(conv.inputs) > 2 and bool(conv.inputs[2])
    bias = view.constant(conv.inputs[2]) if biased else None
    if weight is None or (biased and bias is None) or weight.ndim < 3:
        return
    if weight.dtype not in (np.float32, np.float64):  # half precision would lose digits
        return
    channels = _channels(conv, weight)
    if factor.shape != (channels,) or not (np.isfinite(factor).all() and np.isfinite(shift).all()):
        return
    if weight.nbytes > view.context.bytes_left:
        return
    view.context.bytes_left -= weight.nbytes
    new = weight
    if not np.all(factor == 1):
        new = _times(conv, weight, factor)
    start = np.zeros(channels) if bias is None else bias.astype(np.float64)
    if start.shape != (channels,):
        return
    added = (start * factor + shift).astype(weight.dtype)
    names = [conv.inputs[0], conv.inputs[1]]
    if new is not weight:
        names[1] = view.add_constant(f"{conv.inputs[1]}_scaled", new, True)
    names.append(view.add_constant(f"{node.outputs[0]}_bias", added, True))
    fused = replace(conv, inputs=tuple(names), outputs=node.outputs)
    view.fuse([conv, node], fused, f"{node.op_type} {node.name} went into its weights")


def _times(conv: Node, weight: Array, factor: Array) -> Array:
    if conv.op_type == "Conv":
        along = factor.reshape(-1, *[1] * (weight.ndim - 1))
    else:
        groups = conv.attributes.get("group", 1)
        inner = factor.reshape(groups, 1, -1)
        repeated = np.repeat(inner, weight.shape[0] // groups, 1)
        along = repeated.reshape(*weight.shape[:2], *[1] * (weight.ndim - 2))
    if weight.dtype == np.float32:  # not through float64, which takes memory and five times as long
        along = along.astype(np.float32)
    scaled: Array = (weight * along).astype(weight.dtype, copy=False)
    return scaled


def fuse_pad(view: View) -> None:
    """``Conv(Pad(x))`` with zeros around is a convolution with larger pads."""
    for node in view.nodes("Conv"):
        pad = view.inner(node.inputs[0], "Pad")
        if pad is None or node.attributes.get("auto_pad", "NOTSET") != "NOTSET":
            continue
        pads = _zero_pads(view, pad)
        if pads is None or len(pads) < 6:
            continue
        rank = len(pads) // 2
        if any(pads[i] or pads[i + rank] for i in (0, 1)) or min(pads) < 0:
            continue
        around = pads[2:rank] + pads[rank + 2 :]
        own = node.attributes.get("pads") or [0] * len(around)
        if len(own) != len(around):
            continue
        attributes = {**node.attributes, "pads": [a + b for a, b in zip(own, around, strict=True)]}
        inputs = (pad.inputs[0], *node.inputs[1:])
        fused = replace(node, inputs=inputs, attributes=attributes)
        view.fuse([pad, node], fused, f"Pad {pad.name} became its pads")


def _zero_pads(view: View, pad: Node) -> list[int] | None:
    if pad.attributes.get("mode", "constant") != "constant" or pad.opset < 2:
        return None
    if pad.opset < 11:
        pads = pad.attributes.get("pads")
        return pads if pad.attributes.get("value", 0.0) == 0 else None
    if len(pad.inputs) > 3 and pad.inputs[3]:
        return None
    if len(pad.inputs) > 2 and pad.inputs[2] and view.number(pad.inputs[2]) != 0:
        return None
    return view.numbers(pad.inputs[1])


def fuse_activation(view: View) -> None:
    """An activation after a convolution, or after its sum with another value of its shape."""
    for node in view.nodes("Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Clip",
                           "HardSigmoid"):  # fmt: skip
        parameters = _parameters(view, node)
        if parameters is None:
            continue
        conv = view.inner(node.inputs[0], "Conv")
        attributes: dict[str, Any] = {"activation": node.op_type}
        if parameters:
            attributes["activation_params"] = parameters
        if conv is not None:
            fused = _fused(conv, conv.inputs, node, attributes)
            view.fuse([conv, node], fused, f"{node.op_type} {node.name} went into it")
            continue
        add = view.inner(node.inputs[0], "Add", "Sum")
        if add is not None and node.op_type == "Relu":
            _fuse_residual(view, add, node, attributes)


def _fuse_residual(view: View, add: Node, node: Node, attributes: dict[str, Any]) -> None:
    for name, other in view.pairs(add):
        conv = view.inner(name, "Conv")
        shapes = view.known(name), view.known(other)
        if conv is None or shapes[0].shape is None or shapes[0].shape != shapes[1].shape:
            continue
        if None in shapes[0].shape or shapes[0].dtype != shapes[1].dtype or add.opset < 8:
            continue
        bias = conv.inputs[2] if len(conv.inputs) > 2 else ""
        fused = _fused(conv, (*conv.inputs[:2], bias, other), node, attributes)
        done = f"{add.op_type} {add.name} and {node.op_type} {node.name} went into it"
        if view.fuse([conv, add, node], fused, done):
            return


def _fused(conv: Node, inputs: tuple[str, ...], last: Node, attributes: dict[str, Any]) -> Node:
    return replace(
        conv, op_type="FusedConv", domain=MICROSOFT, opset=1, inputs=inputs, outputs=last.outputs,
        attributes={**conv.attributes, **attributes},
    )  # fmt: skip


def _parameters(view: View, node: Node) -> list[float] | None:
    """What FusedConv needs to know of an activation; None if it cannot have it."""
    if node.op_type == "LeakyRelu":
        return [node.attributes.get("alpha", 0.01)]
    if node.op_type == "HardSigmoid":
        return [node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)]
    if node.op_type != "Clip":
        return []
    if node.opset < 11:
        low, high = node.attributes.get("min"), node.attributes.get("max")
    else:
        bounds = [view.number(name) for name in node.inputs[1:]]
        low, high = bounds if len(bounds) == 2 else (None, None)
    return None if low is None or high is None or low > high else [float(low), float(high)]


CONVOLUTION: tuple[Pass, ...] = (
    fuse_batch_normalization, fuse_affine, fuse_pad, fuse_activation,
)  # fmt: skip
