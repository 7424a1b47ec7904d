"""Operators that only look at elements differently: nothing runs for them.

What a view's strides are is asked of the operator itself, on an array with the operand's strides.
"""

from __future__ import annotations

import numpy as np

from .....errors import ShapeError
from .....ops.trace import Ref, references
from .....tensor import Tensor, wrap
from ..builder import Arguments, Builder, lowering
from ..places import View, contiguous_strides
from .indexing import by_tensors, has_tensor

_VIEWS = (
    "reshape", "view", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze", "transpose", "t",
    "permute", "movedim", "expand", "broadcast_to", "narrow", "select", "diagonal", "split",
    "chunk", "tensor_split", "unbind", "getitem", "clone", "positive", "adjoint", "expand_as",
    "view_as", "reshape_as", "split_with_sizes", "unfold", "as_strided",
)  # fmt: skip


@lowering(*_VIEWS)
def view(builder: Builder, call: Arguments) -> str | None:
    """Views of the first tensor; reshapes that no strides can say copy it first."""
    args, kwargs = call.call.args, call.call.kwargs
    outputs = references(call.call.outputs)
    if call.call.name == "getitem" and (references(args[1:]) or has_tensor(args[1:])):
        return by_tensors(builder, call)
    if not args or not isinstance(args[0], Ref) or len(references((args[1:], kwargs))):
        return "an index that is computed"
    if call.call.name in ("clone", "positive"):
        builder.give(outputs[0], builder.view(args[0]))
        return None
    if has_tensor(args[1:]):
        return "a tensor among the sizes"
    source = builder.view(args[0])
    found = _seen(builder, call, source)
    if found is None:
        source = builder.ordered(source)
        found = _seen(builder, call, source)
    if found is None:
        return "no view of its operand"
    for index, made in zip(outputs, found, strict=True):
        if index not in builder.values:
            builder.give(index, made)
    return None


@lowering("view_as_complex", "view_as_real")
def pairs(builder: Builder, call: Arguments) -> None:
    """The same memory as complex numbers, or as their parts."""
    source = builder.contiguous(call["input"])
    shape = builder.trace.values[call.output].shape
    dtype, strides = builder.dtype(call.output), contiguous_strides(shape)
    builder.give(call.output, View(source.buffer, shape, strides, dtype, source.offset))


def _seen(builder: Builder, call: Arguments, source: View) -> list[View] | None:
    """What the operator makes of an array with these strides, if those are views."""
    size = source.dtype.itemsize
    if not source.size:
        return None
    base = np.empty(source.extent() // size, source.dtype)
    steps = [s * size for s in source.strides]
    stand_in = np.ndarray(source.shape, source.dtype, base, strides=steps)
    given = (wrap(stand_in, builder.trace.device), *call.call.args[1:])
    try:
        results = call.call.function(*given, **call.call.kwargs)
    except ShapeError:  # view, which never copies
        return None
    results = [results] if isinstance(results, Tensor) else list(results)
    start, end = base.ctypes.data, base.ctypes.data + base.nbytes
    found = []
    for result in results:
        array = result._array
        at = array.ctypes.data
        if not start <= at < end or array.dtype != source.dtype:
            return None
        strides = tuple(s // size for s in array.strides)
        found.append(
            View(source.buffer, array.shape, strides, source.dtype, source.offset + at - start)
        )
    return found
