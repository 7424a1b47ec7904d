"""What passes have to know of quantised values: numbers, scale and zero point, and what they mean.

Scales have to be positive and far from the ends of float32: then quantising never changes an
order, and quantising what was dequantised with the same parameters gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import Node
from .view import Array, View

EIGHT = ("int8", "uint8")
SIXTEEN = ("int8", "uint8", "int16", "uint16")
_SMALLEST, _LARGEST = 1e-12, 1e12  # of which float32 holds products and quotients of three


@dataclass(frozen=True)
class Quantized:
    """A quantised value: its numbers, scale and zero point, all by name; no zero point is 0."""

    value: str
    scale: str
    zero: str
    dtype: str
    node: Node

    def names(self, view: View) -> tuple[str, str, str]:
        """The three names as operators on quantised numbers take them."""
        if self.zero:
            return (self.value, self.scale, self.zero)
        scale = view.constant(self.scale)
        zeros = np.zeros(() if scale is None else scale.shape, np.dtype(self.dtype))
        return (self.value, self.scale, view.add_constant(f"{self.scale}_zero", zeros))

    def scales(self, view: View) -> Array:
        """The scale in float64, a vector."""
        return view.constants[self.scale].astype(np.float64).reshape(-1)

    def zeros(self, view: View) -> Array:
        """The zero point as whole numbers, a vector."""
        found = view.constant(self.zero)
        return np.zeros(1, np.int64) if found is None else found.astype(np.int64).reshape(-1)


def dequantized(view: View, name: str, channel: int | None = None) -> Quantized | None:
    """What a value was dequantised from: 8 bits, with one scale or one per ``channel``."""
    node = view.producer(name, "DequantizeLinear")
    return None if node is None else parameters(view, node, node.inputs[0], channel)


def quantized(view: View, name: str) -> Quantized | None:
    """The quantisation that is a value's only use."""
    node = view.user(name, "QuantizeLinear")
    return None if node is None else parameters(view, node, node.outputs[0], None)


def parameters(
    view: View, node: Node, value: str, channel: int | None, dtypes: tuple[str, ...] = EIGHT
) -> Quantized | None:
    """What a node that quantises or dequantises says of the quantised ``value``."""
    if node.attributes.get("block_size") or node.attributes.get("precision"):
        return None
    given = node.inputs[2] if len(node.inputs) > 2 else ""
    scale, zero = view.constant(node.inputs[1]), view.constant(given)
    if scale is None or (given and zero is None) or scale.dtype != np.float32:
        return None
    if not usual(scale):
        return None
    if zero is not None and zero.shape != scale.shape:
        return None
    known = view.known(value).dtype
    dtype = known if zero is None else zero.dtype.name
    if dtype not in dtypes or known not in (None, dtype):
        return None
    if scale.size != 1 or scale.ndim > 1:
        rank = view.known(value).rank
        if channel is None or not rank or scale.ndim != 1:
            return None
        if axis_of(node, rank) != channel % rank:
            return None
    return Quantized(value, node.inputs[1], given, dtype, node)


def axis_of(node: Node, rank: int) -> int | None:
    """The axis of a node that quantises or dequantises; None if there is none such."""
    axis = int(node.attributes.get("axis", 1))
    return axis % rank if -rank <= axis < rank else None


def usual(scale: Array) -> bool:
    """Whether scales are positive and far from the ends of float32."""
    return bool(np.all((scale > _SMALLEST) & (scale < _LARGEST)))


def alike(view: View, a: Quantized, b: Quantized, factor: float = 1.0) -> bool:
    """Whether ``factor`` times the values of ``a``, quantised as ``b``, are the numbers of ``a``.

    So it is if dtypes and zero points are the same, and scales so nearly that the largest number
    is not half a step off.
    """
    if a.dtype != b.dtype or a.scales(view).size != 1 or b.scales(view).size != 1:
        return False
    numbers = 1 << np.iinfo(np.dtype(a.dtype)).bits
    ratio = factor * a.scales(view)[0] / b.scales(view)[0]
    equal = abs(ratio - 1) * numbers < 0.45
    return bool(equal and a.zeros(view)[0] == b.zeros(view)[0])


def rounded(view: View, value: float, to: Quantized) -> int:
    """The quantised number that a real one becomes, as ``QuantizeLinear`` computes it."""
    scale, zero = np.float32(to.scales(view)[0]), int(to.zeros(view)[0])
    limits = np.iinfo(np.dtype(to.dtype))
    ratio = float(np.rint(np.float32(value) / scale)) if abs(value) < np.inf else value
    return int(min(max(ratio + zero, limits.min), limits.max))


def product_bias(
    view: View, name: str, a: Quantized, b: Quantized, y: Quantized | None, factor: float = 1.0
) -> str | None:
    """A constant vector that is added to products of ``a`` and ``b``, as int32 of their scale.

    A bias that was quantised with that scale is taken as it is. Another one is rounded to it, if
    that changes nothing that the scale of the result ``y`` can show.
    """
    scale = factor * a.scales(view)[0] * b.scales(view)
    node = view.producer(name, "DequantizeLinear")
    if node is not None and not node.attributes.get("block_size"):
        numbers = view.constant(node.inputs[0])
        own = view.constant(node.inputs[1])
        zero = view.constant(node.inputs[2]) if len(node.inputs) > 2 else None
        if numbers is None or own is None or numbers.dtype != np.int32 or numbers.ndim != 1:
            return None
        if own.size not in (1, numbers.size) or (zero is not None and zero.any()):
            return None
        if scale.size in (1, numbers.size) and np.allclose(own, scale, rtol=1e-5, atol=0):
            return node.inputs[0]
        real: Any = numbers.astype(np.float64) * own.astype(np.float64).reshape(-1)
    else:
        real = view.constant(name)
    if real is None or real.ndim != 1 or scale.size not in (1, real.size) or y is None:
        return None
    whole = np.rint(real / scale)
    if np.any(scale > y.scales(view)[0] / 16) or np.any(np.abs(whole) >= 2**30):
        return None
    return view.add_constant(f"{name}_whole", whole.astype(np.int32), True)


def real_vector(view: View, name: str) -> Array | None:
    """A constant vector in float32, which may be written as integers of a scale."""
    node = view.producer(name, "DequantizeLinear")
    array = view.constant(name if node is None else node.inputs[0])
    if array is None or array.ndim != 1:
        return None
    if node is None:
        return array if array.dtype == np.float32 else None
    scale = view.constant(node.inputs[1])
    zero = view.constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if scale is None or node.attributes.get("block_size") or (zero is not None and zero.any()):
        return None
    if scale.dtype != np.float32 or scale.size not in (1, array.size):
        return None
    found: Array = array.astype(np.float32) * scale.reshape(-1)
    return found


def real_number(view: View, name: str) -> float | None:
    """A constant of one element, which may be written as an integer of a scale."""
    node = view.producer(name, "DequantizeLinear")
    if node is None:
        return view.number(name)
    found = [view.number(given) if given else 0.0 for given in (*node.inputs, "")[:3]]
    value, scale, zero = found
    return None if value is None or scale is None or zero is None else (value - zero) * scale
