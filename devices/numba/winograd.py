"""Winograd's convolution of 3x3 windows: fewer multiplications for more additions.

An output tile of m x m pixels is ``A^T ((G g G^T) * (B^T d B)) A`` with g the filter and d the
input tile of (m + 2)^2 pixels (Lavin and Gray, "Fast Algorithms for Convolutional Neural
Networks", 2016). The products in the middle are sums over channels, so they are (m + 2)^2 matrix
products of tiles by channels; here are the transforms before and after, with channels last.

F(2x2) takes 2.25 times fewer multiplications than the direct sum and is no less exact; F(4x4)
4 times fewer, with an error about ten times as large.

``input_ir``: the words are the addresses of the transformed tiles and of the image, the first tile,
the number of tiles, tiles in a row, tiles in an image, channels, the image's strides over images,
rows and columns, and the elements from one of the (m + 2)^2 matrices to the next.

``output_ir``: the addresses of the result and of the products, the bias, first tile, number of
tiles, tiles in a row and in an image, channels, rows and columns of the result, its strides over
images, rows and columns, the elements from matrix to matrix, then for each operand of the fused
expression its address and the three strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .code import Code, Value, module
from .emit import Expression
from .expressions import ACC, Tree, emitted
from .fused import Vectors, Words, placed, share
from .llvm import made_by, target

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Transform:
    """The matrices of F(m x m, 3 x 3)."""

    outputs: int
    b: Matrix  # B^T, of the input
    g: Matrix  # G, of the filter
    a: Matrix  # A^T, of the output

    @property
    def size(self) -> int:
        """The input tile's side."""
        return self.outputs + 2

    def filters(self, w: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Filters (out, in, 3, 3) as the (m + 2)^2 matrices (in, out), which are transposes."""
        both = np.kron(np.array(self.g), np.array(self.g)).astype(np.float32)
        found = both @ np.ascontiguousarray(w, np.float32).reshape(-1, 9).T
        return found.reshape(len(both), *w.shape[:2]).transpose(0, 2, 1)


F2 = Transform(
    2,
    ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
    ((1, 1, 1, 0), (0, 1, -1, -1)),
)
F4 = Transform(
    4,
    (
        (4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1),
    ),
    (
        (1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1),
    ),
    ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
)  # fmt: skip


def _combined(e: Expression, row: Sequence[float], values: Sequence[Value]) -> Value:
    """The sum of values times small constants."""
    terms = [(c, v) for c, v in zip(row, values, strict=True) if c]
    terms.sort(key=lambda term: -term[0] if abs(term[0]) == 1 else 9)
    total = ""
    for factor, value in terms:
        if not total:
            total = value if factor == 1 else e.mul(value, e.constant(factor))
        elif factor == 1:
            total = e.add(total, value)
        elif factor == -1:
            total = e.sub(total, value)
        else:
            total = e.fma(value, e.constant(factor), total)
    return total


def _both(e: Expression, matrix: Matrix, tile: list[list[Value]]) -> list[list[Value]]:
    """``M d M^T``."""
    columns = [[line[j] for line in tile] for j in range(len(tile[0]))]
    half = [[_combined(e, row, column) for column in columns] for row in matrix]
    return [[_combined(e, row, line) for row in matrix] for line in half]


def _position(code: Code, tile: Value, per_row: Value, per_image: Value) -> list[Value]:
    """The image, and the row and column of tiles, of a tile."""
    image = code.value(f"sdiv i64 {tile}, {per_image}")
    within = code.value(f"srem i64 {tile}, {per_image}")
    return [
        image, code.value(f"sdiv i64 {within}, {per_row}"),
        code.value(f"srem i64 {within}, {per_row}"),
    ]  # fmt: skip


@cache
def input_ir(transform: Transform) -> str:
    """The module of the kernel before the products."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    to, x = words.next("ptr"), words.next("ptr")
    start, count, per_row, per_image, channels = words.many(5)
    steps, apart = words.many(3), words.next()
    vectors = Vectors(code, target().lanes)
    size = transform.size

    def one(source: Value, place: Value, mask: str) -> None:
        tile = []
        for i in range(size):
            line = code.at("float", source, code.mul(steps[1], i))
            tile.append(
                [
                    vectors.load(code.at("float", line, code.mul(steps[2], j)), mask)
                    for j in range(size)
                ]
            )
        for i, line_of in enumerate(_both(vectors.e, transform.b, tile)):
            for j, value in enumerate(line_of):
                at = code.at("float", place, code.mul(apart, i * size + j))
                vectors.store(value, at, mask)

    first, last = share(code, count)
    with code.loop(last, first) as turn:
        image, row, column = _position(code, code.add(start, turn.index), per_row, per_image)
        corner = [image, code.mul(row, transform.outputs), code.mul(column, transform.outputs)]
        source = placed(code, "float", x, corner, steps)
        place = code.at("float", to, code.mul(turn.index, channels))
        _each_vector(code, vectors, channels, lambda at, mask: one(
            code.at("float", source, at), code.at("float", place, at), mask))  # fmt: skip
    return module(code)


def _each_vector(code: Code, vectors: Vectors, channels: Value, body: Any) -> None:
    """Runs ``body(channel, mask)`` over the channels, a vector at a time."""
    whole = code.value(f"and i64 {channels}, {-vectors.lanes}")
    with code.loop(whole, step=vectors.lanes) as loop:
        body(loop.index, "")
    left = code.value(f"sub i64 {channels}, {whole}")
    with code.when(code.value(f"icmp sgt i64 {left}, 0")):
        body(whole, vectors.mask(left))


@dataclass(frozen=True)
class Spec:
    """What is compiled into the kernel after the products."""

    transform: Transform
    tree: Tree = ACC
    operands: tuple[str, ...] = ()  # "full", "column" or "one"


@cache
def output_ir(spec: Spec) -> str:
    """The module of the kernel after the products."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    out, products, bias = (words.next("ptr") for _ in range(3))
    start, count, per_row, per_image, channels, rows, columns = words.many(7)
    steps, apart = words.many(3), words.next()
    given = [(words.next("ptr"), words.many(3)) for _ in spec.operands]
    vectors = Vectors(code, target().lanes)
    transform = spec.transform
    size, outputs = transform.size, transform.outputs

    def one(corner: list[Value], source: Value, at: Value, mask: str) -> None:
        tile = [
            [
                vectors.load(code.at("float", source, code.mul(apart, i * size + j)), mask)
                for j in range(size)
            ]
            for i in range(size)
        ]
        found = _both(vectors.e, transform.a, tile)
        shift = vectors.load(code.at("float", bias, at), mask)
        for i in range(outputs):
            row = code.add(corner[1], i)
            inside = code.value(f"icmp slt i64 {row}, {rows}")
            for j in range(outputs):
                column = code.add(corner[2], j)
                fits = code.value(f"icmp slt i64 {column}, {columns}")
                with code.when(code.value(f"and i1 {inside}, {fits}")):
                    places = [corner[0], row, column]
                    value = vectors.e.add(found[i][j], shift)
                    finish(value, places, at, mask)

    def finish(value: Value, places: list[Value], at: Value, mask: str) -> None:
        def leaf(node: Tree) -> Value:
            if node == ACC:
                return value
            base, apart_of = given[node[1]]
            if spec.operands[node[1]] == "one":
                return vectors.number(base)
            if spec.operands[node[1]] == "full":
                base = placed(code, "float", base, places, apart_of)
            return vectors.load(code.at("float", base, at), mask)

        result = emitted(vectors.e, spec.tree, leaf)
        to = placed(code, "float", out, places, steps)
        vectors.store(result, code.at("float", to, at), mask)

    first, last = share(code, count)
    with code.loop(last, first) as turn:
        image, row, column = _position(code, code.add(start, turn.index), per_row, per_image)
        corner = [image, code.mul(row, outputs), code.mul(column, outputs)]
        source = code.at("float", products, code.mul(turn.index, channels))
        _each_vector(code, vectors, channels, lambda at, mask: one(
            corner, code.at("float", source, at), at, mask))  # fmt: skip
    return module(code)


def before(transform: Transform) -> int:
    """The address of the kernel of the input, compiled if need be."""
    return made_by(input_ir, transform)


def after(spec: Spec) -> int:
    """The address of the kernel of the output, compiled if need be."""
    return made_by(output_ir, spec)
