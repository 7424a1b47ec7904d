"""Threads that run the steps of a plan: a team that spins for a moment and then sleeps.

A team of n is the calling thread and n - 1 daemon threads, each of which is in one native function
for life. Work is handed over by an epoch that the caller raises; a thread that has waited for about
50 us sleeps on it in the kernel (futex), one that waits at a barrier between steps yields its
processor after a while, so that an idle team burns nothing and a busy machine is shared.

A step is four words: the kernel's address ``void kernel(ptr args, i64 part, i64 parts)``, its
arguments' address, 1 if only one thread may run it (between two such steps there is no barrier),
and one word not used. Callers take turns; what runs does not hold Python's lock.

On systems other than Linux steps run on the calling thread.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from .code import Code, Value, module
from .llvm import compiled

_LINE = 64  # bytes: each word of a team's state has a line of the cache for itself
_WORDS = ("epoch", "arrived", "phase", "done", "sleepers", "steps", "count")
_IDLE = 2000  # pauses before a thread without work sleeps, about 50 us
_PATIENCE = 400  # pauses at a barrier before a thread yields its processor
_FUTEX = {"x86_64": 202, "aarch64": 98}
_WAIT_PRIVATE, _WAKE_PRIVATE = 128, 129


class _Writer:
    """Instructions on a team's state."""

    def __init__(self, code: Code, state: Value) -> None:
        self.code, self.state = code, state

    def place(self, word: str) -> Value:
        return self.code.at("i8", self.state, str(_WORDS.index(word) * _LINE))

    def load(self, word: str) -> Value:
        return self.code.value(f"load atomic i64, ptr {self.place(word)} seq_cst, align 8")

    def store(self, word: str, value: Value) -> None:
        self.code.do(f"store atomic i64 {value}, ptr {self.place(word)} seq_cst, align 8")

    def add(self, word: str, value: int) -> Value:
        """Adds to a word; gives what it was."""
        return self.code.value(f"atomicrmw add ptr {self.place(word)}, i64 {value} seq_cst")

    def pause(self) -> None:
        if platform.machine() == "aarch64":
            self.code.call("void", "llvm.aarch64.hint", "i32 1")
        elif platform.machine() in ("x86_64", "AMD64"):
            self.code.call("void", "llvm.x86.sse2.pause")

    def wait(self, word: str, old: Value, patience: int, tired: Callable[[], None]) -> None:
        """Waits until a word is no longer ``old``; after ``patience`` pauses calls for ``tired``
        at each turn.
        """
        code = self.code
        top, again, rest, spin = (code.fresh(n) for n in ("wait", "again", "rest", "spin"))
        done = code.fresh("changed")
        before = code.block
        code.do(f"br label %{top}")
        code.label(top)
        turns = f"%{code.fresh('turns')}"
        at = len(code.lines)
        code.lines.append("")
        changed = code.value(f"icmp ne i64 {self.load(word)}, {old}")
        code.do(f"br i1 {changed}, label %{done}, label %{again}")
        code.label(again)
        long = code.value(f"icmp sge i64 {turns}, {patience}")
        code.do(f"br i1 {long}, label %{rest}, label %{spin}")
        code.label(rest)
        tired()
        rested = code.block
        code.do(f"br label %{top}")
        code.label(spin)
        self.pause()
        more = code.add(turns, 1)
        code.do(f"br label %{top}")
        code.lines[at] = (
            f"  {turns} = phi i64 [0, %{before}], [{turns}, %{rested}], [{more}, %{spin}]"
        )
        code.label(done)


def _barrier() -> Code:
    """``barrier(state, n)``: waits until all n threads are here."""
    code = Code("barrier", "ptr %state, i64 %n", internal=True)
    state = _Writer(code, "%state")
    phase = state.load("phase")
    before = state.add("arrived", 1)
    last = code.value(f"icmp eq i64 {code.add(before, 1)}, %n")
    with code.when(last):
        state.store("arrived", "0")
        state.store("phase", code.add(phase, 1))
    with code.when(code.value(f"xor i1 {last}, true")):
        state.wait("phase", phase, _PATIENCE, lambda: _yield(code))
    return code


def _yield(code: Code) -> None:
    code.call("i32", "sched_yield")


def _execute() -> Code:
    """``execute(state, steps, count, part, n)``: all steps, as one of n threads."""
    code = Code("execute", "ptr %state, ptr %steps, i64 %count, i64 %part, i64 %n", internal=True)
    first = code.value("icmp eq i64 %part, 0")
    several = code.value("icmp sgt i64 %n, 1")
    final = code.add("%count", -1)
    with code.loop("%count") as step:
        record = code.at("i64", "%steps", code.mul(step.index, 4))
        kernel, args = (
            code.value(f"load ptr, ptr {code.at('i64', record, str(i))}") for i in range(2)
        )
        alone = code.value(f"load i64, ptr {code.at('i64', record, '2')}")
        serial = code.value(f"icmp ne i64 {alone}, 0")
        parts = code.value(f"select i1 {serial}, i64 1, i64 %n")
        unlike = code.value(f"xor i1 {serial}, true")
        mine = code.value(f"or i1 {first}, {unlike}")
        with code.when(mine):
            code.do(f"call void {kernel}(ptr {args}, i64 %part, i64 {parts})")
        # Nobody waits behind the last step, nor between two that one thread runs.
        more = code.value(f"icmp slt i64 {step.index}, {final}")
        follower = code.add(step.index, 1)
        held = code.value(f"select i1 {more}, i64 {follower}, i64 {step.index}")
        next_alone = code.value(
            f"load i64, ptr {code.at('i64', '%steps', code.add(code.mul(held, 4), 2))}"
        )
        next_serial = code.value(f"icmp ne i64 {next_alone}, 0")
        both = code.value(f"and i1 {serial}, {next_serial}")
        waits = code.value(f"and i1 {more}, {code.value(f'xor i1 {both}, true')}")
        with code.when(code.value(f"and i1 {waits}, {several}")):
            code.do("call void @barrier(ptr %state, i64 %n)")
    return code


def _futex(code: Code, state: _Writer, operation: int, value: Value) -> None:
    number = _FUTEX[platform.machine()]
    code.declarations.add("declare i64 @syscall(i64, ...)")
    code.value(
        f"call i64 (i64, ...) @syscall(i64 {number}, ptr {state.place('epoch')}, i64 {operation}, "
        f"i64 {value}, ptr null)"
    )


def worker_ir() -> str:
    """``kernel(state, part, n)``: what a thread of a team does, for ever."""
    code = Code("kernel", "ptr %state, i64 %part, i64 %n")
    state = _Writer(code, "%state")

    def sleep(epoch: Value) -> None:
        state.add("sleepers", 1)
        _futex(code, state, _WAIT_PRIVATE, code.value(f"and i64 {epoch}, 4294967295"))
        state.add("sleepers", -1)

    # The epoch that is waited for is the loop's index: it goes up by one with each run.
    with code.loop(str(2**62)) as epoch:
        state.wait("epoch", epoch.index, _IDLE, lambda: sleep(epoch.index))
        steps, count = state.load("steps"), state.load("count")
        at = code.value(f"inttoptr i64 {steps} to ptr")
        code.do(f"call void @execute(ptr %state, ptr {at}, i64 {count}, i64 %part, i64 %n)")
        state.add("done", 1)
    return module(_barrier(), _execute(), code)


def leader_ir() -> str:
    """``kernel(state, steps, count, n, brief)``: hands work to the team and takes part in it.

    Brief work is done alone if the others would have to be woken.
    """
    code = Code("kernel", "ptr %state, ptr %steps, i64 %count, i64 %n, i64 %brief")
    state = _Writer(code, "%state")
    asleep = code.value(f"icmp sgt i64 {state.load('sleepers')}, 0")
    short = code.value("icmp ne i64 %brief, 0")
    alone = code.value(f"and i1 {asleep}, {short}")
    with code.when(alone):
        code.do("call void @execute(ptr %state, ptr %steps, i64 %count, i64 0, i64 1)")
    with code.when(code.value(f"xor i1 {alone}, true")):
        state.store("steps", code.value("ptrtoint ptr %steps to i64"))
        state.store("count", "%count")
        state.store("done", "0")
        state.add("epoch", 1)
        with code.when(code.value(f"icmp sgt i64 {state.load('sleepers')}, 0")):
            _futex(code, state, _WAKE_PRIVATE, str(2**31 - 1))
        code.do("call void @execute(ptr %state, ptr %steps, i64 %count, i64 0, i64 %n)")
        # ``done`` goes up by one for each of the others, so it is above what it no longer is.
        with code.loop(code.add("%n", -1)) as other:
            state.wait("done", other.index, _PATIENCE, lambda: _yield(code))
    return module(_barrier(), _execute(), code)


def _alone_ir() -> str:
    """``kernel(steps, count)``: all steps on the calling thread."""
    code = Code("kernel", "ptr %steps, i64 %count")
    code.do("call void @execute(ptr null, ptr %steps, i64 %count, i64 0, i64 1)")
    return module(_barrier(), _execute(), code)


@cache
def _alone() -> tuple[Any, Any]:
    """What runs steps on the calling thread: giving up Python's lock, and keeping it."""
    types: list[Any] = [ctypes.c_void_p, ctypes.c_int64]
    there = compiled(_alone_ir())
    return ctypes.CFUNCTYPE(None, *types)(there), ctypes.PYFUNCTYPE(None, *types)(there)


def alone(steps: int, count: int, brief: bool = False) -> None:
    """Runs steps on the calling thread. Other threads of Python wait meanwhile if it is brief:
    to take the lock again may last a thousand times as long as such work.
    """
    _alone()[brief](steps, count)


@cache
def _compiled() -> tuple[Any, Any]:
    """What a thread of a team is in for life, and what hands it work."""
    types: list[Any] = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3]
    serve = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    lead = ctypes.CFUNCTYPE(None, *types)
    return serve(compiled(worker_ir())), lead(compiled(leader_ir()))


class Team:
    """Threads that work together: the caller and ``count - 1`` others."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lock = threading.Lock()
        # Never freed: threads look at it as long as the process lives.
        self.memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.state = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        _KEPT.append(self.memory)
        serve, self.leader = _compiled()
        for part in range(1, count):
            threading.Thread(
                target=serve, args=(self.state, part, count), name=f"tensorlite-{part}", daemon=True
            ).start()

    def run(self, steps: int, count: int, brief: bool) -> None:
        with self.lock:
            self.leader(self.state, steps, count, self.count, int(brief))


_KEPT: list[Any] = []
_teams: dict[int, Team] = {}
_lock = threading.Lock()


def _forget() -> None:
    """In a forked process there are no threads but one."""
    global _lock
    _teams.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def can_share() -> bool:
    """Whether steps can be run by several threads on this system."""
    return sys.platform == "linux" and platform.machine() in _FUTEX


def run(steps: int, count: int, threads: int, brief: bool = False) -> None:
    """Runs ``count`` steps on so many threads; ``brief`` if all of it takes less than a wake-up."""
    if threads < 2 or not can_share():
        alone(steps, count, brief)
        return
    team = _teams.get(threads)
    if team is None:
        with _lock:
            team = _teams.get(threads) or _teams.setdefault(threads, Team(threads))
    team.run(steps, count, brief)
