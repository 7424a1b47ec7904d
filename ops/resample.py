"""Resampling of arrays along one dimension: which elements, with which weights.

Coordinates are computed in the precision of the data (float32 for float32), as PyTorch does;
otherwise an element would now and then be taken from the other neighbour.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import Array

Taps = tuple[Any, Any]  # indices and weights, (taps, size of the result) each


def step(size: int, count: int, factor: float | None, corners: bool, dtype: Any) -> Any:
    """How far neighbours in the result lie apart in the input."""
    if corners:
        return dtype(size - 1) / dtype(count - 1) if count > 1 else dtype(0)
    return dtype(1 / factor) if factor else dtype(size) / dtype(count)


def nearest_indices(size: int, count: int, factor: float | None, exact: bool) -> Any:
    """The element that is taken for each of the result; in float32, whatever the data.

    >>> nearest_indices(2, 4, None, False)
    array([0, 0, 1, 1])
    """
    places = np.arange(count, dtype=np.float32) + np.float32(0.5 if exact else 0)
    found = np.floor(places * step(size, count, factor, False, np.float32))
    return np.clip(found, 0, size - 1).astype(np.int64)


def _sources(size: int, count: int, factor: float | None, corners: bool, dtype: Any) -> Any:
    """Where each element of the result lies in the input."""
    distance = step(size, count, factor, corners, dtype)
    places = np.arange(count, dtype=dtype)
    return places * distance if corners else (places + dtype(0.5)) * distance - dtype(0.5)


def linear_taps(size: int, count: int, factor: float | None, corners: bool, dtype: Any) -> Taps:
    """Two neighbours and their weights."""
    if size == count:
        return np.arange(count)[None], np.ones((1, count), dtype)
    source = np.maximum(_sources(size, count, factor, corners, dtype), 0)
    low = np.minimum(source.astype(np.int64), size - 1)
    far = np.clip(source - low.astype(dtype), 0, 1)
    return np.stack([low, np.minimum(low + 1, size - 1)]), np.stack([1 - far, far])


def cubic_taps(size: int, count: int, factor: float | None, corners: bool, dtype: Any) -> Taps:
    """Four neighbours, by Keys' convolution with a = -0.75."""
    source = _sources(size, count, factor, corners, dtype)
    low = np.floor(source)
    far = source - low
    distances = np.stack([far + 1, far, 1 - far, 2 - far])
    indices = low.astype(np.int64) + np.arange(-1, 3)[:, None]
    return np.clip(indices, 0, size - 1), keys_cubic(np, distances, -0.75)


def keys_cubic(xp: Any, x: Any, a: float) -> Any:
    """Keys' cubic convolution kernel at distances x >= 0 (IEEE Trans. ASSP 29(6), 1981)."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return xp.where(x <= 1, near, xp.where(x < 2, far, 0)).astype(x.dtype)


def smooth_taps(
    size: int, count: int, factor: float | None, corners: bool, cubic: bool, dtype: Any
) -> Taps:
    """All elements under a triangle (or Keys' cubic, a = -0.5) as wide as a step: antialiasing."""
    distance = step(size, count, factor, corners, dtype)
    stretch = max(distance, dtype(1))
    reach = dtype(2 if cubic else 1) * stretch
    centers = (np.arange(count, dtype=dtype) + dtype(0.5)) * distance
    first = np.maximum((centers - reach + dtype(0.5)).astype(np.int64), 0)
    last = np.minimum((centers + reach + dtype(0.5)).astype(np.int64), size)
    indices = first + np.arange(max(int((last - first).max()), 1))[:, None]
    x = abs((indices.astype(dtype) - centers + dtype(0.5)) / stretch)
    weights = keys_cubic(np, x, -0.5) if cubic else np.maximum(1 - x, 0)
    weights = np.where(indices < last, weights, 0)
    total = weights.sum(0)
    weights = weights / np.where(total == 0, 1, total)
    return np.minimum(indices, size - 1), weights.astype(dtype)


def blend(xp: Any, x: Array, axis: int, taps: Taps) -> Array:
    """The weighted sums of elements along one dimension."""
    indices, weights = taps
    spread = [1] * x.ndim
    spread[axis] = -1
    total = None
    for index, weight in zip(indices, weights, strict=True):
        part = xp.take(x, xp.asarray(index), axis=axis)
        if total is not None and not weight.any():
            continue
        part *= xp.asarray(weight.astype(x.dtype)).reshape(spread)
        total = part if total is None else xp.add(total, part, out=total)
    return total


def blend_uint8(xp: Any, x: Array, axis: int, taps: Taps) -> Array:
    """:func:`blend` in integers: weights of 16 bits, sums rounded and held in 0 to 255.

    It is how PyTorch and Pillow resize images: the result is exact, and rounded per dimension.
    """
    indices, weights = taps
    bits = 0
    while bits < 22 and int(0.5 + weights.max() * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    whole = np.where(weights < 0, -0.5, 0.5) + weights * (1 << bits)
    sums = blend(xp, x.astype(np.int32), axis, (indices, whole.astype(np.int32)))
    return xp.clip((sums + (1 << (bits - 1))) >> bits, 0, 255).astype(np.uint8)
