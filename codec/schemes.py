"""How the rows of a tensor are kept in sections of a ``.tlz`` file, and how they come back.

``SCHEMES`` has a reader for each scheme of docs/tlz.md: it is given the sections of a part of a
tensor, checks every size in them, and decodes rows. encoders.py makes the sections.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FileFormatError
from . import floats
from .directory import DTYPES, TensorEntry
from .grid import CodebookPart, UniformPart
from .planes import Plane, check_sums
from .spans import byte_planes, decode_span

Array = np.ndarray[Any, Any]

SUMMED = 1 << 20  # bytes of a stored section that have a checksum together
# Dtypes whose bytes have bits that are not used, and those that are.
_MASKS = {"bool": 1, "float4_e2m1fn": 15, "int4": 15, "uint4": 15, "int2": 3, "uint2": 3}


@dataclass
class StoredPart:
    """Rows as they are in memory, with a CRC-32 of every 2**20 bytes."""

    data: Array
    sums: Array
    row: int  # bytes
    mask: int

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where bytes of these rows were changed."""
        begin, end = first * self.row // SUMMED, -(-last * self.row // SUMMED)
        for i in range(begin, end):
            if zlib.crc32(self.data[i * SUMMED : (i + 1) * SUMMED].data) != self.sums[i]:
                raise FileFormatError(f"block {i} of its bytes was changed: its checksum differs")

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        out[:] = self.bytes_of(first, last, verify)

    def bytes_of(self, first: int, last: int, verify: bool) -> Array:
        """The bytes of rows, where they lie."""
        if verify:
            self.check(first, last, None)
        found = self.data[first * self.row : last * self.row]
        _check_mask(found, self.mask)
        return found


@dataclass
class BytesPart:
    """A plane of the first byte of every number, one of the second..."""

    planes: list[Plane]
    columns: int
    mask: int

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where a block was changed."""
        for plane in self.planes:
            check_sums(plane, 0, len(plane.sizes), threads)

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        apart = out.reshape(-1, len(self.planes))
        for i, plane in enumerate(self.planes):
            found = decode_span(plane, first * self.columns, last * self.columns, threads, verify)
            _check_mask(found, self.mask)
            apart[:, i] = found


@dataclass
class FloatsPart:
    """Rows of floating-point numbers, coded without loss."""

    groups: list[floats.Group]
    rows: int
    columns: int
    width: int

    def check(self, first: int, last: int, threads: int | None) -> None:
        """Raises FileFormatError where a block was changed."""
        for group in self.groups:
            for plane in (group.symbols, group.rest, *group.low):
                check_sums(plane, 0, len(plane.sizes), threads)

    def decode(self, out: Array, first: int, last: int, threads: int | None, verify: bool) -> None:
        """Puts rows into ``out``, bytes."""
        wanted = out.view(f"<u{self.width}")
        if (first, last) == (0, self.rows) and out.ctypes.data % self.width == 0:
            floats.decode(self.groups, wanted.reshape(self.rows, -1), threads, verify)
            return
        found = np.empty((self.rows, self.columns), wanted.dtype)
        floats.decode(self.groups, found, threads, verify)
        wanted[:] = found[first:last].reshape(-1)


def _check_mask(found: Array, mask: int) -> None:
    if mask != 255 and found.size and int(found.max()) > mask:
        raise FileFormatError("a number has bits that its dtype does not have")


def _open_stored(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> StoredPart:
    row = entry.columns * DTYPES[entry.dtype].itemsize
    data, sums = sections["data"], sections["sums"]
    wanted = (rows * row, 4 * -(-rows * row // SUMMED))
    if (len(data), len(sums)) != wanted:
        raise FileFormatError(
            f"{rows} rows of {row} bytes have sections of {wanted[0]} and {wanted[1]} bytes, these "
            f"have {len(data)} and {len(sums)}"
        )
    return StoredPart(data, np.frombuffer(sums.tobytes(), "<u4"), row, _MASKS.get(entry.dtype, 255))


def _open_bytes(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> BytesPart:
    width = DTYPES[entry.dtype].itemsize
    planes = byte_planes(sections["data"], width, rows * entry.columns)
    return BytesPart(planes, entry.columns, _MASKS.get(entry.dtype, 255))


def _open_floats(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> FloatsPart:
    if entry.dtype not in ("float16", "bfloat16", "float32"):
        raise FileFormatError(f"numbers of {entry.dtype} are not coded as floats")
    width = DTYPES[entry.dtype].itemsize
    shape = (rows, entry.columns)
    groups, end = floats.parse(sections["data"], 0, shape, width)
    _check_end(sections["data"], end)
    return FloatsPart(groups, rows, entry.columns, width)


def _open_uniform(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> UniformPart:
    return UniformPart.open(entry, rows, sections)


def _open_codebook(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> CodebookPart:
    return CodebookPart.open(entry, rows, sections)


def _check_end(data: Array, end: int) -> None:
    if end != len(data):
        raise FileFormatError(f"{len(data) - end} bytes of a section are behind its end")


Part = StoredPart | BytesPart | FloatsPart | UniformPart | CodebookPart
Opener = Callable[[TensorEntry, int, Mapping[str, Array]], Part]

# scheme -> its reader, sections that it must have, and sections that it may have
SCHEMES: dict[str, tuple[Opener, frozenset[str], frozenset[str]]] = {
    "stored": (_open_stored, frozenset({"data", "sums"}), frozenset()),
    "bytes": (_open_bytes, frozenset({"data"}), frozenset()),
    "floats": (_open_floats, frozenset({"data"}), frozenset()),
    "uniform": (_open_uniform, frozenset({"codes", "scales"}), frozenset({"zeros"})),
    "codebook": (_open_codebook, frozenset({"codes", "values"}), frozenset({"scales"})),
}


def check_scheme(entry: TensorEntry) -> None:
    """Raises FileFormatError for a scheme that is not known, or sections that are not its."""
    if entry.scheme not in SCHEMES:
        raise FileFormatError(
            f"its scheme {entry.scheme[:50]!r} is not known (known are {', '.join(SCHEMES)}); "
            "update tensorlite"
        )
    _, needed, optional = SCHEMES[entry.scheme]
    for part in entry.parts:
        if not needed <= set(part) <= needed | optional:
            raise FileFormatError(
                f"scheme {entry.scheme!r} has the sections {sorted(needed)}, not "
                f"{sorted(part)!r:.99}"
            )


def open_part(entry: TensorEntry, rows: int, sections: Mapping[str, Array]) -> Part:
    """The part of a tensor that these sections have, all their sizes checked."""
    return SCHEMES[entry.scheme][0](entry, rows, sections)


def turned(entry: TensorEntry, rows: Array) -> Array:
    """What the rows of all parts make: the bytes of the tensor, in C order."""
    return np.ascontiguousarray(rows.T if entry.transposed else rows).reshape(-1).view(np.uint8)


def check_digest(entry: TensorEntry, found: Array) -> None:
    """Raises FileFormatError where bytes are not those that were written."""
    if hashlib.sha256(found.data if found.size else b"").hexdigest() != entry.sha256:
        raise FileFormatError("its numbers are others than were written: the SHA-256 differs")
