"""Quantised rows: codes, and what they stand for.

The numbers of a part of a tensor are a matrix of ``rows`` by ``columns``. Scales and zero points
are a grid of ``A`` by ``ceil(columns / group)``, where ``A`` is ``rows`` or, for the same in every
row, 1. All arithmetic is in float32, in the order written here, each step rounded to nearest even.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FileFormatError
from ..ops.low_bits import packed, unpacked
from .directory import DTYPES, TensorEntry
from .planes import Plane, check_sums, decode_plane
from .spans import decode_span, whole_plane

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32")
_AT_ONCE = 1 << 18  # numbers that are float32 at one time: what caches hold
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
    zeros: Array | None
    middle: int
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
        zeros = None
        if "zeros" in sections:
            plane = whole_plane(sections["zeros"], shape[0] * shape[1])
            zeros = decode_plane(plane, threads=1).reshape(shape)
            planes.append(plane)
        return cls(codes, scales, zeros, 1 << (codes.bits - 1), group, DTYPES[entry.dtype],
                   (codes.plane, *planes))  # fmt: skip

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where a block was changed."""
        for plane in self.planes:
            check_sums(plane, 0, len(plane.sizes), threads)

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        found = out.view(self.dtype).reshape(last - first, -1)
        codes = self.codes.rows(first, last, threads, verify)
        step = max(1, _AT_ONCE // max(self.codes.columns, 1))
        for at in range(0, last - first, step):
            rows = slice(first + at, min(first + at + step, last))
            some = codes[at : at + step]
            zero: Any = np.float32(self.middle)
            if self.zeros is not None:
                zero = self._spread(self.zeros[_of(self.zeros, rows)].astype(np.float32))
            with np.errstate(all="ignore"):  # scales may be infinite, or NaN
                near = some.astype(np.float32) - zero
                near *= self._spread(self.scales[_of(self.scales, rows)])
                found[at : at + step] = near.astype(self.dtype)

    def _spread(self, grid: Array) -> Array:
        return spread(grid, self.group, self.codes.columns)


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
        kind = _kind(entry)
        plane = whole_plane(sections["values"], entries * kind.itemsize)
        values = decode_plane(plane, threads=1).view(kind).astype(np.float32)
        planes = [codes.plane, plane]
        group, scales = entry.columns, None
        if "scales" in sections:
            group = whole(entry, "group", 1, max(entry.columns, 1))
            height = rows if whole(entry, "by_row", 0, 1) else 1
            shape = (height, -(-entry.columns // group))
            scales, more = _grid(entry, sections["scales"], shape)
            planes += more
        return cls(codes, values, scales, group, DTYPES[entry.dtype], tuple(planes))

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
        step = max(1, _AT_ONCE // max(self.codes.columns, 1))
        for at in range(0, last - first, step):
            near = self.values[codes[at : at + step]]
            if self.scales is not None:
                rows = slice(first + at, min(first + at + step, last))
                grid = self.scales[_of(self.scales, rows)]
                with np.errstate(all="ignore"):
                    near *= spread(grid, self.group, self.codes.columns)
            with np.errstate(all="ignore"):
                found[at : at + step] = near.astype(self.dtype)


def _of(grid: Array, rows: slice) -> slice:
    return rows if len(grid) > 1 else slice(0, 1)


def spread(grid: Array, group: int, columns: int) -> Array:
    """Each number of a grid ``group`` times, (A, columns)."""
    if grid.shape[1] == 1:
        return grid
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


def _grid(entry: TensorEntry, data: Array, shape: tuple[int, int]) -> tuple[Array, list[Plane]]:
    """Numbers in the dtype ``scale_dtype``, as float32: a plane of each of their bytes."""
    kind = _kind(entry)
    plane = whole_plane(data, shape[0] * shape[1] * kind.itemsize)
    found = decode_plane(plane, threads=1).view(kind).astype(np.float32)
    return found.reshape(shape), [plane]
