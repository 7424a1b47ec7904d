"""A model of one node some of whose inputs are constants: dtypes that NumPy lacks, fixed shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from single_node import Arrays, element_type, onnxruntime, ours, same


def constant_model(
    op_type: str,
    inputs: Arrays,
    constant: Sequence[int] = (),
    opset: int = 1,
    domain: str = "com.microsoft",
    outputs: int = 1,
    result: int = 0,
    standard: int = 25,
    **attributes: Any,
) -> tuple[onnx.ModelProto, Arrays]:
    """The model, and its inputs with None for those that became constants.

    Inputs of other dtypes than NumPy's are constants anyway, and where the one output is of such
    a dtype (``result``, a TensorProto.DataType), it is cast to float32.
    """
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    fixed = {i for i, x in enumerate(inputs) if x is not None and (i in constant or _foreign(x))}
    results = [f"y{i}" for i in range(outputs)]
    nodes = [helper.make_node(op_type, names, results, domain=domain, **attributes)]
    if result:
        nodes.append(helper.make_node("Cast", ["y0"], ["cast"], to=TensorProto.FLOAT))
        results = ["cast"]
    free = [i for i, x in enumerate(inputs) if x is not None and i not in fixed]
    infos = [
        helper.make_tensor_value_info(names[i], element_type(inputs[i]), np.shape(inputs[i]))
        for i in free
    ]
    initializers = [numpy_helper.from_array(np.asarray(inputs[i]), names[i]) for i in sorted(fixed)]
    graph = helper.make_graph(
        nodes, "g", infos, [onnx.ValueInfoProto(name=n) for n in results], initializers
    )
    versions = {"": standard} | ({domain: opset} if domain else {"": opset})
    imports = [helper.make_opsetid(d, v) for d, v in versions.items()]
    version = helper.find_min_ir_version_for(imports, ignore_unknown=True)
    model = helper.make_model(graph, opset_imports=imports, ir_version=version)
    return model, [inputs[i] if i in free else None for i in range(len(inputs))]


def _foreign(x: Any) -> bool:
    return np.asarray(x).dtype.isbuiltin != 1


def agree_constant(
    op_type: str,
    *inputs: Any,
    device: Any = "cpu",
    key: Any = onnxruntime,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    **options: Any,
) -> Arrays:
    """Asserts that a node gives here what the answer key gives; returns our outputs."""
    arrays = [None if x is None else np.asarray(x) for x in inputs]
    model, free = constant_model(op_type, arrays, **options)
    have = ours(model, free, device)
    same(have, key(model, free), rtol, atol)
    return have
