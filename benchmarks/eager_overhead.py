"""What a call costs on four elements, against PyTorch in inference mode.

    python benchmarks/eager_overhead.py [--device numba] [--json out.json]

Both are timed in turns in one process, one thread; medians of the turns, in microseconds. Then
50 additions in a row of 3 MB, all results kept, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import timeit
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import tensorlite as tl

# what is timed -> the expression, with x a vector of four, m a matrix of four, lib the library
CALLS = {
    "a + b": "x + x",
    "a + 1.0": "x + 1.0",
    "a[1:3]": "x[1:3]",
    "a.reshape(2, 2)": "x.reshape(2, 2)",
    "relu": "lib.relu(x)",
    "sum": "x.sum()",
    "matmul": "m @ m",
}
GOAL = 0.8
LARGE_GOAL = 1.0


def measure(device: str, rounds: int, number: int) -> list[dict[str, Any]]:
    """A row per call: both medians and their ratio."""
    import torch

    torch.set_num_threads(1)
    rows = []
    with torch.inference_mode():
        ours = {"lib": tl, "x": tl.ones(4, device=device), "m": tl.ones(2, 2, device=device)}
        theirs = {"lib": torch, "x": torch.ones(4), "m": torch.ones(2, 2)}
        for name, expression in CALLS.items():
            times: dict[str, list[float]] = {"ours": [], "theirs": []}
            for _ in range(rounds):
                for who, space in (("ours", ours), ("theirs", theirs)):
                    seconds = timeit.timeit(expression, globals=space, number=number)
                    times[who].append(seconds / number * 1e6)
            mine, peer = (statistics.median(times[who]) for who in ("ours", "theirs"))
            rows.append({"call": name, "tensorlite": mine, "pytorch": peer, "ratio": mine / peer})
    return rows


def kept(x: Any) -> list[Any]:
    """50 additions whose results are all kept."""
    results = [x]
    for _ in range(50):
        results.append(results[-1] + x)
    return results


def measure_large(device: str, rounds: int) -> dict[str, Any]:
    """Medians of :func:`kept` in milliseconds; the first round, which finds no memory, apart."""
    import torch

    peers = {"tensorlite": tl.ones(786432, device=device), "pytorch": torch.ones(786432)}
    times: dict[str, list[float]] = {name: [] for name in peers}
    with torch.inference_mode():
        for _ in range(rounds + 1):
            for name, x in peers.items():
                times[name].append(timeit.timeit(lambda x=x: kept(x), number=1) * 1e3)
    row: dict[str, Any] = {name: statistics.median(t[1:]) for name, t in times.items()}
    row |= {f"{name} first": t[0] for name, t in times.items()}
    return row | {"ratio": row["tensorlite"] / row["pytorch"]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--number", type=int, default=20000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = measure(args.device, args.rounds, args.number)
    table = Table("call", "tensorlite, us", "PyTorch, us", "ratio", f"goal {GOAL}")
    for row in rows:
        met = "met" if row["ratio"] <= GOAL else "missed"
        times = f"{row['tensorlite']:.2f}", f"{row['pytorch']:.2f}", f"{row['ratio']:.2f}"
        table.add_row(row["call"], *times, met)
    Console().print(table)
    tl.set_num_threads(1)
    large = measure_large(args.device, args.rounds)
    goal = "met" if large["ratio"] <= LARGE_GOAL else "missed"
    Console().print(
        "50 additions of 3 MB, all kept: {tensorlite:.1f} ms, PyTorch {pytorch:.1f} ms, ratio "
        "{ratio:.2f}".format(**large)
        + f" (goal {LARGE_GOAL}: {goal}); the first time "
        "{tensorlite first:.0f} and {pytorch first:.0f} ms".format(**large)
    )
    if args.json:
        args.json.write_text(json.dumps([*rows, large], indent=1))


if __name__ == "__main__":
    main()
