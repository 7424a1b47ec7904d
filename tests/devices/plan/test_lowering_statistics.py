"""Statistics, totals of integers, running sums and places of extrema in plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")

FLOATS: dict[str, Callable[..., Any]] = {
    "var": lambda x, d: x.var(d),
    "std": lambda x, d: x.std((d,), correction=0, keepdim=True) * x,
    "norm": lambda x, d: x.norm(dim=d) + x.norm(1, d) + x.norm(float("inf"), d),
    "vector norm": lambda x, d: tl.linalg.vector_norm(x, dim=d, keepdim=True) + x,
    "log_softmax": lambda x, d: F.log_softmax(x, d),
    "logsumexp": lambda x, d: tl.logsumexp(x, d, True) + x,
    "argmax": lambda x, d: (x.argmax(d), x.argmin(d, True), x.argmax()),
    "max": lambda x, d: tuple(x.max(d)),
    "cumsum": lambda x, d: x.cumsum(d),
    "any": lambda x, d: ((x > 1).any(d), (x > -1).all(d, True), x.any()),
    "sum": lambda x, d: ((x > 0).sum(d), x.long().sum(d, True), x.long().prod(d)),
    "extrema of integers": lambda x, d: (x.int().amax(d), x.int().amin(d, True)),
    "running integers": lambda x, d: ((x > 0).cumsum(d), x.int().cumsum(d)),
}


@pytest.mark.parametrize("name", FLOATS)
@settings(max_examples=12, deadline=None)
@given(
    shape=st.lists(st.integers(2, 9), min_size=1, max_size=4), data=st.data(),
    threads=st.integers(1, 3),
)  # fmt: skip
def test_along_a_dimension(name: str, shape: list[int], data: st.DataObject, threads: int) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = 3 * np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)
    same(lambda v: FLOATS[name](v, dim), x, threads=threads, close=1e-4)


def test_infinities_and_nan() -> None:
    x = np.array([[np.nan, 1, 2], [1, np.inf, np.nan], [-np.inf] * 3, [np.inf, 0, 1]], np.float32)
    with np.errstate(all="ignore"):
        same(lambda v: (v.argmax(1), v.argmin(1), tl.logsumexp(v, 1), F.log_softmax(v, 1)), x)


def test_large_integers_are_summed_exactly() -> None:
    same(lambda v: v.sum(1), np.array([[2**60, 1], [-(2**60), -1]]))
