"""safetensors files: a JSON header, then the tensors' bytes one after the other.

Reading is written out here: the package's NumPy reader knows bfloat16 in some versions and
float8 in none, and copies, where these arrays are mapped (nothing is read until it is used).
Writing is the package's, which orders and aligns the tensors and escapes their names. Source: the
chapter "Format" of the safetensors README.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from .. import errors
from . import binary

MAX_HEADER = 100_000_000  # the specification's
METADATA = "__metadata__"
DTYPES: dict[str, np.dtype[Any]] = {
    code: np.dtype(kind)
    for code, kind in {
        "BOOL": np.bool_,
        "U8": np.uint8,
        "I8": np.int8,
        "U16": np.uint16,
        "I16": np.int16,
        "U32": np.uint32,
        "I32": np.int32,
        "U64": np.uint64,
        "I64": np.int64,
        "F16": np.float16,
        "BF16": ml_dtypes.bfloat16,
        "F32": np.float32,
        "F64": np.float64,
        "C64": np.complex64,
        "F8_E4M3": ml_dtypes.float8_e4m3fn,
        "F8_E5M2": ml_dtypes.float8_e5m2,
        "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
        "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
        "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    }.items()
}
_MAX_DIMENSIONS = 64  # NumPy's


def looks_like(head: bytes) -> bool:
    """Whether a file that begins with these nine or more bytes is a safetensors file."""
    return 2 <= int.from_bytes(head[:8], "little") <= MAX_HEADER and head[8:9] == b"{"


def read_safetensors(path: str | os.PathLike[str]) -> dict[str, binary.Array]:
    """The arrays of a safetensors file by name, in the order of the header, mapped copy-on-write.

    Raises FileFormatError where the file is cut off, or the header is not as the specification
    wants it: tensors that overlap, leave holes, lie outside of the file, or have other sizes than
    their shape and dtype give.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "x.safetensors")
    >>> write_safetensors({"x": np.arange(3)}, path, {"made": "here"})
    >>> read_safetensors(path), read_metadata(path)
    ({'x': array([0, 1, 2])}, {'made': 'here'})
    """
    content = binary.map_file(path)
    with binary.naming(path):
        header, start = _read_header(content)
        header.pop(METADATA, None)
        _check_ranges(header, len(content) - start)
        return {name: _array(name, entry, content, start) for name, entry in header.items()}


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The texts that a safetensors file carries beside its tensors.

    Raises FileFormatError for a file that is broken.
    """
    content = binary.map_file(path)
    with binary.naming(path):
        header, _ = _read_header(content)
        return dict(header.get(METADATA, {}))


def write_safetensors(
    arrays: Mapping[str, binary.Array],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes arrays by name, and texts beside them; the file appears whole or not at all.

    Raises FileFormatError for a dtype or a name that the format does not have.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    with binary.naming(path):
        # The package reads the memory from its start on, whatever the strides.
        dense = {name: _dense(array) for name, array in arrays.items()}
        known = set(DTYPES.values())
        for name, array in dense.items():
            if array.dtype not in known:
                raise errors.FileFormatError(
                    f"safetensors has no {array.dtype.name}, the dtype of {name!r}; convert the "
                    "tensor or save it as .npz"
                )
            if name == METADATA:
                raise errors.FileFormatError(f"no tensor may be named {METADATA!r}")
        for key, value in (metadata or {}).items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise errors.FileFormatError(f"metadata is texts only, not {key!r}: {value!r}")
        with binary.replacing(path) as part:
            try:
                save_file(dense, part, dict(metadata) if metadata else None)
            except (SafetensorError, UnicodeEncodeError) as error:
                kind = OSError if "I/O error" in str(error) else errors.FileFormatError
                raise kind(f"it cannot be written: {error}") from error


def _dense(array: binary.Array) -> binary.Array:
    native = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    return np.asarray(native, order="C")


def _read_header(content: bytes | mmap.mmap) -> tuple[dict[str, Any], int]:
    """The header, and where the bytes of the tensors begin."""
    length = int.from_bytes(content[:8], "little")
    if not looks_like(content[:9]):
        raise errors.FileFormatError("it is no safetensors file (no length and '{' at its start)")
    start = 8 + length
    if start > len(content):
        raise errors.FileFormatError(
            f"it is cut off: its header has {length:,} bytes, and the file {len(content):,}"
        )
    try:
        header = json.loads(
            content[8:start].decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_number
        )
    except RecursionError:
        raise errors.FileFormatError("its header is nested too deep") from None
    except errors.FileFormatError:
        raise
    except ValueError as error:  # of JSON and of UTF-8
        raise errors.FileFormatError(f"its header is no JSON ({error})") from None
    texts = header.get(METADATA, {})
    if type(texts) is not dict or not all(type(text) is str for text in texts.values()):
        raise errors.FileFormatError("its metadata is not texts by name")
    return header, start


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise errors.FileFormatError("its header has the same name twice")
    return result


def _no_number(text: str) -> None:
    raise errors.FileFormatError(f"its header has {text}, which is no JSON")


def _check_ranges(header: dict[str, Any], size: int) -> None:
    """The tensors fill the rest of the file, without holes and without overlaps."""
    for name, entry in header.items():
        _check_entry(name, entry)
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        if begin != end:
            raise errors.FileFormatError(
                f"tensor {name[:200]!r} begins at byte {begin} of the data, where the one before "
                f"it ends at {end}"
            )
        end = stop
    if end != size:
        raise errors.FileFormatError(
            f"its tensors have {end:,} bytes, and the file has {size:,}"
            + (" (it is cut off)" if size < end else "")
        )


def _check_entry(name: str, entry: Any) -> None:
    def refuse(what: str) -> errors.FileFormatError:
        return errors.FileFormatError(f"tensor {name[:200]!r} {what}")

    if type(entry) is not dict or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise refuse("does not have exactly a dtype, a shape and data_offsets")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(code) is not str or code not in DTYPES:
        shown = repr(code[:50]) if type(code) is str else "no text"
        raise refuse(f"has a dtype that is {shown}; those that are read: {', '.join(DTYPES)}")
    if type(shape) is not list or type(offsets) is not list or len(shape) > _MAX_DIMENSIONS:
        raise refuse("has no shape or offsets, or too many dimensions")
    if len(offsets) != 2 or not all(type(n) is int and 0 <= n < 2**62 for n in shape + offsets):
        raise refuse("has a shape or offsets that are no sizes")
    needed = math.prod(shape) * DTYPES[code].itemsize
    if offsets[1] - offsets[0] != needed:
        raise refuse(
            f"of shape {shape} and dtype {code} does not fit in the bytes {offsets[0]} to "
            f"{offsets[1]}"
        )


def _array(
    name: str, entry: dict[str, Any], content: bytes | mmap.mmap, start: int
) -> binary.Array:
    begin, end = entry["data_offsets"]
    raw = binary.as_bytes(content, start + begin, start + end)
    try:
        return binary.as_dtype(raw, DTYPES[entry["dtype"]]).reshape(entry["shape"])
    except (errors.FileFormatError, ValueError) as error:  # ValueError: no such empty array
        raise errors.FileFormatError(f"tensor {name[:200]!r}: {error}") from None
