"""Huffman coding of bytes in independent blocks.

A block is six sizes of 32 bits, six streams of codes, the low four bits of its symbols where those
are stored as they are (64 bytes for 128 symbols: low halves for the first 64, high halves for the
others), and eight zero bytes, so that a decoder may read words. A stream has a sixth of the
symbols, in order: symbol ``count * i // 12 * 2`` is the first of stream ``i``. Codes are written
lowest bit first; the last byte of a stream is filled with zeros.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from ..errors import FileFormatError
from .parallel import compiles, share
from .tables import HuffmanTable

Array = np.ndarray[Any, Any]

STREAMS = 6
PADDING = 8


def bounds(count: int) -> list[int]:
    """Where the streams of a block of so many symbols begin, and the last one's end.

    >>> bounds(100)
    [0, 16, 32, 50, 66, 82, 100]
    """
    return [count * i // (2 * STREAMS) * 2 for i in range(STREAMS)] + [count]


def raw_bytes(count: int) -> int:
    """How many bytes the low four bits of so many symbols take."""
    return (count + 127) // 128 * 64


def encode_block(symbols: Array, table: HuffmanTable, raw: bool = False) -> bytes:
    """The bytes of a block of symbols (uint8), all of which the table has.

    With ``raw``, the table is one for ``symbols >> 4``.
    """
    coded = symbols >> 4 if raw else np.ascontiguousarray(symbols)
    ends = bounds(len(coded))
    write = _stream if compiles() else stream_numpy
    streams = [write(coded[a:b], table) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    sizes = np.array([len(s) for s in streams], "<u4").tobytes()
    low = _packed(symbols) if raw else b""
    return b"".join([sizes, *streams, low, bytes(PADDING)])


def _packed(symbols: Array) -> bytes:
    low = np.zeros(2 * raw_bytes(len(symbols)), np.uint8)
    low[: len(symbols)] = symbols & 15
    halves = low.reshape(-1, 2, 64)
    packed: bytes = (halves[:, 0] | halves[:, 1] << 4).tobytes()
    return packed


def _stream(symbols: Array, table: HuffmanTable) -> bytes:
    from .encoding import huffman_stream

    count = len(symbols)
    out = np.empty((count * table.limit + 7) // 8 + 16, np.uint8)
    written = np.zeros(1, np.int64)
    codes = table.codes
    huffman_stream(symbols.ctypes.data, count, int(table.pairs), codes.ctypes.data,
                   out.ctypes.data, written.ctypes.data)  # fmt: skip
    return out[: int(written[0])].tobytes()


def stream_numpy(symbols: Array, table: HuffmanTable) -> bytes:
    """The bytes of one stream."""
    keys = symbols.astype(np.int64)
    if table.pairs:
        keys = np.append(keys, keys[-1:]) if len(keys) % 2 else keys
        keys = keys[::2] | keys[1::2] << 8
    codes = table.codes[keys]
    lengths, words = codes & 255, codes >> 8
    ends = np.cumsum(lengths)
    bits = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - lengths
    for bit in range(table.limit):
        chosen = lengths > bit
        bits[starts[chosen] + bit] = words[chosen] >> bit & 1
    return np.packbits(bits, bitorder="little").tobytes()


def checked(data: Array, offsets: Array, counts: Array, raw: bool) -> tuple[Array, Array, Array]:
    """Where the streams of each block begin and end, and where its raw bits do.

    Raises FileFormatError for blocks whose sizes are not those of what they should hold.
    """
    sizes = offsets[1:] - offsets[:-1]
    least = 4 * STREAMS + PADDING
    if len(offsets) and (offsets[0] < 0 or offsets[-1] > len(data) or (sizes < least).any()):
        raise FileFormatError(
            f"a Huffman block has {least} bytes or more within the {len(data)} that there are"
        )
    heads = data[(offsets[:-1, None] + np.arange(4 * STREAMS)[None])].view("<u4").astype(np.int64)
    ends = np.cumsum(heads, axis=1) + offsets[:-1, None] + 4 * STREAMS
    low = (counts + 127) // 128 * 64 if raw else np.zeros_like(counts)
    wrong = np.flatnonzero(ends[:, -1] + low + PADDING != offsets[1:])
    if len(wrong):
        raise FileFormatError(
            f"Huffman block {wrong[0]} has {sizes[wrong[0]]} bytes, its streams say "
            f"{ends[wrong[0], -1] + low[wrong[0]] + PADDING - offsets[wrong[0]]}"
        )
    return ends - heads, ends, ends[:, -1]


def decode_blocks(
    data: Array,
    offsets: Array,
    counts: Array,
    table: HuffmanTable,
    out: Array,
    raw: bool = False,
    threads: int | None = None,
) -> None:
    """Decodes blocks, which lie in ``data`` from ``offsets[i]`` to ``offsets[i + 1]``, to ``out``.

    ``out`` is contiguous, and as long as ``counts`` together. Raises FileFormatError for blocks
    that are broken.
    """
    starts, ends, low = checked(data, offsets, counts, raw)
    first = np.cumsum(counts) - counts
    run = _native if compiles() else _numpy
    failed = run(data, starts, ends, low if raw else None, first, counts, table, out, threads)
    if len(failed):
        raise FileFormatError(f"Huffman block {failed[0]} is broken: its codes do not end with it")


def jobs_for(
    data: Array, starts: Array, ends: Array, low: Array | None, to: Array, counts: Array,
    table: HuffmanTable,
) -> Array:  # fmt: skip
    """What the compiled decoder is told; ``to`` has the address of each block's symbols.

    The addresses are those of ``data`` and of the table's arrays, which must live on.
    """
    from .huffman_kernel import HEAD, WORDS

    base = data.ctypes.data
    jobs = np.zeros((len(counts), WORDS), np.int64)
    jobs[:, 1], jobs[:, 2] = table.multi.ctypes.data, table.single.ctypes.data
    if low is not None:
        jobs[:, 3] = base + low
    jobs[:, 4], jobs[:, 5] = to, counts
    streams = jobs[:, HEAD:].reshape(-1, STREAMS, 4)
    streams[:, :, 0], streams[:, :, 1] = (base + starts) * 8, (base + ends) * 8
    at = counts[:, None] * np.arange(STREAMS + 1)[None] // (2 * STREAMS) * 2
    at[:, -1] = counts
    at += to[:, None]
    streams[:, :, 2], streams[:, :, 3] = at[:, :-1], at[:, 1:]
    return jobs


def _native(
    data: Array, starts: Array, ends: Array, low: Array | None, first: Array, counts: Array,
    table: HuffmanTable, out: Array, threads: int | None,
) -> Array:  # fmt: skip
    jobs = jobs_for(data, starts, ends, low, out.ctypes.data + first, counts, table)
    run = decoder(table.limit)
    share(lambda a, b: run(jobs.ctypes.data, a, b), len(jobs), threads)
    return np.flatnonzero(jobs[:, 0])


@cache
def decoder(limit: int) -> Any:
    """The compiled decoder: called with the address of jobs, the first and the last."""
    from .huffman_kernel import decoder as address

    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    return kind(address(limit))


def _numpy(
    data: Array, starts: Array, ends: Array, low: Array | None, first: Array, counts: Array,
    table: HuffmanTable, out: Array, threads: int | None,
) -> Array:  # fmt: skip
    failed = []
    for block, (begin, count) in enumerate(zip(first.tolist(), counts.tolist(), strict=True)):
        symbols = out[begin : begin + count]
        places = bounds(count)
        good = True
        for i in range(STREAMS):
            found = decode_stream(data[starts[block, i] : ends[block, i]], table,
                                  places[i + 1] - places[i])  # fmt: skip
            if found is None:
                good = False
                break
            symbols[places[i] : places[i + 1]] = found
        if not good:
            failed.append(block)
        elif low is not None:
            packed = data[low[block] : low[block] + raw_bytes(count)].reshape(-1, 1, 64)
            halves = np.concatenate([packed & 15, packed >> 4], axis=1).reshape(-1)
            symbols[:] = symbols << 4 | halves[:count]
    return np.array(failed, np.int64)


def decode_stream(stream: Array, table: HuffmanTable, count: int) -> Array | None:
    """The symbols of one stream; None where its codes do not end where it does.

    What would follow is looked up at every bit; then it is a walk from code to code.
    """
    steps = (count + 1) // 2 if table.pairs else count
    bits = np.unpackbits(stream, bitorder="little").astype(np.uint16)
    padded = np.append(bits, np.zeros(table.limit, np.uint16))
    windows = np.zeros(len(bits) + 1, np.uint16)
    for bit in range(table.limit):
        windows |= padded[bit : bit + len(windows)] << np.uint16(bit)
    entries = table.single[windows]
    lengths = (entries & 255).tolist()
    place, last, places = 0, len(bits), []
    for _ in range(steps):
        if place > last:
            return None
        places.append(place)
        place += lengths[place]
    if not 0 <= last - place < 8:
        return None
    found = entries[np.array(places, np.int64)]
    first = (found >> 16 & 255).astype(np.uint8)
    if not table.pairs:
        return first
    return np.stack([first, (found >> 24).astype(np.uint8)], axis=1).reshape(-1)[:count]
