"""Dequantisation that exporters wrote out: ``(Cast(w) - zero) * scale`` of constant integers.

It becomes ``DequantizeLinear``, which gives the same bit for bit, and so the weights stay as small
as they are in the file.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..graph import Node
from .constants import FEW
from .quantized_weights import BITS
from .view import Array, Pass, View

_CODES = {1: "float32", 10: "float16"}


def recognise_dequantisation(view: View) -> None:
    """``Mul(Cast(w), scale)``, and ``Mul(Sub(Cast(w), zero), scale)``."""
    for node in view.nodes("Mul"):
        split = view.split(node) if node.opset >= 7 else None
        if split is None:
            continue
        name, scale = split
        zero: Array | None = None
        sub = view.producer(name, "Sub")
        if sub is not None and sub.opset >= 7:
            zero = _constant(view, sub.inputs[1])
            if zero is None:
                continue
            name = sub.inputs[0]
        cast = view.producer(name, "Cast")
        numbers = None if cast is None else view.constant(cast.inputs[0])
        if cast is None or numbers is None or numbers.size <= FEW:
            continue
        dtype = _CODES.get(cast.attributes.get("to", 0))
        if numbers.dtype.name not in BITS or dtype is None or scale.dtype.name != dtype:
            continue
        found = _parameters(numbers, scale, zero)
        if found is None:
            continue
        axis, factors, points = found
        inputs = [cast.inputs[0], view.add_constant(f"{node.outputs[0]}_scale", factors)]
        if points is not None:
            inputs.append(view.add_constant(f"{node.outputs[0]}_zero", points))
        opset = {8: 13, 4: 21, 2: 25}[BITS[numbers.dtype.name]]
        new = Node("DequantizeLinear", tuple(inputs), node.outputs, node.name, opset=opset,
                   attributes={"axis": axis})  # fmt: skip
        view.fuse([node], new, "Cast and Mul dequantise")


def use_standard_operators(view: View) -> None:
    """``QuantizeLinear`` and ``DequantizeLinear`` of com.microsoft, older than opset 21."""
    for node in view.nodes("com.microsoft.QuantizeLinear", "com.microsoft.DequantizeLinear"):
        scale, x = view.known(node.inputs[1]), view.known(node.inputs[0])
        floats = [scale.dtype] + ([x.dtype] if node.op_type == "QuantizeLinear" else [])
        if set(floats) != {"float32"} or ("axis" not in node.attributes and scale.rank != 0):
            continue
        new = replace(node, domain="", opset=21)
        view.fuse([node], new, f"{node.op_type} of ai.onnx")


def _constant(view: View, name: str) -> Array | None:
    """A constant, or what a constant is cast to."""
    cast = view.producer(name, "Cast")
    return view.constant(name if cast is None else cast.inputs[0])


def _parameters(
    numbers: Array, scale: Array, zero: Array | None
) -> tuple[int, Array, Array | None] | None:
    """The axis, scales and zero points: one for all, or one for each index along the axis."""
    given = [scale] if zero is None else [scale, zero]
    axes = [_axis(array, numbers.shape) for array in given]
    if None in axes:
        return None
    axis = max(axis for axis in axes if axis is not None)
    if any(own not in (-1, axis) for own in axes):
        return None
    shape = () if axis == -1 else (numbers.shape[axis],)
    factors = np.broadcast_to(scale.reshape(-1) if shape else scale.reshape(()), shape)
    if zero is None:
        return max(axis, 0), np.array(factors), None
    points = np.broadcast_to(zero.reshape(-1) if shape else zero.reshape(()), shape)
    whole = points.astype(numbers.dtype)
    if not np.array_equal(whole.astype(np.float64), points.astype(np.float64)):
        return None
    return max(axis, 0), np.array(factors), whole


def _axis(array: Array, shape: tuple[int, ...]) -> int | None:
    """The only axis along which what broadcasts to ``shape`` varies; -1 if there is none."""
    if array.ndim > len(shape):
        return None
    if array.size == 1:
        return -1
    sizes = (1,) * (len(shape) - array.ndim) + array.shape
    axes = [axis for axis, size in enumerate(sizes) if size != 1]
    return axes[0] if len(axes) == 1 and sizes[axes[0]] == shape[axes[0]] else None


WRITTEN: tuple[Pass, ...] = (use_standard_operators, recognise_dequantisation)
