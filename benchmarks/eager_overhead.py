"""What a call costs on four elements, against PyTorch in inference mode.

    python benchmarks/eager_overhead.py [--device numba] [--json out.json]

Both are timed in turns in one process, one thread; medians of the turns, in microseconds.
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
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
