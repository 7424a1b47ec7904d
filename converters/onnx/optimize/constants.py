"""Constant folding: what can be computed when the model is loaded is computed then.

Nodes are run by tensorlite's own operators. Only operators whose cost is known beforehand are,
and only while their results stay small beside what they are made of; the rest waits for a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ....devices.base import resolve
from ....errors import TensorliteError
from ....tensor import Tensor
from ..graph import Graph, Model, Node, ValueInfo
from ..program import Builder
from ..values import to_value
from .shapes import _PAIRS, _REDUCTIONS, _SAME
from .view import Array, View

_NEVER = {"Dropout", "DequantizeLinear", "BatchNormalization", "Identity"}
_MOVING = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat", "Gather", "Slice",
           "Shape", "Size", "Split", "NonZero"}  # fmt: skip
_SIZED = {"Expand", "ConstantOfShape", "MatMul", "Gemm"}
FOLDABLE = ({*_SAME, *_PAIRS, *_REDUCTIONS} | _MOVING | _SIZED | {"Range"}) - _NEVER

_ITEM_BYTES = {"float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int8": 1, "uint8": 1}
FEW = 1 << 14  # quantised weights that are rather kept as floats
_MOST = 1 << 20  # bytes that a result may have in any case
_LARGEST_PRODUCT = 50_000_000  # multiplications
_UNFIT = (TensorliteError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
          MemoryError)  # fmt: skip


def fold(view: View) -> None:
    """Nodes of constant inputs become constants."""
    for node in view.nodes(*sorted(FOLDABLE)):
        if _is_constant(view, node):
            _fold(view, node)


def fold_dequantized(view: View) -> None:
    """Small quantised weights that no integer operator took become floats; others stay small."""
    for node in view.nodes("DequantizeLinear"):
        if _is_constant(view, node) and view.constants[node.inputs[0]].size <= FEW:
            _fold(view, node)


def fold_shapes(view: View) -> None:
    """Shapes and their parts become constants where the sizes are known."""
    for node in view.nodes("Shape", "Size", "Gather", "Slice", "Concat", "Squeeze", "Unsqueeze",
                           "Mul", "Add", "Cast"):  # fmt: skip
        name = node.outputs[0]
        value, dtype = view.facts.value(name), view.known(name).dtype
        if value is None or value.ints is None or dtype not in ("int64", "int32"):
            continue
        if name in view.outputs or view.constant(name) is not None:
            continue
        array = np.array(value.ints, dtype)
        _settle(view, node, [array.reshape(()) if value.scalar else array], False)


def _is_constant(view: View, node: Node) -> bool:
    if any(name and view.constant(name) is None for name in node.inputs):
        return False
    return not any(name in view.outputs for name in node.outputs) and bool(node.inputs)


def _fold(view: View, node: Node) -> None:
    inputs = {name: view.constants[name] for name in node.inputs if name}
    size = _result_bytes(view, node, inputs)
    if size is None or size > view.context.bytes_left:
        return
    whole = sum(array.nbytes for array in inputs.values())
    if node.op_type != "ConstantOfShape" and size > 4 * whole + _MOST:
        return
    arrays = computed(node, inputs)
    if arrays is None:
        return
    view.context.bytes_left -= sum(array.nbytes for array in arrays)
    weight = any(name in view.initializers and name not in view.inputs for name in inputs)
    _settle(view, node, arrays, weight and arrays[0].dtype.kind not in "iub")


def _settle(view: View, node: Node, arrays: Sequence[Array], weight: bool) -> None:
    names = [name for name in node.outputs if name]
    view.settle(node, dict(zip(names, arrays, strict=True)), weight)
    shapes = ", ".join(f"{array.dtype} {tuple(array.shape)}" for array in arrays)
    view.note(node, f"{node.operator} of constants became {shapes}")


def _result_bytes(view: View, node: Node, inputs: dict[str, Array]) -> int | None:
    """A bound of the bytes of a node's results, and of what it takes to make them."""
    arrays = list(inputs.values())
    if any(array.dtype.kind in "OSUT" for array in arrays):
        return None
    if node.op_type == "Range":
        return _range_bytes(arrays)
    if node.op_type in _MOVING and node.op_type != "Gather":
        return sum(array.nbytes for array in arrays) * (8 if node.op_type == "NonZero" else 1)
    shape = view.known(node.outputs[0]).static
    if shape is None:
        return None
    if node.op_type in ("MatMul", "Gemm"):
        inner = max(max(array.shape, default=1) for array in arrays)
        if prod(shape) * inner > _LARGEST_PRODUCT:
            return None
    if node.op_type == "ConstantOfShape":
        return _filled_bytes(node, shape)
    return prod(shape) * _ITEM_BYTES.get(view.known(node.outputs[0]).dtype or "", 8)


def _filled_bytes(node: Node, shape: tuple[int, ...]) -> int:
    value = node.attributes.get("value")
    return prod(shape) * (4 if value is None else int(value.dtype.itemsize))


def _range_bytes(arrays: list[Array]) -> int | None:
    if len(arrays) != 3 or any(array.size != 1 for array in arrays):
        return None
    start, stop, step = (float(array.reshape(()).item()) for array in arrays)
    count = (stop - start) / step
    return max(int(count) + 1, 0) * 8


def computed(node: Node, inputs: dict[str, Array]) -> list[Array] | None:
    """The results of a node on constants, as ONNX says; None if it fails or gives no tensors."""
    names = [name for name in node.outputs if name]
    graph = Graph("", (), tuple(ValueInfo(name) for name in names), (node,), inputs)
    cpu, weights = resolve("cpu"), {}

    def keep(name: str, array: Array, weight: bool) -> str:
        weights[name] = to_value(array, cpu)
        return name

    try:
        with np.errstate(all="ignore"):
            builder = Builder(Model(graph, {}, 0), lambda: cpu, keep)
            program = builder.program(graph)
            builder.check()
            found = program.run({}, {}, weights)
    except _UNFIT:
        return None  # the error is raised where it belongs: when the node runs
    if not all(isinstance(value, Tensor) for value in found):
        return None
    return [np.array(value.numpy()) for value in found]
