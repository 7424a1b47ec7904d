"""The order of elements in memory: memory formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError, ShapeError
from .registry import Array

_RANKS = {"channels_last": 4, "channels_last_3d": 5}


def laid_out(array: Array, memory_format: Any, make: Callable[[Array, str], Array]) -> Array:
    """``make(array, order)``, with the memory of what it gives in the order of a format.

    ``make`` is NumPy's ``empty_like``, ``copy``...: its order is "C", or "K" for that of the array.
    """
    name = "preserve_format" if memory_format is None else str(memory_format).rpartition(".")[2]
    if name == "preserve_format":
        # Where elements share memory (a step of 0), no dense order is the array's own.
        return make(array, "C" if 0 in array.strides else "K")
    if name == "contiguous_format":
        return make(array, "C")
    if name not in _RANKS:
        raise ArgumentError(f"{memory_format!r} is no memory format")
    if array.ndim != _RANKS[name]:
        raise ShapeError(
            f"{name}: expected {_RANKS[name]} dimensions, got shape {tuple(array.shape)}"
        )
    last = array.ndim - 1
    made = make(array.transpose(0, *range(2, last + 1), 1), "C")
    return made.transpose(0, last, *range(1, last))
