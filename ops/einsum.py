"""Einstein summation: products of several tensors, named dimensions summed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .dims import is_integral
from .registry import Array, op
from .strides import strided

Labels = list[int]  # a letter's code; the dimensions of an ellipsis are -1 (the last), -2...
ELLIPSIS = -(10**6)


@op(upcast=True)
def einsum(xp: Any, equation: Any, *operands: Any) -> Array:
    """Sums of products over the labels that the output does not name: ``"bij,bjk->bik"``.

    Every letter is a dimension; one letter twice in a term is its diagonal; ``...`` are the
    dimensions not named. Without ``->`` the output has the letters that occur once, in order.
    Also as ``einsum(x, [0, 1], y, [1, 2], [0, 2])``. Two operands become one matrix product;
    more are taken in pairs, those first whose product is smallest.
    Raises ArgumentError and ShapeError. Source: PyTorch ``torch.einsum``.

    >>> import tensorlite as tl
    >>> tl.einsum("ij,j->i", tl.tensor([[1.0, 2.0], [3.0, 4.0]]), tl.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if isinstance(equation, str):
        arrays = list(operands[0] if _is_list(operands) else operands)
        terms, output = parsed(equation, len(arrays))
    else:
        arrays, terms, output = _sublists([equation, *operands])
    labels = [
        expanded(term, array, i) for i, (term, array) in enumerate(zip(terms, arrays, strict=True))
    ]
    wanted = output_labels(output, labels)
    parts = [_diagonal(xp, a, names) for a, names in zip(arrays, labels, strict=True)]
    parts = _stretched(parts)
    while len(parts) > 1:
        i, j = _pair(parts, wanted)
        rest = [p for k, p in enumerate(parts) if k not in (i, j)]
        needed = set(wanted).union(*[names for _, names in rest])
        parts = [*rest, _contracted(xp, parts[i], parts[j], needed)]
    array, names = _summed(parts[0], set(wanted))
    return array.transpose([names.index(name) for name in wanted])


def _is_list(operands: tuple[Any, ...]) -> bool:
    return len(operands) == 1 and isinstance(operands[0], tuple | list)


def parsed(equation: str, count: int) -> tuple[list[Labels], Labels | None]:
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = [_letters(term, equation) for term in left.split(",")]
    if len(terms) != count:
        raise ArgumentError(
            f"einsum: {equation!r} has {len(terms)} terms, got {count} tensors to go with them"
        )
    return terms, _letters(right, equation) if arrow else None


def _letters(term: str, equation: str) -> Labels:
    before, dots, after = term.partition("...")
    for letter in before + after:
        if not (letter.isascii() and letter.isalpha()):
            raise ArgumentError(f"einsum: {letter!r} in {equation!r}; expected letters and '...'")
    names = [ord(letter) for letter in before]
    return names + ([ELLIPSIS] if dots else []) + [ord(letter) for letter in after]


def _sublists(arguments: list[Any]) -> tuple[list[Array], list[Labels], Labels | None]:
    output = _numbers(arguments.pop()) if len(arguments) % 2 else None
    return arguments[::2], [_numbers(names) for names in arguments[1::2]], output


def _numbers(names: Sequence[Any]) -> Labels:
    return [ELLIPSIS if name is Ellipsis else int(name) for name in names]


def expanded(term: Labels, array: Array, place: int) -> Labels:
    """The labels of an operand, an ellipsis replaced by the dimensions it stands for."""
    missing = array.ndim - len(term) + (ELLIPSIS in term)
    if missing < 0 or (missing and ELLIPSIS not in term):
        raise ShapeError(
            f"einsum: tensor {place} has {array.ndim} dimensions (shape {array.shape}), its term "
            f"names {len(term) - (ELLIPSIS in term)}"
        )
    if ELLIPSIS not in term:
        return term
    at = term.index(ELLIPSIS)
    return [*term[:at], *range(-missing, 0), *term[at + 1 :]]


def output_labels(output: Labels | None, labels: list[Labels]) -> Labels:
    every = [name for names in labels for name in names]
    dots = sorted({name for name in every if name < 0})
    if output is None:
        return dots + sorted(name for name in set(every) if name >= 0 and every.count(name) == 1)
    if ELLIPSIS in output:
        at = output.index(ELLIPSIS)
        output = [*output[:at], *dots, *output[at + 1 :]]
    unknown = [name for name in output if name not in every]
    if unknown or len(set(output)) < len(output):
        raise ArgumentError(
            "einsum: a label of the output is in no term" if unknown
            else "einsum: a label occurs twice in the output"
        )  # fmt: skip
    return output


def _diagonal(xp: Any, array: Array, names: Labels) -> tuple[Array, Labels]:
    """An operand with every label once: of one that occurs twice, the diagonal."""
    names = list(names)
    for name in [n for n in names if names.count(n) > 1]:
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            if array.shape[first] != array.shape[second]:
                raise ShapeError(
                    f"einsum: a label names sizes {array.shape[first]} and {array.shape[second]} "
                    "of one tensor"
                )
            kept = [i for i in range(len(names)) if i not in (first, second)]
            shape = [*(array.shape[i] for i in kept), array.shape[first]]
            step = array.strides[first] + array.strides[second]
            array = strided(xp, array, shape, [*(array.strides[i] for i in kept), step])
            names = [*(names[i] for i in kept), name]
    return array, names


def _stretched(parts: list[tuple[Array, Labels]]) -> list[tuple[Array, Labels]]:
    """Operands without the dimensions of size 1 that broadcasting would stretch."""
    sizes: dict[int, int] = {}
    for array, names in parts:
        for name, size in zip(names, array.shape, strict=True):
            if size != 1 and sizes.get(name, 1) not in (1, size):
                raise ShapeError(f"einsum: a label names sizes {sizes[name]} and {size}")
            if size != 1 or name not in sizes:
                sizes[name] = size
    result = []
    for array, names in parts:
        gone = [i for i, name in enumerate(names) if array.shape[i] == 1 and sizes[name] != 1]
        kept = [name for i, name in enumerate(names) if i not in gone]
        result.append((array.squeeze(tuple(gone)), kept))
    return result


def _pair(parts: list[tuple[Array, Labels]], wanted: Labels) -> tuple[int, int]:
    """The two operands whose product is smallest against themselves."""

    def growth(pair: tuple[int, int]) -> int:
        (a, first), (b, second) = parts[pair[0]], parts[pair[1]]
        others = [names for k, (_, names) in enumerate(parts) if k not in pair]
        needed = set(wanted).union(*others)
        sizes = dict(zip([*first, *second], [*a.shape, *b.shape], strict=True))
        return math.prod(s for name, s in sizes.items() if name in needed) - a.size - b.size

    return min(combinations(range(len(parts)), 2), key=growth)


def _summed(part: tuple[Array, Labels], needed: set[int]) -> tuple[Array, Labels]:
    """An operand summed over what is not needed; integers to int64, as :func:`sum` has it."""
    array, names = part
    gone = tuple(i for i, name in enumerate(names) if name not in needed)
    if not gone:
        return part
    dtype = np.int64 if is_integral(array) else array.dtype
    return array.sum(axis=gone, dtype=dtype), [name for name in names if name in needed]


def _contracted(
    xp: Any, first: tuple[Array, Labels], second: tuple[Array, Labels], needed: set[int]
) -> tuple[Array, Labels]:
    """The product of two operands, summed over the labels that nothing else needs."""
    a, left = _summed(first, needed | set(second[1]))
    b, right = _summed(second, needed | set(first[1]))
    sizes = dict(zip([*left, *right], [*a.shape, *b.shape], strict=True))
    batch = [name for name in left if name in right and name in needed]
    over = [name for name in left if name in right and name not in needed]
    rows = [name for name in left if name not in right]
    columns = [name for name in right if name not in left]

    def arranged(array: Array, names: Labels, *groups: Labels) -> Array:
        order = [names.index(name) for group in groups for name in group]
        shape = [math.prod(sizes[name] for name in group) for group in groups]
        return array.transpose(order).reshape(shape)

    x, y = arranged(a, left, batch, rows, over), arranged(b, right, batch, over, columns)
    product = x * y if not over else xp.matmul(x, y)
    names = [*batch, *rows, *columns]
    return product.reshape([sizes[name] for name in names]), names
