"""How each engine makes ready to do a piece of work: a function without arguments that does it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

Run = Callable[[], Any]
Arrays = dict[str, Any]


KEPT = ExitStack()  # what holds until the process ends


def environment(threads: int) -> dict[str, str]:
    """For libraries that read their number of threads there when they are imported."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads))}


def tensorlite_plan(model: bytes, inputs: Arrays, threads: int) -> Run:
    """An ONNX model as a plan; the attribute ``flops`` is what its products multiply and add."""
    import tensorlite as tl

    tl.set_num_threads(threads)
    given = {name: tl.from_numpy(array).to("numba") for name, array in inputs.items()}
    fast = tl.onnx.load(model, device="numba").compile(**given)

    def run() -> Any:
        return fast(**given)

    run.flops = float(sum(step.flops for step in fast.plan(**given).steps))  # type: ignore[attr-defined]
    return run


def onnxruntime(model: bytes, inputs: Arrays, threads: int) -> Run:
    """A session with all graph optimisations."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def openvino(model: bytes, inputs: Arrays, threads: int) -> Run:
    """A compiled model for latency, in float32 as the others."""
    import openvino as ov

    settings = {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",  # or it rounds activations that the model does not
    }  # fmt: skip
    core = ov.Core()
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    shared = {"share_inputs": True, "share_outputs": True}  # no copies
    return lambda: [*request.infer(inputs, **shared).values()]


def as_arrays(outputs: Any) -> list[Any]:
    """The outputs of any engine as arrays."""
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    found = outputs if isinstance(outputs, tuple | list) else [outputs]
    return [np.asarray(o.numpy() if hasattr(o, "numpy") else o) for o in found]
