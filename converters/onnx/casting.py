"""Conversions between dtypes as ONNX's Cast defines them: strings, saturation, tiny floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...convert import cast_array
from ...dtypes import dtype as Dtype
from ...errors import OnnxError
from ...tensor import Tensor, wrap
from .tensors import STRING, dtype_name
from .values import strings

_SATURATES = ("float8", "float4")


def cast_to(x: Tensor, code: int, saturate: bool = True, round_mode: str = "up") -> Tensor:
    """A tensor in the dtype of a ``TensorProto.DataType`` code."""
    target = dtypes.string if code == STRING else dtypes.to_dtype(dtype_name(code))
    return cast_dtype(x, target, saturate, round_mode)


def cast_dtype(x: Tensor, target: Dtype, saturate: bool = True, round_mode: str = "up") -> Tensor:
    """A tensor in a dtype, by the rules of ONNX's ``Cast``."""
    if x.dtype is target:
        return x
    if target is dtypes.string:
        return strings(_as_text(x))
    device = x.device
    if x.dtype is dtypes.string:
        return wrap(device.from_host(_from_text(x._host(), target)), device)
    if target.name.startswith(_SATURATES) or target.itemsize == 1 and target.name in _PACKED:
        return wrap(device.from_host(_small(x._host(), target, saturate, round_mode)), device)
    return x.to(target)


_PACKED = ("int4", "uint4", "int2", "uint2")


def _as_text(x: Tensor) -> Any:
    """Numbers as text: the shortest that reads back as the same number."""
    array = x._host()
    if x.dtype is dtypes.bool_:
        return np.where(array, "True", "False").astype(object)
    plain = array if array.dtype.kind in "iuf" else array.astype(np.float32)
    flat = [_number_text(v) for v in plain.reshape(-1)]
    return np.array(flat, object).reshape(array.shape)


def _number_text(value: Any) -> str:
    if isinstance(value, np.floating):
        if np.isnan(value):
            return "NaN"
        if np.isinf(value):
            return "INF" if value > 0 else "-INF"
    return str(value)


def _from_text(array: Any, target: Dtype) -> Any:
    texts = array.reshape(-1).tolist()
    try:
        if target.is_integral:
            whole = np.uint64 if target is dtypes.uint64 else np.int64
            numbers = np.array([_whole(text) for text in texts], whole)
        else:
            numbers = np.array([float(text) for text in texts], np.float64)
    except (ValueError, OverflowError) as error:
        raise OnnxError(f"Cast: {error}") from error
    return cast_array(numbers, target).reshape(array.shape)


def _whole(text: str) -> int:
    """``"12"``, with all its digits, and the whole part of ``"1.2e1"``."""
    try:
        return int(text)
    except ValueError:
        return int(float(text))


def _small(host: Any, target: Dtype, saturate: bool, round_mode: str) -> Any:
    """To the floats of 8 bits and fewer, and to 4- and 2-bit integers."""
    if target.is_integral:
        # The low bits of the whole number, as conversions between integers keep them.
        bits = dtypes.iinfo(target).bits
        whole = cast_array(host, dtypes.int64) & (2**bits - 1)
        if target.kind == "i":
            whole = np.where(whole >= 2 ** (bits - 1), whole - 2**bits, whole)
        return whole.astype(np.int8).astype(target.numpy)
    values = host.astype(np.float32)
    if target.name == "float8_e8m0fnu":
        return _power_of_two(values, saturate, round_mode)
    limit = dtypes.finfo(target).max
    if saturate:
        finite = np.isfinite(values) | np.isinf(values)
        values = np.where(finite, np.clip(values, -limit, limit), values)
        return values.astype(target.numpy)
    with np.errstate(all="ignore"):
        return values.astype(target.numpy)


def _power_of_two(values: Any, saturate: bool, round_mode: str) -> Any:
    """float8_e8m0: the exponent alone, rounded up, down or to the nearest."""
    import ml_dtypes

    with np.errstate(all="ignore"):
        exact = np.log2(np.abs(values).astype(np.float64))
        exponent = {"up": np.ceil, "down": np.floor}.get(round_mode, np.rint)(exact)
    if saturate:
        exponent = np.clip(exponent, -127, 127)
    bad = ~np.isfinite(values) | (values < 0) | (np.abs(exponent) > 127)
    code = np.where(bad, 255, np.clip(np.nan_to_num(exponent), -127, 127) + 127).astype(np.uint8)
    return code.view(ml_dtypes.float8_e8m0fnu)
