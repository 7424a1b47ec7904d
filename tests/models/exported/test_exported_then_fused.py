"""Exported models that ONNX Runtime's tools have rewritten with operators of its own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import onnx
import pytest
from exporting import Case, compare, copied, export, flat, seeded, torch
from test_exported_convolutional import NETWORKS as CONVOLUTIONAL
from test_exported_detection import HEADS
from test_exported_images_and_sound import NETWORKS as IMAGES
from test_exported_recurrent import NETWORKS as RECURRENT
from test_exported_transformers import NETWORKS as TRANSFORMERS
from test_exported_transformers import Bert, Gpt, Vit, ids, tokens

import tensorlite as tl

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def check(source: Any, case: Case, module: Any, device: tl.device) -> onnx.ModelProto:
    """Asserts that a file made of a case's gives what PyTorch gives."""
    model = tl.onnx.load(source, device=device)
    calls = [model, model.compile()] if device.type == "numba" else [model]
    for sizes in case.sizes:
        inputs = case.inputs(*sizes)
        with torch.no_grad():
            want = flat(module(*copied(inputs)))
        for call in calls:
            compare(call, model, inputs, want)
    return onnx.load(source)


def written(case: Case, module: Any) -> bytes:
    return export(
        module, case.inputs(*case.sizes[0]), exporter=case.exporter, opset=case.opset,
        free=case.free,
    )  # fmt: skip


CASES = [
    parameter
    for parameter in (*CONVOLUTIONAL, *HEADS, *IMAGES, *RECURRENT, *TRANSFORMERS)
    if parameter.values[0].exporter == "torchscript" and not parameter.marks
]


@pytest.mark.parametrize("case", CASES)
def test_by_a_session(case: Case, tmp_path: Path, device: tl.device) -> None:
    """What a session of ONNX Runtime saves after its optimisations for any processor."""
    module = seeded(case.module)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    ort.InferenceSession(written(case, module), options, providers=["CPUExecutionProvider"])
    check(tmp_path / "fused.onnx", case, module, device)


WORDS = ((0, 1),) * 3
FUSED = {
    "bert": (
        Case(Bert, tokens, ((2, 7), (3, 12)), WORDS, "torchscript", 17, True),
        {"Attention", "BiasGelu", "EmbedLayerNormalization", "SkipLayerNormalization"},
    ),
    "gpt2": (
        Case(Gpt, ids, ((2, 6), (1, 9)), WORDS[:1], "torchscript", 17, True),
        {"FastGelu", "SkipLayerNormalization"},
    ),
    "vit": (
        Case(Vit, lambda n: (torch.randn(n, 3, 16, 16),), ((2,), (3,)), ((0,),), "torchscript", 17,
             True),
        {"BiasGelu"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FUSED)
def test_by_the_transformers_tool(kind: str, tmp_path: Path, device: tl.device) -> None:
    """Its files leave com.microsoft out of opset_import."""
    tool = pytest.importorskip("onnxruntime.transformers.optimizer")
    case, fused = FUSED[kind]
    module = seeded(case.module)
    (tmp_path / "plain.onnx").write_bytes(written(case, module))
    heads = 4 if kind == "bert" else 2
    logging.disable(logging.WARNING)  # it says at length what it does not find
    try:
        made = tool.optimize_model(
            str(tmp_path / "plain.onnx"), model_type=kind, num_heads=heads, hidden_size=16,
            opt_level=0,
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)
    made.save_model_to_file(str(tmp_path / "fused.onnx"))
    proto = check(tmp_path / "fused.onnx", case, module, device)
    assert fused <= {node.op_type for node in proto.graph.node if node.domain == "com.microsoft"}
