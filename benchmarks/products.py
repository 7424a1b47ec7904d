"""Matrix products, convolutions, softmax and norms of the numba device, against its peers.

    python benchmarks/products.py

float32, eager, one thread, in turns, medians in microseconds: tensorlite on cpu (NumPy) and on
numba, and PyTorch in inference mode. The results are compared first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from kernels import median
from rich.console import Console
from rich.table import Table

import tensorlite as tl

OURS, THEIRS = tl.nn.functional, torch.nn.functional
Work = tuple[str, list[tuple[int, ...]], Callable[..., Any], float]


def work() -> list[Work]:
    """A name, the shapes of the arguments, what to do with a package's functional module, GFLOP."""
    found: list[Work] = []
    for m, k, n in [(16, 384, 1536), (128, 384, 384), (128, 384, 1536), (512, 512, 512),
                    (2048, 2048, 2048)]:  # fmt: skip
        found.append((f"linear {m}x{k} by {n}x{k}", [(m, k), (n, k), (n,)],
                      lambda f, x, w, b: f.linear(x, w, b), 2e-9 * m * k * n))  # fmt: skip
    for c, size, o, kernel, stride in [
        (3, 224, 64, 7, 2), (64, 56, 64, 1, 1), (64, 56, 64, 3, 1), (256, 14, 256, 3, 1),
        (512, 7, 2048, 1, 1),
    ]:  # fmt: skip
        flop = 2e-9 * o * c * kernel**2 * (size // stride) ** 2
        found.append((
            f"conv2d {c}x{size}x{size} to {o}, {kernel}x{kernel}, stride {stride}",
            [(1, c, size, size), (o, c, kernel, kernel), (o,)],
            lambda f, x, w, b, s=stride, p=kernel // 2: f.conv2d(x, w, b, s, p), flop,
        ))  # fmt: skip
    for rows, n in [(128, 384), (1536, 128)]:
        found.append((f"softmax {rows}x{n}", [(rows, n)], lambda f, x: f.softmax(x, -1), 0))
        found.append((f"layer_norm {rows}x{n}", [(rows, n), (n,), (n,)],
                      lambda f, x, w, b: f.layer_norm(x, x.shape[-1:], w, b), 0))  # fmt: skip
        found.append((f"rms_norm {rows}x{n}", [(rows, n), (n,)],
                      lambda f, x, w: f.rms_norm(x, x.shape[-1:], w), 0))  # fmt: skip
    return found


def main() -> None:
    torch.set_num_threads(1)
    tl.set_num_threads(1)
    table = Table("work", "cpu, us", "numba, us", "PyTorch, us", "numba / PyTorch", "GFLOP/s")
    with torch.inference_mode():
        for name, shapes, call, flop in work():
            rng = np.random.default_rng(0)
            arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
            cpu = [tl.from_numpy(a) for a in arrays]
            fast = [t.to("numba") for t in cpu]
            theirs = [torch.from_numpy(a) for a in arrays]
            np.testing.assert_allclose(
                call(OURS, *fast).numpy(), call(THEIRS, *theirs).numpy(), rtol=1e-3, atol=1e-2
            )
            times = median(
                [lambda c=call, t=cpu: c(OURS, *t), lambda c=call, t=fast: c(OURS, *t),
                 lambda c=call, t=theirs: c(THEIRS, *t)]
            )  # fmt: skip
            rate = f"{flop / times[1] * 1e6:.0f}" if flop else ""
            table.add_row(name, *(f"{t:,.0f}" for t in times), f"{times[1] / times[2]:.2f}", rate)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
