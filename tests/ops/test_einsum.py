"""Einstein sums against NumPy's, and the equations that are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
from tensorlite.errors import ArgumentError, ShapeError

SIZES = dict(zip("abcdef", (2, 3, 1, 4, 2, 3), strict=True))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_equation(data: st.DataObject) -> None:
    terms = data.draw(st.lists(st.text("abcdef", max_size=4), min_size=1, max_size=4))
    used = sorted(set("".join(terms)))
    output = "".join(data.draw(st.permutations(used)))[: data.draw(st.integers(0, len(used)))]
    equation = f"{','.join(terms)}->{output}"
    generator = np.random.default_rng(0)
    arrays = [generator.standard_normal([SIZES[c] for c in term]) for term in terms]
    expected = np.einsum(equation, *arrays)
    actual = tl.einsum(equation, *[tl.from_numpy(np.asarray(a)) for a in arrays])
    np.testing.assert_allclose(actual.numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("equation", ["ij,jk", "i1->i", "ij->ik", "ij->ii", "i.j->i", "ij->i j ->"])
def test_equations_that_are_refused(equation: str) -> None:
    with pytest.raises(ArgumentError, match="einsum"):
        tl.einsum(equation, tl.ones(2, 2))


def test_shapes_that_are_refused() -> None:
    with pytest.raises(ShapeError, match="has 2 dimensions"):
        tl.einsum("ijk->i", tl.ones(2, 2))
    with pytest.raises(ShapeError, match="sizes 3 and 4"):
        tl.einsum("ij,jk->ik", tl.ones(2, 3), tl.ones(4, 2))
    with pytest.raises(ShapeError, match="of one tensor"):
        tl.einsum("ii->i", tl.ones(2, 3))
