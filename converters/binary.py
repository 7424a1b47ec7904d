"""Binary files: mapped into memory, viewed as arrays, replaced in one step.

What the readers and writers of weights share. Arrays on a mapped file copy nothing until they
are written to, and what is written to them never reaches the file (copy on write).
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import errors

Bytes = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

# Every dtype read from files has an alignment of at most 8 bytes (complex128's).
_ALIGNMENT = 8


def map_file(path: str | os.PathLike[str]) -> mmap.mmap | bytes:
    """The content of a file, mapped copy-on-write; ``b""`` for an empty one.

    Raises the ``OSError`` of ``open``, and one that says so for what is no file (a folder, a pipe).
    """
    if Path(path).exists() and not Path(path).is_file():
        kind = "a folder" if Path(path).is_dir() else "no regular file"
        raise OSError(
            errno.EINVAL, f"this is {kind}; give the path of a file of weights", os.fspath(path)
        )
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def as_bytes(content: mmap.mmap | bytes, start: int, stop: int) -> Bytes:
    """``content[start:stop]`` as an array that can be written to, aligned for every dtype.

    It copies only where the place in the file is not aligned.
    """
    if start == stop:
        return np.empty(0, np.uint8)
    raw = np.frombuffer(content, np.uint8)[start:stop]
    return aligned(raw) if raw.flags.writeable else raw.copy()


def aligned(raw: Bytes) -> Bytes:
    """The bytes themselves where their place suits every dtype, otherwise a copy."""
    return raw.copy() if raw.ctypes.data % _ALIGNMENT else raw


def as_dtype(raw: Bytes, dtype: np.dtype[Any], byteorder: str = "little") -> Array:
    """Bytes seen as a 1-D array of ``dtype``: the same memory, or a copy in this machine's order.

    Raises FileFormatError where the bytes are no whole number of elements, or a bool is not 0 or 1
    (other values make NumPy's and compiled code's results undefined).
    """
    if raw.size % dtype.itemsize:
        raise errors.FileFormatError(
            f"{raw.size} bytes are no whole number of {dtype.name} ({dtype.itemsize} bytes each)"
        )
    if dtype == np.bool_ and raw.size and raw.max() > 1:
        raise errors.FileFormatError("a bool tensor holds bytes other than 0 and 1")
    # The swap goes through unsigned integers, since ml_dtypes has one byte order only.
    unit = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    if byteorder != sys.byteorder and unit > 1:
        return raw.view(f"u{unit}").byteswap().view(dtype)
    return raw.view(dtype)


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Puts the file's name before the message of a FileFormatError raised inside.

    >>> with naming("weights.bin"):
    ...     raise errors.FileFormatError("it is empty")
    Traceback (most recent call last):
    tensorlite.errors.FileFormatError: weights.bin: it is empty
    """
    try:
        yield
    except errors.FileFormatError as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from error.__cause__


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to, which takes its place when all went well.

    An error inside leaves what was at ``path`` as it was, and nothing else behind.
    """
    target = Path(path).resolve()  # a link stays a link
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", os.fspath(target.parent))
    part = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        part.touch()
        mode = part.stat().st_mode  # what the user's umask leaves; some writers are stricter
        yield part
        part.chmod(mode)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # else a power cut can leave the name with nothing behind it
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
