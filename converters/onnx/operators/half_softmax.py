"""Softmax of float16 and bfloat16 as ONNX's function body defines it."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

SHORT = 8  # numbers that are added one after the other


def half_softmax(x: Tensor, axis: int) -> Tensor:
    """``exp(x - max(x)) / sum(exp(x - max(x)))``, every step rounded to the dtype of x."""
    if x.numel() == 0:
        return x
    powers = (x - x.amax(axis, keepdim=True)).exp_()
    return powers.div_(_total(powers, axis))


def _total(x: Tensor, axis: int) -> Tensor:
    """The sum along an axis that stays: of float16 in float32, of bfloat16 in bfloat16.

    bfloat16 has 8 bits: one after the other, ones would add up to no more than 256. So halves
    are added to each other until few numbers are left.
    """
    if x.dtype is not tl.bfloat16:
        return x.sum(axis, keepdim=True)
    while (length := x.shape[axis]) > SHORT:
        half = (length + 1) // 2
        folded = x.narrow(axis, 0, half).clone()
        folded.narrow(axis, 0, length - half).add_(x.narrow(axis, half, length - half))
        x = folded
    total = x.narrow(axis, 0, 1)
    for place in range(1, x.shape[axis]):
        total = total + x.narrow(axis, place, 1)
    return total
