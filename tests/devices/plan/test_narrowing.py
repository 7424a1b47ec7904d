"""Requantisation in few instructions gives what the operators it stands for give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from same import same

import tensorlite as tl

pytest.importorskip("numba")


def numbers(scale: float) -> Any:
    """Random numbers, halves of steps and what is next to them, the smallest and the largest."""
    random = np.random.default_rng(5)
    halves = (np.arange(-300, 300, dtype=np.float32) + np.float32(0.5)) * np.float32(scale)
    near = [np.nextafter(halves, np.float32(side)) for side in (-np.inf, np.inf)]
    spread = random.standard_normal(3000).astype(np.float32) * np.float32(scale * 90)
    ends = np.array([0.0, -0.0, 1e-38, -1e-45, 1e30, -3e38, np.inf, -np.inf, np.nan], np.float32)
    return np.concatenate([halves, *near, spread, ends])


@pytest.mark.parametrize("dtype", [tl.uint8, tl.int8], ids=str)
@pytest.mark.parametrize("scale", [1.0, 0.1, 0.0078125, 3.1415927, 1.9999999, 7e-21, -0.02])
def test_division_rounding_and_cut(scale: float, dtype: Any) -> None:
    limits = tl.iinfo(dtype)

    def quantized(x: Any) -> Any:
        lowest = tl.tensor(float(limits.min))
        steps = tl.round(x / tl.tensor(scale)) + tl.tensor(3.0)
        return tl.clamp(tl.fmax(steps, lowest), max=limits.max).to(dtype)

    plan = same(quantized, numbers(scale), close=0)
    assert len(plan.steps) == 1


def test_a_clamp_within_the_limits_and_no_rounding() -> None:
    x = numbers(1.0)
    finite = x[np.isfinite(x)]
    same(lambda x: tl.clamp(tl.round(x) + 3, 5, 250).to(tl.uint8), finite, close=0)
    same(lambda x: tl.clamp(x * 0.5, 0, 255).to(tl.uint8), finite, close=0)
    same(lambda x: tl.clamp(tl.round(x), -300, 300).to(tl.int16), finite, close=0)
