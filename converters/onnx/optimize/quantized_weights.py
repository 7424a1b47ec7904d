"""Quantised weights of float operators stay quantised: products and look-ups that unpack blocks.

``MatMul`` and ``Gemm`` with dequantised weights become ``MatMulNBits``, ``Gather`` from a
dequantised table ``GatherBlockQuantized``, both of com.microsoft. Numbers of fewer than 8 bits
share bytes, as in the file. Source: ONNX Runtime's DQ-MatMul fusion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Node
from .quantized_values import axis_of
from .view import Array, Pass, View

MICROSOFT = "com.microsoft"
BITS = {"int8": 8, "uint8": 8, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2}
_FLOATS = ("float32", "float16")
_LEAST = 16  # numbers in a block


@dataclass(frozen=True)
class Blocks:
    """Rows of numbers with a scale and zero point for each block of a row, all from 0 on."""

    numbers: Array  # (rows, columns), of ``bits`` bits in uint8
    scales: Array  # (rows, blocks)
    zeros: Array | None  # (rows, blocks); None is the middle of the range
    bits: int
    size: int


def _blocks(view: View, name: str, along: int) -> Blocks | None:
    """The constant matrix that was dequantised to ``name``, its blocks along an axis.

    If that is the first axis, the matrix is turned.
    """
    node = view.producer(name, "DequantizeLinear")
    if node is None:
        return None
    numbers, scale = _matrix(view, node.inputs[0]), view.constant(node.inputs[1])
    zero_name = node.inputs[2] if len(node.inputs) > 2 else ""
    zero = view.constant(zero_name)
    if numbers is None or scale is None or (zero_name and zero is None):
        return None
    bits = BITS.get(numbers.dtype.name)
    if bits is None or numbers.ndim != 2 or scale.dtype.name not in _FLOATS:
        return None
    if view.known(name).dtype != scale.dtype.name:
        return None
    if zero is not None and (zero.shape != scale.shape or zero.dtype != numbers.dtype):
        return None
    found = _spread(node, numbers.shape, scale, along)
    if found is None:
        return None
    zeros = None if zero is None else _spread(node, numbers.shape, zero.astype(np.int16), along)
    scales, size = found
    shift = 0 if numbers.dtype.name.startswith("u") else 1 << (bits - 1)
    whole = _from_zero(numbers, shift)
    points = np.zeros(scales.shape, np.int16) if zeros is None else zeros[0]
    points = (points + shift).astype(np.uint8)
    middle = np.all(points == 1 << (bits - 1))
    whole = whole if along else np.ascontiguousarray(whole.T)
    return Blocks(whole, scales, None if middle else points, bits, size)


def _matrix(view: View, name: str) -> Array | None:
    """A constant, or one that is turned: beyond some size, constants are not computed."""
    turn = view.producer(name, "Transpose")
    array = view.constant(name if turn is None else turn.inputs[0])
    if turn is None or array is None or array.ndim != 2:
        return array
    return array.T if turn.attributes.get("perm", [1, 0]) == [1, 0] else None


def _from_zero(numbers: Array, shift: int) -> Array:
    """Whole numbers as uint8, moved so that the least of their dtype is 0."""
    plain = numbers if numbers.dtype.kind in "iu" else numbers.astype(np.int8)
    return plain.view(np.uint8) + np.uint8(shift)


def _spread(
    node: Node, shape: tuple[int, ...], parameter: Array, along: int
) -> tuple[Array, int] | None:
    """A scale or zero point for each block along an axis, (other axis, blocks); a block's size."""
    rows, columns = shape[1 - along], shape[along]
    block, axis = node.attributes.get("block_size", 0), axis_of(node, 2)
    if axis is None:
        return None
    if block:
        wanted = -(-columns // block)
        if axis != along or block < _LEAST or block & (block - 1):
            return None
        turned = parameter if along else parameter.T
        return (turned, block) if turned.shape == (rows, wanted) else None
    size = _size(columns)
    blocks = -(-columns // size)
    if parameter.size == 1:
        return np.full((rows, blocks), parameter.reshape(()), parameter.dtype), size
    if parameter.shape != (rows,) or axis == along:
        return None
    return np.repeat(parameter[:, None], blocks, 1), size


def _size(columns: int) -> int:
    """The size of blocks that all have one scale: large, and such that little is filled up."""
    return next((size for size in (128, 64, 32) if columns % size == 0), _LEAST)


def _packed(numbers: Array, bits: int) -> Array:
    """Numbers along the last axis share bytes, the first in the lowest bits."""
    count = 8 // bits
    short = -numbers.shape[-1] % count
    if short:
        numbers = np.pad(numbers, [(0, 0)] * (numbers.ndim - 1) + [(0, short)])
    parts = numbers.reshape(*numbers.shape[:-1], -1, count)
    found = parts[..., 0].copy()
    for place in range(1, count):
        found |= parts[..., place] << np.uint8(place * bits)
    return found


def _weights(view: View, hint: str, blocks: Blocks) -> tuple[str, str, str]:
    """Constants as ``MatMulNBits`` takes them: (rows, blocks, bytes), scales, zero points."""
    rows, columns = blocks.numbers.shape
    count = blocks.scales.shape[1]
    filled = blocks.numbers
    if count * blocks.size != columns:
        filled = np.pad(filled, [(0, 0), (0, count * blocks.size - columns)])
    packed = _packed(filled.reshape(rows, count, blocks.size), blocks.bits)
    return (_kept(view, f"{hint}_packed", packed), *_parameters(view, hint, blocks))


def _parameters(view: View, hint: str, blocks: Blocks) -> tuple[str, str]:
    """Constants that are the scales, (rows, blocks), and zero points, whose bits share bytes."""
    zeros = ""
    if blocks.zeros is not None:
        zeros = _kept(view, f"{hint}_zeros", _packed(blocks.zeros, blocks.bits))
    return _kept(view, f"{hint}_scales", np.ascontiguousarray(blocks.scales)), zeros


def _kept(view: View, hint: str, array: Array) -> str:
    """A new constant, in the memory of another that has the same bytes.

    A table is often looked up at the beginning of a network, and a matrix at its end.
    """
    for other in view.initializers.values():
        if other.nbytes != array.nbytes or other.dtype != array.dtype:
            continue
        if other.flags.c_contiguous and np.array_equal(other.reshape(-1), array.reshape(-1)):
            array = other.reshape(array.shape)
            break
    return view.add_constant(hint, array, True)


def fuse_weight_product(view: View) -> None:
    """``MatMul(x, DequantizeLinear(w))`` and ``Gemm`` likewise, with a bias."""
    packed: dict[tuple[str, bool], tuple[str, str, str]] = {}  # layers may share their weights
    for node in view.nodes("MatMul", "Gemm"):
        turned = node.op_type == "Gemm" and bool(node.attributes.get("transB"))
        if node.op_type == "Gemm" and not _plain(view, node):
            continue
        known = view.known(node.inputs[0])
        blocks = _blocks(view, node.inputs[1], 1 if turned else 0)
        if blocks is None or known.dtype != blocks.scales.dtype.name or known.rank in (None, 0):
            continue
        bias = node.inputs[2] if len(node.inputs) > 2 else ""
        key = (node.inputs[1], turned)
        if key not in packed:
            packed[key] = _weights(view, node.inputs[1], blocks)
        inputs = [node.inputs[0], *packed[key], "", bias]
        while not inputs[-1]:
            inputs.pop()
        n, k = blocks.numbers.shape
        attributes = {"K": k, "N": n, "block_size": blocks.size, "bits": blocks.bits}
        new = Node("MatMulNBits", tuple(inputs), node.outputs, node.name, MICROSOFT,
                   attributes=attributes)  # fmt: skip
        view.fuse([node], new, f"its weights stay in {blocks.bits} bits")


def _plain(view: View, node: Node) -> bool:
    """Whether a ``Gemm`` is ``x @ w + bias`` with a vector as bias."""
    if node.attributes.get("transA") or node.opset < 7:
        return False
    if node.attributes.get("alpha", 1.0) != 1.0 or node.attributes.get("beta", 1.0) != 1.0:
        return False
    if len(node.inputs) < 3 or not node.inputs[2]:
        return True
    weights = view.known(node.inputs[1]).shape
    if weights is None or len(weights) != 2:
        return False
    columns = weights[0] if node.attributes.get("transB") else weights[1]
    return view.known(node.inputs[2]).shape == (columns,)


def fuse_weight_lookup(view: View) -> None:
    """``Gather(DequantizeLinear(table), i)``: rows of the table are dequantised when looked up."""
    for node in view.nodes("Gather"):
        table = view.producer(node.inputs[0], "DequantizeLinear")
        if table is None or node.attributes.get("axis", 0) not in (0, -2):
            continue
        if view.known(node.inputs[1]).dtype not in ("int32", "int64"):
            continue
        blocks = _blocks(view, node.inputs[0], 1)
        if blocks is None:
            continue
        columns = blocks.numbers.shape[1]
        if columns * blocks.bits % 8:
            continue
        hint = node.inputs[0]
        packed = _kept(view, f"{hint}_packed", _packed(blocks.numbers, blocks.bits))
        inputs = [packed, node.inputs[1], *_parameters(view, hint, blocks)]
        if not inputs[-1]:
            inputs.pop()
        attributes = {"bits": blocks.bits, "block_size": blocks.size, "gather_axis": 0,
                      "quantize_axis": 1}  # fmt: skip
        new = Node("GatherBlockQuantized", tuple(inputs), node.outputs, node.name, MICROSOFT,
                   attributes=attributes)  # fmt: skip
        view.fuse([node], new, f"its table stays in {blocks.bits} bits")


WEIGHTS: tuple[Pass, ...] = (fuse_weight_product, fuse_weight_lookup)
