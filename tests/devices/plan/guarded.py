"""Plans whose every buffer ends, or begins, at a page that nobody may touch.

A kernel that reads or writes one byte too far kills the process, so that this runs in one of its
own: ``python guarded.py end 0 40`` runs the random networks of seeds 0 to 39.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlite.devices.numba.plan import plan as plans
from tensorlite.devices.numba.plan.arena import owner
from tensorlite.devices.numba.plan.builder import Builder

PAGE = mmap.PAGESIZE
_NONE = 0


class Guards:
    """Hands out memory next to forbidden pages, and takes the place of a plan's arena."""

    def __init__(self, end: bool) -> None:
        self.end = end
        self.maps: list[tuple[mmap.mmap, Any]] = []
        self.protect = ctypes.CDLL(None, use_errno=True).mprotect
        self.protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def take(self, size: int) -> int:
        """The address of so many bytes, full of NaN."""
        whole = -(-max(size, 1) // PAGE) * PAGE
        made = mmap.mmap(-1, whole + 2 * PAGE)
        held = ctypes.c_char.from_buffer(made)
        self.maps.append((made, held))
        base = ctypes.addressof(held)
        ctypes.memset(base + PAGE, 0xFF, whole)
        for page in (base, base + PAGE + whole):
            assert self.protect(page, PAGE, _NONE) == 0
        return base + PAGE + (whole - size if self.end else 0)

    def lay_out(self, buffers: Sequence[Any], end: int) -> int:
        """Instead of places in one arena: each buffer has pages of its own."""
        for buffer in buffers:
            if buffer.shares is None:
                buffer.address = self.take(buffer.size)
        for buffer in buffers:
            buffer.address = owner(buffer).address
        return 0

    def constants(self, builder: Builder) -> None:
        """Moves the arrays of constants that kernels read next to forbidden pages."""
        words = [w for step in builder.steps for w in getattr(step, "words", ())]
        words += [w for _, block in builder.blocks for w in block]
        kept = (*builder.errors, *builder.blocks)  # what is written to later stays in its place
        written = {array.ctypes.data for array, _ in kept}
        for word in words:
            array = getattr(getattr(word, "buffer", None), "array", None)
            if array is None or array.dtype.hasobject or not array.flags.c_contiguous:
                continue
            if array.ctypes.data in written or not array.nbytes:
                continue
            memory = (ctypes.c_uint8 * array.nbytes).from_address(self.take(array.nbytes))
            moved = np.frombuffer(memory, array.dtype).reshape(array.shape)
            moved[...] = array
            word.buffer.array = moved
            written.add(moved.ctypes.data)

    def install(self) -> None:
        """From here on all plans of this process are guarded."""
        build, guards = Builder.build, self

        def guarded(builder: Builder) -> None:
            build(builder)
            guards.constants(builder)

        class NoArena:
            def __init__(self, size: int) -> None:
                self.size, self.address = 0, 0

        Builder.build = guarded  # type: ignore[method-assign]
        plans.lay_out = guards.lay_out
        plans.Arena = NoArena  # type: ignore[assignment,misc]


def main(side: str, first: int, last: int) -> None:
    """Runs random networks; says which one before each, for the case that it is the last."""
    from test_random_networks import compare

    faulthandler.enable()
    guards = Guards(side == "end")
    guards.install()
    for seed in range(first, last):
        print(f"seed {seed}", file=sys.stderr, flush=True)
        compare(seed)
        guards.maps.clear()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
