"""One pass over arrays for a whole expression: its operands are read once, its result written once.

The loops go over at most as many dimensions as the operands' strides need (:func:`collapsed`
joins the others). Along the last one the result lies in one piece, and an operand is a vector
("v"), one number ("s") or apart in memory ("g", gathered). A kernel takes a block of words: the
result's address, the sizes, its strides, then each operand's address and strides, in elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .emit import Expression
from .expressions import LEAVES, Tree, emitted, is_whole, narrowed
from .halves import HALVES, rounded, widened
from .integers import NARROW, wide
from .llvm import made_by, target
from .narrowing import narrow

#: Operands of other dtypes are converted as they are read: LLVM's type, and how.
SOURCES = {
    "float32": ("float", ""),
    "int64": ("i64", "sitofp"),
    "int32": ("i32", "sitofp"),
    "int16": ("i16", "sitofp"),
    "int8": ("i8", "sitofp"),
    "uint8": ("i8", "uitofp"),
    "bool": ("i8", "uitofp"),
    "float16": ("i16", "float16"),
    "bfloat16": ("i16", "bfloat16"),
}


@dataclass(frozen=True)
class Operand:
    """How an operand is read: its dtype, and how it lies along the last dimension."""

    dtype: str
    inner: str  # "v", "s" or "g"


@dataclass(frozen=True)
class Spec:
    """All that is compiled into a kernel."""

    tree: Tree
    dims: int
    operands: tuple[Operand, ...]
    result: str = "float32"


def collapsed(
    shape: Sequence[int], strides: Sequence[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """Sizes and strides with dimensions joined wherever all operands allow it.

    >>> collapsed((2, 3, 4), [(12, 4, 1), (0, 0, 1)])
    ([6, 4], [[4, 1], [0, 1]])
    """
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for dim, size in enumerate(shape):
        if size == 1:
            continue
        pairs = zip(steps, strides, strict=True)
        if sizes and all(s[-1] == given[dim] * size for s, given in pairs):
            sizes[-1] *= size
            for s, given in zip(steps, strides, strict=True):
                s[-1] = given[dim]
        else:
            sizes.append(size)
            for s, given in zip(steps, strides, strict=True):
                s.append(given[dim])
    if not sizes:
        return [1], [[0 if i else 1] for i in range(len(strides))]
    return sizes, steps


def nest(
    code: Code, sizes: Sequence[Value], first: Value, last: Value,
    body: Callable[[list[Value]], None],
) -> None:  # fmt: skip
    """Loops over sizes, the outermost from ``first`` to ``last``; the body gets the indices."""

    def inside(depth: int, indices: list[Value]) -> None:
        if depth == len(sizes):
            body(indices)
            return
        start, stop = (first, last) if depth == 0 else ("0", sizes[depth])
        with code.loop(stop, start) as loop:
            inside(depth + 1, [*indices, loop.index])

    inside(0, [])


def share(
    code: Code, count: Value, step: int = 1, part: Value = "%part", parts: Value = "%parts"
) -> tuple[Value, Value]:
    """The first and last of ``range(count)`` for this part, in multiples of ``step``."""
    units = code.value(f"sdiv i64 {code.add(count, step - 1)}, {step}") if step > 1 else count
    ends = []
    for number in (part, code.add(part, 1)):
        unit = code.value(f"sdiv i64 {code.mul(units, number)}, {parts}")
        end = code.mul(unit, step)
        beyond = code.value(f"icmp sgt i64 {end}, {count}")
        ends.append(code.value(f"select i1 {beyond}, i64 {count}, i64 {end}"))
    return ends[0], ends[1]


class Words:
    """Reads a kernel's block of words, one after another."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.taken = 0

    def next(self, kind: str = "i64") -> Value:
        place = self.code.at("i64", "%args", str(self.taken))
        self.taken += 1
        return self.code.value(f"load {kind}, ptr {place}")

    def many(self, count: int) -> list[Value]:
        return [self.next() for _ in range(count)]


def placed(
    code: Code, kind: str, base: Value, indices: Sequence[Value], steps: Sequence[Value]
) -> Value:
    """The address of the element at indices, by strides."""
    for index, step in zip(indices, steps, strict=True):
        base = code.at(kind, base, code.mul(index, step))
    return base


class Vectors:
    """Loads and stores of vectors of one function, the last of a row masked."""

    def __init__(self, code: Code, lanes: int) -> None:
        self.code = code
        self.lanes = lanes
        self.e = Expression(lanes, code)
        self.ones = f"<{lanes} x i1> splat (i1 true)"

    def mask(self, left: Value) -> Value:
        """Which lanes are among the first ``left``."""
        wide = f"<{self.lanes} x i64>"
        steps = ", ".join(f"i64 {i}" for i in range(self.lanes))
        alike = self.splat(left, "i64")
        return f"<{self.lanes} x i1> {self.code.value(f'icmp slt {wide} <{steps}>, {alike}')}"

    def splat(self, number: Value, kind: str = "float") -> Value:
        v = f"<{self.lanes} x {kind}>"
        one = self.code.value(f"insertelement {v} poison, {kind} {number}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.code.value(f"shufflevector {v} {one}, {v} poison, {zeros}")

    def _name(self, kind: str) -> str:
        return {"float": f"v{self.lanes}f32"}.get(kind, f"v{self.lanes}{kind}")

    def load(
        self, place: Value, mask: Value = "", dtype: str = "float32", whole: bool = False
    ) -> Value:
        """A vector from memory of a dtype: floats, or int64. Lanes outside of the mask are zero."""
        kind, conversion = SOURCES[dtype]
        vector = f"<{self.lanes} x {kind}>"
        if mask:
            found = self.code.call(
                vector, f"llvm.masked.load.{self._name(kind)}.p0", f"ptr {place}", "i32 1", mask,
                f"{vector} zeroinitializer",
            )  # fmt: skip
        else:
            found = self.code.value(f"load {vector}, ptr {place}, align 1")
        return self._converted(found, vector, NARROW[dtype][1] if whole else conversion, whole)

    def gather(
        self, base: Value, step: Value, mask: Value = "", dtype: str = "float32",
        whole: bool = False,
    ) -> Value:  # fmt: skip
        """Floats, or int64, from addresses a step of elements apart."""
        kind, conversion = SOURCES[dtype]
        vector = f"<{self.lanes} x {kind}>"
        wide = f"<{self.lanes} x i64>"
        steps = ", ".join(f"i64 {i}" for i in range(self.lanes))
        offsets = self.code.value(f"mul {wide} <{steps}>, {self.splat(step, 'i64')}")
        places = self.code.value(f"getelementptr {kind}, ptr {base}, {wide} {offsets}")
        found = self.code.call(
            vector, f"llvm.masked.gather.{self._name(kind)}.v{self.lanes}p0",
            f"<{self.lanes} x ptr> {places}", "i32 1", mask or self.ones,
            f"{vector} zeroinitializer",
        )  # fmt: skip
        return self._converted(found, vector, NARROW[dtype][1] if whole else conversion, whole)

    def number(self, place: Value, dtype: str = "float32", whole: bool = False) -> Value:
        """One number from memory in every lane."""
        kind, conversion = SOURCES[dtype]
        found = self.code.value(f"load {kind}, ptr {place}")
        if whole:
            if NARROW[dtype][1]:
                found = self.code.value(f"{NARROW[dtype][1]} {kind} {found} to i64")
            return self.splat(found, "i64")
        if conversion in HALVES:
            return widened(self.e, conversion, self.splat(found, kind))
        if conversion:
            found = self.code.value(f"{conversion} {kind} {found} to float")
        return self.splat(found)

    def _converted(self, value: Value, vector: str, conversion: str, whole: bool) -> Value:
        if not conversion:
            return value
        if conversion in HALVES:
            return widened(self.e, conversion, value)
        result = wide(self.e) if whole else self.e.vector
        return self.code.value(f"{conversion} {vector} {value} to {result}")

    def store(self, value: Value, place: Value, mask: Value = "") -> None:
        self._stored(f"{self.e.vector} {value}", f"v{self.lanes}f32", 4, place, mask)

    def store_as(
        self, value: Value, whole: bool, dtype: str, place: Value, mask: Value = ""
    ) -> None:
        """Stores floats (a truth, for bools) or int64 as a dtype."""
        if dtype == "float32":
            self.store(value, place, mask)
            return
        if dtype in HALVES:
            bits = rounded(self.e, dtype, value)
            self._stored(f"<{self.lanes} x i16> {bits}", f"v{self.lanes}i16", 2, place, mask)
            return
        kind = NARROW[dtype][0]
        if not whole or dtype == "bool":
            test = (
                f"icmp ne {wide(self.e)} {value}, zeroinitializer" if whole
                else f"fcmp une {self.e.vector} {value}, zeroinitializer"
            )  # fmt: skip
            bits = f"<{self.lanes} x i1> {self.code.value(test)}"
            value = self.code.value(f"zext {bits} to <{self.lanes} x {kind}>")
        elif kind != "i64":
            value = self.code.value(f"trunc {wide(self.e)} {value} to <{self.lanes} x {kind}>")
        size = int(kind[1:]) // 8
        self._stored(f"<{self.lanes} x {kind}> {value}", f"v{self.lanes}{kind}", size, place, mask)

    def load_integers(self, place: Value, mask: Value = "") -> Value:
        """A vector of int32 as it is."""
        if not mask:
            return self.code.value(f"load {self.e.integers}, ptr {place}, align 4")
        return self.code.call(
            self.e.integers, f"llvm.masked.load.v{self.lanes}i32.p0", f"ptr {place}", "i32 4", mask,
            f"{self.e.integers} zeroinitializer",
        )  # fmt: skip

    def store_integers(self, value: Value, place: Value, mask: Value = "") -> None:
        """Stores a vector of int32 as it is."""
        self._stored(f"{self.e.integers} {value}", f"v{self.lanes}i32", 4, place, mask)

    def store_bytes(self, value: Value, place: Value, mask: Value = "") -> None:
        """Stores a vector of bytes as it is."""
        self._stored(f"<{self.lanes} x i8> {value}", f"v{self.lanes}i8", 1, place, mask)

    def _stored(self, value: Value, name: str, align: int, place: Value, mask: Value) -> None:
        if mask:
            self.code.call(
                "void", f"llvm.masked.store.{name}.p0", value, f"ptr {place}", f"i32 {align}", mask
            )
        else:
            self.code.do(f"store {value}, ptr {place}, align {align}")


def _leaves(tree: Tree) -> dict[tuple[Tree, int, bool], None]:
    """The operands of an expression, their numbers, and whether they are read as integers."""
    if tree[0] == "i.load":
        return {(tree, tree[1][1], True): None}
    if tree[0] == "in":
        return {(tree, tree[1], False): None}
    if tree[0] in LEAVES:
        return {}
    return {leaf: None for part in tree[1:] for leaf in _leaves(part)}


@cache
def fused_ir(spec: Spec) -> str:
    """The module of a kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, sizes = words.next("ptr"), words.many(spec.dims)
    out_steps = words.many(spec.dims)
    given = [(words.next("ptr"), words.many(spec.dims)) for _ in spec.operands]
    vectors = Vectors(code, target().lanes)
    lanes, n = vectors.lanes, sizes[-1]
    alone = spec.dims == 1
    kind_of_result = SOURCES[spec.result][0]
    whole_result, within = is_whole(spec.tree), narrowed(spec.tree)
    first, last = share(code, sizes[0], lanes if alone else 1)
    start, stop = (first, last) if alone else ("0", n)

    def row(indices: list[Value]) -> None:
        to = placed(code, kind_of_result, out, indices, out_steps[:-1])
        bases = [
            placed(code, SOURCES[o.dtype][0], base, indices, steps[:-1])
            for o, (base, steps) in zip(spec.operands, given, strict=True)
        ]
        fixed = {
            leaf: vectors.number(bases[i], spec.operands[i].dtype, whole)
            for leaf, i, whole in _leaves(spec.tree)
            if spec.operands[i].inner == "s"
        }

        def step(at: Value, mask: Value = "") -> None:
            def leaf(node: Tree) -> Value:
                whole = node[0] == "i.load"
                i = node[1][1] if whole else node[1]
                o, kind = spec.operands[i], SOURCES[spec.operands[i].dtype][0]
                if o.inner == "s":
                    return fixed[node]
                if o.inner == "v":
                    return vectors.load(code.at(kind, bases[i], at), mask, o.dtype, whole)
                apart = given[i][1][-1]
                place = code.at(kind, bases[i], code.mul(at, apart))
                return vectors.gather(place, apart, mask, o.dtype, whole)

            there = code.at(kind_of_result, to, at)
            if within is not None:
                vectors.store_bytes(narrow(vectors.e, within[1], leaf), there, mask)
                return
            tree = spec.tree[1] if spec.tree[0] == f"f.{spec.result}" else spec.tree
            value = emitted(vectors.e, tree, leaf)
            vectors.store_as(value, whole_result, spec.result, there, mask)

        count = code.value(f"sub i64 {stop}, {start}")
        whole = code.add(code.value(f"and i64 {count}, {-lanes}"), start)
        with code.loop(whole, start, step=lanes) as loop:
            step(loop.index)
        left = code.value(f"sub i64 {stop}, {whole}")
        with code.when(code.value(f"icmp sgt i64 {left}, 0")):
            step(whole, vectors.mask(left))

    if alone:
        row([])
    else:
        nest(code, sizes[:-1], first, last, row)
    return module(code)


def fused(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(fused_ir, spec)
