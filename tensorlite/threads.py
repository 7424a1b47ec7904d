"""How many threads kernels may use."""

from __future__ import annotations

import os

from .errors import ArgumentError

_count = 0  # 0 until somebody sets it: as many as there are processors for this process
_usual = 0  # how many those were when it was first asked


def get_num_threads() -> int:
    """How many threads the numba device's kernels use at most: all processors, unless set.

    The environment variable ``TENSORLITE_NUM_THREADS`` sets it too.

    >>> import tensorlite as tl
    >>> tl.get_num_threads() >= 1
    True
    """
    global _usual
    if not _count and not _usual:
        _usual = _default()
    return _count or _usual


def set_num_threads(count: int) -> None:
    """Limits the threads of the numba device's kernels, as ``torch.set_num_threads`` does.

    NumPy's linear algebra on the cpu has its own (``OPENBLAS_NUM_THREADS``, read when it starts).
    Raises ArgumentError for less than one.

    >>> import tensorlite as tl
    >>> tl.set_num_threads(0)
    Traceback (most recent call last):
    tensorlite.errors.ArgumentError: set_num_threads: expected 1 or more, got 0
    """
    global _count
    if not isinstance(count, int) or count < 1:
        raise ArgumentError(f"set_num_threads: expected 1 or more, got {count}")
    _count = count


def _default() -> int:
    named = os.environ.get("TENSORLITE_NUM_THREADS", "")
    if named.isdecimal() and int(named):
        return int(named)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
