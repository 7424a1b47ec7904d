"""Copies of tensors into one piece: squares are turned in registers."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from ..buffers import empty
from ..kernels import kernel
from .copying import Spec, arranged, copier
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_Kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_PART = 1 << 16  # elements for a thread
_SIZES = (1, 2, 4, 8)


@cache
def _copier(spec: Spec) -> Any:
    return _Kernel(copier(spec))


def takes_clone(input: Array, *, memory_format: Any = None) -> str | None:
    """Why the kernel does not take a copy's arguments."""
    if memory_format != "contiguous_format" or input.flags.c_contiguous:
        return "elements that lie as they are to"
    if input.dtype.hasobject or input.itemsize not in _SIZES:
        return f"{input.dtype}"
    if any(step % input.itemsize for step in input.strides):
        return "strides that are no number of elements"
    return None


@kernel("numba", "clone", when=takes_clone, min_size=4096)
def contiguous_copy(input: Array, *, memory_format: Any = None) -> Array:
    """The elements one after another."""
    out, size = empty(input.shape, input.dtype), input.itemsize
    to, from_ = ([s // size for s in x.strides] for x in (out, input))
    spec, numbers = arranged(input.shape, to, from_, size)
    block = np.array([address(out), address(input), *numbers], np.int64)
    run_parts(copier(spec), block, input.size // _PART)
    return out
