"""Many rows of x by weights of few bits: a panel made float32 at a time, then the product kernel.

The panel stays in the cache while all rows of x go over it, so W as a whole is never float32. Each
part has memory of its own: a copy of the product's words (:mod:`.brgemm`), in which B is moved so
that the panel is where the kernel looks for it, and the panel. A square of codes, a vector of each
of as many rows as it has lanes, is turned in registers.

Words: addresses (the product's words, its kernel, the parts' memory), the bytes and number of the
parts, addresses (codes, scales, zero points), bytes of a row of codes, groups of a row, rows of W,
k, its whole pieces and the numbers in the last, and the number of panels.
"""

from __future__ import annotations

from functools import cache

from .brgemm import WORDS as PRODUCT
from .code import Code, Value, module
from .fused import Words, share
from .gemm import Tile, turned
from .llvm import target
from .lowbit import Codes, Row, Weights

HEAD = 512  # bytes for the copy of the words


def tile_of() -> Tile:
    """The product's tile; narrow, for a panel is to stay in the cache."""
    lanes = target().lanes
    return Tile("float", lanes, 8 if lanes == 16 else 6, 2)


def room(weights: Weights, k: int) -> int:
    """The bytes of a part's memory."""
    depth = -(-k // weights.piece) * weights.piece
    return HEAD + 4 * max(depth, 1) * tile_of().columns


def _square(
    code: Code, codes: Codes, rows: list[Row], to: Value, piece: Value, tail: Value
) -> None:
    """A piece of as many rows as there are lanes, turned: a lane is then a row of W."""
    tile, each, w = tile_of(), codes.w.codes, codes.w
    for row in rows:
        row.load(piece, tail)
    kind = tile if w.bits == 16 else Tile("i32", tile.lanes, tile.rows, tile.vectors)
    words = turned(code, kind, [row.words for row in rows])
    scales = turned(code, tile, [row.scale for row in rows]) if w.bits < 16 else []
    offsets = turned(code, tile, [row.offset for row in rows]) if w.zeros else []
    at = code.mul(piece, w.piece)
    for lane in range(tile.lanes):
        for j in range(each):
            line = words[lane]
            if w.bits < 16:
                line = codes.number(line, j)
                zero = offsets[lane] if w.zeros else ""
                line = (
                    codes.e.fma(line, scales[lane], zero) if zero
                    else codes.e.mul(line, scales[lane])
                )  # fmt: skip
            depth = code.add(at, lane * each + j)
            place = code.at("float", to, code.mul(depth, tile.columns))
            code.do(f"store {tile.vector} {line}, ptr {place}, align 4")


@cache
def panels_ir(weights: Weights, words_of_product: int) -> str:
    """The module of a kernel, split by panels."""
    assert words_of_product * 8 <= HEAD
    tile = tile_of()
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    given, product, memory = (words.next("ptr") for _ in range(3))
    size, most = words.many(2)
    place = {name: words.next("ptr") for name in ("codes", "scales", "zeros")}
    place |= {name: words.next() for name in ("code_row", "groups")}
    n, k, whole, tail, count = words.many(5)
    few = code.value(f"icmp slt i64 %parts, {most}")
    parts = code.value(f"select i1 {few}, i64 %parts, i64 {most}")
    busy = code.value(f"icmp slt i64 %part, {parts}")
    first, last = share(code, count, parts=parts)
    last = code.value(f"select i1 {busy}, i64 {last}, i64 {first}")
    own = code.at("i8", memory, code.mul("%part", size))
    panel = code.at("i8", own, str(HEAD))
    with code.when(code.value(f"icmp slt i64 {first}, {last}")):
        for i in range(words_of_product):
            word = code.value(f"load i64, ptr {code.at('i64', given, str(i))}")
            code.do(f"store i64 {word}, ptr {code.at('i64', own, str(i))}")
    end = code.value(f"sub i64 {n}, 1")
    codes = Codes(code, weights)
    with code.loop(last, first) as turn:
        for vector in range(tile.vectors):
            start = code.add(code.mul(turn.index, tile.columns), vector * tile.lanes)
            rows = []
            for lane in range(tile.lanes):
                row = code.add(start, lane)
                inside = code.value(f"icmp slt i64 {row}, {end}")
                held = code.value(f"select i1 {inside}, i64 {row}, i64 {end}")
                rows.append(Row(codes, held, place))
            to = code.at("float", panel, str(vector * tile.lanes))
            with code.loop(whole) as piece:
                _square(code, codes, rows, to, piece.index, "")
            with code.when(code.value(f"icmp sgt i64 {tail}, 0")):
                _square(code, codes, rows, to, whole, tail)
        before = code.mul(code.mul(turn.index, tile.columns), k)
        moved = code.value(f"sub i64 0, {before}")
        b = code.value(f"ptrtoint ptr {code.at('float', panel, moved)} to i64")
        code.do(f"store i64 {b}, ptr {code.at('i64', own, str(PRODUCT.index('b')))}")
        code.do(f"call void {product}(ptr {own}, i64 {turn.index}, i64 {count})")
    return module(code)
