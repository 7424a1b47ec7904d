"""Where a plan's values are: buffers, views of them, and the steps that read and write them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
ALIGNMENT = 64  # bytes: a line of the cache, and the longest vector


@dataclass(eq=False)
class Buffer:
    """Memory of a value: a constant's array, or a place in the arena.

    ``first`` and ``last`` are the steps between which it is needed.
    """

    size: int
    array: Array | None = None
    first: int = -1
    last: int = -1
    address: int = 0
    kept: bool = False  # beyond the last step, for it is an output
    shares: Buffer | None = None  # takes this one's place, whose last reader writes it


@dataclass(frozen=True, eq=False)
class View:
    """Elements in a buffer: the offset is in bytes, strides are in elements."""

    buffer: Buffer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int = 0

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def place(self) -> Place:
        return Place(self.buffer, self.offset)

    def dense(self) -> bool:
        """Whether its elements fill a piece of memory, in some order of the dimensions."""
        steps = sorted((s, n) for s, n in zip(self.strides, self.shape, strict=True) if n != 1)
        expected = 1
        for step, size in steps:
            if step != expected:
                return False
            expected *= size
        return True

    def contiguous(self) -> bool:
        """Whether its elements lie one after another in the order of the dimensions."""
        expected = 1
        for step, size in zip(reversed(self.strides), reversed(self.shape), strict=True):
            if size != 1 and step != expected:
                return False
            expected *= size
        return True

    def array(self) -> Array:
        """The elements as an array, once buffers have addresses."""
        if not self.size:
            return np.empty(self.shape, self.dtype)
        if self.dtype.hasobject:
            assert self.buffer.array is not None
            return self.buffer.array
        if self.buffer.array is not None:
            base = self.buffer.array.reshape(-1).view(np.uint8)[self.offset :]
        else:
            extent = self.extent()
            base = memory(self.buffer.address + self.offset, extent)
        steps = [s * self.dtype.itemsize for s in self.strides]
        return np.ndarray(self.shape, self.dtype, base, strides=steps)

    def extent(self) -> int:
        """Bytes from the first element to the end of the last."""
        reach = sum(s * (n - 1) for s, n in zip(self.strides, self.shape, strict=True))
        return (reach + 1) * self.dtype.itemsize


def memory(address: int, size: int) -> Array:
    """Bytes at an address, as an array that does not own them."""
    return np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))


@dataclass(frozen=True)
class Place:
    """An address within a buffer, known when the arena is laid out."""

    buffer: Buffer
    offset: int = 0


Word = int | Place


@dataclass(eq=False)
class Step:
    """A compiled kernel with its block of words."""

    name: str
    kernel: int
    words: list[Word]
    reads: list[Buffer]
    writes: list[Buffer]
    label: str = ""
    serial: bool = False
    flops: float = 0.0
    moved: int = 0  # bytes read and written
    over: tuple[Buffer, Buffer] | None = None  # a written and a read buffer that may be one
    result: str = ""  # the shape of what it writes


@dataclass(eq=False)
class EagerStep:
    """A call that runs as it was written, on tensors over the arena."""

    name: str
    why: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any
    inputs: dict[int, View]
    results: dict[int, View]
    reads: list[Buffer]
    writes: list[Buffer]
    label: str = ""
    arrays: dict[int, Array] = field(default_factory=dict)
    flops: float = 0.0
    moved: int = 0
    over: None = None
    result: str = ""


def contiguous_strides(shape: Sequence[int], order: Sequence[int] | None = None) -> tuple[int, ...]:
    """Strides of elements that fill memory; ``order`` has the dimensions from outside to inside.

    >>> contiguous_strides((2, 3, 4)), contiguous_strides((2, 3, 4), (0, 2, 1))
    ((12, 4, 1), (12, 1, 3))
    """
    strides = [0] * len(shape)
    step = 1
    for dim in reversed(order if order is not None else range(len(shape))):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return tuple(strides)
