"""Eager kernels on several threads: the same results, from several callers, after a fork."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")
from tensorlite.devices.numba import threads

rng = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return tl.from_numpy(rng.standard_normal(shape).astype(np.float32)).to("numba")


# What is called, and the shapes of its arguments.
CALLS: dict[str, tuple[Any, ...]] = {
    "matmul": (tl.matmul, (700, 300), (300, 500)),
    "linear": (F.linear, (900, 400), (300, 400), (300,)),
    "conv1d": (F.conv1d, (2, 16, 3001), (20, 16, 5)),
    "conv2d": (F.conv2d, (2, 32, 31, 33), (67, 32, 3, 3), (67,)),
    "groups": (lambda x, w: F.conv2d(x, w, groups=4), (3, 32, 31, 33), (64, 8, 3, 3)),
    "small images": (F.conv2d, (9, 64, 7, 7), (128, 64, 3, 3)),
    "many channels": (F.conv2d, (1, 256, 7, 7), (600, 256, 3, 3)),
    "depthwise": (lambda x, w: F.conv2d(x, w, groups=64), (2, 64, 31, 33), (64, 1, 3, 3)),
    "softmax": (lambda x: x.softmax(-1), (999, 301)),
    "layer norm": (
        lambda x, w, b: F.layer_norm(x, (301,), w, b, 0.25), (999, 301), (301,), (301,),
    ),
    "exp": (tl.exp, (333, 1003)),
    "gelu": (F.gelu, (333, 1003)),
    "batch norm": (lambda x, w: F.batch_norm(x, w, w * w, w, w), (4, 32, 40, 41), (32,)),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 1.5), (333, 1003)),
    "clamp": (lambda x: x.clamp(-0.5, 1.5), (333, 1003)),
    "hardswish": (F.hardswish, (333, 1003)),
    "contiguous": (lambda x: x.T.contiguous(), (511, 1003)),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x), (2, 4, 200, 32)),
}  # fmt: skip
GIVEN = {name: [normal(*shape) for shape in shapes] for name, (_, *shapes) in CALLS.items()}


def call(name: str) -> Any:
    return CALLS[name][0](*GIVEN[name]).numpy()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = tl.get_num_threads()
    yield
    tl.set_num_threads(before)


def on(count: int, name: str) -> Any:
    tl.set_num_threads(count)
    return call(name)


@pytest.mark.parametrize("name", CALLS)
def test_results_do_not_depend_on_threads(name: str) -> None:
    want = on(1, name)
    for count in (2, 3, 7):
        np.testing.assert_array_equal(on(count, name), want)


@pytest.mark.parametrize("name", CALLS)
def test_where_the_team_cannot_sleep(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    want = on(1, name)
    monkeypatch.setattr(threads, "can_share", lambda: False)
    np.testing.assert_array_equal(on(3, name), want)


def test_results_are_those_of_the_reference() -> None:
    tl.set_num_threads(3)
    for name, (function, *_) in CALLS.items():
        want = function(*[x.cpu() for x in GIVEN[name]]).numpy()
        np.testing.assert_allclose(call(name), want, 2e-4, 2e-4, err_msg=name)


def test_several_callers_at_once() -> None:
    names = ["conv2d", "softmax", "linear", "gelu", "groups", "matmul"]
    want = {name: on(1, name) for name in names}
    tl.set_num_threads(3)
    wrong: list[str] = []

    def caller(start: int) -> None:
        for i in range(30):
            name = names[(start + i) % len(names)]
            if not np.array_equal(call(name), want[name]):
                wrong.append(name)

    callers = [threading.Thread(target=caller, args=(i,)) for i in range(4)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_in_a_forked_process() -> None:
    want = on(3, "conv2d")
    child = os.fork()
    if not child:
        os._exit(0 if np.array_equal(call("conv2d"), want) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_part_is_smaller_than_is_worth_it() -> None:
    seen: list[int] = []

    @threads._Part
    def kernel(args: int, part: int, parts: int) -> None:
        seen.append(parts)

    there = ctypes.cast(kernel, ctypes.c_void_p).value
    assert there is not None
    tl.set_num_threads(4)
    for most in (0, 1, 2, 3, 9):
        seen.clear()
        threads.run_parts(there, np.zeros(1, np.int64), most)
        parts = max(1, min(most, 4))
        assert seen == [parts] * parts
