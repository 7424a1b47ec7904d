"""Products with weights of few bits, and of 16-bit floats, in plans."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")


def random(*shape: int, dtype: str = "float32") -> np.ndarray:
    found = np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)
    return found.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [1, 5, 33])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_product(bits: int, rows: int, threads: int) -> None:
    weights = tl.quantize(tl.from_numpy(random(37, 200)), bits, 32)
    bias, full = tl.from_numpy(random(37)), tl.from_numpy(random(rows, 37))
    size = {"bits": bits, "group_size": 32}
    x = random(rows, 200)
    close = 3e-5
    same(lambda x: tl.quantized_linear(x, *weights, **size), x, threads=threads, close=close)
    same(
        lambda x: F.relu(tl.quantized_linear(x, *weights[:2], bias=bias, **size)), x,
        threads=threads, close=close,
    )  # fmt: skip
    same(
        lambda x: full - F.gelu(tl.quantized_linear(x, *weights, bias, **size)) * bias, x,
        threads=threads, close=close,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(200,), (2, 3, 200), (4, 8, 200)])
def test_shapes(shape: tuple[int, ...]) -> None:
    weights = tl.quantize(tl.from_numpy(random(40, 200)), 4, 64)
    same(lambda x: tl.quantized_linear(x, *weights, group_size=64), random(*shape), close=3e-5)
    turned = random(200, *shape[:-1])
    order = (*range(1, len(shape)), 0)
    same(
        lambda x: tl.quantized_linear(x.permute(*order), *weights, group_size=64),
        turned,
        close=3e-5,
    )


def test_results_in_other_places() -> None:
    weights = tl.quantize(tl.from_numpy(random(40, 64)), 4, 32)
    for rows in (3, 20):
        x = random(rows, 64)
        same(lambda x: tl.cat([tl.quantized_linear(x, *weights), x * 2, -x], 1), x, close=3e-5)
        same(lambda x: tl.quantized_linear(x, *weights).T + 1, x, close=3e-5)


def test_what_is_left_to_the_operator() -> None:
    codes, scales, zeros = tl.quantize(tl.from_numpy(random(6, 48)), 4, 24)
    size = {"bits": 4, "group_size": 24}
    plan = same(
        lambda x: tl.quantized_linear(x, codes, scales, zeros, **size), random(2, 48), eager=1
    )
    assert plan is not None
    weights = tl.quantize(tl.from_numpy(random(6, 64)), 4, 32)
    same(lambda x, s: tl.quantized_linear(x, weights[0], s), random(2, 64), random(6, 2), eager=1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_halves(rows: int, dtype: str) -> None:
    w, b = (tl.from_numpy(random(*s, dtype=dtype)) for s in ((70, 130), (70,)))
    close = 4e-3 if dtype == "float16" else 3e-2
    x = random(rows, 130, dtype=dtype)
    same(lambda x: F.linear(x, w, b), x, close=close)
    same(lambda x: F.relu(F.linear(x, w)) + x[:, :70], x, close=close)
    same(lambda x: x @ w.T, x, close=close)
