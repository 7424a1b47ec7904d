"""Recurrent layers and cells in plans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from same import same

import tensorlite as tl
from tensorlite import nn

pytest.importorskip("numba")


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["LSTM", "GRU", "RNN"]), layers=st.integers(1, 2), both=st.booleans(),
    first=st.booleans(), bias=st.booleans(), steps=st.integers(1, 4), batch=st.integers(1, 3),
    inputs=st.integers(1, 9), hidden=st.integers(1, 20), threads=st.integers(1, 3),
    state=st.booleans(), rectified=st.booleans(),
)  # fmt: skip
def test_layers(
    kind: str, layers: int, both: bool, first: bool, bias: bool, steps: int, batch: int,
    inputs: int, hidden: int, threads: int, state: bool, rectified: bool,
) -> None:  # fmt: skip
    tl.manual_seed(hidden)
    options: dict[str, Any] = {"nonlinearity": "relu"} if kind == "RNN" and rectified else {}
    net = getattr(nn, kind)(
        inputs, hidden, layers, bias=bias, batch_first=first, bidirectional=both, **options
    ).to("numba")
    random = np.random.default_rng(0)
    shape = (batch, steps, inputs) if first else (steps, batch, inputs)
    x = random.standard_normal(shape).astype(np.float32)
    begin = random.standard_normal((layers * (1 + both), batch, hidden)).astype(np.float32)

    def run(v: tl.Tensor, h: tl.Tensor) -> Any:
        hx = (h, h * 2) if kind == "LSTM" else h
        out, last = net(v, hx) if state else net(v)
        return (out + 1, *last) if kind == "LSTM" else (out + 1, last)

    same(run, x, begin, threads=threads)


@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell", "RNNCell"])
@pytest.mark.parametrize("bias", [True, False])
def test_cells(kind: str, bias: bool) -> None:
    net = getattr(nn, kind)(5, 7, bias=bias).to("numba")
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)

    def run(v: tl.Tensor) -> Any:
        state = None
        for _ in range(3):
            state = net(v, state)
        return state

    same(run, x)


def test_weights_are_packed_once() -> None:
    net = nn.LSTM(8, 16).to("numba")
    plan = same(lambda v: net(v)[0], np.ones((20, 1, 8), np.float32))
    packed = {id(s.reads[1]) for s in plan.steps if s.name.startswith("linear")}
    assert len(packed) == 2


ONNX = """<ir_version: 8, opset_import: ["": 17]>
g (float[3,2,4] x, int32[2] n, float[1,8,4] w, float[1,8,2] r)
    => (float[3,1,2,2] y, float[1,2,2] h) {
    y, h = LSTM <hidden_size = 2, direction = "reverse"> (x, w, r, , n)
}"""


def test_lengths_are_read_when_the_plan_runs() -> None:
    onnx = pytest.importorskip("onnx")
    model = tl.onnx.load(onnx.parser.parse_model(ONNX), device="numba")
    random = np.random.default_rng(0)
    shapes = ((3, 2, 4), (1, 8, 4), (1, 8, 2))
    x, w, r = (random.standard_normal(s).astype(np.float32) for s in shapes)
    plan = same(model, x, np.array([3, 2], np.int32), w, r)
    for lengths in ([1, 3], [0, 2]):
        n = np.array(lengths, np.int32)
        for have, want in zip(plan(x, n, w, r), model(x, n, w, r), strict=True):
            np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-5, atol=1e-6)
