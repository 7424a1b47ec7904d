"""Convolutions with channels last: products whose rows are output pixels."""

from __future__ import annotations

import os
from math import prod
from typing import Any

import numpy as np

from .....ops.convolution import prepared
from .....ops.spatial import window_counts
from .....ops.trace import Ref
from ...border import border
from ...brgemm import tile_of
from ...depthwise_last import PIXELS, depthwise
from ...depthwise_last import Spec as DepthwiseSpec
from ...expressions import ACC, Tree
from ...gemm import tiles
from ...winograd import F2, F4, Transform
from ..builder import (
    FLOAT,
    Arguments,
    Builder,
    Lazy,
    Producer,
    array_of,
    broadcast,
    lowering,
    named,
)
from ..folding import folded
from ..places import Array, View, Word
from ..products import Matrices, Product, offsets
from ..winograd import Winograd, fits

_BAND = 14  # rows that a depthwise convolution does before it goes on to other channels


def last(count: int) -> tuple[int, ...]:
    """The dimensions of a batch with ``count`` spatial ones, channels innermost."""
    return (0, *range(2, count + 2), 1)


def channels_last(builder: Builder, argument: Any) -> View:
    """An argument whose channels lie in one piece, pixel by pixel."""
    found = builder.view(argument)
    if found.shape[1] == 1 or found.strides[1] == 1:
        return found
    return builder.ordered(found, last(len(found.shape) - 2))


def padded(builder: Builder, argument: Any, pads: Any, fill: View | None = None) -> View:
    """An argument with zeros or a byte around it; what computes it writes between them at once."""
    if not any(p for pair in pads for p in pair):
        return channels_last(builder, argument)
    shape = builder.shape(argument)
    sizes = [n + a + b for n, (a, b) in zip(shape[2:], pads, strict=True)]
    dtype = builder.dtype_of(argument) or FLOAT
    whole = builder.new((*shape[:2], *sizes), dtype, last(len(sizes)))
    begin = sum(a * s for (a, _), s in zip(pads, whole.strides[2:], strict=True))
    inside = View(whole.buffer, shape, whole.strides, dtype, begin * dtype.itemsize)
    pixel = shape[1] * dtype.itemsize
    byte = builder.table(np.zeros(1, np.uint8)) if fill is None else fill.place
    reads = [] if fill is None else [fill]
    if len(sizes) <= 2:
        (rows, (top, bottom)), (columns, (left, right)) = (
            zip(sizes, pads, strict=True) if len(sizes) == 2
            else ((1, (0, 0)), (sizes[0], pads[0]))
        )  # fmt: skip
        words: list[Word] = [
            whole.place, byte, shape[0], rows, columns, pixel, top, bottom, left, right
        ]  # fmt: skip
    else:
        words = [whole.place, byte, 1, 1, whole.size, dtype.itemsize, 0, 0, whole.size, 0]
    builder.emit("border", border(), words, reads, whole)
    builder.view(argument, inside)
    return whole


def precise() -> Transform | None:
    """The transform that the precision asked for allows."""
    return {"0": None, "4": F4}.get(os.environ.get("TENSORLITE_WINOGRAD", "2"), F2)


def _lower(builder: Builder, call: Arguments, count: int) -> str | None:
    given = call.given
    weight, bias = given["weight"], given.get("bias")
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        return "weights that are computed"
    if builder.dtype_of(given["input"]) != FLOAT or array_of(weight).dtype != FLOAT:
        return "not float32"
    shape = builder.shape(given["input"])
    if len(shape) != count + 2 or 0 in shape:
        return "no batch of images"
    w, b = array_of(weight), None if bias is None else array_of(bias)
    example = builder.trace.values[given["input"].index]
    options = {k: v for k, v in given.items() if k in ("stride", "padding", "dilation", "groups")}
    _, stride, pads, dilation, groups = prepared(call.call.name, count, example, w, b, **options)
    counts = window_counts(call.call.name, shape[2:], w.shape[2:], stride, pads, dilation)
    result = (shape[0], len(w), *counts)
    plain = w.shape[2:] == (3, 3) and stride == dilation == (1, 1) and groups == 1
    transform = precise() if plain and fits(result, w) else None
    if transform is not None:
        m = transform.outputs
        pads = tuple((a, b + -n % m) for (a, b), n in zip(pads, counts, strict=True))
    x = padded(builder, given["input"], pads)
    if transform is not None:
        made: Producer = Winograd(builder, result, x, w, b, transform)
    elif groups > 1 and w.shape[1] == 1 and len(w) == groups and count <= 2:
        made = Depthwise(builder, result, x, w, b, stride, dilation)
    else:
        made = _product(builder, result, x, w, b, stride, dilation, groups)
    builder.give(call.output, Lazy(ACC, (), result, made))
    return None


def _product(
    builder: Builder, shape: tuple[int, ...], x: View, w: Array, b: Array | None, stride: Any,
    dilation: Any, groups: int,
) -> Product:  # fmt: skip
    """A convolution as a product over the taps of its windows."""
    count = len(shape) - 2
    inputs, kernel = w.shape[1], w.shape[2:]
    steps = x.strides[2:]
    joined = dilation[-1] == 1 and steps[-1] == inputs and groups == 1
    apart = [s * d for s, d in zip(steps, dilation, strict=True)]
    taps = offsets(kernel[:-1], apart[:-1]) if joined else offsets(kernel, apart)
    k = inputs * (kernel[-1] if joined else 1)
    rows = offsets(
        (shape[0], *shape[2:]),
        (x.strides[0], *[s * t for s, t in zip(steps, stride, strict=True)]),
    )
    per_group = len(w) // groups
    order = (*range(2, count + 2), 1, 0)
    matrices = [w[g * per_group : (g + 1) * per_group].transpose(order) for g in range(groups)]
    b_of = Matrices(matrices, tile_of(per_group))
    starts = None
    if groups > 1:
        starts = np.stack([np.arange(groups) * inputs, np.arange(groups) * b_of.size], axis=1)
    name = f"conv {'x'.join(map(str, kernel))}"
    return Product(
        builder, name, shape, last(count), (), 1, x, rows, taps, k, b_of, b, starts, groups
    )


class Depthwise(Producer):
    """One filter for each channel."""

    column = 1

    def __init__(
        self, builder: Builder, shape: tuple[int, ...], x: View, w: Array, b: Array | None,
        stride: Any, dilation: Any,
    ) -> None:  # fmt: skip
        self.builder, self.shape, self.x = builder, shape, x
        self.label = builder.label
        self.weights = w.reshape(len(w), -1).T  # a row of channels for each tap
        self.bias = b
        apart = [s * d for s, d in zip(x.strides[2:], dilation, strict=True)]
        self.taps = offsets(w.shape[2:], apart)
        self.width, self.apart = w.shape[-1], apart[-1]
        self.stride = stride

    def place(self) -> View:
        return self.builder.new(self.shape, FLOAT, last(len(self.shape) - 2))

    def _steps(self, strides: Any) -> list[int]:
        """The strides of the batch, of rows and of columns."""
        middle = [*strides[2:]] if len(strides) == 4 else [0, strides[2]]
        return [strides[0], *middle]

    def emit(self, tree: Tree, operands: Any, out: View | None) -> View:
        target = out if out is not None and out.strides[1] == 1 else self.place()
        rest = folded(tree, operands, self.kind, self.shape[1])
        weights = np.ascontiguousarray(rest.weights(self.weights, 1))
        bias = self.builder.constant(rest.bias(self.bias, self.shape[1]))
        self.write(target, weights, bias, rest.tree, rest.operands)
        if out is not None and out is not target:
            return self.builder.copy(target, out)
        return target

    def write(self, target: View, weights: Array, bias: View, tree: Tree, operands: Any) -> None:
        """The step that gives ``target``."""
        kinds = tuple(self.kind(v) or "" for v in operands)
        sizes = [*self.shape[2:]] if len(self.shape) == 4 else [1, self.shape[2]]
        stride = [*self.stride] if len(self.stride) == 2 else [1, *self.stride]
        x_steps = self._steps(self.x.strides)
        pixels, large, small = tiles(sizes[1], PIXELS)
        builder = self.builder
        words: list[Word] = [
            target.place, self.x.place, builder.constant(weights).place, bias.place,
            builder.table(self.taps.astype(np.int64)),
            self.shape[0], sizes[0], min(sizes[0], _BAND), self.shape[1], large, small,
            *self._steps(target.strides), x_steps[0], x_steps[1] * stride[0],
            x_steps[2] * stride[1], self.apart,
        ]  # fmt: skip
        for view in operands:
            words += [view.place, *self._steps(broadcast(view, self.shape))]
        # Windows share what lies at multiples of the distance between taps.
        shares = self.apart and x_steps[2] * stride[1] % self.apart == 0
        step = x_steps[2] * stride[1] // self.apart if shares else 0
        width = self.width if 0 < step <= 2 else 1
        spec = DepthwiseSpec(
            len(self.taps), width, step if width > 1 else 0, pixels, tree, kinds,
            self.x.dtype.name, target.dtype.name,
        )  # fmt: skip
        before, builder.label = builder.label, self.label
        builder.emit(
            named("depthwise", tree), depthwise(spec), words, [self.x, bias, *operands], target,
            flops=2.0 * len(self.taps) * prod(self.shape),
        )  # fmt: skip
        builder.label = before


def _register(count: int) -> None:
    @lowering(f"nn.functional.conv{count}d")
    def convolution(builder: Builder, call: Arguments) -> str | None:
        return _lower(builder, call, count)


for _count in (1, 2, 3):
    _register(_count)
