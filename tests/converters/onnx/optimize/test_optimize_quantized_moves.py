"""Quantised values are moved as they are; quantising twice is quantising once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optimizing import operators, random, runtime, with_weights

import tensorlite as tl

Q, DQ = "QuantizeLinear", "DequantizeLinear"
SCALES: dict[str, Any] = {"s": np.float32(0.02), "z": np.int8(-3)}


def exact(text: str, left: dict[str, int], x: Any, opset: int = 17, **more: Any) -> None:
    """Asserts which operators are left, and that the results are ONNX Runtime's, bit for bit."""
    words = set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())
    given = {n: np.asarray(a) for n, a in {**SCALES, **more}.items() if n in words}
    proto = with_weights(text, opset, **given)
    module = tl.onnx.load(proto)
    assert not [c for c in module.explain().changes if "failed and was left out" in c.done]
    assert operators(module) == left
    for have, want in zip(module.run({"x": x}).values(), runtime(proto, x), strict=True):
        np.testing.assert_array_equal(have.numpy(), want)


MOVES: list[tuple[str, str]] = [
    ("Transpose", "c = Transpose <perm = [0, 2, 3, 1]> (xd)"),
    ("Reshape", "c = Reshape (xd, shape)"),
    ("Flatten", "c = Flatten (xd)"),
    ("Unsqueeze", "c = Unsqueeze (xd, axes)"),
    ("Slice", "c = Slice (xd, starts, ends)"),
    ("Gather", "c = Gather <axis = 1> (xd, places)"),
    ("Expand", "c = Expand (xd, wide)"),
    ("Tile", "c = Tile (xd, wide)"),
    ("DepthToSpace", "c = DepthToSpace <blocksize = 2> (xd)"),
    ("SpaceToDepth", "c = SpaceToDepth <blocksize = 2> (xd)"),
    ("MaxPool", "c = MaxPool <kernel_shape = [2, 2], pads = [1, 1, 1, 1]> (xd)"),
    ("Pad", "c = Pad (xd, pads)"),
    ("Pad", "c = Pad <mode = \"reflect\"> (xd, pads)"),
    ("Resize", "c = Resize <mode = \"nearest\"> (xd, , sizes)"),
]  # fmt: skip
CONSTANTS = {
    "shape": np.int64([0, 2, -1]), "axes": np.int64([0, 2]), "starts": np.int64([1, 0]),
    "ends": np.int64([2, 3]), "places": np.int64([[3, 0], [-1, 1]]),
    "wide": np.int64([2, 1, 1, 1]), "pads": np.int64([0, 0, 1, 2, 0, 0, 3, 1]),
    "sizes": np.float32([1, 1, 2, 1.5]),
}  # fmt: skip


@pytest.mark.parametrize(("operator", "body"), MOVES)
def test_moves_of_dequantised_values(operator: str, body: str) -> None:
    """Quantised again with the same parameters: only the move is left, on int8."""
    rank = {"Flatten": 2, "Reshape": 3, "Unsqueeze": 6, "Gather": 5}.get(operator, 4)
    text = f"""g (float[1, 4, 6, 6] x) => (float[{", ".join("abcdef"[:rank])}] y) {{
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        {body}  yq = QuantizeLinear (c, s, z)  y = DequantizeLinear (yq, s, z)
    }}"""
    exact(text, {Q: 1, DQ: 1, operator: 1}, random(1, 4, 6, 6), **CONSTANTS)


def test_splits() -> None:
    text = """g (float[4, 6] x) => (float[4, 2] a, float[4, 2] c) {
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        p, b, q = Split <axis = 1> (xd)
        pq = QuantizeLinear (p, s, z)  a = DequantizeLinear (pq, s, z)
        qq = QuantizeLinear (q, s, z)  c = DequantizeLinear (qq, s, z)
    }"""
    exact(text, {Q: 1, DQ: 2, "Split": 1}, random(4, 6))


def test_joining_and_choosing_of_one_scale() -> None:
    text = """g (float[4, 6] x) => (float[4, 12] y, float[4, 6] w) {
        t = Neg (x)  tq = QuantizeLinear (t, s, z)  td = DequantizeLinear (tq, s, z)
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        c = Concat <axis = 1> (xd, td)  k = Less (x, t)  v = Where (k, xd, td)
        cq = QuantizeLinear (c, s, z)  y = DequantizeLinear (cq, s, z)
        vq = QuantizeLinear (v, s, z)  w = DequantizeLinear (vq, s, z)
    }"""
    exact(text, {"Neg": 1, Q: 2, DQ: 2, "Concat": 1, "Less": 1, "Where": 1}, random(4, 6))


def test_quantising_again() -> None:
    """With the same parameters it does nothing; with others, or another dtype, it does."""
    text = """g (float[4, 6] x) => (float[4, 6] y) {
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        yq = QuantizeLinear (xd, OTHER)  y = DequantizeLinear (yq, OTHER)
    }"""
    exact(text.replace("OTHER", "s, z"), {Q: 1, DQ: 1}, random(4, 6))
    exact(text.replace("OTHER", "s, w"), {Q: 2, DQ: 2}, random(4, 6), w=np.int8(4))
    exact(text.replace("OTHER", "s, w"), {Q: 2, DQ: 2}, random(4, 6), w=np.uint8(4))
    exact(text.replace("OTHER", "r, z"), {Q: 2, DQ: 2}, random(4, 6), r=np.float32(0.1))


def test_no_zero_point_is_zero() -> None:
    text = """g (float[4, 6] x) => (float[4, 6] y) {
        xq = QuantizeLinear (x, s)  xd = DequantizeLinear (xq, s)  a = Sigmoid (xd)
        aq = QuantizeLinear (a, s)  ad = DequantizeLinear (aq, s, zero)
        t = Reshape (ad, shape)  yq = QuantizeLinear (t, s)  y = DequantizeLinear (yq, s)
    }"""
    left = {Q: 1, DQ: 1, "com.microsoft.QLinearSigmoid": 1}
    given = {"zero": np.uint8(0), "shape": np.int64([4, 6])}
    exact(text, left, random(4, 6), **given)


def test_what_others_use_too_is_not_moved_twice() -> None:
    text = """g (float[4, 6] x) => (float[6, 4] y, float[4, 6] w) {
        xq = QuantizeLinear (x, s, z)  w = DequantizeLinear (xq, s, z)
        t = Transpose <perm = [1, 0]> (w)  y = Exp (t)
    }"""
    proto = with_weights(text, **{n: np.asarray(a) for n, a in SCALES.items()})
    assert operators(tl.onnx.load(proto)) == {Q: 1, DQ: 1, "Transpose": 1, "Exp": 1}


def test_quantising_comes_before_moves() -> None:
    """Of float values; the smaller a move makes them, the later they are quantised."""
    text = """g (float[2, 3, 6, 6] x) => (float[6, 3, 12] y, float[2, 3, 2, 6] w) {
        e = Exp (x)  t = Transpose <perm = [2, 1, 0, 3]> (e)  r = Reshape (t, shape)
        rq = QuantizeLinear (r, s, z)  y = DequantizeLinear (rq, s, z)
        c = Slice (e, starts, ends, axes)  cq = QuantizeLinear (c, s, z)
        w = DequantizeLinear (cq, s, z)
    }"""
    given = {"shape": np.int64([6, 3, -1]), "starts": np.int64([1]), "ends": np.int64([3])}
    proto = with_weights(
        text, s=np.float32(0.02), z=np.array(0, np.int8), axes=np.int64([2]), **given
    )
    module = tl.onnx.load(proto)
    order = [n.operator for n in module.model.graph.nodes if n.operator != "Constant"]
    assert order.index(Q) < order.index("Transpose") < order.index("Reshape")
    assert operators(module) == {"Exp": 1, Q: 2, DQ: 2, "Transpose": 1, "Reshape": 1, "Slice": 1}
    x = random(2, 3, 6, 6)
    for have, want in zip(module.run({"x": x}).values(), runtime(proto, x), strict=True):
        np.testing.assert_allclose(have.numpy(), want, atol=0.021)


@pytest.mark.parametrize("operator", ["ArgMax", "ArgMin"])
def test_the_place_of_the_greatest(operator: str) -> None:
    text = f"""g (float[4, 60] x) => (int64[4, 1] y) {{
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        y = {operator} <axis = 1> (xd)
    }}"""
    exact(text, {Q: 1, operator: 1}, random(4, 60))


def test_operators_of_com_microsoft() -> None:
    text = """g (float[4, 6] x) => (float[6, 4] y) {
        xq = com.microsoft.QuantizeLinear (x, s, z)  xd = com.microsoft.DequantizeLinear (xq, s, z)
        t = Transpose <perm = [1, 0]> (xd)
        yq = com.microsoft.QuantizeLinear (t, s, z)  y = com.microsoft.DequantizeLinear (yq, s, z)
    }"""
    for zero in (np.int8(-3), np.uint16(300)):
        exact(text, {Q: 1, DQ: 1, "Transpose": 1}, random(4, 6), z=zero)


@pytest.mark.parametrize(
    ("body", "scale", "left"),
    [
        ("c = Div (xd, by)", 0.005, {}),
        ("c = Div (xd, by)", 0.005 * 1.0015, {}),  # 255 numbers go less than half a step apart
        ("c = Div (xd, by)", 0.005 * 1.01, {Q: 2, DQ: 2, "Div": 1}),
        ("c = Mul (by, xd)", 0.08, {}),
        ("c = Mul (xd, by)", 0.081, {Q: 2, DQ: 2, "Mul": 1}),
        ("c = Div (by, xd)", 0.08, {Q: 2, DQ: 2, "Div": 1}),
        ("b = DequantizeLinear (four, r)  c = Div (xd, b)", 0.005, {}),
        ("c = Div (xd, wide)", 0.005, {Q: 2, DQ: 2, "Div": 1}),
        ("c = Mul (xd, none)", 0.02, {Q: 2, DQ: 2, "Mul": 1}),
    ],
)
def test_products_that_only_change_the_scale(body: str, scale: float, left: dict[str, int]) -> None:
    text = f"""g (float[4, 600] x) => (float[4, 600] y) {{
        xq = QuantizeLinear (x, s, z)  xd = DequantizeLinear (xq, s, z)
        {body}  yq = QuantizeLinear (c, t, z)  y = DequantizeLinear (yq, t, z)
    }}"""
    given = {"t": np.float32(scale), "by": np.float32(4), "wide": np.full((1, 1), 4, np.float32),
             "four": np.uint8(4), "r": np.float32(1), "none": np.float32(0)}  # fmt: skip
    exact(text, {Q: 1, DQ: 1, **left}, random(4, 600), **given)
