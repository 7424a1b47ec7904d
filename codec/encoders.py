"""Tensors as sections of a ``.tlz`` file: without loss, in few bits, or by a codebook."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError
from . import floats
from .grid import FLOATS, pack, packed_size
from .planes import encode_plane
from .schemes import SUMMED

Array = np.ndarray[Any, Any]

PART = 1 << 22  # numbers in a part, about


@dataclass(frozen=True)
class Encoded:
    """A tensor as a scheme keeps it: sections by name for each part of ``rows`` rows."""

    dtype: str
    shape: tuple[int, ...]
    scheme: str
    parameters: dict[str, Any]
    rows: int
    parts: list[dict[str, bytes]]
    sha256: str | None = None  # of the decoded bytes, where they are known
    transposed: bool = False  # the parts are those of the transposed matrix


@dataclass(frozen=True)
class Uniform:
    """Few bits: groups of ``group_size`` numbers along a row, each with a scale (and a zero)."""

    bits: int
    group_size: int = 32
    symmetric: bool = False

    def __post_init__(self) -> None:
        if self.bits not in (2, 3, 4, 8) or self.group_size < 8 or self.group_size % 8:
            raise ArgumentError(
                f"expected 2, 3, 4 or 8 bits and groups of a multiple of 8, got {self.bits} bits "
                f"and groups of {self.group_size}"
            )

    def suits(self, array: Array) -> bool:
        """Whether it is for an array: matrices of finite floats that are not small."""
        if array.dtype.name not in FLOATS or array.ndim < 2 or array.size < 1024:
            return False
        with np.errstate(invalid="ignore"):  # of NaNs in small floats
            return bool(np.isfinite(array).all())


def rows_of(array: Array) -> tuple[Array, int]:
    """The array as rows of numbers, and how many rows a part has."""
    rows = array.reshape(array.shape[0] if array.ndim else 1, -1) if array.size else array
    columns = array.size // len(rows) if array.size else 1
    return rows, max(1, PART // columns)


def encode_lossless(array: Array, threads: int | None = None) -> Encoded:
    """The scheme that keeps every bit of an array in the fewest bytes."""
    kind, width = array.dtype.name, array.dtype.itemsize
    shape = tuple(int(n) for n in array.shape)
    if not array.size:
        return Encoded(kind, shape, "bytes", {}, 1, [])
    rows, step = rows_of(array)
    scheme, parts, size = "floats" if kind in FLOATS else "bytes", [], 0
    for at in range(0, len(rows), step):
        some = np.ascontiguousarray(rows[at : at + step])
        if scheme == "floats":
            method = "half" if kind == "float16" else "float"
            data = floats.encode(some.view(f"<u{width}"), method, threads)
        else:
            data = _planes(some, threads)
        parts.append({"data": data})
        size += len(data)
    if size > 0.995 * array.nbytes:
        scheme, parts = (
            "stored",
            [_stored(rows[at : at + step]) for at in range(0, len(rows), step)],
        )
    return Encoded(kind, shape, scheme, {}, step, parts)


def _stored(rows: Array) -> dict[str, bytes]:
    data = rows.tobytes()
    sums = [zlib.crc32(data[i : i + SUMMED]) for i in range(0, len(data), SUMMED)]
    return {"data": data, "sums": np.array(sums, "<u4").tobytes()}


def encode_uniform(array: Array, plan: Uniform, threads: int | None = None) -> Encoded:
    """An array that ``plan`` suits, by ``tl.quantize``."""
    from ..construct import as_tensor
    from ..ops.low_bits import quantize, unpacked

    rows, _ = rows_of(array)
    largest = float(np.abs(rows).max())
    # Scales are halves where halves are no less exact than the codes.
    near = rows.astype(np.float16) if 1e-3 < largest < 6e4 else rows.astype(np.float32)
    given = as_tensor(near, device="cpu")
    found: Any = quantize(given, plan.bits, plan.group_size, plan.symmetric)
    held, scales, zeros = (tensor.numpy() for tensor in found)
    codes = unpacked(np, held, plan.bits)[:, : rows.shape[1]]
    kept = None if plan.symmetric else zeros
    return uniform(
        array.dtype.name, array.shape, codes, scales, kept, plan.bits, plan.group_size, threads
    )


def uniform(
    dtype: str, shape: tuple[int, ...], codes: Array, scales: Array, zeros: Array | None,
    bits: int, group: int, threads: int | None = None,
) -> Encoded:  # fmt: skip
    """``(code - zero) * scale``, of codes (rows, columns) a byte each.

    Scales (and zeros, uint8; without them they are ``2**(bits - 1)``) are (rows or 1, groups).
    """
    rows, columns = codes.shape
    step = max(1, PART // columns)
    packs, coded = _codes(codes, bits, step, threads)
    parts = []
    for i, data in enumerate(coded):
        of = slice(i * step, (i + 1) * step) if len(scales) > 1 else slice(0, 1)
        part = {"codes": data, "scales": _planes(scales[of], threads)}
        if zeros is not None:
            part["zeros"] = _planes(zeros[of], threads)
        parts.append(part)
    parameters = {"bits": bits, "by_row": int(len(scales) > 1), "group": min(group, columns),
                  "packed": packs, "scale_dtype": scales.dtype.name}  # fmt: skip
    if rows == 1:
        parameters["by_row"] = 0
    return Encoded(dtype, tuple(map(int, shape)), "uniform", parameters, step, parts)


def codebook(
    dtype: str, shape: tuple[int, ...], codes: Array, values: Array, scales: Array | None = None,
    group: int | None = None, threads: int | None = None,
) -> Encoded:  # fmt: skip
    """``values[code]``, times ``scale`` where there are scales, of codes (rows, columns)."""
    rows, columns = codes.shape
    step = max(1, PART // columns)
    bits = max(1, (len(values) - 1).bit_length())
    packs, coded = _codes(codes, bits, step, threads)
    parts = []
    for i, data in enumerate(coded):
        part = {"codes": data, "values": _planes(values, threads)}
        if scales is not None:
            of = slice(i * step, (i + 1) * step) if len(scales) > 1 else slice(0, 1)
            part["scales"] = _planes(scales[of].astype(values.dtype), threads)
        parts.append(part)
    parameters: dict[str, Any] = {"bits": bits, "entries": len(values), "packed": packs,
                                  "scale_dtype": values.dtype.name}  # fmt: skip
    if scales is not None:
        by_row = int(len(scales) > 1 and rows > 1)
        parameters |= {"by_row": by_row, "group": min(group or columns, columns)}
    return Encoded(dtype, tuple(map(int, shape)), "codebook", parameters, step, parts)


def _codes(codes: Array, bits: int, step: int, threads: int | None) -> tuple[int, list[bytes]]:
    """Whether codes are packed, and those of every part: whichever is the smaller."""
    parts = [codes[at : at + step].reshape(-1) for at in range(0, len(codes), step)]
    coded = [encode_plane(part, "auto", None, threads).to_bytes() for part in parts]
    if bits in (2, 3, 4) and sum(map(len, coded)) > sum(packed_size(p.size, bits) for p in parts):
        return 1, [encode_plane(pack(p, bits), "store", None, threads).to_bytes() for p in parts]
    return 0, coded


def _planes(array: Array, threads: int | None) -> bytes:
    """A plane of the first byte of each number, of the second..."""
    width = array.dtype.itemsize
    apart = np.ascontiguousarray(array).reshape(-1).view(np.uint8).reshape(-1, width)
    planes = (encode_plane(apart[:, i], "auto", None, threads) for i in range(width))
    return b"".join(plane.to_bytes() for plane in planes)
