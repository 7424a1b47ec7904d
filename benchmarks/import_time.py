"""How long an import takes, each in a process of its own, in turns.

    python benchmarks/import_time.py [--rounds 9]

The time is that of the whole process less an empty one's; medians, in milliseconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

MODULES = ("numpy", "tensorlite", "onnxruntime", "torch")


def process(code: str) -> float:
    """Milliseconds of a Python process that runs this."""
    start = time.perf_counter()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    found = [name for name in MODULES if importlib.util.find_spec(name)]
    times: dict[str, list[float]] = {name: [] for name in ("", *found)}
    for name in found:
        process(f"import {name}")  # compiles what has no bytecode yet
    for _ in range(args.rounds):
        for name in times:
            times[name].append(process(f"import {name}" if name else "pass"))
    empty = statistics.median(times[""])
    table = Table("import", "ms", "times numpy's")
    medians = {name: statistics.median(times[name]) - empty for name in found}
    for name, median in medians.items():
        table.add_row(name, f"{median:.0f}", f"{median / medians['numpy']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
