"""Eager kernels that are one fused pass: batch normalisation, and activations of several steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..buffers import empty_like
from ..kernels import kernel
from . import fused
from .expressions import Tree, constant, operand
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_PART = 50_000  # elements below which another thread is not worth waking
_X = operand(0)


def one_pass(tree: Tree, arrays: Sequence[Array]) -> Array:
    """An expression over arrays, the first of which has the result's shape and layout."""
    out = empty_like(arrays[0])
    order = sorted(range(out.ndim), key=lambda d: (-out.strides[d], d))
    shape = [out.shape[d] for d in order]
    strides = []
    for array in (out, *arrays):
        steps = [0 if n == 1 else s // 4 for s, n in zip(array.strides, array.shape, strict=True)]
        strides.append([steps[d] for d in order])
    sizes, steps_of = fused.collapsed(shape, strides)
    kinds = tuple(
        fused.Operand("float32", {0: "s", 1: "v"}.get(steps[-1], "g")) for steps in steps_of[1:]
    )
    run = fused.fused(fused.Spec(tree, len(sizes), kinds))
    words = [address(out), *sizes, *steps_of[0]]
    for array, steps in zip(arrays, steps_of[1:], strict=True):
        words += [address(array), *steps]
    run_parts(run, np.array(words, np.int64), out.size // _PART)
    return out


def _reason(*arrays: Array | None) -> str | None:
    given = [a for a in arrays if a is not None]
    if any(a.dtype != np.float32 for a in given):
        return f"{given[0].dtype}; it is for float32"
    x = given[0]
    return None if x.flags.forc or _channels_last(x) else "gaps between the elements"


def _channels_last(x: Array) -> bool:
    return x.ndim == 4 and x.transpose(0, 2, 3, 1).flags.c_contiguous


def takes_batch_norm(
    input: Array, running_mean: Array | None, running_var: Array | None,
    weight: Array | None = None, bias: Array | None = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> str | None:  # fmt: skip
    """Why the kernel does not take a batch normalisation."""
    if training or running_mean is None or running_var is None:
        return "statistics of the batch"
    if input.ndim < 3:
        return "no pixels"
    return _reason(input, running_mean, running_var, weight, bias)


@kernel("numba", "nn.functional.batch_norm", when=takes_batch_norm, min_size=4096)
def fused_batch_norm(
    input: Array, running_mean: Array, running_var: Array, weight: Array | None = None,
    bias: Array | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Array:  # fmt: skip
    """Each channel times a factor, plus a term."""
    factor = 1 / np.sqrt(running_var.astype(np.float64) + eps)
    if weight is not None:
        factor = factor * weight
    term = -running_mean * factor if bias is None else bias - running_mean * factor
    shape = (1, -1, *[1] * (input.ndim - 2))
    given = [a.astype(np.float32).reshape(shape) for a in (factor, term)]
    return one_pass(("fma", _X, operand(1), operand(2)), [input, *given])


def _clamped(x: Tree, low: float, high: float) -> Tree:
    return ("clamp_high", ("clamp_low", x, constant(low)), constant(high))


_SIXTH: Tree = ("div", _clamped(("add", _X, constant(3.0)), 0.0, 6.0), constant(6.0))
_ACTIVATIONS: dict[str, Tree] = {
    "nn.functional.relu6": _clamped(_X, 0.0, 6.0),
    "nn.functional.hardsigmoid": _SIXTH,
    "nn.functional.hardswish": ("mul", _X, _SIXTH),
}


def takes(input: Array, inplace: bool = False) -> str | None:
    """Why the kernels do not take an activation."""
    return _reason(input)


def _register(name: str, tree: Tree) -> None:
    def run(input: Array, inplace: bool = False) -> Array:
        return one_pass(tree, [input])

    run.__name__ = f"fused_{name.rpartition('.')[2]}"
    kernel("numba", name, when=takes, min_size=4096)(run)


for _name, _tree in _ACTIVATIONS.items():
    _register(_name, _tree)
