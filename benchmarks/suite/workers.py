"""Engines in processes of their own, which take turns.

Threads that wait for work by spinning would disturb the other engines in one process. A worker
sleeps on its input between turns. In a turn it does its work once unmeasured, and then as often as
fits into a few milliseconds; work that takes long it does once.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .engines import as_arrays, environment

HERE = Path(__file__).resolve().parent
_TURN, _LONG = 4e-3, 0.1  # seconds
_REST = 0.05  # seconds between turns
_ENOUGH = 5  # rounds, of lines that take their time


class Failed(Exception):
    """An engine that does not do its work, and why."""


@dataclass
class Measured:
    """The seconds of each turn of each engine, and how far results are from the peers'."""

    seconds: dict[str, list[float]]
    errors: dict[str, float]  # a peer's largest difference, as a share of its largest number
    unable: dict[str, str]  # peers that do not do the work, and what they said
    flops: float  # what the plan's products multiply and add, 0 where there is no plan


class Worker:
    """One engine's process."""

    def __init__(
        self, engine: str, case: str, threads: int, folder: Path, pinned: bool = False
    ) -> None:
        self.results = folder / f"{engine}.npz"
        command = [sys.executable, "-m", "suite.workers", engine, case, str(threads)]
        command += ["pinned" if pinned else "free"]
        self.log = open(folder / f"{engine}.log", "w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, str(self.results)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True, env=environment(threads),
            cwd=HERE.parent,
        )  # fmt: skip
        self.engine = engine

    def answer(self) -> Any:
        """What it says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            last = [x for x in self.log.read().splitlines() if x.strip()][-1:]
            raise Failed(f"{self.engine}: {last[0] if last else 'ended without a word'}")
        return json.loads(line)

    def turn(self) -> float:
        """The seconds that its work took in a turn."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.answer())

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.kill()
        self.process.wait()
        self.log.close()


def measure(
    case: Any, threads: int, rounds: int, limit: float = math.inf, pinned: bool = False
) -> Measured:
    """All engines of a case in turns; tensorlite failing raises, a peer is left out.

    After ``limit`` seconds five rounds are enough.
    """
    with tempfile.TemporaryDirectory() as temporary:
        workers: list[Worker] = []
        unable: dict[str, str] = {}
        flops = 0.0
        try:
            for engine in case.engines:  # one after another: compiling disturbs nobody
                worker = Worker(engine, case.name, threads, Path(temporary), pinned)
                workers.append(worker)
                try:
                    flops = max(flops, worker.answer())
                except Failed as error:
                    if engine == "tensorlite":
                        raise
                    unable[engine] = str(error)
                    worker.end()
                    workers.remove(worker)
            seconds: dict[str, list[float]] = {w.engine: [] for w in workers}
            start = time.perf_counter()
            for number in range(rounds):
                if number >= _ENOUGH and time.perf_counter() - start > limit:
                    break
                for worker in workers:
                    time.sleep(_REST)  # threads of the engine before that still spin would disturb
                    seconds[worker.engine].append(worker.turn())
            errors = {w.engine: _difference(workers[0].results, w.results) for w in workers[1:]}
        finally:
            for worker in workers:
                worker.end()
    return Measured(seconds, errors, unable, flops)


def _difference(ours: Path, theirs: Path) -> float:
    """The largest difference in any output, as a share of the output's largest number."""
    with np.load(ours) as have, np.load(theirs) as want:
        if sorted(have) != sorted(want):
            return math.inf
        return max((difference(have[name], want[name]) for name in want), default=0.0)


def difference(have: Any, want: Any) -> float:
    """The largest difference of two arrays, as a share of the largest number that is wanted.

    >>> difference(np.float32([1, 2.5]), np.float32([1, 2])), difference(np.nan, np.ones(()))
    (0.25, inf)
    """
    if np.shape(have) != np.shape(want):
        return math.inf
    have, want = np.asarray(have, np.float64), np.asarray(want, np.float64)
    same = (have == want) | (np.isnan(have) & np.isnan(want))
    if same.all():
        return 0.0
    worst = float(np.max(np.abs(have - want)[~same]))
    scale = float(np.max(np.abs(want[np.isfinite(want)]), initial=1e-30))
    return worst / scale if math.isfinite(worst) else math.inf


def main() -> None:
    engine, name, threads, place, results = sys.argv[1:]
    if place == "pinned":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(threads)])
    from .lines import CASES

    run = CASES[name].engines[engine](int(threads))
    for _ in range(3):
        outputs = run()
    np.savez(results, *as_arrays(outputs))
    say = sys.stdout
    print(json.dumps(getattr(run, "flops", 0.0)), file=say, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
        if once > _LONG:
            print(json.dumps(once), file=say, flush=True)
            continue
        count = max(1, min(10_000, int(_TURN / max(once, 1e-9))))
        start = time.perf_counter()
        for _ in range(count):
            run()
        print(json.dumps((time.perf_counter() - start) / count), file=say, flush=True)


if __name__ == "__main__":
    main()
