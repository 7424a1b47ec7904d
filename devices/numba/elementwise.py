"""Kernels of functions of one number over float32 arrays that lie in one piece.

Measured on a Zen 4 core with AVX-512 (us, NumPy or SciPy / the kernel):

    elements       256       4096         262144
    sigmoid    1.7 / 2.6   4.1 / 3.7    154 / 71
    silu       1.4 / 2.5   3.7 / 3.6    165 / 76
    erf        1.5 / 2.5    20 / 4.4   3309 / 124
    gelu       3.4 / 2.7    19 / 4.7   2737 / 144

The call itself costs about 2 us, hence the smallest sizes below. NumPy's own exp and tanh are
vectorised as well: exp is left to it up to 65,536 elements, tanh always (Zen 5, 196,608 elements:
exp 64 / 40, tanh 32 / 66).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..buffers import empty_like
from ..kernels import kernel
from . import emit
from .emit import Expression, Value
from .llvm import compiled, target
from .memory import address
from .threads import in_parts

Array = np.ndarray[Any, Any]
_PART = 64_000  # elements below which another thread is not worth waking

# operator -> its function, and from how many elements on the kernel is worth its call
FUNCTIONS: dict[str, tuple[Callable[[Expression, Value], Value], int]] = {
    "exp": (emit.exp, 65536),
    "sigmoid": (emit.sigmoid, 4096),
    "erf": (emit.erf, 512),
    "nn.functional.silu": (emit.silu, 4096),
    "nn.functional.gelu": (emit.gelu, 512),
}
_Signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


@cache
def native(name: str) -> Callable[[int, int, int], None]:
    """The compiled function of an operator: ``f(out address, in address, count)``, without GIL."""
    return _Signature(compiled(emit.elementwise(FUNCTIONS[name][0], target().lanes)))


def apply(name: str, input: Array) -> Array:
    """The function of every element, in an array of the input's layout."""
    out, run = empty_like(input), native(name)
    to, source, size = address(out), address(input), input.itemsize

    def part(first: int, last: int) -> None:
        run(to + first * size, source + first * size, last - first)

    in_parts(part, input.size, _PART)
    return out


def takes(input: Array, *args: Any, **options: Any) -> str | None:
    """Why the kernels do not take an array: they are for float32 in one piece, without options."""
    if input.dtype != np.float32:
        return f"{input.dtype}; it is for float32"
    if not (input.flags.c_contiguous or input.flags.f_contiguous):
        return "gaps between the elements"
    given = [str(a) for a in args if a]
    given += [f"{name}={value}" for name, value in options.items() if value not in (False, "none")]
    return f"the option {given[0]}" if given else None


def _register(name: str, min_size: int) -> None:
    def run(input: Array, *args: Any, **options: Any) -> Array:
        return apply(name, input)

    run.__name__ = f"vector_{name.rpartition('.')[2]}"
    kernel("numba", name, when=takes, min_size=min_size)(run)


for _name, (_, _min_size) in FUNCTIONS.items():
    _register(_name, _min_size)
