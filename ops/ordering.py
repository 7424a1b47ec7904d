"""The order of elements, by integer keys: what sort, top-k and their like are made of.

A key is an integer that orders as its element does. Keys of 32 bits go together with their
places into one number of 64, which NumPy sorts and partitions several times faster than it finds
a stable order, and which is never equal to another: equal elements keep their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import Array

_LONG = 2048  # elements of a row from which rows are sorted one by one
_PIECE = 1 << 15


def keys_of(xp: Any, x: Array) -> Array:
    """int32 or int64 keys; nan is above all numbers, and -0 is 0."""
    kind, size = x.dtype.kind, x.dtype.itemsize
    if kind in "iub" and x.dtype != np.uint64:
        return x.astype(np.int64 if size == 8 or x.dtype == np.uint32 else np.int32)
    if kind == "u":
        return (x ^ np.uint64(1 << 63)).view(np.int64)
    whole, most = (np.int64, 2**63 - 1) if size == 8 else (np.int32, 2**31 - 1)
    numbers = x.astype(np.float64 if size == 8 else np.float32) + 0  # -0 becomes 0
    bits = numbers.view(whole)
    found = bits ^ ((bits >> (8 * bits.itemsize - 1)) & whole(most))
    return xp.where(numbers != numbers, whole(most), found)


def order_of(xp: Any, input: Array, dim: int, descending: bool) -> Array:
    """The stable order of elements along a dimension; nan counts as the largest."""
    return first_of(xp, input, dim, input.shape[dim], descending)


def first_of(xp: Any, input: Array, dim: int, count: int, descending: bool) -> Array:
    """The first ``count`` of :func:`order_of`."""
    if input.dtype.kind == "c":
        return xp.take(_stable(xp, input, dim, descending), xp.arange(count), axis=dim)
    moved = xp.moveaxis(input, dim, -1)
    if moved.shape[-1] < _LONG or moved.ndim == 1:
        found = _first(xp, moved, count, descending)
    else:  # row by row, in the cache
        found = xp.empty((*moved.shape[:-1], count), np.int64)
        for place in np.ndindex(*moved.shape[:-1]):
            found[place] = _first(xp, moved[place], count, descending)
    return xp.moveaxis(found, -1, dim)


def _first(xp: Any, x: Array, count: int, descending: bool) -> Array:
    """Along the last dimension."""
    size = x.shape[-1]
    few = 0 < count <= size // 2
    if few and x.ndim == 1 and size >= _LONG and x.dtype.itemsize <= 4 and x.dtype != np.uint32:
        return _first_of_row(xp, x, count, descending)
    keys = keys_of(xp, x)
    keys = ~keys if descending else keys
    if keys.dtype != np.int32 or size >= 2**31:
        return _by_argsort(xp, keys)[..., :count]
    placed = _placed(xp, keys)
    if few:
        placed.partition(count - 1, axis=-1)
        placed = placed[..., :count]
    placed.sort(axis=-1)
    return placed[..., :count] & 0xFFFFFFFF


def _first_of_row(xp: Any, x: Array, count: int, descending: bool) -> Array:
    """A piece at a time, in the cache: what is not after the last of the best so far joins them."""
    best, piece = xp.empty(0, np.int64), max(_PIECE, 4 * count)
    for start in range(0, len(x), piece):
        keys = keys_of(xp, x[start : start + piece])
        keys = ~keys if descending else keys
        if len(best) == count:
            last = best[count - 1] >> 32
        else:
            last = xp.partition(keys, min(count, len(keys)) - 1)[min(count, len(keys)) - 1]
        places = xp.flatnonzero(keys <= last)
        best = xp.concatenate([best, (keys[places].astype(np.int64) << 32) | (places + start)])
        if len(best) > count:
            best.partition(count - 1)
            best = best[:count]
    best.sort()
    return best & 0xFFFFFFFF


def _by_argsort(xp: Any, keys: Array) -> Array:
    """Numbers of 64 bits; a stable sort takes longer and is needed for equal ones only."""
    order = xp.argsort(keys, axis=-1)
    found = xp.take_along_axis(keys, order, -1)
    if (found[..., 1:] == found[..., :-1]).any():
        return xp.argsort(keys, axis=-1, kind="stable")
    return order


def _placed(xp: Any, keys: Array) -> Array:
    """Keys in the high half, places in the low one."""
    placed = keys.astype(np.int64)
    placed <<= 32
    placed |= xp.arange(keys.shape[-1])
    return placed


def _stable(xp: Any, input: Array, dim: int, descending: bool) -> Array:
    if not descending:
        return xp.argsort(input, axis=dim, kind="stable")
    # From back to front, sorted, and back again: equal elements keep their order.
    n = input.shape[dim]
    back = xp.argsort(xp.flip(input, dim), axis=dim, kind="stable")
    return n - 1 - xp.flip(back, dim)
