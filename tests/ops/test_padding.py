"""Padding beyond its samples: against numpy.pad, cropping, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, ShapeError

NUMPY = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@st.composite
def paddings(draw: Any) -> tuple[list[int], list[tuple[int, int]], str]:
    shape = draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    count = draw(st.integers(1, len(shape)))
    amounts = [(draw(st.integers(0, n - 1)), draw(st.integers(0, n - 1))) for n in shape[-count:]]
    return shape, amounts, draw(st.sampled_from(sorted(NUMPY)))


@settings(max_examples=80, deadline=None)
@given(paddings())
def test_random_paddings_agree_with_numpy(case: tuple[Any, Any, Any]) -> None:
    shape, amounts, mode = case
    x = np.arange(np.prod(shape)).reshape(shape)
    whole = [(0, 0)] * (len(shape) - len(amounts)) + amounts
    flat = [n for both in reversed(amounts) for n in both]
    actual = F.pad(tl.from_numpy(x), flat, mode)
    np.testing.assert_array_equal(actual.numpy(), np.pad(x, whole, mode=NUMPY[mode]))


def test_cropping() -> None:
    x = tl.arange(5)
    assert F.pad(x, (-1, -2)).tolist() == [1, 2]
    assert F.pad(x, (-3, -2)).tolist() == []
    assert F.pad(x, (-1, 2), value=9).tolist() == [1, 2, 3, 4, 9, 9]
    assert F.pad(x[None], (-1, 2), "reflect").tolist() == [[1, 2, 3, 4, 3, 2]]
    assert F.pad(x[None], (-1, 2), "circular").tolist() == [[1, 2, 3, 4, 1, 2]]


def test_the_result_is_a_copy() -> None:
    x = tl.zeros(2, 3)
    for mode in NUMPY:
        result = F.pad(x, (0, 0), mode)
        result += 1
    assert not x.any()


def test_channels_stay_last_in_memory() -> None:
    x = tl.ones(2, 3, 4, 4).contiguous(memory_format="channels_last")
    assert F.pad(x, (1, 1, 1, 1)).is_contiguous(memory_format="channels_last")


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ArgumentError, "two numbers for each", lambda x: F.pad(x, (1,))),
        (ArgumentError, "at most 2 dimensions", lambda x: F.pad(x, (1,) * 6)),
        (ArgumentError, "mode is one of", lambda x: F.pad(x, (1, 1), "mirror")),
        (ArgumentError, "takes no value", lambda x: F.pad(x, (1, 1), "reflect", 3)),
        (ShapeError, "at most 3", lambda x: F.pad(x, (4, 0), "reflect")),
        (ShapeError, "at most 4", lambda x: F.pad(x, (5, 0), "circular")),
        (ShapeError, "not possible", lambda x: F.pad(x, (-3, -3))),
        (ShapeError, "not possible", lambda x: F.pad(x[:, :0], (1, 1), "replicate")),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call(tl.ones(3, 4))
