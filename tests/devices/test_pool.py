"""The team of threads that runs a plan's steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from tensorlite.devices.numba import pool
from tensorlite.devices.numba.code import Code, module
from tensorlite.devices.numba.llvm import compiled

linux = pytest.mark.skipif(not pool.can_share(), reason="threads share steps on Linux only")
THREADS = (1, 2, 3, 7)


def adding() -> int:
    """``to[i] = from[n - 1 - i] + 1``: every part needs what another part wrote before."""
    code = Code("kernel", "ptr %args, i64 %part, i64 %parts")
    to, source, n = (
        code.value(f"load {kind}, ptr {code.at('i64', '%args', str(i))}")
        for i, kind in enumerate(("ptr", "ptr", "i64"))
    )
    first = code.value(f"sdiv i64 {code.mul(n, '%part')}, %parts")
    last = code.value(f"sdiv i64 {code.mul(n, code.add('%part', 1))}, %parts")
    end = code.add(n, -1)
    with code.loop(last, first) as i:
        mirrored = code.value(f"sub i64 {end}, {i.index}")
        value = code.value(f"load i64, ptr {code.at('i64', source, mirrored)}")
        code.do(f"store i64 {code.add(value, 1)}, ptr {code.at('i64', to, i.index)}")
    return compiled(module(code))


class Chain:
    """Steps that add one to what the step before gave, to and fro between two arrays."""

    def __init__(self, steps: int, n: int, serial: bool = False) -> None:
        self.arrays = [np.zeros(n, np.int64), np.zeros(n, np.int64)]
        self.words = []
        records = []
        for i in range(steps):
            to, source = self.arrays[(i + 1) % 2], self.arrays[i % 2]
            self.words.append(np.array([to.ctypes.data, source.ctypes.data, n], np.int64))
            alone = int(serial and i % 5 in (1, 2, 4))
            records.append((adding(), self.words[-1].ctypes.data, alone, 0))
        self.records = np.array(records, np.int64)
        self.work = pool.Work(self.records)

    def check(self, threads: int, brief: bool = False) -> None:
        start = np.arange(len(self.arrays[0]))
        self.arrays[0][:], self.arrays[1][:] = start, -1000
        self.work.run(threads, brief)
        steps = len(self.records)
        expected = (start if steps % 2 == 0 else start[::-1]) + steps
        np.testing.assert_array_equal(self.arrays[steps % 2], expected)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("serial", [False, True])
def test_each_step_sees_all_of_the_one_before(threads: int, serial: bool) -> None:
    for steps, n in ((1, 5), (2, 1), (40, 16), (300, 64)):
        chain = Chain(steps, n, serial)
        for _ in range(5):
            chain.check(threads)
            chain.check(threads, brief=True)


def test_threads_that_sleep_are_woken() -> None:
    chain = Chain(50, 32)
    for _ in range(5):
        time.sleep(0.005)
        chain.check(2)


def test_callers_take_turns() -> None:
    failed: list[BaseException] = []

    def call(threads: int) -> None:
        chain = Chain(60, 24)
        try:
            for _ in range(50):
                chain.check(threads)
        except BaseException as error:
            failed.append(error)

    callers = [threading.Thread(target=call, args=(n,)) for n in (2, 2, 3, 1)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not failed


@linux
def test_a_child_has_a_team_of_its_own() -> None:
    chain = Chain(40, 16)
    chain.check(2)
    child = os.fork()
    if child == 0:
        try:
            chain.check(2)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    chain.check(2)


@linux
def test_a_child_made_in_the_midst_of_a_run_does_it_anew() -> None:
    chain = Chain(20_000, 64)  # some 20 ms
    runner = threading.Thread(target=chain.check, args=(2,))
    runner.start()
    time.sleep(0.005)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends a child that hangs
        try:
            chain.check(2)
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    runner.join()


@linux
@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_the_interpreter_ends_while_threads_spin_or_sleep(pause: float) -> None:
    code = (
        "import time, tensorlite as tl\n"
        "tl.set_num_threads(3)\n"
        "net = tl.nn.Sequential(tl.nn.Linear(64, 64), tl.nn.ReLU())\n"
        "x = tl.randn(8, 64)\n"
        "net.compile(x)(x)\n"
        f"time.sleep({pause})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()


@linux
def test_an_idle_team_burns_nothing() -> None:
    Chain(10, 16).check(3)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.1
