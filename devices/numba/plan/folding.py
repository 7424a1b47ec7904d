"""Factors and terms of a number for each column, taken into a product's weights and bias.

A batch normalisation behind a convolution, or a bias that is added by itself, then costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..expressions import ACC, LEAVES, Tree, leaves, operand, replaced
from .places import Array, View


@dataclass
class Folded:
    """What is left of an expression, and what the weights and the bias are to be times and plus."""

    tree: Tree
    operands: list[View]
    scale: Array | None = None
    shift: Array | None = None

    def weights(self, w: Array, axis: int) -> Array:
        """Weights times the factors of their columns, which are along an axis."""
        if self.scale is None:
            return w
        shape = [1] * w.ndim
        shape[axis] = -1
        return (w * self.scale.reshape(shape)).astype(np.float32)

    def bias(self, b: Array | None, count: int) -> Array:
        """A bias for each of the columns."""
        found = np.zeros(count) if b is None else b.astype(np.float64)
        if self.scale is not None:
            found = found * self.scale
        if self.shift is not None:
            found = found + self.shift
        return found.astype(np.float32)


def folded(
    tree: Tree, operands: Sequence[View], kind: Callable[[View], str | None], count: int
) -> Folded:
    """An expression without the factors and terms of columns that come first."""
    found = Folded(tree, list(operands))
    while True:
        step = _first(found, kind, count)
        if step is None:
            break
        part, scale, shift = step
        found.tree = replaced(found.tree, {part: ACC})
        if scale is not None:
            found.scale = scale if found.scale is None else found.scale * scale
            found.shift = None if found.shift is None else found.shift * scale
        if shift is not None:
            found.shift = shift if found.shift is None else found.shift + shift
    used = sorted({leaf[1] for leaf in leaves(found.tree) if leaf != ACC})
    found.tree = replaced(found.tree, {operand(i): operand(n) for n, i in enumerate(used)})
    found.operands = [found.operands[i] for i in used]
    return found


def _first(
    found: Folded, kind: Callable[[View], str | None], count: int
) -> tuple[Tree, Array | None, Array | None] | None:
    """The function of the sum that comes first, if constants of columns are all else it takes."""
    part = _around(found.tree)
    if part is None:
        return None
    total = sum(leaf == ACC for leaf in leaves(found.tree))
    inside = sum(leaf == ACC for leaf in leaves(part)) * _times(found.tree, part)
    constants = [_column(found, node, kind, count) for node in part[1:] if node != ACC]
    if total != inside or any(c is None for c in constants) or part[1:].count(ACC) != 1:
        return None
    if part[0] == "fma" and part[3] != ACC:
        return part, constants[0], constants[1]
    if part[0] == "mul":
        return part, constants[0], None
    if part[0] == "add":
        return part, None, constants[0]
    if part[0] == "sub" and part[1] == ACC:
        return part, None, None if constants[0] is None else -constants[0]
    return None


def _around(tree: Tree) -> Tree | None:
    """The innermost function that takes the sum itself."""
    if tree[0] in LEAVES:
        return None
    if ACC in tree[1:]:
        return tree
    parts = (_around(part) for part in tree[1:])
    return next((part for part in parts if part is not None), None)


def _times(tree: Tree, part: Tree) -> int:
    """How often a part stands in an expression."""
    if tree == part:
        return 1
    if tree[0] in LEAVES:
        return 0
    return sum(_times(t, part) for t in tree[1:])


def _column(
    found: Folded, node: Tree, kind: Callable[[View], str | None], count: int
) -> Array | None:
    """The constant of each column that an operand is."""
    if node[0] == "const":
        return np.full(count, node[1])
    if node[0] != "in":
        return None
    view = found.operands[node[1]]
    if view.buffer.array is None or kind(view) not in ("column", "one"):
        return None
    return np.broadcast_to(view.array().reshape(-1), (count,)).astype(np.float64)
