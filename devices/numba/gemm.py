"""Matrix products, ``C = A @ B + bias``, in the manner of BLIS (Van Zee and van de Geijn, 2015).

B is packed into panels as wide as a tile, each panel ``[k][columns]`` in one piece. The
micro-kernel keeps a tile of C in registers while it goes down a panel: per step of k it loads one
row of the panel (vectors), and multiplies it with one number of each row of A (broadcast). A is
read where it lies. Around it, from the inside out: tiles down the rows of A, panels across the
columns of C, and blocks of A that stay in the second-level cache while all panels go over them.

Rows are cut into tiles of two sizes that differ by one, so that no tile is small: 49 rows are three
tiles of 12 and one of 13. The last panel's columns beyond C are zeros in the panel and masked in
the store. Each element of C is one sum in the order of k, whatever the tile, the shape and the
number of threads are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..buffers import empty
from .code import Code, Value, module
from .llvm import compiled, target
from .memory import address
from .threads import Native, one_after_another

Array = np.ndarray[Any, Any]
KINDS = {np.dtype(np.float32): ("float", 4), np.dtype(np.float64): ("double", 8)}
BLOCK = 256 << 10  # bytes of A that stay in the second-level cache
_DEPTH = 2048  # rows of a panel of float32, about, that stay in the cache
_MANY = 48  # rows of A from which a panel is read often enough


@dataclass(frozen=True)
class Tile:
    """The part of C that stays in registers: at most ``rows`` by ``vectors`` times ``lanes``."""

    kind: str  # LLVM's name of the numbers
    lanes: int
    rows: int
    vectors: int

    @property
    def columns(self) -> int:
        return self.vectors * self.lanes

    @property
    def vector(self) -> str:
        return f"<{self.lanes} x {self.kind}>"

    @property
    def suffix(self) -> str:
        """How intrinsics over the vector type are called."""
        return f"v{self.lanes}f{32 if self.kind == 'float' else 64}"


@cache
def tile_for(dtype: np.dtype[Any], columns: int) -> Tile:
    """The tile for a C of so many columns: 32 registers hold 6x4 or 14x2 sums, 16 hold 6x2."""
    kind, size = KINDS[dtype]
    lanes = target().lanes * 4 // size
    if target().lanes < 16:
        return Tile(kind, lanes, 6, 2)
    wide = columns % (4 * lanes) == 0 or columns > 16 * lanes
    return Tile(kind, lanes, 6, 4) if wide else Tile(kind, lanes, 14, 2)


def _micro(tile: Tile, rows: int, by_row: bool) -> Code:
    """One tile of C: ``bias + A[rows, k] @ panel``, a number of the bias a column (or a row)."""
    code = Code(
        f"micro{rows}",
        "ptr %c, ptr %a, ptr %b, ptr %bias, i64 %k, i64 %a_row, i64 %c_row, i64 %columns",
        internal=True,
    )
    kind, vector = tile.kind, tile.vector
    starts = [code.at(kind, "%a", code.mul("%a_row", row)) for row in range(rows)]
    if by_row:
        bias = [
            code.value(f"load {kind}, ptr {code.at(kind, '%bias', str(r))}") for r in range(rows)
        ]
        first = [splat(code, tile, number) for number in bias for _ in range(tile.vectors)]
    else:
        first = [load_vector(code, tile, "%bias", i) for i in range(tile.vectors)] * rows
    carried = [(vector, value) for value in first]
    with code.loop("%k", carried=carried) as k:
        line = code.at(kind, "%b", code.mul(k.index, tile.columns))
        panel = [load_vector(code, tile, line, i) for i in range(tile.vectors)]
        for row in range(rows):
            one = code.value(f"load {kind}, ptr {code.at(kind, starts[row], k.index)}")
            alike = splat(code, tile, one)
            for i in range(tile.vectors):
                at = row * tile.vectors + i
                k.next[at] = code.call(
                    vector, f"llvm.fma.{tile.suffix}", f"{vector} {alike}", f"{vector} {panel[i]}",
                    f"{vector} {k.carried[at]}",
                )  # fmt: skip
    for row in range(rows):
        to = code.at(kind, "%c", code.mul("%c_row", row))
        for i in range(tile.vectors):
            store_vector(code, tile, to, i, k.carried[row * tile.vectors + i])
    return code


def load_vector(code: Code, tile: Tile, base: Value, i: int) -> Value:
    place = code.at(tile.kind, base, str(i * tile.lanes))
    return code.value(f"load {tile.vector}, ptr {place}, align 4")


def splat(code: Code, tile: Tile, number: Value) -> Value:
    one = code.value(f"insertelement {tile.vector} poison, {tile.kind} {number}, i32 0")
    lanes = f"<{tile.lanes} x i32> zeroinitializer"
    return code.value(f"shufflevector {tile.vector} {one}, {tile.vector} poison, {lanes}")


def mask_of(code: Code, tile: Tile, i: int, columns: Value) -> Value:
    """Which lanes of a tile's vector ``i`` are among the first ``columns``."""
    steps = ", ".join(f"i64 {i * tile.lanes + lane}" for lane in range(tile.lanes))
    wide = f"<{tile.lanes} x i64>"
    one = code.value(f"insertelement {wide} poison, i64 {columns}, i32 0")
    zeros = f"<{tile.lanes} x i32> zeroinitializer"
    alike = code.value(f"shufflevector {wide} {one}, {wide} poison, {zeros}")
    return code.value(f"icmp slt {wide} <{steps}>, {alike}")


def store_vector(code: Code, tile: Tile, base: Value, i: int, value: Value) -> None:
    place = code.at(tile.kind, base, str(i * tile.lanes))
    full = code.value(f"icmp sge i64 %columns, {(i + 1) * tile.lanes}")
    with code.when(full):
        code.do(f"store {tile.vector} {value}, ptr {place}, align 4")
    part = code.value(f"xor i1 {full}, true")
    with code.when(part):
        code.call(
            "void", f"llvm.masked.store.{tile.suffix}.p0", f"{tile.vector} {value}", f"ptr {place}",
            "i32 4", f"<{tile.lanes} x i1> {mask_of(code, tile, i, '%columns')}",
        )  # fmt: skip


def product_ir(tile: Tile, rows: int, by_row: bool) -> str:
    """``kernel``: panels ``first`` to ``last`` of a block of C, in ``large`` tiles of ``rows + 1``
    rows and then ``small`` ones of ``rows``.
    """
    code = Code(
        "kernel",
        "ptr %c, ptr %a, ptr %b, ptr %bias, i64 %k, i64 %n, i64 %a_row, i64 %c_row, "
        "i64 %large, i64 %small, i64 %first, i64 %last",
    )
    sizes = ((rows + 1, "%large"), (rows, "%small")) if rows < tile.rows else ((rows, "%small"),)
    with code.loop("%last", "%first") as panel:
        column = code.mul(panel.index, tile.columns)
        b = code.at(tile.kind, "%b", code.mul(column, "%k"))
        bias = "%bias" if by_row else code.at(tile.kind, "%bias", column)
        left = code.value(f"sub i64 %n, {column}")
        c, a = code.at(tile.kind, "%c", column), "%a"
        for size, count in sizes:
            carried = (("ptr", c), ("ptr", a), ("ptr", bias))
            with code.loop(count, carried=carried) as tiles:
                at_c, at_a, at_bias = tiles.carried
                code.do(
                    f"call void @micro{size}(ptr {at_c}, ptr {at_a}, ptr {b}, ptr {at_bias}, "
                    f"i64 %k, i64 %a_row, i64 %c_row, i64 {left})"
                )
                tiles.next = [
                    code.at(tile.kind, at_c, code.mul("%c_row", size)),
                    code.at(tile.kind, at_a, code.mul("%a_row", size)),
                    code.at(tile.kind, at_bias, str(size)) if by_row else at_bias,
                ]
            c, a, bias = tiles.carried
    return module(*(_micro(tile, size, by_row) for size, _ in sizes), code)


def pack_ir(tile: Tile) -> str:
    """``kernel``: panels ``first`` to ``last`` of a B whose rows lie in one piece each."""
    code = Code("kernel", "ptr %to, ptr %b, i64 %k, i64 %n, i64 %b_row, i64 %first, i64 %last")
    vector = tile.vector
    with code.loop("%last", "%first") as panel:
        column = code.mul(panel.index, tile.columns)
        to = code.at(tile.kind, "%to", code.mul(column, "%k"))
        source = code.at(tile.kind, "%b", column)
        left = code.value(f"sub i64 %n, {column}")
        masks = [mask_of(code, tile, i, left) for i in range(tile.vectors)]
        with code.loop("%k") as k:
            line = code.at(tile.kind, source, code.mul(k.index, "%b_row"))
            place = code.at(tile.kind, to, code.mul(k.index, tile.columns))
            for i, mask in enumerate(masks):
                value = code.call(
                    vector, f"llvm.masked.load.{tile.suffix}.p0",
                    f"ptr {code.at(tile.kind, line, str(i * tile.lanes))}", "i32 4",
                    f"<{tile.lanes} x i1> {mask}", f"{vector} zeroinitializer",
                )  # fmt: skip
                there = code.at(tile.kind, place, str(i * tile.lanes))
                code.do(f"store {vector} {value}, ptr {there}, align 4")
    return module(code)


def pack_transposed_ir(tile: Tile) -> str:
    """``kernel``: panels ``first`` to ``last`` of a B that is given as its transpose.

    Squares of ``lanes`` by ``lanes`` numbers are turned in registers: interleaving the rows of one
    half with those of the other, as often as two divides their number, transposes them.
    """
    code = Code("kernel", "ptr %to, ptr %b, i64 %k, i64 %n, i64 %b_row, i64 %first, i64 %last")
    lanes, vector, kind = tile.lanes, tile.vector, tile.kind
    whole = code.value(f"and i64 %k, {-lanes}")
    with code.loop("%last", "%first") as panel:
        column = code.mul(panel.index, tile.columns)
        to = code.at(kind, "%to", code.mul(column, "%k"))
        for i in range(tile.vectors):
            start = code.add(column, i * lanes)
            here = code.at(kind, to, str(i * lanes))
            rows = [_row(code, tile, start, lane) for lane in range(lanes)]
            with code.loop(whole, step=lanes) as k:
                values = [
                    _row_part(code, tile, row, code.at(kind, row[0], k.index)) for row in rows
                ]
                for step, value in enumerate(turned(code, tile, values)):
                    line = code.mul(code.add(k.index, step), tile.columns)
                    code.do(f"store {vector} {value}, ptr {code.at(kind, here, line)}, align 4")
            with code.loop("%k", whole) as k:
                line = code.at(kind, here, code.mul(k.index, tile.columns))
                for lane, (row, there) in enumerate(rows):
                    number = code.value(f"load {kind}, ptr {code.at(kind, row, k.index)}")
                    kept = code.value(f"select i1 {there}, {kind} {number}, {kind} 0.0")
                    code.do(f"store {kind} {kept}, ptr {code.at(kind, line, str(lane))}")
    return module(code)


def _row(code: Code, tile: Tile, start: Value, lane: int) -> tuple[Value, Value]:
    """Where a row of the transpose begins, and whether it exists (the first is read if not)."""
    row = code.add(start, lane)
    there = code.value(f"icmp slt i64 {row}, %n")
    held = code.value(f"select i1 {there}, i64 {row}, i64 0")
    return code.at(tile.kind, "%b", code.mul(held, "%b_row")), there


def _row_part(code: Code, tile: Tile, row: tuple[Value, Value], place: Value) -> Value:
    value = code.value(f"load {tile.vector}, ptr {place}, align 4")
    vector = tile.vector
    return code.value(f"select i1 {row[1]}, {vector} {value}, {vector} zeroinitializer")


def turned(code: Code, tile: Tile, rows: list[Value]) -> list[Value]:
    """The transpose of a square in as many vectors as they have lanes."""
    lanes, half = tile.lanes, tile.lanes // 2
    low = [x for i in range(half) for x in (i, lanes + i)]
    high = [x for i in range(half, lanes) for x in (i, lanes + i)]
    for _ in range(lanes.bit_length() - 1):
        rows = [
            code.value(
                f"shufflevector {tile.vector} {rows[i]}, {tile.vector} {rows[i + half]}, "
                f"<{lanes} x i32> <{', '.join(f'i32 {x}' for x in order)}>"
            )
            for i in range(half)
            for order in (low, high)
        ]
    return rows


@cache
def product(tile: Tile, rows: int, by_row: bool = False) -> Native:
    """The compiled loops over panels and tiles."""
    return Native(compiled(product_ir(tile, rows, by_row)), "pppp" + "i" * 6)


@cache
def packer(tile: Tile, transposed: bool) -> Native:
    """The compiled packing of B, or of a B given as its transpose."""
    return Native(compiled((pack_transposed_ir if transposed else pack_ir)(tile)), "ppiii")


@dataclass(frozen=True)
class Packed:
    """B in panels; ``k`` rows, ``n`` columns."""

    panels: Array
    tile: Tile
    k: int
    n: int

    @property
    def count(self) -> int:
        return -(-self.n // self.tile.columns)


def pack(b: Array, tile: Tile | None = None, panels: Array | None = None) -> Packed:
    """B ``(k, n)`` in panels (new ones, or those given), whose rows or columns lie in one piece."""
    k, n = b.shape
    tile = tile_for(b.dtype, n) if tile is None else tile
    if panels is None:
        panels = np.empty(-(-n // tile.columns) * tile.columns * k, b.dtype)
    found = Packed(panels, tile, k, n)
    transposed = b.strides[1] != b.itemsize
    row = b.strides[0 if not transposed else 1] // b.itemsize
    least = max(1, 100_000 // (k * tile.columns + 1))
    words = address(found.panels), address(b), k, n, row
    packer(tile, transposed).over(found.count, least, *words)
    return found


def pieces(rows: int, depth: int, itemsize: int = 4) -> list[tuple[int, int]]:
    """Where a sum is cut, so that a panel stays in the second-level cache while rows go over it.

    >>> pieces(100, 2048), pieces(100, 4096), pieces(8, 4096)
    ([(0, 2048)], [(0, 2048), (2048, 4096)], [(0, 4096)])
    """
    deep = _DEPTH * 4 // itemsize
    count = -(-depth // deep) if depth > deep * 5 // 4 and rows >= _MANY else 1
    return list(pairwise([*[depth * i // count // 64 * 64 for i in range(count)], depth]))


def gemm(a: Array, b: Packed, bias: Array | None = None, out: Array | None = None) -> Array:
    """``a @ b + bias``; the rows of ``a`` and of ``out`` must lie in one piece each."""
    m, k = a.shape
    tile = b.tile
    made = empty((m, b.n), a.dtype) if out is None else out
    wide = np.zeros(b.count * tile.columns, a.dtype)
    if bias is not None:
        wide[: b.n] = bias
    size = a.itemsize
    a_row, c_row = (x.strides[0] // size for x in (a, made))
    at = address(made), address(a), address(b.panels), address(wide)
    block = max(tile.rows, BLOCK // (k * size + 1) // tile.rows * tile.rows)
    calls = []
    for start in range(0, m, block):
        rows, large, small = tiles(min(block, m - start), tile.rows)
        words = (at[0] + start * c_row * size, at[1] + start * a_row * size, at[2], at[3], k, b.n,
                 a_row, c_row, large, small)  # fmt: skip
        calls.append((product(tile, rows), words))
    one_after_another(calls, b.count, max(1, 500_000 // (m * k * tile.columns + 1)))
    return made


@cache
def tiles(rows: int, most: int) -> tuple[int, int, int]:
    """Rows in tiles of two sizes: the smaller size, how many are one larger, how many are not.

    >>> tiles(49, 14)
    (12, 1, 3)
    """
    count = -(-rows // most)
    return rows // count, rows % count, count - rows % count
