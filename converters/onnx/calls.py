"""What the functions of a model amount to when they are called: no recursion, no explosion.

A file of a few kilobytes can hold functions that call each other to any depth, or twice each so
that thirty of them make a billion nodes; both are found here without running anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import OnnxError
from .graph import Function, FunctionKey, Graph
from .text import quote

MAX_CALLS = 64
"""How deep functions may call functions."""

MAX_NODES = 10_000_000
"""How many nodes a model may have once every call is replaced by the function's body."""


def check_calls(graph: Graph, functions: Mapping[FunctionKey, Function]) -> None:
    """Raises when functions recurse, call each other too deep, or expand to too many nodes."""
    if not functions:
        return
    callees = {key: _callees(f.graph, functions) for key, f in functions.items()}
    sizes: dict[FunctionKey, int] = {}
    depths: dict[FunctionKey, int] = {}
    for key in _callees_first(callees):
        called = callees[key]
        depths[key] = 1 + max((depths[c] for c in called), default=0)
        if depths[key] > MAX_CALLS:
            raise OnnxError(f"functions call functions more than {MAX_CALLS} deep")
        own = sum(1 for _ in functions[key].graph.walk())
        sizes[key] = own + sum(count * sizes[c] for c, count in called.items())
        _check_size(sizes[key], f"function {_name(key)}")
    called = _callees(graph, functions)
    _check_size(sum(count * sizes[c] for c, count in called.items()), "the graph")


def _check_size(size: int, what: str) -> None:
    if size > MAX_NODES:
        raise OnnxError(
            f"{what} amounts to {size} nodes when its functions are put in; "
            f"at most {MAX_NODES} are run"
        )


def _callees(graph: Graph, functions: Mapping[FunctionKey, Function]) -> dict[FunctionKey, int]:
    called: dict[FunctionKey, int] = {}
    for node in graph.walk():
        key = node.function_key
        if key in functions:
            called[key] = called.get(key, 0) + 1
    return called


def _callees_first(callees: Mapping[FunctionKey, Mapping[FunctionKey, int]]) -> list[FunctionKey]:
    """Every function after those that it calls; depth first, without recursion of our own."""
    order: list[FunctionKey] = []
    done: set[FunctionKey] = set()
    for start in callees:
        path: dict[FunctionKey, list[FunctionKey]] = {}
        current: FunctionKey | None = None if start in done else start
        while current is not None:
            if current not in path:
                path[current] = list(callees[current])
            rest = path[current]
            if rest:
                called = rest.pop()
                if called in path:
                    _refuse_recursion(list(path), called)
                if called not in done:
                    current = called
                continue
            done.add(current)
            order.append(current)
            del path[current]
            current = next(reversed(path), None)
    return order


def _refuse_recursion(path: list[FunctionKey], called: FunctionKey) -> None:
    cycle = path[path.index(called) :]
    names = " -> ".join(_name(key) for key in [*cycle[:5], called])
    raise OnnxError(f"function {_name(called)} calls itself: {names}")


def _name(key: FunctionKey) -> str:
    return quote(".".join(part for part in key if part))
