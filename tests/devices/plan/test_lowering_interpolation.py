"""Resampling in plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite.nn.functional as F

pytest.importorskip("numba")

MODES = {1: ("nearest", "linear"), 2: ("nearest", "bilinear", "bicubic"), 3: ("trilinear",)}


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(1, 3), data=st.data(), channels=st.sampled_from([1, 3, 17]),
    sizes=st.lists(st.integers(1, 7), min_size=6, max_size=6), corners=st.booleans(),
    smooth=st.booleans(), factor=st.sampled_from([None, 0.7, 1.5, 2.0]), threads=st.integers(1, 3),
)  # fmt: skip
def test_interpolate(
    count: int, data: st.DataObject, channels: int, sizes: list[int], corners: bool,
    smooth: bool, factor: float | None, threads: int,
) -> None:  # fmt: skip
    mode = data.draw(st.sampled_from(MODES[count]))
    shape = [max(2, s) for s in sizes[:count]]
    x = np.random.default_rng(0).standard_normal((2, channels, *shape)).astype(np.float32)
    options = {"mode": mode}
    if mode != "nearest":
        options["align_corners"] = corners
    if mode in ("bilinear", "bicubic"):
        options["antialias"] = smooth
    options |= {"size": sizes[3 : 3 + count]} if factor is None else {"scale_factor": factor}
    same(lambda v: F.interpolate(v, **options) + 1, x, threads=threads)
