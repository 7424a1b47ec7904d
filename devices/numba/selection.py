"""Top-k: the best so far in a heap, and blocks of a row that hold nothing better are passed over.

A heap has the worst of the best at its root. Elements are compared as keys that order as they do
(nan above all, -0 as 0); of equal ones the first is better. Which blocks to look at is asked with
one comparison an element, sixteen at a time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ...ops.dims import normalize_dim
from ...ops.sorting import TopK
from ..kernels import kernel
from .jit import jit
from .memory import address
from .threads import Native

Array = np.ndarray[Any, Any]
_MOST = 2048  # elements of a heap, which is then in the nearest cache
_PART = 100_000  # elements below which another thread is not worth waking


@jit("f4* i4* i4* i8* i8 i8 i8 i8 i8")
def _select(
    x: Any, bits: Any, keys: Any, places: Any, n: Any, k: Any, sign: Any, first: Any, last: Any
) -> None:
    """Rows ``first`` to ``last``; ``keys`` and ``places`` are the heap, then bits and places."""

    def sink(keys: Any, places: Any, heap: Any, size: Any, key: Any, place: Any) -> None:
        """Puts an element in the root's place, and below what is worse."""
        spot = 0
        while 2 * spot + 1 < size:
            child = 2 * spot + 1
            other = child + 1
            if other < size and (
                keys[heap + other] < keys[heap + child]
                or (
                    keys[heap + other] == keys[heap + child]
                    and places[heap + other] > places[heap + child]
                )
            ):
                child = other
            if keys[heap + child] > key or (
                keys[heap + child] == key and places[heap + child] < place
            ):
                break
            keys[heap + spot] = keys[heap + child]
            places[heap + spot] = places[heap + child]
            spot = child
        keys[heap + spot] = key
        places[heap + spot] = place

    most = 2147483647
    side = np.float32(sign)
    for row in range(first, last):
        at, heap = row * n, row * k
        worst, limit = 0, np.float32(0)
        for start in range(0, n, 128):
            stop = min(start + 128, n)
            better = 1
            if start >= k:
                better = 0
                for i in range(start, stop):
                    better += 0 if x[at + i] * side <= limit else 1
            if not better:
                continue
            for i in range(start, stop):
                key = int(bits[at + i])
                size = key & most
                if size > 2139095040:  # nan
                    key = most
                elif key < 0:
                    key = -size
                if sign < 0:
                    key = -1 - key
                if i < k:  # the heap grows
                    child = i
                    while child > 0:
                        parent = (child - 1) // 2
                        if keys[heap + parent] < key:
                            break
                        keys[heap + child] = keys[heap + parent]
                        places[heap + child] = places[heap + parent]
                        child = parent
                    keys[heap + child] = key
                    places[heap + child] = i
                elif key > worst:
                    sink(keys, places, heap, k, key, i)
                if i + 1 >= k:
                    worst = int(keys[heap])
                    limit = x[at + places[heap]] * side
        for end in range(k - 1, 0, -1):  # the worst goes to the end, again and again
            worst_place = places[heap]
            sink(keys, places, heap, end, int(keys[heap + end]), places[heap + end])
            places[heap + end] = worst_place
        for i in range(k):
            keys[heap + i] = bits[at + places[heap + i]]


@cache
def _rows() -> Native:
    return Native(_select.address(), "ppppiii")


def takes_topk(
    input: Array, k: Any, dim: int = -1, largest: bool = True, sorted: bool = True
) -> str | None:
    """Why the kernel does not take a top-k."""
    if input.dtype != np.float32 or not input.flags.c_contiguous:
        return f"{input.dtype}, or gaps between the elements; it is for float32"
    if not input.ndim or normalize_dim(dim, input.ndim, "topk") != input.ndim - 1:
        return "not along the last dimension"
    if not 0 < int(k) <= min(input.shape[-1] // 8, _MOST):
        return f"more than an eighth of the elements, or than {_MOST}"
    return None


@kernel("numba", "topk", when=takes_topk, min_size=256)
def selected_topk(
    input: Array, k: Any, dim: int = -1, largest: bool = True, sorted: bool = True
) -> TopK:
    """The best of each row, in order."""
    n, count = input.shape[-1], int(k)
    shape = (*input.shape[:-1], count)
    values, places = np.empty(shape, np.float32), np.empty(shape, np.int64)
    _rows().over(
        input.size // n, _PART // n + 1, address(input), address(input), address(values),
        address(places), n, count, 1 if largest else -1,
    )  # fmt: skip
    return TopK(values, places)
