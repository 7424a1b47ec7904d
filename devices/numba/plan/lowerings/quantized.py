"""Products of 8-bit integers: matrices and convolutions of quantised numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....ops.convolution import prepared
from .....ops.spatial import window_counts
from .....ops.trace import Ref
from ...brgemm import tile_of
from ...expressions import SUM, Tree
from ..builder import Arguments, Builder, Lazy, array_of, lowering
from ..integer_products import IntegerProduct, centred, fours, result_of, stored
from ..places import Array, View
from ..products import Matrices, matrix_rows, offsets
from .convolution import Depthwise, last, padded
from .matrix import _dims, multiplied

_EIGHT = ("int8", "uint8")
_INT32 = np.dtype(np.int32)
_EXACT = 2**24 // (255 * 255)  # taps whose sum float32 holds


def _zero(builder: Builder, call: Arguments) -> View | int | str:
    """The zero point of the input: a number, one that the plan computes, or why neither will do."""
    given = call.get("input_zero")
    if given is None:
        return 0
    if builder.dtype_of(given) != builder.dtype_of(call["input"]):
        return "a zero point of another dtype"
    if isinstance(given, Ref):
        found = builder.view(given)
        return found if found.size == 1 else "zero points of rows"
    array = array_of(given)
    return int(array.reshape(-1)[0]) if array.size == 1 else "zero points of rows"


def _why_not(builder: Builder, call: Arguments, right: str, zero: str) -> str | None:
    """Why a product is none for these kernels."""
    if any(isinstance(call.get(name), Ref) for name in (right, zero, "bias")):
        return "weights that are computed"
    given = builder.dtype_of(call["input"])
    if given is None or given.name not in _EIGHT:
        return "not 8 bits"
    if 0 in (*builder.shape(call["input"]), *array_of(call[right]).shape):
        return "no elements"
    return None


def _zeros(call: Arguments, name: str) -> Array:
    given = call.get(name)
    return np.zeros(1, np.int16) if given is None else array_of(given)


def _with_room(builder: Builder, view: View, k: int) -> View:
    """A view beyond which three bytes can be read, as rows that end within a word of four are."""
    if k % 4 == 0:
        return view
    if view.buffer.array is not None:
        order = sorted(range(len(view.shape)), key=lambda d: -view.strides[d])
        view = builder.copy(view, builder.new(view.shape, view.dtype, order))
    view.buffer.size = max(view.buffer.size, view.offset + view.extent() + 3)
    return view


@lowering("integer_matmul")
def integer_matmul(builder: Builder, call: Arguments) -> str | None:
    """Rows of what the plan computes times a constant matrix, or another that it computes."""
    if isinstance(call["other"], Ref):
        return _of_computed(builder, call)
    why = _why_not(builder, call, "other", "other_zero")
    if why is not None:
        return why
    right, zeros = array_of(call["other"]), _zeros(call, "other_zero")
    if right.ndim != 2 or len(builder.shape(call["input"])) < 2:
        return "vectors, or a batch of matrices on the right"
    zero = _zero(builder, call)
    if isinstance(zero, str):
        return zero
    k, n = right.shape
    if zeros.size not in (1, n):
        return "zero points of another shape"
    bias = None if call.get("bias") is None else array_of(call["bias"]).astype(np.int32)
    if bias is not None and bias.shape != (n,):
        return "a bias of another shape"
    matrices, parts, sums = centred([right[None]], zeros)
    a, rows = matrix_rows(builder, builder.view(call["input"]), 0)
    a = _with_room(builder, a, k)
    shape = (*a.shape[:-1], n)
    made = IntegerProduct(
        builder, "int8 linear", shape, _dims(builder, call.output, len(shape)), (), len(shape) - 1,
        a, rows, np.zeros(parts, np.int64), fours(k), Matrices(matrices, tile_of(n)), bias,
        sums=sums, zero=zero,
    )  # fmt: skip
    builder.give(call.output, Lazy(SUM, (), shape, made, _INT32))
    return None


def _of_computed(builder: Builder, call: Arguments) -> str | None:
    """Short sums of products of centred numbers: float32 holds them exactly."""
    shapes = [builder.shape(call[name]) for name in ("input", "other")]
    if any(len(shape) < 2 or 0 in shape for shape in shapes) or call.get("bias") is not None:
        return "vectors, no elements, or a bias"
    if shapes[0][-1] > _EXACT:
        return "long sums of products that the plan computes"
    views = []
    for name, shape in zip(("input", "other"), shapes, strict=True):
        dtype, zero = builder.dtype_of(call[name]), call.get(f"{name}_zero")
        if dtype is None or dtype.name not in _EIGHT:
            return "not 8 bits"
        numbers = builder.combine("same", [call[name]], shape)
        if zero is not None:
            numbers = builder.combine("sub", [numbers, zero], shape)
        views.append(builder.view(numbers))
    order = _dims(builder, call.output, len(builder.trace.values[call.output].shape))
    made = multiplied(builder, order, *views)
    made.tree, made.dtype = ("i.trunc", ("round", made.tree)), _INT32
    builder.give(call.output, made)
    return None


@lowering("integer_conv")
def integer_conv(builder: Builder, call: Arguments) -> str | None:
    """Convolutions with constant weights."""
    why = _why_not(builder, call, "weight", "weight_zero")
    if why is not None:
        return why
    shape, w = builder.shape(call["input"]), array_of(call["weight"])
    if len(shape) != w.ndim or w.ndim < 3:
        return "no batch of images"
    zero = _zero(builder, call)
    if isinstance(zero, str):
        return zero
    zeros = _zeros(call, "weight_zero")
    bias = None if call.get("bias") is None else array_of(call["bias"]).astype(np.int32)
    names = ("stride", "padding", "dilation", "groups")
    options = {name: call[name] for name in names if name in call.given}
    nothing = np.zeros((), np.float32)
    _, stride, pads, dilation, groups = prepared(
        "integer_conv", w.ndim - 2, np.broadcast_to(nothing, shape),
        np.broadcast_to(nothing, w.shape), None, **options,
    )  # fmt: skip
    counts = window_counts("integer_conv", shape[2:], w.shape[2:], stride, pads, dilation)
    result = (shape[0], len(w), *counts)
    dtype = builder.dtype_of(call["input"])
    fill = zero if isinstance(zero, View) else builder.constant(np.array([zero], dtype))
    x = padded(builder, call["input"], pads, fill)
    alone = groups > 1 and w.shape[1] == 1 and len(w) == groups and w.ndim <= 4
    if alone and not isinstance(zero, View) and w[0].size <= _EXACT:
        each = w.astype(np.float32) - zeros.astype(np.float32).reshape(-1, *[1] * (w.ndim - 1))
        made: Any = IntegerDepthwise(builder, result, x, each, bias, stride, dilation, zero)
    else:
        made = _product(builder, result, x, w, zeros, bias, stride, dilation, groups, zero)
    builder.give(call.output, Lazy(SUM, (), result, made, _INT32))
    return None


def _product(
    builder: Builder, shape: tuple[int, ...], x: View, w: Array, zeros: Array, bias: Array | None,
    stride: Any, dilation: Any, groups: int, zero: View | int,
) -> IntegerProduct:  # fmt: skip
    """A convolution as a product over the taps of its windows."""
    count, inputs, kernel = len(shape) - 2, w.shape[1], w.shape[2:]
    steps = x.strides[2:]
    joined = dilation[-1] == 1 and steps[-1] == inputs and groups == 1
    apart = [s * d for s, d in zip(steps, dilation, strict=True)]
    taps = offsets(kernel[:-1], apart[:-1]) if joined else offsets(kernel, apart)
    k = inputs * (kernel[-1] if joined else 1)
    x = _with_room(builder, x, k)
    rows = offsets(
        (shape[0], *shape[2:]),
        (x.strides[0], *[s * t for s, t in zip(steps, stride, strict=True)]),
    )
    per_group = len(w) // groups
    order = (*range(2, count + 2), 1, 0)
    given = [
        w[g * per_group : (g + 1) * per_group].transpose(order).reshape(len(taps), k, per_group)
        for g in range(groups)
    ]
    matrices, parts, sums = centred(given, zeros)
    tile = tile_of(per_group)
    size = -(-per_group // tile.columns) * tile.columns * fours(k) * len(taps) * parts
    starts = None
    if groups > 1:
        starts = np.stack([np.arange(groups) * inputs, np.arange(groups) * size], axis=1)
    return IntegerProduct(
        builder, f"int8 conv {'x'.join(map(str, kernel))}", shape, last(count), (), 1, x, rows,
        np.tile(taps, parts), fours(k), Matrices(matrices, tile), bias, starts, groups,
        sums=sums, zero=zero,
    )  # fmt: skip


class IntegerDepthwise(Depthwise):
    """One filter for each channel: the sums are whole numbers that float32 holds."""

    leaf = SUM

    def __init__(
        self, builder: Builder, shape: tuple[int, ...], x: View, w: Array, b: Array | None,
        stride: Any, dilation: Any, zero: int,
    ) -> None:  # fmt: skip
        super().__init__(builder, shape, x, w, None, stride, dilation)
        own = np.zeros(shape[1], np.int32) if b is None else b
        sums = w.reshape(len(w), -1).sum(axis=1).astype(np.int64)
        self.whole_bias = (own - zero * sums).astype(np.int32)

    def takes(self, value: Lazy) -> bool:
        fits = all(self.kind(v) is not None for v in value.operands)
        return fits and result_of(value.tree, value.dtype) is not None

    def emit(self, tree: Tree, operands: Any, out: View | None) -> View:
        dtype, tree = stored(tree)
        target = out
        if out is None or out.strides[1] != 1:
            target = self.builder.new(self.shape, dtype, last(len(self.shape) - 2))
        assert target is not None
        weights = np.ascontiguousarray(self.weights)
        self.write(target, weights, self.builder.constant(self.whole_bias), tree, operands)
        return target if out is None or out is target else self.builder.copy(target, out)
