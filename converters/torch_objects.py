"""What the names in a PyTorch file stand for: storages, tensors, NumPy values; all inert.

Sources: ``torch/_utils.py`` (the ``_rebuild_*`` functions and their arguments) and PyTorch's page
"Serialization semantics"; NumPy's ``ndarray.__reduce__``.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from .. import errors
from . import binary
from .torch_pickle import PLAIN, Function

_STORAGES: dict[str, Any] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "ByteStorage": np.uint8,
    "CharStorage": np.int8,
    "ShortStorage": np.int16,
    "IntStorage": np.int32,
    "LongStorage": np.int64,
    "BoolStorage": np.bool_,
    "ComplexFloatStorage": np.complex64,
    "ComplexDoubleStorage": np.complex128,
    "UntypedStorage": np.uint8,
    "_UntypedStorage": np.uint8,
}
_DTYPES: dict[str, Any] = {
    name: getattr(np, name, None) or getattr(ml_dtypes, name)
    for name in (
        "uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64 complex64 "
        "complex128 bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz "
        "float8_e8m0fnu"
    ).split()
} | {"bool": np.bool_}
# Kinds of tensors that PyTorch writes and that have no counterpart here, by what names them.
_QUANTISED = "a quantised tensor; save x.dequantize(), or x.int_repr() with its scale"
_UNREADABLE = {
    "_rebuild_qtensor": _QUANTISED,
    "torch.QInt": _QUANTISED,
    "torch.QUInt": _QUANTISED,
    "torch.qint": _QUANTISED,
    "torch.quint": _QUANTISED,
    "_rebuild_sparse": "a sparse tensor; save x.to_dense()",
    "_rebuild_nested": "a nested tensor; save its parts, x.unbind()",
    "_rebuild_meta": "a tensor on the meta device, which has no values",
    "_rebuild_wrapper_subclass": "a tensor subclass of its own; save the plain tensors in it",
    "_rebuild_device_tensor": "a tensor of a special device; save x.cpu()",
    "torch.storage._load_from_bytes": "tensors that pickle.dump wrote; write them with torch.save",
    "torch.complex32": "half-precision complex numbers; save x.to(torch.complex64)",
    "ComplexHalfStorage": "half-precision complex numbers; save x.to(torch.complex64)",
}
_NUMPY_DTYPES = "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()
_MAX_DIMENSIONS = 64  # NumPy's


class Storage:
    """The bytes under one or several tensors, in the file's byte order."""

    def __init__(self, raw: binary.Bytes, byteorder: str = "little") -> None:
        self.raw = raw
        self.byteorder = byteorder
        self._views: dict[np.dtype[Any], binary.Array] = {}

    def typed(self, dtype: np.dtype[Any]) -> binary.Array:
        """The whole as a 1-D array; the same memory each time, so that tensors share it."""
        if dtype not in self._views:
            self._views[dtype] = binary.as_dtype(self.raw, dtype, self.byteorder)
        return self._views[dtype]


@dataclass(frozen=True)
class StorageType:
    """A class such as ``torch.FloatStorage``, of which only the dtype is known."""

    name: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class TypedStorage:
    """A storage as the pickle refers to it: the bytes, and what they hold."""

    storage: Storage
    dtype: np.dtype[Any]

    def __repr__(self) -> str:
        return f"TypedStorage({self.storage.raw.size} bytes, {self.dtype})"


class NumpyDType:
    """A NumPy dtype that is being read: the byte order comes after the kind."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code)

    def __repr__(self) -> str:
        return f"numpy.dtype({self.dtype.str!r})"


class TorchObjects:
    """The table of names for one file.

    ``storage`` gives the Storage for (key, dtype, number of bytes, slice of its bytes or None);
    ``tensor`` and ``dtype`` make the reader's own objects of arrays and NumPy dtypes.
    """

    def __init__(
        self,
        storage: Callable[[str, np.dtype[Any], int, slice | None], Storage],
        tensor: Callable[[binary.Array], Any],
        dtype: Callable[[np.dtype[Any]], Any],
    ) -> None:
        self.storage = storage
        self.tensor = tensor
        self.arrays: dict[int, binary.Array] = {}
        self.dtypes = {name: (dtype(np.dtype(kind)), kind) for name, kind in _DTYPES.items()}
        self.names = self._names()

    def _names(self) -> dict[str, Any]:
        functions: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self._rebuild,
            "torch._utils._rebuild_tensor_v2": self._rebuild_v2,
            "torch._utils._rebuild_tensor_v3": self._rebuild_v3,
            "torch._utils._rebuild_parameter": lambda data, grad, hooks: data,
            "torch._utils._rebuild_parameter_with_state": lambda data, grad, hooks, state: data,
            "torch._tensor._rebuild_from_type_v2": self._rebuild_from_type,
            "torch.tensor._rebuild_from_type_v2": self._rebuild_from_type,
            "torch._tensor._rebuild_from_type": self._rebuild_from_type,
            "torch.nn.parameter.Parameter": lambda data, grad=True: data,
            "torch.nn.parameter.Buffer": lambda data, persistent=True: data,
            "torch.Tensor": _no_call,
            "torch._tensor.Tensor": _no_call,
            "torch.Size": _size,
            "torch.device": _device,
            "numpy.dtype": _numpy_dtype,
            "numpy.ndarray": _no_call,
        }
        for core in ("numpy.core", "numpy._core"):
            functions[f"{core}.multiarray.scalar"] = _numpy_scalar
            functions[f"{core}.multiarray._reconstruct"] = self._numpy_array
        names: dict[str, Any] = {name: Function(name, call) for name, call in functions.items()}
        for name, kind in _STORAGES.items():
            for module in ("torch", "torch.cuda", "torch.storage"):
                names[f"{module}.{name}"] = StorageType(name, np.dtype(kind))
        names |= {f"torch.{name}": own for name, (own, _) in self.dtypes.items()}
        return names | dict(PLAIN)

    def find(self, name: str) -> Any:
        """The stand-in for a dotted name.

        Raises UnsafeFileError for any other name, FileFormatError for tensors that are known but
        not read (quantised, sparse).
        """
        if name in self.names:
            return self.names[name]
        for part, what in _UNREADABLE.items():
            if name.startswith("torch.") and part in name:
                raise errors.FileFormatError(f"it holds {what} ('{name[:200]}')")
        raise errors.UnsafeFileError(
            f"refused: it asks for {name[:200]!r}; only tensors and plain containers are read. "
            "Save it as a state_dict, torch.save(model.state_dict(), path), or as safetensors"
        )

    def persistent(self, key: object) -> TypedStorage:
        """The storage of ``("storage", type, key, location, elements[, view])``; the location,
        where the tensor was when it was saved, does not matter.
        """
        if type(key) is not tuple or len(key) not in (5, 6) or not _is_word(key[0], "storage"):
            raise errors.FileFormatError("it refers to something outside that is no storage")
        _, kind, name, _, elements = key[:5]
        if not isinstance(kind, StorageType) or type(name) not in (str, int):
            raise errors.FileFormatError("a storage without a known type and key")
        if not _is_count(elements):
            raise errors.FileFormatError("a storage whose length is no number of elements")
        size = elements * kind.dtype.itemsize
        view = key[5] if len(key) == 6 else None
        if view is not None:
            if type(view) is not tuple or len(view) != 3 or not all(map(_is_count, view[1:])):
                raise errors.FileFormatError("a view of a storage without an offset and a length")
            start = view[1] * kind.dtype.itemsize
            view = slice(start, start + view[2] * kind.dtype.itemsize)
        storage = self.storage(str(name)[:200], kind.dtype, size, view)
        return TypedStorage(storage, kind.dtype)

    def build(self, target: object, state: object) -> None:
        """Gives an object its state: names of a state_dict's modules, a NumPy value's content."""
        if type(target) is OrderedDict:
            # PyTorch sets any attribute; only this one is ever read, and others hide methods.
            if type(state) is dict and isinstance(state.get("_metadata"), dict):
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif isinstance(target, NumpyDType):
            if type(state) is not tuple or len(state) < 2 or not _is_word(state[1], *"<>|="):
                raise errors.FileFormatError("a NumPy dtype of an unknown form")
            target.dtype = target.dtype.newbyteorder(state[1])
        elif id(target) in self.arrays:
            _fill(self.arrays[id(target)], state)
        else:
            raise errors.FileFormatError(f"it sets the state of a {type(target).__name__}")

    def _rebuild(self, storage: object, offset: object, size: object, stride: object) -> Any:
        if not isinstance(storage, TypedStorage):
            raise TypeError("expected a storage")
        return self.tensor(strided(storage.storage, storage.dtype, offset, size, stride))

    def _rebuild_v2(
        self, storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any,
        metadata: Any = None,
    ) -> Any:  # fmt: skip
        _refuse_lazy(metadata)
        return self._rebuild(storage, offset, size, stride)

    def _rebuild_v3(
        self, storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any,
        dtype: Any, metadata: Any = None,
    ) -> Any:  # fmt: skip
        _refuse_lazy(metadata)
        # PyTorch writes bool with a storage of its own, which is where its bytes are checked.
        kinds = [np.dtype(kind) for own, kind in self.dtypes.values() if own is dtype]
        if not kinds or kinds[0] == np.bool_ or not isinstance(storage, TypedStorage):
            raise TypeError("expected a storage and a dtype")
        return self.tensor(strided(storage.storage, kinds[0], offset, size, stride))

    def _rebuild_from_type(self, function: Any, kind: Any, arguments: Any, state: Any) -> Any:
        # The class and the attributes that someone gave the tensor are dropped.
        if not isinstance(function, Function) or "_utils._rebuild" not in function.name:
            raise TypeError("expected a function that rebuilds a tensor")
        if type(arguments) is not tuple:
            raise TypeError("expected its arguments as a tuple")
        return function.call(*arguments)

    def _numpy_array(self, kind: Any, shape: Any, code: Any) -> binary.Array:
        array: binary.Array = np.empty(0, np.uint8)
        self.arrays[id(array)] = array
        return array


def strided(
    storage: Storage, dtype: np.dtype[Any], offset: Any, size: Any, stride: Any
) -> binary.Array:
    """The elements at ``offset + sum(index * stride)`` of a storage, as a view of its memory.

    Raises FileFormatError where any of them would lie outside of it.
    """
    if type(size) not in (tuple, list) or type(stride) not in (tuple, list):
        raise TypeError("expected sizes and strides as tuples")
    if len(size) != len(stride) or len(size) > _MAX_DIMENSIONS:
        raise errors.FileFormatError(
            f"a tensor of {len(size)} sizes and {len(stride)} strides (at most {_MAX_DIMENSIONS})"
        )
    if not all(map(_is_count, (offset, *size, *stride))):
        raise errors.FileFormatError("a tensor whose offset, sizes or strides are no counts")
    flat = storage.typed(dtype)
    if 0 in size:
        return np.empty(tuple(size), dtype)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= flat.size:
        raise errors.FileFormatError(
            f"a tensor of shape {tuple(size)}, strides {tuple(stride)} and offset {offset} does "
            f"not fit in its storage of {flat.size} elements"
        )
    if math.prod(size) * dtype.itemsize >= 2**63:
        raise errors.FileFormatError(f"a tensor of shape {tuple(size)} is too large")
    # NumPy checks the bounds once more here; ml_dtypes are no buffers, so it is given the bytes.
    return np.ndarray(
        tuple(size),
        dtype,
        buffer=flat.view(np.uint8),
        offset=offset * dtype.itemsize,
        strides=tuple(step * dtype.itemsize for step in stride),
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _is_word(value: object, *words: str) -> bool:
    # Python 2 wrote its texts as bytes; arrays and the like must not reach a comparison.
    return (type(value) is str and value in words) or (
        type(value) is bytes and value in [word.encode() for word in words]
    )


def _refuse_lazy(metadata: Any) -> None:
    if type(metadata) is dict and metadata:
        raise errors.FileFormatError(
            "a tensor whose conjugation or negation was put off; save "
            "x.resolve_conj().resolve_neg()"
        )


def _no_call(*arguments: object) -> None:
    raise TypeError("it is read only as the type of a saved tensor or array")


def _size(items: Any = ()) -> tuple[int, ...]:
    if type(items) not in (tuple, list) or not all(map(_is_count, items)):
        raise TypeError("expected sizes")
    return tuple(items)


def _device(kind: object, index: object = None) -> str:
    if type(kind) is not str or not (index is None or _is_count(index)):
        raise TypeError("expected a name and an index")
    return kind if index is None else f"{kind}:{index}"


def _numpy_dtype(code: Any, align: object = False, copy: object = True) -> NumpyDType:
    if not _is_word(code, *_NUMPY_DTYPES):
        raise TypeError("only NumPy's plain numbers are read")
    return NumpyDType(code if isinstance(code, str) else code.decode())


def _numpy_scalar(dtype: object, content: object) -> Any:
    if not isinstance(dtype, NumpyDType) or type(content) is not bytes:
        raise TypeError("expected a dtype and bytes")
    if len(content) != dtype.dtype.itemsize:
        raise TypeError(f"expected {dtype.dtype.itemsize} bytes, got {len(content)}")
    return np.frombuffer(content, dtype.dtype)[0]


def _fill(array: binary.Array, state: Any) -> None:
    # In place, as NumPy does it: the memo and the containers hold the array already.
    if type(state) is not tuple or len(state) != 5:
        raise errors.FileFormatError("a NumPy array of an unknown form")
    _, shape, dtype, fortran, content = state
    if type(shape) is not tuple or not all(map(_is_count, shape)) or len(shape) > _MAX_DIMENSIONS:
        raise errors.FileFormatError("a NumPy array without a shape")
    if not isinstance(dtype, NumpyDType) or type(content) is not bytes:
        raise errors.FileFormatError("a NumPy array of something else than plain numbers")
    if math.prod(shape) * dtype.dtype.itemsize != len(content) or type(fortran) is not bool:
        raise errors.FileFormatError(
            f"a NumPy array of shape {shape} and {dtype.dtype} in {len(content)} bytes"
        )
    if dtype.dtype == np.bool_ and content.strip(b"\0\1"):
        raise errors.FileFormatError("a bool array holds bytes other than 0 and 1")
    state = 1, shape, dtype.dtype, fortran, content
    array.__setstate__(state)
