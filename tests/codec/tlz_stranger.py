"""A reader of ``.tlz`` files that was written from docs/tlz.md: slow, short, and of nothing ours.

It checks nothing beyond what decoding needs. Numbers come back as bytes, but quantised ones, which
are computed with NumPy's float32.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import ml_dtypes  # noqa: F401  (bfloat16)
import numpy as np


class File:
    """A file, by the bytes of it."""

    def __init__(self, data: bytes) -> None:
        magic, major, _, unpacked, required, _, whole, size, start, crc = struct.unpack_from(
            "<8sHHIQQQQQI", data
        )
        assert magic == b"\x89TLZ\r\n\x1a\n" and major == 1 and required == 0
        assert struct.unpack_from("<I", data, 60)[0] == zlib.crc32(data[:60])
        assert whole == len(data) and start == (64 + size + 63) // 64 * 64
        held = data[64 : 64 + size]
        assert zlib.crc32(held) == crc
        text = zlib.decompress(held)
        assert len(text) == unpacked
        self.directory = json.loads(text)
        self.data = data[start:]

    def section(self, place: list[int]) -> bytes:
        """Its bytes."""
        return self.data[place[0] : place[0] + place[1]]

    def file(self, name: str) -> bytes:
        """The content of a file."""
        entry = self.directory["files"][name]
        held = self.section(entry["section"]) if entry["section"] else b""
        return zlib.decompress(held) if entry["coder"] == "zlib" else held

    def tensor(self, name: str) -> bytes:
        """The numbers of a tensor."""
        entry = self.directory["tensors"][name]
        shape = entry["shape"] or [1]
        turned = entry.get("transposed", False)
        shape = shape[::-1] if turned else shape
        columns = 1
        for size in shape[1:]:
            columns *= size
        found = b""
        for i, part in enumerate(entry["parts"]):
            rows = min(entry["rows"], shape[0] - i * entry["rows"])
            sections = {key: self.section(place) for key, place in part.items()}
            found += PARTS[entry["scheme"]](entry, rows, columns, sections)
        if turned:
            wide = len(found) // (shape[0] * shape[1])
            cells = np.frombuffer(found, np.dtype((np.void, wide))).reshape(shape)
            found = cells.T.tobytes()
        return found


def plane(data: bytes, at: int = 0) -> tuple[bytes, int]:
    """The symbols of a plane, and where it ends."""
    method, _, size, block, count, total = struct.unpack_from("<BBHIQQ", data, at)
    table = data[at + 24 : at + 24 + size]
    blocks = -(-count // block)
    directory = at + 24 + size
    place = directory + 8 * blocks + 4
    assert zlib.crc32(data[at : place - 4]) == struct.unpack_from("<I", data, place - 4)[0]
    end, found = place + total, b""
    for i in range(blocks):
        length, crc = struct.unpack_from("<II", data, directory + 8 * i)
        held = data[place : place + length]
        assert zlib.crc32(held) == crc
        found += DECODERS[method](held, min(block, count - i * block), table)
        place += length
    assert place == end
    return found, end


def _occurring(bits: bytes) -> list[int]:
    return [i for i in range(256) if bits[i // 8] >> i % 8 & 1]


def huffman(held: bytes, count: int, table: bytes, split: bool = False) -> bytes:
    """The symbols of a Huffman block."""
    symbols: list[Any] = _occurring(table[1:33])
    keys = [(s,) for s in symbols]
    if table[0] > 127:
        keys = [(a, b) for a in symbols for b in symbols]
    lengths = [table[33 + i // 2] >> 4 * (i % 2) & 15 for i in range(len(keys))]
    codes, code, before = {}, 0, 0
    for length, i in sorted((length, i) for i, length in enumerate(lengths) if length):
        code = (code + 1 if codes else 0) << length - before
        before = length
        codes[length, code] = keys[i]
    sizes = struct.unpack_from("<6I", held)
    ends = [2 * (count * i // 12) for i in range(6)] + [count]
    at, found = 24, b""
    for i, size in enumerate(sizes):
        bits = "".join(format(byte, "08b")[::-1] for byte in held[at : at + size])
        out: list[int] = []
        code, length = 0, 0
        for bit in bits:
            if len(out) >= ends[i + 1] - ends[i]:
                assert bit == "0"
                continue
            code, length = 2 * code + int(bit), length + 1
            if (length, code) in codes:
                out += codes[length, code]
                code, length = 0, 0
        found += bytes(out[: ends[i + 1] - ends[i]])
        at += size
    if split:
        low = held[at : at + (count + 127) // 128 * 64]
        at += len(low)
        high = found
        found = bytes(
            high[i] << 4 | low[i // 128 * 64 + i % 64] >> 4 * (i % 128 // 64) & 15
            for i in range(count)
        )
    assert held[at:] == bytes(8) and len(found) == count
    return found


def rans(held: bytes, count: int, table: bytes) -> bytes:
    """The symbols of an rANS block."""
    symbols = _occurring(table[:32])
    slots = []
    for i, symbol in enumerate(symbols):
        frequency = struct.unpack_from("<H", table, 32 + 2 * i)[0] + 1
        slots += [(symbol, frequency, k) for k in range(frequency)]
    assert len(slots) == 4096
    states = list(struct.unpack_from("<32I", held))
    words = iter(struct.unpack_from(f"<{(len(held) - 128) // 2}H", held, 128))
    found = bytearray()
    for i in range(count):
        state = states[i % 32]
        symbol, frequency, within = slots[state % 4096]
        found.append(symbol)
        state = frequency * (state // 4096) + within
        states[i % 32] = state if state >= 65536 else 65536 * state + next(words)
    assert set(states) == {65536} and next(words, None) is None
    return bytes(found)


DECODERS = {
    0: lambda held, count, table: held,
    1: lambda held, count, table: held * count,
    2: huffman,
    3: lambda held, count, table: huffman(held, count, table, True),
    4: rans,
}


def stored(entry: Any, rows: int, columns: int, sections: dict[str, bytes]) -> bytes:
    """Numbers as they are."""
    for i, (crc,) in enumerate(struct.iter_unpack("<I", sections["sums"])):
        assert zlib.crc32(sections["data"][i << 20 : i + 1 << 20]) == crc
    return sections["data"]


def apart(entry: Any, rows: int, columns: int, sections: dict[str, bytes]) -> bytes:
    """A plane for each byte of the numbers."""
    return _apart(sections["data"])


def _apart(data: bytes) -> bytes:
    planes, at = [], 0
    while at < len(data):
        found, at = plane(data, at)
        planes.append(found)
    return bytes(byte for number in zip(*planes, strict=True) for byte in number)


def floats(entry: Any, rows: int, columns: int, sections: dict[str, bytes]) -> bytes:
    """Floating-point numbers."""
    data, width = sections["data"], 4 if entry["dtype"] == "float32" else 2
    groups, at = data[0], 1
    wide, of_row = rows * columns, b"\0"
    if groups > 1:
        (wide,) = struct.unpack_from("<Q", data, at)
        of_row, at = plane(data, at + 8)
    held = []
    for _ in range(groups):
        numbers, at = _group(data, at, width)
        held.append(numbers)
    assert at == len(data)
    taken, found = [0] * groups, b""
    for group in of_row:
        found += held[group][taken[group] : taken[group] + wide * width]
        taken[group] += wide * width
    return found


def _group(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    fine, _, base = struct.unpack_from("<BBH", data, at)
    (block,) = struct.unpack_from("<I", data, at + 4 + 4)
    planes, at = [], at + 4
    for _ in range(width):
        found, at = plane(data, at)
        planes.append(found)
    symbols, rest, *low = planes
    room, numbers = -(-block // 256) * (192 if fine else 256), b""
    for i, s in enumerate(symbols):
        chunk, j = divmod(i % block, 256)
        start = i // block * room + chunk * (192 if fine else 256)
        if not fine:
            r = rest[start + j]
            upper = r >> 7 << 15 | s << 7 | r & 127
        else:
            if j < 192:
                r = rest[start + j] & 63
            else:
                thirds = [rest[start + 64 * k + j - 192] >> 6 for k in range(3)]
                r = thirds[0] | thirds[1] << 2 | thirds[2] << 4
            upper = r >> 5 << 15 | (s + base if s else 0) << 5 | r & 31
        numbers += b"".join(plane[i : i + 1] for plane in low[::-1]) + struct.pack("<H", upper)
    return numbers, at


def _codes(entry: Any, rows: int, columns: int, data: bytes) -> Any:
    held, bits = plane(data)[0], entry["parameters"]["bits"]
    if entry["parameters"]["packed"]:
        found = []
        for at in range(0, len(held), bits):
            eight = int.from_bytes(held[at : at + bits], "little")
            found += [eight >> bits * i & (1 << bits) - 1 for i in range(8)]
        held = bytes(found[: rows * columns])
    return np.frombuffer(held, np.uint8).reshape(rows, columns)


def _floats(entry: Any, data: bytes) -> Any:
    kind = np.dtype(entry["parameters"]["scale_dtype"])
    return np.frombuffer(_apart(data), kind).astype(np.float32)


def _at(entry: Any, columns: int) -> tuple[bool, Any, int]:
    """Whether there is a scale by row, the group of each column, and how many groups there are."""
    group = entry["parameters"]["group"]
    return bool(entry["parameters"]["by_row"]), np.arange(columns) // group, -(-columns // group)


def uniform(entry: Any, rows: int, columns: int, sections: dict[str, bytes]) -> bytes:
    """(c - z) * s."""
    codes = _codes(entry, rows, columns, sections["codes"]).astype(np.int32)
    by_row, group, count = _at(entry, columns)
    scales = _floats(entry, sections["scales"]).reshape(rows if by_row else 1, count)[:, group]
    zeros: Any = 1 << entry["parameters"]["bits"] - 1
    if "zeros" in sections:
        held = np.frombuffer(plane(sections["zeros"])[0], np.uint8).astype(np.int32)
        zeros = held.reshape(rows if by_row else 1, count)[:, group]
    return ((codes - zeros).astype(np.float32) * scales).astype(entry["dtype"]).tobytes()


def codebook(entry: Any, rows: int, columns: int, sections: dict[str, bytes]) -> bytes:
    """v[c], or v[c] * s."""
    found = _floats(entry, sections["values"])[_codes(entry, rows, columns, sections["codes"])]
    if "scales" in sections:
        by_row, group, count = _at(entry, columns)
        scales = _floats(entry, sections["scales"]).reshape(rows if by_row else 1, count)
        found = found * scales[:, group]
    return found.astype(entry["dtype"]).tobytes()


PARTS = {"stored": stored, "bytes": apart, "floats": floats, "uniform": uniform,
         "codebook": codebook}  # fmt: skip
