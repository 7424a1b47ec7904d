"""A vector times a matrix whose weights are 8 or 4 bits wide, each block with its own scale."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import onnx

from .case import onnx_case

_BLOCK = 32
_SHAPES = ((1, 2048, 2048), (1, 4096, 4096), (1, 2048, 8192))


def model(m: int, k: int, n: int, bits: int, level: int) -> tuple[bytes, dict[str, Any]]:
    """ONNX Runtime's MatMulNBits: weights packed lowest bits first, zero in the middle."""
    random = np.random.default_rng(0)
    packed = random.integers(0, 256, (n, k // _BLOCK, _BLOCK * bits // 8)).astype(np.uint8)
    scales = (random.random((n, k // _BLOCK)) * 0.01 + 0.01).astype(np.float32)
    info = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node(
        "MatMulNBits", ["a", "b", "scales"], ["c"], domain="com.microsoft",
        K=k, N=n, bits=bits, block_size=_BLOCK, accuracy_level=level,
    )  # fmt: skip
    graph = onnx.helper.make_graph(
        [node], "weights", [info("a", 1, [m, k])], [info("c", 1, [m, n])],
        [onnx.numpy_helper.from_array(x, name) for x, name in ((packed, "b"), (scales, "scales"))],
    )  # fmt: skip
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    made = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return made.SerializeToString(), {"a": random.standard_normal((m, k), np.float32)}


# ONNX Runtime's kernel for 8 bits wants leave to round the vector to 8 bits too (level 4).
for _m, _k, _n in _SHAPES:
    for _bits, _level in ((8, 4), (4, 0), (4, 4)):
        onnx_case(
            f"vector of {_k} by {_k}x{_n} of {_bits} bits{', int8 inside' if _level else ''}",
            "weights", 1.0, partial(model, _m, _k, _n, _bits, _level), peers=("onnxruntime",),
            moved=_k * _n * (_bits / 8 + 4 / _BLOCK), close=0.02 if _level else 1e-3,
        )  # fmt: skip
