"""A model of one node of com.microsoft, with the shapes of its inputs stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from single_node import element_type, node_model, onnxruntime, ours, same

DOMAIN = "com.microsoft"
SCORES_OUTPUT = ("MultiHeadAttention", "DecoderMaskedMultiHeadAttention")
"""Operators whose fourth output has a dtype of its own, which the file has to state."""


def model(
    op_type: str, inputs: list[Any], outputs: int | str = 1, **attributes: Any
) -> onnx.ModelProto:
    """The model; ``outputs`` is how many, or a string of 1 and 0: which are asked for."""
    asked = "1" * outputs if isinstance(outputs, int) else outputs
    made = node_model(op_type, inputs, len(asked), 1, DOMAIN, **attributes)
    if len(asked) > 3 and op_type in SCORES_OUTPUT:
        float32 = helper.make_tensor_value_info("y3", TensorProto.FLOAT, None)
        made.graph.output[3].CopyFrom(float32)
    for i, x in enumerate(inputs):
        for info in made.graph.input:
            if info.name == f"x{i}":
                shaped = helper.make_tensor_value_info(info.name, element_type(x), np.shape(x))
                info.CopyFrom(shaped)
    for i, digit in enumerate(asked):
        if digit == "0":
            made.graph.node[0].output[i] = ""
    kept = [v for v, digit in zip(made.graph.output, asked, strict=True) if digit == "1"]
    del made.graph.output[:]
    made.graph.output.extend(kept)
    return made


def run(
    op_type: str, *inputs: Any, outputs: int | str = 1, device: Any = "cpu", **attributes: Any
) -> list[Any]:
    """Our outputs."""
    return ours(model(op_type, list(inputs), outputs, **attributes), list(inputs), device)


def theirs(op_type: str, *inputs: Any, outputs: int | str = 1, **attributes: Any) -> list[Any]:
    """ONNX Runtime's outputs."""
    return onnxruntime(model(op_type, list(inputs), outputs, **attributes), list(inputs))


def agree(
    op_type: str,
    *inputs: Any,
    outputs: int | str = 1,
    device: Any = "cpu",
    rtol: float = 1e-5,
    atol: float = 1e-5,
    **attributes: Any,
) -> list[Any]:
    """Asserts that ONNX Runtime gives what we give; returns our outputs."""
    have = run(op_type, *inputs, outputs=outputs, device=device, **attributes)
    same(have, theirs(op_type, *inputs, outputs=outputs, **attributes), rtol, atol)
    return have


def normal(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Any:
    """Numbers of the standard normal distribution."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def int32(*values: Any) -> Any:
    """An int32 array of these, one dimension more than they have."""
    return np.array(values, np.int32)
