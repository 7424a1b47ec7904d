"""New tensors: their layout in memory, and the numbers they refuse, as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from both import both


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like"])
@pytest.mark.parametrize("format", ["channels_last", "contiguous_format", "preserve_format"])
def test_memory_formats(name: str, format: str) -> None:
    x = np.zeros((2, 3, 4, 5), np.float32)
    both(lambda p, t: getattr(p, name)(t, memory_format=getattr(p, format)).stride(), x)
    both(
        lambda p, t: getattr(p, name)(
            t.permute(0, 2, 3, 1), memory_format=getattr(p, format)
        ).stride(),
        x,
    )


@pytest.mark.parametrize("size, stride", [((2, 3), (1, 2)), ((2, 3), (3,)), ((0, 3), (1, 1))])
def test_empty_strided(size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    both(lambda p: p.empty_strided(size, stride).stride())


@pytest.mark.parametrize("value", [300, -1, -300, 3.7, float("inf"), 1e300, True])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float32", "float16", "bool"])
def test_numbers_must_fit(value: object, dtype: str) -> None:
    both(lambda p: p.full((2,), value, dtype=getattr(p, dtype)))
    both(lambda p: p.full_like(p.zeros(2, dtype=getattr(p, dtype)), value))


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.arange(float("inf")),
        lambda p: p.arange(0, 5, dtype=p.bool),
        lambda p: p.range(0, 1, -1),
        lambda p: p.linspace(0, 1, -2),
        lambda p: p.logspace(0, 1, 3, dtype=p.bool),
        lambda p: p.eye(-1),
        lambda p: p.tril_indices(3, 3, dtype=p.float32),
        lambda p: p.meshgrid(indexing="ij"),
        lambda p: p.meshgrid(p.zeros(2), p.zeros(2, dtype=p.int64), indexing="ij"),
        lambda p: p.zeros(2.5),
        lambda p: p.empty_permuted((2, 3), (0, 0)),
    ],
)
def test_refused(call: object) -> None:
    both(call)


@pytest.mark.parametrize("args", [(0, 1, 5), (1, -3, 9), (0, 255, 7), (-1.5, 7.25, 6)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "int32"])
def test_even_spacing(args: tuple[float, float, int], dtype: str) -> None:
    if dtype == "uint8" and min(args) < 0:
        pytest.skip("negative numbers in unsigned integers are undefined in PyTorch")
    both(lambda p: p.linspace(*args, dtype=getattr(p, dtype)), rtol=1e-6)
