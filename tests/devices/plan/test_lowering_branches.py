"""ONNX's If in plans: each branch is a plan of its own, made when it is taken."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl

onnx = pytest.importorskip("onnx")
pytest.importorskip("numba")

TEXT = """<ir_version: 8, opset_import: ["": 17]>
g (float[n] x, bool up) => (float[n] y) <float[1] two = {2.0}> {
    h = Relu(x)
    y = If(up) <
        then_branch = g1 () => (float[n] a) {b = Mul(h, two)  a = Exp(b)},
        else_branch = g2 () => (float[n] c) {c = Sub(h, two)}
    >
}"""


@pytest.mark.parametrize("first", [True, False])
def test_both_branches(first: bool) -> None:
    model = tl.onnx.load(onnx.parser.parse_model(TEXT))
    compiled = model.compile(tl.zeros(5), tl.tensor(first))
    x = np.linspace(-1, 1, 5, dtype=np.float32)
    for up in (first, not first, first):
        h = np.maximum(x, 0)
        expected = np.exp(2 * h) if up else h - 2
        actual = compiled(tl.from_numpy(x), tl.tensor(up))
        np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-6)
    assert "branches are plans" in str(compiled.explain())
