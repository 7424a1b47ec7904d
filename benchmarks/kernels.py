"""The numba device's kernels against the reference (NumPy and SciPy) and PyTorch.

    python benchmarks/kernels.py

One thread, in turns, medians in microseconds; the results are compared first.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import tensorlite as tl
import tensorlite.nn.functional as F

SIZES = (1_000, 16_000, 200_000, 1_000_000)
FUNCTIONS = {
    "sigmoid": (tl.sigmoid, torch.sigmoid),
    "erf": (tl.erf, torch.erf),
    "silu": (F.silu, torch.nn.functional.silu),
    "gelu": (F.gelu, torch.nn.functional.gelu),
    "exp": (tl.exp, torch.exp),
    "tanh": (tl.tanh, torch.tanh),
}


def median(calls: list[Callable[[], Any]], rounds: int = 15) -> list[float]:
    """Median times of several calls, in turns, in microseconds."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for place, call in enumerate(calls):
            start = time.perf_counter()
            call()
            times[place].append((time.perf_counter() - start) * 1e6)
    return [statistics.median(t) for t in times]


def main() -> None:
    torch.set_num_threads(1)
    tl.set_num_threads(1)
    table = Table("kernel", "elements", "cpu", "numba", "PyTorch", "numba / PyTorch")
    with torch.inference_mode():
        for name, (ours, theirs) in FUNCTIONS.items():
            for size in SIZES:
                array = np.random.default_rng(0).standard_normal(size).astype(np.float32)
                x, y, z = (
                    tl.from_numpy(array),
                    tl.from_numpy(array).to("numba"),
                    torch.from_numpy(array),
                )
                np.testing.assert_allclose(ours(y).numpy(), theirs(z).numpy(), rtol=1e-5, atol=1e-6)
                times = median([lambda f=ours, a=x: f(a), lambda f=ours, a=y: f(a),
                                lambda f=theirs, a=z: f(a)])  # fmt: skip
                cells = [f"{t:.1f}" for t in times]
                table.add_row(name, f"{size:,}", *cells, f"{times[1] / times[2]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
