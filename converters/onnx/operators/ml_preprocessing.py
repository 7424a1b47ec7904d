"""Features made ready for a model (ai.onnx.ml): scaled, normalised, filled in, cut to 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import describe
from .ml_features import ML, Numbers, numbers, wide

_NORMS = ("MAX", "L1", "L2")


@onnx_op("Scaler", domain=ML)
class Scaler:
    """``(x - offset) * scale``, each one number, or one per feature."""

    def __init__(
        self, *, scale: Sequence[float] | None = None, offset: Sequence[float] | None = None
    ) -> None:
        if scale and offset and len(scale) != len(offset):
            raise OnnxError(f"{len(scale)} numbers in scale, {len(offset)} in offset")
        self.scale, self.offset = Numbers(scale or [1.0]), Numbers(offset or [0.0])

    def __call__(self, x: Tensor) -> Tensor:
        x = wide(x)
        shifted = x - _per_feature(self.offset, x, "offset")
        return (shifted * _per_feature(self.scale, shifted, "scale")).float()


def _per_feature(values: Numbers, x: Tensor, name: str) -> Tensor:
    """One number, or one for each along the last dimension, to be broadcast."""
    count, features = len(values.array), x.shape[-1] if x.ndim else 1
    if count not in (1, features):
        raise OnnxError(
            f"expected 1 or {features} numbers in {name}, for the input {describe(x)}; got {count}"
        )
    return values.like(x).reshape(()) if count == 1 else values.like(x)


@onnx_op("Normalizer", domain=ML)
def normalizer(x: Tensor, *, norm: str = "MAX") -> Tensor:
    """Each row divided by its maximum, its sum of absolute values, or its Euclidean norm.

    A row whose divisor is zero stays as it is.
    """
    if norm not in _NORMS:
        raise OnnxError(f"norm is {norm!r}, expected {', '.join(_NORMS)}")
    if x.ndim not in (1, 2):
        raise OnnxError(f"expected an input [N, C] or [C], got {describe(x)}")
    row = numbers(x).double()  # float32 has no room for large squares
    if not x.numel():
        return row.float()
    if norm == "MAX":
        size = tl.amax(row, -1, True)
    else:
        size = tl.linalg.vector_norm(row, 1 if norm == "L1" else 2, -1, True)
    return (row / tl.where(size == 0, 1.0, size)).float()


@onnx_op("Imputer", domain=ML)
class Imputer:
    """The input with one value (nan, too) replaced: by one number, or by one per feature."""

    def __init__(
        self,
        *,
        imputed_value_floats: Sequence[float] | None = None,
        imputed_value_int64s: Sequence[int] | None = None,
        replaced_value_float: float = 0.0,
        replaced_value_int64: int = 0,
    ) -> None:
        if bool(imputed_value_floats) == bool(imputed_value_int64s):
            raise OnnxError(
                "expected either imputed_value_floats or imputed_value_int64s, got "
                f"{'both' if imputed_value_floats else 'neither'}"
            )
        self.floats = bool(imputed_value_floats)
        self.replaced = replaced_value_float if self.floats else replaced_value_int64
        self.imputed = (
            Numbers(imputed_value_floats)
            if self.floats
            else Numbers(imputed_value_int64s, np.int64)
        )

    def __call__(self, x: Tensor) -> Tensor:
        if numbers(x).is_floating_point() != self.floats:
            kind = "floats" if self.floats else "integers"
            raise OnnxError(f"expected an input of {kind}, as the imputed values are; "
                            f"got {describe(x)}")  # fmt: skip
        if x.dtype is tl.int32 and abs(self.imputed.array).max() > tl.iinfo(tl.int32).max:
            raise OnnxError(f"imputed_value_int64s {self.imputed.array} do not all fit into int32")
        if self.floats:
            bad = tl.isnan(x) if math.isnan(self.replaced) else x == self.replaced
        else:
            bad = x.long() == self.replaced
        return tl.where(bad, _per_feature(self.imputed, x, "the imputed values"), x)


@onnx_op("Binarizer", domain=ML)
def binarizer(x: Tensor, *, threshold: float = 0.0) -> Tensor:
    """1 where the input is greater than the threshold, 0 elsewhere."""
    return (wide(x) > threshold).to(x.dtype)
