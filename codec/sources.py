"""The bytes of a file that is mapped, or read piece by piece."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from ..converters.binary import map_file
from ..errors import FileFormatError

Array = np.ndarray[Any, Any]


def other_kind(head: bytes) -> str | None:
    """What a file is instead, where its first bytes say."""
    from ..converters.files import _OTHERS

    if not head:
        return "the file is empty"
    for pattern, sentence in _OTHERS:
        if re.match(pattern.encode("latin-1"), head, re.DOTALL):
            return sentence
    return None


class MappedFile:
    """A file that is mapped, copy-on-write."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._content = map_file(path)
        self._bytes = np.frombuffer(self._content, np.uint8)
        self.size = len(self._bytes)

    def read(self, at: int, size: int) -> bytes:
        """Bytes of it; fewer where it ends before."""
        return bytes(self._content[at : at + max(size, 0)])

    def array(self, at: int, size: int) -> Array:
        """Bytes of it as an array that may be written to."""
        return self._bytes[at : at + size]

    def close(self) -> None:
        """Lets go of it; arrays stay."""
        self._content, self._bytes = b"", np.zeros(0, np.uint8)


class OpenFile:
    """A file whose bytes are read when they are wanted."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = open(path, "rb")
        self.size = os.fstat(self._file.fileno()).st_size

    def read(self, at: int, size: int) -> bytes:
        """Bytes of it; fewer where it ends before."""
        found = bytearray()
        while len(found) < size:
            more = os.pread(self._file.fileno(), size - len(found), at + len(found))
            if not more:
                break
            found += more
        return bytes(found)

    def array(self, at: int, size: int) -> Array:
        """Bytes of it as an array that may be written to."""
        found = np.frombuffer(bytearray(self.read(at, size)), np.uint8)
        if len(found) != size:
            raise FileFormatError(f"the file became shorter while it was read: byte {at:,}")
        return found

    def close(self) -> None:
        """Lets go of it; arrays stay."""
        self._file.close()
