"""Whole networks as plans, beside ONNX Runtime and OpenVINO (where installed).

    python benchmarks/networks.py [NAME ...] [--threads 1] [--rounds 15] [--json FILE]

Each peer has a process of its own, for threads that wait for work by spinning disturb the others;
the processes take turns, one run at a time, and wait without a processor meanwhile. float32, batch
1, the peers' own best settings. The outputs are compared first. Weights are random and fixed where
the onnx package has none.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import network_files
import numpy as np

PEERS = ("tensorlite", "onnxruntime", "openvino")


def runner(peer: str, path: str, inputs: dict[str, Any], threads: int) -> Any:
    """A function that runs a network once and gives its outputs."""
    if peer == "tensorlite":
        import tensorlite as tl

        tl.set_num_threads(threads)
        given = {name: tl.from_numpy(array).to("numba") for name, array in inputs.items()}
        fast = tl.onnx.load(path, device="numba").compile(**given)
        return lambda: fast(**given)
    if peer == "onnxruntime":
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, inputs)
    import openvino as ov

    settings = {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }  # fmt: skip
    request = ov.Core().compile_model(path, "CPU", settings).create_infer_request()
    return lambda: [*request.infer(inputs).values()]


def work(peer: str, folder: Path, threads: int) -> None:
    """A peer's process: makes ready, then runs once for each line that comes in."""
    inputs = dict(np.load(folder / "inputs.npz"))
    run = runner(peer, str(folder / "model.onnx"), inputs, threads)
    for _ in range(3):
        outputs = run()
    if peer == "tensorlite":
        outputs = [o.numpy() for o in (outputs if isinstance(outputs, tuple) else [outputs])]
    np.savez(folder / f"{peer}.npz", *outputs)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        print(time.perf_counter() - start, flush=True)


def measured(name: str, threads: int, rounds: int, peers: list[str]) -> dict[str, Any]:
    """The seconds of every round of each peer, and how far outputs are from ONNX Runtime's."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model, inputs = network_files.made(name)
        (folder / "model.onnx").write_bytes(model)
        np.savez(folder / "inputs.npz", **inputs)
        processes = {}
        for peer in peers:
            command = [sys.executable, __file__, "--worker", peer, "--folder", str(folder),
                       "--threads", str(threads)]  # fmt: skip
            processes[peer] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            if not said(processes[peer]).startswith("ready"):
                raise SystemExit(f"{peer} does not run {name}; see above")
        times: dict[str, list[float]] = {peer: [] for peer in peers}
        for _ in range(rounds):
            for peer, process in processes.items():
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
                times[peer].append(float(said(process)))
        for process in processes.values():
            process.communicate()
        return {"seconds": times, "error": furthest(folder, peers)}


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def furthest(folder: Path, peers: list[str]) -> float:
    """The largest difference of our outputs from a peer's, as a share of the largest number."""
    found = [dict(np.load(folder / f"{peer}.npz")) for peer in peers[:2]]
    worst = 0.0
    for name, ours in found[0].items():
        theirs = found[-1][name]
        if theirs.dtype.kind == "f" and theirs.size:
            scale = max(float(np.abs(theirs).max()), 1e-30)
            worst = max(worst, float(np.abs(ours - theirs).max()) / scale)
    return worst


def table(results: dict[str, Any], peers: list[str]) -> str:
    """The medians in milliseconds as a Markdown table."""
    lines = [
        f"| network | {' | '.join(f'{p}, ms' for p in peers)} | ours / the best other | error |",
        f"| --- |{' --- |' * (len(peers) + 2)}",
    ]
    for name, result in results.items():
        ms = {p: statistics.median(t) * 1e3 for p, t in result["seconds"].items()}
        best = min((v for p, v in ms.items() if p != "tensorlite"), default=float("nan"))
        cells = " | ".join(f"{ms[p]:.3g}" for p in peers)
        lines.append(
            f"| {name} | {cells} | {ms['tensorlite'] / best:.2f} | {result['error']:.0e} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(network_files.NETWORKS)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write every round's seconds here")
    parser.add_argument("--worker", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, given.folder, given.threads)
        return
    unknown = [n for n in given.names if n not in network_files.NETWORKS]
    if unknown:
        parser.error(f"no network {unknown[0]!r}; there are {', '.join(network_files.NETWORKS)}")
    peers = [p for p in PEERS if importlib.util.find_spec(p)]
    print(f"{platform.processor() or platform.machine()}, {given.threads} thread(s); "
          f"peers: {', '.join(peers)}", file=sys.stderr)  # fmt: skip
    results = {}
    for name in given.names or network_files.NETWORKS:
        print(name, file=sys.stderr)
        results[name] = measured(name, given.threads, given.rounds, peers)
    print(table(results, peers))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
