"""Views of what lies otherwise in a plan than the program that was traced believes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "view": lambda x: x.view(2, -1),
    "view of a dtype": lambda x: x.view(tl.int32).view(tl.float32),
    "as_strided": lambda x: x.as_strided((2, 3), (5, 2)),
    "view_as_complex": lambda x: tl.view_as_complex(x.view(2, 8, 4, 3, 2)).abs(),
    "pairs that are cut out": lambda x: tl.view_as_complex(x[..., 1:3].contiguous()).imag,
    "view_as_real": lambda x: tl.view_as_real(tl.view_as_complex(x.view(2, 8, 12, 2)) * 2j),
    "there and back": lambda x: tl.view_as_real(tl.view_as_complex(x.view(2, 8, 12, 2))) + 1,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_after_a_convolution(name: str) -> None:
    """A convolution's channels are last in memory."""
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6)).astype(np.float32)
    w = tl.from_numpy(np.random.default_rng(1).standard_normal((8, 3, 1, 1)).astype(np.float32))
    w = w.to("numba")
    same(lambda v: FUNCTIONS[name](F.conv2d(v, w).contiguous()), x, close=1e-4, eager=2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_an_input(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 8, 4, 6)).astype(np.float32)
    same(lambda v: FUNCTIONS[name](v.contiguous()), x, close=1e-6, eager=2)
