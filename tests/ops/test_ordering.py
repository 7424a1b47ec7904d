"""Sorting and top-k keep the order of equal elements, for every dtype and every way through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlite as tl

DTYPES = (
    "float32 float16 bfloat16 float64 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool"
).split()


def drawn(dtype: str, *shape: int, seed: int = 0) -> tl.Tensor:
    """Numbers of which many are equal, and what is special in the dtype."""
    random = np.random.default_rng(seed)
    kind = getattr(tl, dtype).numpy
    x = random.integers(0, 9, shape).astype(kind)
    if getattr(tl, dtype).is_floating_point and x.size:
        x = (x - np.asarray(4, kind)) * np.asarray(0.5, kind)
        special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0], np.float32).astype(kind)
        places = random.integers(0, x.size, x.size // 3)
        x.reshape(-1)[places] = random.choice(special, len(places))
    elif dtype != "bool" and x.size > 1:
        x.reshape(-1)[:2] = np.iinfo(kind).max, np.iinfo(kind).min
    return tl.from_numpy(x)


def expected(x: Any, dim: int, descending: bool) -> Any:
    """By a stable sort of ranks, in which nan is one more than the largest."""
    numbers = x.astype(np.float64) if x.dtype.kind not in "iu" else x
    ranks = np.searchsorted(np.unique(numbers[numbers == numbers]), numbers)
    ranks = np.where(numbers == numbers, ranks, numbers.size)
    return np.argsort(-ranks if descending else ranks, axis=dim, kind="stable")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7,), (3, 40), (2, 3, 5), (2, 2300), (2500,), (0, 3), (3, 1)])
@pytest.mark.parametrize("descending", [False, True])
def test_order(dtype: str, shape: tuple[int, ...], descending: bool) -> None:
    x = drawn(dtype, *shape)
    for dim in range(len(shape)):
        want = expected(x.numpy(), dim, descending)
        values, indices = tl.sort(x, dim, descending)
        np.testing.assert_array_equal(indices.numpy(), want)
        taken = np.take_along_axis(x.numpy(), want, dim)
        assert values.numpy().tobytes() == np.ascontiguousarray(taken).tobytes()
        for k in {0, 1, shape[dim] // 3, shape[dim]} - {k for k in (1,) if k > shape[dim]}:
            found = tl.topk(x, k, dim, largest=descending).indices
            np.testing.assert_array_equal(found.numpy(), np.take(want, np.arange(k), dim))


@given(st.lists(st.floats(width=32), min_size=1, max_size=50), st.data())
def test_kth_of_any_floats(numbers: list[float], data: Any) -> None:
    x = np.array(numbers, np.float32)
    k = data.draw(st.integers(1, len(x)))
    found = tl.kthvalue(tl.from_numpy(x), k)
    assert found.indices.item() == expected(x, 0, False)[k - 1]
