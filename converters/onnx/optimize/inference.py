"""Dtypes, shapes and small whole numbers that can be known of values before anything runs.

Shapes start from the inputs of the main graph, which are checked at every call, and follow the
nodes; of ``value_info`` only the dtype is believed, since its sizes are often left over from
before a model was edited. A size is an int, a symbol that stands for the same number wherever it
occurs, or None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Graph, Node
from .dtypes import dtype_of
from .shapes import shape_of
from .sizes import MOST, Dims, Values, values_of


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a tensor; None where nothing is."""

    dtype: str | None = None
    shape: Dims | None = None

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    @property
    def static(self) -> tuple[int, ...] | None:
        """The shape if every size is a number."""
        if self.shape is None:
            return None
        sizes = tuple(size for size in self.shape if isinstance(size, int))
        return sizes if len(sizes) == len(self.shape) else None


NOTHING = Known()


@dataclass
class Facts:
    """What is known of the values of a graph, and of those around it."""

    types: dict[str, Known] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    outer: Facts | None = None

    def known(self, name: str) -> Known:
        found = self.types.get(name)
        if found is None:
            return NOTHING if self.outer is None else self.outer.known(name)
        return found

    def value(self, name: str) -> Values | None:
        """The elements of a short vector (or scalar) of whole numbers, as sizes."""
        found = self.values.get(name)
        if found is None and self.outer is not None and name not in self.types:
            return self.outer.value(name)
        return found

    def constant(self, name: str, array: np.ndarray[Any, Any]) -> None:
        dtype = "string" if array.dtype.kind in "OSUT" else array.dtype.name
        self.types[name] = Known(dtype, tuple(array.shape))
        if array.dtype.kind in "iu" and array.ndim < 2 and array.size <= MOST:
            self.values[name] = Values(tuple(int(i) for i in array.reshape(-1)), array.ndim == 0)


def stated(graph: Graph, facts: Facts, main: bool) -> None:
    """Notes what the graph says of its inputs (in the main graph also sizes) and values."""
    for name, info in graph.value_info.items():
        if info.kind == "tensor":
            facts.types[name] = Known(info.dtype)
    for info in graph.inputs:
        if info.kind != "tensor":
            facts.types[info.name] = NOTHING
            continue
        shape: Dims | None = None
        if main and info.shape is not None:
            shape = tuple(_size(size) for size in info.shape)
        facts.types[info.name] = Known(info.dtype, shape)


def _size(size: int | str | None) -> int | str | None:
    if isinstance(size, int):
        return size if size > 0 else None
    return size or None


def infer(node: Node, facts: Facts, certain: bool) -> None:
    """Notes what follows for the outputs of a node."""
    for name in node.outputs:
        if name:
            before = facts.types.get(name, NOTHING)
            facts.types[name] = Known(before.dtype)
    if not certain or not node.outputs:
        return
    inputs = [facts.known(name) if name else NOTHING for name in node.inputs]
    dtypes = [known.dtype for known in inputs]
    dims = [known.shape for known in inputs]
    values = [facts.value(name) if name else None for name in node.inputs]
    for place, name in enumerate(node.outputs):
        if not name:
            continue
        dtype = dtype_of(node, place, dtypes) or facts.types[name].dtype
        facts.types[name] = Known(dtype, shape_of(node, place, dims, values))
    found = values_of(node, dims, values)
    if found is not None and node.outputs[0]:
        facts.values[node.outputs[0]] = found
