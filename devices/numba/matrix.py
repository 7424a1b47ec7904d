"""Matrix products of tensors: the shapes that the kernels of :mod:`.gemm` are worth it for."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..kernels import kernel
from .gemm import KINDS, gemm, pack, pieces

Array = np.ndarray[Any, Any]
_LEAST = 1_000_000  # multiplications below which NumPy's shorter call is quicker
_ROWS = 8  # below this, packing the other matrix takes as long as the product


def _reason(a: Array, b: Array, rows: int, columns: int) -> str | None:
    if a.dtype not in KINDS or a.dtype != b.dtype:
        return f"{a.dtype} and {b.dtype}; it is for float32 or float64"
    if rows < _ROWS or columns < _ROWS:
        return f"{rows} rows and {columns} columns; worth it from {_ROWS}"
    if rows * columns * a.shape[-1] < _LEAST:
        return "so little work that NumPy is as quick"
    return None


def takes_matmul(input: Array, other: Array) -> str | None:
    """Why the kernel does not take two tensors."""
    if input.ndim < 2 or other.ndim != 2:
        return "vectors, or a batch of matrices on the right"
    if input.shape[-1] != other.shape[0]:
        return "shapes that do not fit"
    return _reason(input, other, prod(input.shape[:-1]), other.shape[1])


def takes_linear(input: Array, weight: Array, bias: Array | None = None) -> str | None:
    """Why the kernel does not take a layer's arguments."""
    if input.ndim < 2 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        return "vectors, or shapes that do not fit"
    if bias is not None and (bias.shape != weight.shape[:1] or bias.dtype != input.dtype):
        return "a bias of another shape or dtype"
    return _reason(input, weight, prod(input.shape[:-1]), len(weight))


def _rows(a: Array) -> Array:
    """A matrix of the last dimension's rows, each of them in one piece and the next above it."""
    flat = a.reshape(-1, a.shape[-1])
    whole = flat.strides[1] == a.itemsize and flat.strides[0] >= flat.shape[1] * a.itemsize
    return flat if whole else np.ascontiguousarray(flat)


def _panels(b: Array) -> Any:
    """A matrix in panels, copied first if neither its rows nor its columns are in one piece."""
    steps = [(b.strides[i], b.strides[1 - i], b.shape[i]) for i in (1, 0)]
    whole = any(s == b.itemsize and row >= n * s for s, row, n in steps)
    return pack(b if whole else np.ascontiguousarray(b))


def _product(a: Array, b: Array, bias: Array | None = None) -> Array:
    """``a @ b + bias``, long sums in pieces."""
    cuts = pieces(len(a), len(b), a.itemsize)
    total = gemm(a[:, : cuts[0][1]], _panels(b[: cuts[0][1]]), bias)
    for start, stop in cuts[1:]:
        total += gemm(a[:, start:stop], _panels(b[start:stop]))
    return total


@kernel("numba", "matmul", when=takes_matmul, min_size=1024)
def packed_matmul(input: Array, other: Array) -> Array:
    """A matrix, or a batch of them, times one matrix."""
    return _product(_rows(input), other).reshape(*input.shape[:-1], other.shape[1])


@kernel("numba", "mm", when=takes_matmul, min_size=1024)
def packed_mm(input: Array, mat2: Array) -> Array:
    """The product of two matrices."""
    return _product(_rows(input), mat2)


@kernel("numba", "nn.functional.linear", when=takes_linear, min_size=1024)
def packed_linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """Rows times the transposed weights, and the bias, in one pass."""
    return _product(_rows(input), weight.T, bias).reshape(*input.shape[:-1], len(weight))
