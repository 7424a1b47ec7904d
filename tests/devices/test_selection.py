"""Top-k on numba: the reference's elements, in its order, and PyTorch's values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tensorlite as tl
from tensorlite.devices.numba.selection import selected_topk, takes_topk

pytest.importorskip("numba")


def check(x: Any, k: int) -> None:
    for largest in (True, False):
        want = tl.topk(tl.from_numpy(x), k, largest=largest)
        have = selected_topk(x, k, largest=largest)
        np.testing.assert_array_equal(have.indices, want.indices.numpy())
        np.testing.assert_array_equal(
            have.values.view(np.int32), want.values.numpy().view(np.int32)
        )


@pytest.mark.parametrize("shape", [(300,), (7, 129), (3, 4, 1000), (8400,), (2, 100_001), (1, 8)])
@pytest.mark.parametrize("kind", ["normal", "few values", "rising", "falling", "special"])
@pytest.mark.parametrize("k", [1, 2, 3, 37, 300])
def test_as_the_reference(shape: tuple[int, ...], kind: str, k: int) -> None:
    if k > shape[-1]:
        pytest.skip("more than there are")
    rng = np.random.default_rng(k)
    x = rng.standard_normal(shape).astype(np.float32)
    if kind == "few values":
        x = np.round(x)
    if kind in ("rising", "falling"):
        x = np.sort(x, -1)[..., :: 1 if kind == "rising" else -1].copy()
    if kind == "special":
        special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45], np.float32)
        x = rng.choice(special, shape)
    check(x, k)


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_any_numbers(data: Any) -> None:
    floats = st.floats(width=32)
    shape = data.draw(arrays.array_shapes(max_dims=2, max_side=400))
    x = data.draw(arrays.arrays(np.float32, shape, elements=floats))
    check(x, data.draw(st.integers(1, shape[-1])))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_against_pytorch(threads: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    before = tl.get_num_threads()
    tl.set_num_threads(threads)
    try:
        x = np.random.default_rng(0).standard_normal((80, 8400)).astype(np.float32)
        for k in (1, 100, 1000):
            want = torch.topk(torch.from_numpy(x), k)
            have = tl.topk(tl.from_numpy(x).to("numba"), k)
            np.testing.assert_array_equal(have.values.numpy(), want.values.numpy())
            there = np.take_along_axis(x, have.indices.numpy(), -1)
            np.testing.assert_array_equal(there, want.values.numpy())
    finally:
        tl.set_num_threads(before)


def test_what_it_leaves_to_the_reference() -> None:
    x = np.ones((64, 64), np.float32)
    assert "eighth" in str(takes_topk(x, 32))
    assert "eighth" in str(takes_topk(x, 0))
    assert "last dimension" in str(takes_topk(x, 2, 0))
    assert "float64" in str(takes_topk(x.astype(np.float64), 2))
    assert "gaps" in str(takes_topk(x.T, 2))
    with pytest.raises(tl.errors.ShapeError, match="65 elements out of 64"):
        tl.topk(tl.from_numpy(x).to("numba"), 65)
