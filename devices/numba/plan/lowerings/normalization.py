"""Normalisations over groups of channels, and over neighbouring channels."""

from __future__ import annotations

from math import prod

import numpy as np

from .....ops.trace import Ref
from ...adapter import adapted
from ...expressions import Tree, constant, operand
from ...rows import norm_ir
from ..builder import FLOAT, Arguments, Builder, Lazy, array_of, lowering
from ..places import View, Word
from .convolution import channels_last, last
from .rows import bits

_X = operand(0)


@lowering("nn.functional.group_norm")
def group_norm(builder: Builder, call: Arguments) -> str | None:
    """Mean 0 and variance 1 within groups of channels, then a factor and a term for each."""
    return _grouped(builder, call, call["num_groups"])


@lowering("nn.functional.instance_norm")
def instance_norm(builder: Builder, call: Arguments) -> str | None:
    """Mean 0 and variance 1 within each channel."""
    if not call.get("use_input_stats", True) or call.get("running_mean") is not None:
        return "statistics that are kept"
    shape = builder.shape(call["input"])
    return _grouped(builder, call, shape[1]) if len(shape) > 2 else "no batch of images"


def _grouped(builder: Builder, call: Arguments, groups: int) -> str | None:
    weight, bias, eps = call.get("weight"), call.get("bias"), call.get("eps", 1e-5)
    shape = builder.shape(call["input"])
    if builder.dtype_of(call["input"]) != FLOAT or 0 in shape or len(shape) < 2:
        return "not float32, or no elements"
    if isinstance(weight, Ref) or isinstance(bias, Ref):
        return "weights that are computed"
    x = builder.contiguous(call["input"])
    n = prod(shape[1:]) // groups
    out = builder.new(shape)
    ones, zeros = (builder.table(np.full(n, v, np.float32)) for v in (1, 0))
    words: list[Word] = [out.place, x.place, ones, zeros, bits(eps), n, shape[0] * groups]
    over = (out.buffer, x.buffer) if x.offset == 0 else None
    builder.emit("group norm", adapted(norm_ir(True), "ppppfn"), words, [x], out, over=over)
    tree: Tree = _X
    operands = [out]
    for name, given in (("mul", weight), ("add", bias)):
        if given is not None:
            along = np.ascontiguousarray(array_of(given), np.float32)
            operands.append(builder.constant(along.reshape(-1, *[1] * (len(shape) - 2))))
            tree = (name, tree, operand(len(operands) - 1))
    builder.give(call.output, out if tree == _X else Lazy(tree, tuple(operands), shape))
    return None


@lowering("nn.functional.local_response_norm")
def local_response_norm(builder: Builder, call: Arguments) -> str | None:
    """``x / (k + alpha * mean of x * x over neighbouring channels) ** beta``."""
    shape, size = builder.shape(call["input"]), call["size"]
    if builder.dtype_of(call["input"]) != FLOAT or 0 in shape or len(shape) < 3:
        return "not float32, or no elements"
    alpha, beta, k = (call.get(n, v) for n, v in (("alpha", 1e-4), ("beta", 0.75), ("k", 1.0)))
    x = channels_last(builder, call["input"])
    before = size // 2
    wide = builder.new((shape[0], shape[1] + size - 1, *shape[2:]), FLOAT, last(len(shape) - 2))
    builder.fill(wide, 0.0)

    def channels(first: int) -> View:
        return View(wide.buffer, shape, wide.strides, FLOAT, 4 * first)

    builder.compute(Lazy(("mul", _X, _X), (x,), shape), channels(before))
    total: Tree = operand(1)
    for i in range(2, size + 1):
        total = ("add", total, operand(i))
    share: Tree = ("add", constant(k), ("mul", total, constant(alpha / size)))
    root: Tree = ("sqrt", share)
    power: Tree = ("mul", root, ("sqrt", root)) if beta == 0.75 else ("pow", share, constant(beta))
    operands = (x, *[channels(i) for i in range(size)])
    builder.give(call.output, Lazy(("div", _X, power), operands, shape))
    return None
