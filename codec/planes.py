"""Bytes, coded as they are best coded, in blocks: what every encoded array is made of.

A plane is a header (little-endian: method u8, zero u8, bytes of the table u16, symbols a block
u32, symbols u64, bytes of data u64), the table, for every block its bytes and their CRC-32 (u32
each), the CRC-32 of all that, and the blocks.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ArgumentError, DimensionError, FileFormatError
from . import huffman, rans
from .parallel import compiles, share
from .tables import HuffmanTable, entropy, huffman_table, pair_table

Array = np.ndarray[Any, Any]

METHODS = ("stored", "constant", "huffman", "split", "rans")
ASKED = ("auto", "huffman", "rans", "store")
BLOCKS = {
    "stored": 1 << 20,
    "constant": 1 << 20,
    "huffman": 1 << 18,
    "split": 1 << 18,
    "rans": 1 << 20,
}
MOST = 1 << 26  # symbols in a block
_HEAD = struct.Struct("<BBHIQQ")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane: how it is coded, and its blocks, which lie one behind another in ``data``."""

    method: str
    count: int
    block: int
    table: bytes
    sizes: Array
    sums: Array
    data: Array

    @cached_property
    def offsets(self) -> Array:
        """Where each block begins in ``data``, and the last one's end."""
        return np.concatenate([[0], np.cumsum(self.sizes, dtype=np.int64)])

    @cached_property
    def counts(self) -> Array:
        """How many symbols each block has."""
        found = np.full(len(self.sizes), self.block, np.int64)
        if len(found):
            found[-1] = self.count - self.block * (len(found) - 1)
        return found

    @cached_property
    def parsed(self) -> HuffmanTable | rans.RansTable:
        """The coder's table."""
        if self.method == "rans":
            return rans.RansTable.from_bytes(self.table)
        return HuffmanTable.from_bytes(self.table)

    def to_bytes(self) -> bytes:
        """The plane as it is stored."""
        head = _HEAD.pack(METHODS.index(self.method), 0, len(self.table), self.block, self.count,
                          len(self.data))  # fmt: skip
        directory = np.stack([self.sizes, self.sums], axis=1).astype("<u4").tobytes()
        start = head + self.table + directory
        return start + _CRC.pack(zlib.crc32(start)) + self.data.tobytes()


def choose(
    symbols: Array, method: str = "auto"
) -> tuple[str, HuffmanTable | rans.RansTable | None]:
    """The method and the table that code these bytes best.

    Huffman, which is faster, is taken where it is within 1 % of rANS.
    """
    if method not in ASKED:
        raise ArgumentError(f"method: expected one of {', '.join(ASKED)}, got {method!r}")
    counts = histogram(symbols)
    if method == "store":
        return "stored", None
    if np.count_nonzero(counts) < 2:
        return ("constant" if len(symbols) else "stored"), None
    total = len(symbols)
    best = rans.rans_table(counts)
    used = counts > 0
    least = -float((counts[used] * np.log2(best.frequencies[used] / 4096)).sum())
    least += 8 * (len(best.to_bytes()) + 96 * (1 + total // BLOCKS["rans"]))
    found: tuple[float, str, Any] = (least, "rans", best)
    if method != "rans":
        coded, table = _huffman(symbols, counts)
        if table is not None and (method == "huffman" or coded <= 1.01 * least):
            found = (coded, "huffman", table)
            if entropy(counts) > 5:
                high = np.append(counts.reshape(16, 16).sum(axis=1), np.zeros(240, np.int64))
                split = huffman_table(high, 12)
                halved = float((high[split.symbols] * split.lengths).sum()) + 4 * total
                if halved < 1.005 * coded:
                    found = (halved, "split", split)
    if found[0] > 0.999 * 8 * total and method == "auto":
        return "stored", None
    return found[1], found[2]


def _huffman(symbols: Array, counts: Array) -> tuple[float, HuffmanTable | None]:
    """The better of a code of symbols and one of pairs, and the bits it takes."""
    table = huffman_table(counts, 12)
    bits = float((counts[table.symbols] * table.lengths).sum()) + 8 * len(table.to_bytes())
    if np.count_nonzero(counts) > 20 or len(symbols) < 4096:
        return bits, table
    even = np.ascontiguousarray(symbols[: len(symbols) // 2 * 2])
    keys = np.bincount(even.view("<u2"), minlength=65536)
    if len(symbols) % 2:
        keys[int(symbols[-1]) * 257] += 1
    pairs = pair_table(keys, 12)
    if pairs is not None:
        grid = pairs.symbols.astype(np.int64)
        each = keys[grid[:, None] | grid[None] << 8].reshape(-1)
        together = float((each * pairs.lengths).sum()) + 8 * len(pairs.to_bytes())
        if together < 0.99 * bits:
            return together, pairs
    return bits, table


def histogram(symbols: Array) -> Array:
    """How often each of the 256 bytes occurs."""
    if not compiles():
        return np.bincount(symbols, minlength=256)
    from .encoding import histogram as kernel

    counts = np.zeros((2, 256), np.int64)
    kernel(symbols.ctypes.data, len(symbols), counts[0].ctypes.data, counts[1].ctypes.data)
    return counts[0]


def encode_plane(
    symbols: Array, method: str = "auto", block: int | None = None, threads: int | None = None
) -> Plane:
    """The plane of bytes (uint8, one-dimensional)."""
    symbols = np.ascontiguousarray(symbols)
    name, table = choose(symbols, method)
    if block is not None and not 2 <= block <= MOST:
        raise ArgumentError(f"block: expected 2 to {MOST} symbols, got {block}")
    block = (block or BLOCKS[name]) // 2 * 2
    count = -(-len(symbols) // block)
    blocks: list[bytes] = [b""] * count

    def run(first: int, last: int) -> None:
        for i in range(first, last):
            blocks[i] = _encode(name, table, symbols[i * block : (i + 1) * block])

    share(run, count, threads)
    sizes = np.array([len(b) for b in blocks], np.int64)
    sums = np.array([zlib.crc32(b) for b in blocks], np.int64)
    data = np.frombuffer(b"".join(blocks), np.uint8)
    plane = Plane(
        name, len(symbols), block, b"" if table is None else table.to_bytes(), sizes, sums, data
    )
    if method == "auto" and name != "stored" and len(plane.to_bytes()) > len(symbols) + 64:
        return encode_plane(symbols, "store", block, threads)
    return plane


def _encode(name: str, table: Any, symbols: Array) -> bytes:
    if name == "stored":
        return symbols.tobytes()
    if name == "constant":
        return symbols[:1].tobytes()
    if name == "rans":
        return rans.encode_block(symbols, table)
    return huffman.encode_block(symbols, table, name == "split")


def parse_plane(data: Array, start: int) -> tuple[Plane, int]:
    """The plane that begins at ``start``, and where it ends.

    Raises FileFormatError where it is truncated, its sizes do not fit, or its header was changed.
    """
    left = len(data) - start
    if left < _HEAD.size:
        raise FileFormatError(
            f"an encoded plane has a header of {_HEAD.size} bytes, {left} are left"
        )
    head = data[start : start + _HEAD.size].tobytes()
    method, zero, table, block, count, size = _HEAD.unpack(head)
    if method >= len(METHODS) or zero or not 2 <= block <= MOST or block % 2:
        raise FileFormatError(
            f"method {method} with blocks of {block} symbols is none that an encoded plane may have"
        )
    blocks = -(-count // block)
    length = _HEAD.size + table + 8 * blocks
    if length + _CRC.size + size > left:
        raise FileFormatError(
            f"an encoded plane has {length + _CRC.size + size} bytes, of which {left} are there"
        )
    start_bytes = data[start : start + length].tobytes()
    (kept,) = _CRC.unpack(data[start + length : start + length + _CRC.size].tobytes())
    if zlib.crc32(start_bytes) != kept:
        raise FileFormatError("the header of an encoded plane was changed: its checksum differs")
    directory = np.frombuffer(start_bytes, "<u4", 2 * blocks, length - 8 * blocks).reshape(-1, 2)
    sizes = directory[:, 0].astype(np.int64)
    begin = start + length + _CRC.size
    plane = Plane(METHODS[method], count, block, start_bytes[_HEAD.size : _HEAD.size + table],
                  sizes, directory[:, 1], data[begin : begin + size])  # fmt: skip
    if int(sizes.sum()) != size:
        raise FileFormatError(f"blocks of {sizes.sum()} bytes make no plane of {size}")
    if plane.method == "stored" and (sizes != plane.counts).any():
        raise FileFormatError("a stored block has as many bytes as symbols, these have not")
    if plane.method == "constant" and (sizes != 1).any():
        raise FileFormatError("a block of one symbol has one byte, these have not")
    return plane, begin + size


def decode_plane(
    plane: Plane,
    out: Array | None = None,
    first: int = 0,
    last: int | None = None,
    threads: int | None = None,
    verify: bool = True,
) -> Array:
    """The bytes of the blocks from ``first`` to before ``last``, in ``out`` where it is given.

    Raises FileFormatError for blocks that are broken, or with ``verify`` not what was written.
    """
    blocks = len(plane.sizes)
    last = blocks if last is None else last
    if not 0 <= first <= last <= blocks:
        raise DimensionError(f"blocks {first} to {last} of a plane that has {blocks}")
    counts = plane.counts[first:last]
    if out is None:
        out = np.empty(int(counts.sum()), np.uint8)
    offsets = plane.offsets[first : last + 1]
    if verify:
        check_sums(plane, first, last, threads)
    if first == last:
        return out
    if plane.method == "stored":
        out[:] = plane.data[offsets[0] : offsets[-1]]
    elif plane.method == "constant":
        at = 0
        for offset, count in zip(offsets[:-1].tolist(), counts.tolist(), strict=True):
            out[at : at + count] = plane.data[offset]
            at += count
    elif isinstance(plane.parsed, rans.RansTable):
        rans.decode_blocks(plane.data, offsets, counts, plane.parsed, out, threads)
    else:
        huffman.decode_blocks(plane.data, offsets, counts, plane.parsed, out,
                              plane.method == "split", threads)  # fmt: skip
    return out


def check_sums(plane: Plane, first: int, last: int, threads: int | None = None) -> None:
    """Raises FileFormatError for the first block whose CRC-32 differs."""
    offsets, sums = plane.offsets.tolist(), plane.sums.tolist()

    def run(a: int, b: int) -> None:
        for i in range(first + a, first + b):
            if zlib.crc32(plane.data[offsets[i] : offsets[i + 1]].data) != sums[i]:
                raise FileFormatError(
                    f"block {i} of an encoded plane was changed: its checksum differs"
                )

    share(run, last - first, threads)
