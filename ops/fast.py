"""The short way for small tensors: a dictionary look-up, one NumPy call, one new Tensor.

A general call costs a few microseconds: arguments bound, devices and dtypes promoted, a kernel
chosen. When the arguments are tensors of one dtype and device and no option is given, none of it
can change anything. ``device.fast[operator][dtype]`` is then the function to call on small
arrays, ``LARGE[device.kind, operator, dtype]`` on the others.
:func:`tensorlite.explain` empties the tables while it records, so nothing escapes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..devices import buffers
from ..devices.base import Fast
from ..devices.kernels import KERNELS, choose
from ..dtypes import ALL, bfloat16
from ..dtypes import dtype as Dtype
from .numbers import wrapped
from .registry import Op

FAST: dict[str, dict[np.dtype[Any], Callable[..., Any]]] = {}
LARGE: dict[tuple[str, str, np.dtype[Any]], Callable[..., Any]] = {}
_SMALL = 512  # elements
_CONSTANTS: dict[tuple[Any, type, np.dtype[Any]], Any] = {}

_PLAIN = tuple(d for d in ALL if d.native or d is bfloat16)


def declare(entry: Op) -> None:
    """Notes an operator's fast function."""
    if entry.fast is None:
        return
    of_dtype = entry.fast if isinstance(entry.fast, Mapping) else {}
    FAST[entry.name] = {
        d.numpy: of_dtype.get(d.numpy, entry.fast)
        for d in _PLAIN
        if _letter(d) in entry.fast_kinds or d.kind in entry.fast_kinds
    }


def _letter(dtype: Dtype) -> str:
    """The kind of a dtype, with "F" for floats of 32 bits and more."""
    return "F" if dtype.kind == "f" and not dtype.is_half else dtype.kind


def table(kind: str) -> Fast:
    """The fast functions of a device of host memory, for arrays of fewer than 512 elements.

    What takes their place for larger ones goes into LARGE.
    """
    found: Fast = {}
    for name, functions in FAST.items():
        kernels = KERNELS[kind].get(name)
        least = min(k.min_size for k in kernels) if kernels else 0
        found[name] = {}
        for dtype, function in functions.items():
            whole = _pooled(function)
            if kernels:
                direct = dtype.kind == "f" and dtype.itemsize >= 4
                whole = _chosen(kind, name, least, whole) if direct else _below(least, function)
            found[name][dtype] = function if not kernels or least >= _SMALL else whole
            LARGE[kind, name, dtype] = whole
    return found


def _below(limit: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for arrays below the size of the first kernel, which the general way finds."""

    def small(array: Any, *rest: Any) -> Any:
        return function(array, *rest) if array.size < limit else NotImplemented

    return small


def _chosen(kind: str, name: str, limit: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The first kernel that takes the arrays, else the function."""

    def call(*arrays: Any) -> Any:
        if arrays[0].size < limit:
            return function(*arrays)
        found, _ = choose(kind, name, arrays, _NO_OPTIONS)
        return (function if found is None else found.run)(*arrays)

    return call


_NO_OPTIONS: dict[str, Any] = {}
# NumPy's functions whose result is like their argument, where it is of floats.
_POOLED = frozenset(
    [np.add, np.subtract, np.multiply, np.true_divide, np.maximum, np.minimum, np.negative, np.abs]
    + [np.sqrt, np.square, np.reciprocal, np.exp, np.log, np.tanh, np.floor, np.ceil, np.rint]
)


def _pooled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy whose large results lie in memory of :mod:`..devices.buffers`."""
    if getattr(function, "func", function) not in _POOLED:
        return function

    def call(array: Any, *others: Any) -> Any:
        if array.nbytes < buffers.LEAST or array.dtype.kind != "f":
            return function(array, *others)
        if array.flags.c_contiguous and all(a.ndim == 0 or a.shape == array.shape for a in others):
            return function(array, *others, out=buffers.empty(array.shape, array.dtype))
        return function(array, *others)

    return call


def constant(value: Any, dtype: np.dtype[Any]) -> Any:
    """The 0-d array of a Python number, kept for the next time (zero has a sign, so not kept)."""
    key = (value, type(value), dtype)
    found = _CONSTANTS.get(key)
    if found is None:
        found = wrapped(value, dtype)
        if value:
            if len(_CONSTANTS) > 4096:
                _CONSTANTS.clear()
            _CONSTANTS[key] = found
    return found


# What sends a call the general way, which explains what is wrong, or computes inf and nan quietly.
# Turning NumPy's floating-point warnings off costs a quarter of a small addition, so that is left
# to the general way: a warning (rare) is ignored here, or comes as one of these if it is an error.
_SLOW = (AttributeError, KeyError, TypeError, ValueError, FloatingPointError, RuntimeWarning)
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tensorlite\.ops\.")


def unary(entry: Op, run: Callable[..., Any], tensor: Any) -> Callable[..., Any]:
    """The public function of an operator of one tensor that has a fast function."""
    name, new, ndarray, asarray = entry.name, tensor.__new__, np.ndarray, np.asarray

    def call(input: Any, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            return run(entry, (input, *args), kwargs)
        try:
            device = input._device
            table = device.fast[name]  # empty where calls are recorded or traced
            array = input._array
            if array.size < _SMALL:
                value = table[array.dtype](array)
            else:
                value = LARGE[device.kind, name, array.dtype](array)
        except _SLOW:
            return run(entry, (input,), kwargs)
        if type(value) is not ndarray:
            if value is NotImplemented:
                return run(entry, (input,), kwargs)
            value = asarray(value)
        result = new(tensor)
        result._array = value
        result._device = device
        return result

    return call


def binary(entry: Op, run: Callable[..., Any], tensor: Any) -> Callable[..., Any]:
    """The public function of an operator of two tensors that has a fast function.

    Its ``operator`` takes exactly two arguments: it is what ``a + b`` calls.
    """
    name, new, ndarray, asarray = entry.name, tensor.__new__, np.ndarray, np.asarray
    constants = _CONSTANTS

    def operator(input: Any, other: Any) -> Any:
        try:
            device = input._device
            table = device.fast[name]
            array = input._array
            dtype = array.dtype
            if type(other) is tensor:
                second = other._array
                if second.dtype is not dtype or other._device is not device:
                    return run(entry, (input, other), {})
            else:
                second = constants[other, type(other), dtype]
            if array.size < _SMALL:
                value = table[dtype](array, second)
            else:
                value = LARGE[device.kind, name, dtype](array, second)
        except _SLOW:
            return run(entry, (input, other), {})
        if type(value) is not ndarray:
            if value is NotImplemented:
                return run(entry, (input, other), {})
            value = asarray(value)
        result = new(tensor)
        result._array = value
        result._device = device
        return result

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 2:
            return run(entry, args, kwargs)
        return operator(*args)

    call.operator = operator  # type: ignore[attr-defined]
    return call
