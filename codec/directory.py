"""The head of a ``.tlz`` file: a superblock of 64 bytes, and the directory of what follows.

docs/tlz.md is the specification. Everything here is checked before it is believed; nothing here
takes more memory than a few times the directory itself.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

from ..errors import FileFormatError

MAGIC = b"\x89TLZ\r\n\x1a\n"
VERSION = (1, 0)
REQUIRED_KNOWN = 0  # no feature is required of readers yet
ALIGNMENT = 64  # of the data area, and of numbers that can be used where they lie
LEAST_ALIGNMENT = 8  # of every section
MOST_DIRECTORY = 1 << 24  # bytes, unpacked
MOST_NAME = 1024  # bytes of UTF-8
MOST_DIMENSIONS = 32
_MOST_SNR = 10**6
MOST_BYTES = 1 << 48  # of a tensor or a file, decoded
SUPERBLOCK = struct.Struct("<8sHHIQQQQQI")
HEAD = SUPERBLOCK.size + 4  # with the CRC-32 of all before it

DTYPES: dict[str, np.dtype[Any]] = {
    np.dtype(kind).name: np.dtype(kind)
    for kind in (
        np.bool_, np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64,
        np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.complex64, np.complex128,
        ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2,
        ml_dtypes.float8_e5m2fnuz, ml_dtypes.float8_e8m0fnu, ml_dtypes.float4_e2m1fn,
        ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.int2, ml_dtypes.uint2,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """Bytes of the data area: where they begin, and how many they are."""

    at: int
    size: int


@dataclass(frozen=True)
class TensorEntry:
    """A tensor in the directory; its parts have ``rows`` rows each, the last one what is left."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scheme: str
    parameters: Mapping[str, Any]
    rows: int
    parts: tuple[Mapping[str, Section], ...]
    sha256: str
    snr: int | None = None  # signal to noise, in hundredths of a decibel, where it is known
    transposed: bool = False  # the parts are those of the transposed matrix

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Its bytes once decoded."""
        return self.size * DTYPES[self.dtype].itemsize

    @property
    def height(self) -> int:
        """How many rows it has; a tensor of no dimensions has one."""
        return self.shape[0] if self.shape else 1

    @property
    def length(self) -> int:
        """How many rows its parts have together."""
        return self.shape[1] if self.transposed else self.height

    @property
    def columns(self) -> int:
        """How many numbers a row of its parts has."""
        return self.shape[0] if self.transposed else math.prod(self.shape[1:])

    @property
    def stored(self) -> int:
        """Its bytes in the file."""
        return sum(section.size for part in self.parts for section in part.values())


@dataclass(frozen=True)
class FileEntry:
    """A file in the directory: a graph, a tokenizer, labels."""

    name: str
    kind: str
    coder: str
    size: int
    section: Section | None
    crc32: int  # of the section
    sha256: str


@dataclass(frozen=True)
class Directory:
    """What a file holds; ``start`` is where its data area begins, ``length`` all its bytes."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, TensorEntry] = field(default_factory=dict)
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    start: int = 0
    length: int = 0

    def sections(self) -> list[tuple[str, Section]]:
        """Every section with whose it is, in the order of the file."""
        found = [
            (f"tensor {entry.name!r}", section)
            for entry in self.tensors.values()
            for part in entry.parts
            for section in part.values()
        ]
        found += [
            (f"file {entry.name!r}", entry.section)
            for entry in self.files.values()
            if entry.section is not None
        ]
        return sorted(found, key=lambda item: item[1].at)


def aligned(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


# Writing


def to_bytes(directory: Directory, data: int) -> bytes:
    """Superblock, directory and the zeros behind it, for a data area of ``data`` bytes."""
    content: dict[str, Any] = {"files": {}, "metadata": dict(directory.metadata), "tensors": {}}
    for tensor in directory.tensors.values():
        content["tensors"][tensor.name] = {
            "dtype": tensor.dtype,
            "parameters": dict(sorted(tensor.parameters.items())),
            "parts": [
                {name: [s.at, s.size] for name, s in sorted(part.items())} for part in tensor.parts
            ],
            "rows": tensor.rows,
            "scheme": tensor.scheme,
            "sha256": tensor.sha256,
            "shape": list(tensor.shape),
            **({} if tensor.snr is None else {"snr": tensor.snr}),
            **({"transposed": True} if tensor.transposed else {}),
        }
    for file in directory.files.values():
        content["files"][file.name] = {
            "coder": file.coder,
            "crc32": file.crc32,
            "kind": file.kind,
            "section": None if file.section is None else [file.section.at, file.section.size],
            "sha256": file.sha256,
            "size": file.size,
        }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MOST_DIRECTORY:
        raise FileFormatError(
            f"a .tlz file has a directory of at most {MOST_DIRECTORY:,} bytes, this one needs "
            f"{len(text):,}; save the tensors in several files"
        )
    held = zlib.compress(text, 9)
    if len(text) > _most_unpacked(len(held)):
        held = zlib.compress(text, 0)
    start = aligned(HEAD + len(held))
    head = SUPERBLOCK.pack(
        MAGIC, *VERSION, len(text), 0, 0, start + data, len(held), start, zlib.crc32(held)
    )
    head += struct.pack("<I", zlib.crc32(head))
    return (head + held).ljust(start, b"\0")


# Reading


def read_directory(head: bytes, read: Any, length: int) -> Directory:
    """The directory of a file of ``length`` bytes that begins with ``head``.

    ``read(at, size)`` gives bytes of it. A file that is cut off within its data area is no error
    here: ``Directory.length`` says how long it should be. Raises FileFormatError.
    """
    if len(head) < HEAD and MAGIC.startswith(head[:8]):
        raise FileFormatError(f"it is cut off: its head has {HEAD} bytes, {length} are there")
    if head[:8] != MAGIC:
        if head[:8].replace(b"\n", b"\r\n").startswith(MAGIC[:6]) or head[1:4] == b"TLZ":
            raise FileFormatError(
                "its first bytes were changed on the way, as text transfers do; copy it as binary"
            )
        raise FileFormatError("it is no .tlz file: its first bytes are others")
    (_, major, minor, unpacked, required, _, whole, size, start, crc) = SUPERBLOCK.unpack(
        head[: SUPERBLOCK.size]
    )
    if zlib.crc32(head[: SUPERBLOCK.size]) != int.from_bytes(
        head[SUPERBLOCK.size : HEAD], "little"
    ):
        raise FileFormatError("its head was changed: the checksum of its first 60 bytes differs")
    if major != VERSION[0]:
        raise FileFormatError(
            f"it has version {major}.{minor} of the format, and {VERSION[0]}.x is what this "
            "tensorlite reads; update tensorlite"
        )
    if unknown := required & ~REQUIRED_KNOWN:
        raise FileFormatError(
            f"it needs features that this tensorlite does not have (flags {unknown:#x}); update "
            "tensorlite"
        )
    fits = size <= MOST_DIRECTORY and unpacked <= _most_unpacked(size)
    if not fits or start != aligned(HEAD + size) or whole < start:
        raise FileFormatError(
            f"its head makes no sense: a directory of {size:,} bytes, data from {start:,} on, "
            f"{whole:,} bytes in all"
        )
    if length < HEAD + size:
        raise FileFormatError(
            f"it is cut off within its directory: {whole:,} bytes were written, {length:,} are "
            "there"
        )
    if length > whole:
        raise FileFormatError(f"it has {length - whole:,} bytes behind its end")
    text = read(HEAD, size)
    if zlib.crc32(text) != crc:
        raise FileFormatError(
            f"its directory (bytes {HEAD} to {HEAD + size}) was changed: its checksum differs"
        )
    return _directory(_json(_inflated(text, unpacked)), start, whole)


def _most_unpacked(size: int) -> int:
    """How long a directory may be: lists in it take twenty times their bytes of memory."""
    return min(MOST_DIRECTORY, 64 * size + (1 << 16))


def _inflated(held: bytes, size: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(held, size + 1)
    except zlib.error as error:
        raise FileFormatError(f"its directory cannot be unpacked ({error})") from None
    if len(text) != size or not inflate.eof or inflate.unused_data:
        raise FileFormatError("its directory is unpacked to another size than its head says")
    return text


def _json(text: bytes) -> Any:
    try:
        return json.loads(
            text.decode(), object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse
        )
    except RecursionError:
        raise FileFormatError("its directory is nested too deep") from None
    except FileFormatError:
        raise
    except ValueError as error:  # of JSON, of UTF-8, and of numbers of thousands of digits
        raise FileFormatError(f"its directory is no JSON ({error})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FileFormatError("its directory has the same name twice")
    return found


def _refuse(text: str) -> None:
    raise FileFormatError(f"its directory has {text[:30]}, and only whole numbers may be there")


def _directory(content: Any, start: int, length: int) -> Directory:
    known = {"files": dict, "metadata": dict, "tensors": dict}
    _fields(content, known, "its directory")
    for key, text in content["metadata"].items():
        if type(text) is not str:
            raise FileFormatError(f"its metadata {key[:100]!r} is no text")
    tensors = {name: _tensor(name, entry) for name, entry in content["tensors"].items()}
    files = {name: _file(name, entry) for name, entry in content["files"].items()}
    found = Directory(content["metadata"], tensors, files, start, length)
    _check_tiling(found)
    return found


def _fields(entry: Any, kinds: Mapping[str, type], what: str) -> None:
    """The entry is an object that has these fields, of these kinds; it may have more."""
    if type(entry) is not dict:
        raise FileFormatError(f"{what} is no JSON object")
    for key, kind in kinds.items():
        if type(entry.get(key)) is not kind:
            raise FileFormatError(f"{what} has no {key!r} that is a JSON {kind.__name__}")


def check_name(name: str, what: str) -> str:
    """A name as it may be in a file; FileFormatError where it may not."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise FileFormatError(f"{what} {name[:100]!r} is no UTF-8 text") from None
    if not name or size > MOST_NAME:
        raise FileFormatError(
            f"{what} {name[:100]!r} has {size:,} bytes; names have 1 to {MOST_NAME}"
        )
    return name


def _tensor(name: str, entry: Any) -> TensorEntry:
    what = f"tensor {name[:200]!r}"
    check_name(name, "the name of a tensor")
    kinds = {"dtype": str, "shape": list, "scheme": str, "parameters": dict, "rows": int,
             "parts": list, "sha256": str}  # fmt: skip
    _fields(entry, kinds, what)
    if entry["dtype"] not in DTYPES:
        raise FileFormatError(f"{what} has the dtype {entry['dtype'][:50]!r}, which is not known")
    shape = tuple(entry["shape"])
    if len(shape) > MOST_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise FileFormatError(
            f"{what} has no shape of up to {MOST_DIMENSIONS} sizes: {shape!r:.80}"
        )
    if any(n >= MOST_BYTES for n in shape):
        raise FileFormatError(f"{what} has a size of 2**48 or more in {shape!r:.80}")
    parts = []
    for part in entry["parts"]:
        if type(part) is not dict or not part:
            raise FileFormatError(f"{what} has a part that has no sections")
        parts.append({key: _section(value, what) for key, value in part.items()})
    snr = entry.get("snr")
    if snr is not None and (type(snr) is not int or abs(snr) > _MOST_SNR):
        raise FileFormatError(f"{what} has an 'snr' that is none: {snr!r:.50}")
    transposed = entry.get("transposed", False)
    if type(transposed) is not bool or transposed and len(shape) != 2:
        raise FileFormatError(f"{what} of shape {shape!r:.80} is no matrix that is transposed")
    found = TensorEntry(name, entry["dtype"], shape, entry["scheme"], entry["parameters"],
                        entry["rows"], tuple(parts), entry["sha256"], snr, transposed)  # fmt: skip
    if found.nbytes >= MOST_BYTES:
        raise FileFormatError(f"{what} of shape {shape!r:.80} would have 2**48 bytes or more")
    wanted = -(-found.length // found.rows) if found.size and found.rows > 0 else 0
    if found.rows < 1 or len(parts) != wanted:
        raise FileFormatError(
            f"{what} of shape {shape!r:.80} has {len(parts)} parts of {found.rows} rows"
        )
    _check_hash(found.sha256, what)
    return found


def _file(name: str, entry: Any) -> FileEntry:
    what = f"file {name[:200]!r}"
    check_name(name, "the name of a file")
    kinds = {"kind": str, "coder": str, "size": int, "crc32": int, "sha256": str}
    _fields(entry, kinds, what)
    section = None if entry.get("section") is None else _section(entry["section"], what)
    size = entry["size"]
    if not 0 <= size < MOST_BYTES or (section is None) != (size == 0):
        raise FileFormatError(f"{what} has {size} bytes and {'a' if section else 'no'} section")
    _check_hash(entry["sha256"], what)
    return FileEntry(name, entry["kind"], entry["coder"], size, section, entry["crc32"],
                     entry["sha256"])  # fmt: skip


def _section(value: Any, what: str) -> Section:
    if type(value) is not list or [type(n) for n in value] != [int, int]:
        raise FileFormatError(f"{what} has a section that is no pair of numbers")
    return Section(*value)


def _check_hash(text: str, what: str) -> None:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise FileFormatError(f"{what} has no SHA-256 in 64 digits")


def _check_tiling(directory: Directory) -> None:
    """Sections follow each other with little between them, up to the end of the file."""
    end, before = 0, "the data area"
    for what, section in directory.sections():
        gap = section.at - end
        if not 0 <= gap < ALIGNMENT or section.at % LEAST_ALIGNMENT or section.size < 1:
            raise FileFormatError(
                f"{what} has a section of {section.size} bytes at {section.at} of the data, "
                f"where {before} ends at {end}"
            )
        end, before = section.at + section.size, what
    if directory.start + end != directory.length:
        raise FileFormatError(
            f"its sections end at byte {directory.start + end:,}, and the file at "
            f"{directory.length:,}"
        )
