"""Concatenation and padding: parts of a result, written by what computes them where it can."""

from __future__ import annotations

from typing import Any

from .....ops.trace import Ref
from ..builder import Arguments, Builder, Lazy, lowering
from ..places import View, contiguous_strides
from .convolution import last, padded


def part(whole: View, shape: tuple[int, ...], starts: Any) -> View:
    """The part of a view that begins at some indices."""
    begin = sum(i * s for i, s in zip(starts, whole.strides, strict=True))
    offset = whole.offset + begin * whole.dtype.itemsize
    return View(whole.buffer, shape, whole.strides, whole.dtype, offset)


def _channels_last(builder: Builder, argument: Any) -> bool:
    """Whether an argument's channels lie in one piece, or will."""
    if not isinstance(argument, Ref):
        return False
    value = builder.values[argument.index]
    if isinstance(value, Lazy):
        found = value.producer.place() if value.producer else None
        found = found or (value.operands[0] if value.operands else None)
    else:
        found = value
    return found is not None and len(found.shape) > 2 and found.strides[1] == 1 < found.shape[1]


@lowering("cat")
def cat(builder: Builder, call: Arguments) -> str | None:
    """Tensors one after another along a dimension."""
    tensors, shape = call["tensors"], builder.trace.values[call.output].shape
    dtype = builder.dtype(call.output)
    if any(builder.dtype_of(t) != dtype for t in tensors) or 0 in shape:
        return "dtypes that differ, or no elements"
    if any(len(builder.shape(t)) != len(shape) or 0 in builder.shape(t) for t in tensors):
        return "an empty tensor"
    dim = call.get("dim", 0) % len(shape)
    order = None
    if len(shape) in (3, 4, 5) and any(_channels_last(builder, t) for t in tensors):
        order = last(len(shape) - 2)
    out = builder.new(shape, dtype, order)
    at = 0
    for tensor in tensors:
        size = builder.shape(tensor)
        starts = [at if d == dim else 0 for d in range(len(shape))]
        builder.view(tensor, part(out, size, starts))
        at += size[dim]
    builder.give(call.output, out)
    return None


@lowering("stack")
def stack(builder: Builder, call: Arguments) -> str | None:
    """Tensors side by side along a new dimension."""
    tensors, shape = call["tensors"], builder.trace.values[call.output].shape
    dtype = builder.dtype(call.output)
    if any(builder.dtype_of(t) != dtype for t in tensors) or 0 in shape:
        return "dtypes that differ, or no elements"
    dim = call.get("dim", 0) % len(shape)
    out = builder.new(shape, dtype)
    for i, tensor in enumerate(tensors):
        rest = tuple(s for d, s in enumerate(out.strides) if d != dim)
        offset = i * out.strides[dim] * dtype.itemsize
        builder.view(tensor, View(out.buffer, builder.shape(tensor), rest, dtype, offset))
    builder.give(call.output, out)
    return None


def _for_windows(builder: Builder, call: Arguments, amounts: list[int]) -> bool:
    """Whether only pixels are added around, to something whose channels are or will be last."""
    if any(amounts[2 * (len(builder.shape(call["input"])) - 2) :]):
        return False
    user = builder.only_user(call.output)
    convolution = user is not None and user.name.startswith("nn.functional.conv")
    return convolution or _channels_last(builder, call["input"])


@lowering("nn.functional.pad", "constant_pad_nd")
def pad(builder: Builder, call: Arguments) -> str | None:
    """A constant around a tensor."""
    if call.get("mode", "constant") != "constant" or isinstance(call.get("value", 0), Ref):
        return "a border that is not constant"
    amounts, value = [*call["pad"]], call.get("value", 0) or 0
    shape = builder.shape(call["input"])
    if builder.dtype(call.output).name != "float32" or any(a < 0 for a in amounts) or 0 in shape:
        return "not float32, or a part taken away"
    if not isinstance(value, int | float):
        value = value.item()
    target = builder.trace.values[call.output].shape
    if value == 0 and len(shape) in (3, 4) and _for_windows(builder, call, amounts):
        count = len(shape) - 2
        pairs = [(amounts[2 * i], amounts[2 * i + 1]) for i in range(len(amounts) // 2)]
        around = [*reversed(pairs[:count]), *[(0, 0)] * (count - len(pairs))]
        builder.give(call.output, padded(builder, call["input"], around[-count:]))
        return None
    order = last(len(shape) - 2) if _channels_last(builder, call["input"]) else None
    out = builder.new(target, "float32", order)
    builder.fill(out, float(value))
    begins = [0] * len(shape)
    for i in range(0, len(amounts), 2):
        begins[len(shape) - 1 - i // 2] = amounts[i]
    builder.view(call["input"], part(out, shape, begins))
    builder.give(call.output, out)
    return None


__all__ = ["cat", "contiguous_strides", "pad", "part", "stack"]
