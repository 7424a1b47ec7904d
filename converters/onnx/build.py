"""GraphProto and FunctionProto as :class:`Graph` and :class:`Function`, checked as read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import OnnxError, nearest
from .attributes import attribute_name, read_attribute
from .graph import AttributeValue, Function, FunctionKey, Graph, Node, ValueInfo
from .scope import refuse_undefined, scope
from .tensors import Array, TensorReader
from .text import at, quote, text
from .typeinfo import read_value_info
from .wire import Weights

MAX_DEPTH = 32
"""How deep graphs may stand in graphs; protobuf's own limit allows about as many in a file."""

Progress = Callable[[int, int], None]


@dataclass
class Builder:
    """What the nodes of one main graph or one function have in common.

    ``weights`` are the data of those initializers of the main graph that were taken out of the
    protobuf, by index. ``parameters`` are the attributes of the function that is read, ``None``
    in the main graph.
    """

    tensors: TensorReader
    opsets: Mapping[str, int]
    functions: frozenset[FunctionKey] = frozenset()
    weights: Weights = field(default_factory=dict)
    parameters: frozenset[str] | None = None
    progress: Progress | None = None
    names: dict[str, int] = field(default_factory=dict)
    depth: int = 0

    def main(self, proto: Any) -> Graph:
        """The graph of a model: nothing stands around it."""
        graph = self._graph(proto)
        refuse_undefined(graph, graph.captures)
        return graph

    def function_graph(self, proto: Any) -> Graph:
        """The body of a FunctionProto, as a graph with inputs and outputs of no stated type."""
        graph = self._graph(
            proto,
            inputs=tuple(_untyped(name, "an input") for name in proto.input),
            outputs=tuple(_untyped(name, "an output") for name in proto.output),
        )
        refuse_undefined(graph, graph.captures)
        return graph

    def defaults(self, proto: Any) -> dict[str, AttributeValue]:
        """The attributes of a FunctionProto that have a default."""
        found: dict[str, AttributeValue] = {}
        for attribute in proto.attribute_proto:
            name = attribute_name(attribute)
            if name in found:
                raise OnnxError(f"attribute {quote(name)} is there twice")
            found[name] = self._attribute(attribute)
            if isinstance(found[name], Graph):
                refuse_undefined(found[name], found[name].captures)
        return found

    def _attribute(self, proto: Any) -> AttributeValue:
        return read_attribute(proto, self.tensors, self._subgraph)

    def _subgraph(self, proto: Any) -> Graph:
        if self.depth == MAX_DEPTH:
            raise OnnxError(f"graphs stand in graphs more than {MAX_DEPTH} deep")
        self.depth += 1
        try:
            with at(lambda: f"graph {quote(proto.name)}"):
                return self._graph(proto)
        finally:
            self.depth -= 1

    def _graph(
        self,
        proto: Any,
        inputs: tuple[ValueInfo, ...] | None = None,
        outputs: tuple[ValueInfo, ...] | None = None,
    ) -> Graph:
        is_function = inputs is not None
        if inputs is None:
            inputs = tuple(read_value_info(v) for v in proto.input)
        if outputs is None:
            outputs = tuple(read_value_info(v) for v in proto.output)
        initializers = {} if is_function else self._initializers(proto)
        values = (read_value_info(v) for v in proto.value_info)
        graph = Graph(
            name=text(proto.name, "its name"),
            inputs=inputs,
            outputs=outputs,
            nodes=self._nodes(proto.node),
            initializers=initializers,
            value_info={v.name: v for v in values},
            doc=text(proto.doc_string, "its description"),
        )
        nodes, captures = scope(
            (v.name for v in inputs), initializers, graph.nodes, (v.name for v in outputs)
        )
        return replace(graph, nodes=nodes, captures=captures)

    def _initializers(self, proto: Any) -> dict[str, Array]:
        found: dict[str, Array] = {}
        total = len(proto.initializer) + len(proto.sparse_initializer)
        report = None if self.depth else self.progress
        weights = {} if self.depth else self.weights

        def add(name: object, array: Array) -> None:
            key = text(name, "a weight's name")
            if not key:
                raise OnnxError("a weight (initializer) has no name")
            if key in found:
                raise OnnxError(f"the weight (initializer) {quote(key)} is there twice")
            found[key] = array
            if report is not None:
                report(len(found), total)

        for i, tensor in enumerate(proto.initializer):
            add(tensor.name, self.tensors.tensor(tensor, weights.get(i)))
        for sparse in proto.sparse_initializer:
            add(sparse.values.name, self.tensors.sparse(sparse))
        return found

    def _nodes(self, protos: Any) -> tuple[Node, ...]:
        names = self._node_names(protos)
        return tuple(self._node(proto, name) for proto, name in zip(protos, names, strict=True))

    def _node_names(self, protos: Any) -> list[str]:
        """The nodes' own names where they have one, ``Conv_12`` otherwise; each once."""
        given = [text(p.name, f"the name of node {i}") for i, p in enumerate(protos)]
        names = [self._unused(name) if name else "" for name in given]
        return [
            name or self._unused(f"{text(p.op_type, 'an operator type')}_{i}")
            for i, (p, name) in enumerate(zip(protos, names, strict=True))
        ]

    def _unused(self, name: str) -> str:
        unique = name
        while unique in self.names:
            self.names[name] += 1
            unique = f"{name}_{self.names[name]}"
        self.names[unique] = 1
        return unique

    def _node(self, proto: Any, name: str) -> Node:
        with at(lambda: f"node {quote(name)}"):
            op_type = text(proto.op_type, "its operator type")
            if not op_type:
                raise OnnxError("no operator type")
            domain = domain_name(proto.domain)
            overload = text(proto.overload, "its overload")
            node = Node(
                op_type=op_type,
                inputs=_names(proto.input),
                outputs=_names(proto.output),
                name=name,
                domain=domain,
                overload=overload,
                opset=self._opset(op_type, domain, overload),
                doc=text(proto.doc_string, "its description"),
            )
        with at(lambda: str(node)):
            self._attributes(proto.attribute, node)
        return node

    def _opset(self, op_type: str, domain: str, overload: str) -> int:
        if domain in self.opsets:
            return self.opsets[domain]
        if (domain, op_type, overload) in self.functions or domain == "com.microsoft":
            return 1  # files from ONNX Runtime's own tools leave that domain out
        imported = ", ".join(quote(d or "ai.onnx") for d in self.opsets) or "nothing"
        raise OnnxError(
            f"its operator {quote(op_type)} is of the domain {quote(domain or 'ai.onnx')}, which "
            f"opset_import does not list; it lists {imported}"
        )

    def _attributes(self, protos: Any, node: Node) -> None:
        for proto in protos:
            name = attribute_name(proto)
            if name in node.attributes or name in node.ref_attributes:
                raise OnnxError(f"attribute {quote(name)} is there twice")
            if proto.ref_attr_name:
                node.ref_attributes[name] = self._parameter(name, proto.ref_attr_name)
            else:
                node.attributes[name] = self._attribute(proto)

    def _parameter(self, name: str, parameter: str) -> str:
        what = f"attribute {quote(name)} refers to {quote(parameter)}"
        if self.parameters is None:
            raise OnnxError(f"{what}, an attribute of a function, but stands in none")
        if parameter not in self.parameters:
            raise OnnxError(
                f"{what}, which the function does not have.{nearest(parameter, self.parameters)}"
            )
        return parameter


def domain_name(domain: object) -> str:
    """The domain as it stands in :class:`Node`: ``""`` for both spellings of ai.onnx.

    >>> domain_name("ai.onnx"), domain_name("ai.onnx.ml")
    ('', 'ai.onnx.ml')
    """
    name = text(domain, "a domain")
    return "" if name == "ai.onnx" else name


def function_key(proto: Any) -> FunctionKey:
    """The key of a FunctionProto in :attr:`Model.functions`."""
    name = text(proto.name, "a function's name")
    if not name:
        raise OnnxError("a function has no name")
    return domain_name(proto.domain), name, text(proto.overload, "a function's overload")


def read_function(
    proto: Any,
    tensors: TensorReader,
    opsets: Mapping[str, int],
    functions: frozenset[FunctionKey],
) -> Function:
    """A FunctionProto; ``opsets`` are those it imports, completed by the model's."""
    domain, name, overload = function_key(proto)
    required = tuple(text(a, "an attribute's name") for a in proto.attribute)
    defaults = Builder(tensors, opsets).defaults(proto)
    parameters = frozenset(required) | defaults.keys()
    builder = Builder(tensors, opsets, functions, parameters=parameters)
    return Function(
        domain=domain,
        name=name,
        graph=builder.function_graph(proto),
        opsets=dict(opsets),
        overload=overload,
        attributes=required,
        defaults=defaults,
        doc=text(proto.doc_string, "its description"),
    )


def _names(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(text(value, "the name of an input or output") for value in values)


def _untyped(name: object, what: str) -> ValueInfo:
    if not name:
        raise OnnxError(f"{what} has no name")
    return ValueInfo(text(name, f"{what}'s name"))
