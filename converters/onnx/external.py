"""External data of an ONNX model: tensors in files of their own, below the model's folder.

Files are mapped, not read, so a model of many gigabytes is there at once and its pages come when
used. Source: onnx/docs/ExternalData.md.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from ...errors import OnnxError, UnsafeFileError
from .text import quote

# A mapping keeps a file descriptor, and exporters write models with a file for every tensor.
_MOST_MAPPED = 128

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


class ExternalFolder:
    """The one folder whose files a model may refer to; ``None`` allows no external data."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._files: dict[str, Bytes] = {}

    def data(self, entries: Mapping[str, str], wanted: int, what: str) -> Bytes:
        """The ``wanted`` bytes that a tensor's external_data ``entries`` point at.

        The array is a copy-on-write view of the file.
        """
        location = entries.get("location", "")
        if not location:
            raise OnnxError(f"{what} is external data without a location")
        whole = self._file(location, what)
        offset = _number(entries, "offset", 0, what)
        length = _number(entries, "length", wanted, what)
        if length != wanted:
            raise OnnxError(f"{what} needs {wanted} bytes, its external data has {length}")
        if offset + length > whole.size:
            raise OnnxError(
                f"{what} lies at bytes {offset} to {offset + length} of {quote(location)}, "
                f"which has only {whole.size}"
            )
        return whole[offset : offset + length]

    def _file(self, location: str, what: str) -> Bytes:
        if location not in self._files:
            path = self._resolve(location, what)
            try:
                self._files[location] = open_file(path, copy=len(self._files) >= _MOST_MAPPED)
            except OSError as error:
                raise OnnxError(f"{what}: cannot read {path}: {error.strerror}") from None
        return self._files[location]

    def _resolve(self, location: str, what: str) -> Path:
        if self._folder is None:
            raise OnnxError(
                f"{what} is external data in {quote(location)}, and a model that is not read "
                "from a file has no folder; pass the path of the model, or folder=..."
            )
        if _leaves(location):
            raise UnsafeFileError(
                f"{what} is external data in {quote(location)}; only files below the model's "
                "folder are read"
            )
        folder = self._folder.resolve()
        try:
            path = (folder / location).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise OnnxError(
                f"{what} is external data in {quote(location)}, which is missing in {folder}; "
                "put the file beside the model"
            ) from None
        if not path.is_relative_to(folder):
            raise UnsafeFileError(
                f"{what} is external data in {quote(location)}, a link to {path}; only files "
                "below the model's folder are read"
            )
        return path


def open_file(path: Path, copy: bool = False) -> Bytes:
    """A regular file's bytes, mapped copy-on-write, or read when they are to be a ``copy``.

    Raises OSError, also for what is not a regular file: reading a pipe could wait for ever.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags)
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(0, "not a regular file")
        if not state.st_size:
            return np.empty(0, np.uint8)
        if copy:
            with open(handle, "rb", closefd=False) as file:
                return np.fromfile(file, np.uint8)
        return np.frombuffer(mmap.mmap(handle, 0, access=mmap.ACCESS_COPY), np.uint8)
    finally:
        os.close(handle)


def _leaves(location: str) -> bool:
    """Whether a path could lead out of a folder on any system."""
    if "\0" in location:
        return True
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    rooted = posix.is_absolute() or bool(windows.drive or windows.root)
    return rooted or ".." in posix.parts or ".." in windows.parts


def _number(entries: Mapping[str, str], key: str, default: int, what: str) -> int:
    digits = entries.get(key)
    if digits is None:
        return default
    # A length of its own: int() takes quadratic time for long digit strings.
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise OnnxError(f"{what}: the {key} of its external data is {quote(digits)}, not a number")
    return int(digits)
