"""Python numbers as elements of a dtype: they wrap around in arithmetic, must fit in memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import bool_, finfo, from_numpy, iinfo
from ..dtypes import dtype as Dtype
from ..errors import DTypeError, OperatorError
from .registry import Array


def wrapped(value: Any, dtype: np.dtype[Any]) -> Array:
    """The 0-d array of a number in an operation; integers that are too large wrap around.

    >>> wrapped(300, np.dtype("uint8"))
    array(44, dtype=uint8)
    """
    try:
        return np.array(value, dtype)
    except OverflowError:
        return np.array(value).astype(dtype)


def element(xp: Any, value: Any, dtype: np.dtype[Any], name: str) -> Array:
    """A number, or a 0-d array, as it is written into memory of a dtype.

    Floats lose their fraction in integers, and negative numbers wrap around in unsigned ones.
    Raises OperatorError for numbers that do not fit, DTypeError for complex ones among real.

    >>> element(np, -1, np.dtype("uint8"), "fill_")
    array(255, dtype=uint8)
    """
    target = from_numpy(dtype)
    from ..convert import cast_array

    if hasattr(value, "dtype"):
        return cast_array(value, target)
    if target is bool_:
        return xp.asarray(bool(value))
    if isinstance(value, complex) and not target.is_complex:
        raise DTypeError(f"{name}: the complex number {value} does not fit into {target.name}")
    if not fits(value, target):
        raise OperatorError(f"{name}: {value} does not fit into {target.name}; use a wider dtype")
    if target.native:
        return xp.asarray(wrapped(int(value) if target.is_integral else value, dtype))
    return xp.asarray(cast_array(np.asarray(value), target))


def fits(value: Any, target: Dtype) -> bool:
    """Whether a dtype holds a number, its fraction aside; infinity fits into all floats."""
    if target.is_integral:
        limits = iinfo(target)
        whole = limits.min == 0 and isinstance(value, int)  # negative ones wrap around
        low = -limits.max if whole else limits.min
        return math.isfinite(value) and low <= value <= limits.max
    if target.itemsize == 1:
        return True
    parts = (value.real, value.imag)
    return all(abs(p) <= finfo(target).max for p in parts if math.isfinite(p))
