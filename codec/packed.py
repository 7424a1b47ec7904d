"""Quantised tensors as they are used without being made floats: what ``tl.quantize`` gives."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..ops.low_bits import BITS, packed
from .directory import TensorEntry
from .grid import UniformPart

Array = np.ndarray[Any, Any]


class Quantized(NamedTuple):
    """A tensor for ``tl.quantized_linear`` and ``tl.dequantize``; its rows are matrix rows.

    ``codes``, ``scales`` and ``zeros`` (None where they are the middle) are those of
    ``tl.quantize(x, bits, group_size)``, ``columns`` is the ``size`` of ``tl.dequantize``. With
    ``transposed`` the tensor is the transpose of that matrix.
    """

    codes: Array
    scales: Array
    zeros: Array | None
    bits: int
    group_size: int
    columns: int
    transposed: bool = False


def is_packable(entry: TensorEntry) -> bool:
    """Whether a tensor can be had as ``tl.quantize`` gives it."""
    if entry.scheme != "uniform" or not entry.size:
        return False
    group = entry.parameters.get("group")
    whole = type(group) is int and (group % 8 == 0 or group == entry.columns)
    return whole and entry.parameters.get("bits") in BITS


def quantized(entry: TensorEntry, parts: list[tuple[UniformPart, int]], kind: Any) -> Quantized:
    """The tensor of these parts, each with its rows; ``kind`` is the dtype of the scales."""
    first = parts[0][0]
    group, columns, bits = first.group, entry.columns, first.codes.bits
    size = -(-group // 8) * 8
    codes, scales, zeros = [], [], []
    for part, rows in parts:
        found = part.codes.rows(0, rows, None, True)
        count = part.scales.shape[1]
        wide = np.zeros((rows, count * size), np.uint8)
        wide[:, :columns] = found
        codes.append(packed(np, wide, bits))
        scales.append(np.broadcast_to(part.scales, (rows, count)).astype(kind))
        zeros.append(np.broadcast_to(part.zeros, (rows, count)).astype(np.uint8))
    middle = "zeros" not in entry.parts[0]
    return Quantized(np.concatenate(codes), np.concatenate(scales),
                     None if middle else np.concatenate(zeros), bits, size, columns,
                     entry.transposed)  # fmt: skip
