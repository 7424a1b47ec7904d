"""Matrix products: layers with constant weights, and products of what the plan computes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref
from ...brgemm import tile_of
from ...expressions import ACC, operand
from ...gemm import pieces
from ...halves import HALVES
from ..builder import FLOAT, Arguments, Builder, Lazy, array_of, broadcast, lowering
from ..places import View, contiguous_strides
from ..products import Matrices, Product, matrix_rows, offsets, packed_panels
from .low_bits import by_halves

_ONE_TAP = np.zeros(1, np.int64)


def _dims(builder: Builder, index: int, count: int) -> tuple[int, ...]:
    """How a product's result should lie: as the one that permutes it next wants it."""
    user = builder.only_user(index)
    order = tuple(range(count))
    if user is None or user.name not in ("permute", "transpose"):
        return order
    given = Arguments(user).given
    if user.name == "transpose":
        dims = list(order)
        a, b = given["dim0"] % count, given["dim1"] % count
        dims[a], dims[b] = dims[b], dims[a]
    else:
        flat = given.get("dims", user.args[1:])
        flat = flat[0] if len(flat) == 1 and isinstance(flat[0], tuple | list) else flat
        dims = [d % count for d in flat]
    return tuple(dims) if dims[-1] == count - 1 else order


@lowering("nn.functional.linear")
def linear(builder: Builder, call: Arguments) -> str | None:
    """``input @ weight.T + bias``."""
    weight, bias = call["weight"], call.get("bias")
    if isinstance(weight, Ref):
        return _by_weight(builder, call, call["input"], weight, bias)
    if isinstance(bias, Ref):
        return "a bias that is computed"
    return _by_constant(builder, call, call["input"], array_of(weight).T, bias)


@lowering("matmul", "mm", "bmm")
def matmul(builder: Builder, call: Arguments) -> str | None:
    """Products of matrices and batches of them."""
    left, right = call["input"], call.get("other", call.get("mat2"))
    if not isinstance(right, Ref) and array_of(right).ndim == 2:
        return _by_constant(builder, call, left, array_of(right), None)
    if len(builder.shape(left)) < 2 or len(builder.shape(right)) < 2:
        return _by_vector(builder, call, left, right)
    if builder.dtype_of(left) != FLOAT or builder.dtype_of(right) != FLOAT:
        return "not float32"
    if 0 in (*builder.shape(left), *builder.shape(right)):
        return "no elements"
    a, b = builder.view(left), builder.view(right)
    order = _dims(builder, call.output, builder.trace.values[call.output].ndim)
    made = multiplied(builder, order, a, b)
    builder.give(call.output, made)
    return None


def _by_weight(builder: Builder, call: Arguments, left: Any, weight: Any, bias: Any) -> str | None:
    """A linear layer whose weights the plan computes."""
    given = [left, weight, *([] if bias is None else [bias])]
    if any(builder.dtype_of(g) != FLOAT or 0 in builder.shape(g) for g in given):
        return "not float32, or no elements"
    if len(builder.shape(left)) < 2 or len(builder.shape(weight)) != 2:
        return "a vector"
    w = builder.view(weight)
    turned = View(w.buffer, w.shape[::-1], w.strides[::-1], w.dtype, w.offset)
    order = tuple(range(len(builder.shape(left))))
    made = multiplied(builder, order, builder.view(left), turned)
    if bias is not None:
        made = builder.combine("add", [made, builder.view(bias)], made.shape)
    builder.give(call.output, made)
    return None


@lowering("outer", "ger")
def outer(builder: Builder, call: Arguments) -> str | None:
    """Every element of one vector times every one of another."""
    second = call.get("vec2", call.get("other"))
    if any(builder.dtype_of(g) != FLOAT for g in (call["input"], second)):
        return "not float32"
    a, b = builder.view(call["input"]), builder.view(second)
    rows = View(a.buffer, (*a.shape, 1), (*a.strides, 0), FLOAT, a.offset)
    if 0 in (*a.shape, *b.shape):
        return "no elements"
    builder.give(call.output, builder.combine("mul", [rows, b], (*a.shape, *b.shape)))
    return None


@lowering("dot", "mv")
def dot(builder: Builder, call: Arguments) -> str | None:
    """Products with a vector."""
    right = next(call[n] for n in ("tensor", "other", "vec") if n in call.given)
    return _by_vector(builder, call, call["input"], right)


def _by_vector(builder: Builder, call: Arguments, left: Any, right: Any) -> str | None:
    """A product with a vector on one side, or on both."""
    if any(builder.dtype_of(g) != FLOAT or 0 in builder.shape(g) for g in (left, right)):
        return "not float32, or no elements"
    a, b = builder.view(left), builder.view(right)
    if len(a.shape) < 2:
        a = View(a.buffer, (1, *a.shape), (0, *a.strides), a.dtype, a.offset)
    if len(b.shape) < 2:
        b = View(b.buffer, (*b.shape, 1), (*b.strides, 1), b.dtype, b.offset)
    count = max(len(a.shape), len(b.shape))
    found = builder.view(multiplied(builder, tuple(range(count)), a, b))
    target = builder.trace.values[call.output].shape
    builder.give(call.output, View(found.buffer, target, contiguous_strides(target), FLOAT))
    return None


@lowering("addmm")
def addmm(builder: Builder, call: Arguments) -> str | None:
    """``input + mat1 @ mat2``."""
    bias, right = call["input"], call["mat2"]
    if isinstance(bias, Ref) or isinstance(right, Ref) or set(call.given) & {"alpha", "beta"}:
        return "weights that are computed, or factors"
    if array_of(bias).shape not in (array_of(right).shape[1:], (1, array_of(right).shape[1])):
        return "a bias of another shape"
    return _by_constant(builder, call, call["mat1"], array_of(right), array_of(bias).reshape(-1))


def _by_constant(
    builder: Builder, call: Arguments, left: Any, right: np.ndarray[Any, Any], bias: Any
) -> str | None:
    """Rows of what the plan computes times a constant matrix."""
    if right.dtype.name in HALVES:
        return by_halves(builder, call, left, right.T, bias)
    if builder.dtype_of(left) != FLOAT or right.dtype != FLOAT:
        return "not float32"
    if len(builder.shape(left)) < 2:
        return "a vector"
    if 0 in (*builder.shape(left), *right.shape):
        return "no elements"
    order = _dims(builder, call.output, len(builder.shape(left)))
    term = None if bias is None else array_of(bias)
    builder.give(call.output, times(builder, builder.view(left), right, term, order))
    return None


def _summed(builder: Builder, left: View, product: Callable[[View, int, int], Lazy]) -> Lazy:
    """A product, piece by piece if its sums are long: each adds to what those before it gave."""
    cuts = pieces(prod(left.shape[:-1]), left.shape[-1])
    if len(cuts) > 1 and left.strides[-1] != 1:
        left = builder.ordered(left)
    sofar: View | None = None
    for start, stop in cuts:
        part = _slice(left, len(left.shape) - 1, start, stop)
        found = product(part, start, stop)
        if sofar is not None:
            found = Lazy(("add", ACC, operand(0)), (sofar,), found.shape, found.producer)
        if stop < left.shape[-1]:
            sofar = builder.compute(found)
    return found


def _slice(view: View, dim: int, start: int, stop: int) -> View:
    shape = tuple(stop - start if d == dim else n for d, n in enumerate(view.shape))
    offset = view.offset + start * view.strides[dim] * view.dtype.itemsize
    return View(view.buffer, shape, view.strides, view.dtype, offset)


def times(
    builder: Builder, left: View, right: np.ndarray[Any, Any], bias: Any, order: tuple[int, ...]
) -> Lazy:
    """``left @ right + bias`` for a constant matrix, the result's dimensions in an order."""
    return _summed(
        builder, left,
        lambda part, start, stop: _times(
            builder, part, right[start:stop], None if start else bias, order
        ),
    )  # fmt: skip


def _times(
    builder: Builder, left: View, right: np.ndarray[Any, Any], bias: Any, order: tuple[int, ...]
) -> Lazy:
    a, rows = matrix_rows(builder, left, 0)
    shape = (*a.shape[:-1], right.shape[1])
    b = Matrices([right], tile_of(right.shape[1]))
    made = Product(
        builder, "linear", shape, order, (), len(shape) - 1, a, rows, _ONE_TAP, right.shape[0], b,
        bias,
    )  # fmt: skip
    return Lazy(ACC, (), shape, made)


def multiplied(builder: Builder, order: tuple[int, ...], left: View, right: View) -> Lazy:
    """The product of two batches of matrices that the plan computes, its dimensions in an order."""
    inner = len(right.shape) - 2
    return _summed(
        builder, left,
        lambda part, start, stop: _multiplied(
            builder, order, part, _slice(right, inner, start, stop)
        ),
    )  # fmt: skip


def _multiplied(builder: Builder, order: tuple[int, ...], left: View, right: View) -> Lazy:
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    shape = (*batch, left.shape[-2], right.shape[-1])
    panels = packed_panels(builder, right, right.shape[:-2], tile_of(shape[-1]))
    a, rows = matrix_rows(builder, left, len(left.shape) - 2)
    lead = broadcast(View(a.buffer, a.shape[:-2], a.strides[:-2], a.dtype), batch)
    of_b = np.arange(prod(right.shape[:-2])).reshape(right.shape[:-2]) * panels.size
    starts = np.stack([offsets(batch, lead), np.broadcast_to(of_b, batch).reshape(-1)], axis=1)
    made = Product(
        builder, "matmul", shape, order, tuple(range(len(batch))),
        len(shape) - 1, a, rows, _ONE_TAP, left.shape[-1], panels, None, starts,
    )  # fmt: skip
    return Lazy(ACC, (), shape, made)
