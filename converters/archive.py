"""Zip archives, as PyTorch and NumPy use them: entries mapped in place and checked.

Python's ``zipfile`` reads the list of entries; where their bytes lie is checked here, since a
damaged or made-up archive can point anywhere. Source: PKWARE's APPNOTE, chapters 4.3 and 4.4.
"""

from __future__ import annotations

import mmap
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from .. import errors
from . import binary

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_HEADER_SIZE = 30
_DEFLATE_LIMIT = 1032  # one byte of deflate makes at most as many
# Above a gigabyte, entries that unpack to so many times their size are refused as a bomb.
_BOMB_SIZE = 2**30
_BOMB_RATIO = 100


@dataclass(frozen=True)
class Entry:
    """An entry of a zip archive: where its bytes are in the file, and how many they become."""

    name: str
    start: int
    stop: int
    size: int
    crc: int
    compressed: bool

    def read(self, content: bytes | mmap.mmap) -> binary.Bytes:
        """Its bytes, in place unless they are compressed, checked against the archive's sum."""
        raw = binary.as_bytes(content, self.start, self.stop)
        if self.compressed:
            raw = self._unpack(raw)
        # PyTorch writes zeros for the sums after torch.serialization.set_crc32_options(False).
        if self.crc and zlib.crc32(raw.data) != self.crc:
            raise self.refuse("is damaged (its CRC is wrong)")
        return raw

    def refuse(self, what: str) -> errors.FileFormatError:
        """The error that says what is wrong with it."""
        return errors.FileFormatError(f"its entry {self.name[:200]!r} {what}")

    def _unpack(self, raw: binary.Bytes) -> binary.Bytes:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            unpacked = unpacker.decompress(raw.data, self.size + 1)
        except zlib.error as error:
            raise self.refuse(f"is damaged ({error})") from None
        if len(unpacked) != self.size:
            raise self.refuse(f"does not unpack to the {self.size:,} bytes that it should have")
        return np.frombuffer(bytearray(unpacked), np.uint8)


def read_entries(
    path: str | os.PathLike[str], content: bytes | mmap.mmap, *, compressed: bool = False
) -> dict[str, Entry]:
    """The entries of the zip archive in ``content``, the file at ``path``, by name.

    Raises FileFormatError where one lies outside of the file or on top of another, is encrypted,
    compressed where ``compressed`` is not set, or would unpack to an absurd size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error) as e:
        raise errors.FileFormatError(
            f"it is no zip archive, or one that is cut off or damaged ({e})"
        ) from None
    entries: dict[str, Entry] = {}
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        entry = _entry(info, content)
        if info.header_offset < end or info.filename in entries:
            raise entry.refuse("lies on top of another")
        if entry.compressed and not compressed:
            raise entry.refuse("is compressed; unpack the archive and pack it with zip -0")
        end = entry.stop
        entries[info.filename] = entry
    unpacked = sum(entry.size for entry in entries.values())
    if unpacked > max(_BOMB_SIZE, _BOMB_RATIO * len(content)):
        raise errors.FileFormatError(
            f"it would unpack from {len(content):,} to {unpacked:,} bytes, which is refused"
        )
    return entries


def _entry(info: zipfile.ZipInfo, content: bytes | mmap.mmap) -> Entry:
    offset = info.header_offset
    header = content[offset : offset + _HEADER_SIZE]
    lengths = struct.unpack("<HH", header[26:]) if len(header) == _HEADER_SIZE else (0, 0)
    start = offset + _HEADER_SIZE + sum(lengths)
    compressed = info.compress_type == zipfile.ZIP_DEFLATED
    entry = Entry(
        info.filename, start, start + info.compress_size, info.file_size, info.CRC, compressed
    )
    if offset < 0 or header[:4] != ZIP_MAGIC or entry.stop > len(content):
        raise entry.refuse("is not where the archive says, or reaches out of the file")
    if info.flag_bits & 1 or not (compressed or info.compress_type == zipfile.ZIP_STORED):
        raise entry.refuse("is encrypted or compressed in a way that is not read")
    most = _DEFLATE_LIMIT * info.compress_size if compressed else info.compress_size
    if info.file_size > most or not (compressed or info.file_size == most):
        raise entry.refuse(f"cannot have the {info.file_size:,} bytes that it says")
    return entry
