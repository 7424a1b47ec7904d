"""Products of 8-bit integers of a plan: :mod:`.brgemm` with sums in int32.

``C[m] = f(bias + sum over taps t of A[rows[m] + taps[t] :][: K] @ B[t])`` for A of uint8 (int8 is
made uint8 by 128 more), B of int8, a bias and sums of int32. Four numbers of a row, which are one
word, meet four rows of the panel at a time: B is packed ``[k / 4][columns][4]``, with zeros where
K ends, so the words' ``k`` counts fours. Up to three bytes beyond a row of A are read, and times
zero. VNNI has an instruction for this (``vpdpbusd``); AVX2 and SSE2 multiply pairs of 16 bits
(``vpmaddwd``), for their own 8-bit product saturates; elsewhere plain 32-bit products do it.

``f`` is over the sum as float32. C is float32, int8 or uint8 of what is between their limits
already, or int32: the sums themselves (``SUM``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from .brgemm import Micro, Spec, around
from .code import Code, Value
from .expressions import SUM, Tree
from .gemm import Tile, load_vector
from .llvm import is_x86, made_by, target
from .narrowing import narrow

RESULTS = {"float32": "float", "int32": "i32", "int8": "i8", "uint8": "i8"}


@cache
def instruction() -> str:
    """How this processor multiplies: "vnni", "pairs" or "plain"."""
    features, lanes = target().features.split(","), target().lanes
    if not is_x86():
        return "plain"
    if "+avx512vnni" in features and lanes == 16 or "+avxvnni" in features and lanes == 8:
        return "vnni"
    return "pairs"


class _Micro(Micro):
    """One tile of C, four steps of k at a time."""

    def __init__(self, spec: Spec, rows: int, signed: bool) -> None:
        super().__init__(spec, rows)
        lanes = spec.tile.lanes
        self.signed = signed
        self.sums = Tile("i32", lanes, spec.tile.rows, spec.tile.vectors)
        self.short = self.short or spec.tree == SUM
        self.vector = self.sums.vector

    def _products(self, starts: list[Value], b: Value, first: list[Value], k: Value) -> list[Value]:
        code, tile = self.code, self.tile
        with code.loop(k, carried=[(self.vector, value) for value in first]) as loop:
            line = code.at("i32", b, code.mul(loop.index, tile.columns))
            panel = [load_vector(code, self.sums, line, i) for i in range(tile.vectors)]
            right = [self._halves(vector, signed=True) for vector in panel]
            for row in range(self.rows):
                place = code.at("i32", starts[row], loop.index)
                left = self._halves(self._four(place), signed=False)
                for i in range(tile.vectors):
                    at = row * tile.vectors + i
                    loop.next[at] = self._dot(loop.carried[at], left, right[i])
        return loop.carried

    def _four(self, place: Value) -> Value:
        """Four numbers of A in every lane, as uint8."""
        code, v, lanes = self.code, self.vector, self.tile.lanes
        four = code.value(f"load i32, ptr {place}, align 1")
        one = code.value(f"insertelement {v} poison, i32 {four}, i32 0")
        zeros = f"<{lanes} x i32> zeroinitializer"
        alike = code.value(f"shufflevector {v} {one}, {v} poison, {zeros}")
        if not self.signed:
            return alike
        return code.value(f"xor {v} {alike}, {self._splat(-0x7F7F7F80)}")

    def _splat(self, number: int) -> Value:
        return f"<{', '.join([f'i32 {number}'] * self.tile.lanes)}>"

    def _halves(self, four: Value, signed: bool) -> tuple[Value, ...]:
        """What an instruction takes of four bytes in a lane: all, two pairs of 16 bits, or each."""
        code, v = self.code, self.vector
        way = "ashr" if signed else "lshr"
        if instruction() == "vnni":
            return (four,)
        if instruction() == "plain":
            parts = []
            for place in (24, 16, 8, 0):
                up = code.value(f"shl {v} {four}, {self._splat(place)}") if place else four
                parts.append(code.value(f"{way} {v} {up}, {self._splat(24)}"))
            return tuple(parts)
        pairs = f"<{2 * self.tile.lanes} x i16>"
        eight = f"<{', '.join(['i16 8'] * 2 * self.tile.lanes)}>"
        whole = code.value(f"bitcast {v} {four} to {pairs}")
        odd = code.value(f"{way} {pairs} {whole}, {eight}")
        up = code.value(f"shl {pairs} {whole}, {eight}")
        return code.value(f"{way} {pairs} {up}, {eight}"), odd

    def _dot(self, total: Value, left: tuple[Value, ...], right: tuple[Value, ...]) -> Value:
        """A sum, and four products more in each lane."""
        code, v, lanes = self.code, self.vector, self.tile.lanes
        if instruction() == "vnni":
            name = f"llvm.x86.avx512.vpdpbusd.{32 * lanes}"
            return code.call(v, name, f"{v} {total}", f"{v} {left[0]}", f"{v} {right[0]}")
        pairs = f"<{2 * lanes} x i16>"
        of_pairs = {16: "avx512.pmaddw.d.512", 8: "avx2.pmadd.wd", 4: "sse2.pmadd.wd"}[lanes]
        for a, b in zip(left, right, strict=True):
            if instruction() == "plain":
                part = code.value(f"mul {v} {a}, {b}")
            else:
                part = code.call(v, f"llvm.x86.{of_pairs}", f"{pairs} {a}", f"{pairs} {b}")
            total = code.value(f"add {v} {total}, {part}")
        return total

    def _number(self, total: Value) -> Value:
        if self.spec.tree == SUM:
            return total
        return self.code.value(f"sitofp {self.vector} {total} to {self.tile.vector}")

    def _expression(self, acc: Value, row: Value, column: Value, mask: Value) -> Value:
        return acc if self.spec.tree == SUM else super()._expression(acc, row, column, mask)

    def _emitted(self, leaf: Callable[[Tree], Value]) -> Value:
        if self.spec.c == "i8":
            return narrow(self.vectors, self.spec.tree, leaf)
        return super()._emitted(leaf)

    def _store(self, place: Value, value: Value, mask: Value) -> None:
        code, kind, lanes = self.code, self.spec.c, self.tile.lanes
        if kind == "float":
            super()._store(place, value, mask)
            return
        vector, size = f"<{lanes} x {kind}>", 1 if kind == "i8" else 4
        if not mask:
            code.do(f"store {vector} {value}, ptr {place}, align {size}")
            return
        code.call(
            "void", f"llvm.masked.store.v{lanes}{kind}.p0", f"{vector} {value}", f"ptr {place}",
            f"i32 {size}", f"<{lanes} x i1> {mask}",
        )  # fmt: skip


@cache
def integer_product_ir(spec: Spec, signed: bool) -> str:
    """The module of a kernel whose A is uint8, or ``signed``: int8."""
    sizes = (spec.rows + 1, spec.rows)
    micros: list[Code] = [_Micro(spec, size, signed).written() for size in sizes]
    return around(spec, micros)


def integer_product(spec: Spec, signed: bool) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(integer_product_ir, spec, signed)
