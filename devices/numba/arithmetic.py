"""Large additions, products and the like, shared between threads; ReLU, which NumPy is slow at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...threads import get_num_threads
from ..kernels import kernel
from .expressions import Tree, operand
from .passes import one_pass

Array = np.ndarray[Any, Any]
_FLOAT = np.dtype("float32")
_LEAST = 100_000  # elements from which a second thread is a gain


def takes_pair(input: Any, other: Any, **options: Any) -> str | None:
    """Why the kernels do not take an operator of two arrays."""
    if get_num_threads() < 2:
        return "one thread, on which NumPy is as quick"
    if any(value != 1 for value in options.values()):
        return "options"
    if input.dtype != _FLOAT or getattr(other, "dtype", None) != _FLOAT:
        return "not float32"
    if not input.flags.c_contiguous or not other.flags.c_contiguous:
        return "gaps between the elements"
    return None if other.shape in (input.shape, ()) else "shapes that are broadcast"


def _register(name: str) -> None:
    tree: Tree = (name, operand(0), operand(1))

    def run(input: Array, other: Array, **options: Any) -> Array:
        return one_pass(tree, [input, other if other.ndim else other.reshape((1,) * input.ndim)])

    run.__name__ = f"shared_{name}"
    kernel("numba", name, when=takes_pair, min_size=_LEAST)(run)


for _name in ("add", "sub", "mul", "div"):
    _register(_name)


def takes_relu(input: Array, inplace: bool = False) -> str | None:
    """Why the kernel does not take a ReLU."""
    if input.dtype != _FLOAT:
        return f"{input.dtype}; it is for float32"
    return None if input.flags.forc else "gaps between the elements"


@kernel("numba", "relu", when=takes_relu, min_size=16_384)
def shared_relu(input: Array, inplace: bool = False) -> Array:
    """``max(0, x)``."""
    return one_pass(("relu", operand(0)), [input])
