"""One piece of memory for all values of a plan: those not alive together share places.

Buffers are placed from the largest to the smallest, each at the lowest offset where it overlaps no
buffer alive at the same time (Pisarchyk and Lee, "Efficient memory management for deep neural net
inference", 2020: greedy by size).
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Sequence

from .places import ALIGNMENT, Buffer, EagerStep, Step

_HUGE = 2 << 20
_MADV_HUGEPAGE = 14


class Arena:
    """Private memory, on huge pages where the system has them; freed with the object."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.map = None
        if hasattr(mmap, "MAP_PRIVATE"):
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
            self.map = mmap.mmap(-1, max(size + _HUGE, mmap.PAGESIZE), flags=flags)
            held = ctypes.c_char.from_buffer(self.map)
            if size >= _HUGE and hasattr(self.map, "madvise"):
                self.map.madvise(getattr(mmap, "MADV_HUGEPAGE", _MADV_HUGEPAGE))
        else:
            held = ctypes.create_string_buffer(size + _HUGE)  # type: ignore[assignment]
        self.held = held
        align = _HUGE if size >= _HUGE else ALIGNMENT
        self.address = -(-ctypes.addressof(held) // align) * align


def lifetimes(steps: Sequence[Step | EagerStep]) -> list[Buffer]:
    """Sets when each buffer of the arena is needed; gives the buffers, constants left out."""
    found: dict[int, Buffer] = {}
    for number, step in enumerate(steps):
        for buffer in (*step.reads, *step.writes):
            if buffer.array is None:
                if id(buffer) not in found:
                    found[id(buffer)] = buffer
                    buffer.first = min(buffer.first, number) if buffer.first >= 0 else number
                buffer.last = max(buffer.last, number)
    return list(found.values())


def share(steps: Sequence[Step | EagerStep]) -> None:
    """Lets a result take the place of an operand that is not needed after it."""
    for number, step in enumerate(steps):
        if step.over is None:
            continue
        written, read = step.over
        last_use = read.last == number and written.first == number
        if last_use and not read.kept and read.array is None and read.size >= written.size:
            written.shares = read


def lay_out(buffers: Sequence[Buffer], end: int) -> int:
    """Gives every buffer its offset (as ``address``); the size of the arena."""
    alone = [b for b in buffers if b.shares is None]
    spans = {id(b): [b.first, end if b.kept else b.last] for b in alone}
    for buffer in buffers:
        if buffer.shares is not None:
            span = spans[id(owner(buffer))]
            span[1] = max(span[1], end if buffer.kept else buffer.last)
    placed: list[tuple[int, int, Buffer]] = []
    total = 0
    for buffer in sorted(alone, key=lambda b: -b.size):
        first, last = spans[id(buffer)]
        size = -(-buffer.size // ALIGNMENT) * ALIGNMENT
        offset = 0
        for start, stop, other in placed:
            low, high = spans[id(other)]
            if low <= last and first <= high and offset + size > start and offset < stop:
                offset = stop
        buffer.address = offset
        placed.append((offset, offset + size, buffer))
        placed.sort(key=lambda entry: entry[:2])
        total = max(total, offset + size)
    for buffer in buffers:
        buffer.address = owner(buffer).address
    return total


def owner(buffer: Buffer) -> Buffer:
    """The buffer whose place a buffer takes, itself if it has its own."""
    while buffer.shares is not None:
        buffer = buffer.shares
    return buffer
