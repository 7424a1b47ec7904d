"""A graph made ready to run: each node with its function, and when each value can be dropped.

Nothing is decided while it runs: operators are looked up, attributes bound and the last use of
every value found beforehand. Initializers and ``Constant`` nodes become constants of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import OnnxError, TensorliteError, UnsupportedOperatorError
from ...ops.trace import TRACERS, Tracer, tracing
from .beside_strings import MIXED, beside_strings
from .definitions import definition
from .graph import Function, Graph, Model, Node
from .registry import Operator, find, similar
from .signatures import MEANINGLESS, check_node, checked
from .values import describe


class Values(dict[str, Any]):
    """The values alive in a run, by name, and the weights that constants are taken from."""

    weights: Mapping[str, Any]


Run = Callable[..., Any]
Watch = Callable[["Step", tuple[Any, ...], Values], None]
MAX_FUNCTION_DEPTH = 64


@dataclass(frozen=True)
class Step:
    """One node, ready to run."""

    node: Node
    run: Run  # takes the inputs by position and gives the outputs as a tuple
    uses: tuple[str, ...]  # every name it reads, those that its subgraphs capture included
    frees: tuple[str, ...] = ()  # names whose last use this is
    inputs: tuple[str, ...] = field(init=False)
    outputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.node.inputs))
        object.__setattr__(self, "outputs", tuple(self.node.outputs))


@dataclass(frozen=True)
class Program:
    """The steps of one graph, and the weight that each of its constants is."""

    graph: Graph
    steps: tuple[Step, ...]
    constants: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        inputs: Mapping[str, Any],
        captured: Mapping[str, Any],
        weights: Mapping[str, Any],
        watch: Watch | None = None,
    ) -> list[Any]:
        """The graph's outputs. ``watch`` is called after each step, with all values alive."""
        values = Values(captured)
        values.weights = weights
        for name, key in self.constants.items():
            values[name] = weights[key]
        values.update(inputs)
        tracer = tracing() if TRACERS else None
        for step in self.steps:
            try:
                given = [values[n] if n else None for n in step.inputs]
                if tracer is None:
                    outputs = step.run(values, *given)
                else:
                    outputs = _traced(tracer, step, values, given)
            except _UNFIT as error:
                if isinstance(error, OnnxError) and error.node:
                    raise  # from a node in a graph or function inside: named already
                raise failed(step.node, values, error) from error
            for name, value in zip(step.outputs, outputs, strict=False):
                if name:
                    values[name] = value
            if watch is not None:
                watch(step, outputs, values)
            for name in step.frees:
                values.pop(name, None)
        try:
            return [values[info.name] for info in self.graph.outputs]
        except KeyError as error:
            raise OnnxError(f"no node gave the value {error}, which is an output") from None


# What an operator raises on values that it is not for: a sequence, say, where a tensor belongs.
_UNFIT = (TensorliteError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def _traced(tracer: Tracer, step: Step, values: Values, given: list[Any]) -> Any:
    """Runs a step that is noted call by call, or as one if numbers escape from it.

    Run as one it gets the values that its subgraphs capture beside its inputs.
    """
    names = [name for name in dict.fromkeys(step.uses) if name in values]

    def as_one(*found: Any) -> Any:
        alive = Values(zip(names, found, strict=True))
        alive.weights = values.weights
        return step.run(alive, *[alive[n] if n else None for n in step.inputs])

    tracer.label = step.node.name
    used = tuple(values[name] for name in names)
    return tracer.scope(step.node.operator, as_one, used, {}, lambda: step.run(values, *given))


def failed(node: Node, values: Values, error: Exception) -> OnnxError:
    """The error for a node that failed: which, and what came in."""
    came = ", ".join(
        f"{name or '(absent)'}: {describe(values.get(name)) if name else '-'}"
        for name in node.inputs
    )
    named = OnnxError(f"{node} with {came or 'no inputs'}: {error}")
    named.node = node.name
    return named


def prepared(node: Node, operator: type, attributes: dict[str, Any]) -> Run:
    """An operator that is a class, made of a node's attributes."""
    try:
        made: Run = operator(**attributes)
    except OnnxError as error:
        raise OnnxError(f"{node}: {error}") from error
    except _UNFIT as error:
        raise OnnxError(f"{node}: its attributes do not go together: {error}") from error
    return made


class Builder:
    """Makes programs of a model's graphs; collects every unknown operator before it complains."""

    def __init__(
        self, model: Model, device: Callable[[], Any], keep: Callable[[str, Any, bool], Any]
    ) -> None:
        self.model = model
        self.device = device  # where the model is, when it runs
        self.keep = keep  # takes charge of a constant: its name, its array, whether a weight
        self.unknown: dict[str, list[Node]] = {}
        self.depth = 0

    def program(self, graph: Graph) -> Program:
        """The program of a graph."""
        constants = {name: self.keep(name, a, True) for name, a in graph.initializers.items()}
        steps = []
        for node in graph.nodes:
            if node.op_type == "Constant" and not node.domain and not node.ref_attributes:
                check_node(node)
                array = constant_array(node)
                constants[node.outputs[0]] = self.keep(node.outputs[0], array, False)
            else:
                steps.append(self._step(node))
        outputs = {info.name for info in graph.outputs}
        return Program(graph, tuple(_with_frees(steps, outputs | set(constants))), constants)

    def check(self) -> None:
        """Raises UnsupportedOperatorError if any operator is unknown, with all of them."""
        if not self.unknown:
            return
        lines = []
        for nodes in self.unknown.values():
            first = nodes[0]
            names = ", ".join(repr(n.name) for n in nodes[:4]) + (", ..." if nodes[4:] else "")
            hint = similar(first.domain, first.op_type)
            lines.append(f"{first.operator} (opset {first.opset}; nodes {names}).{hint}")
        example = next(iter(self.unknown.values()))[0]
        where = f"{self.model.path}: " if self.model.path else ""
        domain = example.domain or "ai.onnx"
        inputs = ", ".join("xyzabc"[: len(example.inputs)])
        raise UnsupportedOperatorError(
            f"{where}{len(lines)} unknown operator{'s' if lines[1:] else ''}:\n  "
            + "\n  ".join(lines)
            + "\nAn operator of your own is three lines before loading:\n"
            f'  @tl.onnx.register("{domain}", "{example.op_type}")\n'
            f"  def {example.op_type.lower()}({inputs}, **attributes):\n"
            "      return ..."
        )

    def _step(self, node: Node) -> Step:
        captures = tuple(name for graph in node.subgraphs() for name in graph.captures)
        uses = (*[n for n in node.inputs if n], *captures)
        function = self.model.function(node)
        if function is not None:
            return Step(node, self._call_of(function, node), uses)
        operator = find(node.domain, node.op_type, node.opset)
        if operator is None:
            return self._by_definition(node, uses)
        if operator.custom:
            return Step(node, self._run_of(operator, node), uses)
        check_node(node)
        return Step(node, checked(node, self._run_of(operator, node)), uses)

    def _by_definition(self, node: Node, uses: tuple[str, ...]) -> Step:
        """An operator that the specification defines as a function of others, or an unknown."""
        function = definition(node)
        if function is None:
            self.unknown.setdefault(f"{node.operator}:{node.opset}", []).append(node)
            return Step(node, _never, uses)
        check_node(node)
        return Step(node, checked(node, self._call_of(function, node)), uses)

    def _run_of(self, operator: Operator, node: Node) -> Run:
        """Calls an operator's function: attributes are bound here, once."""
        keywords: dict[str, Any] = {}
        graphs: dict[str, Program] = {}
        for name, value in node.attributes.items():
            if name in MEANINGLESS and name not in operator.attributes:
                continue
            if name not in operator.attributes and not operator.open_ended:
                raise OnnxError(
                    f"{node}: unknown attribute {name!r}; it takes "
                    f"{', '.join(operator.attributes) or 'none'}"
                )
            if isinstance(value, Graph):
                graphs[name] = self.program(value)
            else:
                keywords[name] = value
        given = {"opset": node.opset, "n_outputs": len(node.outputs), "types": node.outputs}
        keywords |= {name: given[name] for name in operator.context if name in given}
        wants_device, function = "device" in operator.context, operator.run
        if isinstance(function, type):
            function, keywords = prepared(node, function, keywords), {}
        device = self.device
        if (node.domain, node.op_type) in MIXED:
            function = beside_strings(function, device)

        def plain(values: Values, *inputs: Any) -> tuple[Any, ...]:
            result = function(*_trimmed(inputs), **keywords)
            return result if isinstance(result, tuple) else (result,)

        def run(values: Values, *inputs: Any) -> tuple[Any, ...]:
            extra: dict[str, Any] = {"device": device()} if wants_device else {}
            for name, program in graphs.items():
                extra[name] = Subgraph(program, values)
            return _as_tuple(function(*_trimmed(inputs), **keywords, **extra))

        return run if wants_device or graphs else plain

    def _call_of(self, function: Function, node: Node) -> Run:
        """Calls a function of the model: its body as a program, with this node's attributes."""
        if self.depth > MAX_FUNCTION_DEPTH:
            raise OnnxError(f"{node}: functions call each other more than {self.depth} deep")
        attributes = {**function.defaults, **node.attributes}
        graph = _with_attributes(function.graph, attributes)
        self.depth += 1
        program = self.program(graph)
        self.depth -= 1
        names = [info.name for info in graph.inputs]

        def run(values: Values, *inputs: Any) -> tuple[Any, ...]:
            given = dict.fromkeys(names)
            given.update(zip(names, inputs, strict=False))
            return tuple(program.run(given, {}, values.weights))

        return run


def constant_array(node: Node) -> np.ndarray[Any, Any]:
    """The array of a ``Constant`` node, whichever of its attributes holds it."""
    if len(node.attributes) != 1 or not node.outputs:
        raise OnnxError(
            f"{node}: expected an output and one attribute with its value, got {[*node.attributes]}"
        )
    name, value = next(iter(node.attributes.items()))
    if name in ("value", "sparse_value"):
        found: np.ndarray[Any, Any] = value
        return found
    kinds = {"float": np.float32, "int": np.int64, "string": object}
    kind = name.removeprefix("value_").removesuffix("s")
    if kind not in kinds:
        raise OnnxError(f"{node}: unknown attribute {name!r}")
    return np.array(value, kinds[kind])


class Subgraph:
    """A graph among a node's attributes, as a function of its inputs by position."""

    def __init__(self, program: Program, values: Values) -> None:
        self.program = program
        self.weights = values.weights
        self.captured = {n: values[n] for n in program.graph.captures if n in values}
        self.n_inputs = len(program.graph.inputs)
        self.n_outputs = len(program.graph.outputs)

    def __call__(self, *inputs: Any) -> list[Any]:
        names = [info.name for info in self.program.graph.inputs]
        given = dict(zip(names, inputs, strict=False))
        return self.program.run(given, self.captured, self.weights)


def _with_frees(steps: list[Step], keep: set[str]) -> Iterator[Step]:
    last: dict[str, int] = {}
    for position, step in enumerate(steps):
        for name in (*step.uses, *step.node.outputs):
            last[name] = position
    ends: dict[int, list[str]] = {}
    for name, position in last.items():
        if name and name not in keep:
            ends.setdefault(position, []).append(name)
    for position, step in enumerate(steps):
        yield replace(step, frees=tuple(ends.get(position, ())))


def _with_attributes(graph: Graph, attributes: dict[str, Any]) -> Graph:
    """A function's body with the attributes that its nodes refer to put in."""
    return replace(graph, nodes=tuple(_resolved(node, attributes) for node in graph.nodes))


def _resolved(node: Node, attributes: dict[str, Any]) -> Node:
    own = {
        name: _with_attributes(value, attributes) if isinstance(value, Graph) else value
        for name, value in node.attributes.items()
    }
    for name, source in node.ref_attributes.items():
        if source in attributes:
            own[name] = attributes[source]
    return replace(node, attributes=own, ref_attributes={})


def _as_tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def _trimmed(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Inputs without the absent ones at the end, so that parameters' defaults apply."""
    while inputs and inputs[-1] is None:
        inputs = inputs[:-1]
    return inputs


def _never(values: Values, *inputs: Any) -> tuple[Any, ...]:
    raise AssertionError("an unknown operator is refused before anything runs")
