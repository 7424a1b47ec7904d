"""A convolution of 3x3 windows by Winograd's transforms, as steps of a plan.

Tiles go through in blocks whose transformed inputs and products stay in the second-level cache:
transform, products, transform back with the fused expression, and the next block.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ....threads import get_num_threads
from ..brgemm import SPLIT_ROWS, product, tile_of
from ..brgemm import Spec as ProductSpec
from ..expressions import ACC, Tree
from ..gemm import tiles
from ..winograd import Spec, Transform, after, before
from .builder import FLOAT, Builder, Producer, broadcast, named
from .folding import folded
from .places import Array, View, Word
from .products import constant_panels

_CACHE = 768 << 10  # bytes of a core's second-level cache that a block may take
_LEAST = 24  # tiles in a block


class Winograd(Producer):
    """``tree(bias + convolution)`` of a padded input with channels last."""

    column = 1

    def __init__(
        self, builder: Builder, shape: tuple[int, ...], x: View, w: Array, b: Array | None,
        transform: Transform,
    ) -> None:  # fmt: skip
        self.builder, self.shape, self.x, self.w, self.b = builder, shape, x, w, b
        self.transform = transform
        self.label = builder.label

    def place(self) -> View:
        return self.builder.new(self.shape, FLOAT, (0, 2, 3, 1))

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        target = out if out is not None and out.strides[1] == 1 else self.place()
        outer, self.builder.label = self.builder.label, self.label
        self._steps(tree, operands, target)
        self.builder.label = outer
        if out is not None and out is not target:
            return self.builder.copy(target, out)
        return target

    def _steps(self, tree: Tree, operands: Sequence[View], out: View) -> None:
        builder, transform = self.builder, self.transform
        images, n, rows, columns = self.shape
        rest = folded(tree, operands, self.kind, n)
        tree, operands = rest.tree, rest.operands
        weights, bias = rest.weights(self.w, 0), rest.bias(self.b, n)
        c, m = self.w.shape[1], transform.outputs
        per_row, per_column = -(-columns // m), -(-rows // m)
        count, matrices = images * per_row * per_column, transform.size**2
        block = _block(count, matrices, c, n)
        v_apart, m_apart = _apart(block * c), _apart(block * n)
        tile = tile_of(n)
        panels = constant_panels(builder, [*transform.filters(weights)], tile)
        v, products = builder.new((matrices, v_apart)), builder.new((matrices, m_apart))
        kinds = tuple(self.kind(view) or "" for view in operands)
        spec = Spec(transform, tree, kinds)
        nothing = builder.table(np.zeros(panels.count * tile.columns, np.float32))
        starts = np.arange(matrices)
        zero = np.zeros_like(starts)
        table = builder.table(
            np.stack([starts * m_apart, starts * v_apart, starts * panels.size, zero], axis=1)
        )
        x_steps = [self.x.strides[d] for d in (0, 2, 3)]
        to_steps = [out.strides[d] for d in (0, 2, 3)]
        for start in range(0, count, block):
            size = min(block, count - start)
            first: list[Word] = [
                v.place, self.x.place, start, size, per_row, per_row * per_column, c, *x_steps,
                v_apart,
            ]  # fmt: skip
            builder.emit("winograd input", before(transform), first, [self.x], v)
            low, large, small = tiles(size, tile.rows)
            words: list[Word] = [
                products.place, v.place, panels.view.place, nothing,
                builder.table((np.arange(block) * c).astype(np.int32)),
                builder.table((np.arange(block) * n).astype(np.int32)),
                builder.table(np.zeros(1, np.int64)), 1, c, n, large, small, panels.count,
                large + small, SPLIT_ROWS, matrices, table,
            ]  # fmt: skip
            kernel = product(ProductSpec(tile, low, batched=True))
            builder.emit(
                "winograd product", kernel, words, [v, panels.view], products,
                flops=2.0 * matrices * size * c * n,
            )  # fmt: skip
            final: list[Word] = [
                out.place, products.place, builder.constant(bias).place, start, size, per_row,
                per_row * per_column, n, rows, columns, *to_steps, m_apart,
            ]  # fmt: skip
            for view in operands:
                strides = broadcast(view, self.shape)
                final += [view.place, *[strides[d] for d in (0, 2, 3)]]
            builder.emit(
                named("winograd output", tree), after(spec), final, [products, *operands], out
            )


def _block(count: int, matrices: int, c: int, n: int) -> int:
    """How many tiles go through at once, so that least is moved to and from the caches.

    Each block reads all weights again; a block whose tiles do not stay in the cache writes and
    reads them there once more.
    """
    cache, weights = _CACHE * get_num_threads(), matrices * c * n * 4
    tile = matrices * (c + n) * 4

    def moved(blocks: int) -> int:
        spilled = 2 * count * tile if -(-count // blocks) * tile > cache else 0
        return blocks * (weights if weights > cache // 2 else 0) + spilled

    most = max(1, count // _LEAST)
    fitting = max(1, min(-(-count * tile // cache), most))
    best = min((1, fitting), key=moved)
    return -(-count // best)


def _apart(elements: int) -> int:
    """A distance between matrices that does not put them all in the same places of a cache."""
    whole = -(-elements // 16) * 16
    return whole + 16 if whole % 256 == 0 else whole


def fits(shape: Sequence[int], w: Array) -> bool:
    """Whether the transforms save time: enough channels to multiply, and pixels to share them."""
    return min(w.shape[:2]) >= 16 and prod(shape[2:]) >= 16


__all__ = ["ACC", "Winograd", "fits"]
