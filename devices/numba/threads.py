"""Work split over threads: compiled kernels release Python's lock while they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ...threads import get_num_threads

_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


def in_parts(run: Callable[[int, int], None], count: int, least: int) -> None:
    """Calls ``run(first, last)`` over the parts of ``range(count)``, one for each thread.

    No part is smaller than ``least``, so that little work stays on the caller's thread.
    """
    parts = count // max(least, 1)
    parts = min(get_num_threads(), parts) if parts > 1 else 1
    if parts < 2:
        run(0, count)
        return
    bounds = [count * i // parts for i in range(parts + 1)]
    pool = _pools.get(parts)
    if pool is None:
        pool = _pools.setdefault(parts, ThreadPoolExecutor(parts - 1, "tensorlite"))
    rest = [pool.submit(run, bounds[i], bounds[i + 1]) for i in range(1, parts)]
    run(0, bounds[1])
    for part in rest:
        part.result()
