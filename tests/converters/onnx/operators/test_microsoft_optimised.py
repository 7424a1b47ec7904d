"""Models that ONNX Runtime has optimised, and so written operators of com.microsoft into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from microsoft_node import normal
from onnx import TensorProto, helper, numpy_helper
from single_node import same

import tensorlite as tl

Nodes = list[onnx.NodeProto]


def node(op_type: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op_type, inputs.split(), [output], **attributes)


def model(nodes: Nodes, weights: dict[str, Any], shape: tuple[int, ...]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(w, name) for name, w in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def feed_forward() -> tuple[onnx.ModelProto, set[str]]:
    """``y = LN(x + W2 gelu(W1 x + b1) + b2)``, and scores of what comes out."""
    nodes = [
        node("MatMul", "x w1", "a"),
        node("Add", "b1 a", "b"),
        node("Div", "b root", "c"),
        node("Erf", "c", "d"),
        node("Add", "d one", "e"),
        node("Mul", "b half", "f"),
        node("Mul", "f e", "g"),
        node("MatMul", "g w2", "h"),
        node("Add", "h b2", "i"),
        node("Add", "i x", "j"),
        node("LayerNormalization", "j gamma beta", "k", epsilon=1e-5),
        node("Transpose", "k", "l", perm=[0, 2, 1]),
        node("MatMul", "k l", "m"),
        node("Mul", "m half", "n"),
        node("Softmax", "n", "o", axis=-1),
        node("MatMul", "o k", "y"),
    ]
    weights = {
        "w1": normal(8, 12),
        "b1": normal(12, seed=1),
        "w2": normal(12, 8, seed=2),
        "b2": normal(8, seed=3),
        "gamma": normal(8, seed=4),
        "beta": normal(8, seed=5),
        "root": np.float32(2**0.5),
        "one": np.float32(1),
        "half": np.float32(0.5),
    }
    wanted = {"Gelu", "SkipLayerNormalization", "FusedMatMul"}
    return model(nodes, {k: np.asarray(v) for k, v in weights.items()}, (2, 5, 8)), wanted


def network() -> tuple[onnx.ModelProto, set[str]]:
    """Convolutions, a residual, and a linear layer with its activation."""
    nodes = [
        node("Conv", "x w1 b1", "a", pads=[1, 1, 1, 1]),
        node("LeakyRelu", "a", "b", alpha=0.2),
        node("Conv", "b w2", "c", pads=[1, 1, 1, 1]),
        node("Add", "c b", "d"),
        node("Relu", "d", "e"),
        node("GlobalAveragePool", "e", "f"),
        node("Flatten", "f", "g"),
        node("Gemm", "g w3 b3", "h"),
        node("Tanh", "h", "y"),
    ]
    weights = {
        "w1": normal(4, 3, 3, 3),
        "b1": normal(4, seed=1),
        "w2": normal(4, 4, 3, 3, seed=2),
        "w3": normal(4, 6, seed=3),
        "b3": normal(6, seed=4),
    }
    return model(nodes, weights, (2, 3, 8, 8)), {"FusedConv", "FusedGemm"}


@pytest.mark.parametrize("made", [feed_forward, network])
def test_an_optimised_model_gives_the_same(made: Any, tmp_path: Path, device: Any) -> None:
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    plain, wanted = made()
    path = tmp_path / "optimised.onnx"
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    providers = ["CPUExecutionProvider"]
    session = ort.InferenceSession(plain.SerializeToString(), options, providers=providers)
    fused = {n.op_type for n in onnx.load(path).graph.node if n.domain == "com.microsoft"}
    assert wanted <= fused
    x = normal(*(d.dim_value for d in plain.graph.input[0].type.tensor_type.shape.dim), seed=9)
    have = tl.onnx.load(path, device=device).run({"x": x})["y"].numpy(force=True)
    same([have], session.run(None, {"x": x}), 1e-4, 1e-5)
