"""Networks of the benchmarks as 8-bit files, and how far tensorlite is from ONNX Runtime on them.

    python benchmarks/quantized_models.py [NAME ...] [--folder FOLDER] [--device cpu]

ONNX Runtime's ``quantize_static`` writes them: DequantizeLinear and QuantizeLinear around the
operators (QDQ), activations in uint8, weights in int8 per channel, calibrated on fixed random
inputs. A file is made once and kept in the folder. The table says which share of the outputs'
elements differ, and by how much, from the file run by ONNX Runtime without optimisations.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import network_files
import numpy as np
import onnx

NAMES = ("resnet50", "mobilenet-v2", "minilm-128")
_FOLDER = Path(tempfile.gettempdir()) / "tensorlite-quantized"
_CALIBRATION = 4  # batches


def quantized(name: str, folder: str | Path = _FOLDER) -> Path:
    """The int8 file of a network of :data:`network_files.NETWORKS`; made if it is not there."""
    path = Path(folder) / f"{name}-int8.onnx"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            made = Path(temporary) / path.name
            _quantize(name, made)
            os.replace(made, path)
    return path


def inputs_of(name: str) -> dict[str, Any]:
    """The inputs that networks are compared on: others than those of the calibration."""
    return _batches(network_files.made(name)[1], np.random.default_rng(1), 1)[0]


def _batches(like: dict[str, Any], random: np.random.Generator, count: int) -> list[dict[str, Any]]:
    return [
        {name: random.standard_normal(array.shape, np.float32) for name, array in like.items()}
        for _ in range(count)
    ]


def _quantize(name: str, path: Path) -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    data, like = network_files.made(name)
    proto = onnx.load_from_string(data)
    proto.ir_version = 8
    if next(o.version for o in proto.opset_import if not o.domain) < 13:
        proto = onnx.version_converter.convert_version(proto, 17)  # per channel exists since 13
    batches = iter(_batches(like, np.random.default_rng(0), _CALIBRATION))

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            return next(batches, None)

    _drop_softmax(proto.graph)
    whole, prepared = path.with_suffix(".whole.onnx"), path.with_suffix(".float.onnx")
    onnx.save(proto, whole)
    quant_pre_process(str(whole), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(path), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip


def _drop_softmax(graph: onnx.GraphProto) -> None:
    """Lets a network end before its softmax, in 8 bits of which a thousand classes are all 0."""
    last = graph.node[-1]
    if last.op_type == "Softmax" and last.output[0] == graph.output[0].name:
        graph.output[0].name = last.input[0]
        graph.node.remove(last)


def runtime(path: Path, inputs: dict[str, Any], optimize: bool) -> Any:
    """The first output of ONNX Runtime, with all of its graph optimisations or none."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    if not optimize:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def ours(path: Path, inputs: dict[str, Any], optimize: bool, device: str) -> Any:
    """The first output of tensorlite, with the graph optimised or as it is in the file."""
    import tensorlite as tl

    model = tl.onnx.load(path, device=device, optimize=optimize)
    (first, *_) = model.run(inputs).values()
    return first.cpu().numpy()


def held(path: Path) -> int:
    """The bytes of the weights that tensorlite holds when the file is loaded."""
    import tensorlite as tl

    graph = tl.onnx.load(path).model.graph
    arrays = [n.attributes["value"] for n in graph.nodes if "value" in n.attributes]
    return sum(a.nbytes for a in (*graph.initializers.values(), *arrays))


def _row(found: Any, wanted: Any) -> str:
    """Share of elements that differ, the mean and the largest difference, relative to the range."""
    difference = np.abs(found.astype(np.float64) - wanted) / max(float(np.ptp(wanted)), 1e-30)
    share = 100 * float((difference > 1e-6).mean())
    return f"{share:6.2f} % | {difference.mean():.1e} | {difference.max():.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Int8 files and how well they agree.")
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--folder", default=str(_FOLDER))
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print("| network | MB float32 | MB int8 | MB loaded | run by | differ | mean | largest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in options.names:
        path, inputs = quantized(name, options.folder), inputs_of(name)
        bytes_of = (len(network_files.made(name)[0]), path.stat().st_size, held(path))
        sizes = " | ".join(f"{size / 1e6:.1f}" for size in bytes_of)
        wanted = runtime(path, inputs, False)
        runs = {
            "ONNX Runtime, optimised": runtime(path, inputs, True),
            "tensorlite, as in the file": ours(path, inputs, False, options.device),
            "tensorlite, optimised": ours(path, inputs, True, options.device),
        }
        for by, found in runs.items():
            print(f"| {name} | {sizes} | {by} | {_row(found, wanted)} |", flush=True)


if __name__ == "__main__":
    main()
