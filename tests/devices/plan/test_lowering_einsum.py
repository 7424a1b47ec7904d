"""Einstein summation in plans."""

from __future__ import annotations

import numpy as np
import pytest
from same import same

import tensorlite as tl

pytest.importorskip("numba")

SIZES = dict(zip("abcdijkn", (2, 3, 1, 4, 5, 6, 7, 17), strict=True))


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "equation",
    [
        "ij,jk->ik", "aij,ajk->aik", "aijk,jkn->ain", "aijk,njk->nia", "abij,jk->abik",
        "aibk,ajbk->abij", "abij,ajbk->aibk", "ij,nj", "...ij,jk->...ik", "aij,aij->a",
        "ijk,kn->nij", "aid,jdn->aijn", "ai,i->a",
    ],
)  # fmt: skip
def test_two_tensors(equation: str, constant: bool, threads: int) -> None:
    random = np.random.default_rng(0)
    left, right = (
        random.standard_normal([SIZES[c] for c in term.replace("...", "ab")]).astype(np.float32)
        for term in equation.split("->")[0].split(",")
    )
    if constant:
        w = tl.from_numpy(right).to("numba")
        same(lambda x: tl.einsum(equation, x, w) + 1, left, threads=threads)
    else:
        same(lambda x, y: tl.einsum(equation, x, y) + 1, left, right, threads=threads)


def test_a_sum_over_one_of_them_runs_as_it_was_written() -> None:
    x, y = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    plan = same(lambda a, b: tl.einsum("ij,jk->k", a, b), x, y, eager=1)
    assert plan.steps
