"""Group, instance and local response normalisation in plans."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")


@settings(max_examples=25, deadline=None)
@given(
    shape=st.lists(st.integers(2, 6), min_size=1, max_size=3), groups=st.integers(1, 3),
    each=st.integers(1, 6), weights=st.booleans(), after=st.booleans(), threads=st.integers(1, 3),
)  # fmt: skip
def test_groups(
    shape: list[int], groups: int, each: int, weights: bool, after: bool, threads: int
) -> None:
    random, channels = np.random.default_rng(0), groups * each
    x = random.standard_normal((2, channels, *shape)).astype(np.float32)
    w, b = (
        tl.from_numpy(random.standard_normal(channels).astype(np.float32)).to("numba")
        for _ in range(2)
    )
    given = (w, b) if weights else (None, None)
    taps = tl.full((channels, channels, *[1] * len(shape)), 0.3, device="numba")
    convolution = getattr(F, f"conv{len(shape)}d")

    def net(v: tl.Tensor) -> tl.Tensor:
        v = convolution(v, taps) + v if after else v
        return F.relu(F.group_norm(v, groups, *given)) + F.instance_norm(v, weight=w, bias=b)

    same(net, x, threads=threads, close=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    size=st.integers(1, 7), channels=st.integers(1, 20), beta=st.sampled_from([0.75, 0.5, 1.2]),
    threads=st.integers(1, 3),
)  # fmt: skip
def test_local_response(size: int, channels: int, beta: float, threads: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, channels, 3, 4)).astype(np.float32)
    same(lambda v: F.local_response_norm(v, size, 0.1, beta, 2.0), x, threads=threads)
    same(lambda v: F.local_response_norm(v * 2, size), x[:, :, 0], threads=threads)
