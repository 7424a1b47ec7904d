"""Attention that was written out becomes one node, where its mask cannot close a row."""

from __future__ import annotations

import numpy as np
import pytest
from optimizing import check_runtime, random, with_weights

HEADS = """q3 = MatMul (x, wq)  q4 = Reshape (q3, heads)  q = Transpose <perm = [0, 2, 1, 3]> (q4)
    k3 = MatMul (x, wk)  k4 = Reshape (k3, heads)
    v3 = MatMul (x, wv)  v4 = Reshape (v3, heads)  v = Transpose <perm = [0, 2, 1, 3]> (v4)"""
TURNED = "kt = Transpose <perm = [0, 2, 3, 1]> (k4)"
LEFT = {"MatMul": 3, "Reshape": 3, "Transpose": 3, "Attention": 1}
MASK = "u = Unsqueeze (mask, middle)  keep = Cast <to = 1> (u)  n = Sub (one, keep)"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (f"{TURNED}  s = MatMul (q, kt)  p = Softmax (s)  y = MatMul (p, v)", LEFT),
        (f"{TURNED}  r = MatMul (q, kt)  s = Div (r, two)  p = Softmax (s)"
         "  y = MatMul (p, v)", LEFT),
        (f"{TURNED}  qs = Mul (q, half)  ks = Mul (half, kt)  s = MatMul (qs, ks)  p = Softmax (s)"
         "  y = MatMul (p, v)", LEFT),
        (f"{TURNED}  {MASK}  add = Mul (n, low)  r = MatMul (q, kt)  s = Mul (r, half)"
         "  t = Add (s, add)  p = Softmax (t)  y = MatMul (p, v)",
         {**LEFT, "Unsqueeze": 1, "Cast": 1, "Sub": 1, "Mul": 1}),
        (f"{TURNED}  s = MatMul (q, kt)  p = Softmax <axis = 2> (s)  y = MatMul (p, v)",
         {"MatMul": 5, "Reshape": 3, "Transpose": 3, "Softmax": 1}),
        (f"{TURNED}  {MASK}  b = Cast <to = 9> (u)  add = Where (b, zero, closed)"
         "  s = MatMul (q, kt)  t = Add (s, add)  p = Softmax (t)  y = MatMul (p, v)",
         {"MatMul": 5, "Reshape": 3, "Transpose": 3, "Unsqueeze": 1, "Cast": 1, "Where": 1,
          "Add": 1, "Softmax": 1}),
        (f"{TURNED}  {MASK}  b = Cast <to = 9> (u)  add = Where (b, zero, closed)"
         "  s = MatMul (q, kt)  t = Add (s, add)  p = Softmax (t)  nan = IsNaN (p)"
         "  z = Where (nan, zero, p)  y = MatMul (z, v)",
         {**LEFT, "Unsqueeze": 1, "Cast": 1, "Where": 1}),
    ],
)  # fmt: skip
def test_attention_that_was_written_out(body: str, left: dict[str, int]) -> None:
    masked = "mask" in body
    given = ", int64[b, s] mask" if masked else ""
    text = f"g (float[b, s, 12] x{given}) => (float[b, 3, s, 4] y) {{ {HEADS} {body} }}"
    arrays = {
        "wq": random(12, 12), "wk": random(12, 12) / 2, "wv": random(12, 12),
        "low": np.float32(-1e4),
        "heads": np.array([0, 0, 3, 4]), "middle": np.array([1, 2]), "one": np.float32(1),
        "two": np.float32(2), "half": np.float32(0.5), "zero": np.float32(0),
        "closed": np.float32(-np.inf),
    }  # fmt: skip
    words = set(body.replace("(", " ").replace(")", " ").replace(",", " ").split())
    used = {
        name: np.asarray(array)
        for name, array in arrays.items()
        if name in words or name in ("wq", "wk", "wv", "heads")
    }
    mask = np.ones((2, 5), np.int64)
    mask[1, 3:] = 0
    if "IsNaN" in body:
        mask[0] = 0
    check_runtime(with_weights(text, **used), left, random(2, 5, 12), *([mask] if masked else []))
