"""Where an array's elements are, as the number that compiled kernels take."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_size_t
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# CPython's objects begin with a count and a type, NumPy's arrays go on with their address.
_DATA = object.__basicsize__
_word = c_size_t.from_address


def _quick(array: Array) -> int:
    return _word(id(array) + _DATA).value


def _plain(array: Array) -> int:
    return array.ctypes.data


def _works() -> bool:
    tried = np.zeros(3)
    return _quick(tried) == tried.ctypes.data and _quick(tried[1:]) == tried[1:].ctypes.data


#: The address of an array's first element; a fifth of the time that ``array.ctypes.data`` takes.
address: Callable[[Array], int] = _quick if _works() else _plain
