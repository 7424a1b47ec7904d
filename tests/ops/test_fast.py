"""The short way for small and large tensors gives what the general way gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tensorlite as tl
import tensorlite.nn.functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
DTYPES = ["float32", "float64", "float16", "int32", "uint8", "complex64", "bool"]
DEVICES = ["cpu", "numba"]


def _numba(device: str) -> str:
    if device == "numba":
        pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    return device


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=40, deadline=None)
@given(
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=7),
    step=st.integers(1, 3),
)
def test_sum_of_few_numbers(device: str, dtype: str, shape: tuple[int, ...], step: int) -> None:
    array = (np.arange(np.prod(shape)) % 11 - 3).astype(dtype).reshape(shape)
    array = array[::step].T if array.ndim else array
    have = tl.from_numpy(array).to(_numba(device)).sum()
    want = torch.from_numpy(np.ascontiguousarray(array)).sum()
    assert have.shape == () and str(have.dtype).split(".")[1] == str(want.dtype).split(".")[1]
    assert have.item() == want.item()


@pytest.mark.parametrize(
    "values", [[np.inf, 1], [np.inf, -np.inf], [np.nan], [3e38, 3e38], [1e-45]]
)
def test_sum_of_special_numbers(values: list[float]) -> None:
    array = np.array(values, np.float32)
    want = torch.from_numpy(array).sum().item()
    np.testing.assert_equal(tl.from_numpy(array).sum().item(), want)


@pytest.mark.parametrize("size", range(1, 40))
def test_sum_is_as_exact_as_float32_allows(size: int) -> None:
    array = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    bound = size * np.finfo(np.float32).eps * np.abs(array).sum()
    assert abs(tl.from_numpy(array).sum().item() - array.sum(dtype=np.float64)) <= bound


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "uint8"])
@pytest.mark.parametrize("size", [0, 1, 5, 511, 512, 513, 70_001])
def test_relu(device: str, dtype: str, size: int) -> None:
    array = (np.arange(size) % 9 - 4.0).astype(np.int64).astype(dtype)
    if dtype.startswith("float") and size > 3:
        array[:4] = [np.nan, np.inf, -np.inf, -0.0]
    have = tl.relu(tl.from_numpy(array).to(_numba(device))).numpy()
    want = torch.relu(torch.from_numpy(array)).numpy()
    assert have.dtype == want.dtype
    np.testing.assert_array_equal(have, want)


UNARY: dict[str, tuple[Any, Any]] = {
    "sigmoid": (tl.sigmoid, torch.sigmoid),
    "exp": (tl.exp, torch.exp),
    "erf": (tl.erf, torch.erf),
    "silu": (F.silu, torch.nn.functional.silu),
    "gelu": (F.gelu, torch.nn.functional.gelu),
    "tanh": (tl.tanh, torch.tanh),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("size", [0, 3, 512, 767, 768, 16_383, 16_384, 150_001])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_functions_on_both_sides_of_their_limits(
    device: str, name: str, size: int, dtype: str
) -> None:
    ours, theirs = UNARY[name]
    array = np.linspace(-8, 8, size).astype(dtype)
    tolerance = {"float64": 1e-12, "float32": 2e-6, "float16": 2e-3}[dtype]
    for cut in (array, array[::-2]):
        have = ours(tl.from_numpy(cut).to(_numba(device)))
        want = theirs(torch.from_numpy(cut.copy())).numpy()
        assert have.numpy().dtype == want.dtype
        np.testing.assert_allclose(have.numpy(), want, rtol=tolerance, atol=tolerance)


def test_the_short_way_still_asks_the_kernels() -> None:
    from tensorlite.ops.fast import LARGE

    x = tl.ones(20_000, device=_numba("numba"))
    with tl.explain() as e:
        F.gelu(x)
    assert e.rows[0].kernel == "numba:vector_gelu"
    direct = LARGE["numba", "nn.functional.gelu", np.dtype(np.float32)](x.numpy())
    np.testing.assert_array_equal(F.gelu(x).numpy(), direct)
