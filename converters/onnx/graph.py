"""An ONNX model as plain Python data: what the reader gives and everything else works on.

No protobuf object is left in it: names are ``str``, numbers are Python's, tensors are numpy
arrays. The classes are frozen, so a change is ``dataclasses.replace(...)``; their dicts and
arrays are to be treated as read-only too.

Source: the ONNX IR specification (onnx/docs/IR.md), whose words are used here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .text import cut, quote

Kind = Literal["tensor", "sparse", "sequence", "optional", "map", "opaque", "unknown"]
Shape = tuple[int | str | None, ...]
FunctionKey = tuple[str, str, str]

AttributeValue = Any
"""int, float, str, bytes (a string that is not UTF-8), numpy array, Graph, TypeInfo, or a list."""


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """The type of a value, as far as the file states it.

    ``dtype`` is a numpy dtype name (``"float32"``, ``"bfloat16"``, ``"int4"``...) or ``"string"``,
    and for a map the dtype of its keys; ``None`` where it is not stated or has no meaning.
    ``shape`` has an int, a symbol or ``None`` (anything) per dimension; ``None`` is any rank.
    ``element`` is the type inside a sequence or optional, and of the values of a map.

    >>> str(TypeInfo("sequence", element=TypeInfo("tensor", "float32", (1, "n", None))))
    'sequence(float32[1, n, ?])'
    """

    kind: Kind = "unknown"
    dtype: str | None = None
    shape: Shape | None = None
    element: TypeInfo | None = None

    def __str__(self) -> str:
        if self.kind in ("tensor", "sparse"):
            dims = ", ".join("?" if d is None else str(d) for d in self.shape or ())
            text = f"{self.dtype or 'any'}[{'...' if self.shape is None else dims}]"
            return text if self.kind == "tensor" else f"sparse {text}"
        if self.kind == "map":
            return f"map({self.dtype}, {self.element})"
        if self.element is not None:
            return f"{self.kind}({self.element})"
        return self.kind


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """A named value with its type: a graph's input, output or intermediate.

    >>> x = ValueInfo("x", TypeInfo("tensor", "float32", ("batch", 3)))
    >>> x.dtype, x.shape, str(x)
    ('float32', ('batch', 3), 'x: float32[batch, 3]')
    """

    name: str
    type: TypeInfo = TypeInfo()
    doc: str = ""

    @property
    def kind(self) -> Kind:
        return self.type.kind

    @property
    def dtype(self) -> str | None:
        return self.type.dtype

    @property
    def shape(self) -> Shape | None:
        return self.type.shape

    @property
    def element(self) -> TypeInfo | None:
        return self.type.element

    def __str__(self) -> str:
        return f"{self.name}: {self.type}"


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One call of an operator.

    ``name`` is never empty and occurs once in the model (once in a function's body).
    ``domain`` is ``""`` for ai.onnx, and ``opset`` the version of that domain that is imported
    where the node stands. An absent input or output is ``""``. ``ref_attributes`` maps an
    attribute of this node to the attribute of the enclosing function that gives its value.
    """

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str
    domain: str = ""
    overload: str = ""
    opset: int = 1
    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    ref_attributes: dict[str, str] = field(default_factory=dict)
    doc: str = ""

    @property
    def function_key(self) -> FunctionKey:
        """Where to look in :attr:`Model.functions`."""
        return (self.domain, self.op_type, self.overload)

    @property
    def operator(self) -> str:
        """``Conv``, or ``com.microsoft.FusedConv`` outside of ai.onnx."""
        return f"{self.domain}.{self.op_type}" if self.domain else self.op_type

    def subgraphs(self) -> Iterator[Graph]:
        """The graphs among the attributes, in the attributes' order."""
        for value in self.attributes.values():
            if isinstance(value, Graph):
                yield value
            elif isinstance(value, list) and value and isinstance(value[0], Graph):
                yield from value

    def __str__(self) -> str:
        return f"node {quote(self.name)} ({cut(self.operator)}, opset {self.opset})"


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes in an order in which they can be run, and the values around them.

    An input that is also in ``initializers`` has that as its default. ``captures`` are the
    names that this graph, with its subgraphs, takes from the graphs around it; it is empty for
    the main graph and for functions.
    """

    name: str
    inputs: tuple[ValueInfo, ...]
    outputs: tuple[ValueInfo, ...]
    nodes: tuple[Node, ...]
    initializers: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    value_info: dict[str, ValueInfo] = field(default_factory=dict)
    captures: tuple[str, ...] = ()
    doc: str = ""

    def walk(self) -> Iterator[Node]:
        """Every node, those of subgraphs after the node that holds them."""
        for node in self.nodes:
            yield node
            for graph in node.subgraphs():
                yield from graph.walk()


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """An operator that the model defines by a graph.

    A call's inputs and outputs are the graph's, by position. ``attributes`` are the names without
    default, ``defaults`` those with one.
    """

    domain: str
    name: str
    graph: Graph
    opsets: dict[str, int]
    overload: str = ""
    attributes: tuple[str, ...] = ()
    defaults: dict[str, AttributeValue] = field(default_factory=dict)
    doc: str = ""

    @property
    def key(self) -> FunctionKey:
        """Its key in :attr:`Model.functions`."""
        return (self.domain, self.name, self.overload)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A whole ONNX file: the main graph, the functions it may call, and what is said about it.

    ``opsets`` maps a domain (``""`` is ai.onnx) to the imported version; ``path`` is ``None``
    when the model did not come from a file.
    """

    graph: Graph
    opsets: dict[str, int]
    ir_version: int
    functions: dict[FunctionKey, Function] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    producer: str = ""
    domain: str = ""
    version: int = 0
    doc: str = ""
    path: Path | None = None

    def function(self, node: Node) -> Function | None:
        """The function that this node calls, if it calls one."""
        return self.functions.get(node.function_key)
