"""Reading ``.tlz`` files: everything, one tensor, or a range of rows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..converters.binary import naming
from ..errors import ArgumentError, DimensionError, FileFormatError, UnknownNameError, nearest
from ..threads import get_num_threads
from .directory import (
    DTYPES,
    HEAD,
    MAGIC,
    FileEntry,
    Section,
    TensorEntry,
    read_directory,
)
from .grid import UniformPart
from .packed import Quantized, is_packable, quantized
from .parallel import share
from .schemes import Part, StoredPart, check_digest, check_scheme, open_part, turned
from .sources import MappedFile, OpenFile, other_kind

Array = np.ndarray[Any, Any]

MODES = ("mmap", "read")
LEVELS = ("none", "fast", "full")
LEAST_LIMIT = 1 << 30  # bytes that any file may decode to
_RATIO = 64  # and as many times its own size
_SHARED = 1 << 20  # numbers of a tensor that several threads decode together


class Checkpoint:
    """A ``.tlz`` file that is open for reading: a mapping of names to NumPy arrays.

    ``mode`` is ``"mmap"`` (the file is mapped, and only pages that are used are read) or
    ``"read"`` (each section is read when it is decoded: better on network drives). ``verify`` is
    ``"fast"`` (the checksum of every block that is decoded), ``"full"`` (the SHA-256 of every
    tensor that is decoded whole too) or ``"none"``. ``max_bytes`` is how much one call may decode:
    64 times the file, and at least 1 GiB, unless it is given. ``partial`` opens a file that is cut
    off; its tensors up to there can be had. Several threads and processes may share a file.

    Raises FileFormatError for what is broken, with the tensor and the place.

    >>> import os, tempfile, numpy as np, tensorlite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "x.tlz")
    >>> tl.save({"x": tl.arange(6).reshape(3, 2)}, path)
    >>> with Checkpoint(path) as file:
    ...     list(file), file.rows("x", 1, 3)
    (['x'], array([[2, 3],
           [4, 5]]))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: str = "mmap",
        verify: str = "fast",
        threads: int | None = None,
        max_bytes: int | None = None,
        partial: bool = False,
    ) -> None:
        _check("mode", mode, MODES)
        _check("verify", verify, LEVELS)
        self.path = Path(path)
        self.verify_level, self.threads = verify, threads
        with naming(path):
            self._source: MappedFile | OpenFile
            self._source = MappedFile(path) if mode == "mmap" else OpenFile(path)
            try:
                self._open(max_bytes, partial)
            except BaseException:
                self._source.close()
                raise

    def _open(self, max_bytes: int | None, partial: bool) -> None:
        size = self._source.size
        self.max_bytes = max(LEAST_LIMIT, _RATIO * size) if max_bytes is None else max_bytes
        head = self._source.read(0, min(HEAD, size))
        if head[:8] != MAGIC and (what := other_kind(self._source.read(0, min(512, size)))):
            raise FileFormatError(what)
        self.directory = read_directory(head, self._source.read, size)
        if size < self.directory.length and not partial:
            raise FileFormatError(self._cut(size))

    def _cut(self, size: int) -> str:
        start = self.directory.start
        gone = [w for w, s in self.directory.sections() if start + s.at + s.size > size]
        lost = set(gone)
        return (
            f"it is cut off: {self.directory.length:,} bytes were written, {size:,} are there, "
            f"which end in {gone[0] if gone else 'the last bytes'}; without "
            f"{len(lost)} of {len(self.directory.tensors) + len(self.directory.files)} the rest "
            "can be had: tl.codec.Checkpoint(path, partial=True), or tensorlite decompress "
            "--partial"
        )

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; arrays that are mapped stay."""
        self._source.close()

    def __len__(self) -> int:
        return len(self.directory.tensors)

    def __iter__(self) -> Iterator[str]:
        return iter(self.directory.tensors)

    def __contains__(self, name: object) -> bool:
        return name in self.directory.tensors

    def keys(self) -> list[str]:
        """The names of the tensors, in the order in which they were saved."""
        return list(self.directory.tensors)

    @property
    def metadata(self) -> dict[str, str]:
        """Texts by name."""
        return dict(self.directory.metadata)

    def entry(self, name: str) -> TensorEntry:
        """What the directory says about a tensor; UnknownNameError where there is none."""
        if name not in self.directory.tensors:
            raise UnknownNameError(
                f"{self.path}: no tensor is named {name!r}.{nearest(name, self.directory.tensors)}"
            )
        return self.directory.tensors[name]

    def __getitem__(self, name: str) -> Array:
        """A tensor, whole."""
        return self.rows(name)

    def read_all(self, report: Callable[[int, int], None] | None = None) -> dict[str, Array]:
        """Every tensor by name; ``report(done, total)`` is told the bytes as they come."""
        total = sum(entry.nbytes for entry in self.directory.tensors.values())
        with naming(self.path):
            self._allow(total, "its tensors")
        found: dict[str, Array] = dict.fromkeys(self.directory.tensors, np.zeros(0))
        left = sorted(self.directory.tensors.values(), key=lambda entry: entry.size)
        done, lock = 0, threading.Lock()

        def take(threads: int | None, least: int) -> None:
            nonlocal done
            while True:
                with lock:
                    if not left or left[-1].size < least:
                        return
                    entry = left.pop()
                found[entry.name] = self._named(entry, 0, entry.height, threads)
                with lock:
                    done += entry.nbytes
                    if report is not None:
                        report(done, total)

        # Threads share large tensors, one after the other; of the others each takes its own.
        take(self.threads, _SHARED)
        workers = self.threads or get_num_threads()
        share(lambda first, last: take(1, 0), workers, workers)
        return found

    def rows(self, name: str, first: int = 0, last: int | None = None) -> Array:
        """The rows from ``first`` to before ``last`` of a tensor: ``x[first:last]``.

        Only parts (and, where they are not floats, blocks) that hold them are decoded, but for
        matrices that are kept transposed. Raises DimensionError for rows that are not there.
        """
        entry = self.entry(name)
        stop = entry.height if last is None else last
        if not 0 <= first <= stop <= entry.height:
            raise DimensionError(
                f"rows {first} to {stop} of {name!r}, which has {entry.height} (shape "
                f"{list(entry.shape)})"
            )
        return self._named(entry, first, stop, self.threads)

    def _named(self, entry: TensorEntry, first: int, last: int, threads: int | None) -> Array:
        with naming(self.path), self._naming(entry):
            return self._rows(entry, first, last, threads)

    def _rows(self, entry: TensorEntry, first: int, last: int, threads: int | None) -> Array:
        check_scheme(entry)
        dtype = DTYPES[entry.dtype]
        row = entry.nbytes // max(entry.height, 1)
        self._allow(entry.nbytes if entry.transposed else (last - first) * row, "it")
        shape = (last - first, *entry.shape[1:]) if entry.shape else ()
        if entry.transposed and (first, last) != (0, entry.height):
            return self._rows(entry, 0, entry.height, threads)[first:last].copy()
        part = self._part(entry, 0) if entry.scheme == "stored" and len(entry.parts) == 1 else None
        if entry.transposed:
            found = np.empty(entry.nbytes, np.uint8)
            self._decode(entry, found, 0, entry.length, threads)
            found = turned(entry, found.view(dtype).reshape(entry.length, -1))
        elif isinstance(part, StoredPart):  # the file's own bytes, where the file is mapped
            found = part.bytes_of(first, last, self.verify_level != "none")
        else:
            found = np.empty((last - first) * row, np.uint8)
            self._decode(entry, found, first, last, threads)
        if self.verify_level == "full" and len(found) == entry.nbytes:
            check_digest(entry, found)
        return found.view(dtype).reshape(shape)

    def _decode(
        self, entry: TensorEntry, out: Array, first: int, last: int, threads: int | None
    ) -> None:
        row = entry.columns * DTYPES[entry.dtype].itemsize
        if first == last or not row:
            return
        for i in range(first // entry.rows, -(-last // entry.rows)):
            base = i * entry.rows
            begin, end = max(first, base), min(last, base + entry.rows)
            part = self._part(entry, i)
            part.decode(
                out[(begin - first) * row : (end - first) * row], begin - base, end - base,
                threads, self.verify_level != "none",
            )  # fmt: skip

    def _part(self, entry: TensorEntry, i: int) -> Part:
        rows = min(entry.rows, entry.length - i * entry.rows)
        sections = {name: self._section(section) for name, section in entry.parts[i].items()}
        return open_part(entry, rows, sections)

    def _section(self, section: Section) -> Array:
        at = self.directory.start + section.at
        if at + section.size > self._source.size:
            raise FileFormatError(f"the file is cut off before byte {at + section.size:,}")
        return self._source.array(at, section.size)

    @contextlib.contextmanager
    def _naming(self, entry: TensorEntry) -> Iterator[None]:
        """Puts the tensor and its place before the message of what is wrong with it."""
        try:
            yield
        except (FileFormatError, ArithmeticError, LookupError, ValueError) as error:
            if not isinstance(error, FileFormatError):
                error = FileFormatError(f"its sections make no sense ({error})")
            place = ""
            if entry.parts:
                ends = [s for part in entry.parts for s in part.values()]
                begin = self.directory.start + min(s.at for s in ends)
                end = self.directory.start + max(s.at + s.size for s in ends)
                place = f" (bytes {begin:,} to {end:,})"
            raise FileFormatError(f"tensor {entry.name!r}{place}: {error}") from None

    def _allow(self, size: int, what: str) -> None:
        if size > self.max_bytes:
            raise FileFormatError(
                f"{what} would take {size:,} bytes of memory, and at most {self.max_bytes:,} are "
                "allowed for a file of this size; give max_bytes where it is to be trusted"
            )

    def quantized(self, name: str) -> Quantized | None:
        """A tensor as ``tl.quantize`` gives it, not made floats; None where it is not kept so."""
        entry = self.entry(name)
        if not is_packable(entry):
            return None
        with naming(self.path), self._naming(entry):
            check_scheme(entry)
            self._allow(entry.nbytes, "it")
            parts = [self._part(entry, i) for i in range(len(entry.parts))]
            uniform = [part for part in parts if isinstance(part, UniformPart)]
            rows = [min(entry.rows, entry.length - i * entry.rows) for i in range(len(parts))]
            kind = DTYPES[entry.parameters["scale_dtype"]]
            return quantized(entry, list(zip(uniform, rows, strict=True)), kind)

    def build(self, kind: Any, device: Any = None) -> Any:
        """The module ``kind(**arguments)`` with the weights: ``tl.save(..., arguments=)`` kept it.

        Raises FileFormatError for a file of another class, or without arguments.

        >>> import os, tempfile, tensorlite as tl
        >>> path = os.path.join(tempfile.mkdtemp(), "x.tlz")
        >>> layer = tl.nn.Linear(2, 3)
        >>> tl.save(layer, path, arguments={"in_features": 2, "out_features": 3})
        >>> Checkpoint(path).build(tl.nn.Linear)
        Linear(in_features=2, out_features=3, bias=True)
        """
        from .network import build

        return build(self, kind, device)

    def file(self, name: str) -> bytes:
        """A file that is kept beside the tensors; UnknownNameError where there is none."""
        if name not in self.directory.files:
            raise UnknownNameError(
                f"{self.path}: no file is named {name!r}.{nearest(name, self.directory.files)}"
            )
        entry = self.directory.files[name]
        with naming(self.path):
            self._allow(entry.size, f"file {name!r}")
            try:
                return self._file(entry)
            except FileFormatError as error:
                raise FileFormatError(f"file {name!r}: {error}") from None

    def _file(self, entry: FileEntry) -> bytes:
        data = b"" if entry.section is None else self._section(entry.section).tobytes()
        if zlib.crc32(data) != entry.crc32:
            raise FileFormatError("it was changed: its checksum differs")
        if entry.coder == "zlib":
            inflate = zlib.decompressobj()
            try:
                data = inflate.decompress(data, entry.size + 1) if data else b""
            except zlib.error as error:
                raise FileFormatError(f"it cannot be unpacked ({error})") from None
            if not inflate.eof and entry.section is not None or inflate.unused_data:
                raise FileFormatError("it is unpacked to another size than the directory says")
        elif entry.coder != "stored":
            raise FileFormatError(f"its coder {entry.coder[:50]!r} is not known; update tensorlite")
        if len(data) != entry.size or hashlib.sha256(data).hexdigest() != entry.sha256:
            raise FileFormatError("it was changed: its SHA-256 differs")
        return data

    def broken(
        self, full: bool = True, report: Callable[[int, int], None] | None = None
    ) -> dict[str, str]:
        """What is wrong, by the name of the tensor (or ``file NAME``, ``zeros``); empty if nothing.

        Every checksum is compared; with ``full`` everything is decoded and its SHA-256 compared.
        """
        from .verifying import broken

        return broken(self, full, report)


def _check(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ArgumentError(
            f"Checkpoint: {what}: expected one of {', '.join(known)}, got {value!r}"
        )
