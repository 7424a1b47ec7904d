"""The text of tensors, against PyTorch's own."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tensorlite as tl

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def same(array: np.ndarray[Any, Any]) -> None:
    """But for where the line breaks before the dtype: our package has a longer name."""
    theirs = repr(torch.from_numpy(array.copy())).replace("torch.", "tensorlite.")
    ours = repr(tl.from_numpy(array.copy()))
    assert re.sub(r",\s+dtype", ", dtype", ours) == re.sub(r",\s+dtype", ", dtype", theirs)


CASES = [
    np.array(1.5, np.float32), np.array(3), np.array(True), np.zeros(0, np.float32),
    np.zeros((0, 3), np.int64), np.zeros((2, 0)), np.arange(5), np.arange(40).reshape(4, 10),
    np.array([1.0, 2.0], np.float32), np.array([1.5, -2.25]), np.array([1e-5, 1.0], np.float32),
    np.array([1e10, 1.0], np.float32), np.array([np.nan, np.inf, -np.inf, 1.0], np.float32),
    np.array([np.nan, 0.5], np.float32), np.array([np.inf], np.float32), np.array([0.0, -0.0]),
    np.array([True, False]), np.arange(3, dtype=np.uint8), np.arange(-2, 2, dtype=np.int32),
    np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32),
    np.random.default_rng(0).standard_normal((30, 50)).astype(np.float32),
    np.arange(2000), np.arange(3000).reshape(3, 10, 100), np.ones((5, 6, 7), np.float16),
    np.array([1 + 2j, -0.5j]), np.array([1 + 2j, 3 - 4j], np.complex64), np.array(2 - 1j),
    np.array([[1.0, 1000.5], [2.0, 3.0]], np.float32), np.array([123456.0, 0.001], np.float32),
    np.linspace(0, 1, 30, dtype=np.float32), np.array([1e9, 2e9]), np.array([100000000.0]),
]  # fmt: skip


@pytest.mark.parametrize("i", range(len(CASES)))
def test_is_pytorchs(i: int) -> None:
    same(CASES[i])


@settings(max_examples=300, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=0, max_dims=3, max_side=12),
    )
)
def test_is_pytorchs_for_any_numbers(array: np.ndarray[Any, Any]) -> None:
    same(array)


def test_small_floats_and_devices() -> None:
    x = tl.tensor([1.5, 2.0])
    assert repr(x.to(tl.bfloat16)) == "tensor([1.5000, 2.0000], dtype=tensorlite.bfloat16)"
    assert repr(x.to(tl.float8_e5m2)) == "tensor([1.5000, 2.0000], dtype=tensorlite.float8_e5m2)"
    assert repr(tl.tensor([1, -2]).to(tl.int4)) == "tensor([ 1, -2], dtype=tensorlite.int4)"
    assert repr(x.to("numba")) == "tensor([1.5000, 2.0000], device='numba')"


def test_options() -> None:
    x = np.random.default_rng(0).standard_normal((3, 40)).astype(np.float32)
    for options in ({"precision": 2}, {"threshold": 20, "edgeitems": 2}, {"linewidth": 120},
                    {"sci_mode": True}, {"profile": "short"}):  # fmt: skip
        torch.set_printoptions(**options)
        tl.set_printoptions(**options)
        same(x)
        torch.set_printoptions(profile="default")
        tl.set_printoptions(profile="default")
