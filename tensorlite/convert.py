"""``Tensor.to``: dtypes and devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .devices.base import Device, resolve
from .dtypes import dtype as Dtype
from .errors import ArgumentError
from .tensor import Tensor, wrap


def to(
    tensor: Tensor,
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """See :meth:`Tensor.to`."""
    place, kind, given = destination(*args, device=device, dtype=dtype)
    copy = copy or given
    result = tensor if kind is None else _cast(tensor, kind)
    if place is not None:
        result = _move(result, place)
    if memory_format is not None:
        result = result.contiguous(memory_format)
    if copy and result._array is tensor._array:
        result = wrap(result._device.copy(result._array), result._device)
    return result


def destination(
    *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False
) -> tuple[Device | None, Dtype | None, bool]:
    """What the arguments of ``to`` say: a device, a dtype, and whether to copy."""
    copy = False
    for position, value in enumerate(args):
        if isinstance(value, Tensor):
            device, dtype = value.device, value.dtype
        elif isinstance(value, Dtype) or value in (float, int, bool, complex):
            dtype = value
        elif isinstance(value, bool):
            copy = value if position > 1 else copy
        elif isinstance(value, str | Device):
            device = value
        elif isinstance(value, int):
            device = f"cuda:{value}"
        elif value is not None:
            raise ArgumentError(f"to: expected a dtype, a device or a tensor, got {value!r}")
    place = None if device is None else resolve(device)
    return place, None if dtype is None else dtypes.to_dtype(dtype), copy


def _cast(tensor: Tensor, target: Dtype) -> Tensor:
    if tensor.dtype is target:
        return tensor
    if tensor._device.xp is None:
        host = cast_array(tensor._host(), target)
        return wrap(tensor._device.from_host(host), tensor._device)
    return wrap(cast_array(tensor._array, target), tensor._device)


def cast_array(array: Any, target: Dtype) -> Any:
    """An array in another dtype, rounding as PyTorch does (toward zero to integers)."""
    source = dtypes.from_numpy(array.dtype)
    if target is dtypes.bool_:
        return array != 0
    if source.is_complex and not target.is_complex:
        array = array.real
    if target.is_integral and not target.native:
        array = array.astype(np.int8)  # ml_dtypes' 4-bit integers convert from integers
    elif not source.native and not target.is_floating_point:
        array = array.astype(np.float32 if source.is_floating_point else np.int8)
    with np.errstate(all="ignore"):
        if target in _BOUNDED and array.dtype != target.numpy:
            array = _BOUNDED[target](array)
        return array.astype(target.numpy)


def _saturated(array: Any) -> Any:
    """Within what float8_e4m3fn holds: it has no infinity, and PyTorch does not make nan of it."""
    return array.astype(np.float32).clip(-448, 448)


def _magnitude(array: Any) -> Any:
    """Above zero, as all powers of two are: float8_e8m0fnu has neither a sign nor a zero."""
    return abs(array.astype(np.float64)).clip(2.0**-127, None)


_BOUNDED = {dtypes.float8_e4m3fn: _saturated, dtypes.float8_e8m0fnu: _magnitude}


def _move(tensor: Tensor, device: Device) -> Tensor:
    if tensor._device is device:
        return tensor
    if tensor._device.host and device.host:
        return wrap(tensor._array, device)
    return wrap(device.from_host(tensor._host()), device)
