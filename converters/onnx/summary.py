"""What a converted model consists of: a table with shapes, parameters and memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...tensor import Tensor
from .graph import Node, TypeInfo
from .values import describe, nbytes

if TYPE_CHECKING:
    from .module import OnnxModule
    from .program import Step, Values


@dataclass(frozen=True)
class NodeRow:
    """One node: what it gives, the weights it uses, the bytes of its outputs."""

    node: Node
    outputs: str
    parameters: int
    bytes: int


@dataclass
class Summary:
    """A model's nodes and totals; prints as a table. Sizes are in bytes."""

    title: str
    rows: list[NodeRow] = field(default_factory=list)
    parameters: int = 0
    weight_bytes: int = 0
    peak_bytes: int | None = None  # of the values alive at one time, when run on inputs
    operators: Counter[str] = field(default_factory=Counter)

    def totals(self) -> str:
        """The last line: parameters, weights, peak memory."""
        text = f"{len(self.rows)} nodes, {self.parameters:,} parameters"
        text += f", weights {size(self.weight_bytes)}"
        return text if self.peak_bytes is None else f"{text}, peak values {size(self.peak_bytes)}"

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=self.title, caption=self.totals())
        for name in ("node", "operator", "outputs"):
            table.add_column(name, overflow="fold")
        table.add_column("parameters", justify="right")
        table.add_column("memory", justify="right")
        for row in self.rows:
            table.add_row(
                Text(row.node.name), Text(row.node.operator), Text(row.outputs),
                f"{row.parameters:,}" if row.parameters else "",
                size(row.bytes) if row.bytes else "",
            )  # fmt: skip
        return table

    def __repr__(self) -> str:
        lines = [self.title]
        for row in self.rows:
            memory = size(row.bytes) if row.bytes else ""
            count = f"{row.parameters:,}" if row.parameters else ""
            lines.append(
                f"{row.node.name[:36]:36}  {row.node.operator[:24]:24}  "
                f"{row.outputs[:48]:48}  {count:>12}  {memory:>9}".rstrip()
            )
        return "\n".join([*lines, self.totals()])


def size(count: int) -> str:
    """Bytes for people.

    >>> size(1500), size(2_500_000)
    ('1.5 kB', '2.5 MB')
    """
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and units[1:]:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def summarize(module: OnnxModule, inputs: dict[str, Any] | None = None) -> Summary:
    """The summary of a module; with inputs it is run, and shapes and memory are measured."""
    weights = [*module._parameters.values(), *module._buffers.values()]
    path = module.model.path
    found = Summary(
        path.name if path else module.model.graph.name,
        parameters=sum(p.numel() for p in module._parameters.values() if p is not None),
        weight_bytes=sum(w.nbytes for w in weights if w is not None),
        operators=Counter(node.operator for node in module.model.graph.walk()),
    )
    if inputs is None:
        _from_types(module, found)
    else:
        _from_run(module, inputs, found)
    return found


def _weights_of(module: OnnxModule, node: Node) -> int:
    keys = [module.program.constants.get(name) for name in node.inputs]
    found = [module._parameters.get(key) for key in keys if key is not None]
    return sum(p.numel() for p in found if p is not None)


def _from_run(module: OnnxModule, inputs: dict[str, Any], found: Summary) -> None:
    peak = 0
    fixed = set(module.program.constants)

    def watch(step: Step, outputs: tuple[Any, ...], values: Values) -> None:
        nonlocal peak
        alive = {id(_base(v)): nbytes(v) for n, v in values.items() if n not in fixed}
        peak = max(peak, sum(alive.values()))
        shown = ", ".join(describe(v) for v in outputs)
        row = NodeRow(step.node, shown, _weights_of(module, step.node), sum(map(nbytes, outputs)))
        found.rows.append(row)

    module._run(inputs, watch)
    found.peak_bytes = peak


def _base(value: Any) -> Any:
    """The array whose memory a tensor looks into, so that views are counted once."""
    if not isinstance(value, Tensor):
        return value
    array = value._array
    while isinstance(getattr(array, "base", None), type(array)):
        array = array.base
    return array


def _from_types(module: OnnxModule, found: Summary) -> None:
    types = inferred_types(module)
    for step in module.program.steps:
        shown = ", ".join(str(types.get(name, "?")) for name in step.node.outputs if name)
        found.rows.append(NodeRow(step.node, shown, _weights_of(module, step.node), 0))


def inferred_types(module: OnnxModule) -> dict[str, TypeInfo]:
    """The types of values that the file states, completed by the onnx package's inference."""
    graph = module.model.graph
    stated = {info.name: info.type for info in (*graph.inputs, *graph.outputs)}
    stated.update({name: info.type for name, info in graph.value_info.items()})
    if module.model.path is None:
        return stated
    import onnx

    from .typeinfo import read_type

    try:
        proto = onnx.load(module.model.path, load_external_data=False)
        proto = onnx.shape_inference.infer_shapes(proto, data_prop=True)
    except Exception:  # inference is a convenience: it refuses models that run
        return stated
    return {**{v.name: read_type(v.type) for v in proto.graph.value_info}, **stated}
