"""Tables of entropy coders: code lengths, canonical codes, decoding tables, frequencies.

Huffman codes are canonical and limited in length, and written least significant bit first, so that
a decoder shifts right. Code lengths come from package-merge (Larmore and Hirschberg, "A fast
algorithm for optimal length-limited Huffman codes", 1990), which is optimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ArgumentError, FileFormatError
from .parallel import compiles

Array = np.ndarray[Any, Any]

LIMITS = (11, 12)  # how long a Huffman code may be
HELD = 6  # symbols in an entry of the decoding table
PAIRED = 20  # pairs are coded together where there are at most so many symbols
PRECISION = 12  # frequencies of rANS sum to 2 ** PRECISION


def entropy(counts: Array) -> float:
    """``-sum(p log2 p)``: bits a symbol, given how often each occurs.

    >>> entropy(np.array([1, 1, 2]))
    1.5
    """
    some = counts[counts > 0].astype(np.float64)
    if some.size == 0:
        return 0.0
    total = some.sum()
    return float(np.log2(total) - (some * np.log2(some)).sum() / total) + 0.0


def code_lengths(counts: Array, limit: int) -> Array:
    """The lengths of the best prefix code that has no code longer than ``limit`` bits.

    Counts are at least one each; there are two of them or more.

    >>> code_lengths(np.array([1, 1, 2, 40]), 12).tolist()
    [3, 3, 2, 1]
    >>> code_lengths(np.array([1, 1, 2, 40]), 2).tolist()
    [2, 2, 2, 2]
    """
    size = len(counts)
    if size < 2 or size > 1 << limit:
        raise ArgumentError(
            f"a code of at most {limit} bits has 2 to {1 << limit} symbols, not {size}"
        )
    order = np.argsort(counts, kind="stable")
    weights = counts[order].astype(np.int64)
    # A level is its weights, sorted, and which of them are symbols (in order of weight).
    levels = [np.ones(size, bool)]
    current = weights
    for _ in range(limit - 1):
        packages = current[: len(current) // 2 * 2].reshape(-1, 2).sum(axis=1)
        merged = np.concatenate([weights, packages])
        place = np.argsort(merged, kind="stable")
        levels.append(place < size)
        current = merged[place]
    lengths = np.zeros(size, np.int64)
    taken = 2 * size - 2
    for leaves in reversed(levels):
        symbols = int(leaves[:taken].sum())
        lengths[:symbols] += 1
        taken = 2 * (taken - symbols)
    found = np.empty(size, np.uint8)
    found[order] = lengths
    return found


def canonical(lengths: Array, limit: int) -> Array:
    """The canonical codes of these lengths, each with its bits reversed (first bit lowest).

    >>> [format(int(c), "03b") for c in canonical(np.array([3, 3, 2, 1]), 3)]
    ['011', '111', '001', '000']
    """
    order = np.lexsort((np.arange(len(lengths)), lengths))
    widths = 1 << (limit - lengths[order].astype(np.int64))
    firsts = np.cumsum(widths) - widths  # codes as fractions of 2 ** limit
    codes = np.empty(len(lengths), np.int64)
    codes[order] = _reversed(firsts, limit)
    return codes


def _reversed(values: Array, bits: int) -> Array:
    found = np.zeros_like(values)
    for bit in range(bits):
        found |= (values >> bit & 1) << (bits - 1 - bit)
    return found


@dataclass(frozen=True, eq=False)
class HuffmanTable:
    """A canonical Huffman code over bytes, or over pairs of bytes.

    ``symbols`` are the bytes that occur, sorted; ``lengths`` has the length of each one's code, or
    of each pair's in row-major order, zero where a pair does not occur.
    """

    symbols: Array
    lengths: Array
    limit: int
    pairs: bool = False

    @cached_property
    def _coded(self) -> tuple[Array, Array, Array]:
        """The places in ``lengths`` that have codes, and the keys and codes of those."""
        places = np.flatnonzero(self.lengths)
        keys = self.symbols[places].astype(np.int64) if not self.pairs else self._pair(places)
        return places, keys, canonical(self.lengths[places], self.limit)

    def _pair(self, places: Array) -> Array:
        first, second = np.divmod(places, len(self.symbols))
        keys: Array = self.symbols[first].astype(np.int64) | (
            self.symbols[second].astype(np.int64) << 8
        )
        return keys

    @cached_property
    def codes(self) -> Array:
        """For the encoder: by byte (or first + 256 * second), the length and 256 * the code."""
        places, keys, codes = self._coded
        found = np.zeros(1 << (16 if self.pairs else 8), np.int32)
        found[keys] = self.lengths[places] | codes << 8
        return found

    @cached_property
    def single(self) -> Array:
        """For what ends a stream: by the next bits, one code's length | count << 8 | key << 16."""
        return self._tables[0]

    @cached_property
    def multi(self) -> Array:
        """By the next bits: their length | up to six symbols << 8 | how many << 56."""
        return self._tables[1]

    @cached_property
    def _tables(self) -> tuple[Array, Array]:
        if not compiles():
            return self.tables_numpy()
        from .encoding import decoding_tables

        places = np.flatnonzero(self.lengths)
        keys = self._pair(places) | 65536 if self.pairs else self.symbols[places]
        lengths, keys = self.lengths[places], keys.astype(np.int32)
        single = np.empty(1 << self.limit, np.uint32)
        multi = np.empty(1 << self.limit, np.uint64)
        decoding_tables(lengths.ctypes.data, len(places), self.limit, keys.ctypes.data,
                        single.ctypes.data, multi.ctypes.data)  # fmt: skip
        return single, multi

    def tables_numpy(self) -> tuple[Array, Array]:
        """The decoding tables."""
        places, keys, codes = self._coded
        size = 1 << self.limit
        one = np.zeros(size, np.uint32)
        each = 2 if self.pairs else 1
        for length in range(1, self.limit + 1):
            chosen = self.lengths[places] == length
            if chosen.any():
                value = (length | each << 8 | keys[chosen] << 16).astype(np.uint32)
                steps = np.arange(1 << (self.limit - length)) << length
                one[codes[chosen][:, None] + steps[None]] = value[:, None]
        index = np.arange(size, dtype=np.uint64)
        used, count, symbols = (np.zeros(size, np.uint64) for _ in range(3))
        single = one.astype(np.uint64)
        for _ in range(HELD // each):
            entry = single[(index >> used).astype(np.int64)]
            length_ = entry & np.uint64(255)
            fits = used + length_ <= self.limit
            symbols |= np.where(fits, (entry >> np.uint64(16)) << (count * np.uint64(8)), 0)
            used += np.where(fits, length_, 0).astype(np.uint64)
            count += np.where(fits, each, 0).astype(np.uint64)
        return one, used | symbols << np.uint64(8) | count << np.uint64(56)

    def to_bytes(self) -> bytes:
        """Limit and kind, which bytes occur (a bit each), and four bits for each code length."""
        seen = np.zeros(256, np.uint8)
        seen[self.symbols] = 1
        nibbles = np.append(self.lengths, np.zeros(len(self.lengths) % 2, np.uint8))
        packed = nibbles[::2] | nibbles[1::2] << 4
        head = bytes([self.limit | 128 * self.pairs])
        return head + np.packbits(seen, bitorder="little").tobytes() + packed.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> HuffmanTable:
        """The table that :meth:`to_bytes` wrote. Raises FileFormatError where it is none."""
        if len(data) < 33:
            raise FileFormatError(f"a Huffman table has 33 bytes or more, this one {len(data)}")
        limit, pairs = data[0] & 127, data[0] > 127
        seen = np.unpackbits(np.frombuffer(data, np.uint8, 32, 1), bitorder="little")
        symbols = np.flatnonzero(seen).astype(np.uint8)
        most = PAIRED if pairs else 256
        if limit not in LIMITS or not 2 <= len(symbols) <= most:
            raise FileFormatError(
                f"a Huffman table has codes of at most {LIMITS} bits for 2 to {most} symbols, "
                f"this one {limit} bits and {len(symbols)}"
            )
        size = len(symbols) ** 2 if pairs else len(symbols)
        if len(data) != 33 + (size + 1) // 2:
            raise FileFormatError(
                f"a Huffman table of {size} codes has {33 + (size + 1) // 2} bytes, "
                f"this one {len(data)}"
            )
        packed = np.frombuffer(data, np.uint8, -1, 33)
        lengths = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:size]
        some = lengths[lengths > 0].astype(np.int64)
        if (some > limit).any() or (1 << (limit - some)).sum() != 1 << limit:
            raise FileFormatError(
                f"the code lengths of a Huffman table do not make a code of {limit} bits"
            )
        return cls(symbols, lengths, limit, pairs)


def huffman_table(counts: Array, limit: int = LIMITS[0]) -> HuffmanTable:
    """The best code for bytes that occur so often (256 counts).

    >>> table = huffman_table(np.bincount([7, 7, 7, 9], minlength=256))
    >>> table.symbols.tolist(), table.lengths.tolist()
    ([7, 9], [1, 1])
    """
    symbols = np.flatnonzero(counts)
    if len(symbols) < 2:  # a code has two words or more, even where one is never written
        first = int(symbols[0]) if len(symbols) else 0
        symbols = np.array(sorted([first, (first + 1) % 256]))
    lengths = code_lengths(np.maximum(counts[symbols], 1), limit)
    return HuffmanTable(symbols.astype(np.uint8), lengths, limit)


def pair_table(counts: Array, limit: int = LIMITS[0]) -> HuffmanTable | None:
    """The best code for pairs that occur so often (65536 counts of first + 256 * second).

    None where there are too many symbols, or too few pairs.
    """
    grid = counts.reshape(256, 256)
    symbols = np.flatnonzero(grid.any(axis=0) | grid.any(axis=1))
    keys = np.flatnonzero(counts)
    if len(symbols) > PAIRED or len(keys) < 2 or len(symbols) < 2:
        return None
    lengths = np.zeros((len(symbols), len(symbols)), np.uint8)
    place = np.searchsorted(symbols, keys & 255), np.searchsorted(symbols, keys >> 8)
    lengths[place] = code_lengths(counts[keys], limit)
    return HuffmanTable(symbols.astype(np.uint8), lengths.reshape(-1), limit, True)


def frequencies(counts: Array) -> Array:
    """Counts as frequencies that sum to 4096, none of what occurs zero, as near as that allows.

    Each unit goes where it saves the most bits.

    >>> frequencies(np.array([0, 1, 3])).tolist()
    [0, 1024, 3072]
    """
    total, whole = int(counts.sum()), 1 << PRECISION
    some = counts > 0
    if not some.any():
        raise ArgumentError("frequencies: expected counts of which one is not zero")
    weights = counts.astype(np.float64)
    found = np.where(some, np.maximum(np.floor(weights * whole / total), 1), 0).astype(np.int64)
    while (left := whole - int(found.sum())) != 0:
        with np.errstate(divide="ignore", invalid="ignore"):
            if left > 0:
                gain = np.where(some, weights * np.log2((found + 1) / found), -1)
            else:
                gain = np.where(found > 1, -weights * np.log2(found / (found - 1)), -np.inf)
        found[int(np.argmax(gain))] += 1 if left > 0 else -1
    return found
