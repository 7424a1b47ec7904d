"""Names in an ONNX graph: defined once, before they are used, and without a cycle.

Nodes of a file that are in a wrong order but have a right one are put into it, since exporters
and editors write such files; a cycle has no right order and is refused.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import islice

from ...errors import OnnxError, nearest
from .graph import Graph, Node, ValueInfo
from .text import quote

_MOST_CANDIDATES = 1000
_LONGEST_CANDIDATE = 100


def scope(
    inputs: Iterable[str],
    initializers: Iterable[str],
    nodes: Sequence[Node],
    outputs: Iterable[str],
) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """The nodes in an order in which they can run, and the names taken from outside the graph."""
    given = _unique(inputs) | set(initializers)
    producer = _producers(nodes, given)
    needs = [_needs(node) for node in nodes]
    free = {name: None for names in needs for name in names if name not in given}
    free.update((name, None) for name in outputs if name not in given)
    ordered = _order(nodes, needs, producer)
    return ordered, tuple(name for name in free if name not in producer)


def refuse_undefined(graph: Graph, names: Sequence[str]) -> None:
    """Raises for the first of the ``names``, which nothing around ``graph`` defines."""
    if not names:
        return
    name = names[0]
    hint = nearest(name, _candidates(graph)) if len(name) <= _LONGEST_CANDIDATE else ""
    raise OnnxError(f"{_user(graph, name)} {quote(name)}, which nothing defines.{hint}")


def _unique(names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise OnnxError(f"input {quote(name)} is listed twice")
        seen.add(name)
    return seen


def _producers(nodes: Sequence[Node], given: set[str]) -> dict[str, int]:
    producer: dict[str, int] = {}
    for i, node in enumerate(nodes):
        for name in node.outputs:
            if not name:
                continue
            if name in given:
                raise OnnxError(f"{node}: its output {quote(name)} is already an input or weight")
            if name in producer:
                other = nodes[producer[name]]
                raise OnnxError(f"{node}: its output {quote(name)} is already that of {other}")
            producer[name] = i
    return producer


def _needs(node: Node) -> list[str]:
    names = [name for name in node.inputs if name]
    for graph in node.subgraphs():
        names.extend(graph.captures)
    return names


def _order(
    nodes: Sequence[Node], needs: Sequence[Sequence[str]], producer: dict[str, int]
) -> tuple[Node, ...]:
    """A stable topological order (Kahn's algorithm)."""
    before = [{producer[name] for name in names if name in producer} for names in needs]
    if all(max(earlier, default=-1) < i for i, earlier in enumerate(before)):
        return tuple(nodes)
    after: list[list[int]] = [[] for _ in nodes]
    for i, earlier in enumerate(before):
        for j in earlier:
            after[j].append(i)
    waiting = [len(earlier) for earlier in before]
    ready = [i for i, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        i = heapq.heappop(ready)
        order.append(i)
        for j in after[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(ready, j)
    if len(order) < len(nodes):
        _refuse_cycle(nodes, before, {i for i, count in enumerate(waiting) if count})
    return tuple(nodes[i] for i in order)


def _refuse_cycle(nodes: Sequence[Node], before: Sequence[set[int]], stuck: set[int]) -> None:
    """Walks back from a stuck node until one comes again: those between are a cycle."""
    path, seen = [min(stuck)], {min(stuck)}
    while True:
        i = min(before[path[-1]] & stuck)
        if i in seen:
            break
        path.append(i)
        seen.add(i)
    cycle = path[path.index(i) :][::-1]
    names = " -> ".join(quote(nodes[j].name) for j in cycle[:5])
    more = f" and {len(cycle) - 5} more" if len(cycle) > 5 else ""
    raise OnnxError(f"{nodes[cycle[0]]} needs its own result: the cycle {names}{more}")


def _user(graph: Graph, name: str) -> str:
    for node in graph.walk():
        if name in node.inputs:
            return f"{node} has the input"
        for inner in node.subgraphs():
            if any(output.name == name for output in inner.outputs):
                return f"{node}: its subgraph {quote(inner.name)} has the output"
    return "the graph has the output"


def _candidates(graph: Graph) -> Iterable[str]:
    def names() -> Iterable[str]:
        values: tuple[ValueInfo, ...] = graph.inputs
        yield from (value.name for value in values)
        yield from graph.initializers
        for node in graph.nodes:
            yield from node.outputs

    return islice((n for n in names() if len(n) <= _LONGEST_CANDIDATE), _MOST_CANDIDATES)
