"""Transposed convolutions of plans: every phase of stride, dilation, padding and groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 3), size=st.integers(1, 6), kernel=st.integers(1, 5),
    stride=st.integers(1, 4), dilation=st.integers(1, 2), padding=st.integers(0, 2),
    extra=st.integers(0, 1), groups=st.sampled_from([1, 1, 2]),
    channels=st.sampled_from([1, 3, 17]), bias=st.booleans(), behind=st.integers(0, 4),
    threads=st.integers(1, 3),
)  # fmt: skip
def test_transposed(
    count: int, size: int, kernel: int, stride: int, dilation: int, padding: int, extra: int,
    groups: int, channels: int, bias: bool, behind: int, threads: int,
) -> None:  # fmt: skip
    length = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
    if length < 1 or extra >= max(stride, dilation):
        return
    random = np.random.default_rng(size)
    function = getattr(F, f"conv_transpose{count}d")
    inputs = 4 * groups
    x = random.standard_normal((2, inputs, *[size + i for i in range(count)])).astype(np.float32)
    kernels = [kernel] * (count - 1) + [max(1, kernel - 1)]
    w = tl.from_numpy(random.standard_normal((inputs, channels, *kernels)).astype(np.float32))
    b = tl.from_numpy(random.standard_normal(channels * groups).astype(np.float32))
    device = tl.device("numba")
    w, b = w.to(device), b.to(device)
    if (size + count - 2) * stride - 2 * padding + dilation * (kernels[-1] - 1) + extra < 0:
        return
    other = {}

    def net(v: tl.Tensor) -> tl.Tensor:
        y = function(v, w, b if bias else None, stride, padding, extra, groups, dilation)
        if behind == 1:
            return F.relu(y)
        if behind == 2:
            return tl.sigmoid(y) * y
        if behind == 3:
            return tl.cat([y, y * 2], 1)
        if behind == 4:
            return y + other.setdefault("x", tl.ones(1, channels * groups, *y.shape[2:]).to(device))
        return y

    same(net, x, threads=threads, close=1e-4)
