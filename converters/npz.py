"""NumPy's files: ``.npy`` with one array, ``.npz`` with several by name.

The header is read here, and not by ``np.load``: only numbers are taken from it, every length is
checked, and the arrays are mapped. NumPy has no name for bfloat16, float8 and int4 and writes
them as raw bytes, without saying which; here they are written as one field that has the dtype's
name (as onnx's ``_custom_element_types`` do), which ``np.load`` reads as well:
``np.load(path)["bfloat16"].view(ml_dtypes.bfloat16)``. Source: ``numpy.lib.format``.
"""

from __future__ import annotations

import ast
import math
import mmap
import os
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from .. import errors
from . import archive, binary

NPY_MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
_NUMBERS = {
    np.dtype(code).str[1:]: np.dtype(code)
    for code in "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()
}
_NAMED = {
    name: np.dtype(getattr(ml_dtypes, name))
    for name in (
        "bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu "
        "float4_e2m1fn int2 int4 uint2 uint4"
    ).split()
}
_MAX_DIMENSIONS = 64  # NumPy's


def read_npy(path: str | os.PathLike[str]) -> binary.Array:
    """The array of a ``.npy`` file, mapped copy-on-write.

    Raises UnsafeFileError for an array of Python objects, which are pickles, and FileFormatError
    for one of anything else than numbers and for a broken file.
    """
    content = binary.map_file(path)
    with binary.naming(path):
        return _parse(binary.as_bytes(content, 0, len(content)))


def read_npz(path: str | os.PathLike[str]) -> dict[str, binary.Array]:
    """The arrays of a ``.npz`` file by name; those that are not compressed are mapped.

    Raises UnsafeFileError and FileFormatError as ``read_npy`` does.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "x.npz")
    >>> write_npz({"x": np.ones(2, ml_dtypes.bfloat16)}, path)
    >>> read_npz(path)
    {'x': array([1, 1], dtype=bfloat16)}
    """
    content = binary.map_file(path)
    with binary.naming(path):
        entries = archive.read_entries(path, content, compressed=True)
        return {
            name.removesuffix(".npy"): _parse_entry(entry, content)
            for name, entry in entries.items()
        }


def write_npy(array: binary.Array, path: str | os.PathLike[str]) -> None:
    """Writes one array; the file appears whole or not at all."""
    with binary.replacing(path) as part, open(part, "wb") as file:
        np.lib.format.write_array(file, _plain(array), allow_pickle=False)


def write_npz(arrays: Mapping[str, binary.Array], path: str | os.PathLike[str]) -> None:
    """Writes arrays by name, uncompressed; the file appears whole or not at all.

    Raises FileFormatError for a name that a zip archive cannot have.
    """
    with binary.naming(path):
        for name in arrays:
            if "\0" in name or name != name.encode(errors="replace").decode():
                raise errors.FileFormatError(f"a zip archive cannot have the name {name!r}")
        with binary.replacing(path) as part, zipfile.ZipFile(part, "w") as file:
            for name, array in arrays.items():
                # An entry of its own making has no date, so equal arrays give equal files.
                entry = zipfile.ZipInfo(f"{name}.npy")
                with file.open(entry, "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, _plain(array), allow_pickle=False)


def _plain(array: binary.Array) -> binary.Array:
    """The array in a dtype that NumPy's format has."""
    dense = np.asarray(array, order="C")
    if dense.dtype not in _NAMED.values():
        return dense
    return dense.view(np.dtype([(dense.dtype.name, f"<u{dense.dtype.itemsize}")]))


def _parse_entry(entry: archive.Entry, content: bytes | mmap.mmap) -> binary.Array:
    raw = entry.read(content)
    try:
        return _parse(raw)
    except errors.FileFormatError as error:
        raise type(error)(f"its entry {entry.name[:200]!r}: {error}") from None


def _parse(raw: binary.Bytes) -> binary.Array:
    """The array in the bytes of a ``.npy`` file."""
    fields, start = _header(raw[: MAX_HEADER + 12].tobytes())
    dtype, byteorder = _dtype(fields["descr"])
    shape = fields["shape"]
    if type(shape) is not tuple or type(fields["fortran_order"]) is not bool:
        raise errors.FileFormatError("its header has no shape and order")
    if len(shape) > _MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**62 for n in shape):
        raise errors.FileFormatError("its header has a shape that is none")
    needed = math.prod(shape) * dtype.itemsize
    if needed != raw.size - start:
        raise errors.FileFormatError(
            f"an array of shape {shape} and {dtype.name} has not the {raw.size - start:,} bytes "
            "that are there" + (" (it is cut off)" if needed > raw.size - start else "")
        )
    flat = binary.as_dtype(binary.aligned(raw[start:]), dtype, byteorder)
    try:
        return flat.reshape(shape, order="F" if fields["fortran_order"] else "C")
    except ValueError as error:  # an empty array whose other sizes are too large
        raise errors.FileFormatError(f"an array of shape {shape}: {error}") from None


def _header(start: bytes) -> tuple[dict[str, Any], int]:
    """The fields of a header, and where the numbers begin."""
    if start[:6] != NPY_MAGIC or start[6:7] not in (b"\1", b"\2", b"\3"):
        raise errors.FileFormatError("it is no array of NumPy's (or of an unknown version)")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    text = start[8 + width : 8 + width + length]
    if length > MAX_HEADER or len(text) < length:
        raise errors.FileFormatError("it is cut off in its header, or the header is too long")
    try:
        # Python 2 wrote its sizes with an L behind.
        fields = ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text.decode()).strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, Warning):
        raise errors.FileFormatError("its header cannot be read") from None
    if type(fields) is not dict or set(fields) != {"descr", "fortran_order", "shape"}:
        raise errors.FileFormatError("its header does not say dtype, order and shape")
    return fields, 8 + width + length


def _dtype(descr: Any) -> tuple[np.dtype[Any], str]:
    """A dtype and its byte order, from how NumPy writes them."""
    match descr:
        case str() if "O" in descr:
            raise errors.UnsafeFileError(
                "refused: an array of Python objects, which are pickles and can run code; save "
                "arrays of numbers"
            )
        case str() if descr[:1] in set("<>|=") and descr[1:] in _NUMBERS:
            return _NUMBERS[descr[1:]], "big" if descr[0] == ">" else "little"
        case [(str(name), str(base))] if name in _NAMED:
            if base in (f"<u{_NAMED[name].itemsize}", f"|u{_NAMED[name].itemsize}"):
                return _NAMED[name], "little"
        case str() if descr[1:2] == "V" or descr == "<f1":
            raise errors.FileFormatError(
                f"an array of raw bytes ({descr[:20]}): so NumPy writes bfloat16, float8 and int4, "
                "without saying which; write it with tl.save, or as .safetensors"
            )
    shown = descr[:50] if type(descr) is str else "several fields"
    raise errors.FileFormatError(
        f"an array of dtype {shown!r}; tensors hold numbers: {', '.join(_NUMBERS)} and "
        f"{', '.join(_NAMED)}"
    )
