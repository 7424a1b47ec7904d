"""Kernels of functions of one number over float32 arrays that lie in one piece.

Measured on a Zen 5 core with AVX-512 (us, a call of the operator, cpu / numba / PyTorch):

    elements            1,000             16,000               1,000,000
    sigmoid   2.7 / 2.2 / 1.1   10.9 / 4.6 / 4.2   637  /  178 /    224
    silu      2.5 / 2.4 / 1.4    9.6 / 4.7 / 4.5   644  /  201 /    230
    gelu     10.7 / 2.5 / 5.0     84 / 4.6 / 7.7   14e3 /  351 /    481

The kernel's call costs about 1.2 us, hence the smallest sizes below. NumPy's own exp and tanh are
vectorised as well: exp is left to it up to 16,384 elements, tanh always.
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
from .code import Code, module
from .emit import Expression, Value
from .fused import Words, share
from .llvm import compiled, target
from .memory import address
from .threads import run_parts

Array = np.ndarray[Any, Any]
_FLOAT = np.dtype(np.float32)
_PART = 64_000  # elements below which another thread is not worth waking

# operator -> its function, and from how many elements on the kernel is worth its call
FUNCTIONS: dict[str, tuple[Callable[[Expression, Value], Value], int]] = {
    "exp": (emit.exp, 16384),
    "sigmoid": (emit.sigmoid, 768),
    "erf": (emit.erf, 512),
    "nn.functional.silu": (emit.silu, 768),
    "nn.functional.gelu": (emit.gelu, 512),
}
_Signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


@cache
def native(name: str) -> Callable[[int, int, int], None]:
    """The compiled function of an operator: ``f(out address, in address, count)``, without GIL."""
    return _Signature(_place(name))


@cache
def _place(name: str) -> int:
    return compiled(emit.elementwise(FUNCTIONS[name][0], target().lanes))


def apply(name: str, input: Array) -> Array:
    """The function of every element, in an array of the input's layout."""
    out, run = empty_like(input), native(name)
    to, source = address(out), address(input)
    if input.size < 2 * _PART:
        run(to, source, input.size)
        return out
    block = np.array([_place(name), to, source, input.size], np.int64)
    run_parts(_slices(), block, input.size // _PART)
    return out


@cache
def _slices() -> int:
    """A part of the elements: the words are the function's address, and what it takes."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    function, out, x = (words.next("ptr") for _ in range(3))
    first, last = share(code, words.next(), target().lanes)
    places = [code.at("float", base, first) for base in (out, x)]
    count = code.value(f"sub i64 {last}, {first}")
    code.do(f"call void {function}(ptr {places[0]}, ptr {places[1]}, i64 {count})")
    return compiled(module(code))


def takes(input: Array, *args: Any, **options: Any) -> str | None:
    """Why the kernels do not take an array: they are for float32 in one piece, without options."""
    if input.dtype is not _FLOAT and input.dtype != _FLOAT:
        return f"{input.dtype}; it is for float32"
    if not (input.flags.c_contiguous or input.flags.f_contiguous):
        return "gaps between the elements"
    if not args and not options:
        return None
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
