"""What a plan does and how long each part of it takes, as tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ....threads import get_num_threads
from .places import Array, EagerStep, Step

if TYPE_CHECKING:
    from .plan import Plan


@dataclass
class Explanation:
    """The steps of a plan; prints as a table."""

    steps: Sequence[Step | EagerStep]
    memory: int

    def rows(self) -> list[tuple[str, ...]]:
        """Number, step, where it came from, the result's shape, why it is no kernel."""
        return [
            (str(i), s.name, s.label, s.result, s.why if isinstance(s, EagerStep) else "")
            for i, s in enumerate(self.steps)
        ]

    @property
    def summary(self) -> str:
        eager = sum(isinstance(s, EagerStep) for s in self.steps)
        kernels = len(self.steps) - eager
        return (
            f"{kernels} kernel{'s' if kernels != 1 else ''}, {eager} call"
            f"{'s' if eager != 1 else ''} that run as they were written; "
            f"{_bytes(self.memory)} of memory beside the weights"
        )

    def __rich__(self) -> Any:
        return _table(_EXPLAINED, self.rows(), self.summary)

    def __repr__(self) -> str:
        if not self.steps:
            return "no plan has been made; call it with inputs first"
        return f"{_text(_EXPLAINED, self.rows())}\n{self.summary}"


_EXPLAINED = ("#", "step", "from", "result", "why it is no kernel")
_PROFILED = ("step", "from", "us", "share", "GFLOP/s", "GB/s", "of the limit")


@dataclass
class Profile:
    """The seconds of each step of a plan; prints as a table, the longest first."""

    steps: Sequence[Step | EagerStep]
    seconds: Sequence[float]
    peak: float  # GFLOP/s
    bandwidth: float  # GB/s

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds)

    def rows(self) -> list[tuple[str, ...]]:
        """Step, where it came from, microseconds, share of all, rates, share of the limit."""
        found: list[tuple[str, ...]] = []
        order = sorted(range(len(self.steps)), key=lambda i: -self.seconds[i])
        for i in order:
            step, t = self.steps[i], max(self.seconds[i], 1e-9)
            rate, moved = step.flops / t / 1e9, step.moved / t / 1e9
            limit = max(rate / self.peak, moved / self.bandwidth)
            found.append((
                step.name, step.label, f"{t * 1e6:.1f}", f"{t / self.total:.1%}",
                f"{rate:.1f}" if rate else "", f"{moved:.1f}", f"{limit:.0%}",
            ))  # fmt: skip
        return found

    @property
    def summary(self) -> str:
        return (
            f"{self.total * 1e3:.3f} ms; this machine: {self.peak:.0f} GFLOP/s, "
            f"{self.bandwidth:.0f} GB/s"
        )

    def __rich__(self) -> Any:
        return _table(_PROFILED, self.rows(), self.summary)

    def __repr__(self) -> str:
        return f"{_text(_PROFILED, self.rows())}\n{self.summary}"


def measured(plan: Plan, arrays: Sequence[Array]) -> Profile:
    """A plan's steps, timed one by one."""
    seconds = plan.timed(*arrays)
    threads = get_num_threads()
    return Profile(plan.steps, seconds, peak() * threads, bandwidth())


@cache
def peak() -> float:
    """The GFLOP/s of one core on a product whose operands are in the cache."""
    import ctypes

    from ..brgemm import Spec, product, tile_of
    from .plan import address_of

    tile = tile_of(1 << 16)
    k, rows, count = 256, tile.rows, 32
    a, b = np.zeros((rows * count, k), np.float32), np.zeros(k * tile.columns, np.float32)
    c = np.zeros((rows * count, tile.columns), np.float32)
    where = [(np.arange(rows * count) * n).astype(np.int32) for n in (k, tile.columns)]
    arrays: list[Array] = [c, a, b, c, *where, np.zeros(1, np.int64)]
    block = [address_of(array) for array in arrays]
    words = np.array([*block, 1, k, tile.columns, 0, count, 1, count, 0, 1, 0], np.int64)
    spec = Spec(tile, rows)
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(product(spec))
    best = _best(lambda: run(words.ctypes.data, 0, 1), 200)
    return 2e-9 * rows * count * k * tile.columns / best


@cache
def bandwidth() -> float:
    """The GB/s, read and written, of a copy that no cache holds."""
    source = np.ones(8 << 20, np.float64)
    to = np.empty_like(source)
    return 2e-9 * source.nbytes / _best(lambda: np.copyto(to, source), 4)


def _best(run: Any, times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def _bytes(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000 or unit == "MB":
            return f"{count} bytes" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    raise AssertionError


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(caption=caption)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _text(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [tuple(names), *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
