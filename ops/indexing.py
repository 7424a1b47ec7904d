"""Reading and writing elements by index: basic, boolean and integer indexing.

Integers, slices, ``None`` and ``...`` give views. Boolean and integer tensors (and lists) give
copies, by NumPy's rules for several of them; integers are applied first, as PyTorch does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..devices.base import Device
from ..errors import DimensionError, ShapeError
from ..tensor import Tensor
from .registry import Array, op

_NOT_ARRAYS = (int, slice, type(None), type(Ellipsis))


@op(spaces=(), name="getitem")
def getitem(xp: Any, input: Array, index: Any) -> Array:
    """``input[index]``; a view where only integers, slices, None and ``...`` are used.

    Source: PyTorch "Tensor indexing".

    >>> import tensorlite as tl
    >>> x = tl.arange(6).reshape(2, 3)
    >>> x[:, tl.tensor([0, 2])]
    tensor([[0, 2],
            [3, 5]])
    """
    basic, advanced = _split(xp, input, index)
    view = input[basic]
    return view[advanced] if advanced is not None else view


@op(spaces=(), name="setitem", writes=True)
def setitem(xp: Any, input: Array, index: Any, value: Any) -> None:
    """``input[index] = value``; the value is converted to the tensor's dtype and broadcast.

    Source: PyTorch "Tensor indexing".

    >>> import tensorlite as tl
    >>> x = tl.zeros(3); x[1:] = 5; x
    tensor([0., 5., 5.])
    """
    basic, advanced = _split(xp, input, index)
    if getattr(value, "dtype", None) is not None and value.dtype != input.dtype:
        from ..convert import cast_array
        from .dims import dtype_of

        value = cast_array(value, dtype_of(input))
    if advanced is None:
        input[basic] = value
    else:
        input[basic][advanced] = value


def moved(index: Any, device: Device) -> Any:
    """An index with the tensors of host memory in it on a device, as PyTorch allows them."""
    if isinstance(index, tuple):
        return tuple([moved(i, device) for i in index])
    return index.to(device) if isinstance(index, Tensor) and index.device.host else index


def _split(xp: Any, input: Array, index: Any) -> tuple[tuple[Any, ...], Any]:
    """The index in two steps: integers, slices and None, then the arrays (or None)."""
    items = _items(index)
    wide = sum(_width(i) for i in items)
    if wide > input.ndim:
        raise DimensionError(
            f"too many indices: {wide} for a tensor of {input.ndim} dimensions, "
            f"shape {tuple(input.shape)}"
        )
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    place = next(k for k, i in enumerate(items) if i is Ellipsis)
    items[place : place + 1] = [slice(None)] * (input.ndim - wide)
    basic: list[Any] = []
    advanced: list[Any] = []
    for item in items:
        if isinstance(item, bool):
            basic.append(None)
            advanced.append(xp.asarray([item]))
        elif isinstance(item, _NOT_ARRAYS):
            basic.append(_checked(item))
            if not isinstance(item, int):
                advanced.append(slice(None))
        else:
            basic.extend([slice(None)] * _width(item))
            advanced.append(_index_array(xp, item))
    has_arrays = any(not isinstance(a, slice) for a in advanced)
    return (*basic, Ellipsis), tuple(advanced) if has_arrays else None


def _items(index: Any) -> list[Any]:
    """The index as a list, with 0-d integer arrays as plain integers."""
    items = list(index) if isinstance(index, tuple) else [index]
    return [_plain(i) for i in items]


def _plain(item: Any) -> Any:
    if getattr(item, "ndim", None) == 0 and hasattr(item, "dtype"):
        return item.item() if item.dtype.kind in "biu" else item
    if isinstance(item, slice):
        parts = (item.start, item.stop, item.step)
        return slice(*[int(p) if hasattr(p, "dtype") else p for p in parts])
    if isinstance(item, range):
        return list(item)
    return item


def _width(item: Any) -> int:
    """How many of the tensor's dimensions an index item uses up."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, int | slice):
        return 1
    array = item if hasattr(item, "dtype") else np.asarray(_first(item))
    return int(array.ndim) if array.dtype.kind == "b" and array.ndim else 1


def _first(item: Any) -> Any:
    return [np.asarray(i) if hasattr(i, "dtype") else i for i in item]


def _checked(item: Any) -> Any:
    if isinstance(item, slice) and item.step is not None and item.step <= 0:
        raise ShapeError(f"slice step must be positive, got {item.step}; use flip() to reverse")
    return item


def _index_array(xp: Any, item: Any) -> Any:
    array = item if hasattr(item, "dtype") else xp.asarray(item)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise DimensionError(f"indices are integers, bools or slices, got {array.dtype}")
    return array.astype(bool) if array.dtype == np.uint8 else array
