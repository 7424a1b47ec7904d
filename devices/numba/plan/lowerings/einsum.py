"""Einstein summation of two tensors as one matrix product."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops.einsum import expanded, output_labels, parsed
from .....ops.trace import Ref
from ...brgemm import tile_of
from ...expressions import ACC
from ..builder import FLOAT, Arguments, Builder, Lazy, array_of, lowering
from ..places import View
from ..products import Matrices, Product, matrix_rows
from .matrix import multiplied

_ONE_TAP = np.zeros(1, np.int64)


@lowering("einsum")
def einsum(builder: Builder, call: Arguments) -> str | None:
    """``"bij,bjk->bik"`` and the like."""
    equation, *operands = call.call.args
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = [*operands[0]]
    if not isinstance(equation, str) or len(operands) != 2:
        return "not two tensors"
    if any(builder.dtype_of(o) != FLOAT for o in operands):
        return "not float32"
    shapes = [builder.shape(o) for o in operands]
    terms, given = parsed(equation, 2)
    stand_ins = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    labels = [expanded(t, s, i) for i, (t, s) in enumerate(zip(terms, stand_ins, strict=True))]
    wanted = output_labels(given, labels)
    left, right = labels
    sizes = dict(zip(left + right, shapes[0] + shapes[1], strict=True))
    if any(len(set(n)) < len(n) for n in labels) or shapes[0] != tuple(sizes[n] for n in left):
        return "a diagonal, or sizes of one"
    if 0 in sizes.values() or any(n not in wanted and (n in left) != (n in right) for n in sizes):
        return "no elements, or a sum over one tensor"
    batch = [n for n in left if n in right and n in wanted]
    over = [n for n in left if n in right and n not in wanted]
    rows = [n for n in left if n not in right]
    columns = [n for n in right if n not in left]
    if not over:
        return "no sum"
    k, n = prod(sizes[x] for x in over), prod(sizes[x] for x in columns)
    lead = tuple(sizes[x] for x in (*batch, *rows))
    made: Any
    if not isinstance(operands[1], Ref) and not batch and rows:
        a = _arranged(builder, builder.view(operands[0]), left, rows + over, (*lead, k))
        a, places = matrix_rows(builder, a, 0)
        w = array_of(operands[1]).transpose([right.index(x) for x in (*over, *columns)])
        b = Matrices([np.ascontiguousarray(w).reshape(k, n)], tile_of(n))
        shape = (*lead, n)
        made = Lazy(ACC, (), shape, Product(
            builder, "einsum", shape, tuple(range(len(shape))), (), len(shape) - 1, a, places,
            _ONE_TAP, k, b,
        ))  # fmt: skip
    else:
        counts = tuple(sizes[x] for x in batch)
        m = prod(sizes[x] for x in rows)
        a = _arranged(builder, builder.view(operands[0]), left, batch + rows + over,
                      (*counts, m, k))  # fmt: skip
        w_of = _arranged(builder, builder.view(operands[1]), right, batch + over + columns,
                         (*counts, k, n))  # fmt: skip
        made = multiplied(builder, tuple(range(len(counts) + 2)), a, w_of)
    names = [*batch, *rows, *columns]
    target = tuple(sizes[x] for x in names)
    if names == wanted and made.shape == target:
        builder.give(call.output, made)
        return None
    found = _reshaped(builder, builder.view(made), target)
    order = [names.index(x) for x in wanted]
    builder.give(call.output, _permuted(found, order))
    return None


def _arranged(
    builder: Builder, view: View, names: list[int], order: list[int], shape: tuple[int, ...]
) -> View:
    """A view with its dimensions in an order, some of them joined."""
    return _reshaped(builder, _permuted(view, [names.index(name) for name in order]), shape)


def _permuted(view: View, order: list[int]) -> View:
    shape, strides = ([s[d] for d in order] for s in (view.shape, view.strides))
    return View(view.buffer, tuple(shape), tuple(strides), view.dtype, view.offset)


def _reshaped(builder: Builder, view: View, shape: tuple[int, ...]) -> View:
    """A view of another shape, of a copy if no strides can say it."""
    base = np.empty(view.extent() // 4, np.int32)
    stand_in = np.ndarray(view.shape, np.int32, base, strides=[4 * s for s in view.strides])
    found = stand_in.reshape(shape)
    if not np.shares_memory(found, base):
        return _reshaped(builder, builder.ordered(view), shape)
    strides = tuple(s // 4 for s in found.strides)
    return View(view.buffer, shape, strides, view.dtype, view.offset)
