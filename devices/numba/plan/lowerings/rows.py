"""Softmax and normalisations of rows."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

import numpy as np

from .....ops.trace import Ref
from ...adapter import adapted
from ...rows import norm_ir, softmax_ir
from ..builder import FLOAT, Arguments, Builder, array_of, lowering
from ..places import View, Word


def _moved_last(builder: Builder, argument: Any, dim: int) -> tuple[View, View]:
    """An argument with a dimension innermost in memory, and a place for a result like it."""
    found = builder.view(argument)
    order = [*[d for d in range(len(found.shape)) if d != dim], dim]
    found = builder.ordered(found, order)
    return found, builder.new(found.shape, FLOAT, order)


@lowering("softmax")
def softmax(builder: Builder, call: Arguments) -> str | None:
    """``e**(x - max) / sum`` along a dimension."""
    shape, dim = builder.shape(call["input"]), call.get("dim")
    if builder.dtype_of(call["input"]) != FLOAT or call.get("dtype") is not None:
        return "not float32"
    if dim is None or not shape or 0 in shape:
        return "no dimension"
    dim %= len(shape)
    x, out = _moved_last(builder, call["input"], dim)
    words: list[Word] = [out.place, x.place, shape[dim], prod(shape) // shape[dim]]
    over = (out.buffer, x.buffer) if x.offset == 0 else None
    builder.emit("softmax", adapted(softmax_ir(), "ppn"), words, [x], out, over=over)
    builder.give(call.output, out)
    return None


def bits(number: float) -> int:
    """A float32 number as a word."""
    return int(struct.unpack("<i", struct.pack("<f", number))[0])


def _normalized(builder: Builder, call: Arguments, eps: float, centred: bool) -> str | None:
    shape, sizes = builder.shape(call["input"]), tuple(call["normalized_shape"])
    weight, bias = call.get("weight"), call.get("bias")
    if builder.dtype_of(call["input"]) != FLOAT or 0 in shape:
        return "not float32"
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        return "weights that are computed"
    n = prod(sizes)
    w = np.ones(n, np.float32) if weight is None else array_of(weight).reshape(-1)
    b = np.zeros(n, np.float32) if bias is None else array_of(bias).reshape(-1)
    if w.dtype != FLOAT or b.dtype != FLOAT:
        return "not float32"
    x = builder.contiguous(call["input"])
    out = builder.new(shape)
    words: list[Word] = [
        out.place, x.place, builder.constant(w).place, builder.constant(b).place, bits(eps), n,
        prod(shape) // n,
    ]  # fmt: skip
    over = (out.buffer, x.buffer) if x.offset == 0 else None
    name = "layer norm" if centred else "RMS norm"
    builder.emit(name, adapted(norm_ir(centred), "ppppfn"), words, [x], out, over=over)
    builder.give(call.output, out)
    return None


@lowering("nn.functional.layer_norm")
def layer_norm(builder: Builder, call: Arguments) -> str | None:
    """Layer normalisation."""
    return _normalized(builder, call, call.get("eps", 1e-5), True)


@lowering("nn.functional.rms_norm")
def rms_norm(builder: Builder, call: Arguments) -> str | None:
    """Root mean square normalisation."""
    eps = call.get("eps")
    smallest = float(np.finfo(np.float32).eps) if eps is None else eps
    return _normalized(builder, call, smallest, False)
