"""Products with weights of few bits: ``y = x @ W.T``, where W stays packed as it was stored.

A row of W is a string of codes, lowest bits first; each group of them (16 or more, a power of two)
has a scale and perhaps a zero point: ``w = (code - zero) * scale``. Nothing is packed anew. A
vector's lane takes whole codes: 32 bits hold 16, 8 or 4 codes of 2, 4 or 8 bits, 24 bits hold 8 of
3 bits. Lane i's code j belongs to number ``c * i + j`` of x, so x is laid out once, by
:func:`spread_ir`, in vectors of the numbers that meet code j of all lanes. Codes become numbers in
registers: shifted and looked up in a register (AVX-512, up to 4 bits), or shifted to and fro with
their sign and converted. float16 and bfloat16 weights are "codes" of 16 bits without scales.

The tile is a few rows of W by a few rows of x. Each of its sums is a vector over k that is added up
at the end, so an element of y is one sum in the same order, whatever the tile and the number of
threads are. With one row of x each weight is read once and used once: memory is the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .emit import Expression
from .expressions import ACC, Tree, emitted
from .fused import SOURCES, Vectors, Words, share
from .llvm import is_x86, target

WORDS = (
    "c", "x", "codes", "scales", "zeros", "bias", "c_row", "x_row", "code_row", "groups", "n",
    "whole", "tail", "large", "small",
)  # fmt: skip
_CODES = {2: 16, 3: 8, 4: 8, 8: 4, 16: 1}  # in a lane


@dataclass(frozen=True)
class Weights:
    """What is compiled in about W: bits of a code, numbers of a group, dtypes."""

    bits: int
    group: int  # 0 for 16 bits
    scales: str  # the scales' dtype; for 16 bits that of the weights
    zeros: str = ""  # the zero points' dtype, or none: the middle

    @property
    def codes(self) -> int:
        """The codes in a lane."""
        return _CODES[self.bits]

    @property
    def piece(self) -> int:
        """The numbers in a vector of lanes."""
        return self.codes * target().lanes

    @property
    def middle(self) -> int:
        return 1 << (self.bits - 1)


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel; everything else is in its words."""

    weights: Weights
    rows: int  # of x in a tile, or one more
    tree: Tree = ACC
    operands: tuple[str, ...] = ()  # "full", "column" or "one"


def tile_rows() -> tuple[int, int]:
    """The rows of W and the most rows of x that a tile has."""
    return (4, 4) if target().lanes == 16 else (2, 2)


class Codes:
    """Reads a row of W as vectors of float32, a piece of k after another."""

    def __init__(self, code: Code, weights: Weights) -> None:
        self.code, self.w = code, weights
        self.vectors = Vectors(code, target().lanes)
        self.e, self.lanes = self.vectors.e, target().lanes

    def row(self, base: Value, row: Value, length: Value, kind: str) -> Value:
        return self.code.at(kind, base, self.code.mul(row, length))

    def words(self, row: Value, piece: Value, tail: Value = "") -> Value:
        """The lanes' codes, made signed; only those of the first ``tail`` numbers."""
        code, w, lanes = self.code, self.w, self.lanes
        if w.bits == 16:
            place = code.at("i16", row, code.mul(piece, lanes))
            return self.vectors.load(place, self._mask(lanes, tail) if tail else "", w.scales)
        place = code.at("i8", row, code.mul(piece, w.piece * w.bits // 8))
        count, kind = (3 * lanes, "i8") if w.bits == 3 else (lanes, "i32")
        vector = f"<{count} x {kind}>"
        if tail:
            used = self._up(tail, w.codes)
            if w.bits == 3:
                used = code.mul(used, 3)
            found = code.call(
                vector, f"llvm.masked.load.v{count}{kind}.p0", f"ptr {place}", "i32 1",
                self._mask(count, used), f"{vector} zeroinitializer",
            )  # fmt: skip
        else:
            found = code.value(f"load {vector}, ptr {place}, align 1")
        if w.bits == 3:
            order = ", ".join(f"i32 {3 * (i // 4) + min(i % 4, 2)}" for i in range(4 * lanes))
            spread = code.value(
                f"shufflevector {vector} {found}, {vector} poison, <{4 * lanes} x i32> <{order}>"
            )
            found = code.value(f"bitcast <{4 * lanes} x i8> {spread} to {self.e.integers}")
        if self._looks_up():
            return found
        signs = sum(w.middle << (w.bits * j) for j in range(w.codes))
        signs -= (signs >> 31) << 32
        return code.value(f"xor {self.e.integers} {found}, {self.e.whole(signs)}")

    def _looks_up(self) -> bool:
        return self.w.bits <= 4 and self.lanes == 16 and is_x86()

    def _up(self, count: Value, size: int) -> Value:
        return self.code.value(f"sdiv i64 {self.code.add(count, size - 1)}, {size}")

    def _mask(self, lanes: int, count: Value) -> Value:
        return Vectors(self.code, lanes).mask(count)

    def spread(self, base: Value, piece: Value, dtype: str, tail: Value = "") -> Value:
        """The scale or zero point of each lane's group."""
        code, w, lanes = self.code, self.w, self.lanes
        if w.group >= w.piece:
            index = code.value(f"udiv i64 {piece}, {w.group // w.piece}")
            return self.vectors.number(code.at(SOURCES[dtype][0], base, index), dtype)
        count = w.piece // w.group
        kind = SOURCES[dtype][0]
        place = code.at(kind, base, code.mul(piece, count))
        vector = f"<{count} x {kind}>"
        if tail:
            name = {"float": "f32"}.get(kind, kind)
            found = code.call(
                vector, f"llvm.masked.load.v{count}{name}.p0", f"ptr {place}", "i32 1",
                self._mask(count, self._up(tail, w.group)), f"{vector} zeroinitializer",
            )  # fmt: skip
        else:
            found = code.value(f"load {vector}, ptr {place}, align 1")
        order = ", ".join(f"i32 {i * count // lanes}" for i in range(lanes))
        alike = code.value(
            f"shufflevector {vector} {found}, {vector} poison, <{lanes} x i32> <{order}>"
        )
        wide = f"<{lanes} x {kind}>"
        return self.vectors._converted(alike, wide, SOURCES[dtype][1], False)

    def number(self, words: Value, j: int) -> Value:
        """Code j of all lanes, minus the middle."""
        code, e, bits = self.code, self.e, self.w.bits
        if self._looks_up():
            if j:
                words = code.value(f"lshr {e.integers} {words}, {e.whole(bits * j)}")
            table = ", ".join(
                f"float {(i & ((1 << bits) - 1)) - self.w.middle}.0" for i in range(16)
            )
            return code.call(
                e.vector, "llvm.x86.avx512.permvar.sf.512", f"{e.vector} <{table}>",
                f"{e.integers} {words}",
            )  # fmt: skip
        up = 32 - bits * (j + 1)
        if up:
            words = code.value(f"shl {e.integers} {words}, {e.whole(up)}")
        signed = code.value(f"ashr {e.integers} {words}, {e.whole(32 - bits)}")
        return code.value(f"sitofp {e.integers} {signed} to {e.vector}")


class Row:
    """A row of W: where its codes, scales and zero points are, and a piece of them."""

    def __init__(self, codes: Codes, index: Value, place: dict[str, Value]) -> None:
        self.codes, w = codes, codes.w
        kind = "i16" if w.bits == 16 else "i8"
        self.length = place["code_row"]
        self.base = codes.row(place["codes"], index, place["code_row"], kind)
        if w.bits < 16:
            scale = SOURCES[w.scales][0]
            self.scales = codes.row(place["scales"], index, place["groups"], scale)
        if w.zeros:
            zero = SOURCES[w.zeros][0]
            self.zeros = codes.row(place["zeros"], index, place["groups"], zero)

    def load(self, piece: Value, tail: Value = "") -> None:
        codes, w = self.codes, self.codes.w
        self.words = codes.words(self.base, piece, tail)
        if w.bits == 16:
            return
        e = codes.e
        self.scale = codes.spread(self.scales, piece, w.scales, tail)
        if w.zeros:
            zero = codes.spread(self.zeros, piece, w.zeros, tail)
            self.offset = e.mul(e.sub(e.constant(w.middle), zero), self.scale)

    def fetch(self, piece: Value, ahead: int) -> None:
        """Asks for a piece of the row so many further down: rows are too short to be foreseen."""
        code, w = self.codes.code, self.codes.w
        at = code.add(code.mul(piece, w.piece * w.bits // 8), 0)
        kind = "i16" if w.bits == 16 else "i8"
        there = code.at(kind, self.base, code.mul(self.length, ahead))
        place = code.at("i8", there, at)
        code.call("void", "llvm.prefetch.p0", f"ptr {place}", "i32 0", "i32 3", "i32 1")

    def weights(self, j: int) -> Value:
        """The weights of code j of all lanes."""
        if self.codes.w.bits == 16:
            return self.words
        number = self.codes.number(self.words, j)
        if self.codes.w.zeros:
            return self.codes.e.fma(number, self.scale, self.offset)
        return self.codes.e.mul(number, self.scale)


def _tile(spec: Spec, many: int) -> Code:
    """So many rows of x by the rows of W from ``row`` on, of which those up to ``last`` count."""
    code = Code(f"tile{many}", "ptr %args, i64 %row, i64 %last, i64 %first", internal=True)
    words = Words(code)
    place = {n: words.next("ptr" if i < 6 else "i64") for i, n in enumerate(WORDS)}
    codes, e = Codes(code, spec.weights), Vectors(code, target().lanes).e
    end = code.value("sub i64 %last, 1")
    rows = []
    for i in range(tile_rows()[0]):
        row = code.add("%row", i)
        inside = code.value(f"icmp slt i64 {row}, {end}")
        rows.append(Row(codes, code.value(f"select i1 {inside}, i64 {row}, i64 {end}"), place))
    xs = [
        code.at("float", place["x"], code.mul(code.add("%first", i), place["x_row"]))
        for i in range(many)
    ]

    def step(piece: Value, sums: list[Value], tail: Value = "") -> None:
        for row in rows:
            row.load(piece, tail)
            if many == 1:
                row.fetch(piece, len(rows))
        at = code.mul(piece, spec.weights.piece)
        held = []
        for j in range(spec.weights.codes):
            here = code.add(at, j * e.lanes)
            held.append(
                [code.value(f"load {e.vector}, ptr {code.at('float', b, here)}, align 4")
                 for b in xs]
            )  # fmt: skip
        if many == 1 and spec.weights.codes > 1:
            _scaled_last(e, rows, [x for (x,) in held], sums)
            return
        for j, x in enumerate(held):
            for r, row in enumerate(rows):
                w = row.weights(j)
                for i in range(many):
                    sums[r * many + i] = e.fma(w, x[i], sums[r * many + i])

    sums = [e.constant(0.0)] * (len(rows) * many)
    with code.loop(place["whole"], carried=[(e.vector, s) for s in sums]) as loop:
        loop.next = list(loop.carried)
        step(loop.index, loop.next)
    some = code.value(f"icmp sgt i64 {place['tail']}, 0")
    stop = code.add(place["whole"], code.value(f"zext i1 {some} to i64"))
    carried = [(e.vector, s) for s in loop.carried]
    with code.loop(stop, place["whole"], carried=carried) as rest:
        rest.next = list(rest.carried)
        step(rest.index, rest.next, place["tail"])
    _stored(code, spec, many, place, [_added(code, e.lanes, s) for s in rest.carried])
    return code


def _scaled_last(e: Expression, rows: list[Row], xs: list[Value], sums: list[Value]) -> None:
    """A piece by one row of x: the lane's group has one scale, so it is multiplied last."""
    total = xs[0]
    if rows[0].codes.w.zeros:
        for x in xs[1:]:
            total = e.add(total, x)
    for r, row in enumerate(rows):
        parts = [e.mul(row.codes.number(row.words, j), xs[j]) for j in (0, 1)]  # two chains
        for j, x in enumerate(xs[2:], 2):
            parts[j % 2] = e.fma(row.codes.number(row.words, j), x, parts[j % 2])
        part = e.add(*parts)
        if row.codes.w.zeros:
            sums[r] = e.fma(row.offset, total, sums[r])
        sums[r] = e.fma(row.scale, part, sums[r])


def _added(code: Code, lanes: int, vector: Value) -> Value:
    """The sum of a vector's lanes, halves added to each other."""
    wide = f"<{lanes} x float>"
    half = lanes // 2
    while half:
        order = ", ".join(f"i32 {i + half if i < half else i}" for i in range(lanes))
        other = code.value(
            f"shufflevector {wide} {vector}, {wide} poison, <{lanes} x i32> <{order}>"
        )
        vector = code.value(f"fadd {wide} {vector}, {other}")
        half //= 2
    return code.value(f"extractelement {wide} {vector}, i32 0")


def _stored(code: Code, spec: Spec, many: int, place: dict[str, Value], sums: list[Value]) -> None:
    """Bias, expression and store: a vector over the rows of W for each row of x."""
    count = tile_rows()[0]
    vectors = Vectors(code, count)
    v = vectors.e.vector
    mask = vectors.mask(code.value("sub i64 %last, %row"))
    bias = vectors.load(code.at("float", place["bias"], "%row"), mask)
    words = Words(code)
    words.taken = len(WORDS)
    operands = [(words.next("ptr"), words.next()) for _ in spec.operands]
    for i in range(many):
        total = "poison"
        for r in range(count):
            total = code.value(f"insertelement {v} {total}, float {sums[r * many + i]}, i32 {r}")
        row, biased = code.add("%first", i), vectors.e.add(total, bias)

        def leaf(node: Tree, acc: Value = biased, row: Value = row) -> Value:
            if node == ACC:
                return acc
            base, pitch = operands[node[1]]
            kind = spec.operands[node[1]]
            if kind == "one":
                return vectors.number(base)
            if kind == "full":
                base = code.at("float", base, code.mul(row, pitch))
            return vectors.load(code.at("float", base, "%row"), mask)

        to = code.at("float", place["c"], code.mul(row, place["c_row"]))
        value = emitted(vectors.e, spec.tree, leaf)
        vectors.store(value, code.at("float", to, "%row"), mask)


@cache
def rows_ir(spec: Spec) -> str:
    """The module of the kernel for few rows of x, split by rows of W."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    place = {n: words.next("ptr" if i < 6 else "i64") for i, n in enumerate(WORDS)}
    most = tile_rows()[0]
    first, last = share(code, place["n"], most)
    with code.loop(last, first, step=most) as row:
        start: Value = "0"
        for size, count in ((spec.rows + 1, place["large"]), (spec.rows, place["small"])):
            with code.loop(count) as tile:
                at = code.add(code.mul(tile.index, size), start)
                code.do(f"call void @tile{size}(ptr %args, i64 {row.index}, i64 {last}, i64 {at})")
            start = code.mul(place["large"], size)
    return module(_tile(spec, spec.rows + 1), _tile(spec, spec.rows), code)


@cache
def spread_ir(weights: Weights, dtype: str) -> str:
    """``kernel``: rows of x as the vectors that meet W's codes, in float32, zeros beyond the end.

    Words: addresses (to, x, where each row begins), then rows, k and the pieces of a row.
    """
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    to, x, table = (words.next("ptr") for _ in range(3))
    rows, k, pieces = words.many(3)
    vectors, lanes, each = Vectors(code, target().lanes), target().lanes, weights.codes
    kind = SOURCES[dtype][0]
    first, last = share(code, code.mul(rows, pieces))
    with code.loop(last, first) as unit:
        row = code.value(f"udiv i64 {unit.index}, {pieces}")
        piece = code.value(f"urem i64 {unit.index}, {pieces}")
        start = code.value(f"load i32, ptr {code.at('i32', table, row)}")
        base = code.value(f"getelementptr {kind}, ptr {x}, i32 {start}")
        at = code.mul(piece, weights.piece)
        out = code.at("float", to, code.mul(unit.index, weights.piece))
        for j in range(each):
            here = code.add(at, j)
            left = code.value(f"sub i64 {k}, {here}")
            count = code.value(f"sdiv i64 {code.add(left, each - 1)}, {each}")
            mask = vectors.mask(count)
            place = code.at(kind, base, here)
            if each == 1:
                found = vectors.load(place, mask, dtype)
            else:
                found = vectors.gather(place, str(each), mask, dtype)
            vectors.store(found, code.at("float", out, str(j * lanes)))
    return module(code)
