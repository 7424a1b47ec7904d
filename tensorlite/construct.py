"""Tensors from data: Python numbers and lists, NumPy arrays, buffers, DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .devices.base import resolve
from .errors import ArgumentError, DTypeError, ShapeError
from .tensor import Tensor, _refuse_grad, wrap


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new tensor with a copy of the data: a number, nested lists, an array or a tensor.

    Floats become the default dtype, integers int64. Raises ShapeError for ragged lists.

    >>> import tensorlite as tl
    >>> tl.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    _refuse_grad(requires_grad)
    if isinstance(data, Tensor):
        return data.to(
            device=data.device if device is None else resolve(device),
            dtype=data.dtype if dtype is None else dtypes.to_dtype(dtype),
            copy=True,
        )
    array = _array_of(data, dtype)
    place = resolve(device)
    return wrap(place.from_host(np.array(array, copy=True, order="C")), place)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor with the data, which shares its memory where that is possible.

    >>> import numpy as np, tensorlite as tl
    >>> a = np.zeros(2); t = tl.as_tensor(a); a[0] = 1; t
    tensor([1., 0.], dtype=tensorlite.float64)
    """
    if isinstance(data, Tensor):
        return data.to(
            device=data.device if device is None else resolve(device),
            dtype=data.dtype if dtype is None else dtypes.to_dtype(dtype),
        )
    if not isinstance(data, np.ndarray) and hasattr(data, "__dlpack__"):
        return as_tensor(from_dlpack(data), dtype, device)
    place = resolve(device)
    return wrap(place.from_host(_array_of(data, dtype)), place)


asarray = as_tensor


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor over a NumPy array; both share its memory.

    Raises ArgumentError for anything else, DTypeError for a dtype that tensorlite has not.
    """
    if not isinstance(array, np.ndarray):
        raise ArgumentError(
            f"from_numpy: expected a NumPy array, got {type(array).__name__}; "
            "use tl.tensor for other data"
        )
    return wrap(_native(array), resolve("cpu"))


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-d tensor over an object with the buffer protocol (bytes, bytearray, memoryview...).

    >>> import tensorlite as tl
    >>> tl.frombuffer(bytearray(b"abc"), dtype=tl.uint8)
    tensor([97, 98, 99], dtype=tensorlite.uint8)
    """
    _refuse_grad(requires_grad)
    kind = dtypes.to_dtype(dtype).numpy
    try:
        return from_numpy(np.frombuffer(buffer, kind, count, offset))
    except (ValueError, BufferError) as error:
        raise ShapeError(f"frombuffer: {error} (itemsize {kind.itemsize})") from error


def from_dlpack(source: Any) -> Tensor:
    """A tensor over the memory of another library's (PyTorch, CuPy, JAX, NumPy); no copy."""
    from .interop import from_dlpack as take

    return take(source)


def _array_of(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """A NumPy array of the data in a dtype of ours, the data's own memory where it can be."""
    wanted = None if dtype is None else dtypes.to_dtype(dtype)
    if isinstance(data, np.ndarray | np.generic):
        array = _native(np.asarray(data))
    else:
        array = _from_python(data)
        if wanted is None and array.dtype == np.float64 and not _is_numpy(data):
            wanted = dtypes.get_default_dtype()
        if wanted is None and array.dtype == np.complex128 and not _is_numpy(data):
            wanted = dtypes.get_default_dtype().to_complex()
    if wanted is not None and array.dtype != wanted.numpy:
        with np.errstate(all="ignore"):
            array = (array.real if array.dtype.kind == "c" != wanted.kind else array).astype(
                wanted.numpy
            )
    return array


def _from_python(data: Any) -> np.ndarray[Any, Any]:
    if not isinstance(data, str | bytes | int | float) and hasattr(data, "__array_interface__"):
        return _native(np.asarray(data))
    if isinstance(data, bytearray | memoryview):
        return np.asarray(data)
    try:
        array = np.array(_unwrapped(data))
    except ValueError as error:
        raise ShapeError(f"tensor: expected lists of equal lengths ({error})") from error
    except OverflowError as error:
        raise DTypeError(f"tensor: {error}") from error
    if array.dtype == object:
        raise DTypeError("tensor: expected numbers up to 64 bits; got something else among them")
    if array.dtype.kind in "SUmM":
        raise DTypeError(f"tensor: expected numbers, got {type(data).__name__} with strings")
    if array.size == 0 and not isinstance(data, np.ndarray):
        array = array.astype(np.float64)
    if array.dtype == np.uint64 and not _is_numpy(data):
        raise DTypeError("tensor: an integer above int64; pass dtype=tl.uint64 and a NumPy array")
    return array


def _unwrapped(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.numpy(force=True)
    if isinstance(data, list | tuple):
        return [_unwrapped(item) for item in data]
    if isinstance(data, range):
        return list(data)
    return data


def _is_numpy(data: Any) -> bool:
    """Whether the first leaf of nested lists comes from NumPy or a tensor, with its own dtype."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic | Tensor)


def _native(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array, in this machine's byte order, if its dtype is one of ours."""
    if array.dtype == object:
        raise DTypeError("expected an array of numbers, got one of Python objects")
    dtypes.from_numpy(array.dtype)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
