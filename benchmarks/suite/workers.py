"""Engines in processes of their own, which take turns: ``python workers.py ENGINE CASE THREADS``.

Threads that wait for work by spinning would disturb the other engines in one process. A worker
sleeps on its input between turns. In a turn it does its work once unmeasured, and then as often as
fits into a few milliseconds.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_TURN = 4e-3  # seconds


class Failed(Exception):
    """An engine that does not do its work, and why."""


@dataclass
class Measured:
    """The seconds of each turn of each engine, and how far results are from the peers'."""

    seconds: dict[str, list[float]]
    errors: dict[str, float]  # a peer's largest difference, as a share of its largest number


class Worker:
    """One engine's process."""

    def __init__(self, engine: str, case: str, threads: int, folder: Path) -> None:
        self.results = folder / f"{engine}.npz"
        command = [sys.executable, str(HERE / "workers.py"), engine, case, str(threads)]
        self.log = open(folder / f"{engine}.log", "w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, str(self.results)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
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
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.log.close()


def measure(case: Any, threads: int, rounds: int) -> Measured:
    """All engines of a case in turns; one that fails raises, its error told."""
    with tempfile.TemporaryDirectory() as temporary:
        workers = []
        try:
            for engine in case.engines:  # one after another: compiling disturbs nobody
                workers.append(Worker(engine, case.name, threads, Path(temporary)))
                workers[-1].answer()
            seconds: dict[str, list[float]] = {w.engine: [] for w in workers}
            for _ in range(rounds):
                for worker in workers:
                    seconds[worker.engine].append(worker.turn())
            errors = {w.engine: _difference(workers[0].results, w.results) for w in workers[1:]}
        finally:
            for worker in workers:
                worker.end()
    return Measured(seconds, errors)


def _difference(ours: Path, theirs: Path) -> float:
    import numpy as np

    worst, found = 0.0, [dict(np.load(path)) for path in (ours, theirs)]
    for name, want in found[1].items():
        have = found[0].get(name)
        if have is None or have.shape != want.shape:
            return math.inf
        wide = [np.asarray(x, np.float64) for x in (have, want)]
        if want.size:
            scale = max(float(np.abs(wide[1]).max()), 1e-30)
            worst = max(worst, float(np.abs(wide[0] - wide[1]).max()) / scale)
    return worst


def main() -> None:
    engine, name, threads, results = sys.argv[1:]
    sys.path[:0] = [str(HERE.parent)]
    from suite.engines import as_arrays, limit_threads

    limit_threads(int(threads))
    import numpy as np

    from suite.lines import CASES

    run = CASES[name].engines[engine](int(threads))
    for _ in range(3):
        outputs = run()
    np.savez(results, *as_arrays(outputs))
    say = sys.stdout
    print(json.dumps("ready"), file=say, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
        count = max(1, min(10_000, int(_TURN / max(once, 1e-9))))
        start = time.perf_counter()
        for _ in range(count):
            run()
        print(json.dumps((time.perf_counter() - start) / count), file=say, flush=True)


if __name__ == "__main__":
    main()
