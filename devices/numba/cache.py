"""Machine code kept on disk, so that a kernel is compiled once for a machine and not once a run.

A file per kernel, named by the hash of everything that went into it, so there is no index, no lock
and nothing that can go stale. What is read is checked; what is broken is compiled again. A folder
that cannot be written, or that others could have written to (it is machine code), is not used:
kernels are then compiled in memory, and nobody notices but the clock.

The folder is ``TENSORLITE_CACHE_DIR``, else ``$XDG_CACHE_HOME/tensorlite``, else
``~/.cache/tensorlite``, below it ``kernels``.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_MAGIC = b"tensorlite kernel 1\n"
_DIGEST = hashlib.sha256().digest_size
MAX_BYTES = 64 << 20  # above this the files used longest ago are removed


def key(*parts: str) -> str:
    """The name of a kernel: a hash of everything that its machine code depends on.

    >>> key("a", "bc") == key("ab", "c")
    False
    """
    found = hashlib.sha256()
    for part in parts:
        data = part.encode()
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()


def folder() -> Path | None:
    """Where kernels are kept, made if need be; None where they cannot be kept safely."""
    base = os.environ.get("TENSORLITE_CACHE_DIR")
    if not base:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        base = os.path.join(home, "tensorlite")
    path = Path(base) / "kernels"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if _ours(path.stat()) else None
    except OSError:
        return None


def _ours(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to this user and nobody else may write to it."""
    if not hasattr(os, "getuid"):
        return True  # not a POSIX system: the profile's folder is the user's own
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def read(name: str) -> bytes | None:
    """The machine code kept under a name; None if there is none, or it is damaged or not ours."""
    place = folder()
    if place is None:
        return None
    try:
        with open(place / name, "rb") as file:
            if not _ours(os.fstat(file.fileno())):
                return None
            data = file.read()
    except OSError:
        return None
    head, code = data[: len(_MAGIC) + _DIGEST], data[len(_MAGIC) + _DIGEST :]
    if head != _MAGIC + hashlib.sha256(code).digest():
        return None
    return code


def write(name: str, code: bytes) -> None:
    """Keeps machine code under a name; does nothing where that is not possible."""
    place = folder()
    if place is None:
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(code).digest() + code)
            os.replace(temporary, place / name)
        except BaseException:
            os.unlink(temporary)
            raise
        _prune(place)
    except OSError:
        return


def _prune(place: Path) -> None:
    """Removes the oldest files while all together are larger than allowed."""
    entries = []
    with os.scandir(place) as found:
        for entry in found:
            with suppress(FileNotFoundError):  # another process has removed it
                if entry.is_file(follow_symlinks=False):
                    entries.append((entry.stat(), entry.path))
    total = sum(s.st_size for s, _ in entries)
    for state, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
        if total <= MAX_BYTES:
            return
        Path(path).unlink(missing_ok=True)
        total -= state.st_size
