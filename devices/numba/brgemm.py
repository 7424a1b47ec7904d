"""Products of a plan: rows found by a table, taps, packed weights, and a fused expression behind.

``C[m] = f(bias + sum over taps t of A[rows[m] + taps[t] :][: K] @ B[t])``. With one tap and rows
at equal distances it is a matrix product. A convolution with channels last is the same: a row is
an output pixel, its table entry the first input pixel of its window, and a tap a row of the window,
whose width times channels lie in one piece. The tile and the loop order are those of
:mod:`.gemm`: B in panels as wide as a tile, blocks of A that stay in the second-level cache.
Known in the literature as batch-reduce GEMM (Georganas et al., 2020).

``f`` is an expression (:mod:`.expressions`) over the sum and operands of C's shape ("full", or of
bytes), of one number a column ("column"), or one number ("one"). A short one is computed in the
tile's registers before the store; a long one in a second pass over the tile, which is in the
first-level cache then.

A kernel takes a block of 8-byte words (:data:`WORDS`), its part and the number of parts. Work is
split by rows, panels or products of a batch, as the words say. The table of a batch has four
numbers for each product: how far its C, A, B and bias are from the first's. An element of C is one
sum in the order of taps and k in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .emit import Expression
from .expressions import ACC, Tree, emitted, weight
from .gemm import Tile, load_vector, mask_of, splat
from .llvm import made_by, target

#: The words before the operands: addresses (C, A, B, bias, tables), then sizes.
WORDS = (
    "c", "a", "b", "bias", "rows", "c_rows", "taps", "n_taps", "k", "n", "large", "small",
    "panels", "per_block", "split", "batch", "batch_table",
)  # fmt: skip
SPLIT_ROWS, SPLIT_PANELS, SPLIT_BATCH = 0, 1, 2
BYTES = {"int8": "sitofp", "uint8": "uitofp"}  # operands of C's shape, and how they become floats
_SHORT = 6  # vector instructions of an expression up to which it is computed in registers


@cache
def tile_of(columns: int) -> Tile:
    """The float32 tile that wastes least on a C of so many columns; wide ones come first."""
    lanes = target().lanes
    if lanes < 16:
        return Tile("float", lanes, 6, 2)
    shapes = ((6, 4), (9, 3), (5, 5), (4, 6), (14, 2), (3, 7), (28, 1))
    padded = [-(-columns // (v * lanes)) * v * lanes for _, v in shapes]
    rows, vectors = shapes[padded.index(min(padded))]
    return Tile("float", lanes, rows, vectors)


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel; everything else is in its words."""

    tile: Tile
    rows: int  # tiles have this many rows, or one more
    tree: Tree = ACC
    operands: tuple[str, ...] = ()  # "full", a dtype of BYTES, "column" or "one"
    taps: bool = False  # more than one
    batched: bool = False
    a: str = "float"  # LLVM's type of A's elements
    c: str = "float"  # ... and of C's


def _word(code: Code, name_or_index: str | int, kind: str) -> Value:
    index = WORDS.index(name_or_index) if isinstance(name_or_index, str) else name_or_index
    return code.value(f"load {kind}, ptr {code.at('i64', '%args', str(index))}")


def _offset(code: Code, kind: str, base: Value, table: Value, row: int | Value) -> Value:
    """The address of a row: the base and an entry of its table of elements."""
    entry = code.value(f"load i32, ptr {code.at('i32', table, str(row))}")
    return code.value(f"getelementptr {kind}, ptr {base}, i32 {entry}")


class Micro:
    """One tile of C."""

    def __init__(self, spec: Spec, rows: int) -> None:
        self.spec, self.tile, self.rows = spec, spec.tile, rows
        self.code = Code(
            f"micro{rows}",
            "ptr %args, ptr %c, ptr %a, ptr %b, ptr %bias, ptr %rows, ptr %c_rows, "
            "i64 %column, i64 %columns",
            internal=True,
        )
        self.short = weight(spec.tree) <= _SHORT or spec.c != "float"
        self.sums = self.tile  # what the sums are vectors of
        self.vectors = Expression(self.tile.lanes, self.code)
        self.alike: dict[tuple[int, Value], Value] = {}  # operands that are the same in every row
        self.rows_of: dict[tuple[int, Value], Value] = {}  # where rows of operands begin

    def written(self) -> Code:
        code, tile = self.code, self.tile
        starts = [_offset(code, self.spec.a, "%a", "%rows", row) for row in range(self.rows)]
        bias = code.at(tile.kind, "%bias", "%column")
        first = [load_vector(code, self.sums, bias, i) for i in range(tile.vectors)] * self.rows
        k = _word(code, "k", "i64")
        if self.spec.taps:
            sums = self._taps(starts, first, k)
        else:
            sums = self._products(starts, "%b", first, k)
        full = code.value(f"icmp sge i64 %columns, {tile.columns}")
        with code.when(full):
            self._stored(sums, masked=False)
        with code.when(code.value(f"xor i1 {full}, true")):
            self._stored(sums, masked=True)
        if not self.short:
            self._second_pass()
        return code

    def _taps(self, starts: list[Value], first: list[Value], k: Value) -> list[Value]:
        code, tile = self.code, self.tile
        count, table = _word(code, "n_taps", "i64"), _word(code, "taps", "ptr")
        step = code.mul(k, tile.columns)
        carried = [(self.sums.vector, value) for value in first]
        with code.loop(count, carried=carried) as tap:
            entry = code.value(f"load i64, ptr {code.at('i64', table, tap.index)}")
            here = [code.at(self.spec.a, start, entry) for start in starts]
            b = code.at(tile.kind, "%b", code.mul(tap.index, step))
            tap.next = self._products(here, b, tap.carried, k)
        return tap.carried

    def _products(self, starts: list[Value], b: Value, first: list[Value], k: Value) -> list[Value]:
        code, tile = self.code, self.tile
        with code.loop(k, carried=[(tile.vector, value) for value in first]) as loop:
            line = code.at(tile.kind, b, code.mul(loop.index, tile.columns))
            panel = [load_vector(code, tile, line, i) for i in range(tile.vectors)]
            for row in range(self.rows):
                place = code.at(tile.kind, starts[row], loop.index)
                alike = splat(code, tile, code.value(f"load {tile.kind}, ptr {place}"))
                for i in range(tile.vectors):
                    at = row * tile.vectors + i
                    loop.next[at] = code.call(
                        tile.vector, f"llvm.fma.{tile.suffix}", f"{tile.vector} {alike}",
                        f"{tile.vector} {panel[i]}", f"{tile.vector} {loop.carried[at]}",
                    )  # fmt: skip
        return loop.carried

    def _stored(self, sums: list[Value], masked: bool) -> None:
        code, tile = self.code, self.tile
        masks = [mask_of(code, tile, i, "%columns") if masked else "" for i in range(tile.vectors)]
        self.alike, self.rows_of = {}, {}
        for row in range(self.rows):
            to = _offset(code, self.spec.c, "%c", "%c_rows", row)
            for i in range(tile.vectors):
                value = self._number(sums[row * tile.vectors + i])
                column = str(i * tile.lanes)
                if self.short:
                    value = self._expression(value, str(row), column, masks[i])
                self._store(code.at(self.spec.c, to, column), value, masks[i])

    def _number(self, total: Value) -> Value:
        """A vector of sums as floats."""
        return total

    def _second_pass(self) -> None:
        """The expression, over what the first pass stored."""
        code, tile = self.code, self.tile
        low = code.value(f"icmp slt i64 %columns, {tile.columns}")
        stop = code.value(f"select i1 {low}, i64 %columns, i64 {tile.columns}")
        with code.loop(str(self.rows)) as row:
            to = _offset(code, tile.kind, "%c", "%c_rows", row.index)
            with code.loop(stop, step=tile.lanes) as column:
                left = code.value(f"sub i64 {stop}, {column.index}")
                mask = mask_of(code, tile, 0, left)
                place = code.at(tile.kind, to, column.index)
                value = self._load(place, mask)
                value = self._expression(value, row.index, column.index, mask)
                self._store(place, value, mask)

    def _expression(self, acc: Value, row: Value, column: Value, mask: Value) -> Value:
        def leaf(node: Tree) -> Value:
            if node == ACC:
                return acc
            if not self.short or self.spec.operands[node[1]] not in ("column", "one"):
                return self._operand(node[1], row, column, mask)
            key = node[1], column
            if key not in self.alike:
                self.alike[key] = self._operand(*key[:1], row, column, mask)
            return self.alike[key]

        return self._emitted(leaf)

    def _emitted(self, leaf: Callable[[Tree], Value]) -> Value:
        return emitted(self.vectors, self.spec.tree, leaf)

    def _operand(self, index: int, row: Value, column: Value, mask: Value) -> Value:
        code, tile = self.code, self.tile
        base = _word(code, len(WORDS) + 2 * index, "ptr")
        kind = self.spec.operands[index]
        if kind == "one":
            return splat(code, tile, code.value(f"load {tile.kind}, ptr {base}"))
        own = "i8" if kind in BYTES else tile.kind
        if kind != "column":
            base = self._row_of(index, own, base, row)
        place = code.at(own, code.at(own, base, "%column"), column)
        return self._load_bytes(kind, place, mask) if kind in BYTES else self._load(place, mask)

    def _row_of(self, index: int, kind: str, base: Value, row: Value) -> Value:
        """Where a row of an operand begins."""
        if (index, row) in self.rows_of:
            return self.rows_of[index, row]
        # Tables of operands begin where C's does: with the tile's first row.
        code = self.code
        table = _word(code, len(WORDS) + 2 * index + 1, "i64")
        first = code.value("ptrtoint ptr %c_rows to i64")
        of_c = _word(code, "c_rows", "i64")
        moved = code.add(table, code.value(f"sub i64 {first}, {of_c}"))
        there = code.value(f"inttoptr i64 {moved} to ptr")
        found = _offset(code, kind, base, there, row)
        if self.short:
            self.rows_of[index, row] = found
        return found

    def _load_bytes(self, dtype: str, place: Value, mask: Value) -> Value:
        code, lanes = self.code, self.tile.lanes
        found = code.call(
            f"<{lanes} x i8>", f"llvm.masked.load.v{lanes}i8.p0", f"ptr {place}", "i32 1",
            f"<{lanes} x i1> {mask}", f"<{lanes} x i8> zeroinitializer",
        ) if mask else code.value(f"load <{lanes} x i8>, ptr {place}, align 1")  # fmt: skip
        return code.value(f"{BYTES[dtype]} <{lanes} x i8> {found} to {self.tile.vector}")

    def _load(self, place: Value, mask: Value) -> Value:
        tile = self.tile
        if not mask:
            return self.code.value(f"load {tile.vector}, ptr {place}, align 4")
        return self.code.call(
            tile.vector, f"llvm.masked.load.{tile.suffix}.p0", f"ptr {place}", "i32 4",
            f"<{tile.lanes} x i1> {mask}", f"{tile.vector} zeroinitializer",
        )  # fmt: skip

    def _store(self, place: Value, value: Value, mask: Value) -> None:
        tile = self.tile
        if not mask:
            self.code.do(f"store {tile.vector} {value}, ptr {place}, align 4")
            return
        self.code.call(
            "void", f"llvm.masked.store.{tile.suffix}.p0", f"{tile.vector} {value}", f"ptr {place}",
            "i32 4", f"<{tile.lanes} x i1> {mask}",
        )  # fmt: skip


def parts_of(code: Code, count: Value, wanted: str) -> tuple[Value, Value]:
    """The first and last of ``range(count)`` for this part, or all unless ``wanted`` is true."""
    first = code.value(f"sdiv i64 {code.mul(count, '%part')}, %parts")
    after = code.mul(count, code.add("%part", 1))
    last = code.value(f"sdiv i64 {after}, %parts")
    return (
        code.value(f"select i1 {wanted}, i64 {first}, i64 0"),
        code.value(f"select i1 {wanted}, i64 {last}, i64 {count}"),
    )


@cache
def product_ir(spec: Spec) -> str:
    """The module of a kernel."""
    return around(spec, [Micro(spec, size).written() for size in (spec.rows + 1, spec.rows)])


def around(spec: Spec, micros: Sequence[Code]) -> str:
    """The loops around the tiles of two sizes, and the tiles, as a module."""
    tile = spec.tile
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    c, a, b, bias, rows, c_rows = (
        _word(code, n, "ptr") for n in ("c", "a", "b", "bias", "rows", "c_rows")
    )
    n, large, small, panels, per_block, split, batch = (
        _word(code, w, "i64")
        for w in ("n", "large", "small", "panels", "per_block", "split", "batch")
    )
    split_is = [code.value(f"icmp eq i64 {split}, {way}") for way in range(3)]
    all_tiles = code.value(f"add i64 {large}, {small}")
    first_tile, last_tile = parts_of(code, all_tiles, split_is[SPLIT_ROWS])
    first_panel, last_panel = parts_of(code, panels, split_is[SPLIT_PANELS])
    first, last = parts_of(code, batch, split_is[SPLIT_BATCH])
    depth = code.mul(_word(code, "k", "i64"), _word(code, "n_taps", "i64"))
    in_large = code.mul(large, spec.rows + 1)
    sizes = (spec.rows + 1, spec.rows)
    with code.loop(last, first) as one:
        at = [c, a, b, bias]
        if spec.batched:
            entry = code.at("i64", _word(code, "batch_table", "ptr"), code.mul(one.index, 4))
            for i in range(4):
                offset = code.value(f"load i64, ptr {code.at('i64', entry, str(i))}")
                at[i] = code.at((spec.c, spec.a, tile.kind, tile.kind)[i], at[i], offset)
        with code.loop(last_tile, first_tile, step_by=per_block) as block:
            end = code.value(f"add i64 {block.index}, {per_block}")
            inside = code.value(f"icmp slt i64 {end}, {last_tile}")
            stop = code.value(f"select i1 {inside}, i64 {end}, i64 {last_tile}")
            with code.loop(last_panel, first_panel) as panel:
                column = code.mul(panel.index, tile.columns)
                columns = code.value(f"sub i64 {n}, {column}")
                of_b = code.at(tile.kind, at[2], code.mul(column, depth))
                of_c = code.at(spec.c, at[0], column)
                with code.loop(stop, block.index) as turn:
                    is_large = code.value(f"icmp slt i64 {turn.index}, {large}")
                    beyond = code.value(f"sub i64 {turn.index}, {large}")
                    ways = (
                        (is_large, code.mul(turn.index, sizes[0])),
                        (
                            code.value(f"xor i1 {is_large}, true"),
                            code.add(in_large, code.mul(beyond, sizes[1])),
                        ),
                    )
                    for size, (condition, row) in zip(sizes, ways, strict=True):
                        with code.when(condition):
                            code.do(
                                f"call void @micro{size}(ptr %args, ptr {of_c}, ptr {at[1]}, "
                                f"ptr {of_b}, ptr {at[3]}, ptr {code.at('i32', rows, row)}, "
                                f"ptr {code.at('i32', c_rows, row)}, i64 {column}, i64 {columns})"
                            )
    return module(*micros, code)


def product(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(product_ir, spec)
