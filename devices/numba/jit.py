"""Kernels written as Python functions over addresses, compiled by numba.

For loops that are irregular or rarely run. The machine code is kept in our own cache
(:mod:`.cache`): numba's misses silently, goes stale, and under several writers at once loads the
code of another kernel. With the code in the cache numba is not even imported.

A kernel takes addresses (``types.CPointer``) and numbers only, and calls nothing of numba's
run-time library but what is named below.
"""

from __future__ import annotations

import ctypes
import inspect
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from ...progress import progress
from .cache import key, read, write
from .llvm import load, target
from .objects import PROVIDED

_FORMAT = "1"
_TYPES = {"i8": ctypes.c_int64, "f4": ctypes.c_float, "f8": ctypes.c_double}  # "f4*" is an address
# What numba's code refers to but, in functions like these, does not call.
_UNUSED = ("numba_gil_ensure", "numba_gil_release", "NRT_MemInfo_call_dtor")
_lock = threading.RLock()
_stub = ctypes.CFUNCTYPE(None)(lambda: None)


class Jit:
    """A Python function that is compiled for this processor when it is first called."""

    def __init__(self, function: Callable[..., None], signature: str) -> None:
        self.function = function
        self.signature = signature.split()
        self.native: Callable[..., None] | None = None
        self.there = 0

    def __call__(self, *args: Any) -> None:
        (self.native or self._ready())(*args)

    def address(self) -> int:
        """Where its machine code begins, for code that calls it."""
        if not self.there:
            native: Any = self._ready()
            self.there = ctypes.cast(native, ctypes.c_void_p).value or 0
        return self.there

    def _ready(self) -> Callable[..., None]:
        with _lock:
            if self.native is None:
                self.native = self._load()
            return self.native

    def _load(self) -> Callable[..., None]:
        source = inspect.getsource(self.function)
        found = target()
        name = key(
            _FORMAT, found.cpu, found.features, version("numba"), version("llvmlite"),
            sys.version, " ".join(self.signature), source,
        )  # fmt: skip
        kept = read(name)
        if kept is None:
            with progress(f"compiling {self.function.__name__.strip('_')} for this processor"):
                symbol, code = self._compile()
            write(name, symbol.encode() + b"\n" + code)
        else:
            head, _, code = kept.partition(b"\n")
            symbol = head.decode()
        _provide_unused()
        types: list[Any] = [_TYPES.get(t, ctypes.c_void_p) for t in self.signature]
        return ctypes.CFUNCTYPE(None, *types)(load(symbol, code))

    def _compile(self) -> tuple[str, bytes]:
        """The function's symbol and object file, from numba."""
        import numba
        from numba import types

        cfunc: Any = numba.cfunc
        pointer: Any = types.CPointer
        kinds = {"u1": types.uint8, "i4": types.int32, "i8": types.int64,
                 "f4": types.float32, "f8": types.float64}  # fmt: skip
        kinds |= {f"{name}*": pointer(kind) for name, kind in kinds.items()}
        signature = types.void(*[kinds[t] for t in self.signature])
        made = cfunc(signature, nopython=True, error_model="numpy", fastmath={"contract", "nsz"})(
            self.function
        )
        return made.native_name, made._library._get_compiled_object()


def _provide_unused() -> None:
    address = ctypes.cast(_stub, ctypes.c_void_p).value
    assert address is not None
    for name in _UNUSED:
        PROVIDED.setdefault(name, address)


def jit(signature: str) -> Callable[[Callable[..., None]], Jit]:
    """Compiles the decorated function for arguments like ``"f4* f4* i8"``, on its first call."""
    return lambda function: Jit(function, signature)
