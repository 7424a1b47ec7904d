"""Linear maps: what they refuse."""

from __future__ import annotations

import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import DTypeError, ShapeError


def test_what_they_refuse() -> None:
    x, weight = tl.ones(2, 3), tl.ones(4, 3)
    with pytest.raises(ShapeError, match=r"got \(2, 3\) and \(3, 4\)"):
        F.linear(x, weight.t())
    with pytest.raises(DTypeError, match="one dtype, got float32 and float64"):
        F.linear(x, weight.double())
    with pytest.raises(DTypeError, match="bfloat16 and float32"):
        F.linear(x.to(tl.bfloat16), weight)
    with pytest.raises(ShapeError):
        F.linear(x, weight, tl.ones(3))
    with pytest.raises(ShapeError, match="bilinear"):
        F.bilinear(x, x, weight)
    with pytest.raises(DTypeError):
        F.bilinear(x, x, tl.ones(1, 3, 3).double())


def test_inputs_are_left_alone() -> None:
    x, weight, bias = tl.ones(2, 3), tl.ones(4, 3), tl.ones(4)
    F.linear(x, weight, bias)
    assert (x == 1).all() and (weight == 1).all() and (bias == 1).all()
