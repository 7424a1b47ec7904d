"""Small models as text, unoptimised and optimised, with the reference of the onnx package."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import tensorlite as tl

DOMAINS = '"": {}, "com.microsoft": 1'


def parsed(text: str, opset: int = 17) -> onnx.ModelProto:
    head = f"<ir_version: 8, opset_import: [{DOMAINS.format(opset)}]> "
    return onnx.parser.parse_model(head + text)


def operators(module: Any) -> Counter[str]:
    """How many nodes of each operator are left, but for constants."""
    nodes = module.model.graph.nodes
    return Counter(node.operator for node in nodes if node.operator != "Constant")


def check(proto: onnx.ModelProto, expected: dict[str, int], *inputs: Any, **close: float) -> Any:
    """Asserts which operators are left, and that outputs are what the reference gives."""
    module = tl.onnx.load(proto)
    failed = [c for c in module.explain().changes if "failed and was left out" in c.done]
    assert not failed
    assert operators(module) == expected
    names = [info.name for info in module.inputs]
    given = dict(zip(names, inputs, strict=True))
    wanted = ReferenceEvaluator(proto).run(None, given)
    for have, want in zip(module.run(given).values(), wanted, strict=True):
        assert have.numpy().dtype == want.dtype
        options = {"rtol": 1e-5, "atol": 1e-5, **close}
        np.testing.assert_allclose(have.numpy(), want, **options)
    return module


def random(*shape: int, dtype: Any = np.float32) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def with_weights(text: str, opset: int = 17, **weights: Any) -> Any:
    """A model of which these arrays are weights."""
    proto = parsed(text, opset)
    for name, array in weights.items():
        proto.graph.initializer.append(numpy_helper.from_array(array, name))
    return proto


def runtime(proto: Any, *inputs: Any) -> Any:
    """What ONNX Runtime gives, without optimisations of its own."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def check_runtime(proto: Any, left: dict[str, int], *inputs: Any) -> None:
    """Asserts which operators are left, and that outputs are what ONNX Runtime gives."""
    module = tl.onnx.load(proto)
    assert operators(module) == left
    names = [info.name for info in module.inputs]
    found = module.run(dict(zip(names, inputs, strict=True)))
    for have, want in zip(found.values(), runtime(proto, *inputs), strict=True):
        np.testing.assert_allclose(have.numpy(), want, rtol=1e-4, atol=1e-5)
