"""Which passes run on which graph, and how often: until nothing changes, within a bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ....errors import TensorliteError
from ..graph import Function, Graph, Model, Node
from .activation import ACTIVATION
from .attention import ATTENTION
from .cleanup import CLEANUP
from .constants import fold, fold_dequantized, fold_shapes
from .convolution import CONVOLUTION
from .inference import Facts
from .normalization import NORMALIZATION
from .quantized import FIRST, QUANTIZED, UNQUANTIZED, UNTAKEN
from .view import Change, Context, Pass, View

Array = np.ndarray[Any, Any]

ROUNDS = 12
"""How often the passes are repeated; each repetition takes time linear in the nodes."""

SIMPLE: tuple[Pass, ...] = (fold, fold_shapes, *CLEANUP)
FUSIONS: tuple[Pass, ...] = (*ATTENTION, *NORMALIZATION, *ACTIVATION, *QUANTIZED, *CONVOLUTION)
LAST: tuple[Pass, ...] = (*UNQUANTIZED, fold_dequantized, fold, *UNTAKEN)

_UNFIT = (TensorliteError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Surroundings:
    """What a subgraph can see of the graph it stands in."""

    constants: Mapping[str, Array]
    facts: Facts | None


NOWHERE = Surroundings({}, None)


def optimized(model: Model) -> tuple[Model, tuple[Change, ...]]:
    """The model with fewer nodes, which gives the same outputs but for rounding; and the changes.

    Outputs keep their names, values that are still there too. What cannot be understood (wrong
    attributes, a user's own operators) is left as it is.
    """
    context = Context(frozenset(model.functions), set(_names(model)))
    functions = {
        key: replace(function, graph=_body(function, context))
        for key, function in model.functions.items()
    }
    graph = _graph(model.graph, context, NOWHERE, main=True)
    if not context.changes:
        return model, ()
    return replace(model, graph=graph, functions=functions), tuple(context.changes)


def _names(model: Model) -> Iterator[str]:
    graphs = [model.graph, *(function.graph for function in model.functions.values())]
    while graphs:
        graph = graphs.pop()
        yield from (info.name for info in graph.inputs)
        yield from graph.initializers
        for node in graph.nodes:
            yield node.name
            yield from node.outputs
            graphs.extend(node.subgraphs())


def _body(function: Function, context: Context) -> Graph:
    """A function's body: no type is known in it, since it may be called with any."""
    return _graph(function.graph, context, NOWHERE, main=False)


def _graph(graph: Graph, context: Context, around: Surroundings, main: bool) -> Graph:
    stages: Sequence[Sequence[Pass]] = ((*FIRST, *SIMPLE, *FUSIONS), (*LAST, *SIMPLE, *FUSIONS))
    for passes in stages:
        graph = _rounds(graph, context, around, main, passes)
    inside = _with_subgraphs(graph, context, around, main)
    if inside is not graph:
        graph = _rounds(inside, context, around, main, SIMPLE)
    return graph


def _rounds(
    graph: Graph, context: Context, around: Surroundings, main: bool, passes: Sequence[Pass]
) -> Graph:
    left = list(passes)
    for _ in range(ROUNDS):
        view = View(graph, context, around.constants, around.facts, main)
        failed = _run(view, left)
        if failed is not None:
            left.remove(failed)
            continue
        if not view.changed:
            break
        graph = view.graph()
    return graph


def _run(view: View, passes: Sequence[Pass]) -> Pass | None:
    """Runs the passes; gives the one that failed, after which the view is of no use."""
    context, known = view.context, len(view.context.changes)
    for each in passes:
        context.current = each.__name__.replace("_", " ")
        try:
            each(view)
        except _UNFIT as error:  # on a graph that is broken in a way nobody thought of
            del context.changes[known:]
            note = f"failed and was left out: {type(error).__name__}: {error}"
            context.changes.append(Change(context.current, view.source.name, note))
            return each
    return None


def _with_subgraphs(graph: Graph, context: Context, around: Surroundings, main: bool) -> Graph:
    if not any(True for node in graph.nodes for _ in node.subgraphs()):
        return graph
    view = View(graph, context, around.constants, around.facts, main)
    inside = Surroundings(view.constants, view.facts)
    nodes = tuple(_with_bodies(node, context, inside) for node in graph.nodes)
    if all(new is old for new, old in zip(nodes, graph.nodes, strict=True)):
        return graph
    return replace(graph, nodes=nodes)


def _with_bodies(node: Node, context: Context, around: Surroundings) -> Node:
    def body(graph: Graph) -> Graph:
        seen = {n: around.constants[n] for n in graph.captures if n in around.constants}
        return _graph(graph, context, Surroundings(seen, around.facts), main=False)

    attributes: dict[str, Any] = {}
    for name, value in node.attributes.items():
        if isinstance(value, Graph):
            attributes[name] = body(value)
        elif isinstance(value, list) and value and isinstance(value[0], Graph):
            attributes[name] = [body(graph) for graph in value]
        else:
            attributes[name] = value
    if all(attributes[name] is value for name, value in node.attributes.items()):
        return node
    return replace(node, attributes=attributes)
