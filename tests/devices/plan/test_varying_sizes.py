"""Compiled functions in which sizes depend on numbers give what they give uncompiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import OperatorError

pytest.importorskip("numba")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "nonzero": lambda x: tl.nonzero(x * 1),
    "nonzero, a tuple": lambda x: tl.nonzero(x, as_tuple=True)[0],
    "argwhere": lambda x: tl.argwhere(x) * 2,
    "where with one argument": lambda x: tl.where(x > 0)[0],
    "a mask as an index": lambda x: x[x > 0] * 2,
    "masked_select": lambda x: tl.masked_select(x, x > 0),
    "unique": lambda x: tl.unique(x),
    "unique_consecutive": lambda x: tl.unique_consecutive(x),
    "bincount": lambda x: tl.bincount(x.long()),
    "one_hot": lambda x: nn.functional.one_hot(x.long()),
    "repeat_interleave": lambda x: tl.repeat_interleave(x, x.long()),
    "nms": lambda x: tl.nms(tl.stack((x, x, x + 1, x + 1), 1), x, 0.5),
    "a size that is looked at": lambda x: x * tl.nonzero(x).shape[0],
    "a mean of what a mask leaves": lambda x: x[x > 0].mean(),
    "a largest row": lambda x: tl.stack((x, x * 2), 1)[x > 0].amax(0),
    "arange to a sum": lambda x: tl.arange(int(x.sum()), device=x.device) * 2,
    "a slice to a sum": lambda x: x[: int(x.sum()) % 4],
}
# The second is of another size, the third of one that broadcasts to the first's.
INPUTS = [[1.0, 0, 2, 0, 3], [1.0, 1, 2, 0, 3], [0.0, 0, 2, 0, 0], [1.0, 0, 2, 0, 3]]


class Called(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        self.scale = nn.Parameter(tl.tensor(2.0))

    def forward(self, x: tl.Tensor) -> Any:
        return self.function(x * self.scale / 2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gives_what_it_gives_uncompiled(name: str) -> None:
    module = Called(FUNCTIONS[name]).to("numba")
    compiled = module.compile()
    for numbers in INPUTS:
        x = tl.tensor(numbers, device="numba")
        want, have = module(x), compiled(x)
        assert have.dtype is want.dtype and have.tolist() == want.tolist()
        assert have.device == want.device


def test_inputs_from_elsewhere_and_by_name() -> None:
    compiled = Called(FUNCTIONS["nonzero"]).to("numba").compile()
    x = tl.tensor(INPUTS[1])
    assert compiled(x=x).tolist() == compiled(x.numpy()).tolist() == [[0], [1], [2], [4]]


def test_it_says_so() -> None:
    compiled = Called(FUNCTIONS["nonzero"]).to("numba").compile(tl.tensor(INPUTS[0]))
    assert "the size of what nonzero gives depends on numbers" in str(compiled.explain())
    with pytest.raises(OperatorError, match="no kernels to measure"):
        compiled.profile(tl.tensor(INPUTS[0]))


def test_a_constant_mask_is_no_obstacle() -> None:
    mask = tl.tensor([True, False, True, True, False], device="numba")
    compiled = Called(lambda x: x[mask] + 1).to("numba").compile(tl.tensor(INPUTS[0]))
    assert compiled(tl.tensor(INPUTS[1])).tolist() == [2.0, 3.0, 1.0]
    assert "depends on numbers" not in str(compiled.explain())
