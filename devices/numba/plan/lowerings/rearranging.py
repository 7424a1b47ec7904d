"""Operators that put elements in other places: repeating, turning round, shuffling, mirroring.

Where each element of the result comes from is asked of the operator itself, on an array of places.
"""

from __future__ import annotations

import numpy as np

from .....ops.trace import Ref, references
from .....tensor import Tensor, wrap
from ...expressions import Tree, constant, operand
from ..builder import FLOAT, LOWERINGS, Arguments, Builder, Lazy, lowering
from ..places import View
from .convolution import last
from .indexing import at_places, places_of

_NAMES = (
    "repeat", "tile", "repeat_interleave", "flip", "fliplr", "flipud", "roll", "rot90",
    "nn.functional.pixel_shuffle", "nn.functional.pixel_unshuffle", "pixel_shuffle",
    "pixel_unshuffle", "nn.functional.channel_shuffle", "channel_shuffle",
)  # fmt: skip


@lowering(*_NAMES)
def rearranged(builder: Builder, call: Arguments) -> str | None:
    """A view if there is one, or one gather of the longest pieces there are."""
    args, kwargs = call.call.args, call.call.kwargs
    if not args or not isinstance(args[0], Ref) or references((args[1:], kwargs)):
        return "amounts that are computed"
    x = builder.view(args[0])
    if not x.size:
        return "no elements"
    # Floats hold places of up to 2**53 exactly, and every operator takes them.
    places = wrap(places_of(x).astype(np.float64), builder.trace.device)
    found = call.call.function(places, *args[1:], **kwargs)
    if not isinstance(found, Tensor) or not found.numel():
        return "no elements"
    result = np.asarray(found._array).astype(np.int64)
    order = tuple(range(result.ndim))
    if x.strides[1:2] == (1,) and result.ndim == len(x.shape) > 2:
        order = last(result.ndim - 2)
    builder.give(call.output, at_places(builder, x, result, order))
    return None


_constant_pad = LOWERINGS["nn.functional.pad"]


@lowering("nn.functional.pad")
def pad(builder: Builder, call: Arguments) -> str | None:
    """A border that is constant, or of the tensor's own elements."""
    if call.get("mode", "constant") == "constant":
        return _constant_pad(builder, call)
    return rearranged(builder, call)


@lowering("tril", "triu")
def triangle(builder: Builder, call: Arguments) -> str | None:
    """Zeros on one side of a diagonal."""
    shape = builder.shape(call["input"])
    if builder.dtype_of(call["input"]) != FLOAT or 0 in shape:
        return "not float32, or no elements"
    ones = wrap(np.ones(shape[-2:], np.float32), builder.trace.device)
    kept = call.call.function(ones, *call.call.args[1:], **call.call.kwargs)
    mask: View = builder.constant(np.ascontiguousarray(kept._array))
    tree: Tree = ("where", operand(1), operand(0), constant(0.0))
    builder.give(call.output, Lazy(tree, (builder.view(call["input"]), mask), shape))
    return None
