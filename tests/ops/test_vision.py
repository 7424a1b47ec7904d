"""Operators on images beyond their samples: inverses, identity maps, NaN, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, DTypeError, ShapeError

RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> tl.Tensor:
    return tl.from_numpy(RANDOM.standard_normal(shape).astype("float32"))


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["bilinear", "nearest", "bicubic"]),
    st.sampled_from(["zeros", "border", "reflection"]),
    st.booleans(),
    st.lists(st.integers(1, 7), min_size=4, max_size=4),
    st.floats(0.5, 3),
)
def test_random_grids_agree_with_pytorch(
    mode: str, padding: str, corners: bool, sizes: list[int], reach: float
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = RANDOM.standard_normal((2, 3, *sizes[:2])).astype("float32")
    grid = (RANDOM.standard_normal((2, *sizes[2:], 2)) * reach).astype("float32")
    arrays = (torch.from_numpy(x), torch.from_numpy(grid))
    expected = torch.nn.functional.grid_sample(*arrays, mode, padding, corners).numpy()
    actual = F.grid_sample(tl.from_numpy(x), tl.from_numpy(grid), mode, padding, corners).numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_the_identity_map_changes_nothing(mode: str, corners: bool) -> None:
    x = normal(2, 3, 5, 6)
    theta = tl.eye(2, 3).expand(2, 2, 3)
    grid = F.affine_grid(theta, x.shape, align_corners=corners)
    result = F.grid_sample(x, grid, mode, align_corners=corners)
    np.testing.assert_allclose(result.numpy(), x.numpy(), rtol=1e-4, atol=1e-4)


def test_grids_may_hold_nan_and_infinity() -> None:
    x = tl.ones(1, 1, 3, 3)
    wild = tl.tensor([float("nan"), float("inf"), -float("inf"), 1e30]).reshape(1, 4, 1, 1)
    for padding in ("border", "reflection"):
        result = F.grid_sample(x, wild.expand(1, 4, 1, 2), "nearest", padding, False)
        assert (result == 1).all()
    assert not F.grid_sample(x, wild.expand(1, 4, 1, 2), "nearest", "zeros", False).any()


def test_shuffling_back() -> None:
    x = normal(2, 12, 3, 4)
    np.testing.assert_array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).numpy(), x.numpy())
    again = F.channel_shuffle(F.channel_shuffle(x, 3), 4)
    np.testing.assert_array_equal(again.numpy(), x.numpy())


def test_a_convolution_is_a_product_with_the_windows() -> None:
    x, w = normal(2, 3, 6, 7), normal(5, 3, 3, 2)
    options: dict[str, Any] = {"stride": 2, "padding": 1, "dilation": (1, 2)}
    columns = F.unfold(x, (3, 2), **options)
    expected = F.conv2d(x, w, **options)
    actual = (w.reshape(5, -1) @ columns).reshape(expected.shape)
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)


def test_folding_windows_counts_them() -> None:
    x = normal(1, 2, 6, 6)
    options = {"kernel_size": 3, "stride": 1, "padding": 1}
    counts = F.fold(F.unfold(tl.ones_like(x), **options), (6, 6), **options)
    total = F.fold(F.unfold(x, **options), (6, 6), **options)
    np.testing.assert_allclose(total.numpy(), (x * counts).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ShapeError, r"C \* 3\*\*2", lambda x: F.pixel_shuffle(x, 3)),
        (ShapeError, r"H \* 3", lambda x: F.pixel_unshuffle(x, 3)),
        (ShapeError, "multiple of 3", lambda x: F.channel_shuffle(x, 3)),
        (ShapeError, "no window", lambda x: F.unfold(x, 9)),
        (ArgumentError, "must not be negative", lambda x: F.unfold(x, 2, padding=-1)),
        (ShapeError, r"C \* 4, 9", lambda x: F.fold(x[0], 4, 2)),
        (ShapeError, "one grid per image", lambda x: F.grid_sample(x, tl.ones(2, 1, 1, 2))),
        (ShapeError, r"H', W', 2", lambda x: F.grid_sample(x, tl.ones(1, 1, 1, 3))),
        (DTypeError, "one dtype", lambda x: F.grid_sample(x, tl.ones(1, 1, 1, 2).double())),
        (ArgumentError, "mode is one of", lambda x: F.grid_sample(x, tl.ones(1, 1, 1, 2), "x")),
        (
            ArgumentError,
            "images of",
            lambda x: F.grid_sample(x[None], tl.ones(1, 1, 1, 1, 3), "bicubic"),
        ),
        (ShapeError, "theta of", lambda x: F.affine_grid(tl.ones(1, 2, 2), (1, 1, 2, 2))),
        (ArgumentError, "positive", lambda x: F.affine_grid(tl.ones(1, 2, 3), (1, 1, 0, 2))),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call(tl.ones(1, 4, 4, 4))
