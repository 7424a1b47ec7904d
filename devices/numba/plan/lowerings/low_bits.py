"""Products with constant weights of few bits, or of 16, and what follows them, in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref
from .....threads import get_num_threads
from ... import lowbit
from ...brgemm import SPLIT_PANELS, product
from ...brgemm import Spec as ProductSpec
from ...expressions import ACC, Tree
from ...gemm import tiles
from ...halves import HALVES, has
from ...llvm import made_by
from ...low_bits import MANY, Operands, halves, operands
from ...lowbit_panels import panels_ir, room, tile_of
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
from ..places import Array, View, Word
from ..products import matrix_rows, offsets

_BLOCK = 448 << 10  # bytes of x that stay in the second-level cache


def _pitch(shape: Sequence[int], strides: Sequence[int]) -> int | None:
    """How far rows are apart, if all are alike."""
    starts = offsets(shape[:-1], strides[:-1])
    pitch = int(starts[1]) if len(starts) > 1 else 0
    return pitch if np.array_equal(starts, np.arange(len(starts)) * pitch) else None


@dataclass(eq=False)
class LowBits(Producer):
    """``tree(x @ W.T + bias)`` for a constant W."""

    builder: Builder
    shape: tuple[int, ...]
    a: View
    rows: Array  # where each row of x begins, in elements
    w: Operands
    bias: Array | None

    def __post_init__(self) -> None:
        self.column = len(self.shape) - 1
        self.label = self.builder.label
        self.m = prod(self.shape[:-1])

    def kind(self, view: View) -> str | None:
        found = super().kind(view)
        if found == "full" and _pitch(self.shape, broadcast(view, self.shape)) is None:
            return None
        return found

    def place(self) -> View:
        return self.builder.new(self.shape)

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        target = out
        alike = out is not None and _pitch(out.shape, out.strides) is not None
        if out is None or not alike or (self.w.n > 1 and out.strides[-1] != 1):
            target = self.place()
        assert target is not None
        before, self.builder.label = self.builder.label, self.label
        (self._panels if self.m >= MANY else self._rows)(target, tree, operands)
        self.builder.label = before
        return self.builder.copy(target, out) if out is not None and out is not target else target

    def _stored(self) -> tuple[list[View], list[Word]]:
        """The arrays of W, and their addresses."""
        w = self.w
        views = [
            None if a is None else self.builder.constant(a) for a in (w.codes, w.scales, w.zeros)
        ]
        return [v for v in views if v], [v.place if v else 0 for v in views]

    def _term(self, count: int) -> Word:
        """The bias, with zeros up to a number of columns."""
        wide = np.zeros(count, np.float32)
        if self.bias is not None:
            wide[: self.w.n] = self.bias
        return self.builder.table(wide)

    def _name(self, tree: Tree) -> str:
        w = self.w.weights
        return named(f"linear {w.scales if w.bits == 16 else f'{w.bits} bits'}", tree)

    def _rows(self, target: View, tree: Tree, given: Sequence[View]) -> None:
        builder, w, m = self.builder, self.w, self.m
        length = w.pieces * w.weights.piece
        x = builder.new((m * length,))
        builder.emit(
            "spread", made_by(lowbit.spread_ir, w.weights, self.a.dtype.name),
            [x.place, self.a.place, builder.table(self.rows.astype(np.int32)), m, w.k, w.pieces],
            [self.a], x,
        )  # fmt: skip
        rows, large, small = tiles(m, lowbit.tile_rows()[1])
        kinds = tuple(self.kind(v) or "" for v in given)
        stored, places = self._stored()
        words: list[Word] = [
            target.place, x.place, *places, self._term(w.n),
            _pitch(target.shape, target.strides) or 0, length, w.row, w.groups, w.n, *w.cut,
            large, small,
        ]  # fmt: skip
        for view in given:
            words += [view.place, _pitch(self.shape, broadcast(view, self.shape)) or 0]
        spec = lowbit.Spec(w.weights, rows, tree, kinds)
        builder.emit(
            self._name(tree), made_by(lowbit.rows_ir, spec), words, [x, *stored, *given], target,
            flops=2.0 * m * w.n * w.k,
        )  # fmt: skip

    def _panels(self, target: View, tree: Tree, given: Sequence[View]) -> None:
        builder, w, m, tile = self.builder, self.w, self.m, tile_of()
        count = -(-w.n // tile.columns)
        rows, large, small = tiles(m, tile.rows)
        kinds = tuple(self.kind(v) or "" for v in given)
        words: list[Word] = [
            target.place, self.a.place, 0, self._term(count * tile.columns),
            builder.table(self.rows.astype(np.int32)), self._table(target),
            builder.table(np.zeros(1, np.int64)), 1, w.k, w.n, large, small, count,
            max(1, _BLOCK // (4 * w.k * tile.rows)), SPLIT_PANELS, 1, 0,
        ]  # fmt: skip
        for view, kind in zip(given, kinds, strict=True):
            words += [view.place, self._table(view) if kind == "full" else 0]
        stored, places = self._stored()
        most, size = get_num_threads(), room(w.weights, w.k)
        memory = builder.new((most * size // 4,))
        builder.emit(
            self._name(tree), made_by(panels_ir, w.weights, len(words)),
            [
                builder.block(words), product(ProductSpec(tile, rows, tree, kinds)), memory.place,
                size, most, *places, w.row, w.groups, w.n, w.k, *w.cut, count,
            ],
            [self.a, *stored, *given], target, flops=2.0 * m * w.n * w.k, also=[memory.buffer],
        )  # fmt: skip

    def _table(self, view: View) -> Word:
        found = offsets(self.shape[:-1], broadcast(view, self.shape)[:-1])
        return self.builder.table(found.astype(np.int32))


def _given(builder: Builder, call: Arguments, left: Any, w: Operands, bias: Any) -> str | None:
    """The product as a call's result, in the dtype of its input."""
    dtype = builder.dtype_of(left)
    assert dtype is not None
    if 0 in builder.shape(left) or not w.n:
        return "no elements"
    view = builder.view(left)
    if dtype != FLOAT and prod(view.shape[:-1]) >= MANY:
        view = builder.view(Lazy(("in", 0), (view,), view.shape))
    a, rows = matrix_rows(builder, view, 0)
    shape = (*a.shape[:-1], w.n)
    term = None if bias is None else array_of(bias).astype(np.float32)
    made = LowBits(builder, shape, a, rows, w, term)
    tree: Tree = ACC if dtype == FLOAT else (f"f.{dtype.name}", ACC)
    builder.give(call.output, Lazy(tree, (), shape, made, dtype))
    return None


@lowering("quantized_linear")
def quantized_linear(builder: Builder, call: Arguments) -> str | None:
    """``input @ dequantize(codes, scales, zeros).T + bias``."""
    names = ("codes", "scales", "zeros", "bias")
    if any(isinstance(call.get(name), Ref) for name in names):
        return "weights that are computed"
    dtype = builder.dtype_of(call["input"])
    assert dtype is not None
    if dtype != FLOAT and not (dtype.name in HALVES and has(dtype.name)):
        return f"{dtype}"
    codes, scales, zeros = (
        None if call.get(name) is None else array_of(call[name]) for name in names[:3]
    )
    assert codes is not None and scales is not None
    k = builder.shape(call["input"])[-1]
    w = operands(codes, scales, zeros, call.get("bits", 4), call.get("group_size", 32), k)
    return w if isinstance(w, str) else _given(builder, call, call["input"], w, call.get("bias"))


def by_halves(builder: Builder, call: Arguments, left: Any, weight: Array, bias: Any) -> str | None:
    """Rows times the transpose of a constant matrix of 16-bit floats."""
    if not has(weight.dtype.name) or builder.dtype_of(left) != weight.dtype:
        return "several dtypes, or one that this processor does not read"
    if 0 in weight.shape:
        return "no elements"
    return _given(builder, call, left, halves(weight), bias)
