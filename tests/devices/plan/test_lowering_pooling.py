"""Pooling to a given size in plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite.nn.functional as F

pytest.importorskip("numba")


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=2), wanted=st.integers(1, 5),
    channels=st.sampled_from([1, 5, 70]), threads=st.integers(1, 3),
)  # fmt: skip
def test_adaptive(sizes: list[int], wanted: int, channels: int, threads: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, channels, *sizes)).astype(np.float32)
    for kind in ("avg", "max"):
        function = getattr(F, f"adaptive_{kind}_pool{len(sizes)}d")
        same(lambda v, f=function: f(v, wanted) * 2, x, threads=threads)
