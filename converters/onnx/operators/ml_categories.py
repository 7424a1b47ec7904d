"""Categories (ai.onnx.ml): one name for another, and names as ones among zeros.

A name that is listed twice means what it means last, as the specification of LabelEncoder says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import strings, text
from .expected import expect
from .ml_features import ML
from .text import string_array, texts

_DTYPES = ("string", "int16", "int32", "int64", "float32", "float64")


class Lookup:
    """Values by key, both numbers or strings: ``values[i]`` for what equals ``keys[i]``.

    Any nan equals a nan, and -0.0 equals 0.0. What equals no key gives ``default``.
    """

    def __init__(self, keys: Any, values: Any, default: Any) -> None:
        if keys.ndim != 1 or keys.shape != values.shape:
            raise OnnxError(f"expected as many keys as values in one dimension, got keys of shape "
                            f"{keys.shape} and values of {values.shape}")  # fmt: skip
        self.dtype = tl.dtypes.from_numpy(keys.dtype)
        end = np.empty(1, values.dtype)
        end[0] = default
        if keys.dtype == object:
            self.places = {key: i for i, key in enumerate(keys)}
            self.values = np.concatenate([values, end])
        else:
            self.keys, last = np.unique(keys[::-1], return_index=True)
            self.values = np.concatenate([values[::-1][last], end])
        self._placed: dict[Any, tuple[Tensor, Tensor]] = {}

    def __call__(self, x: Tensor, device: tl.device) -> Tensor:
        """The values for the keys in ``x``, of its shape; on the device, if they are numbers."""
        expect("the input", x, dtypes=(self.dtype,))
        if self.dtype is tl.dtypes.string:
            place = self.places.get
            index = np.array([place(item, -1) for item in texts(x)], np.int64)
            return self._at(index.reshape(tuple(x.shape)), device)
        return self._of_numbers(x)

    def _at(self, index: Any, device: tl.device) -> Tensor:
        found = np.asarray(self.values[index], self.values.dtype)
        return strings(found) if found.dtype == object else tl.tensor(found, device=device)

    def _of_numbers(self, x: Tensor) -> Tensor:
        count = len(self.keys)
        keys, values = self._on(x.device)
        if not count:
            index = tl.zeros(x.shape, dtype=tl.int64, device=x.device)
        else:
            index = tl.searchsorted(keys, x.contiguous()).clamp(max=count - 1)
            equal = keys[index] == x
            if self.keys[-1] != self.keys[-1]:  # nan, which comes last
                nan = tl.isnan(x)
                index, equal = tl.where(nan, count - 1, index), equal | nan
            index = tl.where(equal, index, count)
        if self.values.dtype == object:
            return self._at(index._host(), x.device)
        return values[index]

    def _on(self, device: tl.device) -> tuple[Tensor, Tensor]:
        if device not in self._placed:
            numbers = self.values if self.values.dtype != object else np.zeros(1)
            self._placed[device] = (
                tl.tensor(self.keys, device=device),
                tl.tensor(numbers, device=device),
            )
        return self._placed[device]


@onnx_op("LabelEncoder", domain=ML)
class LabelEncoder1:
    """The place of a string among ``classes_strings``, or the string at a place."""

    def __init__(
        self,
        *,
        classes_strings: Sequence[str] = (),
        default_int64: int = -1,
        default_string: str = "_Unused",
    ) -> None:
        names, places = string_array(classes_strings), np.arange(len(classes_strings))
        self.place = Lookup(names, places, default_int64)
        self.name = Lookup(places, names, text(default_string))

    def __call__(self, x: Tensor, *, device: Any) -> Tensor:
        return _either_way(x, self.place, self.name, device)


@onnx_op("CategoryMapper", domain=ML)
class CategoryMapper:
    """``cats_int64s[i]`` for ``cats_strings[i]``, or the other way round."""

    def __init__(
        self,
        *,
        cats_int64s: Sequence[int] = (),
        cats_strings: Sequence[str] = (),
        default_int64: int = -1,
        default_string: str = "_Unused",
    ) -> None:
        ints, names = np.asarray(cats_int64s, np.int64), string_array(cats_strings)
        self.number = Lookup(names, ints, default_int64)
        self.name = Lookup(ints, names, text(default_string))

    def __call__(self, x: Tensor, *, device: Any) -> Tensor:
        return _either_way(x, self.number, self.name, device)


def _either_way(x: Tensor, of_strings: Lookup, of_ints: Lookup, device: Any) -> Tensor:
    expect("the input", x, dtypes=(tl.dtypes.string, tl.int64))
    return (of_strings if x.dtype is tl.dtypes.string else of_ints)(x, device)


@onnx_op("LabelEncoder", since=2, domain=ML)
class LabelEncoder:
    """``values[i]`` for every element that equals ``keys[i]``, and a default for the others."""

    def __init__(
        self,
        *,
        default_float: float = -0.0,
        default_int64: int = -1,
        default_string: str = "_Unused",
        default_tensor: Any = None,
        keys_floats: Sequence[float] | None = None,
        keys_int64s: Sequence[int] | None = None,
        keys_strings: Sequence[str] | None = None,
        keys_tensor: Any = None,
        values_floats: Sequence[float] | None = None,
        values_int64s: Sequence[int] | None = None,
        values_strings: Sequence[str] | None = None,
        values_tensor: Any = None,
    ) -> None:
        keys = _given("keys", keys_floats, keys_int64s, keys_strings, keys_tensor)
        values = _given("values", values_floats, values_int64s, values_strings, values_tensor)
        defaults = {"O": text(default_string), "i": default_int64, "f": default_float}
        default = defaults[values.dtype.kind]
        if default_tensor is not None:
            default = _default(default_tensor, values)
        elif values_tensor is not None and values.dtype.kind == "i":
            _check_fits(default_int64, values.dtype)
        self.lookup = Lookup(keys, values, default)

    def __call__(self, x: Tensor, *, device: Any) -> Tensor:
        return self.lookup(x, device)


def _given(
    name: str,
    floats: Sequence[float] | None,
    ints: Sequence[int] | None,
    names: Sequence[str] | None,
    tensor: Any,
) -> Any:
    """The one attribute that is given of four, as an array."""
    arrays = {
        f"{name}_floats": None if floats is None else np.asarray(floats, np.float32),
        f"{name}_int64s": None if ints is None else np.asarray(ints, np.int64),
        f"{name}_strings": None if names is None else string_array(names),
        f"{name}_tensor": tensor,
    }
    given = {key: array for key, array in arrays.items() if array is not None}
    if len(given) != 1:
        raise OnnxError(
            f"expected exactly one of {', '.join(arrays)}, got {' and '.join(given) or 'none'}"
        )
    ((key, array),) = given.items()
    dtype = tl.dtypes.from_numpy(array.dtype).name
    if dtype not in _DTYPES:
        raise OnnxError(f"{key} is of dtype {dtype}, expected one of {', '.join(_DTYPES)}")
    return array


def _default(tensor: Any, values: Any) -> Any:
    if tensor.size != 1 or tensor.dtype != values.dtype:
        raise OnnxError(
            f"expected default_tensor to be one {tl.dtypes.from_numpy(values.dtype).name}, as the "
            f"values are; got {tl.dtypes.from_numpy(tensor.dtype).name} {tensor.shape}"
        )
    return tensor.reshape(-1)[0]


def _check_fits(default: int, dtype: Any) -> None:
    limits = np.iinfo(dtype)
    if not limits.min <= default <= limits.max:
        raise OnnxError(f"default_int64 {default} does not fit into values of {dtype}")


@onnx_op("OneHotEncoder", domain=ML)
class OneHotEncoder:
    """A 1 at the element's place among the categories, along a new last dimension of zeros.

    Numbers with a fraction are cut to whole ones first. An element that is no category gives
    zeros only, or an error where ``zeros`` is 0.
    """

    def __init__(
        self,
        *,
        cats_int64s: Sequence[int] | None = None,
        cats_strings: Sequence[str] | None = None,
        zeros: int = 1,
    ) -> None:
        if bool(cats_int64s) == bool(cats_strings):
            which = "both" if cats_strings else "neither"
            raise OnnxError(f"expected either cats_int64s or cats_strings, got {which}")
        ints = np.asarray(cats_int64s or (), np.int64)
        names = string_array(cats_strings) if cats_strings else ints
        self.count = len(names)
        self.lookup = Lookup(names, np.arange(self.count), -1)
        self.zeros = bool(zeros)

    def __call__(self, x: Tensor, *, device: Any) -> Tensor:
        place = self._place(x, device)
        if not self.zeros and (place < 0).any().item():
            raise OnnxError("an element is none of the categories, which zeros=0 does not allow")
        columns = tl.arange(self.count, device=place.device)
        return (place.unsqueeze(-1) == columns).float()

    def _place(self, x: Tensor, device: Any) -> Tensor:
        if self.lookup.dtype is tl.dtypes.string or x.dtype is tl.int64:
            return self.lookup(x, device)
        expect("the input", x, dtypes=(tl.int64, tl.int32, tl.float32, tl.float64))
        if x.dtype is tl.int32:
            return self.lookup(x.long(), device)
        whole = tl.abs(x) < 2.0**63  # not so for nan, either
        place = self.lookup(tl.where(whole, x, 0.0).long(), device)
        return tl.where(whole, place, -1)
