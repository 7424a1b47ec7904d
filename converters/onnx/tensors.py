"""Tensors of an ONNX file as numpy arrays.

Every length is compared with the shape and the dtype before memory is taken for it. Source:
TensorProto and SparseTensorProto in onnx/onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from ...errors import OnnxError
from .external import ExternalFolder
from .text import quote, text

Array = np.ndarray[Any, Any]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Shape = tuple[int, ...]

STRING = 8
_EXTERNAL = 1
_MAX_RANK = 64
_MAX_BYTES = 2**62
_SPARSE_GROWTH = 16
_SPARSE_TOTAL = 256 << 20

DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.uint8),
    3: np.dtype(np.int8),
    4: np.dtype(np.uint16),
    5: np.dtype(np.int16),
    6: np.dtype(np.int32),
    7: np.dtype(np.int64),
    STRING: np.dtype(object),
    9: np.dtype(np.bool_),
    10: np.dtype(np.float16),
    11: np.dtype(np.float64),
    12: np.dtype(np.uint32),
    13: np.dtype(np.uint64),
    14: np.dtype(np.complex64),
    15: np.dtype(np.complex128),
    16: np.dtype(ml_dtypes.bfloat16),
    17: np.dtype(ml_dtypes.float8_e4m3fn),
    18: np.dtype(ml_dtypes.float8_e4m3fnuz),
    19: np.dtype(ml_dtypes.float8_e5m2),
    20: np.dtype(ml_dtypes.float8_e5m2fnuz),
    21: np.dtype(ml_dtypes.uint4),
    22: np.dtype(ml_dtypes.int4),
    23: np.dtype(ml_dtypes.float4_e2m1fn),
    24: np.dtype(ml_dtypes.float8_e8m0fnu),
    25: np.dtype(ml_dtypes.uint2),
    26: np.dtype(ml_dtypes.int2),
    27: np.dtype(ml_dtypes.float6_e2m3fn),
    28: np.dtype(ml_dtypes.float6_e3m2fn),
}
"""numpy dtype for each TensorProto.DataType code; strings are arrays of ``str`` objects."""

_NAMES = {code: dtype.name for code, dtype in DTYPES.items()} | {STRING: "string"}
_BITS = {21: 4, 22: 4, 23: 4, 25: 2, 26: 2, 27: 6, 28: 6}
_FIELDS = {
    **dict.fromkeys(DTYPES, "int32_data"),
    **dict.fromkeys((1, 14), "float_data"),
    **dict.fromkeys((11, 15), "double_data"),
    **dict.fromkeys((12, 13), "uint64_data"),
    7: "int64_data",
    STRING: "string_data",
}


def dtype_name(code: int) -> str:
    """The dtype's name for a TensorProto.DataType code: numpy's, or ``"string"``.

    >>> dtype_name(16), dtype_name(8)
    ('bfloat16', 'string')
    """
    if code not in _NAMES:
        raise OnnxError(f"unknown data type code {code} (known are 1 to {max(DTYPES)})")
    return _NAMES[code]


class TensorReader:
    """Turns the TensorProtos of one model into arrays.

    Every array may be written to. Those of external data are mapped from their file
    copy-on-write; all others own their memory.
    """

    def __init__(self, folder: ExternalFolder) -> None:
        self._folder = folder
        self._sparse_left = _SPARSE_TOTAL

    def tensor(self, proto: Any, data: memoryview | None = None) -> Array:
        """The array of a TensorProto; ``data`` is its ``raw_data`` where that was taken out."""
        name = dtype_name(proto.data_type)
        what = f"{name} tensor {quote(proto.name)}" if proto.name else f"{name} tensor"
        shape = _shape(proto.dims, what)
        if proto.HasField("segment"):
            raise OnnxError(f"{what} is stored in segments, which no ONNX version reads")
        if proto.data_location == _EXTERNAL:
            return self._external(proto, shape, what)
        if proto.data_type == STRING:
            return _strings(proto, shape, what, data)
        raw = proto.raw_data if data is None else data
        if not raw and not (proto.HasField("raw_data") and math.prod(shape)):
            return _from_numbers(proto, shape, what)
        _check_length(len(raw), "bytes", _stored_bytes(proto.data_type, shape), shape, what)
        return _from_bytes(np.frombuffer(raw, np.uint8).copy(), proto.data_type, shape)

    def sparse(self, proto: Any) -> Array:
        """The dense array of a SparseTensorProto."""
        values = self.tensor(proto.values)
        what = f"sparse tensor {quote(proto.values.name)}"
        shape = _shape(proto.dims, what)
        if values.ndim != 1:
            raise OnnxError(f"{what} needs values of one dimension, got shape {values.shape}")
        indices = self.tensor(proto.indices)
        where = _linear(indices, values.size, shape, what)
        self._take(values.dtype.itemsize * math.prod(shape), values.nbytes + indices.nbytes, what)
        text_like = values.dtype == object
        dense = np.full(shape, "", object) if text_like else np.zeros(shape, values.dtype)
        dense.reshape(-1)[where] = values
        return dense

    def _external(self, proto: Any, shape: Shape, what: str) -> Array:
        if proto.data_type == STRING:
            raise OnnxError(f"{what} cannot be external data")
        stored = _stored_bytes(proto.data_type, shape)
        entries = {
            text(e.key, f"{what}: a key"): text(e.value, f"{what}: a value")
            for e in proto.external_data
        }
        return _from_bytes(self._folder.data(entries, stored, what), proto.data_type, shape)

    def _take(self, wanted: int, stored: int, what: str) -> None:
        """Keeps a small file from asking for large zeros."""
        self._sparse_left += _SPARSE_GROWTH * stored - wanted
        if self._sparse_left < 0:
            raise OnnxError(
                f"{what} would fill {wanted} bytes from {stored} stored ones; the sparse tensors "
                f"of a model may take {_SPARSE_TOTAL >> 20} MiB and {_SPARSE_GROWTH} times what "
                "is stored"
            )


def _shape(dims: Iterable[int], what: str) -> Shape:
    shape = tuple(dims)
    if len(shape) > _MAX_RANK:
        raise OnnxError(f"{what} has {len(shape)} dimensions; at most {_MAX_RANK} can be held")
    if any(d < 0 for d in shape):
        raise OnnxError(f"{what} has a negative dimension in its shape {shape}")
    if math.prod(max(d, 1) for d in shape) > _MAX_BYTES // 16:
        raise OnnxError(f"{what} has the impossible shape {shape}")
    return shape


def _stored_bytes(code: int, shape: Shape) -> int:
    bits = _BITS.get(code, 8 * DTYPES[code].itemsize)
    return (math.prod(shape) * bits + 7) // 8


def _check_length(got: int, unit: str, wanted: int, shape: Shape, what: str) -> None:
    if got != wanted:
        raise OnnxError(f"{what} of shape {shape} needs {wanted} {unit}, the file has {got}")


def _strings(proto: Any, shape: Shape, what: str, data: memoryview | None) -> Array:
    if proto.raw_data or data is not None:
        raise OnnxError(f"{what} has raw_data; strings stand in string_data")
    _check_length(len(proto.string_data), "strings", math.prod(shape), shape, what)
    array = np.empty(math.prod(shape), object)
    # A string that is not UTF-8 keeps its bytes through the escapes of PEP 383.
    array[:] = [s.decode("utf-8", "surrogateescape") for s in proto.string_data]
    return array.reshape(shape)


def _from_numbers(proto: Any, shape: Shape, what: str) -> Array:
    """From one of the ``*_data`` fields, where the file keeps numbers as numbers."""
    code, dtype = proto.data_type, DTYPES[proto.data_type]
    field = _FIELDS[code]
    bits = _BITS.get(code, 8)
    wanted = math.prod(shape) * (2 if dtype.kind == "c" else 1)
    if bits < 6:
        wanted = _stored_bytes(code, shape)
    numbers: Sequence[float] = getattr(proto, field)
    _check_length(len(numbers), f"numbers in {field}", wanted, shape, what)
    if field == "float_data":
        return np.array(numbers, np.float32).view(dtype).reshape(shape)
    if field == "double_data":
        return np.array(numbers, np.float64).view(dtype).reshape(shape)
    if field == "uint64_data":
        return np.array(numbers, np.uint64).astype(dtype).reshape(shape)
    if field == "int64_data":
        return np.array(numbers, np.int64).reshape(shape)
    array: Array = np.array(numbers, np.int32)
    if dtype == np.bool_:
        return array.astype(np.bool_).reshape(shape)
    if bits < 6:
        return _unpack(array.astype(np.uint8), bits, shape).view(dtype)
    if bits == 6:
        return (array & 0x3F).astype(np.uint8).view(dtype).reshape(shape)
    if dtype.kind in "iu":
        return array.astype(dtype).reshape(shape)
    return array.astype(f"u{dtype.itemsize}").view(dtype).reshape(shape)


def _from_bytes(raw: Bytes, code: int, shape: Shape) -> Array:
    dtype = DTYPES[code]
    if code in _BITS:
        return _unpack(raw, _BITS[code], shape).view(dtype)
    if dtype == np.bool_ and raw.size and raw.max() > 1:
        return raw.astype(np.bool_).reshape(shape)
    array: Array = raw.view(dtype).reshape(shape)
    # Kernels load whole elements; an offset in a file need not be a multiple of their size.
    return array if array.flags.aligned else array.copy()


def _unpack(raw: Bytes, bits: int, shape: Shape) -> Bytes:
    """One byte per element from elements of 2, 4 or 6 bits, the first in the lowest bits."""
    size = math.prod(shape)
    if bits == 6:
        return _unpack6(raw, size).reshape(shape)
    per_byte = 8 // bits
    out = np.empty((raw.size, per_byte), np.uint8)
    for i in range(per_byte):
        np.right_shift(raw, bits * i, out=out[:, i])
    out &= (1 << bits) - 1
    return out.reshape(-1)[:size].reshape(shape)


def _unpack6(raw: Bytes, size: int) -> Bytes:
    """Four elements of 6 bits from every three bytes."""
    padded = np.zeros((-(-size // 4), 3), np.uint8)
    padded.reshape(-1)[: raw.size] = raw
    words = padded.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
    out = (words[:, None] >> np.array([0, 6, 12, 18], np.uint32)) & 0x3F
    return out.astype(np.uint8).reshape(-1)[:size]


def _linear(indices: Array, count: int, shape: Shape, what: str) -> Array:
    """Positions in the flattened dense array: ascending, without duplicates, inside of it."""
    if indices.dtype != np.int64 or indices.shape not in ((count,), (count, len(shape))):
        raise OnnxError(
            f"{what} needs int64 indices of shape ({count},) or ({count}, {len(shape)}), "
            f"got {indices.dtype} of shape {indices.shape}"
        )
    if indices.ndim == 2:
        if ((indices < 0) | (indices >= np.array(shape, np.int64))).any():
            raise OnnxError(f"{what} has indices outside of its shape {shape}")
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        indices = indices @ np.array(strides, np.int64)
    if count and (indices.min() < 0 or indices.max() >= math.prod(shape)):
        raise OnnxError(f"{what} has indices outside of its shape {shape}")
    if (np.diff(indices) <= 0).any():
        raise OnnxError(f"{what} has indices that are not in ascending order")
    return indices
