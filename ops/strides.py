"""Views with other sizes and steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .registry import Array


def strided(xp: Any, array: Array, shape: Sequence[int], strides: Sequence[int]) -> Array:
    """A writable view with other sizes and steps (in bytes)."""
    tricks = xp.lib.stride_tricks
    if xp is np:
        return tricks.as_strided(
            array, tuple(shape), tuple(strides), writeable=array.flags.writeable
        )
    return tricks.as_strided(array, tuple(shape), tuple(strides))
