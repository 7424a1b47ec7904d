"""ONNX models in ``.tlz`` files: the graph is a file, its weights are tensors.

In the graph each weight that was taken out, wherever it was, is a TensorProto without data whose
external data has the location ``"tlz"``, and as ``"tensor"`` the name of the tensor that has its
numbers.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileFormatError, OnnxError
from ..progress import Report
from .container import Checkpoint
from .directory import DTYPES
from .products import keep_quantized, product_weights

Array = np.ndarray[Any, Any]

NAME, KIND, LOCATION = "model.onnx", "onnx", "tlz"
_LONGEST = 200  # characters of a name
_LEAST = 128  # bytes of a weight that is taken out of the graph
_EXTERNAL = 1
_FIELDS = ("raw_data", "float_data", "int32_data", "string_data", "int64_data", "double_data",
           "uint64_data", "external_data")  # fmt: skip


def take_apart(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, Array], set[str]]:
    """The graph of an ONNX file without its weights, those by name, and which to transpose.

    Raises OnnxError for a file that is broken.
    """
    import onnx

    from ..converters.onnx.external import ExternalFolder
    from ..converters.onnx.reader import read
    from ..converters.onnx.tensors import DTYPES as ONNX
    from ..converters.onnx.tensors import TensorReader

    read(path)  # all of it is checked there
    proto = onnx.load(os.fspath(path), load_external_data=False)
    tensors = TensorReader(ExternalFolder(Path(path).parent))
    found: dict[str, Array] = {}
    for tensor, wish in _tensors(proto.graph):
        if tensor.data_type not in ONNX:
            continue
        array = tensors.tensor(tensor)
        if array.dtype.name not in _kept() or array.nbytes < _LEAST:
            if tensor.data_location == _EXTERNAL:
                _fill(tensor, array)
            continue
        name = _unique(wish[:_LONGEST] or "weight", found)
        found[name] = array
        _clear(tensor)
        tensor.data_location = _EXTERNAL
        tensor.external_data.add(key="location", value=LOCATION)
        tensor.external_data.add(key="tensor", value=name)
    return proto.SerializeToString(deterministic=True), found, product_weights(proto) & set(found)


def put_together(file: Checkpoint, report: Report | None = None, quantized: bool = False) -> Any:
    """The ModelProto that a file holds, weights and all.

    With ``quantized`` products whose weights are kept so that ``MatMulNBits`` takes them are that.
    Raises FileFormatError where there is none, or weights do not fit it.
    """
    import onnx
    from google.protobuf.message import DecodeError

    from ..converters.onnx.tensors import DTYPES as ONNX

    names = [entry.name for entry in file.directory.files.values() if entry.kind == KIND]
    if len(names) != 1:
        raise FileFormatError(
            f"{file.path}: it holds {len(names) or 'no'} ONNX graphs; tl.load(path) gives its "
            "tensors by name"
        )
    try:
        proto = onnx.ModelProto.FromString(file.file(names[0]))
    except DecodeError:
        raise FileFormatError(f"{file.path}: file {names[0]!r} is no ONNX graph") from None
    wanted = [(tensor, name) for tensor, _ in _tensors(proto.graph) if (name := _taken(tensor))]
    if quantized:
        of = {tensor.name: name for tensor, name in wanted}
        keep_quantized(proto, file, of)
        wanted = [(tensor, name) for tensor, _ in _tensors(proto.graph) if (name := _taken(tensor))]
    for done, (tensor, name) in enumerate(wanted):
        entry = file.directory.tensors.get(name)
        kind = ONNX[tensor.data_type].name if tensor.data_type in ONNX else "unknown"
        if entry is None or entry.shape != tuple(tensor.dims) or entry.dtype != kind:
            has = "there is none" if entry is None else f"it is {entry.dtype} {list(entry.shape)}"
            raise FileFormatError(
                f"{file.path}: tensor {name[:200]!r} does not fit the ONNX graph: {has}"
            )
        _fill(tensor, file[name])
        if report is not None:
            report(done + 1, len(wanted))
    return proto


def read_graph(path: str | os.PathLike[str], report: Report | None = None) -> Any:
    """The ModelProto in a ``.tlz`` file."""
    with Checkpoint(path) as file:
        return put_together(file, report)


def _kept() -> frozenset[str]:
    """Dtypes whose numbers are as many bytes in ONNX as here."""
    return frozenset(DTYPES) - {"int4", "uint4", "int2", "uint2", "float4_e2m1fn"}


def _unique(name: str, taken: Container[str]) -> str:
    found, count = name, 2
    while found in taken:
        found, count = f"{name}#{count}", count + 1
    return found


def _taken(tensor: Any) -> str | None:
    """The name of the tensor that has the numbers of a TensorProto; None where it has its own."""
    if tensor.data_location != _EXTERNAL:
        return None
    found = {entry.key: entry.value for entry in tensor.external_data}
    return str(found.get("tensor", "")) if found.get("location") == LOCATION else None


def _clear(tensor: Any) -> None:
    for field in _FIELDS:
        tensor.ClearField(field)


def _fill(tensor: Any, array: Array) -> None:
    if array.dtype.name not in _kept():
        raise OnnxError(
            f"tensor {tensor.name!r} of {array.dtype.name} is external data within the graph, "
            "which is not taken in; save the model in one file"
        )
    _clear(tensor)
    tensor.ClearField("data_location")
    tensor.raw_data = array.tobytes()


def _tensors(graph: Any) -> Iterator[tuple[Any, str]]:
    """The tensors of a graph and of those inside it, each with the name that suits it."""
    for tensor in graph.initializer:
        yield tensor, tensor.name
    for node in graph.node:
        name = node.name or next(iter(node.output), "")
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t, attribute.t.name or name
            for tensor in attribute.tensors:
                yield tensor, tensor.name or name
            if attribute.HasField("g"):
                yield from _tensors(attribute.g)
            for inner in attribute.graphs:
                yield from _tensors(inner)
