"""Packing B for a product inside a plan: the panels of :mod:`.gemm`, for a batch of matrices.

A kernel takes a block of words: the addresses of the panels, of B and of a table with the offsets
of each matrix of the batch (panels', B's), then k, n, B's row stride, the number of panels and of
matrices.
"""

from __future__ import annotations

from functools import cache

from .code import Code, module
from .fused import Words, share
from .gemm import Tile, pack_ir, pack_transposed_ir
from .llvm import made_by


@cache
def packing_ir(tile: Tile, transposed: bool) -> str:
    """The module of a kernel."""
    body = (pack_transposed_ir if transposed else pack_ir)(tile)
    body = body.replace("define void @kernel(", "define internal void @panels(")
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    to, b, table = (words.next("ptr") for _ in range(3))
    k, n, b_row, count, batch = words.many(5)
    first, last = share(code, code.mul(batch, count))
    with code.loop(last, first) as unit:
        matrix = code.value(f"sdiv i64 {unit.index}, {count}")
        panel = code.value(f"srem i64 {unit.index}, {count}")
        entry = code.at("i64", table, code.mul(matrix, 2))
        places = [
            code.at(tile.kind, base, code.value(f"load i64, ptr {code.at('i64', entry, str(i))}"))
            for i, base in enumerate((to, b))
        ]
        code.do(
            f"call void @panels(ptr {places[0]}, ptr {places[1]}, i64 {k}, i64 {n}, "
            f"i64 {b_row}, i64 {panel}, i64 {code.add(panel, 1)})"
        )
    return f"{body}\n{module(code)}"


@cache
def packing(tile: Tile, transposed: bool) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(packing_ir, tile, transposed)
