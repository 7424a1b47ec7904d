"""Resampling beyond its samples: random sizes, images of 8 bits, old names, errors."""

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
MODES = {
    1: ["nearest", "nearest-exact", "area", "linear"],
    2: ["nearest", "nearest-exact", "area", "bilinear", "bicubic"],
    3: ["nearest", "nearest-exact", "area", "trilinear"],
}


@st.composite
def resamplings(draw: Any) -> tuple[list[int], dict[str, Any]]:
    count = draw(st.integers(1, 3))
    sizes = [draw(st.integers(2, 9)) for _ in range(count)]
    options: dict[str, Any] = {"mode": draw(st.sampled_from(MODES[count]))}
    if draw(st.booleans()):
        options["size"] = [draw(st.integers(2, 19)) for _ in range(count)]
    else:
        options["scale_factor"] = draw(st.sampled_from([0.51, 0.75, 1.3, 2.0, 2.7]))
        options["recompute_scale_factor"] = draw(st.booleans())
    if "linear" in options["mode"] or options["mode"] == "bicubic":
        options["align_corners"] = draw(st.booleans())
        # PyTorch 2.13 repeats the first row where antialiasing has to do with one column.
        wide = min(sizes) > 3
        options["antialias"] = count == 2 and wide and draw(st.booleans())
    return [draw(st.integers(1, 2)), draw(st.integers(1, 3)), *sizes], options


@settings(max_examples=120, deadline=None)
@given(resamplings())
def test_random_resamplings_agree_with_pytorch(case: tuple[list[int], dict[str, Any]]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    shape, options = case
    x = RANDOM.standard_normal(shape).astype("float32")
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), **options).numpy()
    actual = F.interpolate(tl.from_numpy(x), **options).numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(40, 31), (9, 50), (5, 4)])
def test_images_of_8_bits(mode: str, antialias: bool, size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = RANDOM.integers(0, 256, (1, 3, 20, 17)).astype("uint8")
    options = {"size": size, "mode": mode, "antialias": antialias}
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), **options).numpy()
    actual = F.interpolate(tl.from_numpy(x), **options).numpy()
    difference = np.abs(actual.astype(int) - expected.astype(int))
    assert actual.dtype == np.uint8 and difference.max() <= 1
    assert (difference > 0).mean() < 0.01  # a weight in the last bit, where PyTorch fuses products


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_antialiasing_is_pillows(mode: str) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    x = RANDOM.integers(0, 256, (30, 41)).astype("uint8")
    filters = {"bilinear": image.Resampling.BILINEAR, "bicubic": image.Resampling.BICUBIC}
    expected = np.asarray(image.fromarray(x).resize((12, 17), filters[mode]))
    actual = F.interpolate(tl.from_numpy(x)[None, None], (17, 12), mode=mode, antialias=True)
    assert np.abs(actual[0, 0].numpy().astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.filterwarnings("ignore:`nn.functional.upsample")
def test_old_names_agree_with_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = RANDOM.standard_normal((1, 2, 4, 5)).astype("float32")
    for name in ("upsample", "upsample_nearest", "upsample_bilinear"):
        for options in ({"size": (7, 9)}, {"scale_factor": 3}):
            expected = getattr(torch.nn.functional, name)(torch.from_numpy(x), **options)
            actual = getattr(F, name)(tl.from_numpy(x), **options)
            np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_the_result_is_a_copy() -> None:
    x = tl.zeros(1, 1, 3, 3)
    for mode in MODES[2]:
        result = F.interpolate(x, 3, mode=mode)
        result += 1
    assert not x.any()


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ArgumentError, "one of size and", lambda x: F.interpolate(x)),
        (ArgumentError, "one of size and", lambda x: F.interpolate(x, 2, 2.0)),
        (ArgumentError, "mode is one of", lambda x: F.interpolate(x, 2, mode="cubic")),
        (ArgumentError, "align_corners", lambda x: F.interpolate(x, 2, align_corners=True)),
        (ArgumentError, "antialias is", lambda x: F.interpolate(x, 2, antialias=True)),
        (
            ArgumentError,
            "needs scale_factor",
            lambda x: F.interpolate(x, 2, recompute_scale_factor=True),
        ),
        (ShapeError, "3 dimensions", lambda x: F.interpolate(x, 2, mode="linear")),
        (ShapeError, "expected 2 of size", lambda x: F.interpolate(x, (2, 2, 2))),
        (ShapeError, "at least 1", lambda x: F.interpolate(x, 0)),
        (ShapeError, "at least 1", lambda x: F.interpolate(x, scale_factor=0.1)),
        (DTypeError, "takes floats", lambda x: F.interpolate(x.long(), 2, mode="bilinear")),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call(tl.ones(1, 2, 4, 4))
