"""Quantised rows: codes, and what they stand for.

The numbers of a part of a tensor are a matrix of ``rows`` by ``columns``. Scales and zero points
are a grid of ``A`` by ``ceil(columns / group)``, where ``A`` is ``rows`` or, for the same in every
row, 1. All arithmetic is in float32, in the order written here, each step rounded to nearest even.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FileFormatError
from ..ops.low_bits import packed, unpacked
from .directory import DTYPES, TensorEntry
from .parallel import compiles, share
from .planes import Plane, check_sums, decode_plane
from .spans import byte_planes, decode_span, whole_plane

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32")
_AT_ONCE = 1 << 16  # numbers that are float32 at one time: what caches hold
_PACKS = (2, 3, 4)  # bits that may be packed


@dataclass
class Codes:
    """Codes of up to 8 bits, a byte each or, where they are packed, without bits between them."""

    plane: Plane
    bits: int
    packed: bool
    columns: int

    @classmethod
    def open(cls, entry: TensorEntry, rows: int, data: Array) -> Codes:
        """Those of a part of a tensor, of the size that its shape says."""
        bits = whole(entry, "bits", 1, 8)
        tight = whole(entry, "packed", 0, 1)
        if tight and bits not in _PACKS:
            raise FileFormatError(f"codes of {bits} bits are not packed")
        count = rows * entry.columns
        size = packed_size(count, bits) if tight else count
        return cls(whole_plane(data, size), bits, bool(tight), entry.columns)

    def rows(self, first: int, last: int, threads: int | None, verify: bool) -> Array:
        """Codes of these rows, a byte each; none is more than its bits allow."""
        begin, end = first * self.columns, last * self.columns
        if not self.packed:
            found = decode_span(self.plane, begin, end, threads, verify)
            if found.size and int(found.max()) >> self.bits:
                raise FileFormatError(f"a code of {found.max()} has more than {self.bits} bits")
        else:
            start, stop = begin // 8, -(-end // 8)
            held = decode_span(self.plane, start * self.bits, stop * self.bits, threads, verify)
            apart = unpacked(np, held.reshape(1, -1), self.bits)[0]
            found = apart[begin - 8 * start : end - 8 * start]
        return found.reshape(last - first, self.columns)


@dataclass
class UniformPart:
    """``(code - zero) * scale``."""

    codes: Codes
    scales: Array  # float32 (A, groups)
    zeros: Array  # float32 (A, groups)
    group: int
    dtype: np.dtype[Any]
    planes: tuple[Plane, ...]

    @classmethod
    def open(cls, entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> UniformPart:
        """The part that these sections have."""
        check_float(entry)
        codes = Codes.open(entry, rows, sections["codes"])
        group = whole(entry, "group", 1, max(entry.columns, 1))
        height = rows if whole(entry, "by_row", 0, 1) else 1
        shape = (height, -(-entry.columns // group))
        scales, planes = _grid(entry, sections["scales"], shape)
        zeros = np.full(shape, 1 << (codes.bits - 1), np.float32)
        if "zeros" in sections:
            plane = whole_plane(sections["zeros"], shape[0] * shape[1])
            zeros = decode_plane(plane, threads=1).reshape(shape).astype(np.float32)
            planes.append(plane)
        return cls(codes, scales, zeros, group, DTYPES[entry.dtype], (codes.plane, *planes))

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where a block was changed."""
        for plane in self.planes:
            check_sums(plane, 0, len(plane.sizes), threads)

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        found = out.view(self.dtype).reshape(last - first, -1)
        codes = self.codes.rows(first, last, threads, verify)

        def run(begin: int, end: int) -> None:
            of = _of(self.scales, first + begin, first + end)
            given = codes[begin:end], self.scales[of], self.zeros[of], found[begin:end]
            if compiles() and found.dtype == np.float32:
                _compiled(*given, self.group)
            else:
                _computed(*given, self.group)

        by_rows(run, last - first, self.codes.columns, threads)


@dataclass
class CodebookPart:
    """``values[code]``, times ``scale`` where there are scales."""

    codes: Codes
    values: Array  # float32 (A, entries)
    scales: Array | None
    group: int
    dtype: np.dtype[Any]
    planes: tuple[Plane, ...]

    @classmethod
    def open(cls, entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> CodebookPart:
        """The part that these sections have."""
        check_float(entry)
        codes = Codes.open(entry, rows, sections["codes"])
        entries = whole(entry, "entries", 1, 1 << codes.bits)
        values, planes = _grid(entry, sections["values"], (entries,))
        group, scales = entry.columns, None
        if "scales" in sections:
            group = whole(entry, "group", 1, max(entry.columns, 1))
            height = rows if whole(entry, "by_row", 0, 1) else 1
            shape = (height, -(-entry.columns // group))
            scales, more = _grid(entry, sections["scales"], shape)
            planes += more
        return cls(codes, values, scales, group, DTYPES[entry.dtype], (codes.plane, *planes))

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where a block was changed."""
        for plane in self.planes:
            check_sums(plane, 0, len(plane.sizes), threads)

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        found = out.view(self.dtype).reshape(last - first, -1)
        codes = self.codes.rows(first, last, threads, verify)
        if codes.size and int(codes.max()) >= len(self.values):
            raise FileFormatError(f"code {codes.max()} has no value in {len(self.values)}")

        def run(begin: int, end: int) -> None:
            near = self.values[codes[begin:end]]
            with np.errstate(all="ignore"):
                if self.scales is not None:
                    scale = self.scales[_of(self.scales, first + begin, first + end)]
                    apart = grouped(near, self.group)
                    apart *= spread(scale, self.group, self.codes.columns)
                found[begin:end] = near.astype(found.dtype)

        by_rows(run, last - first, self.codes.columns, threads)


def by_rows(run: Callable[[int, int], None], rows: int, columns: int, threads: int | None) -> None:
    """Calls ``run(begin, end)`` for a few rows each time, on several threads."""
    step = max(1, _AT_ONCE // max(columns, 1))

    def some(first: int, last: int) -> None:
        for i in range(first, last):
            run(i * step, min((i + 1) * step, rows))

    share(some, -(-rows // step), threads)


def _compiled(codes: Array, scales: Array, zeros: Array, out: Array, group: int) -> None:
    from .dequantize import uniform_rows

    uniform_rows(
        codes.ctypes.data, scales.ctypes.data, zeros.ctypes.data, out.ctypes.data, len(codes),
        codes.shape[1], group, scales.shape[1], int(len(scales) > 1),
    )  # fmt: skip


def _computed(codes: Array, scales: Array, zeros: Array, out: Array, group: int) -> None:
    columns = codes.shape[1]
    near = out if out.dtype == np.float32 else np.empty(out.shape, np.float32)
    apart = grouped(near, group)
    with np.errstate(all="ignore"):  # scales may be infinite, or NaN
        np.subtract(grouped(codes, group), spread(zeros, group, columns), out=apart)
        apart *= spread(scales, group, columns)
        if near is not out:
            out[:] = near.astype(out.dtype)


def _of(grid: Array, first: int, last: int) -> slice:
    return slice(first, last) if len(grid) > 1 else slice(0, 1)


def grouped(matrix: Array, group: int) -> Array:
    """(rows, columns) as (rows, groups, group), where the groups are whole."""
    rows, columns = matrix.shape
    return matrix.reshape(rows, columns // group, group) if columns % group == 0 else matrix


def spread(grid: Array, group: int, columns: int) -> Array:
    """A grid that is broadcast to a matrix that is grouped: (A, groups, 1), or (A, columns)."""
    if columns % group == 0:
        return grid[:, :, None]
    return np.repeat(grid, group, axis=1)[:, :columns]


def packed_size(count: int, bits: int) -> int:
    """The bytes of codes that are packed: whole eights of codes."""
    return -(-count // 8) * bits


def pack(codes: Array, bits: int) -> Array:
    """Codes without bits between them, lowest first, zeros behind the last one."""
    flat = codes.reshape(-1)
    padded = np.zeros((1, -(-flat.size // 8) * 8), np.uint8)
    padded[0, : flat.size] = flat
    return packed(np, padded, bits).reshape(-1)


def whole(entry: TensorEntry, name: str, least: int, most: int) -> int:
    """A parameter that is a whole number from ``least`` to ``most``."""
    found = entry.parameters.get(name)
    if type(found) is not int or not least <= found <= most:
        raise FileFormatError(
            f"parameter {name!r} of scheme {entry.scheme!r}: expected {least} to {most}, got "
            f"{found!r:.50}"
        )
    return found


def check_float(entry: TensorEntry) -> None:
    """Quantised tensors decode to these dtypes."""
    if entry.dtype not in FLOATS:
        raise FileFormatError(f"scheme {entry.scheme!r} makes no numbers of {entry.dtype}")


def _kind(entry: TensorEntry) -> np.dtype[Any]:
    kind = entry.parameters.get("scale_dtype")
    if kind not in FLOATS:
        raise FileFormatError(
            f"parameter 'scale_dtype' of scheme {entry.scheme!r}: expected one of "
            f"{', '.join(FLOATS)}, got {kind!r:.50}"
        )
    return DTYPES[kind]


def _grid(entry: TensorEntry, data: Array, shape: tuple[int, ...]) -> tuple[Array, list[Plane]]:
    """Numbers in the dtype ``scale_dtype``, as float32: a plane of each of their bytes."""
    kind = _kind(entry)
    planes = byte_planes(data, kind.itemsize, math.prod(shape))
    apart = np.empty((math.prod(shape), kind.itemsize), np.uint8)
    for i, plane in enumerate(planes):
        apart[:, i] = decode_plane(plane, threads=1)
    return apart.reshape(-1).view(kind).astype(np.float32).reshape(shape), planes
