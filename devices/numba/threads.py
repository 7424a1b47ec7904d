"""Work of eager kernels split over threads: by the team that runs plans, without Python between.

Machine code comes in two forms: ``f(ptr args, i64 part, i64 parts)``, which takes its part itself,
and ``f(words..., i64 first, i64 last)``, which does a range of the work (:class:`Native`).
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from ...threads import get_num_threads
from .code import Code, Value, module
from .fused import Words, share
from .llvm import compiled
from .memory import address
from .pool import Work, can_share, shared

Array = np.ndarray[Any, Any]
_TYPES = {"i": ctypes.c_int64, "p": ctypes.c_void_p, "f": ctypes.c_float}
_Part = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_part = cache(_Part)


class Native:
    """Machine code ``f(words..., first, last)``, at an address.

    ``kinds`` has a letter for each word: ``p`` an address, ``i`` a number, ``f`` a float32.
    """

    def __init__(self, there: int, kinds: str) -> None:
        self.there, self.kinds = there, kinds
        types: list[Any] = [_TYPES[k] for k in kinds]
        self.run = ctypes.CFUNCTYPE(None, *types, ctypes.c_int64, ctypes.c_int64)(there)
        self.floats = [i for i, k in enumerate(kinds) if k == "f"]

    def over(self, count: int, least: int, *words: Any) -> None:
        """All of ``range(count)``; no thread does less than ``least`` of it."""
        parts = count // max(least, 1)
        if parts < 2 or get_num_threads() < 2:
            self.run(*words, 0, count)
        else:
            block = self._block(count, words)
            run_parts(_ranged(self.kinds), block, parts)

    def _block(self, count: int, words: Sequence[Any]) -> Array:
        given = list(words)
        for i in self.floats:
            (given[i],) = struct.unpack("<i", struct.pack("<f", given[i]))
        return np.array([self.there, count, *given], np.int64)


def one_after_another(
    calls: Sequence[tuple[Native, Sequence[Any]]], count: int, least: int
) -> None:
    """Several calls over the same range, each thread with its part of all of them."""
    parts = count // max(least, 1)
    if len(calls) == 1 or parts < 2 or get_num_threads() < 2:
        for native, words in calls:
            native.over(count, least, *words)
        return
    blocks = [native._block(count, words) for native, words in calls]
    steps = [w for (native, _), b in zip(calls, blocks, strict=True)
             for w in (_ranged(native.kinds), address(b))]  # fmt: skip
    run_parts(_sequence(), np.array([len(calls), *steps], np.int64), parts)


def run_parts(kernel: int, block: Array, most: int) -> None:
    """``kernel(block, part, parts)`` for all parts, of which there are ``most`` at most."""
    threads = get_num_threads()
    if most < 2 or threads < 2:
        _part(kernel)(address(block), 0, 1)
    elif can_share():
        _step().run(threads, kernel, address(block), most)
    else:
        _with_python(kernel, address(block), min(most, threads))


# What the team runs


class _Step:
    """One step of work whose words change from run to run: all parts are done before the next."""

    def __init__(self) -> None:
        self.words = np.zeros(3, np.int64)
        self.work = Work(np.array([[_limited(), address(self.words), 0, 0]], np.int64))
        self.work.held = self.words

    def run(self, threads: int, *words: int) -> None:
        self.words[:] = words
        shared(self.work, threads)


_here = threading.local()


def _step() -> _Step:
    found: _Step | None = getattr(_here, "step", None)
    if found is None:
        found = _here.step = _Step()
    return found


def _call(code: Code, kernel: Value, block: Value, part: Value, parts: Value) -> None:
    code.do(f"call void {kernel}(ptr {block}, i64 {part}, i64 {parts})")


@cache
def _limited() -> int:
    """A kernel with no more parts than it is worth: its words are kernel, arguments, most parts."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    kernel, block, most = words.next("ptr"), words.next("ptr"), words.next()
    fewer = code.value(f"icmp slt i64 %parts, {most}")
    parts = code.value(f"select i1 {fewer}, i64 %parts, i64 {most}")
    with code.when(code.value(f"icmp slt i64 %part, {parts}")):
        _call(code, kernel, block, "%part", parts)
    return compiled(module(code))


@cache
def _ranged(kinds: str) -> int:
    """This part's range of a :class:`Native`: its words are the function, the count, its words."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    words = Words(code)
    function, count = words.next("ptr"), words.next()
    first, last = share(code, count)
    types = {"i": "i64", "p": "ptr", "f": "float"}
    given = "".join(f"{types[k]} {words.next(types[k])}, " for k in kinds)
    with code.when(code.value(f"icmp slt i64 {first}, {last}")):
        code.do(f"call void {function}({given}i64 {first}, i64 {last})")
    return compiled(module(code))


@cache
def _sequence() -> int:
    """Kernels one after another: how many, and for each its address and that of its arguments."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    count = code.value("load i64, ptr %args")
    with code.loop(count) as step:
        at = code.at("i64", "%args", code.add(code.mul(step.index, 2), 1))
        kernel = code.value(f"load ptr, ptr {at}")
        block = code.value(f"load ptr, ptr {code.at('i64', at, '1')}")
        _call(code, kernel, block, "%part", "%parts")
    return compiled(module(code))


# Systems on which the team cannot sleep

_pools: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)


def _with_python(kernel: int, block: int, parts: int) -> None:
    run = _part(kernel)
    pool = _pools.get(parts)
    if pool is None:
        pool = _pools.setdefault(parts, ThreadPoolExecutor(parts - 1, "tensorlite"))
    rest = [pool.submit(run, block, i, parts) for i in range(1, parts)]
    run(block, 0, parts)
    for each in rest:
        each.result()
