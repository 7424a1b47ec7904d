"""Sizes as far as they are known, and the arithmetic of shapes that exporters write into graphs.

A size is an int, a symbol (the same string is the same number) or None. ``Shape``, ``Gather``,
``Concat`` and their like are followed on short vectors of sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Node

Size = int | str | None
Dims = tuple[Size, ...]

MOST = 16  # elements of a vector that is followed
_LONGEST = 120  # characters of a symbol


@dataclass(frozen=True, slots=True)
class Values:
    """The elements of a vector, or the only one of a scalar."""

    items: Dims
    scalar: bool = False

    @property
    def ints(self) -> list[int] | None:
        """The elements if all are numbers."""
        found = [item for item in self.items if isinstance(item, int)]
        return found if len(found) == len(self.items) else None


def symbol(text: str) -> Size:
    """A symbol for a computed size; None if it became too long."""
    return text if len(text) <= _LONGEST else None


def total(sizes: Sequence[Size]) -> Size:
    """The product of sizes."""
    number, names = 1, []
    for size in sizes:
        if size is None:
            return None
        if isinstance(size, int):
            number *= size
        else:
            names.append(size)
    if not names or number == 0:
        return number
    if number == 1 and len(names) == 1:
        return names[0]
    return symbol("*".join([*sorted(names), *([str(number)] if number != 1 else [])]))


def broadcast(shapes: Sequence[Dims | None]) -> Dims | None:
    """The shape that several broadcast to."""
    if any(shape is None for shape in shapes) or not shapes:
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(_together(sizes) for sizes in zip(*padded, strict=True))


def _together(sizes: Sequence[Size]) -> Size:
    others = {size for size in sizes if size != 1}
    if len(others) < 2:
        return others.pop() if others else 1
    numbers = [size for size in others if isinstance(size, int)]
    return numbers[0] if numbers else _limited(others)


def at_most(limit: int, size: Size) -> Size:
    """The smaller of two sizes."""
    if isinstance(size, int):
        return min(limit, size)
    return None if size is None else symbol(f"min({limit},{size})")


def _limited(sizes: set[Size]) -> Size:
    """``n`` if the sizes are n and the smaller of n and more than 1: they must be equal."""
    for size in sizes:
        rest = sizes - {size}
        if len(rest) == 1 and isinstance(size, str):
            (other,) = rest
            head, _, tail = str(other).partition(",")
            if head.startswith("min(") and tail == f"{size})" and head[4:] not in ("0", "1"):
                return size
    return None


def values_of(
    node: Node, shapes: Sequence[Dims | None], values: Sequence[Values | None]
) -> Values | None:
    """The elements of a node's first output, if they are sizes and known."""
    if node.domain:
        return None
    if node.op_type == "Shape":
        return _of_shape(node, shapes[0])
    if node.op_type == "Size":
        return None if shapes[0] is None else _kept(Values((total(shapes[0]),), True))
    rule = _RULES.get(node.op_type)
    first = values[0] if values else None
    if rule is None or first is None or first.items == ():
        return None
    if any(name and value is None for name, value in zip(node.inputs, values, strict=True)):
        return None
    found = rule(node, [value for value in values if value is not None])
    return None if found is None or len(found.items) > MOST else found


def _kept(values: Values) -> Values | None:
    return None if values.items == (None,) else values


def _of_shape(node: Node, shape: Dims | None) -> Values | None:
    if shape is None or len(shape) > MOST:
        return None
    stop = node.attributes.get("end")
    return Values(shape[node.attributes.get("start", 0) : stop])


def _gather(node: Node, values: list[Values]) -> Values | None:
    data, places = values
    ints = places.ints
    if data.scalar or ints is None or node.attributes.get("axis", 0) not in (0, -1):
        return None
    if any(not -len(data.items) <= i < len(data.items) for i in ints):
        return None
    return Values(tuple(data.items[i] for i in ints), places.scalar)


def _concat(node: Node, values: list[Values]) -> Values | None:
    if any(value.scalar for value in values):
        return None
    return Values(tuple(item for value in values for item in value.items))


def _slice(node: Node, values: list[Values]) -> Values | None:
    bounds = [value.ints for value in values[1:]]
    if node.opset < 10:
        bounds = [node.attributes.get("starts"), node.attributes.get("ends")]
    found = [b[0] if b and len(b) == 1 else None for b in bounds]
    if len(found) < 2 or None in found or values[0].scalar or "axes" in node.attributes:
        return None
    start, stop, axis, step = [*found, 0, 1][:2] + [*found[2:], *[0, 1][len(found) - 2 :]]
    if axis not in (0, -1) or not isinstance(step, int) or step == 0:
        return None
    if step < 0:
        return None
    return Values(values[0].items[start:stop:step])


def _same(node: Node, values: list[Values]) -> Values | None:
    return values[0] if not values[1:] else None


def _cast(node: Node, values: list[Values]) -> Values | None:
    return values[0] if node.attributes.get("to") in (6, 7) else None  # int32, int64


def _unsqueeze(node: Node, values: list[Values]) -> Values | None:
    axes = values[1].ints if values[1:] else node.attributes.get("axes")
    return Values(values[0].items) if values[0].scalar and axes in ([0], [-1]) else None


def _squeeze(node: Node, values: list[Values]) -> Values | None:
    return Values(values[0].items, True) if len(values[0].items) == 1 else None


def _mul(node: Node, values: list[Values]) -> Values | None:
    return _pairwise(values, lambda a, b: total((a, b)))


def _add(node: Node, values: list[Values]) -> Values | None:
    return _pairwise(values, lambda a, b: _moved(a, b))


def _moved(a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return a if b == 0 else b if a == 0 else None


def _pairwise(values: list[Values], combine: object) -> Values | None:
    if len(values) != 2:
        return None
    first, second = (value.items for value in values)
    if len(first) != len(second) and 1 not in (len(first), len(second)):
        return None
    count = max(len(first), len(second))
    first, second = (items * count if len(items) == 1 else items for items in (first, second))
    assert callable(combine)
    items = tuple(combine(a, b) for a, b in zip(first, second, strict=True))
    return Values(items, values[0].scalar and values[1].scalar)


_RULES = {
    "Gather": _gather, "Concat": _concat, "Slice": _slice, "Identity": _same, "Cast": _cast,
    "Unsqueeze": _unsqueeze, "Squeeze": _squeeze, "Mul": _mul, "Add": _add,
}  # fmt: skip
