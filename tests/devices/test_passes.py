"""Eager kernels that are one pass: the reference's numbers, layouts and special values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")

rng = np.random.default_rng(0)
SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 6.0, -1.0], np.float32)
CALLS: dict[str, Any] = {
    "relu6": F.relu6,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "hardtanh": lambda x: F.hardtanh(x, -0.5, 1.5),
    "hardtanh, one value": lambda x: F.hardtanh(x, 1.0, 1.0),
    "clamp": lambda x: x.clamp(-0.5, 1.5),
    "clamp, crossed": lambda x: x.clamp(2.0, 1.5),
    "clamp, nan": lambda x: x.clamp(float("nan"), 1.5),
    "clamp, inf": lambda x: x.clamp(-0.5, float("inf")),
    "clamp, tensors": lambda x: x.clamp(tl.tensor(-0.5), tl.tensor(1.5)),
    "clamp, one bound": lambda x: x.clamp(max=0.25),
}
LAYOUTS: dict[str, Any] = {
    "as it comes": lambda x: x,
    "turned": lambda x: x.transpose(3, 2, 1, 0),
    "channels last": lambda x: np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "every other": lambda x: x[..., ::2],
    "backwards": lambda x: x[:, ::-1],
}


def numbers(layout: str, *shape: int) -> Any:
    x = 3 * rng.standard_normal(shape).astype(np.float32)
    x.reshape(-1)[: len(SPECIAL)] = SPECIAL
    return LAYOUTS[layout](x)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", [(4, 8, 15, 17), (1, 1, 1, 5000), (2, 3, 1, 1000)])
def test_as_the_reference(name: str, layout: str, shape: tuple[int, ...]) -> None:
    x = tl.from_numpy(numbers(layout, *shape))
    want, have = CALLS[name](x), CALLS[name](x.to("numba"))
    assert have.stride() == want.stride() or layout in ("every other", "backwards")
    np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_batch_norm(layout: str, weight: bool, bias: bool) -> None:
    x = tl.from_numpy(numbers(layout, 4, 8, 16, 18)[:, :, 1:])
    c = x.shape[1]
    mean, w, b = (tl.from_numpy(rng.standard_normal(2 * c).astype(np.float32))[::2] for _ in "123")
    var = tl.from_numpy(rng.random(c).astype(np.float32))
    given = [mean, var, w if weight else None, b if bias else None]
    want = F.batch_norm(x, *given, eps=1e-3)
    there = [None if v is None else v.to("numba") for v in given]
    have = F.batch_norm(x.to("numba"), *there, eps=1e-3)
    np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=2e-5, atol=2e-5)


def test_bounds_that_are_crossed_are_refused() -> None:
    x = tl.ones(64, 64, device="numba")
    with pytest.raises(tl.errors.ArgumentError, match="min_val 2.0 is above max_val 1.0"):
        F.hardtanh(x, 2.0, 1.0)
    assert F.hardtanh(x, 1.0, 1.0).tolist() == x.tolist()
