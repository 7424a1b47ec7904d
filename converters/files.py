"""``tl.load`` and ``tl.save``: weights in whatever kind of file they are.

What a file is shows in its first bytes; its name is only asked where they say nothing.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from . import archive, binary, npz, safetensors, torch

PathLike = str | os.PathLike[str]
Maker = Callable[[Any], Any]

READ = ".tlz, .safetensors, PyTorch's .pt and .pth, .npz and .npy"
WRITTEN = ".tlz, .safetensors and .npz (tensors by name), .npy (one tensor)"

_LOOK_AT = 512
_ONNX = "this is an ONNX model; load it with tl.onnx.load(path)"
_OTHERS: tuple[tuple[str, str], ...] = (
    (
        r"version https://git-lfs",
        "this is a Git LFS pointer, not the file; fetch the file itself with 'git lfs pull', or "
        "download it from its page",
    ),
    (
        r"\s*(?i:<!DOCTYPE|<html|<head|<\?xml)",
        "this is a web page, not the file; a download that needs a login, or a link to the page "
        "about the file, gives one",
    ),
    (
        r"\s*[{\[]",
        "this is JSON text, not weights; where it is the index of several files, load each of them",
    ),
    (r"GGUF", "this is a GGUF file, which is not read; convert it to .safetensors"),
    (r"\x89HDF", "this is an HDF5 file (of Keras?); save the weights as .npz or .safetensors"),
    (r"....TFL3", "this is a TensorFlow Lite model; convert it to ONNX for tl.onnx.load"),
    (
        r"\x89PNG|\xff\xd8\xff|GIF8|BM....\0\0\0\0|RIFF....WEBP|II\*\0|MM\0\*",
        "this is an image, not weights; read it with Pillow, tl.from_numpy(np.array(Image.open()))",
    ),
    (
        r"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!",
        "this is a compressed file; unpack it first",
    ),
    # ModelProto's ir_version, and then any of the fields that follow it in real files.
    (
        r"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]",
        _ONNX,
    ),
)


def load(
    path: PathLike, map_location: Any = None, *, device: Any = None, weights_only: bool = True
) -> Any:
    """Reads weights: a dict of tensors by name, or what ``torch.save`` or ``np.save`` wrote.

    The kind is found in the content: .tlz (compressed; ``tl.codec.Checkpoint`` reads one tensor,
    or some rows), .safetensors, PyTorch's .pt and .pth (zip and legacy), .npz and .npy. Nothing in
    a file is executed. On the CPU tensors that are not compressed are mapped: a large file is read
    when it is used, and writing to a tensor does not change the file (which must not be
    overwritten in place meanwhile; ``tl.save`` onto it is fine). ``device`` is where the tensors
    go, wherever they were when they were saved; by default the default device.
    ``map_location`` is PyTorch's name for it, and ``weights_only`` is always on.

    Raises FileFormatError for a file that is broken or none of these, UnsafeFileError for one
    that asks for more than tensors and plain containers, OSError for one that cannot be opened.
    Source: PyTorch "torch.load" with ``weights_only=True``.

    >>> import os, tempfile, tensorlite as tl
    >>> folder = tempfile.mkdtemp()
    >>> tl.save({"weight": tl.ones(2)}, os.path.join(folder, "w.safetensors"))
    >>> tl.load(os.path.join(folder, "w.safetensors"))
    {'weight': tensor([1., 1.])}
    """
    from .. import dtypes
    from ..construct import as_tensor
    from ..devices.base import resolve

    _check_path("load", path)
    if not weights_only:
        raise errors.ArgumentError(
            "load: weights_only=False would run code from the file, which is never done; leave it "
            "out, and save a state_dict where the file is made"
        )
    if callable(map_location) or isinstance(map_location, Mapping):
        raise errors.ArgumentError(
            f"load: expected a device as map_location, got a {type(map_location).__name__}; "
            "tensors are always loaded as if from the CPU, so that one device is enough"
        )
    place = resolve(map_location if device is None else device)
    content = binary.map_file(path)
    with binary.naming(path):
        kind = _kind(path, content)

    def tensor(array: binary.Array) -> Any:
        return as_tensor(array, device=place)

    if kind == "torch":
        return torch.read_torch(path, tensor=tensor, dtype=dtypes.from_numpy)
    if kind == "npy":
        return tensor(npz.read_npy(path))
    if kind == "tlz":
        return _read_tlz(path, tensor)
    reader = npz.read_npz if kind == "npz" else safetensors.read_safetensors
    return {name: tensor(array) for name, array in reader(path).items()}


def _read_tlz(path: PathLike, tensor: Maker) -> dict[str, Any]:
    from ..codec.container import Checkpoint
    from ..progress import progress

    with Checkpoint(path) as file, progress(f"reading {file.path.name}") as report:
        return {name: tensor(array) for name, array in file.read_all(report).items()}


def save(
    obj: Any,
    path: PathLike,
    *,
    metadata: Mapping[str, str] | None = None,
    files: Mapping[str, bytes | PathLike] | None = None,
    arguments: Mapping[str, Any] | None = None,
    bits: int | None = None,
    group_size: int = 32,
    symmetric: bool = False,
) -> None:
    """Writes tensors by name: a dict (such as a state_dict) or a module, whose state_dict it is.

    The path's suffix says the kind: .tlz (compressed), .safetensors, or .npz; .npy takes one
    tensor. ``metadata`` is texts by name for .tlz and .safetensors, which has not every dtype.
    A .tlz file keeps every bit, or with ``bits`` (8, 4, 3, 2) as many of each number of a large
    matrix, in groups of ``group_size`` (:func:`tensorlite.quantize`); ``files`` (bytes or paths by
    name) are kept beside the tensors, and ``arguments`` (by name) are what the module's class was
    given, for ``tl.codec.Checkpoint(path).build(Class)``. The file appears whole or not at all: an
    error leaves what was there. Tensors that share memory are written each on its own.

    Raises ArgumentError for another suffix or other values, FileFormatError for a dtype or a name
    that the kind does not have.

    >>> import os, tempfile, tensorlite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.npz")
    >>> tl.save({"bias": tl.zeros(3, dtype=tl.bfloat16)}, path)
    >>> tl.load(path)
    {'bias': tensor([0., 0., 0.], dtype=tensorlite.bfloat16)}
    """
    _check_path("save", path)
    suffix = Path(path).suffix.lower()
    if metadata is not None and suffix not in (".safetensors", ".tlz"):
        raise errors.ArgumentError(
            f"save: only .tlz and .safetensors files hold metadata, not {os.fspath(path)!r}"
        )
    if suffix != ".tlz" and (files, arguments, bits) != (None, None, None):
        raise errors.ArgumentError(
            "save: only .tlz files hold files, arguments and numbers of few bits, not "
            f"{os.fspath(path)!r}"
        )
    if suffix == ".npy":
        npz.write_npy(_array(obj, "the object"), path)
    elif suffix == ".npz":
        npz.write_npz(_arrays(obj), path)
    elif suffix == ".tlz":
        _write_tlz(obj, path, metadata, dict(files or {}), arguments, (bits, group_size, symmetric))
    elif suffix == ".safetensors":
        safetensors.write_safetensors(_arrays(obj), path, metadata)
    else:
        reason = (
            "PyTorch's format is a pickle, which can run code where it is read, and is not "
            "written; PyTorch reads .safetensors with safetensors.torch.load_file"
            if suffix in (".pt", ".pth", ".bin", ".ckpt", ".pkl")
            else "the suffix says which kind of file to write"
        )
        raise errors.ArgumentError(
            f"save: {os.fspath(path)!r} has the suffix {suffix!r}: {reason}. Suffixes that are "
            f"written: {WRITTEN}"
        )


def _write_tlz(
    obj: Any,
    path: PathLike,
    metadata: Mapping[str, str] | None,
    files: dict[str, bytes | PathLike],
    arguments: Mapping[str, Any] | None,
    few: tuple[int | None, int, bool],
) -> None:
    from ..codec.network import KIND, NAME, described
    from ..codec.saving import save_arrays, uniform_plan
    from ..progress import progress

    plan, arrays = uniform_plan(*few), _arrays(obj)
    if arguments is not None:
        files[NAME] = described(obj, arguments)
    kinds = {} if arguments is None else {NAME: KIND}
    with progress(f"compressing {Path(path).name}") as report:
        save_arrays(
            arrays, path, plan=plan, metadata=metadata, files=files, kinds=kinds, report=report
        )


def _check_path(what: str, path: object) -> None:
    if not isinstance(path, str | os.PathLike):
        raise errors.ArgumentError(
            f"{what}: expected the path of a file, got a {type(path).__name__}"
        )


def _arrays(obj: Any) -> dict[str, binary.Array]:
    if not isinstance(obj, Mapping) and hasattr(obj, "state_dict"):
        obj = obj.state_dict()
    if not isinstance(obj, Mapping):
        raise errors.ArgumentError(
            f"save: expected a dict of tensors by name or a module, got a {type(obj).__name__}; "
            "one tensor alone goes into a .npy file"
        )
    for name in obj:
        if not isinstance(name, str):
            raise errors.ArgumentError(f"save: expected names that are texts, got {name!r}")
    return {name: _array(value, f"the value of {name!r}") for name, value in obj.items()}


def _array(value: Any, what: str) -> binary.Array:
    from ..tensor import Tensor

    if isinstance(value, Tensor):
        return value.numpy(force=True)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OSUmM":
        return value
    raise errors.ArgumentError(
        f"save: expected tensors, and {what} is a {type(value).__name__}; take it out, or make it "
        "a tensor with tl.tensor"
    )


def _kind(path: PathLike, content: bytes | mmap.mmap) -> str:
    """The reader for a file; FileFormatError that says what it is where there is none."""
    head = content[:_LOOK_AT]
    if not head:
        raise errors.FileFormatError("the file is empty")
    if head[:4] in (archive.ZIP_MAGIC, archive.EMPTY_ZIP_MAGIC):
        return _zip_kind(archive.read_entries(path, content, compressed=True))
    if head[:6] == npz.NPY_MAGIC:
        return "npy"
    if head[1:4] == b"TLZ":
        return "tlz"
    if torch.MAGIC_BYTES in head[:32]:
        return "torch"
    if safetensors.looks_like(head):
        return "safetensors"
    if sentence := torch.other_kind(head):
        raise errors.FileFormatError(sentence)
    if Path(path).suffix.lower() == ".onnx":
        raise errors.FileFormatError(_ONNX)
    for pattern, sentence in _OTHERS:
        if re.match(pattern.encode("latin-1"), head, re.DOTALL):
            raise errors.FileFormatError(sentence)
    if kind := _SUFFIXES.get(Path(path).suffix.lower()):
        return kind  # its reader says what is wrong with it
    what = "text" if head.isascii() and b"\0" not in head else "of a kind that is not known"
    raise errors.FileFormatError(f"this file is {what}; files that are read: {READ}")


_SUFFIXES = {
    ".tlz": "tlz",
    ".safetensors": "safetensors",
    ".pt": "torch",
    ".pth": "torch",
    ".npz": "npz",
    ".npy": "npy",
}


def _zip_kind(entries: Mapping[str, archive.Entry]) -> str:
    if any(name.endswith("/data.pkl") for name in entries):
        return "torch"
    if all(name.endswith(".npy") for name in entries):
        return "npz"
    some = ", ".join(repr(name[:50]) for name in list(entries)[:3])
    raise errors.FileFormatError(
        f"it is a zip archive of neither PyTorch nor NumPy; it begins with {some}"
    )
