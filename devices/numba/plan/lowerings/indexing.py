"""Rows of a table by their numbers, and elements by constant or computed indices."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref, references
from .....tensor import Tensor, wrap
from ...expressions import Tree, operand
from ...gathering import Spec, gather_along, gather_rows
from ..builder import Arguments, Builder, Lazy, lowering
from ..places import Array, View, Word, contiguous_strides

_INDICES = (np.dtype(np.int64), np.dtype(np.int32))


@lowering("nn.functional.embedding")
def embedding(builder: Builder, call: Arguments) -> str | None:
    """``weight[input]``."""
    if call.get("max_norm") is not None:
        return "rows that are shortened"
    return _rows(builder, call, builder.view(call["weight"]), call["input"], 0)


@lowering("index_select")
def index_select(builder: Builder, call: Arguments) -> str | None:
    """Slices of a tensor by their numbers."""
    return _rows(builder, call, builder.view(call["input"]), call["index"], call["dim"])


def _rows(
    builder: Builder, call: Arguments, table: View, index: Any, dim: int, negative: bool = False
) -> str | None:
    shape, counts = table.shape, builder.shape(index)
    kind = builder.dtype_of(index)
    if kind not in _INDICES or 0 in (*shape, *counts) or not shape:
        return f"indices of {kind}"
    dim %= len(shape)
    return _gathered(builder, call, table, builder.contiguous(index), dim, negative)


def _gathered(
    builder: Builder, call: Arguments, table: View, places: View, dim: int, negative: bool
) -> str | None:
    """The step that copies slices; the dimensions stay in the order in which they lie."""
    shape = table.shape
    order = _memory_order(table) if len(places.shape) == 1 else tuple(range(len(shape)))
    source, at = builder.ordered(table, order), order.index(dim)
    result = builder.trace.values[call.output].shape
    out = builder.new(result, source.dtype, order if len(result) == len(order) else None)
    row = prod(shape[d] for d in order[at + 1 :]) * source.dtype.itemsize
    words: list[Word] = [
        out.place, source.place, places.place, builder.error(f"{call.call.name}: an index"),
        prod(shape[d] for d in order[:at]), shape[dim], row, places.size, row,
    ]  # fmt: skip
    spec = Spec(places.dtype.itemsize, row if row in (1, 2, 4, 8) else 0, negative)
    builder.emit("gather", gather_rows(spec), words, [source, places], out)
    builder.give(call.output, out)
    return None


def _memory_order(view: View) -> tuple[int, ...]:
    """The dimensions as they lie in memory, if they are one piece of it."""
    order = tuple(sorted(range(len(view.shape)), key=lambda d: (-view.strides[d], d)))
    wanted = contiguous_strides(view.shape, order)
    dense = all(n == 1 or a == b for a, b, n in zip(wanted, view.strides, view.shape, strict=True))
    return order if dense else tuple(range(len(view.shape)))


@lowering("gather", "take_along_dim")
def gather(builder: Builder, call: Arguments) -> str | None:
    """``out[i, j] = input[index[i, j], j]`` for the first dimension, and so on."""
    index = call.get("index", call.get("indices"))
    shape, counts, dim = builder.shape(call["input"]), builder.shape(index), call.get("dim")
    kind, dtype = builder.dtype_of(index), builder.dtype(call.output)
    if kind not in _INDICES or 0 in (*shape, *counts) or dim is None or not shape:
        return f"indices of {kind}"
    assert kind is not None
    dim %= len(shape)
    if len(shape) != len(counts) or any(
        a != b for d, (a, b) in enumerate(zip(shape, counts, strict=True)) if d != dim
    ):
        return "indices of another shape"
    source, places = builder.contiguous(call["input"]), builder.contiguous(index)
    if dtype.itemsize not in (1, 2, 4, 8):
        return f"{dtype}"
    out = builder.new(counts, dtype)
    words: list[Word] = [
        out.place, source.place, places.place, builder.error(f"{call.call.name}: an index"),
        prod(shape[:dim]), shape[dim], counts[dim], prod(shape[dim + 1 :]),
    ]  # fmt: skip
    kernel = gather_along(kind.itemsize, dtype.itemsize)
    builder.emit("gather", kernel, words, [source, places], out)
    builder.give(call.output, out)
    return None


@lowering("scatter")
def scatter(builder: Builder, call: Arguments) -> str | None:
    """A copy with ``out[index[i, j], j] = src[i, j]`` for the first dimension, and so on."""
    index, source = call["index"], call.get("src")
    shape, counts = builder.shape(call["input"]), builder.shape(index)
    kind, dtype = builder.dtype_of(index), builder.dtype(call.output)
    if kind not in _INDICES or 0 in (*shape, *counts) or not shape:
        return f"indices of {kind}"
    assert kind is not None
    dim = call["dim"] % len(shape)
    if call.get("reduce") is not None or dtype.itemsize not in (1, 2, 4, 8):
        return "what is written is added up"
    if len(shape) != len(counts) or any(
        a != b for d, (a, b) in enumerate(zip(shape, counts, strict=True)) if d != dim
    ):
        return "indices of another shape"
    if source is None:
        source = call.get("value")
    if isinstance(source, int | float):
        values = builder.constant(np.full(counts, source, dtype))
    elif builder.shape(source) == counts and builder.dtype_of(source) == dtype:
        values = builder.contiguous(source)
    else:
        return "values of another shape"
    places = builder.contiguous(index)
    out = builder.copy(builder.view(call["input"]), builder.new(shape, dtype))
    words: list[Word] = [
        values.place, out.place, places.place, builder.error(f"{call.call.name}: an index"),
        prod(shape[:dim]), shape[dim], counts[dim], prod(shape[dim + 1 :]),
    ]  # fmt: skip
    kernel = gather_along(kind.itemsize, dtype.itemsize, True)
    builder.emit("scatter", kernel, words, [values, places, out], out)
    builder.give(call.output, out)
    return None


def by_tensors(builder: Builder, call: Arguments) -> str | None:
    """``input[index]`` with tensors in the index: constants, or one that is computed."""
    args = call.call.args
    if not isinstance(args[0], Ref):
        items = args[1] if isinstance(args[1], tuple) else (args[1],)
        return _one(builder, call, builder.view(args[0]), items)
    if references(args[1:]):
        items = args[1] if isinstance(args[1], tuple) else (args[1],)
        return _one(builder, call, builder.view(args[0]), items)
    return _constant(builder, call, builder.view(args[0]))


def _one(builder: Builder, call: Arguments, x: View, items: tuple[Any, ...]) -> str | None:
    """Computed indices of neighbouring dimensions, among slices that take all."""
    found = [i for i, item in enumerate(items) if isinstance(item, Ref | Tensor)]
    rest = [item for item in items if not isinstance(item, Ref | Tensor)]
    if any(not isinstance(item, slice) or item != slice(None) for item in rest if item is not ...):
        return "parts too"
    if found != list(range(found[0], found[-1] + 1)):
        return "computed indices apart from each other"
    at = found[0]
    if any(item is ... for item in items[:at]):
        at += len(x.shape) - (len(items) - 1) - 1
    given = [items[i] for i in found]
    if any(builder.dtype_of(g) not in _INDICES for g in given):
        return "a computed mask"
    if len(given) == 1:
        return _rows(builder, call, x, given[0], at, negative=True)
    return _several(builder, call, x, given, at)


def _several(builder: Builder, call: Arguments, x: View, given: list[Any], at: int) -> str | None:
    """Indices of neighbouring dimensions as one of all of them; -1 where one is out of range."""
    shapes = [builder.shape(g) for g in given]
    if 0 in x.shape or any(0 in s for s in shapes):
        return "no elements"
    counts = np.broadcast_shapes(*shapes)
    sizes = x.shape[at : at + len(given)]
    place: Tree = ("whole", 0)
    fine: Tree = ("const", 1.0)
    for i, size in enumerate(sizes):
        number: Tree = ("i.load", operand(i))
        moved = ("i.add", number, ("whole", size))
        number = ("i.where", ("i.trunc", ("int_lt", number, ("whole", 0))), moved, number)
        inside = ("mul", ("int_ge", number, ("whole", 0)), ("int_lt", number, ("whole", size)))
        fine = ("mul", fine, inside)
        place = ("i.add", ("i.mul", place, ("whole", size)), number)
    tree: Tree = ("i.where", ("i.trunc", fine), place, ("whole", -1))
    views = tuple(builder.view(g) for g in given)
    index = builder.compute(Lazy(tree, views, counts, None, np.dtype(np.int64)))
    whole = builder.ordered(x)
    shape = (*x.shape[:at], prod(sizes), *x.shape[at + len(given) :])
    joined = View(whole.buffer, shape, contiguous_strides(shape), x.dtype, whole.offset)
    return _gathered(builder, call, joined, builder.ordered(index), at, False)


def places_of(x: View) -> Array:
    """How far each element of a view is from the first, in elements."""
    steps = np.zeros(x.shape, np.int64)
    for dim, (size, step) in enumerate(zip(x.shape, x.strides, strict=True)):
        along = np.arange(size).reshape([-1 if d == dim else 1 for d in range(len(x.shape))])
        steps = steps + along * step
    return steps


def _constant(builder: Builder, call: Arguments, x: View) -> str | None:
    """Constant indices: the place of each element is known."""
    if not x.size:
        return "no elements"
    found = call.call.function(wrap(places_of(x), builder.trace.device), *call.call.args[1:])
    places: Array = found._array
    if not places.size:
        return "no elements"
    builder.give(call.output, at_places(builder, x, places, tuple(range(places.ndim))))
    return None


def at_places(builder: Builder, x: View, places: Array, order: tuple[int, ...]) -> View:
    """The elements at these places: a view if it can be, or a copy with dimensions in an order."""
    strides = _strides(places)
    if strides is not None:
        offset = x.offset + int(places.flat[0]) * x.dtype.itemsize
        return View(x.buffer, places.shape, strides, x.dtype, offset)
    moved = np.ascontiguousarray(places.transpose(order))
    run = _run(moved)
    firsts = np.ascontiguousarray(moved.reshape(-1, run)[:, 0])
    size = x.dtype.itemsize
    out = builder.new(places.shape, x.dtype, order)
    width = run * size
    words: list[Word] = [
        out.place, x.place, builder.table(firsts), builder.error("an index"), 1,
        x.extent() // size, width, len(firsts), size,
    ]  # fmt: skip
    spec = Spec(8, width if width in (1, 2, 4, 8) else 0)
    builder.emit("gather", gather_rows(spec), words, [x], out)
    return out


def _strides(places: Array) -> tuple[int, ...] | None:
    """Strides that give these places, if some do."""
    origin = (0,) * places.ndim
    strides = []
    expected = np.full(places.shape, places[origin])
    for dim, size in enumerate(places.shape):
        one = tuple(int(d == dim) for d in range(places.ndim))
        step = int(places[one] - places[origin]) if size > 1 else 0
        strides.append(step)
        shape = [-1 if d == dim else 1 for d in range(places.ndim)]
        expected = expected + (np.arange(size) * step).reshape(shape)
    whole = np.array_equal(expected, places) and all(s >= 0 for s in strides)
    return tuple(strides) if whole else None


def _run(places: Array) -> int:
    """How many elements lie in one piece each time."""
    run = 1
    for dim in range(places.ndim - 1, -1, -1):
        longer = run * places.shape[dim]
        rows = places.reshape(-1, longer)
        if not np.array_equal(rows, rows[:, :1] + np.arange(longer)):
            break
        run = longer
    return run


def has_tensor(value: Any) -> bool:
    """Whether there is a constant tensor or an array in an index."""
    if isinstance(value, tuple | list):
        return any(has_tensor(v) for v in value)
    return isinstance(value, Tensor | np.ndarray)
