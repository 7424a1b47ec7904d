"""Threads that run steps of plans and eager kernels: a team that helps itself, spins, then sleeps.

A team of n is the calling thread and n - 1 daemon threads, each of which is in one native function
for life. A step is four words: the kernel's address ``void kernel(ptr args, i64 part, i64 parts)``,
its arguments' address, 1 if it has one part only (else it has n), and one word not used.

Each thread claims its own part of a step, does it, and waits until all parts are done. One that
waits for longer than a few microseconds claims parts that nobody has begun: a thread whose
processor has been taken away (these are shared) then holds up nobody but with what it is in the
midst of. It finds the steps done when it comes back, and goes on to where the others are. Claims
are numbers of runs, so nothing has to be cleared: in run r a part is free while its word is r - 1.

Work is handed over by an epoch, which is odd while the words about the work are being written. A
thread that has waited for about 200 us sleeps on the epoch in the kernel (futex), and nobody waits
for it to wake up. Callers take turns; what runs does not hold Python's lock.

On systems other than Linux steps run on the calling thread.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from .code import Code, Value, module
from .llvm import compiled

Array = np.ndarray[Any, Any]
_LINE = 64  # bytes: what threads write has a line of the cache for itself
_WORDS = ("epoch", "sleepers", "steps", "claims", "count", "run")
# From this line on, for each thread: the last epoch that it has gone through, and its number in the
# system; behind them a bit for each processor that the process may use.
_SEEN = len(_WORDS)
_IDLE = 8000  # pauses before a thread without work sleeps, about 200 us
_PATIENCE = 150  # pauses before a thread that waits looks for work left undone
_KEPT_WORK = 64  # pieces of work that a team remembers
_FUTEX = {"x86_64": 202, "aarch64": 98}
_SETAFFINITY = {"x86_64": 203, "aarch64": 122}
_MASK = 128  # bytes: a bit for each of 1,024 processors
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


def _wait(code: Code, ready: Callable[[], Value], patience: int, tired: Callable[[], None]) -> None:
    """Waits until ``ready()`` is true; after ``patience`` pauses calls for ``tired`` each time."""
    top, again, rest, spin = (code.fresh(n) for n in ("wait", "again", "rest", "spin"))
    done = code.fresh("ready")
    before = code.block
    code.do(f"br label %{top}")
    code.label(top)
    turns = f"%{code.fresh('turns')}"
    at = len(code.lines)
    code.lines.append("")
    code.do(f"br i1 {ready()}, label %{done}, label %{again}")
    code.label(again)
    long = code.value(f"icmp sge i64 {turns}, {patience}")
    code.do(f"br i1 {long}, label %{rest}, label %{spin}")
    code.label(rest)
    tired()
    rested = code.block
    code.do(f"br label %{top}")
    code.label(spin)
    _pause(code)
    more = code.add(turns, 1)
    code.do(f"br label %{top}")
    code.lines[at] = f"  {turns} = phi i64 [0, %{before}], [{turns}, %{rested}], [{more}, %{spin}]"
    code.label(done)


def _pause(code: Code) -> None:
    if platform.machine() == "aarch64":
        code.call("void", "llvm.aarch64.hint", "i32 1")
    elif platform.machine() in ("x86_64", "AMD64"):
        code.call("void", "llvm.x86.sse2.pause")


def _record(code: Code, step: Value) -> tuple[Value, Value, Value]:
    """A step's kernel, its arguments, and whether it has one part only."""
    record = code.at("i64", "%steps", code.mul(step, 4))
    kernel, args = (code.value(f"load ptr, ptr {code.at('i64', record, str(i))}") for i in range(2))
    single = code.value(f"load i64, ptr {code.at('i64', record, '2')}")
    return kernel, args, code.value(f"icmp ne i64 {single}, 0")


def _attempt() -> Code:
    """``attempt(kernel, args, claim, done, run, part, parts)``: a part, if nobody has begun it."""
    code = Code(
        "attempt",
        "ptr %kernel, ptr %args, ptr %claim, ptr %done, i64 %run, i64 %part, i64 %parts",
        internal=True,
    )
    free = code.add("%run", -1)
    pair = code.value(f"cmpxchg ptr %claim, i64 {free}, i64 %run acq_rel acquire")
    with code.when(code.value(f"extractvalue {{ i64, i1 }} {pair}, 1")):
        code.do("call void %kernel(ptr %args, i64 %part, i64 %parts)")
        code.value("atomicrmw add ptr %done, i64 1 acq_rel")
    return code


def _execute() -> Code:
    """``execute(steps, claims, count, run, part, n)``: all steps, as one of n threads.

    A step's claims are a line for each part and one for how many parts were ever done.
    """
    code = Code(
        "execute", "ptr %steps, ptr %claims, i64 %count, i64 %run, i64 %part, i64 %n",
        internal=True,
    )  # fmt: skip
    stride = code.mul(code.add("%n", 1), _LINE)
    last_line = code.mul("%n", _LINE)
    with code.loop("%count") as step:
        kernel, args, single = _record(code, step.index)
        parts = code.value(f"select i1 {single}, i64 1, i64 %n")
        base = code.at("i8", "%claims", code.mul(step.index, stride))
        done = code.at("i8", base, last_line)
        target = code.value(f"mul i64 %run, {parts}")

        def attempt(part: Value) -> None:
            claim = code.at("i8", base, code.mul(part, _LINE))
            code.do(
                f"call void @attempt(ptr {kernel}, ptr {args}, ptr {claim}, ptr {done}, "
                f"i64 %run, i64 {part}, i64 {parts})"
            )

        def ready() -> Value:
            now = code.value(f"load atomic i64, ptr {done} acquire, align 8")
            return code.value(f"icmp sge i64 {now}, {target}")

        def help_out() -> None:
            with code.loop(parts) as other:
                attempt(other.index)
            code.call("i32", "sched_yield")

        with code.when(code.value(f"icmp slt i64 %part, {parts}")):
            attempt("%part")
        _wait(code, ready, _PATIENCE, help_out)
    return code


def _futex(code: Code, state: _Writer, operation: int, value: Value) -> None:
    number = _FUTEX[platform.machine()]
    code.declarations.add("declare i64 @syscall(i64, ...)")
    code.value(
        f"call i64 (i64, ...) @syscall(i64 {number}, ptr {state.place('epoch')}, i64 {operation}, "
        f"i64 {value}, ptr null)"
    )


def _elsewhere(code: Code) -> None:
    """Keeps the others off the processor that the caller is on.

    The system wakes a thread where its waker is, if it can, and there it would wait for the waker.
    """
    own = code.value("alloca [16 x i64], align 64")
    lines = code.mul(code.add("%n", _SEEN), _LINE)
    allowed = code.at("i8", "%state", lines)
    code.call("void", "llvm.memcpy.p0.p0.i64", f"ptr {own}", f"ptr {allowed}",
              f"i64 {_MASK}", "i1 false")  # fmt: skip
    here = code.value(f"zext i32 {code.call('i32', 'sched_getcpu')} to i64")
    bit = code.value(f"shl i64 1, {code.value(f'and i64 {here}, 63')}")
    word = code.at("i64", own, code.value(f"lshr i64 {code.value(f'and i64 {here}, 1023')}, 6"))
    others = code.value(f"and i64 {code.value(f'load i64, ptr {word}')}, "
                        f"{code.value(f'xor i64 {bit}, -1')}")  # fmt: skip
    code.do(f"store i64 {others}, ptr {word}")
    number = _SETAFFINITY[platform.machine()]
    code.declarations.add("declare i64 @syscall(i64, ...)")
    with code.loop("%n", "1") as part:
        line = code.mul(code.add(part.index, _SEEN), _LINE)
        place = code.at("i8", "%state", code.add(line, 8))
        thread = code.value(f"load i64, ptr {place}")
        # A thread that has just been made has no number yet, and 0 would be the caller.
        with code.when(code.value(f"icmp ne i64 {thread}, 0")):
            code.value(
                f"call i64 (i64, ...) @syscall(i64 {number}, i64 {thread}, i64 {_MASK}, ptr {own})"
            )


def _anywhere(code: Code) -> None:
    """Lets the calling thread be on all processors of the process again."""
    allowed = code.at("i8", "%state", code.mul(code.add("%n", _SEEN), _LINE))
    number = _SETAFFINITY[platform.machine()]
    code.declarations.add("declare i64 @syscall(i64, ...)")
    code.value(f"call i64 (i64, ...) @syscall(i64 {number}, i64 0, i64 {_MASK}, ptr {allowed})")


def worker_ir() -> str:
    """``kernel(state, part, n)``: what a thread of a team does, for ever."""
    code = Code("kernel", "ptr %state, i64 %part, i64 %n")
    state = _Writer(code, "%state")
    seen = code.at("i8", "%state", code.mul(code.add("%part", _SEEN), _LINE))
    with code.loop(str(2**62)):
        last = code.value(f"load atomic i64, ptr {seen} seq_cst, align 8")

        def changed() -> Value:
            return code.value(f"icmp ne i64 {state.load('epoch')}, {last}")

        def sleep() -> None:
            state.add("sleepers", 1)
            _futex(code, state, _WAIT_PRIVATE, code.value(f"and i64 {last}, 4294967295"))
            state.add("sleepers", -1)
            _anywhere(code)

        _wait(code, changed, _IDLE, sleep)
        epoch = state.load("epoch")
        steps, claims, count, run = (state.load(w) for w in ("steps", "claims", "count", "run"))
        # What was read belongs together if the epoch is even and still the same.
        same = code.value(f"icmp eq i64 {state.load('epoch')}, {epoch}")
        even = code.value(f"icmp eq i64 {code.value(f'and i64 {epoch}, 1')}, 0")
        with code.when(code.value(f"and i1 {same}, {even}")):
            places = [code.value(f"inttoptr i64 {x} to ptr") for x in (steps, claims)]
            code.do(
                f"call void @execute(ptr {places[0]}, ptr {places[1]}, i64 {count}, i64 {run}, "
                "i64 %part, i64 %n)"
            )
            code.do(f"store atomic i64 {epoch}, ptr {seen} seq_cst, align 8")
    return module(_attempt(), _execute(), code)


def leader_ir() -> str:
    """``kernel(state, steps, claims, count, run, n)``: hands work to the team and takes part."""
    code = Code("kernel", "ptr %state, ptr %steps, ptr %claims, i64 %count, i64 %run, i64 %n")
    state = _Writer(code, "%state")
    state.add("epoch", 1)
    state.store("steps", code.value("ptrtoint ptr %steps to i64"))
    state.store("claims", code.value("ptrtoint ptr %claims to i64"))
    state.store("count", "%count")
    state.store("run", "%run")
    state.add("epoch", 1)
    with code.when(code.value(f"icmp sgt i64 {state.load('sleepers')}, 0")):
        _elsewhere(code)
        _futex(code, state, _WAKE_PRIVATE, str(2**31 - 1))
    code.do("call void @execute(ptr %steps, ptr %claims, i64 %count, i64 %run, i64 0, i64 %n)")
    return module(_attempt(), _execute(), code)


def _alone_ir() -> str:
    """``kernel(steps, count)``: all steps on the calling thread."""
    code = Code("kernel", "ptr %steps, i64 %count")
    with code.loop("%count") as step:
        kernel, args, _ = _record(code, step.index)
        code.do(f"call void {kernel}(ptr {args}, i64 0, i64 1)")
    return module(code)


@cache
def _alone() -> tuple[Any, Any]:
    """What runs steps on the calling thread: giving up Python's lock, and keeping it."""
    types: list[Any] = [ctypes.c_void_p, ctypes.c_int64]
    there = compiled(_alone_ir())
    return ctypes.CFUNCTYPE(None, *types)(there), ctypes.PYFUNCTYPE(None, *types)(there)


@cache
def _compiled() -> tuple[Any, Any]:
    """What a thread of a team is in for life, and what hands it work."""
    types: list[Any] = [*[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 3]
    serve = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    lead = ctypes.CFUNCTYPE(None, *types)
    return serve(compiled(worker_ir())), lead(compiled(leader_ir()))


class Team:
    """Threads that work together: the caller and ``count - 1`` others."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.lock = threading.Lock()
        # Never freed: threads look at it as long as the process lives.
        self.memory = mmap.mmap(-1, (_SEEN + count) * _LINE + _MASK)
        _KEPT.append(self.memory)
        self.state = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        whole = np.frombuffer(self.memory, np.int64)
        self.words = whole[: -_MASK // 8].reshape(-1, _LINE // 8)
        for processor in os.sched_getaffinity(0):
            if processor < 8 * _MASK:
                bit = np.uint64(1) << np.uint64(processor % 64)
                whole[-_MASK // 8 :].view(np.uint64)[processor // 64] |= bit
        self.recent: dict[int, tuple[int, Work, Array]] = {}
        serve, self.leader = _compiled()

        def member(part: int) -> None:
            self.words[_SEEN + part, 1] = threading.get_native_id()
            serve(self.state, part, count)

        for part in range(1, count):
            threading.Thread(
                target=member, args=(part,), name=f"tensorlite-{part}", daemon=True
            ).start()

    def run(self, work: Work) -> None:
        """All steps of some work."""
        with self.lock:
            claims = work.claims(self.count)
            claims.runs += 1
            # Threads that come late still look at it; it stays until they have seen a later epoch.
            self.recent[claims.address] = int(self.words[0, 0]) + 2, work, claims.array
            if len(self.recent) > _KEPT_WORK:
                seen = int(self.words[_SEEN + 1 :, 0].min())
                self.recent = {k: kept for k, kept in self.recent.items() if kept[0] > seen}
            self.leader(
                self.state, work.address, claims.address, work.count, claims.runs, self.count
            )


class Claims:
    """Who has begun which part of some work's steps, for teams of one size."""

    def __init__(self, steps: int, threads: int) -> None:
        words = _LINE // 8
        room = np.zeros((steps * (threads + 1) + 1) * words, np.int64)
        start = -room.ctypes.data % _LINE // 8
        self.array = room[start:]
        self.address = int(self.array.ctypes.data)
        self.runs = 0


class Work:
    """Steps to be run together, many times: an array of four words for each."""

    def __init__(self, records: Array) -> None:
        self.records = records
        self.count = len(records)
        self.address = int(records.ctypes.data)
        self.by_team: dict[tuple[int, int], Claims] = {}
        self.alone = self.together = math.inf  # the least seconds of a run
        self.held: Any = None  # what the steps' arguments are in

    def claims(self, threads: int) -> Claims:
        key = threads, _forks
        found = self.by_team.get(key)
        if found is None:
            found = self.by_team[key] = Claims(self.count, threads)
        return found

    def briefly(self) -> Callable[[], None]:
        """What runs all steps on the calling thread, and keeps Python's lock."""
        return partial(_alone()[True], self.address, self.count)

    def run(self, threads: int, brief: bool = False) -> None:
        """All steps on so many threads, or on the calling one if that is brief.

        Other threads of Python wait while brief work is done: to take the lock again may last a
        thousand times as long.
        """
        global _alone_until, _stalls
        if brief or threads < 2 or not can_share():
            _alone()[brief](self.address, self.count)
            return
        start = time.perf_counter()
        if start < _alone_until:
            _alone()[False](self.address, self.count)
            self.alone = min(self.alone, time.perf_counter() - start)
            return
        _team(threads).run(self)
        end = time.perf_counter()
        self.together = min(self.together, end - start)
        if end - start > min(self.alone, 2 * self.together) + _STALL:
            _stalls += 1
            if _stalls > 1:
                _alone_until = end + min(_SHORTEST * 2**_stalls, _LONGEST)
        else:
            _stalls = 0


def shared(work: Work, threads: int) -> None:
    """All steps of work that takes another time in each run."""
    if time.perf_counter() < _alone_until:
        _alone()[False](work.address, work.count)
    else:
        _team(threads).run(work)


def _team(threads: int) -> Team:
    found = _teams.get(threads)
    if found is None:
        with _lock:
            found = _teams.get(threads) or _teams.setdefault(threads, Team(threads))
    return found


# A thread that another program's has taken the processor from holds all up, for milliseconds:
# after several such runs in a row the caller works alone for a while. One by itself says nothing:
# the first run after a pause takes longer, too.
_STALL = 1e-3  # seconds that a run may take longer than it should
_SHORTEST, _LONGEST = 0.5e-3, 64e-3
_stalls = 0
_alone_until = 0.0

_KEPT: list[Any] = []
_teams: dict[int, Team] = {}
_lock = threading.Lock()
_forks = 0  # how often this process is a child of one that had teams


def _forget() -> None:
    """In a forked process there are no threads but one; what others had begun will not be done,
    so claims begin anew.
    """
    global _lock, _forks
    _forks += 1
    _teams.clear()
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def can_share() -> bool:
    """Whether steps can be run by several threads on this system."""
    return sys.platform == "linux" and platform.machine() in _FUTEX
