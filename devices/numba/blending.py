"""Weighted sums of slices along a dimension: resampling.

``out[o, i] = sum over taps t of weights[i, t] * x[o, indices[i, t]]``, where a slice lies in one
piece. The words: the addresses of the result, the input, the indices and the weights (rows of taps
for each i), then the sizes: outer, results, taps, slices of the input, elements of a slice.
"""

from __future__ import annotations

from functools import cache

from .code import Code, Value, module
from .fused import Vectors, Words, share
from .llvm import made_by, target


@cache
def blend_ir() -> str:
    """The module of the kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, x, indices, weights = (words.next("ptr") for _ in range(4))
    outer, count, taps, size, inner = words.many(5)
    vectors = Vectors(code, target().lanes)
    e, lanes = vectors.e, vectors.lanes
    first, last = share(code, code.mul(outer, count))
    whole = code.value(f"and i64 {inner}, {-lanes}")
    left = code.value(f"sub i64 {inner}, {whole}")

    def blended(unit: Value, at: Value, mask: Value = "") -> None:
        which = code.value(f"sdiv i64 {unit}, {count}")
        row = code.mul(code.value(f"srem i64 {unit}, {count}"), taps)
        base = code.mul(which, size)
        with code.loop(taps, carried=[(e.vector, e.constant(0.0))]) as tap:
            entry = code.add(row, tap.index)
            index = code.value(f"load i64, ptr {code.at('i64', indices, entry)}")
            weight = vectors.number(code.at("float", weights, entry))
            place = code.at("float", x, code.mul(code.add(base, index), inner))
            value = vectors.load(code.at("float", place, at), mask)
            tap.next[0] = e.fma(weight, value, tap.carried[0])
        to = code.at("float", out, code.mul(unit, inner))
        vectors.store(tap.carried[0], code.at("float", to, at), mask)

    with code.loop(last, first) as unit:
        with code.loop(whole, step=lanes) as column:
            blended(unit.index, column.index)
        with code.when(code.value(f"icmp sgt i64 {left}, 0")):
            blended(unit.index, whole, vectors.mask(left))
    return module(code)


def blend() -> int:
    """The address of the kernel, compiled if need be."""
    return made_by(blend_ir)
