"""Memory for large results, taken again when nobody holds it any more.

The system gives fresh memory a page at a time, when it is first written: for 3 MB that takes ten
times as long as an addition. So buffers are kept, by size. One is free when only its shelf refers
to it, which its reference count tells: every array, view of a view, ``memoryview``, DLPack holder
or ``Tensor`` over it holds it. A mere address does not: who keeps an address keeps the array too.

Buffers are cut from blocks of 32 MB that the system backs with huge pages where it has them. What
is kept is limited; beyond it the sizes that were asked for longest ago go first.

Only CPython with its global lock counts references in a way that can be relied on: elsewhere, and
for small arrays, :func:`empty` is ``numpy.empty``.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LEAST = 1 << 18  #: bytes from which on a result comes from here
LIMIT = 1 << 29  #: bytes that are kept at most, in use or free
_MOST = 1 << 27  # bytes beyond which a result is not kept
_SHELF = 128  # buffers of one size: each call looks through them
_BLOCK = 1 << 25
_HUGE = 1 << 21  # bytes of a huge page

_shelves: OrderedDict[int, list[Array]] = OrderedDict()
_lock = threading.Lock()
_kept = 0
_block: memoryview | None = None  # what is left of the last block


def _free(shelf: list[Array], idle: int) -> Array | None:
    """A buffer that only its shelf holds; the loop's own hold keeps other threads off it."""
    for buffer in shelf:
        if sys.getrefcount(buffer) == idle:
            return buffer
    return None


def _count(shelf: list[Array]) -> int:
    """The reference count that :func:`_free` sees on a buffer that is free."""
    for buffer in shelf:
        return sys.getrefcount(buffer)
    return 0


def _calibrated() -> int:
    """The count of a free buffer, or -1 (which is never) where counts tell nothing."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -1
    shelf = [np.frombuffer(bytearray(16), np.uint8)]
    idle = _count(shelf)
    works = _free(shelf, idle) is not None
    view = np.ndarray((2, 2), np.float32, shelf[0])[1:]
    works = works and _free(shelf, idle) is None
    del view
    return idle if works and _free(shelf, idle) is not None else -1


_IDLE = _calibrated()


def _mapped(size: int) -> memoryview:
    """Fresh memory that begins at a huge page."""
    flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if os.name == "posix" else {}
    memory = mmap.mmap(-1, size + _HUGE, **flags)  # without flags it is shared: no huge pages
    if hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            memory.madvise(mmap.MADV_HUGEPAGE)
        except OSError:  # a system built without them
            pass
    start = np.frombuffer(memory, np.uint8, 1).ctypes.data
    first = -start % _HUGE
    return memoryview(memory)[first : first + size]


def _made(size: int) -> Array:
    """A new buffer: the rest of a block, which lives as long as any buffer that was cut from it."""
    global _block
    if size > _BLOCK // 2:
        return np.frombuffer(_mapped(-(-size // _HUGE) * _HUGE), np.uint8)
    if _block is None or len(_block) < size:
        _block = _mapped(_BLOCK)
    buffer = np.frombuffer(_block[:size], np.uint8)
    _block = _block[size:]
    return buffer


def _rounded(size: int) -> int:
    """A size in steps of an eighth, so that sizes that are nearly alike share their buffers."""
    step = 1 << (size.bit_length() - 4)
    return -(-size // step) * step


def _new(size: int) -> Array:
    """A new buffer on its shelf, and room made for it."""
    global _kept
    with _lock:
        buffer = _made(size)
        shelf = _shelves.setdefault(size, [])
        shelf.append(buffer)
        _kept += size
        if len(shelf) > _SHELF:
            del shelf[0]
            _kept -= size
        while _kept > LIMIT:
            oldest, others = next(iter(_shelves.items()))
            if not others:
                del _shelves[oldest]
                continue
            del others[0]
            _kept -= oldest
    return buffer


def empty(shape: Iterable[int], dtype: Any, order: str = "C") -> Array:
    """``numpy.empty``, in memory that was used before where the array is large.

    Example:
        >>> from tensorlite.devices.buffers import empty
        >>> empty((512, 512), "float32").shape
        (512, 512)
    """
    shape, dtype = tuple(shape), np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < LEAST or size > _MOST or _IDLE < 0 or dtype.hasobject:
        return np.empty(shape, dtype, order)  # type: ignore[call-overload]
    size = _rounded(size)
    shelf = _shelves.get(size)
    buffer = None
    if shelf is not None:
        buffer = _free(shelf, _IDLE)
        try:
            _shelves.move_to_end(size)
        except KeyError:  # another thread has just dropped this size
            pass
    if buffer is None:
        try:
            buffer = _new(size)
        except (OSError, MemoryError, ValueError):
            return np.empty(shape, dtype, order)  # type: ignore[call-overload]
    return np.ndarray(shape, dtype, buffer, order=order)  # type: ignore[arg-type]


def empty_like(array: Array) -> Array:
    """``numpy.empty_like``: the dimensions lie in memory in the order of the array's own."""
    if array.nbytes < LEAST:
        return np.empty_like(array)
    if array.flags.c_contiguous:
        return empty(array.shape, array.dtype)
    order = sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))
    made = empty([array.shape[d] for d in order], array.dtype)
    return made.transpose(sorted(range(array.ndim), key=order.__getitem__))


def clear() -> None:
    """Gives back what is kept; arrays that are in use stay as they are."""
    global _kept, _block
    with _lock:
        _shelves.clear()
        _kept, _block = 0, None


def _forget_lock() -> None:
    """In a forked process a lock may be held by a thread that is not there."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
