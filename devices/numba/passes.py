"""Eager kernels that are one fused pass: batch normalisation, and activations of several steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..buffers import empty_like
from ..kernels import kernel
from . import fused
from .expressions import Tree, constant, operand
from .jit import jit
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_PART = 50_000  # elements below which another thread is not worth waking
_X = operand(0)


def one_pass(tree: Tree, arrays: Sequence[Array]) -> Array:
    """An expression over arrays, the first of which has the result's shape and layout."""
    out = empty_like(arrays[0])
    run, words, places = _laid_out(
        tree, out.shape, out.strides, tuple([(a.shape, a.strides) for a in arrays])
    )
    block = words.copy()
    block[places] = [address(out), *map(address, arrays)]
    run_parts(run, block, out.size // _PART)
    return out


@lru_cache(1024)
def _laid_out(
    tree: Tree, shape: tuple[int, ...], steps: tuple[int, ...],
    given: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...],
) -> tuple[int, Array, list[int]]:  # fmt: skip
    """A kernel, its words, and where among them the addresses of the result and operands go."""
    order = sorted(range(len(shape)), key=lambda d: (-steps[d], d))
    strides = [[steps[d] // 4 for d in order]]
    for sizes, lines in given:
        line = [0 if n == 1 else s // 4 for n, s in zip(sizes, lines, strict=True)]
        strides.append([line[d] for d in order])
    joined, steps_of = fused.collapsed([shape[d] for d in order], strides)
    kinds = tuple(fused.Operand("float32", {0: "s", 1: "v"}.get(s[-1], "g")) for s in steps_of[1:])
    words, places = [0, *joined, *steps_of[0]], [0]
    for each in steps_of[1:]:
        places.append(len(words))
        words += [0, *each]
    run = fused.fused(fused.Spec(tree, len(joined), kinds))
    return run, np.array(words, np.int64), places


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
    given = [
        None if a is None else np.ascontiguousarray(a)
        for a in (running_mean, running_var, weight, bias)
    ]
    found = np.empty((2, 1, len(running_mean), *[1] * (input.ndim - 2)), np.float32)
    _factors(
        address(found), address(found[1]), *[0 if a is None else address(a) for a in given],
        len(running_mean), weight is not None, bias is not None, eps,
    )  # fmt: skip
    return one_pass(("fma", _X, operand(1), operand(2)), [input, found[0], found[1]])


@jit("f4* f4* f4* f4* f4* f4* i8 i8 i8 f8")
def _factors(
    factor: Any, term: Any, mean: Any, var: Any, weight: Any, bias: Any, count: Any,
    has_weight: Any, has_bias: Any, eps: Any,
) -> None:  # fmt: skip
    for i in range(count):
        found = 1.0 / math.sqrt(var[i] + eps)
        if has_weight:
            found *= weight[i]
        factor[i] = found
        term[i] = (bias[i] if has_bias else 0.0) - mean[i] * found


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

_BETWEEN: Tree = ("minimum", ("maximum", _X, operand(1)), operand(2))


def _between(input: Array, low: Any, high: Any) -> Array:
    bounds = np.array((low, high), np.float32).reshape(2, *[1] * input.ndim)
    return one_pass(_BETWEEN, [input, bounds[0], bounds[1]])


def takes_hardtanh(
    input: Array, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> str | None:
    """Why the kernel does not take a hardtanh."""
    return _reason(input) if min_val <= max_val else "bounds that do not fit"


@kernel("numba", "nn.functional.hardtanh", when=takes_hardtanh, min_size=4096)
def fused_hardtanh(
    input: Array, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Array:
    """``min(max(min_val, x), max_val)``."""
    return _between(input, min_val, max_val)


def takes_clamp(input: Array, min: Any = None, max: Any = None) -> str | None:
    """Why the kernel does not take a clamp."""
    if min is None or max is None or np.ndim(min) or np.ndim(max):
        return "one bound, or bounds that are arrays"
    return _reason(input)


@kernel("numba", "clamp", when=takes_clamp, min_size=4096)
def fused_clamp(input: Array, min: Any = None, max: Any = None) -> Array:
    """``minimum(maximum(input, min), max)``."""
    return _between(input, min, max)
