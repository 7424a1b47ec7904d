"""Writing ``.tlz`` files: in one step, and the same bytes whatever the number of threads."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..converters.binary import replacing
from ..errors import ArgumentError, FileFormatError
from .directory import (
    ALIGNMENT,
    DTYPES,
    LEAST_ALIGNMENT,
    Directory,
    FileEntry,
    Section,
    TensorEntry,
    check_name,
    to_bytes,
)
from .encoders import Encoded, Uniform, encode_lossless, encode_uniform
from .schemes import open_part, turned

Array = np.ndarray[Any, Any]
Plan = Uniform | None
_AT_ONCE = 1 << 20  # numbers that are compared at one time
_USED = ("stored", "data")  # the section that is used where it lies


class Writer:
    """Takes tensors and files one after the other; see :func:`writing`."""

    def __init__(self, spool: Any, metadata: Mapping[str, str], threads: int | None) -> None:
        for key, text in metadata.items():
            if not isinstance(key, str) or not isinstance(text, str):
                raise FileFormatError(f"metadata is texts only, not {key!r}: {text!r}")
        self._spool, self._threads, self._end = spool, threads, 0
        self._metadata = dict(metadata)
        self._tensors: dict[str, TensorEntry] = {}
        self._files: dict[str, FileEntry] = {}

    def add(
        self, name: str, array: Array, plan: Plan = None, transposed: bool = False
    ) -> TensorEntry:
        """Adds an array, without loss or, where the plan suits it, as the plan says.

        With ``transposed`` a matrix that is quantised has its groups along its columns.
        """
        if array.dtype.name not in DTYPES:
            raise FileFormatError(f".tlz files have no {array.dtype.name}, the dtype of {name!r}")
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if plan is not None and plan.suits(array):
            along = array.T if transposed and array.ndim == 2 else array
            found = encode_uniform(along, plan, self._threads)
            if along is not array:
                found = replace(found, shape=array.shape, transposed=True)
            return self.add_encoded(name, found, array)
        dense = np.asarray(array, order="C")
        found = encode_lossless(dense, self._threads)
        raw = dense.reshape(-1).view(np.uint8)
        return self._add(name, found, hashlib.sha256(raw.data if raw.size else b"").hexdigest())

    def add_encoded(self, name: str, encoded: Encoded, array: Array | None = None) -> TensorEntry:
        """Adds a tensor that is encoded; ``array`` is what it was, to say how near it is."""
        return self._add(name, encoded, encoded.sha256, array)

    def add_file(self, name: str, content: bytes, kind: str = "file") -> FileEntry:
        """Adds a file, such as a tokenizer; ``kind`` says what it is for."""
        check_name(name, "the name of a file")
        if name in self._files:
            raise FileFormatError(f"two files have the name {name!r}")
        packed = zlib.compress(content, 9)
        coder, data = ("zlib", packed) if len(packed) < len(content) else ("stored", content)
        section = self._section(data) if content else None
        digest = hashlib.sha256(content).hexdigest()
        crc = zlib.crc32(data) if content else 0
        found = FileEntry(name, kind, coder, len(content), section, crc, digest)
        self._files[name] = found
        return found

    def _add(
        self, name: str, encoded: Encoded, sha256: str | None, array: Array | None = None
    ) -> TensorEntry:
        check_name(name, "the name of a tensor")
        if name in self._tensors:
            raise FileFormatError(f"two tensors have the name {name!r}")
        parts = tuple(
            {
                key: self._section(data, ALIGNMENT if (encoded.scheme, key) == _USED else 1)
                for key, data in sorted(part.items())
            }
            for part in encoded.parts
        )
        entry = TensorEntry(name, encoded.dtype, encoded.shape, encoded.scheme, encoded.parameters,
                            encoded.rows, parts, sha256 or "")  # fmt: skip
        entry = replace(entry, transposed=encoded.transposed)
        if sha256 is None:
            digest, snr = _decoded(entry, encoded, array)
            entry = replace(entry, sha256=digest, snr=snr)
        self._tensors[name] = entry
        return entry

    def _section(self, data: bytes, alignment: int = 1) -> Section:
        gap = -self._end % max(alignment, LEAST_ALIGNMENT)
        self._spool.write(b"\0" * gap + data)
        found = Section(self._end + gap, len(data))
        self._end = found.at + found.size
        return found

    def finish(self, path: Path) -> None:
        """Writes the file, directory first."""
        head = to_bytes(Directory(self._metadata, self._tensors, self._files), self._end)
        self._spool.seek(0)
        with open(path, "wb") as file:
            file.write(head)
            shutil.copyfileobj(self._spool, file, 1 << 20)


def _decoded(entry: TensorEntry, encoded: Encoded, array: Array | None) -> tuple[str, int | None]:
    """The hash of what these sections decode to, and how near it is to what it was."""
    dtype, outs = DTYPES[entry.dtype], []
    for i, sections in enumerate(encoded.parts):
        rows = min(entry.rows, entry.length - i * entry.rows)
        found = {key: np.frombuffer(data, np.uint8) for key, data in sections.items()}
        out = np.empty(rows * entry.columns * dtype.itemsize, np.uint8)
        open_part(entry, rows, found).decode(out, 0, rows, None, False)
        outs.append(out.view(dtype).reshape(rows, entry.columns))
    whole = turned(entry, np.concatenate(outs)).view(dtype) if outs else np.zeros(0, dtype)
    digest = hashlib.sha256(whole.view(np.uint8).data if outs else b"").hexdigest()
    if array is None:
        return digest, None
    signal = noise = 0.0
    for at in range(0, whole.size, _AT_ONCE):
        wanted = array.reshape(-1)[at : at + _AT_ONCE].astype(np.float64)
        signal += float(wanted @ wanted)
        wanted -= whole[at : at + _AT_ONCE]
        noise += float(wanted @ wanted)
    return digest, round(1000 * math.log10(signal / noise)) if signal > 0 < noise else None


@contextlib.contextmanager
def writing(
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> Iterator[Writer]:
    """A :class:`Writer` of a ``.tlz`` file, which appears whole when the block ends, or not at all.

    >>> import os, tempfile, numpy as np, tensorlite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "x.tlz")
    >>> with writing(path, {"made by": "hand"}) as writer:
    ...     entry = writer.add("x", np.zeros((2, 3), np.float32))
    >>> tl.load(path)["x"].shape
    tensorlite.Size([2, 3])
    """
    if threads is not None and threads < 1:
        raise ArgumentError(f"threads: expected at least 1, got {threads}")
    with replacing(path) as part, tempfile.TemporaryFile(dir=part.parent) as spool:
        writer = Writer(spool, metadata or {}, threads)
        yield writer
        writer.finish(part)
