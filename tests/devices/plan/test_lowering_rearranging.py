"""Elements in other places: repeated, turned round, shuffled, mirrored."""

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
    "repeat": lambda x: x.repeat(2, 1, 3, 1),
    "tile": lambda x: tl.tile(x, (2, 2)),
    "repeat_interleave": lambda x: tl.repeat_interleave(x, 3, 1),
    "flip": lambda x: tl.flip(x, [1, 3]),
    "roll": lambda x: tl.roll(x, (1, -2), (2, 3)),
    "rot90": lambda x: tl.rot90(x, 1, (2, 3)),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x, 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "channel_shuffle": lambda x: F.channel_shuffle(x, 4),
}
FLOATS: dict[str, Callable[..., Any]] = {
    "reflect": lambda x: F.pad(x, (1, 2, 2, 1), mode="reflect"),
    "replicate": lambda x: F.pad(x, (1, 2, 2, 1), mode="replicate"),
    "circular": lambda x: F.pad(x, (1, 2, 2, 1), mode="circular"),
    "triangles": lambda x: tl.tril(x, 1) + tl.triu(x, -1) * 2,
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_places(name: str, dtype: str, threads: int) -> None:
    x = (np.arange(2 * 8 * 4 * 6) % 7).reshape(2, 8, 4, 6).astype(dtype)
    same(FUNCTIONS[name], x, threads=threads)


@pytest.mark.parametrize("name", [*FUNCTIONS, *FLOATS])
def test_after_a_convolution(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6)).astype(np.float32)
    w = tl.from_numpy(np.random.default_rng(1).standard_normal((8, 3, 1, 1)).astype(np.float32))
    w = w.to("numba")
    function = {**FUNCTIONS, **FLOATS}[name]
    same(lambda v: F.relu(function(F.conv2d(v, w)) + 1), x, close=1e-4)


@pytest.mark.parametrize("name", FLOATS)
def test_borders(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6)).astype(np.float32)
    same(FLOATS[name], x)
    with_nan = np.where(x > 1, np.float32(np.nan), x)
    same(FLOATS[name], with_nan)
