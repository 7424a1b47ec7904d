"""What the operators of ai.onnx.ml take: rows of features, and lists of numbers as attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..values import describe

ML = "ai.onnx.ml"
DTYPES = (tl.float32, tl.float64, tl.int64, tl.int32)


def numbers(x: Tensor) -> Tensor:
    """The input, if it is of a dtype that the operators of ai.onnx.ml take; else OnnxError."""
    if x.dtype not in DTYPES:
        known = ", ".join(dtype.name for dtype in DTYPES)
        raise OnnxError(f"expected an input of dtype {known}, got {describe(x)}")
    return x


def wide(x: Tensor) -> Tensor:
    """The input in the dtype it is computed in: float32 as such, the others as float64."""
    return x if numbers(x).dtype is tl.float32 else x.double()


def rows(x: Tensor, features: int | None = None) -> Tensor:
    """The input as rows of that many features, wide enough to compute with; one row if 1-d."""
    if x.ndim not in (1, 2):
        raise OnnxError(f"expected an input [N, C] or [C], got {describe(x)}")
    if features is not None and x.shape[-1] != features:
        raise OnnxError(f"expected {features} features, got {describe(x)}")
    return wide(x.reshape(1, -1) if x.ndim == 1 else x)


class Numbers:
    """Numbers of an attribute, as a tensor wherever and in whichever dtype they are needed."""

    def __init__(self, values: Any, dtype: Any = np.float32) -> None:
        self.array = np.asarray(values, dtype)
        self._placed: dict[Any, Tensor] = {}

    def like(self, x: Tensor) -> Tensor:
        """The numbers on the device and in the dtype of ``x``."""
        return self.on(x.device, x.dtype)

    def on(self, device: tl.device, dtype: Any = None) -> Tensor:
        """The numbers on that device."""
        key = (device, dtype)
        if key not in self._placed:
            self._placed[key] = tl.tensor(self.array, dtype=dtype, device=device)
        return self._placed[key]


def matrix(values: Sequence[float] | None, height: int, name: str) -> Numbers:
    """An attribute's numbers as a matrix of that many rows; OnnxError if they make none."""
    if not values or height < 1 or len(values) % height:
        raise OnnxError(f"{len(values or ())} {name} do not make {height} rows")
    return Numbers(np.reshape(values, (height, -1)))


def sized(values: Sequence[float] | None, size: int, name: str) -> Numbers:
    """An attribute of exactly that many numbers, zeros if it is absent."""
    if values and len(values) != size:
        raise OnnxError(f"expected {size} {name}, got {len(values)}")
    return Numbers(values or [0.0] * size)
