"""rANS coding of bytes in independent blocks: as near to the entropy as frequencies allow.

Jarek Duda, "Asymmetric numeral systems" (arXiv 1311.2540); 32 interleaved states of 32 bits, words
of 16 bits, frequencies of 12. A block is the 32 states with which decoding begins, then the words.
Symbol ``i`` belongs to state ``i % 32``: with ``s = state & 4095`` in ``start .. start + f - 1``
of a symbol, the state becomes ``f * (state >> 12) + s - start``, and if that is less than 65536,
``65536`` times itself plus the next word. In the end every state is 65536 and no word is left.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from ..errors import FileFormatError
from .parallel import compiles, share
from .tables import PRECISION, frequencies

Array = np.ndarray[Any, Any]

LANES = 32
_FIRST = 1 << 16


@dataclass(frozen=True, eq=False)
class RansTable:
    """The frequency of each of 256 bytes; together 4096, none 4096 alone."""

    frequencies: Array

    @cached_property
    def starts(self) -> Array:
        """The sum of the frequencies before each."""
        sums: Array = np.cumsum(self.frequencies) - self.frequencies
        return sums

    @cached_property
    def slots(self) -> Array:
        """By the low bits of a state: frequency - 1 << 20 | how far in << 8 | symbol."""
        symbols = np.repeat(np.arange(256), self.frequencies)
        within = np.arange(1 << PRECISION) - self.starts[symbols]
        return ((self.frequencies[symbols] - 1) << 20 | within << 8 | symbols).astype(np.uint32)

    def to_bytes(self) -> bytes:
        """Which bytes occur (a bit each), and the frequency of each, less one, in 16 bits."""
        some = self.frequencies > 0
        values = (self.frequencies[some] - 1).astype("<u2").tobytes()
        return np.packbits(some, bitorder="little").tobytes() + values

    @classmethod
    def from_bytes(cls, data: bytes) -> RansTable:
        """The table that :meth:`to_bytes` wrote. Raises FileFormatError where it is none."""
        if len(data) < 32:
            raise FileFormatError(f"an rANS table has 32 bytes or more, this one {len(data)}")
        some = np.unpackbits(np.frombuffer(data, np.uint8, 32), bitorder="little").astype(bool)
        if len(data) != 32 + 2 * int(some.sum()):
            raise FileFormatError(
                f"an rANS table of {some.sum()} symbols has {32 + 2 * some.sum()} bytes, "
                f"this one {len(data)}"
            )
        found = np.zeros(256, np.int64)
        found[some] = np.frombuffer(data, "<u2", -1, 32).astype(np.int64) + 1
        if found.sum() != 1 << PRECISION or found.max() == 1 << PRECISION:
            raise FileFormatError(
                f"the frequencies of an rANS table make {1 << PRECISION}, these {found.sum()}"
            )
        return cls(found)


def rans_table(counts: Array) -> RansTable:
    """The table for bytes that occur so often (256 counts).

    >>> rans_table(np.bincount([0, 0, 0, 1], minlength=256)).frequencies[:2].tolist()
    [3072, 1024]
    """
    weights = counts.astype(np.int64)
    if (weights > 0).sum() < 2:  # a second symbol, that is never written
        weights = weights.copy()
        weights[1 if weights[0] else 0] += 1
    return RansTable(frequencies(weights))


def encode_block(symbols: Array, table: RansTable) -> bytes:
    """The bytes of a block of symbols (uint8), all of which the table has."""
    symbols = np.ascontiguousarray(symbols)
    return (_encode if compiles() else encode_numpy)(symbols, table)


def _encode(symbols: Array, table: RansTable) -> bytes:
    from .encoding import rans_block

    out = np.empty(2 * len(symbols) + 2, np.uint8)
    states = np.zeros(LANES, np.int32)
    written = np.array([len(out)], np.int64)
    pairs = np.stack([table.frequencies, table.starts], axis=1).astype(np.int32)
    rans_block(symbols.ctypes.data, len(symbols), pairs.ctypes.data, out.ctypes.data,
               states.ctypes.data, written.ctypes.data)  # fmt: skip
    return states.tobytes() + out[int(written[0]) :].tobytes()


def encode_numpy(symbols: Array, table: RansTable) -> bytes:
    """The same bytes, 32 symbols at a time."""
    states = np.full(LANES, _FIRST, np.int64)
    words: list[Array] = []
    for first in range((len(symbols) - 1) // LANES * LANES, -1, -LANES):
        row = symbols[first : first + LANES]
        if len(row) == 0:
            break
        frequency, start = table.frequencies[row], table.starts[row]
        now = states[: len(row)]
        large = now >= frequency << 20
        words.append((now[large] & 65535)[::-1])
        now = np.where(large, now >> 16, now)
        states[: len(row)] = (now // frequency << PRECISION) + now % frequency + start
    stream = np.concatenate(words)[::-1] if words else np.zeros(0, np.int64)
    return states.astype("<u4").tobytes() + stream.astype("<u2").tobytes()


def check(data: Array, offsets: Array) -> None:
    """Raises FileFormatError for blocks that cannot be any, or that are not within the data."""
    sizes = offsets[1:] - offsets[:-1]
    wrong = (sizes < 4 * LANES) | (sizes % 2 != 0)
    if wrong.any() or offsets[0] < 0 or offsets[-1] > len(data):
        raise FileFormatError(
            f"an rANS block has {4 * LANES} bytes or more, an even number, within the {len(data)} "
            "that there are"
        )


def decode_blocks(
    data: Array,
    offsets: Array,
    counts: Array,
    table: RansTable,
    out: Array,
    threads: int | None = None,
) -> None:
    """Decodes blocks, which lie in ``data`` from ``offsets[i]`` to ``offsets[i + 1]``, to ``out``.

    ``out`` is contiguous, and as long as ``counts`` together. Raises FileFormatError for blocks
    that are broken.
    """
    check(data, offsets)
    first = np.cumsum(counts) - counts
    run = _native if compiles() else _numpy
    failed = run(data, offsets, first, counts, table, out, threads)
    if len(failed):
        raise FileFormatError(
            f"rANS block {failed[0]} is broken: its states do not end as they began"
        )


def jobs_for(data: Array, offsets: Array, to: Array, counts: Array, table: RansTable) -> Array:
    """What the compiled decoder is told; ``to`` has the address of each block's symbols.

    The addresses are those of ``data`` and of the table's slots, which must live on.
    """
    from .rans_kernel import HEAD, WORDS

    base = data.ctypes.data
    jobs = np.zeros((len(counts), WORDS), np.int64)
    jobs[:, 1], jobs[:, 2] = table.slots.ctypes.data, base + offsets[:-1] + 4 * LANES
    jobs[:, 3], jobs[:, 4], jobs[:, 5] = base + offsets[1:], to, counts
    jobs[:, HEAD:] = data[offsets[:-1, None] + np.arange(4 * LANES)[None]].view("<i8")
    return jobs


def broken(jobs: Array) -> Array:
    """Which jobs, after they were run, had blocks that are broken."""
    from .rans_kernel import HEAD

    states = np.ascontiguousarray(jobs[:, HEAD:]).view(np.uint32)
    return np.flatnonzero((jobs[:, 0] != 0) | (states != _FIRST).any(axis=1))


def _native(
    data: Array, offsets: Array, first: Array, counts: Array, table: RansTable, out: Array,
    threads: int | None,
) -> Array:  # fmt: skip
    jobs = jobs_for(data, offsets, out.ctypes.data + first, counts, table)
    run = decoder()
    share(lambda a, b: run(jobs.ctypes.data, a, b), len(jobs), threads)
    return broken(jobs)


@cache
def decoder() -> Any:
    """The compiled decoder: called with the address of jobs, the first and the last."""
    from .rans_kernel import decoder as address

    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    return kind(address())


def _numpy(
    data: Array, offsets: Array, first: Array, counts: Array, table: RansTable, out: Array,
    threads: int | None,
) -> Array:  # fmt: skip
    failed = [
        i for i in range(len(counts))
        if not _decode_numpy(data[offsets[i] : offsets[i + 1]].tobytes(), table,
                             out[first[i] : first[i] + counts[i]])
    ]  # fmt: skip
    return np.array(failed, np.int64)


def _decode_numpy(block: bytes, table: RansTable, out: Array) -> bool:
    states = np.frombuffer(block, "<u4", LANES).astype(np.int64)
    words = np.frombuffer(block, "<u2", -1, 4 * LANES).astype(np.int64)
    at, slots = 0, table.slots.astype(np.int64)
    for first in range(0, len(out), LANES):
        row = out[first : first + LANES]
        now = states[: len(row)]
        entry = slots[now & 4095]
        row[:] = (entry & 255).astype(np.uint8)
        now = ((entry >> 20) + 1) * (now >> PRECISION) + (entry >> 8 & 4095) & 0xFFFFFFFF
        small = np.flatnonzero(now < _FIRST)
        if at + len(small) > len(words):
            return False
        now[small] = now[small] << 16 | words[at : at + len(small)]
        at += len(small)
        states[: len(row)] = now
    return at == len(words) and bool((states == _FIRST).all())
