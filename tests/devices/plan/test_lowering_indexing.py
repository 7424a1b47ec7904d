"""Indices of plans: constants become views or one gather, computed ones are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl
from tensorlite.errors import OperatorError

pytest.importorskip("numba")

CONSTANT: dict[str, Callable[..., Any]] = {
    "rows": lambda x: x[tl.tensor([2, 0, -1])],
    "a step": lambda x: x[tl.tensor([0, 2])] * 2,
    "one": lambda x: x[:, tl.tensor(2)],
    "columns": lambda x: x[..., tl.tensor([[0, 1], [3, 1]])],
    "pairs": lambda x: x[tl.tensor([0, 1]), tl.tensor([[2], [1]])],
    "apart": lambda x: x[tl.tensor([0, 1]), :, tl.tensor([3, 1])],
    "mask": lambda x: x[:, tl.tensor([True, False, True])],
    "turned": lambda x: x.permute(2, 1, 0)[tl.tensor([1, 2]), 1:],
    "with a part": lambda x: x[1:, 0, tl.tensor([3, 3])],
}


@pytest.mark.parametrize("name", CONSTANT)
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
def test_constant_indices(name: str, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 2, (3, 3, 4)).astype(dtype)
    same(lambda v: CONSTANT[name](v), x)


def test_equal_steps_are_a_view() -> None:
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    plan = same(lambda v: v[tl.tensor([1, 3])] + 1, x)
    assert [s.name for s in plan.steps] == ["add"]


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data(),
    threads=st.integers(1, 3), kind=st.sampled_from(["int64", "int32"]),
)  # fmt: skip
def test_computed_indices(shape: list[int], data: st.DataObject, threads: int, kind: str) -> None:
    random = np.random.default_rng(0)
    dim = data.draw(st.integers(0, len(shape) - 1))
    x = random.standard_normal(shape).astype(np.float32)
    places = random.integers(-shape[dim], shape[dim], (3, 2)).astype(kind)
    same(lambda v, i: v[(slice(None),) * dim + (i,)], x, places, threads=threads)
    positive = np.abs(places[0]) % shape[dim]
    same(lambda v, i: tl.index_select(v, dim, i), x, positive, threads=threads)
    counts = [data.draw(st.integers(1, 6)) if d == dim else n for d, n in enumerate(shape)]
    along = random.integers(0, shape[dim], counts)
    same(lambda v, i: tl.gather(v, dim, i), x, along, threads=threads)


def test_an_index_out_of_range_is_an_error() -> None:
    x, places = np.ones((3, 2), np.float32), np.array([0, 2])
    plan = same(lambda v, i: v[i], x, places)
    with pytest.raises(OperatorError, match="out of range"):
        plan(x, np.array([0, 3]))
    along = same(lambda v, i: tl.gather(v, 0, i), x, np.array([[0, 2]]))
    with pytest.raises(OperatorError, match="out of range"):
        along(x, np.array([[0, -1]]))


@settings(max_examples=30, deadline=None)
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data(),
    threads=st.integers(1, 3), kind=st.sampled_from(["int64", "int32"]), number=st.booleans(),
)  # fmt: skip
def test_scatter(
    shape: list[int], data: st.DataObject, threads: int, kind: str, number: bool
) -> None:
    random = np.random.default_rng(0)
    dim = data.draw(st.integers(0, len(shape) - 1))
    counts = [data.draw(st.integers(1, 6)) if d == dim else n for d, n in enumerate(shape)]
    x = random.standard_normal(shape).astype(np.float32)
    places = random.integers(0, shape[dim], counts).astype(kind)
    if number:
        same(lambda v, i: tl.scatter(v, dim, i, value=2.5) + v, x, places, threads=threads)
    values = random.standard_normal(counts).astype(np.float32)
    same(lambda v, i, s: tl.scatter(v + 1, dim, i, s) + v, x, places, values, threads=threads)


def test_a_place_to_write_out_of_range_is_an_error() -> None:
    x, places, values = np.ones((3, 2), np.float32), np.array([[0, 2]]), np.zeros((1, 2), "f4")
    plan = same(lambda v, i, s: tl.scatter(v, 0, i, s), x, places, values)
    with pytest.raises(OperatorError, match="out of range"):
        plan(x, np.array([[0, 3]]), values)


def test_several_computed_indices() -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((4, 5, 6)).astype(np.float32)
    a, b = random.integers(-4, 4, (3, 1)), random.integers(-5, 5, (1, 7))
    plan = same(lambda v, i, j: v[i, j], x, a, b)
    same(lambda v, i, j: v[i, j, i], x, a, b % 4 - 2, threads=2)
    same(lambda v, i, j: v[:, i, j] * 2, x, a, b, threads=2)
    same(lambda v, i, j: v[..., i, j], x, a, b.astype(np.int32))
    same(lambda v, j: v[tl.tensor([[0], [2]]), j], x, b)
    with pytest.raises(OperatorError, match="out of range"):
        plan(x, a, np.full_like(b, 5))
    with pytest.raises(OperatorError, match="out of range"):
        plan(x, np.full_like(a, -5), b)


def test_slices_of_images_with_channels_last_stay_so() -> None:
    weight = tl.from_numpy(np.random.default_rng(0).standard_normal((24, 3, 3, 3)).astype("f"))
    index = tl.tensor([0, 0, 1, 1, 2, 5, 5])

    def doubled(x: tl.Tensor) -> tl.Tensor:
        y = tl.nn.functional.conv2d(x, weight).relu()
        return y.index_select(2, index).index_select(-1, index) * 2

    x = np.random.default_rng(1).standard_normal((2, 3, 9, 10)).astype("f")
    plan = same(doubled, x, close=1e-4)
    assert [s.name for s in plan.steps].count("gather") == 2
    assert [s.name for s in plan.steps].count("copy") <= 2  # of the input, and the result
