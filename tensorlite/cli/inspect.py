"""``tensorlite inspect``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..codec.container import Checkpoint
from ..converters.onnx.graph import Graph, Model
from ..converters.onnx.reader import read
from ..converters.onnx.registry import find
from ..converters.onnx.sniff import is_tlz
from ..converters.onnx.summary import size
from ..progress import progress
from .checkpoints import summary, table


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--nodes", is_flag=True, help="List every node too.")
def command(model: Path, nodes: bool) -> None:
    """Show an ONNX model's inputs, outputs, operators and parameters, without running it.

    Of a .tlz file: each tensor with its scheme, its bits a number and its share of the file.

    \b
    Examples: tensorlite inspect model.onnx
              tensorlite inspect model.tlz
              tensorlite inspect model.onnx --nodes
    """
    if is_tlz(model):
        show_checkpoint(model)
        return
    with progress(f"reading {model.name}") as report:
        found = read(model, progress=report)
    console = Console()
    console.print(values_table(found))
    console.print(operators_table(found))
    if nodes:
        for node in found.graph.walk():
            console.print(f"{node}: {', '.join(node.inputs)} -> {', '.join(node.outputs)}",
                          markup=False, highlight=False)  # fmt: skip
    weights = constants(found.graph)
    opsets = ", ".join(f"{d or 'ai.onnx'} {v}" for d, v in found.opsets.items())
    console.print(
        f"{sum(w.size for w in weights):,} numbers in {len(weights)} constants, "
        f"{size(sum(w.nbytes for w in weights))}; opsets {opsets}; IR version "
        f"{found.ir_version}; made by {found.producer or 'nobody named'}",
        markup=False, highlight=False,
    )  # fmt: skip
    for name, text in found.metadata.items():
        short = text if len(text) <= 100 else f"{text[:97]}..."
        console.print(f"{name}: {short!r}", markup=False, highlight=False)


def show_checkpoint(path: Path) -> None:
    """A .tlz file: its tensors, files and texts."""
    console = Console()
    with Checkpoint(path, partial=True) as file:
        console.print(table(file))
        console.print(summary(file), markup=False, highlight=False)
        for name, text in file.metadata.items():
            short = text if len(text) <= 100 else f"{text[:97]}..."
            console.print(f"{name}: {short!r}", markup=False, highlight=False)


def values_table(model: Model) -> Table:
    """Inputs and outputs."""
    table = Table("", "name", "type", title=model.path.name if model.path else model.graph.name)
    for role, infos in (("input", model.graph.inputs), ("output", model.graph.outputs)):
        for info in infos:
            kind = "default" if info.name in model.graph.initializers else role
            table.add_row(kind, Text(info.name), Text(str(info.type)))
    return table


def constants(graph: Graph) -> list[np.ndarray[Any, Any]]:
    """The arrays in the file: initializers, and those in attributes; subgraphs' too."""
    found = list(graph.initializers.values())
    for node in graph.walk():
        found += [v for v in node.attributes.values() if isinstance(v, np.ndarray)]
        found += [a for inner in node.subgraphs() for a in inner.initializers.values()]
    return found


def operators_table(model: Model) -> Table:
    """How often each operator occurs, subgraphs included, and whether tensorlite has it."""
    table = Table("operator", "nodes", "known")
    counts: Counter[tuple[str, str, int]] = Counter()
    for node in model.graph.walk():
        counts[node.domain, node.op_type, node.opset] += 1
    for (domain, name, opset), count in sorted(counts.items()):
        own = any(key[:2] == (domain, name) for key in model.functions) or name == "Constant"
        known = own or find(domain, name, opset) is not None
        table.add_row(f"{domain}.{name}" if domain else name, str(count), "yes" if known else "no")
    return table
