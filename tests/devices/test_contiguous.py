"""Copies into one piece on the numba device, from any strides."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlite as tl

pytest.importorskip("numba")

DTYPES = ("float32", "int8", "float16", "int64", "bool")


def check(view: Any) -> None:
    found = tl.from_numpy(view).to("numba").contiguous()
    assert found.is_contiguous()
    np.testing.assert_array_equal(found.numpy(), view)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, 40, 40), (3, 70, 33), (70, 70, 3), (1, 64, 80), (17, 300)])
def test_every_order_of_dimensions(shape: tuple[int, ...], dtype: str) -> None:
    x = (np.arange(np.prod(shape)) % 251).astype(dtype).reshape(shape)
    for order in itertools.permutations(range(len(shape))):
        check(x.transpose(order))


@given(st.data())
def test_steps_flips_and_broadcasts(data: Any) -> None:
    x = np.arange(30 * 40 * 12, dtype=np.float32).reshape(30, 40, 12)
    order = data.draw(st.permutations(range(3)))
    steps = [data.draw(st.sampled_from([1, 2, -1, -3])) for _ in range(3)]
    view = x.transpose(order)[tuple(slice(None, None, s) for s in steps)]
    if data.draw(st.booleans()):
        view = np.broadcast_to(view[:1], (9, *view.shape[1:]))
    check(view)


def test_the_kernel_runs() -> None:
    x = tl.randn(100, 200, device="numba").T
    with tl.explain() as report:
        x.contiguous()
    assert "contiguous_copy" in str(report)
