"""What the commands about ``.tlz`` files share: reading what to compress, and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..codec.container import Checkpoint
from ..codec.directory import TensorEntry
from ..codec.graph import KIND, NAME, take_apart
from ..converters.files import load
from ..converters.onnx.summary import size
from ..converters.safetensors import read_metadata
from ..errors import ArgumentError

Array = np.ndarray[Any, Any]


class Source(NamedTuple):
    """What a file of weights, or an ONNX model, has to be compressed."""

    arrays: dict[str, Array]
    files: dict[str, bytes]
    metadata: dict[str, str]
    transposed: set[str]


def read_source(path: Path) -> Source:
    """The arrays, the files and the metadata of a file of weights, or an ONNX model."""
    if path.suffix.lower() == ".onnx":
        graph, arrays, transposed = take_apart(path)
        return Source(arrays, {NAME: graph}, {}, transposed)
    found = load(path, device="cpu")
    if not isinstance(found, Mapping):
        raise ArgumentError(
            f"{path}: expected tensors by name, got a {type(found).__name__}; only files of "
            "weights by name and ONNX models are compressed"
        )
    arrays = {str(name): array_of(path, name, value) for name, value in found.items()}
    metadata = read_metadata(path) if path.suffix.lower() == ".safetensors" else {}
    return Source(arrays, {}, metadata, set())


def array_of(path: Path, name: Any, value: Any) -> Array:
    """The array of a tensor by name; ArgumentError for anything else."""
    from ..tensor import Tensor

    if not isinstance(value, Tensor):
        raise ArgumentError(
            f"{path}: expected tensors by name, and {name!r} is a {type(value).__name__}; save the "
            "state_dict alone where the file is made"
        )
    return value.numpy(force=True)


def bits_a_number(entries: Iterable[TensorEntry]) -> float:
    """How many bits of the file a number takes."""
    held = list(entries)
    count = sum(entry.size for entry in held)
    return 8 * sum(entry.stored for entry in held) / count if count else 0.0


def scheme_of(entry: TensorEntry) -> str:
    """A scheme, with its bits and groups where it has them."""
    found = entry.scheme
    if "bits" in entry.parameters:
        found += f", {entry.parameters['bits']} bits"
    if "group" in entry.parameters:
        found += f", groups of {entry.parameters['group']}"
    return found + (", transposed" if entry.transposed else "")


def table(file: Checkpoint) -> Table:
    """Each tensor with its share of the file."""
    caption = "bits: in the file, a number; %: of the file; dB: signal to noise"
    found = Table(title=file.path.name, caption=caption, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("tensor", "numbers", "scheme"):
        found.add_column(heading, overflow="fold")
    for heading in ("bytes", "bits", "%", "dB"):
        found.add_column(heading, justify="right", no_wrap=True)
    whole = file.directory.length
    for entry in file.directory.tensors.values():
        found.add_row(
            Text(entry.name), Text(f"{entry.dtype} {list(entry.shape)}"), Text(scheme_of(entry)),
            f"{entry.stored:,}", f"{bits_a_number([entry]):.2f}",
            f"{100 * entry.stored / whole:.2f}",
            "" if entry.snr is None else f"{entry.snr / 100:.1f}",
        )  # fmt: skip
    for held in file.directory.files.values():
        stored = 0 if held.section is None else held.section.size
        found.add_row(
            Text(held.name), f"{held.size:,} bytes", Text(f"{held.kind}, {held.coder}"),
            f"{stored:,}", "", f"{100 * stored / whole:.2f}", "",
        )  # fmt: skip
    return found


def summary(file: Checkpoint) -> str:
    """The whole file in a line."""
    entries = list(file.directory.tensors.values())
    schemes = Counter(scheme_of(entry) for entry in entries)
    named = ", ".join(f"{count} {name}" for name, count in schemes.most_common(4))
    raw = sum(entry.nbytes for entry in entries)
    length = file.directory.length
    line = f"{len(entries)} tensors of {size(raw)} in {size(length)}"
    if raw:
        line += f" ({100 * length / raw:.1f} %, {bits_a_number(entries):.2f} bits a number)"
    if named:
        line += f": {named}"
    graphs = sum(held.kind == KIND for held in file.directory.files.values())
    return line + ("; it holds its ONNX graph" if graphs else "")


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dict."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} {text}: expected NAME=VALUE")
        found[name] = value
    return found
