"""Four Python threads that call one plan (or session) each, in one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import network_files

from . import engines
from .case import Case, add
from .engines import Run

_CALLERS, _CALLS = 4, 5


def together(engine: Any, name: str, threads: int) -> Run:
    """Each of four callers has its own plan of one thread and calls it several times."""
    model, inputs = network_files.made(name)
    runs = [engine(model, inputs, 1) for _ in range(_CALLERS)]
    pool = ThreadPoolExecutor(_CALLERS)

    def caller(run: Run) -> Any:
        for _ in range(_CALLS):
            outputs = run()
        return outputs

    return lambda: list(pool.map(caller, runs))[0]


for _name in ("squeezenet", "minilm-16"):
    add(Case(
        f"{_name}, 4 callers", "concurrency",
        {
            "tensorlite": partial(together, engines.tensorlite_plan, _name),
            "onnxruntime": partial(together, engines.onnxruntime, _name),
        },
        {"onnxruntime": 1.0}, threads=(1,),
    ))  # fmt: skip
