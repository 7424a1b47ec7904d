"""Copies between arrays of any strides: rows in one piece, turned squares, or element by element.

A kernel takes a block of words: the addresses of the result and of the source, the sizes, the
strides of the result and those of the source, in elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .code import Code, Value, module
from .fused import Words, collapsed, nest, placed, share
from .gemm import Tile, turned
from .llvm import made_by, target


@dataclass(frozen=True)
class Spec:
    """What is compiled in: the bytes of an element, the dimensions, and the way along the last.

    ``way`` is "row" (both lie in one piece along the last dimension), "turn" (the result does
    along the last, the source along the one before), "few" (the last has only ``few`` elements)
    or "each".
    """

    itemsize: int
    dims: int
    way: str
    few: int = 0


FEW = 4  # elements of a last dimension up to which they are copied without a loop


def arranged(
    shape: Sequence[int], to: Sequence[int], from_: Sequence[int], itemsize: int
) -> tuple[Spec, list[int]]:
    """The kernel for a copy between strides (in elements), and its words behind the addresses."""
    order = sorted(range(len(shape)), key=lambda d: (-to[d], d))
    given = [[steps[d] for d in order] for steps in (to, from_)]
    sizes, (there, here) = collapsed([shape[d] for d in order], given)
    if sizes == [1]:
        there, here = [1], [1]
    way, few = "row" if there[-1] == here[-1] == 1 else "each", 0
    if way == "each" and there[-1] == 1 and 1 in here[:-1] and itemsize == 4:
        at = len(here) - 2 - here[-2::-1].index(1)
        for row in (sizes, there, here):
            moved = row.pop(at)
            row.insert(len(row) - 1, moved)
        way = "turn"
    if way != "row" and there[-1] == 1 and len(sizes) > 1 and sizes[-1] <= FEW:
        way, few = "few", sizes[-1]
    return Spec(itemsize, len(sizes), way, few), [*sizes, *there, *here]


@cache
def copy_ir(spec: Spec) -> str:
    """The module of a kernel."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    to, source = words.next("ptr"), words.next("ptr")
    sizes, to_steps, steps = (words.many(spec.dims) for _ in range(3))
    kind = f"i{8 * spec.itemsize}"
    if spec.way == "row" and spec.dims == 1:
        first, last = share(code, sizes[0], 64)
        count = code.value(f"sub i64 {last}, {first}")
        _row(code, spec, code.at(kind, to, first), code.at(kind, source, first), count)
        return module(code)
    first, last = share(code, sizes[0], target().lanes if spec.dims == 2 else 1)

    def row(indices: list[Value]) -> None:
        deep = len(indices)
        here = placed(code, kind, to, indices, to_steps[:deep])
        there = placed(code, kind, source, indices, steps[:deep])
        if spec.way == "row":
            _row(code, spec, here, there, sizes[-1])
        elif spec.way in ("turn", "few"):
            begin, end = (first, last) if spec.dims == 2 else ("0", sizes[-2])
            if spec.way == "turn":
                _turn(code, here, there, begin, end, sizes[-1], to_steps[-2], steps[-1])
                return
            planes = [code.at(kind, there, code.mul(steps[-1], i)) for i in range(spec.few)]
            with code.loop(end, begin) as loop:
                at = code.at(kind, here, code.mul(loop.index, to_steps[-2]))
                step = code.mul(loop.index, steps[-2])
                for i, plane in enumerate(planes):
                    value = code.value(f"load {kind}, ptr {code.at(kind, plane, step)}")
                    code.do(f"store {kind} {value}, ptr {code.at(kind, at, str(i))}")
        else:
            with code.loop(sizes[-1]) as loop:
                place = code.at(kind, there, code.mul(loop.index, steps[-1]))
                value = code.value(f"load {kind}, ptr {place}")
                at = code.at(kind, here, code.mul(loop.index, to_steps[-1]))
                code.do(f"store {kind} {value}, ptr {at}")

    outer = spec.dims - (2 if spec.way in ("turn", "few") else 1)
    if outer:
        nest(code, sizes[:outer], first, last, row)
    elif spec.way in ("turn", "few"):
        row([])
    else:
        with code.loop(last, first) as loop:
            place = code.at(kind, source, code.mul(loop.index, steps[0]))
            value = code.value(f"load {kind}, ptr {place}")
            at = code.at(kind, to, code.mul(loop.index, to_steps[0]))
            code.do(f"store {kind} {value}, ptr {at}")
    return module(code)


def _row(code: Code, spec: Spec, to: Value, source: Value, count: Value) -> None:
    size = code.mul(count, spec.itemsize)
    code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {to}", f"ptr {source}", f"i64 {size}",
              "i1 false")  # fmt: skip


def _turn(
    code: Code, to: Value, source: Value, begin: Value, end: Value, columns: Value, to_row: Value,
    source_row: Value,
) -> None:  # fmt: skip
    """``to[i, j] = source[j, i]`` for i from begin to end: squares in registers, then the rest."""
    lanes = target().lanes
    tile = Tile("float", lanes, 1, 1)
    vector = tile.vector
    count = code.value(f"sub i64 {end}, {begin}")
    whole_rows = code.add(code.value(f"and i64 {count}, {-lanes}"), begin)
    whole_columns = code.value(f"and i64 {columns}, {-lanes}")
    with code.loop(whole_rows, begin, step=lanes) as i:
        with code.loop(whole_columns, step=lanes) as j:
            values = []
            for lane in range(lanes):
                line = code.mul(code.add(j.index, lane), source_row)
                place = code.at("float", code.at("float", source, line), i.index)
                values.append(code.value(f"load {vector}, ptr {place}, align 4"))
            for lane, value in enumerate(turned(code, tile, values)):
                line = code.mul(code.add(i.index, lane), to_row)
                place = code.at("float", code.at("float", to, line), j.index)
                code.do(f"store {vector} {value}, ptr {place}, align 4")
        _each(code, to, source, i.index, code.add(i.index, lanes), whole_columns, columns,
              to_row, source_row)  # fmt: skip
    _each(code, to, source, whole_rows, end, "0", columns, to_row, source_row)


def _each(
    code: Code, to: Value, source: Value, begin: Value, end: Value, first: Value, last: Value,
    to_row: Value, source_row: Value,
) -> None:  # fmt: skip
    with code.loop(end, begin) as i, code.loop(last, first) as j:
        place = code.at("float", code.at("float", source, code.mul(j.index, source_row)), i.index)
        value = code.value(f"load float, ptr {place}")
        at = code.at("float", code.at("float", to, code.mul(i.index, to_row)), j.index)
        code.do(f"store float {value}, ptr {at}")


def copier(spec: Spec) -> int:
    """The address of a kernel, compiled if need be."""
    return made_by(copy_ir, spec)
