"""Blocks shared out to threads; compiled coders release Python's lock while they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from importlib.util import find_spec

from ..errors import ArgumentError
from ..threads import get_num_threads

_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


@cache
def compiles() -> bool:
    """Whether kernels can be compiled here; without numba NumPy decodes the same bytes."""
    return find_spec("numba") is not None and find_spec("llvmlite") is not None


def share(run: Callable[[int, int], None], count: int, threads: int | None) -> None:
    """Calls ``run(first, last)`` over the parts of ``range(count)``, one for each thread."""
    if threads is not None and threads < 1:
        raise ArgumentError(f"threads: expected at least 1, got {threads}")
    parts = min(threads or get_num_threads(), count)
    if parts < 2:
        run(0, count)
        return
    bounds = [count * i // parts for i in range(parts + 1)]
    pool = _pools.get(parts)
    if pool is None:
        pool = _pools.setdefault(parts, ThreadPoolExecutor(parts - 1, "tensorlite-codec"))
    rest = [pool.submit(run, bounds[i], bounds[i + 1]) for i in range(1, parts)]
    try:
        run(0, bounds[1])
    finally:
        wait(rest)  # they use memory that is let go of when this returns
    for part in rest:
        part.result()
