"""From a process's start to its first result, and its memory: each engine on a file, afresh.

``python start.py ENGINE MODEL INPUTS`` runs once and says how much memory it took at most.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENGINES = ("tensorlite", "onnxruntime", "openvino")
NETWORKS = ("resnet50", "silero-vad", "mobilenet-v2", "minilm-128", "squeezenet")
_HERE = Path(__file__).resolve()


def first_result(engine: str, model: str, inputs: dict[str, Any]) -> None:
    if engine == "tensorlite":
        import tensorlite as tl

        tl.set_num_threads(1)
        given = {name: tl.from_numpy(array).to("numba") for name, array in inputs.items()}
        tl.onnx.load(model, device="numba").compile(**given)(**given)
    elif engine == "onnxruntime":
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, inputs)
    else:
        import openvino as ov

        settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        compiled = ov.Core().compile_model(model, "CPU", settings)
        compiled.create_infer_request().infer(inputs)


def peak() -> int:
    """The most bytes that this process has had in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) << 10


def measure(
    make: Callable[[], tuple[bytes, dict[str, Any]]], engines: list[str], rounds: int
) -> dict[str, Any]:
    """Seconds to the first result with a filled and an empty cache, and peak bytes, per engine."""
    import numpy as np

    found: dict[str, dict[str, list[float]]] = {
        e: {"filled": [], "empty": [], "peak": []} for e in engines
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, inputs = make()
        (folder / "model.onnx").write_bytes(data)
        np.savez(folder / "inputs.npz", **inputs)
        for number in range(rounds + 1):
            for engine in [*found]:
                cache = "cache" if number else "empty"
                try:
                    seconds, most = _once(engine, folder, folder / cache)
                except RuntimeError:
                    if engine == "tensorlite":
                        raise
                    del found[engine]  # a peer that cannot run the network
                    continue
                if number == 0:
                    found[engine]["empty"].append(seconds)
                    if engine == "tensorlite":
                        _once(engine, folder, folder / "cache")
                else:
                    found[engine]["filled"].append(seconds)
                    found[engine]["peak"].append(most)
    return {"engines": found, "weights": len(data)}


def _once(engine: str, folder: Path, cache: Path) -> tuple[float, float]:
    environment = {**os.environ, "TENSORLITE_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1"}
    # As an installed package has it: modules compiled to bytecode, by the first, unmeasured turn.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    command = [sys.executable, str(_HERE), engine, str(folder / "model.onnx")]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, str(folder / "inputs.npz")], env=environment, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{engine}: {done.stderr.strip().splitlines()[-1]}")
    return seconds, json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    import numpy as np

    engine, model, inputs = sys.argv[1:]
    first_result(engine, model, dict(np.load(inputs)))
    print(json.dumps(peak()), flush=True)
    os._exit(0)  # what is freed at the end is not measured


if __name__ == "__main__":
    main()
