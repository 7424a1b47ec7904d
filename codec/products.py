"""Matrix products of ONNX graphs whose weights are quantised: ``MatMulNBits``.

Source: ONNX Runtime, docs/ContribOperators.md, "com.microsoft.MatMulNBits".
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..ops.low_bits import packed
from .container import Checkpoint
from .packed import Quantized

Array = np.ndarray[Any, Any]

DOMAIN = "com.microsoft"
_FLOATS = ("float32", "float16")


def product_weights(proto: Any) -> set[str]:
    """The initializers whose columns are summed over: second inputs of MatMul and of plain Gemm."""
    held = {tensor.name for tensor in proto.graph.initializer if len(tensor.dims) == 2}
    found = set()
    for node in proto.graph.node:
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        if node.op_type in ("MatMul", "Gemm") and node.domain == "" and not turned:
            found |= held & set(node.input[1:2])
    return found


def keep_quantized(proto: Any, file: Checkpoint, weights: dict[str, str]) -> set[str]:
    """Makes MatMul nodes ``MatMulNBits`` where their weights are kept so; gives those weights.

    ``weights`` is the tensor of each initializer by its name. A weight that another node uses too
    stays as it is.
    """
    from onnx import helper, numpy_helper

    names = {tensor.name for tensor in proto.graph.initializer} & set(weights)
    outputs = {info.name for info in proto.graph.output}
    used = Counter(name for node in proto.graph.node for name in node.input)
    inner = {name for node in proto.graph.node for name in _inner(node)}
    found: dict[str, Quantized] = {}
    for name in sorted(names - outputs - inner):
        nodes = [n for n in proto.graph.node if name in n.input and n.op_type == "MatMul"]
        seconds = sum(n.input[1:] == [name] and n.input[0] != name for n in nodes)
        if seconds == used[name] > 0 and (held := _suited(file, weights[name])) is not None:
            found[name] = held
    for node in proto.graph.node:
        if node.op_type != "MatMul" or len(node.input) != 2 or node.input[1] not in found:
            continue
        name = node.input[1]
        held = found[name]
        node.op_type, node.domain = "MatMulNBits", DOMAIN
        del node.input[1:]
        node.input.extend([f"{name}.codes", f"{name}.scales"])
        if held.zeros is not None:
            node.input.append(f"{name}.zeros")
        numbers = {"K": held.columns, "N": len(held.codes), "bits": held.bits,
                   "block_size": held.group_size}  # fmt: skip
        node.attribute.extend(helper.make_attribute(k, v) for k, v in numbers.items())
    for name, held in found.items():
        kind = file.entry(weights[name]).dtype
        arrays = {"codes": held.codes.reshape(*held.scales.shape, -1),
                  "scales": held.scales.astype(kind)}  # fmt: skip
        if held.zeros is not None:
            arrays["zeros"] = zero_points(held.zeros, held.bits)
        for part, array in arrays.items():
            proto.graph.initializer.append(numpy_helper.from_array(array, f"{name}.{part}"))
    kept = [t for t in proto.graph.initializer if t.name not in found]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    taken = [info for info in proto.graph.input if info.name not in found]
    del proto.graph.input[:]
    proto.graph.input.extend(taken)
    if found and DOMAIN not in {opset.domain for opset in proto.opset_import}:
        proto.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return set(found)


def zero_points(zeros: Array, bits: int) -> Array:
    """Zero points (rows, groups), as MatMulNBits has them: packed, whole bytes a row."""
    per = 8 // bits
    wide = np.zeros((len(zeros), -(-zeros.shape[1] // per) * per), np.uint8)
    wide[:, : zeros.shape[1]] = zeros
    return np.asarray(packed(np, wide, bits))


def _suited(file: Checkpoint, name: str) -> Quantized | None:
    entry = file.entry(name)
    found = file.quantized(name) if entry.transposed and entry.dtype in _FLOATS else None
    if found is None or found.bits not in (4, 8):
        return None
    size = found.group_size
    return found if size >= 16 and size & (size - 1) == 0 else None


def _inner(node: Any) -> set[str]:
    """The names that graphs inside a node use."""
    found: set[str] = set()
    for attribute in node.attribute:
        graphs = [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
        for graph in graphs:
            for inside in graph.node:
                found |= set(inside.input) | _inner(inside)
            found |= {info.name for info in graph.output}
    return found
