"""Integers, bools and comparisons as expressions of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl

pytest.importorskip("numba")

DTYPES = ("int64", "int32", "int16", "int8", "uint8")


def numbers(dtype: str, *shape: int, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    found = random.integers(info.min, info.max, shape, dtype, endpoint=True)
    small = random.integers(0, 9, shape).astype(dtype)
    return np.where(random.random(shape) < 0.5, found, small)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda a, b: (a + b) * a - b,
    "order": lambda a, b: tl.maximum(a, b) - tl.minimum(a, b + 1),
    "wraps around before it is compared": lambda a, b: (a + b) < a,
    "signs": lambda a, b: -a + a.abs() + b.sign(),
    "bits": lambda a, b: (a & b) | (a ^ ~b),
    "bounds": lambda a, b: a.clamp(2, 7) + b.clamp(max=3),
    "division": lambda a, b: a // 3 + b % 5,
    "towards zero": lambda a, b: tl.div(a, 3, rounding_mode="trunc") + tl.fmod(b, 5),
    "choice": lambda a, b: tl.where(a == b, a, b - a),
    "truth": lambda a, b: ((a <= b) & (a != 3)) | ~(b >= 4) ^ (a > b),
    "logic": lambda a, b: tl.logical_and(a, b) | tl.logical_not(a) ^ tl.logical_xor(a, b),
    "as floats": lambda a, b: a.float() / 2 + (b > 1).float() + (a * b).float(),
    "as truth": lambda a, b: a.bool() | b.bool(),
    "other dtypes": lambda a, b: a.to(tl.int8).to(tl.int64) + b.to(tl.uint8),
}


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12, deadline=None)
@given(
    dtype=st.sampled_from(DTYPES), rows=st.integers(1, 5), columns=st.integers(1, 70),
    alike=st.booleans(), threads=st.integers(1, 3), seed=st.integers(0, 99),
)  # fmt: skip
def test_integers(
    name: str, dtype: str, rows: int, columns: int, alike: bool, threads: int, seed: int
) -> None:
    a = numbers(dtype, rows, columns, seed=seed)
    b = numbers(dtype, rows, columns if alike else 1, seed=seed + 1)
    same(OPERATIONS[name], a, b, threads=threads)


FLOATS: dict[str, Callable[..., Any]] = {
    "comparisons": lambda x, i: ((x > i) & (x <= 3)) | (x == 0) | (x != x),
    "nan and infinity": lambda x, i: tl.isnan(x / i) | tl.isinf(x / (i - i)) ^ tl.isfinite(x),
    "whole numbers": lambda x, i: (x * 3).long() + i,
    "choice": lambda x, i: tl.where(i > 0, x, i) + tl.where(x > 0, i, 2).float(),
    "truth of floats": lambda x, i: tl.logical_not(x.trunc()) | x.bool(),
    "mask": lambda x, i: x + tl.where((i == 3) | (i < 1), float("-inf"), 0.0),
    "turned": lambda x, i: (x.T > i.T).T.float() + (x.T * 2).T.to(tl.int32),
    "joined": lambda x, i: tl.cat([i * 2, x.long(), (x > 0).long()], 1),
}


@pytest.mark.parametrize("name", FLOATS)
@settings(max_examples=12, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 70), threads=st.integers(1, 3))
def test_floats_and_integers(name: str, rows: int, columns: int, threads: int) -> None:
    random = np.random.default_rng(rows)
    x = random.standard_normal((rows, columns)).astype(np.float32)
    x[0, ::3] = 0
    i = random.integers(-4, 5, (rows, columns))
    with np.errstate(all="ignore"):
        same(FLOATS[name], x, i, threads=threads)


def test_a_mask_is_one_step() -> None:
    ids = numbers("int64", 3, 17)
    plan = same(lambda i: (1 - (i != 0).float()) * -1e4, ids)
    assert len(plan.steps) == 1


def test_large_integers_are_exact() -> None:
    a = np.array([2**60 + 1, 2**60, -(2**62)])
    same(lambda i: (i + 1 == 2**60 + 1) | (i > 2**60), a)
