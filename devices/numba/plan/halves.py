"""Operators of 16-bit floats by the kernels for float32: read as such, rounded at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ....dtypes import dtype as Dtype
from ....ops.nested import flattened, mapped
from ....ops.trace import Call, Ref
from ....tensor import Tensor, wrap
from ..halves import HALVES, has

if TYPE_CHECKING:
    from .builder import Builder


def has_halves(builder: Builder, call: Call) -> bool:
    """Whether a call has 16-bit floats that can be converted here, and one result."""
    if not isinstance(call.outputs, Ref) or any(isinstance(v, Dtype) for v in _values(call)):
        return False
    names = {str(builder.dtype_of(value)) for value in (call.outputs, *_values(call))}
    found = names.intersection(HALVES)
    return bool(found) and all(map(has, found))


def _values(call: Call) -> Iterator[Any]:
    return flattened((call.args, call.kwargs))


def in_float32(builder: Builder, call: Call) -> str:
    """Lowers a call with float32 in the place of 16-bit floats; or why it cannot."""
    from .builder import LOWERINGS, Arguments

    lowering, dtype = LOWERINGS.get(call.name), builder.dtype(call.outputs.index)
    if lowering is None:
        return f"no lowering of {call.name}"
    args, kwargs = mapped(lambda value: _wide(builder, value), (call.args, call.kwargs))
    narrow = dtype.name in HALVES
    shape = builder.shape(call.outputs)
    result = _new(builder, shape) if narrow else call.outputs
    twin = Call(call.name, call.function, args, kwargs, result, "", call.label)
    why = lowering(builder, Arguments(twin))
    if why:
        return why
    if narrow:
        made = builder.combine(f"f.{dtype.name}", [result], shape)
        made.dtype = dtype
        builder.give(call.outputs.index, made)
    return ""


def _new(builder: Builder, shape: tuple[int, ...]) -> Ref:
    """A value that the trace does not have, used once."""
    index = len(builder.trace.values)
    builder.trace.values.append(np.broadcast_to(np.zeros((), np.float32), shape))
    builder.users[index] = [-1]
    return Ref(index)


def _wide(builder: Builder, value: Any) -> Any:
    if str(builder.dtype_of(value)) not in HALVES:
        return value
    if isinstance(value, Tensor):
        return wrap(value._array.astype(np.float32), value.device)
    found = _new(builder, builder.shape(value))
    builder.give(found.index, builder.combine("same", [value], builder.shape(value)))
    return found
