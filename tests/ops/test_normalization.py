"""Norms: running statistics, memory layouts, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_running_statistics_move(dtype: str, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = np.random.default_rng(0).normal(1, 2, (4, 3, 5)).astype(np.float32)
    results = []
    for package, given in ((torch, torch.from_numpy(x)), (tl, tl.from_numpy(x))):
        kind = getattr(package, dtype)
        mean, var = package.zeros(3), package.ones(3)
        if package is tl:
            given, mean, var = given.to(device), mean.to(device), var.to(device)
        given, mean, var = given.to(kind), mean.to(kind), var.to(kind)
        norms = package.nn.functional
        norms.batch_norm(given, mean, var, training=True, momentum=0.3)
        norms.instance_norm(given, mean, var, momentum=0.2)
        results.append(np.stack([t.cpu().float().numpy() for t in (mean, var)]))
    np.testing.assert_allclose(*results, rtol=1e-5 if dtype == "float32" else 2e-2)


def test_mixed_precision_keeps_the_inputs_dtype() -> None:
    x = tl.randn(2, 4).to(tl.float16)
    weight = tl.ones(4)
    for result in (
        F.layer_norm(x, (4,), weight, weight),
        F.rms_norm(x, (4,), weight),
        F.group_norm(x, 2, weight, weight),
        F.batch_norm(x, tl.zeros(4), weight, weight, weight),
    ):
        assert result.dtype is tl.float16


def test_large_means_do_not_lose_the_variance() -> None:
    x = tl.randn(8, 64) + 1000
    found = F.layer_norm(x, (64,)).numpy()
    wide = x.numpy().astype(np.float64)
    wanted = (wide - wide.mean(1, keepdims=True)) / wide.std(1, keepdims=True)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_what_they_refuse() -> None:
    x = tl.ones(2, 4)
    with pytest.raises(ShapeError, match="not the end"):
        F.layer_norm(x, (3,))
    with pytest.raises(ShapeError, match="weight and bias"):
        F.layer_norm(x, (4,), tl.ones(3))
    with pytest.raises(ShapeError, match="groups"):
        F.group_norm(x, 3)
    with pytest.raises(ShapeError, match="4 channels"):
        F.batch_norm(x, tl.zeros(3), tl.ones(4))
    with pytest.raises(ShapeError, match="more than one value"):
        F.batch_norm(tl.ones(1, 4), None, None, training=True)
    with pytest.raises(ShapeError, match="more than one position"):
        F.instance_norm(tl.ones(2, 4, 1))
    with pytest.raises(ArgumentError, match="running mean"):
        F.batch_norm(x, None, None)
    with pytest.raises(DTypeError, match="int64"):
        F.layer_norm(x.long(), (4,))
