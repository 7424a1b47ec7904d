"""Maps from names or numbers to values (ai.onnx.ml), as dicts: made of tensors, and the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..casting import cast_dtype
from ..registry import onnx_op
from ..values import describe, strings
from .expected import one_of
from .ml_features import ML
from .text import string_array

_CASTS = {"TO_FLOAT": tl.float32, "TO_STRING": tl.dtypes.string, "TO_INT64": tl.int64}


@onnx_op("ZipMap", domain=ML)
class ZipMap:
    """Each row of ``[N, C]`` (or ``[C]``, one row) as a dict from the class labels: a list."""

    def __init__(
        self,
        *,
        classlabels_int64s: Sequence[int] | None = None,
        classlabels_strings: Sequence[str] | None = None,
    ) -> None:
        if bool(classlabels_int64s) == bool(classlabels_strings):
            which = "both" if classlabels_strings else "neither"
            raise OnnxError(f"expected classlabels_int64s or classlabels_strings, got {which}")
        self.labels: list[Any] = list(classlabels_int64s or ())
        if classlabels_strings:
            self.labels = string_array(classlabels_strings).tolist()

    def __call__(self, x: Tensor) -> Any:
        if x.dtype is not tl.float32 or x.ndim not in (1, 2) or x.shape[-1] != len(self.labels):
            n = len(self.labels)
            raise OnnxError(f"expected an input float32 [N, {n}] or [{n}], got {describe(x)}")
        rows = [x.tolist()] if x.ndim == 1 else x.tolist()
        return ([dict(zip(self.labels, row, strict=True)) for row in rows],)


@onnx_op("DictVectorizer", domain=ML)
class DictVectorizer:
    """The values of a map in the order of a vocabulary, 1-d; zeros (or "") for missing keys.

    Keys that are not in the vocabulary are left out, as ONNX Runtime and ONNX's reference do.
    """

    def __init__(
        self,
        *,
        int64_vocabulary: Sequence[int] | None = None,
        string_vocabulary: Sequence[str] | None = None,
    ) -> None:
        if bool(int64_vocabulary) == bool(string_vocabulary):
            which = "both" if string_vocabulary else "neither"
            raise OnnxError(f"expected int64_vocabulary or string_vocabulary, got {which}")
        self.key = str if string_vocabulary else int
        self.vocabulary: list[Any] = list(int64_vocabulary or ())
        if string_vocabulary:
            self.vocabulary = string_array(string_vocabulary).tolist()

    def __call__(self, x: dict[Any, Any], *, device: Any) -> Tensor:
        return _vector(_of_keys(x, self.key), self.vocabulary, device)


@onnx_op("CastMap", domain=ML)
class CastMap:
    """The values of a map with whole keys as one row: ``[1, N]``.

    "DENSE" takes them in the order of their keys; "SPARSE" puts each at the place its key says,
    of ``max_map``, and leaves zeros (or "") between.
    """

    def __init__(
        self, *, cast_to: str = "TO_FLOAT", map_form: str = "DENSE", max_map: int = 1
    ) -> None:
        self.dtype = _CASTS[one_of("cast_to", cast_to, tuple(_CASTS))]
        self.sparse = one_of("map_form", map_form, ("DENSE", "SPARSE")) == "SPARSE"
        self.size = max_map
        if self.sparse and max_map < 1:
            raise OnnxError(f"max_map is {max_map}, expected 1 or more")

    def __call__(self, x: dict[int, Any], *, device: Any) -> Tensor:
        keys = sorted(_of_keys(x, int))
        if self.sparse and keys and not 0 <= keys[0] <= keys[-1] < self.size:
            raise OnnxError(f"expected keys from 0 to max_map - 1 = {self.size - 1}, got some "
                            f"from {keys[0]} to {keys[-1]}")  # fmt: skip
        values = cast_dtype(_vector(x, keys, device), self.dtype)
        if not self.sparse:
            return values.reshape(1, -1)
        row = np.full(self.size, "" if self.dtype is tl.dtypes.string else 0, self.dtype.numpy)
        row[keys] = values._host()
        return _tensor(row.reshape(1, -1), device)


def _of_keys(x: Any, kind: type) -> dict[Any, Any]:
    """The map, if it is one with keys of that kind; else OnnxError."""
    if not isinstance(x, dict):
        raise OnnxError(f"expected a map, got {describe(x)}")
    wrong = next((key for key in x if not isinstance(key, kind | np.integer)), None)
    if wrong is not None:
        name = "strings" if kind is str else "integers"
        raise OnnxError(f"expected a map with {name} as keys, got the key {wrong!r}")
    return x


def _vector(x: dict[Any, Any], keys: Sequence[Any], device: Any) -> Tensor:
    """The values of the keys, of the dtype that the map's values have."""
    array = np.empty(len(keys), _value_dtype(x))
    zero = "" if array.dtype == object else 0
    array[:] = [x.get(key, zero) for key in keys]
    return _tensor(array, device)


def _value_dtype(x: dict[Any, Any]) -> Any:
    """Python's floats are ONNX's: single; NumPy's doubles stay what they are."""
    kinds = set(map(type, x.values()))
    if not kinds or kinds <= {float, np.float32}:
        return np.float32
    if kinds <= {str}:
        return object
    if all(issubclass(kind, int | np.integer) for kind in kinds):
        return np.int64
    if kinds <= {float, np.float32, np.float64}:
        return np.float64
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise OnnxError(f"expected a map with floats, integers or strings as values, got {names}")


def _tensor(array: Any, device: Any) -> Tensor:
    return strings(array) if array.dtype == object else tl.tensor(array, device=device)
