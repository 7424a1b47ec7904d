"""The Tensor: an array, the device it lives on, and PyTorch's interface over both.

What every tensor must know of itself is here. The operators (``x.relu()``, ``x.sum()``...) are
declared in :mod:`tensorlite.ops` and attached when tensorlite is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .devices.base import Device, resolve
from .dtypes import dtype as Dtype
from .errors import (
    ArgumentError,
    AutogradError,
    DeviceMismatchError,
    OperatorError,
    ShapeError,
)
from .size import Size


class Tensor:
    """An n-dimensional array of one dtype on one device.

    Made by ``tl.tensor``, ``tl.zeros``, ``tl.from_numpy``...; ``Tensor(data)`` makes one of the
    default float dtype, ``Tensor(2, 3)`` one of that shape, as in PyTorch.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x @ x.T + 1
    tensor([[ 6., 12.],
            [12., 26.]])
    """

    __slots__ = ("_array", "_device", "__weakref__")
    __array_priority__ = 1000  # NumPy arrays leave mixed arithmetic to Tensor
    _array: Any
    _device: Device

    def __init__(self, *data: Any, device: Any = None) -> None:
        from .construct import tensor

        if len(data) == 1 and not isinstance(data[0], int):
            made = tensor(data[0], dtype=dtypes.get_default_dtype(), device=device)
        else:
            sizes = data[0] if len(data) == 1 and isinstance(data[0], Size) else data
            made = wrap(np.zeros(sizes, dtypes.get_default_dtype().numpy), resolve("cpu"))
            made = made.to(resolve(device))
        self._array, self._device = made._array, made._device

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]

    # What it is

    @property
    def dtype(self) -> Dtype:
        """The kind of its elements."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def device(self) -> Device:
        """Where it lives."""
        return self._device

    @property
    def shape(self) -> Size:
        """Its sizes."""
        return Size(self._array.shape)

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return int(self._array.ndim)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self._array.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self._array.size * self._array.itemsize)

    @property
    def is_cuda(self) -> bool:
        """Whether it lives on a CUDA GPU."""
        return self._device.kind == "cuda"

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return self.permute(tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        return self.transpose(-2, -1)

    @property
    def H(self) -> Tensor:
        """The conjugate transpose of a matrix."""
        return self.adjoint() if self.ndim else self

    mH = property(lambda self: self.adjoint(), doc="The conjugate transpose of matrices.")

    is_cpu = property(lambda self: self._device.host, doc="Whether it lives in host memory.")
    is_sparse = is_quantized = is_nested = is_meta = is_mkldnn = is_mps = False
    layout = "strided"

    def size(self, dim: int | None = None) -> Any:
        """Its sizes, or the size of one dimension."""
        return self.shape if dim is None else self._array.shape[self._dim(dim)]

    def dim(self) -> int:
        """How many dimensions it has."""
        return int(self._array.ndim)

    ndimension = dim

    def numel(self) -> int:
        """How many elements it has."""
        return int(self._array.size)

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return int(self._array.itemsize)

    def stride(self, dim: int | None = None) -> Any:
        """The step between neighbours along each dimension (or one), in elements."""
        strides = tuple(s // self._array.itemsize for s in self._array.strides)
        return strides if dim is None else strides[self._dim(dim)]

    def storage_offset(self) -> int:
        """Where its first element lies in its storage, in elements."""
        base = self._array
        while isinstance(getattr(base, "base", None), type(self._array)):
            base = base.base
        return int((self.data_ptr() - wrap(base, self._device).data_ptr()) // self._array.itemsize)

    def data_ptr(self) -> int:
        """The address of its first element."""
        if self._device.host:
            return int(self._array.ctypes.data)
        address = getattr(getattr(self._array, "data", None), "ptr", None)
        if address is None:
            raise OperatorError(f"data_ptr: {self._device} does not say where its arrays lie")
        return int(address)

    def is_floating_point(self) -> bool:
        """Whether its dtype is a float."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether its dtype is complex."""
        return self.dtype.is_complex

    def is_signed(self) -> bool:
        """Whether its dtype has negative numbers."""
        return self.dtype.is_signed

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether its elements lie one after another (in the order of ``memory_format``)."""
        array, expected = self._array, self._array.itemsize
        order = list(range(array.ndim))
        if str(memory_format).endswith("channels_last") and array.ndim == 4:
            order = [0, 2, 3, 1]
        for dim in reversed(order):
            if array.shape[dim] != 1 and array.strides[dim] != expected:
                return array.size == 0
            expected *= array.shape[dim]
        return True

    def get_device(self) -> int:
        """The index of its GPU, or -1."""
        return -1 if self._device.index is None else self._device.index

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape; see :func:`tensorlite.reshape`."""
        device = self._device
        if device.fast:
            try:
                array = self._array.reshape(*shape)
            except (TypeError, ValueError):
                pass  # the operator says what is wrong
            else:
                result = new(Tensor)
                result._array = array
                result._device = device
                return result
        from .ops.shape import reshape

        return reshape(self, *shape)

    def _dim(self, dim: int) -> int:
        from .ops.dims import normalize_dim

        return normalize_dim(dim, self._array.ndim, "size")

    # Out of tensorlite

    def item(self) -> Any:
        """The Python number of a tensor with one element."""
        if self._array.size != 1:
            raise ShapeError(
                f"item: expected a tensor with one element, got shape {tuple(self.shape)}; "
                "use tolist() for all of them"
            )
        value = self._host().reshape(()).item()
        return value if isinstance(value, bool | int | float | complex) else self._plain().item()

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self._plain().tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray[Any, Any]:
        """Its elements as a NumPy array that shares its memory (bfloat16 as ml_dtypes')."""
        if not self._device.host and not force:
            raise DeviceMismatchError(
                f"numpy: expected a tensor in host memory, got one on {self._device}; "
                "use x.cpu().numpy()"
            )
        return self._host()

    def _host(self) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = (
            self._array if self._device.host else self._device.to_host(self._array)
        )
        return found

    def _plain(self) -> np.ndarray[Any, Any]:
        """The elements in a dtype that NumPy itself knows."""
        array = self._host()
        if self.dtype.native:
            return array
        return array.astype(np.float32 if self.dtype.is_floating_point else np.int8)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                raise ValueError("a view cannot have another dtype; leave out copy=False")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from .interop import numpy_ufunc

        return numpy_ufunc(ufunc, method, inputs, kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        from .interop import to_dlpack

        return to_dlpack(self, **kwargs)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    # To other dtypes and devices

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """This tensor in another dtype and/or on another device; itself if nothing changes.

        ``x.to(tl.float16)``, ``x.to("numba")``, ``x.to("cuda", tl.float16)``, ``x.to(other)``,
        ``copy=True`` to have a copy in any case.

        >>> import tensorlite as tl
        >>> tl.tensor([1, 2]).to(tl.float32)
        tensor([1., 2.])
        """
        from .convert import to

        return to(self, *args, **kwargs)

    def cpu(self) -> Tensor:
        """This tensor on the cpu device."""
        return self.to(resolve("cpu"))

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Tensor:
        """This tensor on a CUDA GPU."""
        if device is None:
            return self.to(resolve("cuda"))
        return self.to(resolve(f"cuda:{device}" if isinstance(device, int) else device))

    def type(self, dtype: Any = None) -> Any:
        """The name of its type, or this tensor in another dtype."""
        return f"tensorlite.{self.dtype.name}" if dtype is None else self.to(dtypes.to_dtype(dtype))

    def contiguous(self, memory_format: Any = None) -> Tensor:
        """This tensor with its elements one after another; itself if they are."""
        if self.is_contiguous(memory_format):
            return self
        if self._device.xp is None:
            return wrap(self._device.from_host(self._host().copy(order="C")), self._device)
        if str(memory_format).endswith("channels_last"):
            order = self._array.transpose(0, 2, 3, 1).copy(order="C")
            return wrap(order.transpose(0, 3, 1, 2), self._device)
        copied: Tensor = self.clone(memory_format="contiguous_format")
        return copied

    # PyTorch code for inference says these; they do nothing here, or say that they cannot

    requires_grad = property(lambda self: False, lambda self, value: _refuse_grad(value))
    grad = grad_fn = None
    is_leaf = True
    is_inference = staticmethod(lambda: True)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Itself for False; AutogradError for True."""
        _refuse_grad(requires_grad)
        return self

    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Always AutogradError: there are no gradients."""
        raise AutogradError("backward: tensorlite is for inference and has no autograd")

    def detach(self) -> Tensor:
        """A tensor that shares this one's memory."""
        return wrap(self._array, self._device)

    data = property(detach, doc="A tensor that shares this one's memory.")

    def detach_(self) -> Tensor:
        """Itself."""
        return self

    # Python's own protocols

    def __repr__(self) -> str:
        from .printing import text

        return text(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 else format(str(self), spec)

    def __len__(self) -> int:
        if not self._array.ndim:
            raise ArgumentError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise ArgumentError("iteration over a 0-d tensor; use item() for its number")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise ShapeError(
                f"bool: a tensor of shape {tuple(self.shape)} is neither true nor false; "
                "use any() or all()"
            )
        return bool(self._array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "uib" or self._array.size != 1:
            raise ArgumentError(
                f"only an integer tensor with one element is an index, got {self.dtype.name} "
                f"{tuple(self.shape)}"
            )
        return int(self.item())

    def __hash__(self) -> int:
        return id(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._host(), str(self._device))

    def __copy__(self) -> Tensor:
        return _like(type(self), self._array, self._device)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied = _like(type(self), self._device.copy(self._array), self._device)
        memo[id(self)] = copied
        return copied

    def __getitem__(self, index: Any) -> Tensor:
        kind = type(index)
        if (kind is slice and index.step is None) or kind is int:
            array, device = self._array, self._device
            if device.fast and array.ndim and (kind is slice or -len(array) <= index < len(array)):
                result = new(Tensor)
                result._array = array[index] if kind is slice else array[index, ...]
                result._device = device
                return result
        from .ops.indexing import getitem, moved

        return getitem(self, index if self._device.host else moved(index, self._device))

    def __setitem__(self, index: Any, value: Any) -> None:
        from .ops.indexing import moved, setitem

        setitem(self, index if self._device.host else moved(index, self._device), value)

    def __dir__(self) -> list[str]:
        return sorted(name for name in dir(type(self)) if not name.startswith("__"))


new = Tensor.__new__


def wrap(array: Any, device: Device) -> Tensor:
    """The Tensor over a device's array; nothing is copied or checked."""
    result = new(Tensor)
    result._array = array
    result._device = device
    return result


def _like(cls: type[Tensor], array: Any, device: Device) -> Tensor:
    result = cls.__new__(cls)
    result._array = array
    result._device = device
    return result


def _rebuild(cls: type[Tensor], array: np.ndarray[Any, Any], device: str) -> Tensor:
    place = resolve(device)
    return _like(cls, place.from_host(array), place)


def _refuse_grad(value: Any) -> None:
    if value:
        raise AutogradError("requires_grad: tensorlite is for inference and has no autograd")


_DUNDERS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}  # fmt: skip
_UNARY = {"neg": "neg", "pos": "positive", "abs": "abs", "invert": "bitwise_not"}
_COMPARISONS = {name: name for name in ("lt", "le", "gt", "ge", "eq", "ne")}


def attach(methods: dict[str, Any]) -> None:
    """Gives Tensor its operators: methods, and Python's operators over them."""
    for name, function in methods.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, function)
    for dunder, name in {**_DUNDERS, **_UNARY}.items():
        if name in methods:
            setattr(Tensor, f"__{dunder}__", _operator(methods[name]))
    for dunder, name in _DUNDERS.items():
        if name in methods:
            setattr(Tensor, f"__r{dunder}__", _reflected(_operator(methods[name])))
        if f"{name}_" in methods:
            setattr(Tensor, f"__i{dunder}__", methods[f"{name}_"])
    for dunder, name in _COMPARISONS.items():
        if name in methods:
            setattr(Tensor, f"__{dunder}__", _comparison(_operator(methods[name]), dunder))
    Tensor.__hash__ = lambda self: id(self)  # type: ignore[method-assign]


def _operator(function: Any) -> Any:
    """The form of a function that takes its operands only, where it has one."""
    return getattr(function, "operator", function)


def _reflected(function: Any) -> Any:
    def method(self: Tensor, other: Any) -> Any:
        return function(other, self)

    return method


def _comparison(function: Any, dunder: str) -> Any:
    if dunder not in ("eq", "ne"):
        return function

    def method(self: Tensor, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        return function(self, other)

    return method
