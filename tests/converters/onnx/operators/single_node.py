"""A model of one node, run here and by somebody else."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import tensorlite as tl

Arrays = list[Any]


def node_model(
    op_type: str,
    inputs: list[Any],
    outputs: int = 1,
    opset: int = 21,
    domain: str = "",
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node; inputs are arrays (for their dtype and rank) or None where absent."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op_type, names, results, domain=domain, **attributes)
    infos = [
        helper.make_tensor_value_info(name, element_type(x), [None] * np.ndim(x))
        for name, x in zip(names, inputs, strict=True)
        if name
    ]
    graph = helper.make_graph([node], "g", infos, [onnx.ValueInfoProto(name=n) for n in results])
    opsets = {"": 21, domain: opset}
    imports = [helper.make_opsetid(d, v) for d, v in opsets.items()]
    version = helper.find_min_ir_version_for(imports, ignore_unknown=True)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)


def element_type(array: Any) -> int:
    """The TensorProto.DataType of an array; strings are arrays of objects or of text."""
    dtype = np.asarray(array).dtype
    if dtype.kind in "OUT":
        return int(TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(dtype))


def feeds(inputs: Arrays) -> dict[str, Any]:
    """The inputs by the names that :func:`node_model` gives them."""
    return {f"x{i}": x for i, x in enumerate(inputs) if x is not None}


def ours(model: onnx.ModelProto, inputs: Arrays, device: Any = "cpu") -> Arrays:
    """What tensorlite gives, as NumPy arrays (lists and dicts where the output is none)."""
    from tensorlite.converters.onnx.values import to_plain

    return [to_plain(v) for v in tl.onnx.load(model, device=device).run(feeds(inputs)).values()]


def onnxruntime(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """What ONNX Runtime gives."""
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, feeds(inputs)))


def reference(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """What ONNX's reference evaluator gives."""
    from onnx.reference import ReferenceEvaluator

    return list(ReferenceEvaluator(model).run(None, feeds(inputs)))


def same(have: Arrays, want: Arrays, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Asserts equal structure, shapes, dtypes; values within tolerance, exact if not floats."""
    assert len(have) == len(want)
    for mine, theirs in zip(have, want, strict=True):
        theirs = np.asarray(theirs)
        assert mine.shape == theirs.shape
        if theirs.dtype.kind in "OUT":
            assert mine.tolist() == theirs.tolist()
            continue
        assert mine.dtype == theirs.dtype
        if theirs.dtype.kind in "biu":
            np.testing.assert_array_equal(mine, theirs)
        else:
            np.testing.assert_allclose(
                mine.astype(np.float64), theirs.astype(np.float64), rtol=rtol, atol=atol
            )


def agree(
    op_type: str,
    *inputs: Any,
    outputs: int = 1,
    opset: int = 21,
    domain: str = "",
    device: Any = "cpu",
    key: Any = onnxruntime,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    **attributes: Any,
) -> Arrays:
    """Asserts that a node gives here what the answer key gives; returns our outputs."""
    model = node_model(op_type, list(inputs), outputs, opset, domain, **attributes)
    have = ours(model, list(inputs), device)
    same(have, key(model, list(inputs)), rtol, atol)
    return have
