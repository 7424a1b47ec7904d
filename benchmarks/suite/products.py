"""Matrix products with constant weights: squares, and the shapes of the networks."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import onnx

from . import engines
from .case import Case, add
from .engines import Run

SQUARES = (256, 512, 1024, 2048, 4096)
SHAPES = (
    (16, 384, 1536), (128, 384, 384), (128, 384, 1536), (128, 1536, 384), (512, 384, 1536),
    (3136, 64, 64), (3136, 64, 256), (784, 512, 128), (196, 256, 1024), (49, 2048, 512),
    (1, 2048, 1000),
)  # fmt: skip
GOALS = {"numpy": 0.95, "torch": 0.95, "onnxruntime": 1.0}


def operands(m: int, k: int, n: int) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return random.standard_normal((m, k), np.float32), random.standard_normal((k, n), np.float32)


def model(m: int, k: int, n: int) -> tuple[bytes, dict[str, Any]]:
    a, b = operands(m, k, n)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["a", "b"], ["c"])], "product",
        [info("a", 1, [m, k])], [info("c", 1, [m, n])], [onnx.numpy_helper.from_array(b, "b")],
    )  # fmt: skip
    opset = [onnx.helper.make_opsetid("", 17)]
    made = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    return made.SerializeToString(), {"a": a}


def planned(engine: Any, shape: tuple[int, int, int], threads: int) -> Run:
    return engine(*model(*shape), threads)  # type: ignore[no-any-return]


def by_numpy(shape: tuple[int, int, int], threads: int) -> Run:
    a, b = operands(*shape)
    return lambda: a @ b


def by_torch(shape: tuple[int, int, int], threads: int) -> Run:
    import torch

    torch.set_num_threads(threads)
    a, b = (torch.from_numpy(x) for x in operands(*shape))
    return lambda: torch.mm(a, b)


for _m, _k, _n in (*[(n, n, n) for n in SQUARES], *SHAPES):
    _shape = (_m, _k, _n)
    add(Case(
        f"product {_m}x{_k} by {_k}x{_n}", "products",
        {
            "tensorlite": partial(planned, engines.tensorlite_plan, _shape),
            "onnxruntime": partial(planned, engines.onnxruntime, _shape),
            "numpy": partial(by_numpy, _shape), "torch": partial(by_torch, _shape),
        },
        GOALS, best_of=False,
    ))  # fmt: skip
