"""Memory that large results take again: never while anything can still see it."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
from tensorlite.devices import buffers

SHAPE = (512, 512)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    buffers.clear()
    yield
    buffers.clear()


def _shares(a: Any, held: Any) -> bool:
    return bool(np.shares_memory(a, np.asarray(held)))


def _again(held: Any) -> bool:
    """Whether any of several new buffers lies where something held is."""
    gc.collect()
    return any([_shares(buffers.empty(SHAPE, np.float32), held) for _ in range(4)])


pooled = pytest.mark.skipif(
    sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)(),
    reason="counts of references tell nothing here",
)


@pooled
def test_memory_is_taken_again_when_nobody_holds_it() -> None:
    first = buffers.empty(SHAPE, np.float32)
    place = first.ctypes.data
    second = buffers.empty(SHAPE, np.float32)
    assert second.ctypes.data != place
    del first
    third = buffers.empty(SHAPE, np.float32)
    assert third.ctypes.data == place and not np.shares_memory(second, third)


HOLDERS: dict[str, Any] = {
    "array": lambda a: a,
    "view": lambda a: a[1:],
    "view of a view": lambda a: a[1:].T[3:][::2],
    "other dtype": lambda a: a.view(np.int32),
    "one element": lambda a: a[5:6, 7:8],
    "memoryview": memoryview,
    "memoryview of a view": lambda a: memoryview(a[3:])[1:],
    "tensor": tl.from_numpy,
    "view of a tensor": lambda a: tl.from_numpy(a)[3:].reshape(-1)[9:],
    "tensor.numpy()": lambda a: tl.from_numpy(a)[3:].numpy(),
    "dlpack": lambda a: np.from_dlpack(a[1:]),
    "broadcast": lambda a: np.broadcast_to(a[0], (3, 512)),
    "iterator": lambda a: iter(a),
    "base": lambda a: a.base,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_whatever_holds_it_keeps_it(name: str) -> None:
    held = HOLDERS[name](buffers.empty(SHAPE, np.float32))
    seen = next(held) if name == "iterator" else held
    seen = seen.numpy() if isinstance(seen, tl.Tensor) else seen
    assert not _again(seen)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("+-*x"), st.integers(0, 30)), max_size=40), st.data())
def test_results_stay_what_they_are(steps: list[tuple[str, int]], data: Any) -> None:
    """Any order of additions, views kept and results dropped."""
    start = np.arange(1 << 17, dtype=np.float32) % 7
    kept: list[tuple[tl.Tensor, np.ndarray[Any, Any]]] = [(tl.from_numpy(start), start)]
    for kind, index in steps:
        tensor, array = kept[index % len(kept)]
        if kind == "+" and len(array) == len(start):
            kept.append((tensor + 1.0, array + 1))
        elif kind == "-" and len(kept) > 1:
            del kept[index % len(kept)]
        elif kind == "*":
            kept.append((tl.relu(tensor), np.maximum(array, 0)))
        elif len(array) > 50:
            kept.append((tensor[index:], array[index:]))
    for tensor, array in kept:
        np.testing.assert_array_equal(tensor.numpy(), array)


def test_threads_never_share() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(200):
            held = [buffers.empty((1 << 16,), np.float32) for _ in range(1 + turn % 3)]
            for place, array in enumerate(held):
                array[::4096] = number * 10 + place
            for place, array in enumerate(held):
                if (array[::4096] != number * 10 + place).any():
                    wrong.append(number)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_has_its_own() -> None:
    held = buffers.empty(SHAPE, np.float32)
    held[:] = 3
    dropped = buffers.empty(SHAPE, np.float32)
    del dropped
    with buffers._lock:
        child = os.fork()
        if child == 0:
            taken = [buffers.empty(SHAPE, np.float32) for _ in range(3)]
            for array in taken:
                array[:] = 9
            os._exit(0 if (held == 3).all() and not any(_shares(a, held) for a in taken) else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0 and (held == 3).all()


@given(
    st.lists(st.integers(0, 600), max_size=3),
    st.sampled_from(["float32", "float64", "int8", "bool", "complex64"]), st.sampled_from("CF"),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_is_what_numpy_gives_but_for_the_contents(shape: list[int], dtype: str, order: str) -> None:
    shape = [min(n, 60) for n in shape] if len(shape) > 2 else shape
    have, want = buffers.empty(shape, dtype, order), np.empty(shape, dtype, order)  # type: ignore[call-overload]
    assert (have.shape, have.dtype) == (want.shape, want.dtype)
    assert have.flags.writeable and have.flags.aligned
    assert have.flags.c_contiguous == want.flags.c_contiguous
    assert have.flags.f_contiguous == want.flags.f_contiguous
    have[...] = 1
    assert have.ctypes.data % 64 == 0 or have.nbytes < buffers.LEAST


@given(st.permutations(range(4)), st.sampled_from([1, 2, -1]))
@settings(max_examples=30, deadline=None)
def test_like_keeps_the_order_of_dimensions(order: list[int], step: int) -> None:
    array = np.ones((2, 32, 64, 40), np.float32)[..., ::step].transpose(order)
    have, want = buffers.empty_like(array), np.empty_like(array)
    assert (have.shape, have.dtype, have.strides) == (want.shape, want.dtype, want.strides)


@pooled
def test_what_is_kept_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "LIMIT", 3 << 20)
    for size in range(1, 20):
        buffers.empty((size << 18,), np.uint8)
        assert sum(k * len(s) for k, s in buffers._shelves.items()) <= 3 << 20
    held = [buffers.empty((1 << 20,), np.uint8) for _ in range(12)]
    for place, array in enumerate(held):
        array[:] = place
    assert all((array == place).all() for place, array in enumerate(held))


@pooled
def test_small_and_huge_arrays_are_numpys() -> None:
    assert buffers.empty((4,), np.float32).base is None
    assert buffers.empty((buffers.LEAST,), np.uint8).base is not None
    assert buffers.empty((buffers._MOST + 1,), np.uint8).base is None
    assert buffers.empty((0, 1 << 30), np.float32).shape == (0, 1 << 30)


def test_without_counts_it_is_numpys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_IDLE", -1)
    assert buffers.empty(SHAPE, np.float32).base is None


@pytest.mark.parametrize("name", ["add", "mul", "maximum", "relu", "sqrt", "neg", "exp"])
@pytest.mark.parametrize("cut", [slice(None), slice(None, None, 2), slice(None, None, -1)])
def test_large_results_are_those_of_numpy(name: str, cut: slice) -> None:
    x = np.random.default_rng(0).standard_normal((600, 500)).astype(np.float32)
    x[0, :5] = [np.nan, np.inf, -np.inf, -0.0, 1e-45]
    numpys: Any = {"mul": np.multiply, "neg": np.negative, "relu": lambda a: np.maximum(a, 0)}
    function, other = numpys.get(name) or getattr(np, name), x[::-1][:, cut]
    for array in (x[:, cut], x.T[cut], x[cut]):
        two = name in ("add", "mul", "maximum")
        second = (other if other.shape == array.shape else np.float32(2),) if two else ()
        with np.errstate(all="ignore"):
            want = function(array, *second)
        have = getattr(tl, name)(tl.from_numpy(array), *(tl.tensor(b) for b in second))
        np.testing.assert_array_equal(have.numpy(), want)
