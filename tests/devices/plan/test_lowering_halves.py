"""Operators of 16-bit floats in plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")

HALVES = {"float16": 2e-3, "bfloat16": 1.6e-2}
EXACT: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: (x + 1) * x - x / 3,
    "relu": lambda x: F.relu(x) + x.abs(),
    "comparison": lambda x: (x > 0.5) | (x < -0.5),
    "to integers": lambda x: (x * 9).to(tl.int32),
    "to float32": lambda x: x.float() * 1.1,
    "from integers": lambda x: (x > 0).to(tl.int64).to(x.dtype) * x,
    "broadcast": lambda x: x + x[:1] * x[:, :1],
    "views": lambda x: tl.cat([x.T, x.T * 2], 1).reshape(-1),
    "scalar": lambda x: x * x[0, 0],
}
CLOSE: dict[str, Callable[[Any], Any]] = {
    "gelu": F.gelu,
    "sigmoid": lambda x: tl.sigmoid(x) * x,
    "softmax": lambda x: tl.softmax(x, -1),
    "sum": lambda x: x.sum(1),
    "mean": lambda x: x.mean(0),
    "matmul": lambda x: x @ x.T,
    "layer_norm": lambda x: F.layer_norm(x, (x.shape[1],)),
    "largest": lambda x: x.argmax(1),
}


def numbers(dtype: str, *shape: int) -> Any:
    found = np.random.default_rng(0).standard_normal(shape)
    return found.astype(getattr(tl, dtype).numpy)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", EXACT)
def test_each_operator_is_rounded(name: str, dtype: str) -> None:
    same(EXACT[name], numbers(dtype, 9, 37), close=0)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", CLOSE)
def test_in_float32(name: str, dtype: str) -> None:
    same(CLOSE[name], numbers(dtype, 9, 37), close=HALVES[dtype])


@pytest.mark.parametrize("dtype", HALVES)
def test_layers(dtype: str) -> None:
    def constant(*shape: int) -> Any:
        return tl.from_numpy(numbers(dtype, *shape)).to("numba")

    w, b, k = constant(11, 37), constant(11), constant(5, 3, 3, 3)
    same(lambda x: F.relu(F.linear(x, w, b)), numbers(dtype, 9, 37), close=4 * HALVES[dtype])
    images = numbers(dtype, 2, 3, 9, 8)
    close = 4 * HALVES[dtype]
    same(lambda x: F.max_pool2d(F.conv2d(x, k, None, 1, 1), 2), images, close=close, threads=2)


@pytest.mark.parametrize("dtype", HALVES)
def test_special_numbers_round_as_they_should(dtype: str) -> None:
    special = np.array(
        [0.0, -0.0, 1e-8, 6e-8, -1e-40, 65519.0, 65520.0, 3.39e38, np.inf, -np.inf, np.nan],
        np.float32,
    )  # fmt: skip
    same(lambda x: x.to(getattr(tl, dtype)), np.tile(special, 3), close=0)
