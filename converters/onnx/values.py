"""What flows along the edges of an ONNX graph, between NumPy and tensorlite.

A tensor (strings too) is a Tensor; a sequence a list; an absent optional None; a map a dict.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ...devices.base import Device, resolve
from ...errors import DTypeError
from ...tensor import Tensor, wrap


def to_value(value: Any, device: Device) -> Any:
    """A value from outside (array, number, list, dict, Tensor, None) as it flows in a graph."""
    if isinstance(value, Tensor):
        return value if value.dtype is dtypes.string else value.to(device)
    if isinstance(value, list) and (not value or not isinstance(value[0], int | float | str)):
        return [to_value(item, device) for item in value]
    if isinstance(value, dict) or value is None:
        return value
    array = np.asarray(value)
    if array.dtype.kind in "SUTO":
        return strings(array)
    dtypes.from_numpy(array.dtype)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return wrap(device.from_host(array), device)


def strings(array: Any) -> Tensor:
    """A tensor of strings (on cpu, whatever the device of the model).

    Bytes become text; those that are not UTF-8 are kept through the escapes of PEP 383.
    """
    found = np.asarray(array, object)
    if set(map(type, found.reshape(-1))) - {str}:
        texts = np.empty(found.size, object)
        texts[:] = [text(item) for item in found.reshape(-1)]
        found = texts.reshape(found.shape)
    return wrap(found, resolve("cpu"))


def text(item: Any) -> str:
    """One element of a tensor of strings."""
    if isinstance(item, bytes):
        return item.decode("utf-8", "surrogateescape")
    if not isinstance(item, str):
        raise DTypeError("expected an array of numbers or of strings, got other Python objects")
    return str(item)


def to_plain(value: Any) -> Any:
    """A value of a graph as NumPy arrays, lists, dicts and None."""
    if isinstance(value, Tensor):
        return value.numpy(force=True)
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def describe(value: Any) -> str:
    """A value in a few words, for errors: ``float32 (1, 3)``."""
    if isinstance(value, Tensor):
        return f"{value.dtype.name} {tuple(value.shape)}"
    if isinstance(value, list):
        inside = ", ".join(describe(item) for item in value[:3])
        return f"a sequence of {len(value)} [{inside}{', ...' if value[3:] else ''}]"
    return "nothing" if value is None else type(value).__name__


def nbytes(value: Any) -> int:
    """The bytes of a value (strings are counted as their references)."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, list):
        return sum(nbytes(item) for item in value)
    return 0
