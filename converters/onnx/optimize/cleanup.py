"""Nodes that do nothing, do what was done before, or whose results nobody uses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Graph, Node
from .shapes import slice_bounds
from .view import Pass, View

RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli",
          "Multinomial", "Dropout"}  # fmt: skip


def remove_dead(view: View) -> None:
    """Nodes whose outputs nobody uses."""
    for node in reversed(list(view.every())):
        if any(view.count(name) for name in node.outputs):
            continue
        if not any(True for _ in node.subgraphs()):
            view.remove(node, "" if node.op_type == "Constant" else "nobody uses it")


def remove_identity(view: View) -> None:
    """``Identity``, ``Dropout`` outside of training, and operators of one input that then do
    nothing (``Concat``, ``Sum``, ``Max``...)."""
    for node in view.nodes("Identity", "Dropout", "Concat", "Sum", "Max", "Min", "Mean"):
        if node.op_type == "Dropout" and not _is_still(view, node):
            continue
        if node.op_type not in ("Dropout", "Identity") and len(node.inputs) != 1:
            continue
        if any(view.count(name) for name in node.outputs[1:]):
            continue
        if view.forward(node, node.inputs[0]):
            view.note(node, f"{node.op_type} does nothing")


def _is_still(view: View, node: Node) -> bool:
    if node.opset < 12 or len(node.inputs) < 3 or not node.inputs[2]:
        return True
    training = view.constant(node.inputs[2])
    return training is not None and training.size == 1 and not training.reshape(()).item()


def remove_neutral(view: View) -> None:
    """Adding 0, multiplying or dividing by 1, raising to the first power."""
    for node in view.nodes("Add", "Sub", "Mul", "Div", "Pow"):
        name = _other_than_neutral(view, node)
        if name is not None and view.forward(node, name):
            view.note(node, f"{node.op_type} of a neutral element")


def _other_than_neutral(view: View, node: Node) -> str | None:
    if node.opset < 7:
        return None
    neutral = 0.0 if node.op_type in ("Add", "Sub") else 1.0
    if node.op_type in ("Add", "Mul"):
        split = view.split(node)
        if split is None:
            return None
        name, array = split
    else:
        name, given = node.inputs[0], view.constant(node.inputs[1])
        if given is None:
            return None
        array = given
    known = view.known(name)
    if array.size != 1 or array.dtype.name != known.dtype or array.ndim > (known.rank or 0):
        return None
    value = array.reshape(()).item()
    if neutral == 0.0 and isinstance(value, float):
        if np.signbit(value) != (node.op_type == "Add"):
            return None  # -0.0 + 0.0 is 0.0: only adding -0.0 and subtracting 0.0 do nothing
    return name if value == neutral else None


def remove_shaping(view: View) -> None:
    """Slices of everything, paddings of nothing, transpositions that leave the order, casts,
    reshapes and expansions to what a value already is."""
    for node in view.nodes(*_CHECKS):
        if node.inputs[:1] and node.inputs[0] and _CHECKS[node.op_type](view, node):
            if view.forward(node, node.inputs[0]):
                view.note(node, f"{node.op_type} changes nothing")


def _same_shape(view: View, node: Node) -> bool:
    before, after = view.known(node.inputs[0]).shape, view.known(node.outputs[0]).shape
    return before is not None and before == after and None not in before


def _whole_slice(view: View, node: Node) -> bool:
    values = [view.facts.value(name) if name else None for name in node.inputs]
    bounds = slice_bounds(node, values)
    if bounds is None:
        return False
    return all(start == 0 and stop >= 2**31 - 1 and step == 1 for start, stop, _, step in bounds)


def _no_pad(view: View, node: Node) -> bool:
    if node.opset < 2:
        return False
    pads: Any = node.attributes.get("pads") if node.opset < 11 else view.numbers(node.inputs[1])
    return bool(pads) and not any(pads)


def _straight(view: View, node: Node) -> bool:
    perm = node.attributes.get("perm")
    return perm is not None and perm == list(range(len(perm)))


def _same_dtype(view: View, node: Node) -> bool:
    before = view.known(node.inputs[0]).dtype
    return before is not None and before == view.known(node.outputs[0]).dtype


_CHECKS = {"Slice": _whole_slice, "Pad": _no_pad, "Transpose": _straight, "Cast": _same_dtype,
           "Reshape": _same_shape, "Expand": _same_shape, "Flatten": _same_shape}  # fmt: skip


def merge_constants(view: View) -> None:
    """Small constants that are equal become one."""
    seen: dict[Any, str] = {}
    for node in view.nodes("Constant"):
        name = node.outputs[0]
        array = view.constant(name)
        if array is None or name in view.outputs or array.nbytes > 1024:
            continue
        if array.dtype.kind in "OSUT":
            continue
        key = (array.dtype.name, array.shape, array.tobytes())
        first = seen.setdefault(key, name)
        if first != name and view.forward(node, first):
            view.note(node, f"the same constant as {first}")


def merge_equal(view: View) -> None:
    """Nodes that do the same to the same values become one."""
    seen: dict[Any, Node] = {}
    for node in view.every():
        if node.op_type in RANDOM or node.op_type == "Constant" or len(node.outputs) != 1:
            continue
        if node.outputs[0] in view.outputs:
            continue
        key = (node.operator, node.opset, node.inputs, _frozen(node))
        if None in key:
            continue
        first = seen.setdefault(key, node)
        if first is not node and view.forward(node, first.outputs[0]):
            view.note(node, f"the same as {first.name}")


def _frozen(node: Node) -> tuple[Any, ...] | None:
    """The attributes as a key; None if there are graphs or large arrays among them."""
    items: list[Any] = []
    for name, value in sorted(node.attributes.items()):
        if isinstance(value, np.ndarray):
            if value.nbytes > 1024 or value.dtype.kind in "OSUT":
                return None
            items.append((name, value.dtype.name, value.shape, value.tobytes()))
        elif isinstance(value, list):
            if value and isinstance(value[0], Graph | np.ndarray):
                return None
            items.append((name, tuple(map(_plain, value))))
        elif isinstance(value, int | float | str | bytes):
            items.append((name, _plain(value)))
        else:
            return None
    return tuple(items)


def _plain(value: Any) -> Any:
    return (type(value).__name__, repr(value))


# In integers and floats: whether every value of the first is one of the second.
_WIDER = {
    ("float16", "float32"), ("float16", "float64"), ("float32", "float64"),
    ("bfloat16", "float32"), ("bfloat16", "float64"), ("bool", "int32"), ("bool", "int64"),
    ("bool", "float32"), ("bool", "float64"), ("int32", "int64"), ("int32", "float64"),
    ("int8", "int32"), ("int8", "int64"), ("int8", "float32"), ("int8", "float64"),
    ("uint8", "int32"), ("uint8", "int64"), ("uint8", "float32"), ("uint8", "float64"),
    ("int16", "int32"), ("int16", "int64"), ("int16", "float32"), ("uint16", "float32"),
    ("bool", "uint8"), ("bool", "int8"), ("bool", "float16"),
}  # fmt: skip


def join_casts(view: View) -> None:
    """A cast after one that lost nothing."""
    for node in view.nodes("Cast"):
        first = view.producer(node.inputs[0], "Cast")
        if first is None:
            continue
        before, between = view.known(first.inputs[0]).dtype, view.known(node.inputs[0]).dtype
        if before is None or between is None or (before, between) not in _WIDER:
            continue
        view.reroute(node, 0, first.inputs[0])
        view.note(node, f"the cast from {before} to {between} before it is not needed")


def join_transposes(view: View) -> None:
    """A transposition of a transposition is one transposition."""
    for node in view.nodes("Transpose"):
        first = view.producer(node.inputs[0], "Transpose")
        if first is None:
            continue
        inner, outer = first.attributes.get("perm"), node.attributes.get("perm")
        if inner is None or outer is None or sorted(inner) != sorted(outer):
            continue
        if sorted(inner) != list(range(len(inner))):
            continue
        perm = [inner[axis] for axis in outer]
        view.reroute(node, 0, first.inputs[0], {"perm": perm})
        view.note(node, f"joined with {first.name}")


def join_reshapes(view: View) -> None:
    """Only the last of several reshapes counts, if its shape does not copy from its input."""
    for node in view.nodes("Reshape"):
        if node.opset < 5 or node.attributes.get("allowzero"):
            continue
        first = view.producer(node.inputs[0], "Reshape", "Flatten", "Squeeze", "Unsqueeze")
        wanted = view.numbers(node.inputs[1])
        if first is None or wanted is None or 0 in wanted:
            continue
        view.reroute(node, 0, first.inputs[0])
        view.note(node, f"{first.op_type} {first.name} before it is not needed")


def make_reshapes_static(view: View) -> None:
    """Shapes put together from the sizes of their input become constants of -1 and 0 (a copy)."""
    for node in view.nodes("Reshape"):
        if node.opset < 5:
            continue
        if view.constant(node.inputs[1]) is not None:
            continue
        value = view.facts.value(node.inputs[1])
        before = view.known(node.inputs[0]).shape
        if value is None or value.scalar or before is None:
            continue
        shape = _copying(value.items, before)
        if shape is None:
            continue
        name = view.add_constant(f"{node.outputs[0]}_shape", np.array(shape, np.int64))
        others = {k: v for k, v in node.attributes.items() if k != "allowzero"}
        inputs = (node.inputs[0], name)
        view.swap(node, replace(node, inputs=inputs, attributes=others))
        view.note(node, f"its shape is always {shape}")


def _copying(wanted: tuple[Any, ...], before: tuple[Any, ...]) -> list[int] | None:
    """The shape with 0 where a size is copied, or with one -1 in place of an unknown size."""
    sizes: list[int] = []
    for i, size in enumerate(wanted):
        if isinstance(size, int):
            if size == 0:
                return None
            sizes.append(size)
        elif size is not None and i < len(before) and before[i] == size:
            sizes.append(0)
        else:
            sizes.append(-2)
    if -2 not in sizes:
        return sizes
    unknown = [-1 if not isinstance(size, int) else size for size in wanted]
    return unknown if unknown.count(-1) == 1 else None


def join_heads(view: View) -> None:
    """The last two dimensions exchanged by way of three dimensions: one transposition."""
    for node in view.nodes("Reshape"):
        turn = view.inner(node.inputs[0], "Transpose")
        first = None if turn is None else view.inner(turn.inputs[0], "Reshape")
        if turn is None or first is None or turn.attributes.get("perm") != [0, 2, 1]:
            continue
        before, flat = view.known(first.inputs[0]).shape, view.known(turn.inputs[0]).shape
        after = view.known(node.outputs[0]).shape
        if before is None or flat is None or after is None or len(before) != 4:
            continue
        wanted = (*before[:2], before[3], before[2])
        if flat[1:] != before[2:] or len(flat) != 3 or after != wanted or None in after:
            continue
        new = replace(turn, inputs=first.inputs[:1], outputs=node.outputs,
                      attributes={"perm": [0, 1, 3, 2]})  # fmt: skip
        view.fuse([first, turn, node], new, "two reshapes around it are not needed")


CLEANUP: tuple[Pass, ...] = (
    remove_identity, remove_neutral, remove_shaping, join_casts, join_transposes, join_reshapes,
    make_reshapes_static, join_heads, merge_constants, merge_equal, remove_dead,
)  # fmt: skip
