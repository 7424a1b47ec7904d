"""Products of tensors with weights of few bits or of 16: the kernels' words, and who calls them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...threads import get_num_threads
from ..kernels import kernel
from .brgemm import SPLIT_PANELS, product
from .brgemm import Spec as ProductSpec
from .fused import SOURCES
from .gemm import tiles
from .halves import has
from .llvm import made_by
from .lowbit import Spec, Weights, rows_ir, spread_ir, tile_rows
from .lowbit_panels import panels_ir, room, tile_of
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_LEAST = 4096  # weights of 16 bits below which NumPy is as quick
MANY = 12  # rows of x from which on panels are made float32
_HALVES = ("float16", "bfloat16")
_Kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


@dataclass(frozen=True)
class Operands:
    """W as arrays: codes, and for less than 16 bits scales and perhaps zero points."""

    codes: Array
    scales: Array | None
    zeros: Array | None
    weights: Weights
    n: int
    k: int

    @property
    def row(self) -> int:
        """The length of a row of codes: bytes, or numbers of 16 bits."""
        return self.codes.size // max(self.n, 1)

    @property
    def groups(self) -> int:
        return 0 if self.scales is None else self.scales.size // max(self.n, 1)

    @property
    def pieces(self) -> int:
        """The pieces of k, the last of which may be in part."""
        return -(-self.k // self.weights.piece)

    @property
    def cut(self) -> tuple[int, int]:
        """The whole pieces, and the numbers in the last."""
        return divmod(self.k, self.weights.piece)


def operands(
    codes: Array, scales: Array, zeros: Array | None, bits: int, group: int, k: int
) -> Operands | str:
    """W for the kernels, or why they do not take it."""
    if group < 16 or group & (group - 1):
        return f"groups of {group}; it is for powers of two from 16 on"
    if codes.dtype != np.uint8 or 0 in codes.shape or k == 0:
        return "codes that are no bytes, or none"
    readable = ("float32", *(d for d in _HALVES if has(d)))
    scales = scales if scales.dtype.name in readable else scales.astype(np.float32)
    if zeros is not None and zeros.dtype.name not in (*readable, "uint8"):
        zeros = zeros.astype(np.float32)
    zero = "" if zeros is None else zeros.dtype.name
    return Operands(
        np.ascontiguousarray(codes), np.ascontiguousarray(scales),
        None if zeros is None else np.ascontiguousarray(zeros),
        Weights(bits, group, scales.dtype.name, zero), len(codes), k,
    )  # fmt: skip


def halves(weight: Array) -> Operands:
    """W ``(n, k)`` of float16 or bfloat16."""
    whole = np.ascontiguousarray(weight)
    return Operands(whole, None, None, Weights(16, 0, weight.dtype.name), *weight.shape)


def times(x: Array, w: Operands, bias: Array | None = None) -> Array:
    """``x @ W.T + bias`` of rows, in float32."""
    m = len(x)
    out = np.empty((m, w.n), np.float32)
    if not m:
        return out
    return (_by_panels if m >= MANY else _by_rows)(x, w, bias, out)


def _at(array: Array | None) -> int:
    return 0 if array is None else address(array)


def _shares(work: int, units: int) -> int:
    """How many parts work is worth."""
    return max(1, min(get_num_threads(), work // 500_000, units))


def _by_rows(x: Array, w: Operands, bias: Array | None, out: Array) -> Array:
    m, k = x.shape
    if x.dtype.name not in SOURCES:
        x = x.astype(np.float32)
    x = np.ascontiguousarray(x)
    length = w.pieces * w.weights.piece
    spread = np.empty((m, length), np.float32)
    starts = np.arange(0, m * k, k, dtype=np.int32)
    words = [_at(spread), _at(x), _at(starts), m, k, w.pieces]
    run_parts(made_by(spread_ir, w.weights, x.dtype.name), np.array(words, np.int64), 1)
    term = np.zeros(w.n, np.float32) if bias is None else bias.astype(np.float32, copy=False)
    term = np.ascontiguousarray(term)
    rows, large, small = tiles(m, tile_rows()[1])
    words = [
        _at(out), _at(spread), _at(w.codes), _at(w.scales), _at(w.zeros), _at(term), w.n, length,
        w.row, w.groups, w.n, *w.cut, large, small,
    ]  # fmt: skip
    parts = _shares(m * w.n * k, w.n // tile_rows()[0])
    run_parts(made_by(rows_ir, Spec(w.weights, rows)), np.array(words, np.int64), parts)
    return out


def _by_panels(x: Array, w: Operands, bias: Array | None, out: Array) -> Array:
    m, k = x.shape
    x = np.ascontiguousarray(x, dtype=np.float32)
    tile = tile_of()
    count = -(-w.n // tile.columns)
    wide = np.zeros(count * tile.columns, np.float32)
    if bias is not None:
        wide[: w.n] = bias
    rows, large, small = tiles(m, tile.rows)
    starts = [np.arange(m, dtype=np.int32) * n for n in (k, w.n)]
    tap = np.zeros(1, np.int64)
    block = max(1, (448 << 10) // (4 * k * tile.rows))
    words = [
        _at(out), _at(x), 0, _at(wide), _at(starts[0]), _at(starts[1]), _at(tap), 1, k, w.n, large,
        small, count, block, SPLIT_PANELS, 1, 0,
    ]  # fmt: skip
    given = np.array(words, np.int64)
    parts = _shares(m * w.n * k, count)
    size = room(w.weights, k)
    memory = np.empty(parts * size, np.uint8)
    outer = [
        _at(given), product(ProductSpec(tile, rows)), _at(memory), size, parts, _at(w.codes),
        _at(w.scales), _at(w.zeros), w.row, w.groups, w.n, k, *w.cut, count,
    ]  # fmt: skip
    run_parts(made_by(panels_ir, w.weights, len(words)), np.array(outer, np.int64), parts)
    return out


def takes_quantized_linear(
    input: Array, codes: Array, scales: Array, zeros: Array | None = None,
    bias: Array | None = None, bits: int = 4, group_size: int = 32,
) -> str | None:  # fmt: skip
    """Why the kernel does not take weights of few bits."""
    if input.ndim == 0 or codes.ndim != 2 or not len(codes) or bits not in (2, 3, 4, 8):
        return "shapes or bits that do not fit"
    if input.dtype.name not in ("float32", *_HALVES):
        return f"{input.dtype}"
    found = operands(codes, scales, zeros, bits, group_size, input.shape[-1])
    if isinstance(found, str):
        return found
    count = -(-found.k // group_size)
    shapes = [(len(codes), count * group_size * bits // 8), *[(len(codes), count)] * 2]
    given = [codes.shape, scales.shape, shapes[2] if zeros is None else zeros.shape]
    fits = given == shapes and (bias is None or bias.shape == codes.shape[:1])
    return None if fits else "shapes that do not fit"


@kernel("numba", "quantized_linear", when=takes_quantized_linear)
def few_bits(
    input: Array, codes: Array, scales: Array, zeros: Array | None = None,
    bias: Array | None = None, bits: int = 4, group_size: int = 32,
) -> Array:  # fmt: skip
    """Rows times packed weights, which are never float32 as a whole."""
    found = operands(codes, scales, zeros, bits, group_size, input.shape[-1])
    assert not isinstance(found, str)
    return _shaped(input, found, bias)


def _shaped(input: Array, w: Operands, bias: Array | None = None) -> Array:
    rows = times(input.reshape(-1, input.shape[-1]), w, bias)
    return rows.reshape(*input.shape[:-1], w.n).astype(input.dtype, copy=False)


def takes_half_linear(input: Array, weight: Array, bias: Array | None = None) -> str | None:
    """Why the kernel does not take a layer of 16-bit floats."""
    if weight.dtype.name not in _HALVES or not has(weight.dtype.name):
        return f"{weight.dtype}; it is for float16 and bfloat16"
    if input.ndim == 0 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        return "vectors, or shapes that do not fit"
    if any(a.dtype != weight.dtype for a in (input, *(() if bias is None else (bias,)))):
        return "several dtypes"
    if bias is not None and bias.shape != weight.shape[:1]:
        return "a bias of another shape"
    return "little work" if weight.size < _LEAST or not input.size else None


@kernel("numba", "nn.functional.linear", when=takes_half_linear)
def half_linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """Rows times the transposed weights of 16 bits, in float32, and the bias, rounded once."""
    return _shaped(input, halves(weight), bias)


def takes_half_matmul(input: Array, other: Array) -> str | None:
    """Why the kernel does not take 16-bit floats; W's rows must lie in one piece."""
    if other.ndim != 2 or other.strides[0] != other.itemsize:
        return "a right matrix that is no transposed one"
    return takes_half_linear(input, other.T)


@kernel("numba", "matmul", when=takes_half_matmul, min_size=512)
def half_matmul(input: Array, other: Array) -> Array:
    """A batch of rows times a transposed matrix of 16-bit floats."""
    return _shaped(input, halves(other.T))


@kernel("numba", "mm", when=lambda input, mat2: takes_half_matmul(input, mat2), min_size=512)
def half_mm(input: Array, mat2: Array) -> Array:
    """A matrix times a transposed matrix of 16-bit floats."""
    return _shaped(input, halves(mat2.T))
