"""A graph while it is rewritten: who makes and who uses each value, and what is known of it.

A pass takes a :class:`View` and changes it; :meth:`View.graph` gives the graph that results. Only
nodes whose meaning is certain can be asked for by operator: those of a user's own operators, of
the model's functions, with attributes from an enclosing function, or against the specification
are never matched, moved or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ....errors import OnnxError
from ..graph import FunctionKey, Graph, Node
from ..program import constant_array
from ..registry import find
from ..scope import scope
from ..signatures import check_node
from .inference import Facts, Known, infer, stated

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Change:
    """One thing that was done: by which pass, to which nodes, and what."""

    name: str
    node: str
    done: str


@dataclass
class Context:
    """What the graphs of one model have in common while they are optimised.

    ``bytes_left`` bounds the memory and so the time that folding constants may take.
    """

    functions: frozenset[FunctionKey] = frozenset()
    names: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)
    bytes_left: int = 256 << 20
    current: str = ""  # the pass that runs

    def fresh(self, hint: str) -> str:
        """A name that nothing in the model has."""
        name, count = hint, 1
        while name in self.names:
            count += 1
            name = f"{hint}_{count}"
        self.names.add(name)
        return name

    def available(self, op_type: str, domain: str, opset: int) -> bool:
        """Whether a node of that operator would run what this package has for it."""
        if any(key[:2] == (domain, op_type) for key in self.functions):
            return False
        operator = find(domain, op_type, opset)
        return operator is not None and not operator.custom

    def certain(self, node: Node) -> bool:
        """Whether the node means what the specification says."""
        if node.ref_attributes or not self.available(node.op_type, node.domain, node.opset):
            return False
        try:
            check_node(node)
        except OnnxError:
            return False
        return bool(node.outputs)


Pass = Callable[["View"], None]


class View:
    """A graph under change; see the module's text.

    ``outer`` are the constants and ``facts`` the types around a subgraph.
    """

    def __init__(
        self,
        graph: Graph,
        context: Context,
        outer: Mapping[str, Array] | None = None,
        facts: Facts | None = None,
        main: bool = False,
    ) -> None:
        self.source = graph
        self.context = context
        self.main = main
        self.changed = False
        self.work = 100 * len(graph.nodes) + 10_000  # inputs that may still be renamed
        self.swapped: dict[Node, Node] = {}
        self.order: dict[Node, tuple[int, int]] = {}
        self.producers: dict[str, Node] = {}
        self.consumers: dict[str, dict[Node, int]] = {}
        self.captured: dict[str, int] = {}
        self.outputs = {info.name for info in graph.outputs}
        self.inputs = {info.name for info in graph.inputs}
        self.initializers = dict(graph.initializers)
        self.constants: dict[str, Array] = {
            name: array for name, array in (outer or {}).items() if name not in self.inputs
        }
        fixed = graph.initializers.items()
        self.constants.update((name, a) for name, a in fixed if name not in self.inputs)
        self.facts = Facts(outer=facts)
        self.by_operator: dict[str, dict[Node, None]] = {}
        for position, node in enumerate(graph.nodes):
            self._add(node, (position, 0))
        self._infer()

    def _infer(self) -> None:
        stated(self.source, self.facts, self.main)
        for name, array in self.constants.items():
            self.facts.constant(name, array)
        for node in self.order:
            if not all(name in self.constants for name in node.outputs):
                infer(node, self.facts, self.is_certain(node))

    def _add(self, node: Node, order: tuple[int, int]) -> None:
        self.order[node] = order
        for name in node.outputs:
            if name:
                self.producers[name] = node
                self.constants.pop(name, None)
        for name in _reads(node):
            uses = self.consumers.setdefault(name, {})
            uses[node] = uses.get(node, 0) + 1
        for name in _captures(node):
            self.captured[name] = self.captured.get(name, 0) + 1
        if self.context.certain(node):
            self.by_operator.setdefault(node.operator, {})[node] = None
            if node.operator == "Constant":
                self._constant(node)

    def _constant(self, node: Node) -> None:
        try:
            self.constants[node.outputs[0]] = constant_array(node)
        except (OnnxError, TypeError, ValueError, OverflowError):
            del self.by_operator["Constant"][node]  # its error comes when the program is built

    def _drop(self, node: Node) -> None:
        del self.order[node]
        for name in node.outputs:
            if self.producers.get(name) is node:
                del self.producers[name]
        for name in _reads(node):
            uses = self.consumers[name]
            uses[node] -= 1
            if not uses[node]:
                del uses[node]
        for name in _captures(node):
            self.captured[name] -= 1
        self.by_operator.get(node.operator, {}).pop(node, None)

    # Asking

    def is_certain(self, node: Node) -> bool:
        """Whether the node means what the specification says."""
        return node in self.by_operator.get(node.operator, ())

    def nodes(self, *operators: str) -> Iterator[Node]:
        """The nodes of these operators that are still there, in order."""
        found = [node for name in operators for node in self.by_operator.get(name, ())]
        found.sort(key=self.order.__getitem__)
        yield from self._latest(found)

    def every(self) -> Iterator[Node]:
        """All nodes whose meaning is certain, in order."""
        yield from self._latest(sorted(self.order, key=self.order.__getitem__))

    def _latest(self, nodes: Sequence[Node]) -> Iterator[Node]:
        for node in nodes:
            while node in self.swapped:
                node = self.swapped[node]
            if node in self.by_operator.get(node.operator, ()):
                yield node

    def producer(self, name: str, *operators: str) -> Node | None:
        """The node that gives this value, if it is of one of these operators."""
        node = self.producers.get(name)
        if node is None or node.operator not in operators:
            return None
        return node if node in self.by_operator.get(node.operator, ()) else None

    def inner(self, name: str, *operators: str) -> Node | None:
        """:meth:`producer`, if its first output has one use and no other output any.

        Such a node can go away with its only user.
        """
        node = self.producer(name, *operators)
        if node is None or node.outputs[0] != name or self.count(name) != 1:
            return None
        return None if any(self.count(other) for other in node.outputs[1:]) else node

    def user(self, name: str, *operators: str) -> Node | None:
        """The only node that uses this value, if it is of one of these operators."""
        uses = self.consumers.get(name, {})
        if self.count(name) != 1 or len(uses) != 1 or self.captured.get(name):
            return None
        (node,) = uses
        if node.operator not in operators or node not in self.by_operator.get(node.operator, ()):
            return None
        return node

    def count(self, name: str) -> int:
        """How often a value is used; as an output of the graph, too."""
        return sum(self.consumers.get(name, {}).values()) + (name in self.outputs)

    def constant(self, name: str) -> Array | None:
        """The value of a constant; read only."""
        return self.constants.get(name) if name else None

    def number(self, name: str) -> float | None:
        """A constant of one element as a Python number."""
        array = self.constant(name)
        if array is None or array.size != 1 or array.dtype.kind in "OSU":
            return None
        return float(array.reshape(()).item())

    def numbers(self, name: str) -> list[int] | None:
        """A constant of whole numbers as a list."""
        array = self.constant(name)
        if array is None or array.dtype.kind not in "iu" or array.ndim > 1 or array.size > 64:
            return None
        return [int(item) for item in array.reshape(-1)]

    def known(self, name: str) -> Known:
        """The dtype and the shape of a value, as far as they are known."""
        return self.facts.known(name)

    def split(self, node: Node) -> tuple[str, Array] | None:
        """The two inputs of a commutative node as a name and a constant."""
        if len(node.inputs) != 2:
            return None
        first, second = node.inputs
        for name, other in ((first, second), (second, first)):
            array = self.constant(other)
            if array is not None and self.constant(name) is None:
                return name, array
        return None

    def pairs(self, node: Node) -> tuple[tuple[str, str], ...]:
        """The two inputs of a commutative node in both orders."""
        if len(node.inputs) != 2:
            return ()
        first, second = node.inputs
        return ((first, second), (second, first))

    # Changing

    def note(self, node: Node | str, done: str) -> None:
        """Writes down what was done."""
        self.changed = True
        name = node if isinstance(node, str) else node.name
        self.context.changes.append(Change(self.context.current, name, done))

    def fuse(self, olds: Sequence[Node], new: Node, done: str) -> bool:
        """Puts a node in the place of the last of some others; False if it has no operator here."""
        if not self.context.available(new.op_type, new.domain, new.opset):
            return False
        place = max(self.order[old] for old in olds)
        for old in olds:
            self._drop(old)
        self._add(new, place)
        self.note(new, done)
        return True

    def remove(self, node: Node, done: str) -> None:
        """Takes a node away; nothing may use its outputs any more."""
        self._drop(node)
        self.changed = True
        if done:
            self.note(node, done)

    def swap(self, old: Node, new: Node) -> None:
        """Puts a node in the place of another, without a note."""
        place = self.order[old]
        self._drop(old)
        self._add(new, place)
        self.swapped[old] = new
        self.changed = True

    def reroute(
        self, node: Node, place: int, source: str, attributes: dict[str, Any] | None = None
    ) -> None:
        """Gives a node another input, and some other attributes."""
        inputs = list(node.inputs)
        inputs[place] = source
        own = {**node.attributes, **(attributes or {})}
        self.swap(node, replace(node, inputs=tuple(inputs), attributes=own))

    def settle(self, node: Node, arrays: Mapping[str, Array], weight: bool) -> None:
        """Puts constants in the place of a node, under the names of its outputs."""
        place = self.order[node]
        self._drop(node)
        for name, array in arrays.items():
            if weight:
                self.initializers[name] = self.constants[name] = array
            else:
                own = node.name if name == node.outputs[0] else self.context.fresh(name)
                self._add(constant_node(name, array, own), place)
            self.facts.constant(name, array)

    def before(self, node: Node, new: Node) -> None:
        """Puts a new node directly before another."""
        place, serial = self.order[node]
        self.order[node] = (place, serial + 1)
        self._add(new, (place, serial))
        infer(new, self.facts, True)

    def forward(self, node: Node, source: str) -> bool:
        """Lets the users of a node's first output use another value in its place.

        The node is then dead. False, and nothing done, where names must stay: in subgraphs, and
        for an output of the graph whose value is one of its inputs, constants or other outputs.
        """
        name = node.outputs[0]
        if self.captured.get(name) or not self._afford(name) or not self._afford(source):
            return False
        if name not in self.outputs:
            self._rename(name, source)
            if not any(self.count(other) for other in node.outputs):
                self._drop(node)
            return True
        maker = self.producers.get(source)
        if maker is None or source in self.outputs or self.captured.get(source):
            return False
        if self.order[maker] > self.order[node] or source in self.constants:
            return False
        self._drop(node)
        outputs = tuple(name if output == source else output for output in maker.outputs)
        self.swap(maker, replace(maker, outputs=outputs))
        self._rename(source, name)
        return True

    def _afford(self, name: str) -> bool:
        """Whether the users of a value may be written anew: a node of many inputs is, often."""
        cost = sum(1 + sum(1 for _ in _reads(user)) for user in self.consumers.get(name, ()))
        self.work -= cost
        return self.work >= 0

    def _rename(self, old: str, new: str) -> None:
        for user in list(self.consumers.get(old, ())):
            inputs = tuple(new if name == old else name for name in user.inputs)
            self.swap(user, replace(user, inputs=inputs))

    def add_constant(self, hint: str, array: Array, weight: bool = False) -> str:
        """A new constant's name: a weight, or a ``Constant`` node."""
        name = self.context.fresh(hint)
        if weight:
            self.initializers[name] = array
            self.constants[name] = array
        else:
            self._add(constant_node(name, array, name), (-1, len(self.order)))
        self.facts.constant(name, array)
        return name

    def graph(self) -> Graph:
        """The graph as it is now; constants that nothing uses are left out."""
        if not self.changed:
            return self.source
        nodes = sorted(self.order, key=self.order.__getitem__)
        kept = {n: a for n, a in self.initializers.items() if n in self.inputs or self.count(n)}
        ordered, captures = scope(
            (info.name for info in self.source.inputs),
            kept,
            nodes,
            (info.name for info in self.source.outputs),
        )
        made = {name for node in ordered for name in node.outputs}
        info = {name: i for name, i in self.source.value_info.items() if name in made}
        return replace(
            self.source, nodes=ordered, initializers=kept, captures=captures, value_info=info
        )


def constant_node(value: str, array: Array, name: str) -> Node:
    """The ``Constant`` of that name that gives ``array`` as ``value``."""
    return Node("Constant", (), (value,), name, opset=13, attributes={"value": array})


def _captures(node: Node) -> Iterator[str]:
    for graph in node.subgraphs():
        yield from graph.captures


def _reads(node: Node) -> Iterator[str]:
    yield from (name for name in node.inputs if name)
    yield from _captures(node)
