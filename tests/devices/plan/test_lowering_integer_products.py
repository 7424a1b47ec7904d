"""Products of 8-bit integers in plans: exactly the operators' own results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from same import same

import tensorlite as tl
from tensorlite.devices import resolve

pytest.importorskip("numba")

BYTES = (np.uint8, np.int8)


def whole(random: np.random.Generator, dtype: Any, *shape: int) -> Any:
    """All numbers of a dtype, its limits among them."""
    limits = np.iinfo(dtype)
    found = random.integers(limits.min, limits.max + 1, shape).astype(dtype)
    found.reshape(-1)[:2] = limits.min, limits.max
    return found


def constant(array: Any) -> Any:
    return tl.from_numpy(np.ascontiguousarray(array)).to(resolve("numba"))


def quantized(total: Any, dtype: Any) -> Any:
    limits = tl.iinfo(dtype)
    return tl.clamp(tl.round(total.float() * 1e-3) + 3, limits.min, limits.max).to(dtype)


@pytest.mark.parametrize("a_dtype", BYTES)
@pytest.mark.parametrize("w_dtype", BYTES)
@pytest.mark.parametrize("m, k, n", [(1, 2, 1), (5, 7, 9), (33, 64, 100), (70, 129, 65)])
def test_products(m: int, k: int, n: int, a_dtype: Any, w_dtype: Any) -> None:
    random = np.random.default_rng(m)
    a, w = whole(random, a_dtype, m, k), constant(whole(random, w_dtype, k, n))
    zero, bias = constant(np.array(7, a_dtype)), constant(whole(random, np.int32, n + 1)[:n])
    zeros = constant(random.integers(0, 99, n).astype(w_dtype))
    same(lambda x: tl.integer_matmul(x, w, zero, zeros, bias), a, close=0)
    same(lambda x, z: tl.integer_matmul(x, w, z, zeros), a, np.array(7, a_dtype), close=0)
    plan = same(lambda x: quantized(tl.integer_matmul(x, w, zero), tl.uint8), a, close=0, threads=2)
    assert len(plan.steps) == 1
    scale = constant(random.standard_normal(n).astype(np.float32))
    plan = same(lambda x: tl.integer_matmul(x, w, zero).float() * scale + 1.0, a)
    assert len(plan.steps) == 1


IMAGES = {  # input, weight, then stride, padding, dilation, groups
    "first layer": ((1, 3, 11, 13), (8, 3, 7, 7), 2, 3, 1, 1),
    "3x3": ((2, 16, 9, 9), (40, 16, 3, 3), 1, 1, 1, 1),
    "1x1": ((1, 64, 7, 7), (64, 64, 1, 1), 1, 0, 1, 1),
    "depthwise": ((1, 8, 9, 9), (8, 1, 3, 3), 1, 1, 1, 8),
    "depthwise with stride": ((1, 40, 9, 11), (40, 1, 5, 5), 2, 2, 1, 40),
    "grouped": ((1, 8, 9, 9), (12, 2, 3, 3), 1, 1, 1, 4),
    "dilated": ((1, 5, 9, 9), (7, 5, 3, 3), 1, 2, 2, 1),
    "one dimension": ((1, 6, 20), (4, 6, 3), 1, 1, 1, 1),
    "three dimensions": ((1, 2, 5, 6, 7), (3, 2, 3, 3, 3), 1, 1, 1, 1),
}


@pytest.mark.parametrize("x_dtype", BYTES)
@pytest.mark.parametrize("w_dtype", BYTES)
@pytest.mark.parametrize("name", IMAGES)
def test_convolutions(name: str, x_dtype: Any, w_dtype: Any) -> None:
    shape, of_weight, *options = IMAGES[name]
    random = np.random.default_rng(1)
    x, w = whole(random, x_dtype, *shape), constant(whole(random, w_dtype, *of_weight))
    zero = constant(np.array(7, x_dtype))
    zeros = constant(random.integers(0, 9, of_weight[0]).astype(w_dtype))
    bias = constant(whole(random, np.int32, of_weight[0]))
    same(lambda x: tl.integer_conv(x, w, bias, zero, zeros, *options), x, close=0)
    same(
        lambda x, z: tl.integer_conv(x, w, bias, z, zeros, *options), x, np.array(7, x_dtype),
        close=0, threads=2,
    )  # fmt: skip
    same(
        lambda x: quantized(tl.integer_conv(x, w, None, zero, zeros, *options), tl.int8), x,
        close=0,
    )  # fmt: skip


def test_weights_of_which_int8_holds_no_half() -> None:
    """255 is more than 127 twice."""
    a, w = np.full((2, 4), 255, np.uint8), constant(np.array([[255]] * 4, np.uint8))
    same(lambda x: tl.integer_matmul(x, w), a, close=0)


@pytest.mark.parametrize("k, eager", [(3, 0), (258, 0), (259, 1)])
def test_both_matrices_computed(k: int, eager: int) -> None:
    random = np.random.default_rng(k)
    a, b = whole(random, np.uint8, 2, 5, k), whole(random, np.int8, 2, k, 9)
    zeros = np.array(200, np.uint8), np.array(-5, np.int8)
    same(tl.integer_matmul, a, b, *zeros, close=0, eager=eager)
    same(lambda a, b: tl.integer_matmul(a, b).float() * 0.1, a, b, eager=eager)


def test_a_sum_and_a_quantised_residual_behind_a_product() -> None:
    random = np.random.default_rng(3)
    x, y = (whole(random, np.uint8, 2, 5, 6, 24) for _ in range(2))
    w = constant(random.integers(-128, 128, (24, 24, 1, 1)).astype(np.int8))

    def block(x: Any, y: Any) -> Any:
        x, y = x.permute(0, 3, 1, 2), y.permute(0, 3, 1, 2)
        z = quantized(tl.integer_conv(x, w), tl.uint8)
        total = tl.fma(z.float(), tl.tensor(0.3), y.float() * 0.7)
        return tl.clamp(tl.round(total), 0, 255).to(tl.uint8)

    plan = same(block, x, y, close=0)
    assert [s.name.partition("+")[0] for s in plan.steps if s.name != "copy"] == ["int8 conv 1x1"]
