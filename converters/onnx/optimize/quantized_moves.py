"""Quantised values are moved as they are: dequantising waits, quantising comes early.

What only moves numbers, or picks the greatest, gives the same whether it is done before or after
dequantising. So ``DequantizeLinear`` goes behind it, ``QuantizeLinear`` before it, where both then
meet what they form an integer operator with, or each other. All of it is exact.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Node
from .quantized_values import EIGHT, SIXTEEN, Quantized, alike, axis_of, parameters, rounded, usual
from .view import Pass, View

_ALWAYS = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")
_FEWER = ("Slice", "Gather", "GatherND", "GatherElements", "Expand", "Tile", "DepthToSpace",
          "SpaceToDepth", "Split", "MaxPool", "Pad", "Resize")  # fmt: skip
_SINCE = {"Flatten": 9, "Expand": 8, "MaxPool": 12, "Pad": 11, "Resize": 10}  # of all dtypes
_PRODUCTS = ("Conv", "MatMul", "Gemm")
_MAKERS = (*_PRODUCTS, "Add", "Mul", "Sum", "DequantizeLinear", "Relu", "Clip")


def drop_requantization(view: View) -> None:
    """Quantising what was dequantised with the same scale and zero point does nothing."""
    for node in view.nodes("QuantizeLinear"):
        before = view.producer(node.inputs[0], "DequantizeLinear")
        if before is None:
            continue
        x, y = _whole(view, before, before.inputs[0]), _whole(view, node, node.outputs[0])
        if x is None or y is None or not alike(view, x, y):
            continue
        if view.forward(node, x.value):
            view.note(node, f"quantises what {before.name} dequantised")


def _whole(view: View, node: Node, value: str) -> Quantized | None:
    """The parameters of numbers of 8 or 16 bits with one scale: float32 tells all of them apart."""
    return parameters(view, node, value, None, SIXTEEN)


def hoist_quantization(view: View) -> None:
    """``QuantizeLinear`` before what moves numbers or clamps them, instead of after it."""
    for node in view.nodes("QuantizeLinear"):
        at: Node | None = node
        while at is not None:
            at = _before_clamp(view, at) or _before_move(view, at)


def _before_clamp(view: View, node: Node) -> Node | None:
    """The quantisation that comes before ``Relu`` and ``Clip``, whose limits are then its own, or
    are clamps of whole numbers.
    """
    clamp = view.inner(node.inputs[0], "Relu", "Clip")
    y = _whole(view, node, node.outputs[0])
    bounds = None if clamp is None else _bounds(view, clamp)
    if clamp is None or y is None or bounds is None:
        return None
    low, high = (rounded(view, bound, y) for bound in bounds)
    limits = np.iinfo(np.dtype(y.dtype))
    if (low, high) == (limits.min, limits.max):
        new = replace(node, inputs=(clamp.inputs[0], *node.inputs[1:]))
        view.fuse([clamp, node], new, f"its limits are those of {clamp.op_type} {clamp.name}")
        return new
    if view.inner(clamp.inputs[0], *_MAKERS) is None:
        return None
    return _clamp_numbers(view, clamp, node, y, (low, high))


def _bounds(view: View, clamp: Node) -> tuple[float, float] | None:
    low: float | None
    high: float | None
    if clamp.op_type == "Relu":
        low, high = 0.0, np.inf
    elif clamp.opset < 11:
        if clamp.opset < 6:
            return None
        low, high = clamp.attributes.get("min", -np.inf), clamp.attributes.get("max", np.inf)
    else:
        given = [*clamp.inputs[1:], "", ""][:2]
        low = view.number(given[0]) if given[0] else -np.inf
        high = view.number(given[1]) if given[1] else np.inf
    return None if low is None or high is None or not low <= high else (float(low), float(high))


def _clamp_numbers(
    view: View, clamp: Node, node: Node, y: Quantized, limits: tuple[int, int]
) -> Node:
    names = [view.add_constant(f"{clamp.outputs[0]}_{end}", np.array(limit, np.dtype(y.dtype)))
             for end, limit in zip(("low", "high"), limits, strict=True)]  # fmt: skip
    early = view.context.fresh(f"{clamp.outputs[0]}_quantized")
    first = replace(node, inputs=(clamp.inputs[0], *node.inputs[1:]), outputs=(early,))
    view.before(clamp, first)
    new = Node("Clip", (early, *names), node.outputs, clamp.name, opset=13)
    view.fuse([clamp, node], new, f"clamps what {node.name} quantised")
    return first


def sink_dequantization(view: View) -> None:
    """``DequantizeLinear`` after what moves numbers, instead of before it."""
    for node in view.nodes(*_ALWAYS, *_FEWER):
        before = view.producer(node.inputs[0], "DequantizeLinear") if node.inputs else None
        if before is None or not _movable(view, node, before):
            continue
        constant = view.constant(before.inputs[0]) is not None
        alone = view.count(before.outputs[0]) == 1
        if not (constant or alone or _all_integers(view, node)):
            continue
        found = _moved_parameters(view, before, node)
        inputs = None if found is None else _inputs(view, node, before)
        if found is not None and inputs is not None:
            _sink(view, node, before, inputs, found)


def _movable(view: View, node: Node, before: Node) -> bool:
    """Whether the operator takes numbers of the dtype that is dequantised."""
    if view.known(before.inputs[0]).dtype not in ("int8", "uint8", "int16", "uint16", "int32"):
        return node.op_type in _ALWAYS and node.opset >= 21
    return node.op_type == "MaxPool" or node.opset >= _SINCE.get(node.op_type, 1)


def _all_integers(view: View, node: Node) -> bool:
    """Whether all that follows may become, or move on to, operators on whole numbers."""
    follows = ("QuantizeLinear", *_PRODUCTS, *_ALWAYS)
    return all(view.user(name, *follows) is not None for name in node.outputs if name)


def _moved_parameters(
    view: View, before: Node, node: Node
) -> tuple[tuple[str, ...], dict[str, Any]] | None:
    """The scale, zero point and attributes with which the result is dequantised."""
    names, scale = before.inputs[1:], view.constant(before.inputs[1])
    if scale is None or not usual(scale):
        return None
    if scale.ndim == 0 or (scale.size == 1 and not before.attributes.get("block_size")):
        return names, before.attributes
    rank = view.known(before.inputs[0]).rank
    if rank is None or rank < 2:
        return None
    axis = axis_of(before, rank)
    if axis is None:
        return None
    if node.op_type == "Gather" and not before.attributes.get("block_size"):
        along, places = node.attributes.get("axis", 0) % rank, view.known(node.inputs[1]).rank
        if along == axis or places is None or rank + places < 3:
            return None
        return names, {**before.attributes, "axis": axis + (places - 1 if axis > along else 0)}
    if node.op_type != "Transpose":
        return None
    perm = node.attributes.get("perm") or list(range(rank))[::-1]
    if sorted(perm) != list(range(rank)):
        return None
    if before.attributes.get("block_size"):
        turned = [_turned(view, name, perm) for name in names]
        if None in turned:
            return None
        names = tuple(name for name in turned if name is not None)
    return names, {**before.attributes, "axis": perm.index(axis)}


def _turned(view: View, name: str, perm: list[int]) -> str | None:
    array = view.constant(name)
    if not name or array is None or array.ndim != len(perm):
        return "" if not name else None
    return view.add_constant(f"{name}_turned", np.ascontiguousarray(array.transpose(perm)), True)


def _inputs(view: View, node: Node, before: Node) -> tuple[str, ...] | None:
    """The inputs of the operator on numbers; None if it would not give the same."""
    rest = node.inputs[1:]
    if node.op_type == "MaxPool":
        if view.known(before.inputs[0]).dtype not in EIGHT:
            return None
        if any(view.count(name) for name in node.outputs[1:]):
            return None
    if node.op_type == "Resize":
        nearest = node.attributes.get("mode", "nearest") == "nearest"
        mode = node.attributes.get("coordinate_transformation_mode")
        if not nearest or mode == "tf_crop_and_resize":
            return None
    if node.op_type == "Pad" and node.attributes.get("mode", "constant") == "constant":
        zero = before.inputs[2] if len(before.inputs) > 2 else ""
        value = rest[1] if len(rest) > 1 else ""
        array = view.constant(zero)
        if (zero and array is None) or (value and view.number(value) != 0):
            return None
        if array is not None:
            scalar = view.add_constant(f"{node.outputs[0]}_zero", array.reshape(()))
            rest = (rest[0], scalar, *rest[2:])
        else:
            rest = (rest[0], "", *rest[2:])
    return (before.inputs[0], *rest)


def _sink(
    view: View, node: Node, before: Node, inputs: tuple[str, ...],
    found: tuple[tuple[str, ...], dict[str, Any]],
) -> None:  # fmt: skip
    names, attributes = found
    outputs = [name for name in node.outputs if view.count(name)] or list(node.outputs[:1])
    moved = {name: view.context.fresh(f"{name}_quantized") for name in outputs}
    given = tuple(moved.get(name, "") for name in node.outputs)
    if node.op_type == "MaxPool":
        given = given[:1]
    view.before(node, replace(node, inputs=inputs, outputs=given, opset=_opset_of(node)))
    after = [
        replace(before, inputs=(moved[name], *names), outputs=(name,), attributes=attributes,
                name=view.context.fresh(before.name))
        for name in outputs
    ]  # fmt: skip
    for each in after[:-1]:
        view.before(node, each)
    view.fuse([node], after[-1], f"{before.name} comes after it")


def _before_move(view: View, node: Node) -> Node | None:
    """The quantisation that comes before what moves numbers."""
    move = view.inner(node.inputs[0], *_ALWAYS, "MaxPool")
    y = _whole(view, node, node.outputs[0])
    if move is None or y is None or view.constant(move.inputs[0]) is not None:
        return None
    if move.op_type == "MaxPool":
        if view.inner(move.inputs[0], *_MAKERS) is None or y.dtype not in EIGHT:
            return None
    elif move.opset < _SINCE.get(move.op_type, 1):
        return None
    early = view.context.fresh(f"{move.inputs[0]}_quantized")
    first = replace(node, inputs=(move.inputs[0], *node.inputs[1:]), outputs=(early,))
    view.before(move, first)
    new = replace(move, inputs=(early, *move.inputs[1:]), outputs=node.outputs,
                  opset=_opset_of(move))  # fmt: skip
    view.fuse([move, node], new, f"{node.name} comes before it")
    return first


def _opset_of(move: Node) -> int:
    """The opset of a move of whole numbers; that of images' maxima took only floats at first."""
    return max(move.opset, _SINCE["MaxPool"]) if move.op_type == "MaxPool" else move.opset


def compare_numbers(view: View) -> None:
    """The place of the greatest number is that of the greatest dequantised value."""
    for node in view.nodes("ArgMax", "ArgMin"):
        before = view.producer(node.inputs[0], "DequantizeLinear")
        x = None if before is None else parameters(view, before, before.inputs[0], None)
        if x is not None:
            new = replace(node, inputs=(x.value,), opset=max(node.opset, 12))
            view.fuse([node], new, "of the quantised numbers")


MOVES: tuple[Pass, ...] = (
    compare_numbers,
    hoist_quantization,
    sink_dequantization,
    drop_requantization,
)
