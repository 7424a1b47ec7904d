"""Softmax and normalisations along the last dimension: a row at a time, in the cache throughout."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..buffers import empty_like
from ..kernels import kernel
from . import emit
from .code import Code, Value, module
from .emit import Expression
from .llvm import compiled, target
from .memory import address
from .threads import Native

Array = np.ndarray[Any, Any]
_FLOAT = np.dtype(np.float32)
_PART = 16_000  # elements below which another thread is not worth waking


class Row:
    """A function over float32 rows being written: passes over a row, sums of vectors."""

    def __init__(self, parameters: str) -> None:
        self.code = Code("kernel", parameters)
        self.lanes = target().lanes
        self.e = Expression(self.lanes, self.code)
        self.whole = self.code.value(f"and i64 %n, {-self.lanes}")
        left = self.code.value(f"sub i64 %n, {self.whole}")
        self.mask = f"<{self.lanes} x i1> {self._below(left)}"
        more = self.code.value(f"icmp sgt i64 {left}, 0")
        self.rest = self.code.value(f"zext i1 {more} to i64")  # how many vectors are not full

    def _below(self, count: Value) -> Value:
        wide = f"<{self.lanes} x i64>"
        one = self.code.value(f"insertelement {wide} poison, i64 {count}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        alike = self.code.value(f"shufflevector {wide} {one}, {wide} poison, {zeros}")
        steps = ", ".join(f"i64 {i}" for i in range(self.lanes))
        return self.code.value(f"icmp slt {wide} <{steps}>, {alike}")

    def splat(self, number: Value) -> Value:
        """A vector with one number, which is in a register, in every lane."""
        v = self.e.vector
        one = self.code.value(f"insertelement {v} poison, float {number}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.code.value(f"shufflevector {v} {one}, {v} poison, {zeros}")

    def each(
        self, step: Callable[[Callable[[str], Value], Callable[[str, Value], None], Value], Value],
        first: Value, filler: Value,
    ) -> Value:  # fmt: skip
        """Runs ``step(load, store, total)`` over the vectors of a row; gives the last total.

        ``load`` and ``store`` take a row's address. Beyond the row's end loads give ``filler``.
        """
        code, v = self.code, self.e.vector
        suffix = f"v{self.lanes}f32.p0"
        with code.loop(self.whole, step=self.lanes, carried=[(v, first)]) as loop:

            def load(base: str) -> Value:
                place = code.at("float", base, loop.index)
                return code.value(f"load {v}, ptr {place}, align 4")

            def store(base: str, value: Value) -> None:
                place = code.at("float", base, loop.index)
                code.do(f"store {v} {value}, ptr {place}, align 4")

            loop.next[0] = step(load, store, loop.carried[0])

        def load_last(base: str) -> Value:
            place = code.at("float", base, self.whole)
            return code.call(v, f"llvm.masked.load.{suffix}", f"ptr {place}", "i32 4", self.mask,
                             f"{v} {filler}")  # fmt: skip

        def store_last(base: str, value: Value) -> None:
            place = code.at("float", base, self.whole)
            code.call("void", f"llvm.masked.store.{suffix}", f"{v} {value}", f"ptr {place}",
                      "i32 4", self.mask)  # fmt: skip

        with code.loop(self.rest, carried=[(v, loop.carried[0])]) as once:
            once.next[0] = step(load_last, store_last, once.carried[0])
        return once.carried[0]

    def sum(self, value: Value) -> Value:
        """The sum of a vector's lanes, in pairs."""
        v = self.e.vector
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f32"
        self.code.declarations.add(f"declare float @{name}(float, {v})")
        return self.code.value(f"call reassoc float @{name}(float -0.0, {v} {value})")


def softmax_ir(closed: bool = False) -> str:
    """``e**(x - max) / sum``: the greatest, the powers and their sum, the division.

    With ``closed`` a row of -inf only gives zeros, as attention that may go nowhere does.
    """
    row = Row("ptr %out, ptr %x, i64 %n, i64 %first, i64 %last")
    code, e, v = row.code, row.e, row.e.vector
    lowest = e.constant(float("-inf"))
    with code.loop("%last", "%first") as rows:
        start = code.mul(rows.index, "%n")
        x, out = code.at("float", "%x", start), code.at("float", "%out", start)
        top = row.each(lambda load, store, m: _greater(e, load(x), m), lowest, lowest)
        name = f"llvm.vector.reduce.fmax.v{row.lanes}f32"
        greatest = row.splat(code.call("float", name, f"{v} {top}"))
        if closed:
            finite = e.constant(-3.4028234663852886e38)
            greatest = e.select("oeq", greatest, lowest, finite, greatest)

        def power(load: Any, store: Any, total: Value) -> Value:
            # Beyond the end -inf comes in, so that nothing is added (nor where all are -inf).
            value = emit.exp_of_negative(e, e.sub(load(x), greatest))
            store(out, value)
            return e.add(total, value)

        total = row.each(power, e.constant(0.0), lowest)
        share = row.splat(code.value(f"fdiv float 1.0, {row.sum(total)}"))
        if closed:
            none = e.constant(0.0)
            share = e.select("oeq", share, e.constant(float("inf")), none, share)

        def divide(load: Any, store: Any, nothing: Value) -> Value:
            store(out, e.mul(load(out), share))
            return nothing

        row.each(divide, e.constant(0.0), e.constant(0.0))
    return module(code)


def norm_ir(centred: bool) -> str:
    """``(x - mean) / sqrt(var + eps) * w + b``, or ``x / sqrt(mean(x**2) + eps) * w + b``."""
    row = Row("ptr %out, ptr %x, ptr %w, ptr %b, float %eps, i64 %n, i64 %first, i64 %last")
    code, e = row.code, row.e
    zero = e.constant(0.0)
    count = code.value("sitofp i64 %n to float")
    with code.loop("%last", "%first") as rows:
        start = code.mul(rows.index, "%n")
        x, out = code.at("float", "%x", start), code.at("float", "%out", start)
        mean = zero
        if centred:
            total = row.each(lambda load, store, s: e.add(s, load(x)), zero, zero)
            mean = row.splat(code.value(f"fdiv float {row.sum(total)}, {count}"))
        # Lanes beyond the end hold the mean, which is no distance from itself.
        squares = row.each(lambda load, store, s: _squared(e, e.sub(load(x), mean), s), zero, mean)
        spread = code.value(f"fdiv float {row.sum(squares)}, {count}")
        root = code.call(
            "float", "llvm.sqrt.f32", f"float {code.value(f'fadd float {spread}, %eps')}"
        )
        scale = row.splat(code.value(f"fdiv float 1.0, {root}"))

        def normalize(load: Any, store: Any, nothing: Value) -> Value:
            value = e.mul(e.sub(load(x), mean), scale)
            store(out, e.fma(value, load("%w"), load("%b")))
            return nothing

        row.each(normalize, zero, zero)
    return module(code)


def _greater(e: Expression, value: Value, other: Value) -> Value:
    """The greater number; ``other`` beside nan. One instruction, where ``maxnum`` takes three."""
    return e.select("ogt", value, other, value, other)


def _squared(e: Expression, value: Value, total: Value) -> Value:
    return e.fma(value, value, total)


_Softmax = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3)
_Norm = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_float, *[ctypes.c_int64] * 3)


@cache
def softmax_rows() -> Native:
    """The compiled softmax."""
    return Native(compiled(softmax_ir()), "ppi")


@cache
def norm_rows(centred: bool) -> Native:
    """The compiled normalisation."""
    return Native(compiled(norm_ir(centred)), "ppppfi")


def takes_softmax(
    input: Array, dim: int | None = None, _stacklevel: Any = 3, dtype: Any = None
) -> str | None:
    """Why the kernel does not take a softmax."""
    if input.dtype != _FLOAT or dtype is not None or _stacklevel != 3:
        return f"{input.dtype}, or another dtype; it is for float32"
    if dim not in (-1, input.ndim - 1):
        return "not along the last dimension"
    return _in_one_piece(input)


def _in_one_piece(input: Array) -> str | None:
    return None if input.flags.c_contiguous and input.size else "gaps between the elements"


@kernel("numba", "softmax", when=takes_softmax, min_size=2048)
def row_softmax(input: Array, dim: int | None = None) -> Array:
    """Softmax of each row."""
    out, n = empty_like(input), input.shape[-1]
    softmax_rows().over(input.size // n, _PART // n + 1, address(out), address(input), n)
    return out


def takes_norm(
    input: Array, normalized_shape: Sequence[int], weight: Array | None = None,
    *rest: Any, **options: Any,
) -> str | None:  # fmt: skip
    """Why the kernels do not take a normalisation."""
    given = [input, weight, *rest, *options.values()]
    if any(a.dtype != _FLOAT for a in given if isinstance(a, np.ndarray)):
        return "not all float32"
    sizes = tuple(normalized_shape)
    if not sizes or input.shape[len(input.shape) - len(sizes) :] != sizes:
        return "shapes that do not fit"
    if any(a.shape != sizes for a in given[1:] if isinstance(a, np.ndarray)):
        return "shapes that do not fit"
    return _in_one_piece(input)


def _normalized(
    input: Array, sizes: Sequence[int], weight: Array | None, bias: Array | None, eps: float,
    centred: bool,
) -> Array:  # fmt: skip
    out, n = empty_like(input), prod(sizes)
    w = np.ones(n, np.float32) if weight is None else np.ascontiguousarray(weight)
    b = np.zeros(n, np.float32) if bias is None else np.ascontiguousarray(bias)
    words = address(out), address(input), address(w), address(b), eps, n
    norm_rows(centred).over(input.size // n, _PART // n + 1, *words)
    return out


@kernel("numba", "nn.functional.layer_norm", when=takes_norm, min_size=512)
def row_layer_norm(
    input: Array, normalized_shape: Sequence[int], weight: Array | None = None,
    bias: Array | None = None, eps: float = 1e-5,
) -> Array:  # fmt: skip
    """Layer normalisation of each row."""
    return _normalized(input, normalized_shape, weight, bias, eps, True)


@kernel("numba", "nn.functional.rms_norm", when=takes_norm, min_size=512)
def row_rms_norm(
    input: Array, normalized_shape: Sequence[int], weight: Array | None = None,
    eps: float | None = None,
) -> Array:  # fmt: skip
    """Root mean square normalisation of each row."""
    smallest = float(np.finfo(np.float32).eps) if eps is None else eps
    return _normalized(input, normalized_shape, weight, None, smallest, False)
