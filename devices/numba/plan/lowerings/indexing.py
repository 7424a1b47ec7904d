"""Rows of a table by their numbers, and elements by constant or computed indices."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref, references
from .....tensor import Tensor, wrap
from ...gathering import Spec, gather_along, gather_rows
from ..builder import Arguments, Builder, lowering
from ..places import Array, View, Word

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
    assert kind is not None
    dim %= len(shape)
    source, places = builder.ordered(table), builder.contiguous(index)
    out = builder.new(builder.trace.values[call.output].shape, source.dtype)
    row = prod(shape[dim + 1 :]) * source.dtype.itemsize
    words: list[Word] = [
        out.place, source.place, places.place, builder.error(f"{call.call.name}: an index"),
        prod(shape[:dim]), shape[dim], row, prod(counts), row,
    ]  # fmt: skip
    spec = Spec(kind.itemsize, row if row in (1, 2, 4, 8) else 0, negative)
    builder.emit("gather", gather_rows(spec), words, [source, places], out)
    builder.give(call.output, out)
    return None


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
    """One computed index, among slices that take all."""
    computed = [i for i, item in enumerate(items) if isinstance(item, Ref)]
    rest = [item for item in items if not isinstance(item, Ref)]
    if len(computed) != 1 or any(not _all(item) for item in rest):
        return "several computed indices, or parts too"
    at = computed[0]
    if Ellipsis in rest:
        before = next(i for i, item in enumerate(items) if item is Ellipsis)
        at += (len(x.shape) - len(items)) if before < at else 0
    if builder.dtype_of(items[computed[0]]) == np.bool_:
        return "a computed mask"
    return _rows(builder, call, x, items[computed[0]], at, negative=True)


def _all(item: Any) -> bool:
    """Whether an index takes all of a dimension, or of several."""
    return item is Ellipsis or (isinstance(item, slice) and item == slice(None))


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
