"""What is wrong with a ``.tlz`` file, tensor by tensor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FileFormatError
from .directory import DTYPES, HEAD, TensorEntry
from .schemes import check_digest, check_scheme

if TYPE_CHECKING:
    from .container import Checkpoint


def broken(
    file: Checkpoint, full: bool, report: Callable[[int, int], None] | None
) -> dict[str, str]:
    """What :meth:`Checkpoint.broken` gives."""
    found: dict[str, str] = {}
    entries = file.directory.tensors
    total = len(entries) + len(file.directory.files)
    for done, (name, entry) in enumerate(entries.items()):
        try:
            with file._naming(entry):
                _check(file, entry, full)
        except FileFormatError as error:
            found[name] = str(error)
        if report is not None:
            report(done + 1, total)
    for done, name in enumerate(file.directory.files):
        try:
            file.file(name)
        except FileFormatError as error:
            found[f"file {name}"] = str(error)
        if report is not None:
            report(len(entries) + done + 1, total)
    if (place := _gaps(file)) is not None:
        found["zeros"] = f"byte {place:,}, which fills up to the next section, is not zero"
    return found


def _check(file: Checkpoint, entry: TensorEntry, full: bool) -> None:
    check_scheme(entry)
    if full and entry.transposed:
        whole = file._rows(entry, 0, entry.height, file.threads)
        check_digest(entry, whole.reshape(-1).view(np.uint8))
        return
    digest = hashlib.sha256()
    row = entry.columns * DTYPES[entry.dtype].itemsize
    for i in range(len(entry.parts)):
        rows = min(entry.rows, entry.length - i * entry.rows)
        part = file._part(entry, i)
        if not full:
            part.check(0, rows, file.threads)
            continue
        file._allow(rows * row, "it")
        out = np.empty(rows * row, np.uint8)
        part.decode(out, 0, rows, file.threads, True)
        digest.update(out.data)
    if full and digest.hexdigest() != entry.sha256:
        raise FileFormatError("its numbers are others than were written: the SHA-256 differs")


def _gaps(file: Checkpoint) -> int | None:
    """The first byte between sections that is not zero."""
    sections = [(file.directory.start + s.at, s.size) for _, s in file.directory.sections()]
    end = HEAD + int.from_bytes(file._source.read(40, 8), "little")
    for at, size in [(file.directory.start, 0), *sections]:
        gap = file._source.read(end, min(at, file._source.size) - end)
        if gap.strip(b"\0"):
            return end + len(gap) - len(gap.lstrip(b"\0"))
        end = at + size
    return None
