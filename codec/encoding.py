"""Encoding loops, compiled by numba."""

from __future__ import annotations

from typing import Any

from ..devices.numba.jit import jit


@jit("u1* i8 i8 i4* u1* i8*")
def huffman_stream(
    symbols: Any, count: Any, pairs: Any, codes: Any, out: Any, written: Any
) -> None:
    """Codes of symbols, lowest bit first; an odd symbol's partner is itself."""
    word, bits, place = 0, 0, 0
    if pairs:
        for i in range(0, count, 2):
            first = symbols[i]
            second = symbols[i + 1] if i + 1 < count else first
            code = codes[first | second << 8]
            word |= (code >> 8) << bits
            bits += code & 255
            while bits >= 8:
                out[place] = word & 255
                word >>= 8
                bits -= 8
                place += 1
    else:
        for i in range(count):
            code = codes[symbols[i]]
            word |= (code >> 8) << bits
            bits += code & 255
            while bits >= 8:
                out[place] = word & 255
                word >>= 8
                bits -= 8
                place += 1
    if bits:
        out[place] = word & 255
        place += 1
    written[0] = place


@jit("u1* i8 i8* i8*")
def histogram(symbols: Any, count: Any, counts: Any, other: Any) -> None:
    """How often each byte occurs; two tables, since the same byte often follows itself."""
    for i in range(0, count - 1, 2):
        counts[symbols[i]] += 1
        other[symbols[i + 1]] += 1
    if count % 2:
        counts[symbols[count - 1]] += 1
    for i in range(256):
        counts[i] += other[i]


@jit("u1* i8 i4* u1* i4* i8*")
def rans_block(symbols: Any, count: Any, table: Any, out: Any, states: Any, written: Any) -> None:
    """States and words of symbols, from the last to the first; words from the end of ``out``.

    The table has each symbol's frequency and the sum of those before it.
    """
    place = written[0]
    for lane in range(32):
        states[lane] = 1 << 16
    for i in range(count - 1, -1, -1):
        frequency = table[2 * symbols[i]]
        start = table[2 * symbols[i] + 1]
        state = states[i & 31] & 0xFFFFFFFF
        if state >= frequency << 20:
            place -= 2
            out[place] = state & 255
            out[place + 1] = (state >> 8) & 255
            state >>= 16
        states[i & 31] = ((state // frequency) << 12) + state % frequency + start
    written[0] = place


@jit("u1* i8 i8 i4* i4* i8*")
def decoding_tables(
    lengths: Any, count: Any, limit: Any, keys: Any, single: Any, multi: Any
) -> None:
    """The tables of a canonical code: by the next bits one code, and as many as fit.

    ``keys`` are a pair's two symbols and 65536, or one symbol.
    """
    size = 1 << limit
    code = 0
    for length in range(1, limit + 1):
        for i in range(count):
            if lengths[i] == length:
                place = 0
                for bit in range(limit):
                    place |= ((code >> bit) & 1) << (limit - 1 - bit)
                key = keys[i]
                each = 2 if key >= 65536 else 1
                entry = length | each << 8 | (key & 65535) << 16
                while place < size:
                    single[place] = entry
                    place += 1 << length
                code += 1 << (limit - length)
    for index in range(size):
        used, held, word = 0, 0, 0
        while held < 6:
            entry = single[index >> used]
            length = entry & 255
            if used + length > limit:
                break
            word |= ((entry >> 16) & 65535) << (8 * held)
            used += length
            held += (entry >> 8) & 3
        multi[index] = used | word << 8 | held << 56
