"""PyTorch's weight files, ``.pt`` and ``.pth``, read without executing anything in them.

There are two kinds. Since PyTorch 1.6: a zip archive with ``data.pkl`` (the objects), one entry
``data/<key>`` per storage, and ``byteorder``. Before: four pickles (a magic number, the protocol
version, the machine's sizes, the objects), a fifth with the list of storage keys, and the
storages one after the other. Source: ``torch/serialization.py``, and PyTorch's page
"Serialization semantics".
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import errors
from . import archive, binary
from .torch_objects import Storage, TorchObjects
from .torch_pickle import Unpickler

MAGIC = 0x1950A86A20F9469CFC6C
MAGIC_BYTES = MAGIC.to_bytes(10, "little")
PROTOCOL = 1001

Content = bytes | mmap.mmap
Maker = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def read_torch(path: str | os.PathLike[str], *, tensor: Maker = _same, dtype: Maker = _same) -> Any:
    """What ``torch.save`` wrote: a state_dict, or any tree of tensors and plain containers.

    Tensors and parameters come as NumPy arrays (with ml_dtypes' bfloat16 and float8), on which
    ``tensor`` is called if it is given; as in PyTorch, tensors that shared memory still do, and
    one that occurs twice is one object. ``torch.dtype`` comes as a NumPy dtype (``dtype`` is
    called on it), ``torch.Size`` as a tuple, ``torch.device`` as a text; Python attributes of
    tensors are dropped. Where a tensor was when it was saved does not matter. From the zip kind
    the arrays are mapped: nothing is copied until it is written to.

    Raises UnsafeFileError, which names it, where the file asks for anything but tensors and
    plain containers, and FileFormatError where it is broken or has quantised or sparse tensors.
    """
    content = binary.map_file(path)
    with binary.naming(path):
        if content[:4] == archive.ZIP_MAGIC:
            return _read_zip(path, content, tensor, dtype)
        if MAGIC_BYTES in content[:32]:
            return _read_legacy(content, tensor, dtype)
        raise errors.FileFormatError(
            other_kind(content[:512])
            or "it is no file of PyTorch's (neither a zip archive nor its magic number)"
        )


def other_kind(head: bytes) -> str:
    """What to say of the two other kinds of files with PyTorch's names; ``""`` for the rest."""
    if head[257:262] == b"ustar":
        return (
            "it is a tar archive, as PyTorch wrote them before 0.1.10 (or else no weights); load "
            "it with PyTorch, torch.load(path), and save its state_dict again"
        )
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return (
            "it is a Python pickle that torch.save did not write, which can run code when it is "
            "read; load it where it comes from, and save the arrays as .safetensors or .npz"
        )
    return ""


# -- the zip kind -------------------------------------------------------------------------------


def _read_zip(path: str | os.PathLike[str], content: Content, tensor: Maker, dtype: Maker) -> Any:
    entries = archive.read_entries(path, content)
    roots = [name.removesuffix("data.pkl") for name in entries if name.endswith("/data.pkl")]
    if len(roots) != 1 or roots[0].count("/") != 1:
        raise errors.FileFormatError("it is a zip archive, but none of PyTorch's (no data.pkl)")
    root = roots[0]
    if root + "constants.pkl" in entries:
        raise errors.FileFormatError(
            "it is a TorchScript program, not weights; save its state_dict with PyTorch, "
            "torch.save(torch.jit.load(path).state_dict(), ...), or export the model to ONNX"
        )
    byteorder = "little"
    if root + "byteorder" in entries:
        byteorder = entries[root + "byteorder"].read(content).tobytes().decode("latin-1")
        if byteorder not in ("little", "big"):
            raise errors.FileFormatError(f"its byte order is {byteorder[:20]!r}")
    storages: dict[str, Storage] = {}

    def storage(key: str, kind: np.dtype[Any], size: int, view: slice | None) -> Storage:
        if key not in storages:
            entry = entries.get(f"{root}data/{key}")
            if entry is None:
                raise errors.FileFormatError(f"its storage {key!r} is missing")
            storages[key] = Storage(entry.read(content), byteorder)
        if view is not None or storages[key].raw.size != size:
            raise errors.FileFormatError(
                f"its storage {key!r} has {storages[key].raw.size:,} bytes, not {size:,}"
            )
        return storages[key]

    pickled = entries[root + "data.pkl"].read(content).tobytes()
    return Unpickler(pickled, TorchObjects(storage, tensor, dtype)).load()


# -- the legacy kind ----------------------------------------------------------------------------


def _read_legacy(content: Content, tensor: Maker, dtype: Maker) -> Any:
    storages = _LegacyStorages(len(content))
    plain = TorchObjects(_no_storage, tensor, dtype)
    position = 0
    for expected, what in ((MAGIC, "magic number"), (PROTOCOL, "protocol version"), (None, "")):
        value, position = _unpickle(content, plain, position)
        if expected is not None and (type(value) is not int or value != expected):
            raise errors.FileFormatError(f"its {what} is not PyTorch's")
    objects = TorchObjects(storages.find, tensor, dtype)
    result, position = _unpickle(content, objects, position)
    keys, position = _unpickle(content, plain, position)
    if type(keys) is not list or not all(type(key) in (str, int) for key in keys):
        raise errors.FileFormatError("its list of storages is none")
    storages.fill([str(key) for key in keys], content, position)
    return result


def _unpickle(content: Content, objects: TorchObjects, position: int) -> tuple[Any, int]:
    unpickler = Unpickler(content, objects, position)
    return unpickler.load(), unpickler.position


def _no_storage(key: str, kind: np.dtype[Any], size: int, view: slice | None) -> Storage:
    raise errors.FileFormatError("a storage where there can be none")


class _LegacyStorages:
    """The storages of a legacy file: asked for while its pickle is read, filled after it."""

    def __init__(self, file_size: int) -> None:
        self.left = file_size
        self.found: dict[str, Storage] = {}
        self.kinds: dict[str, list[np.dtype[Any]]] = {}

    def find(self, key: str, kind: np.dtype[Any], size: int, view: slice | None) -> Storage:
        if key not in self.found:
            self.left -= size
            if self.left < 0:
                raise errors.FileFormatError(
                    f"its storage {key!r} is to have {size:,} bytes, which do not fit in the file"
                )
            self.found[key] = Storage(np.zeros(size, np.uint8), sys.byteorder)
            self.kinds[key] = []
        storage = self.found[key]
        if kind not in self.kinds[key]:
            self.kinds[key].append(kind)
        if storage.raw.size != size:
            raise errors.FileFormatError(
                f"its storage {key!r} has {storage.raw.size:,} bytes, and elsewhere {size:,}"
            )
        if view is None:
            return storage
        if view.stop > size:
            raise errors.FileFormatError(f"a view of storage {key!r} reaches out of it")
        return Storage(storage.raw[view], sys.byteorder)

    def fill(self, keys: list[str], content: Content, position: int) -> None:
        """Reads the storages one after the other: the number of elements, and these."""
        if sorted(keys) != sorted(self.found):
            raise errors.FileFormatError("its list of storages is not that of its tensors")
        for key in keys:
            storage, kinds = self.found[key], self.kinds[key]
            start, stop = position + 8, position + 8 + storage.raw.size
            if stop > len(content):
                raise errors.FileFormatError(f"it is cut off in its storage {key!r}")
            (elements,) = struct.unpack("<q", content[position:start])
            if elements * kinds[0].itemsize != storage.raw.size:
                raise errors.FileFormatError(f"its storage {key!r} has {elements} elements")
            raw = binary.as_bytes(content, start, stop)
            for kind in reversed(kinds):  # in effect one; all of them, to check a bool's bytes
                storage.raw[:] = binary.as_dtype(raw, kind).view(np.uint8)
            position = stop
