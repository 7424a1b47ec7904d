"""What happens between calling an operator and its body: unwrap, promote, choose, run, wrap.

The order, for an operator over arrays:

1. tensors among the arguments (in lists and tuples too) give their arrays and one device;
2. the parameters that the operator names are promoted to one dtype;
3. 16-bit floats become float32 where the operator asks for it;
4. the device's first kernel that takes the arguments runs, else the reference body;
5. arrays in the result become tensors on that device; ``out=`` is filled if given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..devices.base import Device, promote_devices, resolve
from ..devices.kernels import KERNELS, Kernel, choose
from ..dtypes import dtype as Dtype
from ..errors import (
    ArgumentError,
    AutogradError,
    DeviceMismatchError,
    DTypeError,
    ShapeError,
    TensorliteError,
)
from ..tensor import Tensor, wrap
from . import fast
from .explain import RECORDERS, Row, record
from .failure import explained
from .numbers import wrapped as wrapped_number
from .quiet import quiet, restore
from .registry import Op
from .trace import TRACERS, tracing

_NUMBERS = (bool, int, float, complex)
_AS_IT_IS = frozenset([bool, int, float, str, type(None)])
_HALVES = frozenset(d.numpy for d in dtypes.ALL if d.is_half)
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}  # PyTorch takes these spellings too
_FACTORY_ONLY = ("requires_grad", "pin_memory", "layout", "memory_format")


def public(entry: Op) -> Callable[..., Any]:
    """The function that users call, for an operator."""
    fast.declare(entry)
    if entry.fast is not None:
        shape = fast.unary if entry.required < 2 else fast.binary
        call = shape(entry, run if entry.over_arrays else run_composite, Tensor)
    elif entry.over_arrays:

        def call(*args: Any, **kwargs: Any) -> Any:
            return run(entry, args, kwargs)

    else:

        def call(*args: Any, **kwargs: Any) -> Any:
            return run_composite(entry, args, kwargs)

    short = entry.name.rpartition(".")[2]
    call.__name__, call.__qualname__, call.__doc__ = short, short, entry.body.__doc__
    call.__module__ = entry.body.__module__
    call.__wrapped__ = entry  # type: ignore[attr-defined]  # inspect finds the signature there
    return call


def in_place(entry: Op) -> Callable[..., Any]:
    """The function that writes an operator's result into its first tensor."""
    name = f"{entry.name.rpartition('.')[2]}_"

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        result = _any_run(entry, (input, *args), kwargs)
        return write(input, result, name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"In-place form of :func:`{entry.name}`: writes the result into the tensor."
    call.__wrapped__ = entry  # type: ignore[attr-defined]
    return call


def write(target: Any, result: Any, name: str) -> Any:
    """Copies a result into an existing tensor, by PyTorch's rules for in-place operators."""
    tracer = tracing() if TRACERS else None
    if not dtypes.can_cast(result.dtype, target.dtype):
        raise DTypeError(
            f"{name}: the result is {result.dtype.name}, which cannot be stored in a tensor of "
            f"{target.dtype.name}; use the form that returns a new tensor"
        )
    if result.shape != target.shape:
        raise ShapeError(
            f"{name}: the result has shape {tuple(result.shape)}, the tensor written to "
            f"{tuple(target.shape)}"
        )
    if result._device is not target._device:
        promote_devices(target._device, result._device, name)
    if result.dtype is not target.dtype:
        result = result.to(target.dtype)
    if tracer is not None and tracer.rebinds(target, result):
        return target
    target._device.write(target._array, result._array)
    return target


def _renamed(entry: Op, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords, those of NumPy as PyTorch spells them."""
    known = entry.names
    return {k if k in known else _NUMPY_NAMES.get(k, k): v for k, v in kwargs.items()}


def _any_run(entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return (run if entry.over_arrays else run_composite)(entry, args, kwargs)


def run_composite(
    entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any], noted: bool = False
) -> Any:
    """A composite: its body on tensors, unless a device has a kernel for the whole of it."""
    tracer = tracing() if TRACERS and not noted else None
    if tracer is not None:
        return tracer.operator(entry, args, kwargs, run_composite)
    if entry.inplace_at is not None:
        args, kwargs = _without_inplace(entry.inplace_at, args, kwargs)
    if "out" in kwargs:
        out = kwargs.pop("out")
        result = run_composite(entry, args, kwargs)
        return result if out is None else fill(out, result, entry.name)
    if kwargs:
        kwargs = _renamed(entry, kwargs)
    if not noted and any(entry.name in kernels for kernels in KERNELS.values()):
        found = _run_kernel(entry, args, kwargs)
        if found is not NotImplemented:
            return found
    args, kwargs = spread(entry, args, kwargs)
    try:
        return entry.body(*args, **kwargs)
    except TensorliteError:
        raise
    except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError) as error:
        raise explained(entry, args, kwargs, error) from error


def spread(
    entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """``flip(x, dims=(0, 1))`` as ``flip(x, 0, 1)``, for operators that take ``*dims``."""
    if entry.variadic not in kwargs:
        return args, kwargs
    rest = dict(kwargs)
    value = rest.pop(entry.variadic)
    return (*args, *value) if isinstance(value, tuple | list) else (*args, value), rest


def _run_kernel(entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = Call(entry, args, kwargs)
    if call.device is None or entry.name not in KERNELS[call.device.kind]:
        return NotImplemented
    chosen, reasons = choose(call.device.kind, entry.name, call.args, call.kwargs)
    if RECORDERS:
        record(Row.of(entry, call.device, chosen, reasons, call.args))
    return NotImplemented if chosen is None else call.finish(chosen.run)


def run(entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any], noted: bool = False) -> Any:
    """An operator over arrays; ``noted`` if a tracer has seen the call."""
    tracer = tracing() if TRACERS and not noted else None
    if tracer is not None:
        return tracer.operator(entry, args, kwargs, run)
    if entry.inplace_at is not None:
        args, kwargs = _without_inplace(entry.inplace_at, args, kwargs)
    try:
        call = Call(entry, args, kwargs)
        device = call.device
        if device is None:
            if not entry.has_device:
                raise ArgumentError(_no_tensor(entry, args, kwargs))
            device = call.device = resolve(None)
        call.prepare(device)
        chosen: Kernel | None = None
        reasons: list[str] = []
        if device.kind in KERNELS and entry.name in KERNELS[device.kind]:
            chosen, reasons = choose(device.kind, entry.name, call.args, call.kwargs)
        if RECORDERS:
            record(Row.of(entry, device, chosen, reasons, call.args))
        if chosen is not None:
            return call.finish(chosen.run)
        if device.xp is None:
            return call.finish_on_host(entry.body)
        return call.finish(entry.body, device.xp)
    except TensorliteError:
        raise
    except (ValueError, TypeError, IndexError, ArithmeticError, AttributeError) as error:
        raise explained(entry, args, kwargs, error) from error


def _without_inplace(position: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``inplace=True``, always the last argument, as ``out=`` the first."""
    kwargs = dict(kwargs)
    wanted = kwargs.pop("inplace", False)
    if len(args) == position + 1:
        *args, wanted = args  # type: ignore[assignment]
    if wanted:
        kwargs["out"] = args[0] if args else kwargs["input"]
    return tuple(args), kwargs


def fill(out: Any, result: Any, name: str) -> Any:
    """Stores a result in ``out=``; an empty tensor takes the result's shape."""
    if isinstance(out, tuple | list):
        for target, value in zip(out, result, strict=True):
            fill(target, value, name)
        return out
    if out.shape != result.shape and out.numel() == 0:
        if not dtypes.can_cast(result.dtype, out.dtype):
            write(out, result, name)
        out._array = result.to(out.dtype, copy=True)._array
        return out
    return write(out, result, f"{name}(out=)")


def _no_tensor(entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    came = ", ".join(type(a).__name__ for a in (*args, *kwargs.values())) or "nothing"
    return f"{entry.name}: expected a Tensor, got {came}; make one with tl.tensor(...)"


class Call:
    """One call of an operator: its arguments as arrays, its device and its dtypes."""

    __slots__ = ("entry", "args", "kwargs", "device", "out", "rounds_to")

    def __init__(self, entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.entry = entry
        self.device: Device | None = None
        self.rounds_to: np.dtype[Any] | None = None
        self.out = None
        if kwargs:
            args, kwargs = spread(entry, args, _renamed(entry, kwargs))
            self.out = kwargs.pop("out", None)
            if entry.has_device:
                for key in _FACTORY_ONLY:
                    if key not in entry.names and kwargs.pop(key, None) and key == "requires_grad":
                        raise AutogradError(
                            f"{entry.name}: requires_grad=True; tensorlite is for inference and "
                            "has no autograd"
                        )
                if kwargs.get("device") is not None:
                    self.device = resolve(kwargs["device"])
            if kwargs.get("dtype") is not None:
                kwargs["dtype"] = dtypes.to_dtype(kwargs["dtype"])
        asked = self.device
        try:
            self.args = tuple([a if type(a) in _AS_IT_IS else self._unwrap(a) for a in args])
            self.kwargs = {key: self._unwrap(value) for key, value in kwargs.items()}
        except DeviceMismatchError:  # unless it was only for 0-d tensors that came first
            self.device = _foreign(args)
            if self.device is None:
                raise
            self.args = tuple([self._unwrap(a) for a in args])
            self.kwargs = {key: self._unwrap(value) for key, value in kwargs.items()}
        if asked is not None:
            self.device = asked
        if entry.has_dtype and "dtype" in entry.positions:
            self._positional_dtype(entry.positions["dtype"])

    def _positional_dtype(self, position: int) -> None:
        if len(self.args) > position and self.args[position] is not None:
            args = list(self.args)
            args[position] = dtypes.to_dtype(args[position])
            self.args = tuple(args)

    def _unwrap(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            device = value._device
            if self.device is None:
                self.device = device
            elif device is not self.device:
                if value._array.ndim == 0 and device.host and not self.device.host:
                    return self.device.from_host(value._array)
                self.device = promote_devices(self.device, device, self.entry.name)
            return value._array
        kind = type(value)
        if kind is tuple or kind is list:
            return kind([self._unwrap(v) for v in value])
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return kind(*[self._unwrap(v) for v in value])
        if kind is np.ndarray:
            dtypes.from_numpy(value.dtype)
            return value
        if isinstance(value, np.generic):
            return value.item()
        return value

    def prepare(self, device: Device) -> None:
        """Promotes and upcasts the arrays among the arguments."""
        entry = self.entry
        if entry.promote:
            self._promote(device)
        if entry.upcast:
            self._upcast()

    def _slots(self) -> list[tuple[Any, Any]]:
        """(key, value) of the promoted parameters that were given; a key is a place or a name."""
        found: list[tuple[Any, Any]] = []
        for name in self.entry.promote:
            position = self.entry.positions.get(name, len(self.args))
            if position < len(self.args):
                found.append((position, self.args[position]))
            elif name in self.kwargs:
                found.append((name, self.kwargs[name]))
        return found

    def _promote(self, device: Device) -> None:
        slots = [slot for slot in self._slots() if slot[1] is not None]
        if not slots:
            return
        target = result_type([value for _, value in slots])
        if self.entry.floating and not (target.is_floating_point or target.is_complex):
            target = dtypes.get_default_dtype()
        args = list(self.args)
        for key, value in slots:
            value = cast(value, target.numpy, device)
            if isinstance(key, int):
                args[key] = value
            else:
                self.kwargs[key] = value
        self.args = tuple(args)

    def _upcast(self) -> None:
        if not any([_is_half(v) for v in (*self.args, *self.kwargs.values())]):
            return
        self.args = tuple([self._widened(v) for v in self.args])
        self.kwargs = {key: self._widened(v) for key, v in self.kwargs.items()}
        given = self.kwargs.get("dtype")
        if "dtype" in self.entry.positions and len(self.args) > self.entry.positions["dtype"]:
            given = self.args[self.entry.positions["dtype"]]
        if given is not None:
            self.rounds_to = None

    def _widened(self, value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)([self._widened(v) for v in value]) if value else value
        if _is_half(value):
            if self.rounds_to is None:
                self.rounds_to = value.dtype
            return value.astype(np.float32)
        return value

    def finish(self, body: Callable[..., Any], *namespace: Any) -> Any:
        """Runs a body and gives its result as tensors."""
        token = quiet()
        try:
            result = body(*namespace, *self.args, **self.kwargs)
            if self.rounds_to is not None:
                result = _rounded(result, self.rounds_to)
        finally:
            restore(token)
        assert self.device is not None
        tensors = wrapped(result, self.device)
        return tensors if self.out is None else fill(self.out, tensors, self.entry.name)

    def finish_on_host(self, body: Callable[..., Any]) -> Any:
        """Runs the reference on copies in host memory, for a device without an array namespace."""
        device = self.device
        assert device is not None
        given = self.args
        self.args = tuple([_to_host(v, device) for v in given])
        self.kwargs = {key: _to_host(v, device) for key, v in self.kwargs.items()}
        if self.entry.writes:
            self.args = (self.args[0].copy(), *self.args[1:])  # it may be read-only
        out, self.out = self.out, None
        self.device = resolve("cpu")
        result = _to_device(self.finish(body, np), device)
        if self.entry.writes:
            device.write(given[0], device.from_host(self.args[0]))
        return result if out is None else fill(out, result, self.entry.name)


def _foreign(args: tuple[Any, ...]) -> Device | None:
    """The device of the first tensor that is not in host memory, or None."""
    places = (a._device for a in args if isinstance(a, Tensor) and not a._device.host)
    return next(places, None)


def result_type(values: list[Any]) -> Dtype:
    """The promoted dtype of arrays, Python numbers and lists of arrays."""
    dims = zeros = numbers = None
    for value in values:
        if value is None:
            continue
        if isinstance(value, _NUMBERS):
            found = dtypes.of_number(value)
            numbers = found if numbers is None else dtypes.promote_types(numbers, found)
        elif isinstance(value, list | tuple):
            for item in value:
                found = dtypes.from_numpy(item.dtype)
                dims = found if dims is None else dtypes.promote_types(dims, found)
        elif not hasattr(value, "dtype"):
            raise TypeError(f"expected a Tensor or a number, got {type(value).__name__}")
        elif value.ndim:
            found = dtypes.from_numpy(value.dtype)
            dims = found if dims is None else dtypes.promote_types(dims, found)
        else:
            found = dtypes.from_numpy(value.dtype)
            zeros = found if zeros is None else dtypes.promote_types(zeros, found)
    return dtypes.result_of(dims, zeros, numbers)


def cast(value: Any, target: np.dtype[Any], device: Device) -> Any:
    """An array or number in a dtype; numbers become 0-d arrays of the device."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return type(value)([cast(item, target, device) for item in value])
    if not isinstance(value, _NUMBERS):
        return value if value.dtype is target else astype(value, target)
    if device.host:
        return fast.constant(value, target)
    return device.from_host(wrapped_number(value, target))


def astype(array: Any, target: np.dtype[Any]) -> Any:
    """``array.astype`` without the complex warning; equal dtypes copy nothing."""
    if array.dtype == target:
        return array
    if array.dtype.kind == "c" and target.kind != "c":
        array = array.real
    return array.astype(target)


def _is_half(value: Any) -> bool:
    if type(value) in _AS_IT_IS:
        return False
    if isinstance(value, tuple | list):
        return any(type(v) is not int and _is_half(v) for v in value)
    return getattr(value, "dtype", None) in _HALVES


def _rounded(value: Any, target: np.dtype[Any]) -> Any:
    if isinstance(value, tuple | list):
        items = [_rounded(v, target) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if getattr(value, "dtype", None) == np.float32:
        return value.astype(target)
    return value


def wrapped(value: Any, device: Device) -> Any:
    """The arrays in a result as tensors; numbers, None and the like stay as they are."""
    if isinstance(value, np.ndarray):
        return wrap(value, device)
    if isinstance(value, np.generic):
        return wrap(np.asarray(value), device)
    if isinstance(value, tuple | list):
        items = [wrapped(v, device) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return wrap(value, device)
    return value


def _to_host(value: Any, device: Device) -> Any:
    if isinstance(value, tuple | list):
        return type(value)([_to_host(v, device) for v in value])
    foreign = hasattr(value, "dtype") and hasattr(value, "shape")
    return device.to_host(value) if foreign and not isinstance(value, np.ndarray) else value


def _to_device(value: Any, device: Device) -> Any:
    if isinstance(value, tuple | list):
        items = [_to_device(v, device) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return wrap(device.from_host(value._array), device) if isinstance(value, Tensor) else value
