"""A graph's inputs, from what a caller gives: by position, by name, as tensors or arrays.

Names, dtypes, ranks and sizes are checked before anything runs. A size that the file states is
fixed; a symbol (or a size below 1) may be anything, but the same everywhere in one call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...devices.base import Device
from ...errors import DeviceMismatchError, OnnxError, TensorliteError, nearest
from ...tensor import Tensor
from .graph import Graph, TypeInfo, ValueInfo
from .values import describe, to_value


def bind(
    graph: Graph,
    inputs: Sequence[ValueInfo],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    device: Device,
) -> dict[str, Any]:
    """The values of a graph's inputs by name; inputs with a default may be left out."""
    if len(args) > len(inputs):
        raise OnnxError(f"{len(args)} inputs given, the model takes {_signature(inputs)}")
    given = {info.name: value for info, value in zip(inputs, args, strict=False)}
    infos = {info.name: info for info in graph.inputs}
    for name, value in kwargs.items():
        if name not in infos:
            raise OnnxError(
                f"no input is named {name!r}; the model takes {_signature(inputs)}."
                f"{nearest(name, infos)}"
            )
        if name in given:
            raise OnnxError(f"input {name!r} is given by position and by name")
        given[name] = value
    missing = [info.name for info in inputs if info.name not in given and info.kind != "optional"]
    if missing:
        named = ", ".join(map(repr, missing[:5])) + (", ..." if missing[5:] else "")
        raise OnnxError(
            f"missing input{'s' if missing[1:] else ''} {named}; "
            f"the model takes {_signature(inputs)}"
        )
    symbols: dict[str, tuple[int, str]] = {}
    bound = {name: _bound(infos[name], value, device, symbols) for name, value in given.items()}
    return {**{info.name: None for info in inputs}, **bound}


def appearance(args: Sequence[Any], kwargs: Mapping[str, Any], device: Device) -> Any:
    """All that :func:`bind` looks at, if these are tensors on the device, else None."""
    values = (*args, *kwargs.values()) if kwargs else args
    look: list[Any] = [len(args), *kwargs]
    for value in values:
        if type(value) is not Tensor or value._device is not device:
            return None
        array = value._array
        look.append(array.dtype)
        look.append(array.shape)
    return tuple(look)


def _signature(inputs: Sequence[ValueInfo]) -> str:
    shown = ", ".join(map(str, inputs[:5])) + (", ..." if inputs[5:] else "")
    return shown or "none"


def _bound(info: ValueInfo, value: Any, device: Device, symbols: dict[str, tuple[int, str]]) -> Any:
    if isinstance(value, Tensor) and not (value.device.host and device.host):
        if value.device is not device and value.dtype is not dtypes.string:
            raise DeviceMismatchError(
                f"input {info.name!r} is on {value.device}, the model on {device}; "
                f"move one, e.g. x.to('{device}')"
            )
    try:
        bound = to_value(_as_declared(value, info.type), device)
    except (TensorliteError, ValueError, TypeError) as error:
        raise OnnxError(f"input {info.name!r}: expected {info.type}, got {error}") from error
    _check(info, bound, symbols)
    return bound


def _as_declared(value: Any, type: TypeInfo) -> Any:
    """Python numbers and lists in the dtype that the file states; anything else unchanged."""
    if type.kind == "map" and isinstance(value, dict):
        return _map_as_declared(value, type)
    is_data = isinstance(value, int | float | list | tuple)
    if type.kind == "tensor" and is_data and type.dtype not in (None, "string"):
        assert type.dtype is not None
        return np.array(value, dtypes.to_dtype(type.dtype).numpy)
    return value


# What the values of a map are in Python; its floats of 32 bits are Python's.
_IN_A_MAP: dict[str, Any] = {"float32": float, "float64": np.float64, "int64": int}


def _map_as_declared(value: dict[Any, Any], type: TypeInfo) -> dict[Any, Any]:
    """A dict with keys and values of the types that the file states."""
    stated = type.element.dtype if type.element else None
    for items, dtype in ((value, type.dtype), (value.values(), stated)):
        kind: Any = str if dtype == "string" else int | float | np.number
        wrong = next((item for item in items if dtype and not isinstance(item, kind)), None)
        if wrong is not None:
            raise TypeError(f"{wrong!r} in it")
    make = _IN_A_MAP.get(stated or "", lambda item: item)
    return {key: make(item) for key, item in value.items()}


def _check(info: ValueInfo, value: Any, symbols: dict[str, tuple[int, str]]) -> None:
    type = info.type
    if type.kind == "sequence" and not isinstance(value, list):
        raise OnnxError(f"input {info.name!r}: expected {type}, got {describe(value)}")
    if type.kind == "map" and not isinstance(value, dict):
        raise OnnxError(f"input {info.name!r}: expected {type}, got {describe(value)}")
    if type.kind != "tensor":
        return
    if not isinstance(value, Tensor):
        raise OnnxError(f"input {info.name!r}: expected {type}, got {describe(value)}")
    if type.dtype is not None and value.dtype.name != type.dtype:
        hint = "" if value.dtype is dtypes.string else f"; convert it, e.g. x.to(tl.{type.dtype})"
        raise OnnxError(f"input {info.name!r}: expected {type}, got {describe(value)}{hint}")
    if type.shape is None:
        return
    if len(type.shape) != value.ndim:
        raise OnnxError(
            f"input {info.name!r}: expected {len(type.shape)} dimensions, {type}, "
            f"got {describe(value)}"
        )
    for place, (wanted, size) in enumerate(zip(type.shape, value.shape, strict=True)):
        if isinstance(wanted, int) and wanted > 0 and wanted != size:
            raise OnnxError(
                f"input {info.name!r}: dimension {place} is {size}, expected {wanted}: "
                f"{type}, got {describe(value)}"
            )
        if isinstance(wanted, str) and wanted != "?":
            seen, where = symbols.setdefault(wanted, (size, info.name))
            if seen != size:
                raise OnnxError(
                    f"input {info.name!r}: dimension {place} ({wanted}) is {size}, but "
                    f"{wanted} is {seen} in input {where!r}"
                )
