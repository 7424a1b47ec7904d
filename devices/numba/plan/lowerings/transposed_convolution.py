"""Transposed convolutions as one product for each phase of the output.

The outputs ``r, r + s, r + 2 s...`` along a dimension of stride s see only every s-th element of
the kernel: they are a convolution of stride 1 whose taps these are (sub-pixel convolution; Shi et
al., 2016). No element is written twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from .....ops.dims import pair
from .....ops.spatial import pads_of
from .....ops.trace import Ref
from ...brgemm import tile_of
from ...expressions import ACC, Tree, operand, replaced, weight
from ...llvm import target
from ..builder import FLOAT, Arguments, Builder, Lazy, Producer, array_of, broadcast, lowering
from ..places import Array, View
from ..products import Matrices, Product, offsets
from .convolution import last, padded

_SHORT = 6  # vector instructions that are worth doing for a part of a vector


def _lower(builder: Builder, call: Arguments, count: int) -> str | None:
    weights, bias, name = call["weight"], call.get("bias"), call.call.name
    if isinstance(weights, Ref) or isinstance(bias, Ref):
        return "weights that are computed"
    w = array_of(weights)
    shape = builder.shape(call["input"])
    if builder.dtype_of(call["input"]) != FLOAT or w.dtype != FLOAT:
        return "not float32"
    if len(shape) != count + 2 or 0 in shape:
        return "no batch of images"
    result = builder.trace.values[call.output].shape
    stride = pair(call.get("stride", 1), count, name)
    spread = pair(call.get("dilation", 1), count, name)
    begins = [begin for begin, _ in pads_of(call.get("padding", 0), count, name)]
    phases = [
        [_taps(r, *along) for r in range(along[0])]
        for along in zip(stride, spread, begins, w.shape[2:], strict=True)
    ]
    pads = []
    for along, size, wanted, step in zip(phases, shape[2:], result[2:], stride, strict=True):
        reach = [
            (place, -(-(wanted - r) // step) - 1 + place)
            for r, taps in enumerate(along) for _, place in taps if wanted > r
        ]  # fmt: skip
        low = min([first for first, _ in reach], default=0)
        high = max([end for _, end in reach], default=0)
        pads.append((max(0, -low), max(0, high - size + 1)))
    x = padded(builder, call["input"], pads)
    begin = sum(a * s for (a, _), s in zip(pads, x.strides[2:], strict=True))
    groups = call.get("groups", 1)
    made = Transposed(
        builder, result, x, begin, w, None if bias is None else array_of(bias), stride, phases,
        groups,
    )  # fmt: skip
    builder.give(call.output, Lazy(ACC, (), result, made))
    return None


def _taps(r: int, stride: int, spread: int, begin: int, kernel: int) -> list[tuple[int, int]]:
    """The elements of the kernel that outputs of a phase see, and which input each is times."""
    return [
        (k, (r + begin - k * spread) // stride)
        for k in range(kernel)
        if not (r + begin - k * spread) % stride
    ]


class Transposed(Producer):
    """The products of all phases, each with the expression behind it."""

    column = 1

    def __init__(
        self, builder: Builder, shape: tuple[int, ...], x: View, begin: int, w: Array,
        b: Array | None, stride: Sequence[int], phases: Any, groups: int,
    ) -> None:  # fmt: skip
        self.builder, self.shape, self.x, self.begin = builder, shape, x, begin
        self.w, self.b, self.stride, self.phases, self.groups = w, b, stride, phases, groups

    def kind(self, view: View) -> str | None:
        if self.groups > 1 or broadcast(view, self.shape)[0]:
            return None
        return super().kind(view)

    def place(self) -> View:
        return self.builder.new(self.shape, FLOAT, last(len(self.shape) - 2))

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        target_view = out
        if out is None or (self.shape[1] > 1 and out.strides[1] != 1):
            target_view = self.place()
        assert target_view is not None
        if weight(tree) > _SHORT and self.shape[1] < target().lanes:
            base = self.emit(ACC, (), None)
            behind = replaced(tree, {ACC: operand(len(operands))})
            found = self.builder.view(Lazy(behind, (*operands, base), self.shape), target_view)
        else:
            for phase in product(*[range(s) for s in self.stride]):
                self._phase(phase, tree, operands, target_view)
            found = target_view
        return found if out is None or out is found else self.builder.copy(found, out)

    def _phase(
        self, phase: tuple[int, ...], tree: Tree, operands: Sequence[View], out: View
    ) -> None:
        part = self._part(out, phase)
        if 0 in part.shape:
            return
        along = [taps[r] for taps, r in zip(self.phases, phase, strict=True)]
        taps = list(product(*along))
        steps = self.x.strides[2:]
        per_group = self.w.shape[1]
        inputs = len(self.w) // self.groups
        places = [
            sum(place * s for (_, place), s in zip(tap, steps, strict=True)) for tap in taps
        ]  # fmt: skip
        lowest = min(places, default=0)
        matrices = []
        for g in range(self.groups):
            rows = self.w[g * inputs : (g + 1) * inputs]
            parts = [rows[(slice(None), slice(None), *[k for k, _ in tap])] for tap in taps]
            matrices.append(np.concatenate(parts or [np.zeros((inputs, per_group), np.float32)]))
        b_of = Matrices(matrices, tile_of(per_group))
        starts = None
        if self.groups > 1:
            numbers = np.arange(self.groups)
            starts = np.stack([numbers * inputs, numbers * b_of.size], axis=1)
        x, rows_of_a = (
            self.x,
            offsets((part.shape[0], *part.shape[2:]), (self.x.strides[0], *steps)),
        )
        rows_of_a += self.begin + lowest
        if not taps:  # nothing but the bias, whatever the input is
            x, rows_of_a = self.builder.constant(np.zeros(len(self.w), np.float32)), rows_of_a * 0
        name = f"conv transposed {'x'.join(map(str, self.w.shape[2:]))}"
        Product(
            self.builder, name, part.shape, last(len(part.shape) - 2), (), 1, x,
            rows_of_a, np.array(places or [0], np.int64) - lowest, inputs,
            b_of, self.b, starts, self.groups,
        ).emit(tree, [self._part(v, phase) for v in operands], part)  # fmt: skip

    def _part(self, view: View, phase: tuple[int, ...]) -> View:
        """The elements of a phase, of the result or of an operand."""
        shape, strides, offset = list(view.shape), list(view.strides), view.offset
        for i, (r, s) in enumerate(zip(reversed(phase), reversed(self.stride), strict=True)):
            dim = len(shape) - 1 - i
            if dim < 0 or (shape[dim] == 1 and self.shape[len(self.shape) - 1 - i] != 1):
                continue
            offset += r * strides[dim] * view.dtype.itemsize if shape[dim] > r else 0
            shape[dim] = max(0, -(-(shape[dim] - r) // s))
            strides[dim] *= s
        return View(view.buffer, tuple(shape), tuple(strides), view.dtype, offset)


def _register(count: int) -> None:
    @lowering(f"nn.functional.conv_transpose{count}d")
    def lower(builder: Builder, call: Arguments) -> str | None:
        return _lower(builder, call, count)


for _count in (1, 2, 3):
    _register(_count)
