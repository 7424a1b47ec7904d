"""fma rounds once: no float32 is nearer to the exact value than the result."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorlite as tl
from tensorlite.errors import DTypeError

floats = st.floats(-(2.0**50), 2.0**50, width=32)


@given(a=floats, b=floats, c=floats)
def test_nearest(a: float, b: float, c: float) -> None:
    x, y, z = (tl.tensor([n], dtype=tl.float32) for n in (a, b, c))
    found = np.float32(tl.fma(x, y, z).item())
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    error = abs(Fraction(float(found)) - exact)
    for other in (np.nextafter(found, np.float32(s * np.inf)) for s in (-1, 1)):
        assert error <= abs(Fraction(float(other)) - exact)


def test_no_float64() -> None:
    x = tl.ones(1, dtype=tl.float64)
    with pytest.raises(DTypeError, match=r"fma: expected float32, got float64; use x.float\(\)"):
        tl.fma(x, x, x)
