"""Logarithms, powers and further activations as expressions, at ordinary and odd numbers."""

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

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": lambda x: tl.log(x),
    "log2": lambda x: tl.log2(x.abs()),
    "log10": lambda x: tl.log10(x.abs()),
    "log1p": lambda x: tl.log1p(x),
    "sin and cos": lambda x: tl.sin(x) + tl.cos(x),
    "exp2": lambda x: tl.exp2(x),
    "sign": lambda x: tl.sign(x),
    "softplus": lambda x: F.softplus(x) + F.softplus(x, 2.0, 5.0),
    "logsigmoid": lambda x: F.logsigmoid(x),
    "mish": lambda x: F.mish(x),
    "selu": lambda x: F.selu(x),
    "celu": lambda x: F.celu(x, 0.5),
    "softsign": lambda x: F.softsign(x),
    "threshold": lambda x: F.threshold(x, 0.1, 2.0),
    "shrinking": lambda x: F.hardshrink(x) + F.softshrink(x) + F.tanhshrink(x),
    "lerp": lambda x: tl.lerp(x, x * 2, 0.3),
    "addcmul": lambda x: tl.addcmul(x, x, x + 1, value=0.5) + tl.addcdiv(x, x, x.abs() + 1),
    "masked_fill": lambda x: x.masked_fill(x > 0.5, -1.0),
    "bounds": lambda x: x.clamp_min(-0.5).clamp_max(x.abs() * 0.5),
    "numbers": lambda x: tl.zeros_like(x) + x + tl.full_like(x, 2.0) * tl.ones_like(x),
    "powers": lambda x: x.abs() ** 2.2 + x.abs() ** 0.75 + x**4 + x.abs() ** x + 1.5**x,
    "arcs": lambda x: tl.atan(x) + tl.asin(x / 12) + tl.acos(x / 12),
    "tan": lambda x: tl.tan(x.clamp(-1.2, 1.2)),
    "hyperbolic": lambda x: tl.sinh(x) / tl.cosh(x) + tl.cosh(x / 3),
    "areas": lambda x: tl.asinh(x) + tl.acosh(x.abs() + 1) + tl.atanh(x / 12),
    "expm1": lambda x: tl.expm1(x),
    "logaddexp": lambda x: tl.logaddexp(x, x.abs() - 1),
    "fmax": lambda x: tl.fmax(x / (x > 0).float(), x) + tl.fmin(x, x * 0 / x.relu()),
    "remainders": lambda x: tl.remainder(x, 0.7) + tl.fmod(x, 0.7) + tl.remainder(x, -0.7),
    "glu": lambda x: F.glu(tl.cat([x, x * 2], 1), 1),
    "bounds that are tensors": lambda x: tl.clamp(x, min=x.abs() - 1, max=x * 0 + 0.3),
    "prelu": lambda x: F.prelu(x, tl.full((x.shape[1],), 0.3, device="numba")),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=8, deadline=None)
@given(rows=st.integers(1, 5), columns=st.integers(1, 70), threads=st.integers(1, 3))
def test_functions(name: str, rows: int, columns: int, threads: int) -> None:
    random = np.random.default_rng(columns)
    x = 3 * random.standard_normal((rows, columns)).astype(np.float32)
    with np.errstate(all="ignore"):
        same(FUNCTIONS[name], x, threads=threads)


@pytest.mark.parametrize(
    "name", ["log", "log1p", "expm1", "logaddexp", "logsigmoid", "sign", "softsign", "threshold"]
)
def test_odd_numbers(name: str) -> None:
    odd = np.array([0, -0.0, np.inf, -np.inf, np.nan, -1, 1e-40, 1e-7, -1e-7, 3e38, 1], np.float32)
    with np.errstate(all="ignore"):
        same(FUNCTIONS[name], odd, close=1e-6)


INVERSE = ("atan", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "atanh")


@pytest.mark.parametrize("name", INVERSE)
def test_trigonometry_is_near_that_of_float64(name: str) -> None:
    random = np.random.default_rng(0)
    inside = random.uniform(-1, 1, 20_000) ** 3
    wide = np.exp(random.uniform(-12, 40, 20_000)) * random.choice([-1, 1], 20_000)
    wide = np.concatenate([wide, [np.inf, -np.inf, np.nan, 0.0, -0.0]])
    inside = np.concatenate([inside, [1.0, -1.0, np.nan, 0.0, -0.0]])
    x = inside if name in ("asin", "acos", "atanh") else wide
    x = x.clip(-80, 80) if name in ("sinh", "cosh") else x
    x = (np.abs(x) + 1 if name == "acosh" else x).astype(np.float32)
    numpy_name = name.replace("a", "arc", 1) if name[0] == "a" else name
    with np.errstate(all="ignore"):
        exact = getattr(np, numpy_name)(x.astype(float))
        found = same(getattr(tl, name), x, close=2e-6)(x).numpy()
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-30)


def test_logarithms_are_near_those_of_float64() -> None:
    random = np.random.default_rng(0)
    x = np.exp(random.uniform(-80, 80, 100_000)).astype(np.float32)
    small = random.uniform(-0.5, 1, 100_000).astype(np.float32) ** 5
    log, log1p = same(tl.log, x), same(tl.log1p, small)
    exact, near = np.log(x.astype(float)), np.log1p(small.astype(float))
    assert np.max(np.abs(log(x).numpy() - exact) / np.abs(exact).clip(1e-3)) < 2e-7
    assert np.max(np.abs(log1p(small).numpy() - near) / np.abs(near).clip(1e-30)) < 4e-7
