"""Floating-point numbers put together from their parts, 256 at a time: LLVM IR.

The parts of the upper 16 bits are a symbol and the rest. Plain: the symbol is bits 14 to 7, the
rest the sign and bits 6 to 0, a byte each. Fine: the symbol stands for bits 14 to 5 (zero for zero,
else a base added to it), the rest is the sign and bits 4 to 0: six bits, of which 256 take 192
bytes, a quarter in the low bits of each third, and the last quarter in their highest two.
float32 has two more bytes, in planes of their own.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from ..devices.numba.code import Code, Value, module
from ..devices.numba.llvm import compiled

CHUNK = 256
_B, _H, _W = "<64 x i8>", "<64 x i16>", "<64 x i32>"


def _splat(kind: str, value: int | str) -> str:
    return f"splat ({kind} {value})"


def _byte(code: Code, operation: str, a: Value, number: int) -> Value:
    return code.value(f"{operation} {_B} {a}, {_splat('i8', number)}")


def _load(code: Code, base: Value, index: Value) -> Value:
    return code.value(f"load {_B}, ptr {code.at(_B, base, index)}, align 1")


def _rests(code: Code, rest: Value, chunk: Value, fine: bool) -> list[Value]:
    """The rests of a chunk, in quarters."""
    thirds = 3 if fine else 4
    parts = [_load(code, rest, code.add(code.mul(chunk, thirds), i)) for i in range(thirds)]
    if not fine:
        return parts
    tops = [_byte(code, "lshr", part, 6) for part in parts]
    last = tops[0]
    for i in (1, 2):
        last = code.value(f"or {_B} {last}, {_byte(code, 'shl', tops[i], 2 * i)}")
    return [*(_byte(code, "and", part, 63) for part in parts), last]


def _upper(code: Code, symbols: Value, rest: Value, base: Value, fine: bool) -> Value:
    """The upper sixteen bits."""
    wide = code.value(f"zext {_B} {symbols} to {_H}")
    right = code.value(f"zext {_B} {rest} to {_H}")
    bits, sign = (5, 32) if fine else (7, 128)
    if fine:
        some = code.value(f"icmp ne {_B} {symbols}, zeroinitializer")
        added = code.value(f"add {_H} {wide}, {base}")
        wide = code.value(f"select <64 x i1> {some}, {_H} {added}, {_H} zeroinitializer")
    moved = code.value(f"shl {_H} {wide}, {_splat('i16', bits)}")
    low = code.value(f"and {_H} {right}, {_splat('i16', sign - 1)}")
    signs = code.value(f"and {_H} {right}, {_splat('i16', sign)}")
    placed = code.value(f"shl {_H} {signs}, {_splat('i16', 15 - bits)}")
    both = code.value(f"or {_H} {moved}, {low}")
    return code.value(f"or {_H} {both}, {placed}")


@cache
def merge_ir(fine: bool, width: int) -> str:
    """The kernel for numbers of ``width`` bytes: 2 or 4."""
    code = Code("kernel", "ptr %symbols, ptr %rest, ptr %second, ptr %first, ptr %out, "
                          "i64 %chunks, i64 %base, "
                          "ptr %rows, i64 %count, i64 %size, ptr %to")  # fmt: skip
    narrow = code.value("trunc i64 %base to i16")
    one = code.value(f"insertelement {_H} poison, i16 {narrow}, i32 0")
    base = code.value(f"shufflevector {_H} {one}, {_H} poison, <64 x i32> zeroinitializer")
    with code.loop("%chunks") as chunk:
        rests = _rests(code, "%rest", chunk.index, fine)
        for i, rest in enumerate(rests):
            at = code.add(code.mul(chunk.index, 4), i)
            upper = _upper(code, _load(code, "%symbols", at), rest, base, fine)
            if width == 2:
                code.do(f"store {_H} {upper}, ptr {code.at(_H, '%out', at)}, align 1")
                continue
            whole = code.value(f"zext {_H} {upper} to {_W}")
            for plane in ("%second", "%first"):
                byte = code.value(f"zext {_B} {_load(code, plane, at)} to {_W}")
                moved = code.value(f"shl {_W} {whole}, {_splat('i32', 8)}")
                whole = code.value(f"or {_W} {moved}, {byte}")
            code.do(f"store {_W} {whole}, ptr {code.at(_W, '%out', at)}, align 1")
    with code.loop("%count") as row:
        number = code.value(f"load i64, ptr {code.at('i64', '%rows', row.index)}")
        source = code.at("i8", "%out", code.mul(row.index, "%size"))
        target = code.at("i8", "%to", code.mul(number, "%size"))
        code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {target}", f"ptr {source}", "i64 %size",
                  "i1 false")  # fmt: skip
    return module(code)


@cache
def merger(fine: bool, width: int) -> Any:
    """The kernel, to be called with addresses of symbols, rest, second and first byte, result;
    how many chunks; the base; then the numbers of rows that the result has, how many, of how many
    bytes, and the address of the matrix that they are copied to."""
    words, places = [ctypes.c_int64] * 2, [ctypes.c_void_p] * 5
    kind = ctypes.CFUNCTYPE(None, *places, *words, ctypes.c_void_p, *words, ctypes.c_void_p)
    return kind(compiled(merge_ir(fine, width)))
