"""Lossless coding of float32, bfloat16 and float16: every bit is kept, NaN payloads and -0 too.

The exponent, with the two highest bits of the mantissa, is coded by Huffman; the sign and the rest
of the mantissa, which have nothing to save, are stored; so are the two low bytes of float32, but
where they are worth coding (numbers that once had fewer bits). The rows of a matrix are sorted into
groups by the size of their numbers, and by how many of their low bytes are zero; each group has
codes of its own.

The bytes: how many groups (u8); if more than one, the number of columns (u64) and a plane with the
group of each row. For every group: whether it is fine (u8), zero (u8), the base (u16), and the
planes of symbols, of the rest, and for float32 of the second lowest and the lowest byte, in blocks
of the same numbers. Each block's rest is filled up to whole chunks of 256 numbers.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FileFormatError
from . import huffman, rans
from .merging import CHUNK, merger
from .parallel import compiles, share
from .planes import Plane, check_sums, decode_plane, encode_plane, parse_plane
from .tables import entropy

Array = np.ndarray[Any, Any]

BLOCK = 1 << 16  # numbers, about
_GROUPS = (4, 8, 16)
_LEAST = 1 << 15  # numbers in a group
_KEPT = 1 << 22  # bytes of working memory that a thread keeps
_TABLE = 300  # bytes, about, that a group takes in itself
_HEAD = struct.Struct("<BBH")
_BASE = 255  # symbols that are not zero


@dataclass(frozen=True, eq=False)
class Group:
    """Numbers that are coded together."""

    fine: bool
    base: int
    symbols: Plane
    rest: Plane
    low: tuple[Plane, ...]  # of float32: the second lowest and the lowest byte
    rows: Array | None = None  # of the matrix; None where it is all of the array
    columns: int = 0  # of the matrix


# Encoding


def encode(array: Array, method: str, threads: int | None) -> bytes:
    """The bytes of an array of 16-bit or 32-bit numbers (given as unsigned integers)."""
    fine = array.dtype.itemsize == 4 or method != "half"
    flat = array.reshape(-1)
    columns = flat.size // array.shape[0] if array.ndim > 1 and flat.size else 0
    parts: list[bytes] = []
    groups = _grouped(array.reshape(array.shape[0], columns), fine) if columns > 31 else None
    if groups is None:
        return bytes([1]) + _encode_group(flat, BLOCK, fine, threads)
    count = int(groups.max()) + 1
    parts = [bytes([count]), struct.pack("<Q", columns), encode_plane(groups).to_bytes()]
    matrix = array.reshape(array.shape[0], columns)
    block = max(2, BLOCK // columns // 2 * 2) * columns
    for i in range(count):
        parts.append(_encode_group(matrix[groups == i].reshape(-1), block, fine, threads))
    return b"".join(parts)


def _upper(values: Array) -> Array:
    return (values >> 16).astype(np.uint16) if values.dtype.itemsize == 4 else values


def _grouped(matrix: Array, fine: bool) -> Array | None:
    """The group of each row, where groups save more than they take."""
    upper = _upper(matrix)
    shift = 5 if fine else 7
    keys = (upper >> shift & (1023 if fine else 255)).astype(np.int64)
    size = np.sqrt(np.mean((upper >> 7 & 255).astype(np.float64) ** 2, axis=1))
    low = np.zeros(len(matrix), np.int64)
    if matrix.dtype.itemsize == 4:
        any_bits = np.bitwise_or.reduce(matrix, axis=1)
        low = (any_bits & 255 == 0).astype(np.int64) + (any_bits & 0x1FFF == 0)
    order = np.lexsort((size, low))
    best, saved = None, 8.0 * _TABLE
    whole = entropy(np.bincount(keys.reshape(-1))) * matrix.size
    ends = np.flatnonzero(np.diff(low[order])) + 1
    for count in (1, *_GROUPS):
        if count * _LEAST > matrix.size:
            break
        groups = np.zeros(len(matrix), np.int64)
        number = 0
        for part in np.split(order, ends):
            pieces = max(1, min(len(part), round(count * len(part) / len(matrix))))
            for piece in np.array_split(part, pieces):
                groups[piece] = number
                number += 1
        cost = float(8 * _TABLE * number) + entropy(np.bincount(groups)) * len(groups)
        for i in range(number):
            chosen = keys[groups == i]
            cost += entropy(np.bincount(chosen.reshape(-1))) * chosen.size
        # Low bytes that are zero in whole rows need not be stored there.
        gain = whole - cost + 8 * float(matrix.shape[1]) * float(low.sum())
        if number > 1 and gain > saved:
            best, saved = groups.astype(np.uint8), gain
    return best


def _encode_group(values: Array, block: int, fine: bool, threads: int | None) -> bytes:
    upper = _upper(values)
    base = 0
    if fine:
        keys = upper >> 5 & 1023
        some = keys[keys > 0]
        base = max(0, int(some.max()) - _BASE) if some.size else 0
        fine = not some.size or int(some.min()) > base
    if fine:
        symbols = np.where(keys > 0, keys - base, 0).astype(np.uint8)
        rest = (upper >> 10 & 32 | upper & 31).astype(np.uint8)
    else:
        symbols = (upper >> 7).astype(np.uint8)
        rest = (upper >> 8 & 128 | upper & 127).astype(np.uint8)
    planes = [encode_plane(symbols, "auto", block, threads)]
    per = _rest_bytes(block, fine)
    planes.append(encode_plane(_pack(rest, block, fine), "store", per, threads))
    if values.dtype.itemsize == 4:
        for byte in ((values >> 8).astype(np.uint8), values.astype(np.uint8)):
            worth = entropy(np.bincount(byte, minlength=256)) < 7.7
            planes.append(encode_plane(byte, "auto" if worth else "store", block, threads))
    return _HEAD.pack(fine, 0, base) + b"".join(plane.to_bytes() for plane in planes)


def _rest_bytes(count: int, fine: bool) -> int:
    return -(-count // CHUNK) * (192 if fine else CHUNK)


def _pack(rest: Array, block: int, fine: bool) -> Array:
    """The rest of every block, filled up to whole chunks."""
    found = []
    for first in range(0, len(rest), block):
        part: Array = rest[first : first + block]
        quarters: Array = np.zeros((-(-len(part) // CHUNK), 4, 64), np.uint8)
        quarters.reshape(-1)[: len(part)] = part
        if fine:
            last = quarters[:, 3, None] >> np.array([0, 2, 4], np.uint8)[:, None]
            quarters = quarters[:, :3] | last << 6
        found.append(quarters.reshape(-1))
    return np.concatenate(found) if found else np.zeros(0, np.uint8)


# Decoding


def parse(data: Array, start: int, shape: tuple[int, ...], width: int) -> tuple[list[Group], int]:
    """The groups of an array of that shape, and where they end.

    Raises FileFormatError where their sizes do not make the array.
    """
    size = int(np.prod([int(n) for n in shape], dtype=object)) if shape else 1
    if start >= len(data) or not data[start]:
        raise FileFormatError("encoded floating-point numbers have one group or more, these none")
    count = int(data[start])
    start += 1
    rows: list[Array | None] = [None]
    columns = 0
    if count > 1:
        if len(data) - start < 8:
            raise FileFormatError("encoded floating-point numbers end before their groups")
        (columns,) = struct.unpack("<Q", data[start : start + 8].tobytes())
        of_rows, start = parse_plane(data, start + 8)
        if columns < 1 or of_rows.count * columns != size:
            raise FileFormatError(
                f"groups of {of_rows.count} rows of {columns} numbers make no array of {size}"
            )
        group = decode_plane(of_rows, threads=1)
        rows = [np.flatnonzero(group == i) for i in range(count)]
        if sum(len(r) for r in rows if r is not None) != len(group):
            raise FileFormatError(f"a row is in a group that is not one of {count}")
    groups = []
    for chosen in rows:
        expected = size if chosen is None else len(chosen) * columns
        group_, start = _parse_group(data, start, expected, width, chosen, columns)
        if chosen is not None and group_.symbols.block % columns:
            raise FileFormatError(f"blocks of {group_.symbols.block} are no rows of {columns}")
        groups.append(group_)
    return groups, start


def _parse_group(
    data: Array, start: int, expected: int, width: int, rows: Array | None, columns: int
) -> tuple[Group, int]:
    if len(data) - start < _HEAD.size:
        raise FileFormatError("encoded floating-point numbers end within a group")
    fine, zero, base = _HEAD.unpack(data[start : start + _HEAD.size].tobytes())
    if fine > 1 or zero or base > 1023 - _BASE:
        raise FileFormatError("a group of floating-point numbers is of no kind that is known")
    start += _HEAD.size
    planes = []
    for _ in range(width):
        plane, start = parse_plane(data, start)
        planes.append(plane)
    symbols, rest, *low = planes
    wanted = sum(_rest_bytes(n, bool(fine)) for n in {int(symbols.counts[-1])}) if expected else 0
    if expected:
        wanted += (len(symbols.sizes) - 1) * _rest_bytes(symbols.block, bool(fine))
    good = symbols.count == expected and rest.count == wanted and rest.method == "stored"
    good = good and rest.block == _rest_bytes(symbols.block, bool(fine))
    if not good or any(p.count != expected or p.block != symbols.block for p in low):
        raise FileFormatError(f"the planes of a group do not make its {expected} numbers")
    return Group(bool(fine), base, symbols, rest, tuple(low), rows, columns), start


def decode(groups: list[Group], out: Array, threads: int | None, verify: bool) -> None:
    """Puts the numbers of all groups into ``out`` (contiguous, unsigned integers).

    Raises FileFormatError for blocks that are broken.
    """
    if not compiles():
        for group in groups:
            _decode_numpy(group, out, threads, verify)
        return
    # In the order of the rows, so that what is written lies near what was written before.
    tasks = sorted(
        (
            0
            if group.rows is None
            else int(group.rows[i * (group.symbols.block // group.columns)]),
            g,
            i,
        )
        for g, group in enumerate(groups)
        for i in range(len(group.symbols.sizes))
    )

    def run(first: int, last: int) -> None:
        of_group: dict[int, list[int]] = {}
        for _, g, i in tasks[first:last]:
            of_group.setdefault(g, []).append(i)
        work = {g: _Work(groups[g], min(i), max(i) + 1, out, verify) for g, i in of_group.items()}
        for _, g, i in tasks[first:last]:
            work[g].block(i)
        for each in work.values():
            each.check()

    share(run, len(tasks), threads)


_rooms = threading.local()


def _room(use: int, size: int) -> Array:
    """Bytes that a thread keeps for a use; they are made once, since new memory is slow."""
    kept: dict[str, Array] = _rooms.__dict__
    found = kept.get(str(use))
    if found is None or found.size < size:
        found = np.empty(size, np.uint8)
        if size <= _KEPT:
            kept[str(use)] = found
    return found


class _Reader:
    """The symbols of a plane's blocks, each in turn at an address with room for whole chunks."""

    def __init__(self, plane: Plane, first: int, last: int, use: int) -> None:
        self.plane, self.first = plane, first
        self.room = _room(use, -(-plane.block // CHUNK) * CHUNK)
        self.address = int(self.room.ctypes.data)
        self.data = int(plane.data.ctypes.data)
        self.run: Any = None
        self.jobs = np.zeros((0, 1), np.int64)
        self.counts = plane.counts.tolist()
        self.offsets = plane.offsets.tolist()
        counts, offsets = plane.counts[first:last], plane.offsets[first : last + 1]
        to = np.full(last - first, self.address, np.int64)
        table: Any
        if plane.method == "rans":
            table = plane.parsed
            rans.check(plane.data, offsets)
            self.jobs = rans.jobs_for(plane.data, offsets, to, counts, table)
            self.run = rans.decoder()
        elif plane.method in ("huffman", "split"):
            table = plane.parsed
            split = plane.method == "split"
            starts, ends, low = huffman.checked(plane.data, offsets, counts, split)
            self.jobs = huffman.jobs_for(
                plane.data, starts, ends, low if split else None, to, counts, table
            )
            self.run = huffman.decoder(table.limit)
        self.at = int(self.jobs.ctypes.data)

    def block(self, i: int) -> int:
        """The address of a block's symbols, decoded."""
        if self.run is not None:
            self.run(self.at, i - self.first, i - self.first + 1)
            return self.address
        offset, count = self.offsets[i], self.counts[i]
        whole = -(-count // CHUNK) * CHUNK
        if self.plane.method == "constant":
            self.room[:whole] = self.plane.data[offset]
        elif offset + whole <= len(self.plane.data):
            return self.data + offset
        else:
            self.room[:count] = self.plane.data[offset : offset + count]
        return self.address

    def check(self) -> None:
        """Raises FileFormatError where a block was broken."""
        if self.run is None:
            return
        rows = (
            rans.broken(self.jobs) if self.plane.method == "rans" else self.jobs[:, 0].nonzero()[0]
        )
        if len(rows):
            raise FileFormatError(
                f"block {self.first + int(rows[0])} of floating-point numbers is broken"
            )


class _Work:
    """The blocks from ``first`` to before ``last`` of a group, on their way to ``out``."""

    def __init__(self, group: Group, first: int, last: int, out: Array, verify: bool) -> None:
        planes = (group.symbols, *group.low)
        if verify:
            for plane in (*planes, group.rest):
                check_sums(plane, first, last, threads=1)
        self.readers = [_Reader(plane, first, last, use) for use, plane in enumerate(planes)]
        self.group, self.flat = group, out.reshape(-1)
        self.width, self.size = out.dtype.itemsize, group.symbols.block
        self.merge = merger(group.fine, self.width)
        self.room = _room(len(planes), -(-self.size // CHUNK) * CHUNK * self.width)
        self.to, self.near = int(self.flat.ctypes.data), int(self.room.ctypes.data)
        self.rest, self.rests = int(group.rest.data.ctypes.data), group.rest.offsets.tolist()
        self.rows = 0 if group.rows is None else int(group.rows.ctypes.data)

    def block(self, i: int) -> None:
        """Decodes one block."""
        count, columns = self.readers[0].counts[i], self.group.columns
        addresses = [reader.block(i) for reader in self.readers]
        second, lowest = addresses[1:] if self.width == 4 else (0, 0)
        direct = not columns and count % CHUNK == 0
        to = self.to + i * self.size * self.width if direct else self.near
        self.merge(addresses[0], self.rest + self.rests[i], second, lowest, to,
                   -(-count // CHUNK), self.group.base,
                   self.rows + 8 * (i * self.size // columns) if columns else 0,
                   count // columns if columns else 0, columns * self.width, self.to)  # fmt: skip
        if not columns and not direct:
            found = self.room[: count * self.width].view(self.flat.dtype)
            self.flat[i * self.size : i * self.size + count] = found

    def check(self) -> None:
        """Raises FileFormatError where a block was broken."""
        for reader in self.readers:
            reader.check()


def _decode_numpy(group: Group, out: Array, threads: int | None, verify: bool) -> None:
    symbols, rest, *low = (
        decode_plane(plane, threads=threads, verify=verify)
        for plane in (group.symbols, group.rest, *group.low)
    )
    parts = []
    for i, count in enumerate(group.symbols.counts.tolist()):
        size = _rest_bytes(group.symbols.block, group.fine)
        chunks = rest[i * size : (i + 1) * size].reshape(-1, 3 if group.fine else 4, 64)
        if group.fine:
            tops = chunks >> 6 << np.array([0, 2, 4], np.uint8)[:, None]
            last = np.bitwise_or.reduce(tops, axis=1, keepdims=True)
            chunks = np.concatenate([chunks & 63, last], axis=1)
        parts.append(chunks.reshape(-1)[:count])
    right = np.concatenate(parts).astype(np.uint16) if parts else np.zeros(0, np.uint16)
    wide = symbols.astype(np.uint16)
    if group.fine:
        wide = np.where(wide > 0, wide + np.uint16(group.base), 0).astype(np.uint16)
        upper = (right & 32) << 10 | wide << 5 | right & 31
    else:
        upper = (right & 128) << 8 | wide << 7 | right & 127
    values = upper.astype(out.dtype)
    if out.dtype.itemsize == 4:
        values = values << 16 | low[0].astype(np.uint32) << 8 | low[1]
    flat = out.reshape(-1)
    if group.rows is None:
        flat[:] = values
    elif len(group.rows):
        columns = len(values) // len(group.rows)
        flat.reshape(-1, columns)[group.rows] = values.reshape(-1, columns)
