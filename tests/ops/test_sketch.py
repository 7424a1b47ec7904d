"""What a trace of shapes takes for the result of an operator is like the result."""

from __future__ import annotations

import pytest
from samples import CASES as SAMPLES
from samples import Case, load_all
from test_operators import arguments, lookup, ours

import tensorlite as tl
from tensorlite.ops.registry import FUNCTIONS
from tensorlite.ops.sketch import RULES, sketched

load_all()
CASES = [
    pytest.param(case, dtype, id=f"{case.operator}-{n}-{dtype}")
    for name in RULES
    for n, case in enumerate(SAMPLES.get(name, []))
    for dtype in case.dtypes
]


@pytest.mark.parametrize("case, dtype", CASES)
def test_shape_and_dtype(case: Case, dtype: str) -> None:
    args, kwargs = arguments(case, dtype, ours)
    found = sketched(case.operator, FUNCTIONS[case.operator], tuple(args), kwargs)
    if found is None:
        return  # the call itself is made
    expected = lookup(tl, case.operator)(*args, **kwargs)
    assert found.shape == tuple(expected.shape)
    assert found.dtype == expected.numpy().dtype


@pytest.mark.parametrize("name", sorted(name for name in RULES if name in SAMPLES))
def test_every_rule_is_used(name: str) -> None:
    taken = 0
    for param in CASES:
        case, dtype = param.values
        if case.operator == name:
            args, kwargs = arguments(case, dtype, ours)
            taken += sketched(name, FUNCTIONS[name], tuple(args), kwargs) is not None
    assert taken
