"""The product as a producer: what matrix products and convolutions have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ..brgemm import BYTES, SPLIT_BATCH, SPLIT_PANELS, SPLIT_ROWS, Spec, product
from ..expressions import ACC, Tree, weight
from ..gemm import Tile, pack, tiles
from ..packing import packing
from .builder import FLOAT, Builder, Producer, broadcast, named
from .folding import folded
from .places import Array, Place, View, Word, contiguous_strides

_BLOCK = 448 << 10  # bytes of A that stay in the second-level cache
_FEW = 12  # tiles below which work is split by panels


def offsets(shape: Sequence[int], strides: Sequence[int]) -> Array:
    """How far each element is from the first, in elements.

    >>> offsets((2, 3), (10, 1)).tolist()
    [0, 1, 2, 10, 11, 12]
    """
    found = np.zeros(1, np.int64)
    for size, step in zip(shape, strides, strict=True):
        found = np.add.outer(found, np.arange(size, dtype=np.int64) * step).reshape(-1)
    return found


@dataclass
class Matrices:
    """Constant B's of one product or of groups, packed when the product is written.

    Views of the weights, (..., n): as matrices they would be copies.
    """

    arrays: list[Array]
    tile: Tile

    @property
    def n(self) -> int:
        return int(self.arrays[0].shape[-1])

    @property
    def depth(self) -> int:
        """The rows of one as a matrix."""
        return self.arrays[0].size // self.n

    @property
    def count(self) -> int:
        return -(-self.n // self.tile.columns)

    @property
    def size(self) -> int:
        """The elements of one, packed."""
        return self.count * self.tile.columns * self.depth

    def joined(self) -> Array:
        """The matrices side by side."""
        flat = [array.reshape(-1, self.n) for array in self.arrays]
        return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


@dataclass
class Panels:
    """B in panels: a constant, or packed by the plan; for a batch one after another."""

    view: View
    tile: Tile
    k: int  # of all taps
    n: int

    @property
    def count(self) -> int:
        return -(-self.n // self.tile.columns)

    @property
    def wide(self) -> int:
        """The columns, with those beyond the last that fill its panel."""
        return self.count * self.tile.columns

    @property
    def size(self) -> int:
        """The elements of one matrix."""
        return self.count * self.tile.columns * self.k


def constant_panels(builder: Builder, matrices: Sequence[Array], tile: Tile) -> Panels:
    """Constant matrices (k, n), packed now; equal ones, such as those of each time step, once."""
    k, n = matrices[0].shape
    size = -(-n // tile.columns) * tile.columns * k
    joined = np.empty(len(matrices) * size, np.float32)
    for i, matrix in enumerate(matrices):
        whole = matrix if _in_rows(matrix) else np.ascontiguousarray(matrix)
        pack(whole, tile, joined[i * size : (i + 1) * size])
    # A few numbers tell most panels apart; those alike are compared.
    key = tile, k, n, joined[:: joined.size // 64 + 1].tobytes()
    alike = builder.panels.setdefault(key, [])
    for panels in alike:
        if np.array_equal(panels.view.buffer.array, joined):
            return panels
    alike.append(Panels(builder.constant(joined), tile, k, n))
    return alike[-1]


def _in_rows(matrix: Array) -> bool:
    """Whether the rows or the columns of a matrix lie in one piece each."""
    return any(
        matrix.strides[i] == 4 and matrix.strides[1 - i] >= 4 * matrix.shape[i] for i in (0, 1)
    )


def packed_panels(builder: Builder, b: View, batch: Sequence[int], tile: Tile) -> Panels:
    """Matrices that the plan computes, ``(*batch, k, n)``: a step packs them each time."""
    k, n = b.shape[-2:]
    transposed = b.strides[-1] != 1 and n != 1
    if transposed and b.strides[-2] != 1 and k != 1:
        b = builder.ordered(b)
        transposed = False
    row = b.strides[-1] if transposed else b.strides[-2]
    count = -(-n // tile.columns)
    size = count * tile.columns * k
    lead = broadcast(View(b.buffer, b.shape[:-2], b.strides[:-2], b.dtype), batch)
    starts = np.stack([np.arange(prod(batch)) * size, offsets(batch, lead)], axis=1)
    view = builder.new((prod(batch) * size,))
    words: list[Word] = [
        view.place, b.place, builder.table(starts.astype(np.int64)), k, n, row, count, prod(batch),
    ]  # fmt: skip
    builder.emit("pack", packing(tile, transposed), words, [b], view)
    return Panels(view, tile, k, n)


@dataclass(eq=False)
class Product(Producer):
    """``C = tree(bias + A @ B)``; C's dimensions are a batch, rows and one of columns."""

    builder: Builder
    name: str
    shape: tuple[int, ...]
    order: tuple[int, ...]  # C's dimensions in memory, from outside to inside
    batch: tuple[int, ...]  # the dimensions that count products
    column: int  # the dimension of the columns
    a: View
    rows: Array  # where each row of A begins, in elements
    taps: Array
    k: int  # steps of a tap
    b: Panels | Matrices
    bias: Array | None = None
    starts: Array | None = None  # of a batch: where each product's A and B begin
    groups: int = 1  # of the columns' dimension, each a product of its own
    label: str = field(default="")

    def __post_init__(self) -> None:
        self.label = self.builder.label
        self.row_dims = [
            d for d in range(len(self.shape)) if d != self.column and d not in self.batch
        ]

    def kind(self, view: View) -> str | None:
        steps = broadcast(view, self.shape)
        if self.groups > 1 or any(steps[d] for d in self.batch):
            return None
        if view.dtype.name in BYTES:
            alone = self.shape[self.column] > 1 and steps[self.column] != 1
            return None if alone or not any(steps) else view.dtype.name
        return super().kind(view)

    def place(self) -> View:
        return self.builder.new(self.shape, FLOAT, self.order)

    def _table(self, strides: Sequence[int]) -> Place:
        """Where each row begins, for something with C's rows."""
        shape = [self.shape[d] for d in self.row_dims]
        found = offsets(shape, [strides[d] for d in self.row_dims])
        return self.builder.table(found.astype(np.int32))

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        b, bias = self.b, self.bias
        if isinstance(b, Matrices):
            n = b.n * self.groups
            rest = folded(tree, operands, self.kind, n)
            tree, operands, bias = rest.tree, rest.operands, rest.bias(self.bias, n)
            scaled = rest.weights(b.joined(), 1)
            b = constant_panels(self.builder, np.split(scaled, self.groups, axis=1), b.tile)
        wide = np.zeros(b.wide * self.groups, np.float32)
        if bias is not None:
            for g in range(self.groups):
                wide[g * b.wide :][: b.n] = bias[g * b.n : (g + 1) * b.n]
        target = out
        if out is None or (self.shape[self.column] > 1 and out.strides[self.column] != 1):
            target = self.place()
        assert target is not None
        self.write(target, b, self.builder.table(wide), tree, operands, product)
        if out is not None and out is not target:
            return self.builder.copy(target, out)
        return target

    def write(
        self, target: View, b: Panels, bias: Place, tree: Tree, operands: Sequence[View],
        kernel: Callable[[Spec], int], reads: Sequence[View] = (), **of_spec: Any,
    ) -> None:  # fmt: skip
        """The step that gives ``target``, a number of the bias for each column of the panels."""
        builder, tile = self.builder, b.tile
        kinds = tuple(self.kind(v) or "" for v in operands)
        m = prod(self.shape[d] for d in self.row_dims)
        rows, large, small = tiles(m, tile.rows)
        batch = prod(self.shape[d] for d in self.batch) * self.groups
        spec = Spec(tile, rows, tree, kinds, len(self.taps) > 1, batch > 1, **of_spec)
        count = large + small
        blocks = -(-self.a.size * self.a.dtype.itemsize // batch // _BLOCK)
        split = SPLIT_ROWS if count >= _FEW or count >= b.count else SPLIT_PANELS
        if batch > 1:
            split = SPLIT_BATCH
        words: list[Word] = [
            target.place, self.a.place, b.view.place, bias,
            builder.table(self.rows.astype(np.int32)), self._table(target.strides),
            builder.table(self.taps.astype(np.int64)), len(self.taps), self.k, b.n, large,
            small, b.count, -(-count // max(blocks, 1)), split, batch, self._batch_table(target, b),
        ]  # fmt: skip
        for view, kind in zip(operands, kinds, strict=True):
            words.append(view.place)
            words.append(
                self._table(broadcast(view, self.shape)) if kind not in ("column", "one") else 0
            )
        over = next(
            (
                (target.buffer, v.buffer)
                for v in operands
                if v.strides == target.strides and v.shape == target.shape
                and v.dtype == target.dtype
                and v.offset == target.offset == 0
                and (weight(tree) <= 6 or target.dtype.itemsize == 1)
            ),
            None,
        )  # fmt: skip
        before, builder.label = builder.label, self.label
        builder.emit(
            named(self.name, tree), kernel(spec), words, [self.a, b.view, *reads, *operands],
            target, flops=2.0 * m * batch * b.k * b.n, over=over,
        )  # fmt: skip
        builder.label = before

    def _batch_table(self, target: View, b: Panels) -> Word:
        """How far the C, A, B and bias of each product are from the first's."""
        if self.starts is None:
            return 0
        shape = [self.shape[d] for d in self.batch]
        of_c = offsets(shape, [target.strides[d] for d in self.batch])
        of_bias = np.zeros_like(of_c)
        if self.groups > 1:
            of_c = np.arange(self.groups) * b.n
            of_bias = np.arange(self.groups) * b.wide
        found = np.stack([of_c, self.starts[:, 0], self.starts[:, 1], of_bias], axis=1)
        return self.builder.table(np.ascontiguousarray(found, np.int64))


def matrix_rows(builder: Builder, view: View, lead: int) -> tuple[View, Array]:
    """A view whose last dimension lies in one piece, and where the rows after ``lead`` begin."""
    if view.shape[-1] != 1 and view.strides[-1] != 1:
        view = builder.ordered(view)
    return view, offsets(view.shape[lead:-1], view.strides[lead:-1])


__all__ = ["ACC", "Panels", "Product", "constant_panels", "contiguous_strides", "matrix_rows",
           "offsets", "packed_panels"]  # fmt: skip
