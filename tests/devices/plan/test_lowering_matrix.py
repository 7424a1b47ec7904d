"""Products with vectors, and layers whose weights are computed, in plans."""

from __future__ import annotations

import numpy as np
import pytest
from same import same

import tensorlite as tl
import tensorlite.nn.functional as F

pytest.importorskip("numba")


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("left", "right"),
    [((5,), (5,)), ((3, 5), (5,)), ((5,), (5, 4)), ((2, 3, 5), (5,)), ((5,), (2, 5, 4))],
)
def test_vectors(left: tuple[int, ...], right: tuple[int, ...], threads: int) -> None:
    same(lambda a, b: (a @ b) * 2, random(*left), random(*right), threads=threads)


def test_vectors_by_name() -> None:
    same(lambda a, b: tl.dot(a, b) + a, random(5), random(5))
    same(lambda a, b: tl.mv(a, b), random(3, 5), random(5))
    same(lambda a: a @ a[0], random(4, 4))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 5)])
def test_computed_weights(shape: tuple[int, ...], bias: bool) -> None:
    def net(x: tl.Tensor, w: tl.Tensor, b: tl.Tensor) -> tl.Tensor:
        return F.relu(F.linear(x, w * 2, b if bias else None))

    same(net, random(*shape), random(17, 5), random(17), threads=2)


def test_outer() -> None:
    same(lambda a, b: tl.outer(a, b) + 1, random(5), random(17))


@pytest.mark.parametrize("depth", [2560, 2561, 4096, 5003])
@pytest.mark.parametrize("constant", [True, False])
def test_long_sums_in_pieces(depth: int, constant: bool) -> None:
    rng = np.random.default_rng(depth)
    x, y = (rng.standard_normal(s).astype("f") / 64 for s in ((2, 50, depth), (depth, 33)))
    bias = tl.from_numpy(rng.standard_normal(33).astype("f"))
    weight = tl.from_numpy(y)
    for threads in (1, 3):
        if constant:
            same(lambda v: F.linear(v, weight.T, bias).relu() + v[..., :33], x, threads=threads)
            same(lambda v: v.transpose(0, 1) @ weight, x, threads=threads)
        else:
            same(lambda v, w: (v @ w).relu() * 2, x, y, threads=threads)
            z = np.ascontiguousarray(np.stack([y, y]).transpose(0, 2, 1))
            same(lambda v, w: v @ w.transpose(1, 2), x, z, threads=threads)
