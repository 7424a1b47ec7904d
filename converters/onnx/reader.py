"""Reads an ONNX file into plain Python data, with all the checking and without running anything.

Files are hostile: whatever is wrong with one gives one OnnxError (or UnsafeFileError, for external
data outside of the model's folder) that says what and where. ``onnx.checker`` is not used: it
stops at what can be run (it refuses unsorted nodes, for one), and does not look at the data.

Source: the ONNX IR specification (onnx/docs/IR.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import OnnxError, nearest
from .build import Builder, Progress, domain_name, function_key, read_function
from .calls import check_calls
from .external import Bytes, ExternalFolder, open_file
from .graph import Function, FunctionKey, Model
from .sniff import is_tlz, looks_like
from .tensors import TensorReader
from .text import at, cut, quote, text
from .wire import Weights, split

MAX_PROTOBUF = 2**31 - 1
_FIRST_IR_WITH_OPSETS = 3


def read(
    source: str | os.PathLike[str] | bytes | Any,
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Model:
    """The model in an ONNX file (or a .tlz), in the bytes of one, or in an ``onnx.ModelProto``.

    ``folder`` is where external data may lie, by default the file's own; ``progress(done, total)``
    is called as the weights come in.

    External data is mapped, not read: it must stay as long as the model is used, while the
    model's own file may be replaced at once. Writing to a weight changes no file.

    Raises OnnxError for anything that is not a valid model, and UnsafeFileError for external data
    outside of the folder.

    >>> import onnx
    >>> head = '<ir_version: 8, opset_import: ["": 17]>'
    >>> model = read(onnx.parser.parse_model(head + "g (float[2] x) => (float[2] y) {y = Relu(x)}"))
    >>> print(model.graph.nodes[0], model.graph.inputs[0])
    node 'Relu_0' (Relu, opset 17) x: float32[2]
    """
    import onnx

    path: Path | None = None
    weights: Weights = {}
    if is_tlz(source):
        from ...codec.graph import read_graph

        proto, origin = read_graph(source, progress), str(source)
    elif isinstance(source, onnx.ModelProto):
        proto, origin = source, "the ModelProto"
    elif isinstance(source, (bytes, bytearray, memoryview)):
        origin = "the ONNX bytes"
        proto, weights = _parse(memoryview(source), origin)
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        origin = str(path)
        proto, weights = _parse(_file(path).data, origin)
    else:
        raise OnnxError(
            f"onnx.read expected a path, bytes or an onnx.ModelProto, got {type(source).__name__}"
        )
    base = Path(folder) if folder is not None else path.parent if path is not None else None
    with at(origin):
        try:
            return _model(proto, weights, ExternalFolder(base), path, progress)
        except UnicodeDecodeError:
            raise OnnxError("a name in it is not UTF-8 text") from None


def _file(path: Path) -> Bytes:
    try:
        return open_file(path)
    except FileNotFoundError:
        siblings = os.listdir(path.parent) if os.path.isdir(path.parent) else []
        hint = nearest(path.name, siblings[:1000])
        raise OnnxError(f"{path}: there is no such file.{hint}") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        if os.path.isdir(path):
            reason = "it is a folder"
        raise OnnxError(f"{cut(str(path), 1000)}: cannot be read: {reason}") from None


def _parse(data: memoryview, origin: str) -> tuple[Any, Weights]:
    """The ModelProto, once it is one, and the weights that were taken out of it."""
    import onnx
    from google.protobuf.message import DecodeError

    if not len(data):
        raise OnnxError(f"{origin}: not an ONNX model: it is empty")
    if len(data) > MAX_PROTOBUF:
        raise OnnxError(
            f"{origin}: {len(data)} bytes, but a protobuf message ends at 2 GB; save the model "
            "again with its weights as external data: onnx.save(model, path, "
            "save_as_external_data=True)"
        )
    guess = looks_like(bytes(data[:512]))
    message, weights = split(data)
    try:
        proto = onnx.ModelProto.FromString(message)
    except DecodeError:
        reason = f"looks like {guess}" if guess else "no valid protobuf; is it cut short?"
        raise OnnxError(f"{origin}: not an ONNX model: {reason}") from None
    if not proto.HasField("graph"):
        reason = f"looks like {guess}" if guess else "it has no graph"
        raise OnnxError(f"{origin}: not an ONNX model: {reason}")
    return proto, weights


def _model(
    proto: Any,
    weights: Weights,
    folder: ExternalFolder,
    path: Path | None,
    progress: Progress | None,
) -> Model:
    if not proto.HasField("graph"):
        raise OnnxError("the model has no graph")
    tensors = TensorReader(folder)
    opsets = _opsets(proto)
    keys = _function_keys(proto)
    functions = {f.key: f for f in _functions(proto, tensors, opsets, keys)}
    with at(lambda: f"graph {quote(proto.graph.name)}"):
        graph = Builder(tensors, opsets, keys, weights, progress=progress).main(proto.graph)
    check_calls(graph, functions)
    producer = text(proto.producer_name, "the producer's name")
    release = text(proto.producer_version, "the producer's version")
    return Model(
        graph=graph,
        opsets=opsets,
        ir_version=proto.ir_version,
        functions=functions,
        metadata={
            text(p.key, "a metadata key"): text(p.value, "a metadata value")
            for p in proto.metadata_props
        },
        producer=f"{producer} {release}".strip(),
        domain=text(proto.domain, "the model's domain"),
        version=proto.model_version,
        doc=text(proto.doc_string, "the model's description"),
        path=path,
    )


def _opsets(proto: Any) -> dict[str, int]:
    if not proto.opset_import:
        if 0 < proto.ir_version < _FIRST_IR_WITH_OPSETS:
            return {"": 1}
        raise OnnxError(
            "the model states no opset_import, so what its operators mean is unknown; "
            "export it again, or set model.opset_import with the onnx package"
        )
    return _imports(proto.opset_import)


def _imports(protos: Any) -> dict[str, int]:
    """Domain to version; no version is newer than the installed onnx package knows."""
    import onnx

    newest = {domain: last for domain, (_, last) in onnx.defs.C.schema_version_map().items()}
    found: dict[str, int] = {}
    for proto in protos:
        domain, version = domain_name(proto.domain), int(proto.version)
        label = domain or "ai.onnx"
        if version < 1:
            raise OnnxError(f"opset_import: the version of {quote(label)} is {version}")
        if found.setdefault(domain, version) != version:
            raise OnnxError(
                f"opset_import: {quote(label)} is imported as {found[domain]} and as {version}"
            )
        if version > newest.get(domain, version):
            raise OnnxError(
                f"the model needs opset {version} of {label}; the newest that the installed onnx "
                f"{onnx.__version__} knows is {newest[domain]}: upgrade onnx, or export the "
                "model for an older opset"
            )
    return found


def _function_keys(proto: Any) -> frozenset[FunctionKey]:
    keys: set[FunctionKey] = set()
    for function in proto.functions:
        key = function_key(function)
        if key in keys:
            raise OnnxError(f"function {quote('.'.join(filter(None, key)))} is there twice")
        keys.add(key)
    return frozenset(keys)


def _functions(
    proto: Any, tensors: TensorReader, opsets: Mapping[str, int], keys: frozenset[FunctionKey]
) -> list[Function]:
    found = []
    for function in proto.functions:
        with at(lambda function=function: f"function {quote(function.name)}"):  # type: ignore[misc]
            imports = {**opsets, **_imports(function.opset_import)}
            found.append(read_function(function, tensors, imports, keys))
    return found
