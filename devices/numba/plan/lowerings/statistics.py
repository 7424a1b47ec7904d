"""Statistics that are made of sums and extrema, totals of integers, and places of extrema."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref
from ...expressions import Tree, constant, operand
from ...integers import NARROW
from ...row_scans import place_ir, running_ir, scan, total_ir
from ..builder import FLOAT, Arguments, Builder, Lazy, lowering
from ..places import View, Word, contiguous_strides
from .reduction import dims_of, reduced

_X, _Y = operand(0), operand(1)


def _float_dims(
    builder: Builder, call: Arguments, name: str = "input"
) -> tuple[View, tuple[int, ...]] | str:
    shape = builder.shape(call[name])
    if builder.dtype_of(call[name]) != FLOAT or call.get("dtype") is not None:
        return "not float32"
    if not shape or 0 in shape:
        return "no elements"
    return builder.view(call[name]), dims_of(call.get("dim"), len(shape))


def kept(view: View, dims: tuple[int, ...], shape: tuple[int, ...]) -> View:
    """A reduction with its dimensions as ones."""
    full = tuple(1 if d in dims else n for d, n in enumerate(shape))
    return View(view.buffer, full, contiguous_strides(full), view.dtype, view.offset)


def computed(builder: Builder, tree: Tree, *operands: View, shape: tuple[int, ...]) -> View:
    """An expression's elements."""
    return builder.compute(Lazy(tree, operands, shape))


def _give(builder: Builder, call: Arguments, found: View, tree: Tree | None = None) -> None:
    """A reduction, or an expression of it, as the result."""
    target = builder.trace.values[call.output].shape
    view = View(found.buffer, target, contiguous_strides(target), found.dtype, found.offset)
    builder.give(call.output, view if tree is None else Lazy(tree, (view,), target))


def _variance(builder: Builder, call: Arguments, root: bool) -> str | None:
    given = _float_dims(builder, call)
    if isinstance(given, str):
        return given
    x, dims = given
    count = prod(x.shape[d] for d in dims)
    correction = call.get("correction", 1)
    if call.get("unbiased") is not None:
        correction = int(call["unbiased"])
    if not isinstance(correction, int | float) or count - correction <= 0:
        return "too few elements"
    mean = kept(reduced(builder, x, dims, "sum", 1 / count), dims, x.shape)
    apart: Tree = ("sub", _X, _Y)
    squares = computed(builder, ("mul", apart, apart), x, mean, shape=x.shape)
    found = reduced(builder, squares, dims, "sum", 1 / (count - correction))
    _give(builder, call, found, ("sqrt", _X) if root else None)
    return None


@lowering("var")
def var(builder: Builder, call: Arguments) -> str | None:
    """The variance over dimensions, from the distances to the mean."""
    return _variance(builder, call, False)


@lowering("std")
def std(builder: Builder, call: Arguments) -> str | None:
    """The root of the variance."""
    return _variance(builder, call, True)


@lowering("norm", "linalg.vector_norm")
def norm(builder: Builder, call: Arguments) -> str | None:
    """The 1-norm, the 2-norm and the greatest size, over dimensions."""
    name = "x" if call.call.name == "linalg.vector_norm" else "input"
    given = _float_dims(builder, call, name)
    if isinstance(given, str):
        return given
    x, dims = given
    p = call.get("p", call.get("ord", 2))
    p = 2 if p in (None, "fro") else p
    ways = {2: (("mul", _X, _X), "sum"), 1: (("abs", _X), "sum"),
            float("inf"): (("abs", _X), "max")}  # fmt: skip
    if isinstance(p, str) or p not in ways:
        return "a norm other than 1, 2 and inf"
    tree, kind = ways[p]
    found = reduced(builder, computed(builder, tree, x, shape=x.shape), dims, kind, 1.0)
    _give(builder, call, found, ("sqrt", _X) if p == 2 else None)
    return None


def _exponentials(
    builder: Builder, x: View, dims: tuple[int, ...], finite: bool
) -> tuple[View, View]:
    """The greatest of rows, and the sum of ``e**(x - greatest)``; both with ones for dimensions.

    With ``finite`` 0 stands for a greatest that is infinite.
    """
    top = kept(reduced(builder, x, dims, "max", 1.0), dims, x.shape)
    if finite:
        known: Tree = ("lt", ("abs", _X), constant(float("inf")))
        top = computed(builder, ("where", known, _X, constant(0.0)), top, shape=top.shape)
    powers = computed(builder, ("exp", ("sub", _X, _Y)), x, top, shape=x.shape)
    return top, kept(reduced(builder, powers, dims, "sum", 1.0), dims, x.shape)


@lowering("logsumexp")
def logsumexp(builder: Builder, call: Arguments) -> str | None:
    """``log(sum(e**x))``."""
    given = _float_dims(builder, call)
    if isinstance(given, str):
        return given
    top, total = _exponentials(builder, *given, finite=True)
    found = computed(builder, ("add", _X, ("log", _Y)), top, total, shape=top.shape)
    _give(builder, call, found)
    return None


@lowering("log_softmax")
def log_softmax(builder: Builder, call: Arguments) -> str | None:
    """``x - log(sum(e**x))``."""
    if call.get("dim") is None:
        return "no dimension"
    given = _float_dims(builder, call)
    if isinstance(given, str):
        return given
    x, dims = given
    top, total = _exponentials(builder, x, dims, finite=False)
    tree: Tree = ("sub", ("sub", _X, _Y), ("log", operand(2)))
    builder.give(call.output, Lazy(tree, (x, top, total), x.shape))
    return None


# Integers and bools


def totals(builder: Builder, call: Arguments, kind: str) -> str | None:
    """A reduction of integers or bools."""
    shape, source = builder.shape(call["input"]), builder.dtype_of(call["input"])
    result = builder.dtype(call.output)
    if source is None or source.name not in NARROW or result.name not in NARROW:
        return f"{kind} of {source} to {result}"
    if not shape or 0 in shape:
        return "no elements"
    _give(builder, call, _total(builder, builder.view(call["input"]),
                                dims_of(call.get("dim"), len(shape)), kind, result))  # fmt: skip
    return None


def _total(
    builder: Builder, x: View, dims: tuple[int, ...], kind: str, result: np.dtype[Any]
) -> View:
    apart = [d for d in range(len(x.shape)) if d not in dims]
    x = builder.ordered(x, [*apart, *dims])
    out = builder.new(tuple(x.shape[d] for d in apart), result)
    count = prod(x.shape[d] for d in dims)
    words: list[Word] = [out.place, x.place, count, x.size // count]
    kernel = scan(total_ir(kind, x.dtype.name, result.name))
    builder.emit(kind, kernel, words, [x], out)
    return out


def _truths(builder: Builder, call: Arguments, kind: str) -> str | None:
    x = call["input"]
    shape, dtype = builder.shape(x), builder.dtype_of(x)
    if dtype is None or dtype.name not in NARROW and dtype != FLOAT or not shape or 0 in shape:
        return f"{dtype}, or no elements"
    bools = np.dtype(np.bool_)
    tree: Tree = ("truth", _X) if dtype == FLOAT else (
        "int_ne", ("i.load", _X), ("whole", 0)
    )  # fmt: skip
    view = builder.view(x)
    if dtype != bools:
        view = builder.compute(Lazy(tree, (view,), shape, None, bools))
    _give(builder, call, _total(builder, view, dims_of(call.get("dim"), len(shape)), kind, bools))
    return None


@lowering("prod")
def product(builder: Builder, call: Arguments) -> str | None:
    """The product of integers."""
    return totals(builder, call, "prod")


@lowering("any")
def any_(builder: Builder, call: Arguments) -> str | None:
    """Whether one is true."""
    return _truths(builder, call, "max")


@lowering("all")
def all_(builder: Builder, call: Arguments) -> str | None:
    """Whether none is false."""
    return _truths(builder, call, "min")


def _place(builder: Builder, call: Arguments, greatest: bool) -> str | None:
    shape = builder.shape(call["input"])
    if builder.dtype_of(call["input"]) != FLOAT or not shape or 0 in shape:
        return "not float32, or no elements"
    dim = call.get("dim")
    dims = tuple(range(len(shape))) if dim is None else (dim % len(shape),)
    x = builder.contiguous(call["input"], [*[d for d in range(len(shape)) if d not in dims], *dims])
    count = prod(shape[d] for d in dims)
    out = builder.new(builder.trace.values[call.output].shape, np.int64)
    words: list[Word] = [out.place, x.place, count, x.size // count]
    builder.emit(call.call.name, scan(place_ir(greatest)), words, [x], out)
    builder.give(call.output, out)
    return None


@lowering("argmax")
def argmax(builder: Builder, call: Arguments) -> str | None:
    """The place of the greatest."""
    return _place(builder, call, True)


@lowering("argmin")
def argmin(builder: Builder, call: Arguments) -> str | None:
    """The place of the least."""
    return _place(builder, call, False)


@lowering("cumsum")
def cumsum(builder: Builder, call: Arguments) -> str | None:
    """Sums of what is up to each element."""
    shape, source = builder.shape(call["input"]), builder.dtype_of(call["input"])
    result = builder.dtype(call.output)
    fits = source == result == FLOAT or (
        source is not None and source.name in NARROW and result == np.int64
    )
    if not fits or not shape or 0 in shape or not isinstance(call["input"], Ref):
        return f"{source} to {result}, or no elements"
    assert source is not None
    dim = call["dim"] % len(shape)
    order = [*[d for d in range(len(shape)) if d != dim], dim]
    x = builder.contiguous(call["input"], order)
    out = builder.new(shape, result, order)
    words: list[Word] = [out.place, x.place, shape[dim], x.size // shape[dim]]
    builder.emit("cumsum", scan(running_ir(source.name)), words, [x], out)
    builder.give(call.output, out)
    return None
