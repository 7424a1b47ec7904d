"""Products of 8-bit integers as producers: weights and zero points made ready, sums in int32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ..brgemm_int8 import RESULTS, integer_product
from ..expressions import ACC, LEAVES, SUM, Tree, narrowed, replaced
from ..gemm import Tile
from .builder import Lazy
from .places import Array, Place, View
from .products import Matrices, Panels, Product

_FLOAT_OF_SUM: Tree = ("float_of", SUM)


def centred(matrices: Sequence[Array], zero: Array) -> tuple[list[Array], int, Array]:
    """Weights ``(taps, k, n)`` of each group minus zero points, one or one for each column of all.

    Differences may have 9 bits: what int8 does not hold is a further part with the same taps. Gives
    int8 matrices ``(parts * taps * k, n)``, the number of parts, and the sums of all columns.
    """
    n = matrices[0].shape[-1]
    zeros = np.broadcast_to(zero.reshape(-1).astype(np.int16), (n * len(matrices),))
    wide = [m.astype(np.int16) - zeros[g * n : (g + 1) * n] for g, m in enumerate(matrices)]
    sums = np.concatenate([w.sum(axis=(0, 1), dtype=np.int64) for w in wide])
    parts: list[list[Array]] = [[] for _ in wide]
    rests = wide
    while not parts[0] or any(rest.any() for rest in rests):
        for found, rest in zip(parts, rests, strict=True):
            found.append(np.clip(rest, -128, 127).astype(np.int8))
        rests = [rest - found[-1] for found, rest in zip(parts, rests, strict=True)]
    matrices = [np.concatenate(found).reshape(-1, n) for found in parts]
    return matrices, len(parts[0]), sums


def fours(k: int) -> int:
    """How many words of four numbers k numbers are."""
    return -(-k // 4)


def packed(matrix: Array, tile: Tile) -> Array:
    """A matrix ``(taps, k, n)`` in panels ``[tap][k / 4][columns][4]``, one after another."""
    taps, k, n = matrix.shape
    count = -(-n // tile.columns)
    whole = np.zeros((taps, fours(k) * 4, count * tile.columns), np.int8)
    whole[:, :k, :n] = matrix
    apart = whole.reshape(taps, fours(k), 4, count, tile.columns).transpose(3, 0, 1, 4, 2)
    return np.ascontiguousarray(apart).view(np.int32).reshape(-1)


@dataclass(eq=False)
class IntegerProduct(Product):
    """A product whose sums are integers; expressions behind it take them as float32.

    ``zero`` is the zero point of A, which the plan computes, or a number.
    """

    leaf = SUM
    sums: Array = field(kw_only=True)  # of the columns of B
    zero: View | int = field(kw_only=True)

    def takes(self, value: Lazy) -> bool:
        fits = all(self.kind(v) is not None for v in value.operands)
        return fits and result_of(value.tree, value.dtype) is not None

    def emit(self, tree: Tree, operands: Sequence[View], out: View | None) -> View:
        builder, tile = self.builder, self.b.tile
        dtype, tree = stored(tree)
        assert isinstance(self.b, Matrices)
        taps, n = len(self.taps), self.b.n
        matrices = [matrix.reshape(taps, -1, n) for matrix in self.b.arrays]
        joined = np.concatenate([packed(matrix, tile) for matrix in matrices])
        b = Panels(builder.constant(joined), tile, len(self.b.arrays[0]), n)
        target = out
        apart = out is not None and self.shape[self.column] > 1 and out.strides[self.column] != 1
        if out is None or apart:
            target = builder.new(self.shape, dtype, self.order)
        assert target is not None
        bias, reads = self._bias(b)
        kernel = partial(integer_product, signed=self.a.dtype == np.int8)
        self.write(
            target, b, bias, tree, operands, kernel, reads, a="i8", c=RESULTS[dtype]
        )  # fmt: skip
        return builder.copy(target, out) if out is not None and out is not target else target

    def _bias(self, b: Panels) -> tuple[Place, list[View]]:
        """The bias minus what A's zero point adds to each sum."""
        builder, n = self.builder, b.n
        own, sums = (np.zeros(self.groups * b.wide, np.int32) for _ in range(2))
        given = np.zeros(self.groups * n, np.int32) if self.bias is None else self.bias
        for g in range(self.groups):
            own[g * b.wide :][:n] = given[g * n : (g + 1) * n]
            sums[g * b.wide :][:n] = self.sums[g * n : (g + 1) * n]
        more = 128 if self.a.dtype == np.int8 else 0
        if not isinstance(self.zero, View):
            whole = own - sums.astype(np.int64) * (self.zero + more)
            return builder.table(whole.astype(np.int32)), []
        zero = builder.combine("i.add", [self.zero, ("whole", more)], ())
        products = builder.combine("i.mul", [builder.constant(sums), zero], sums.shape)
        total = builder.combine("i.sub", [builder.constant(own), products], sums.shape)
        total.tree, total.dtype = ("i.int32", total.tree), np.dtype(np.int32)
        found = builder.view(total)
        return found.place, [found]


def stored(tree: Tree) -> tuple[str, Tree]:
    """The dtype that a kernel stores, and the expression over the sum as a float."""
    tree = replaced(tree, {_FLOAT_OF_SUM: ACC})
    if tree == SUM:
        return "int32", tree
    return narrowed(tree) or ("float32", tree)


def result_of(tree: Tree, dtype: np.dtype[Any]) -> str | None:
    """The dtype that a kernel stores for a value, if it can."""
    found, rest = stored(tree)
    return found if found == dtype.name and (rest == SUM or not _has_sum(rest)) else None


def _has_sum(tree: Tree) -> bool:
    return tree == SUM or (tree[0] not in LEAVES and any(_has_sum(t) for t in tree[1:]))
