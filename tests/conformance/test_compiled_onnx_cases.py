"""The conformance cases of the onnx package as plans, each called twice."""

from __future__ import annotations

from typing import Any

import pytest
from test_onnx_cases import excluded

import tensorlite as tl
from tensorlite.converters.onnx.conformance import Case, _plain, cases, difference
from tensorlite.converters.onnx.values import to_plain

pytest.importorskip("llvmlite")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases take seconds to make, so they are made only where they are run."""
    slow = metafunc.config.getoption("--slow")
    reasons = excluded()
    found = [case for case in cases() if case.name not in reasons] if slow else []
    metafunc.parametrize("case", found, ids=[case.name for case in found])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of NumPy, about what the cases overflow on purpose
def test_case(case: Case) -> None:
    model, sets = case.read()
    compiled: Any = tl.onnx.load(model, device="numba").compile()
    for inputs, outputs in sets:
        given = [_plain(value) for value in inputs]
        for _ in range(2):
            result = compiled(*given)
            values = [to_plain(v) for v in (result if isinstance(result, tuple) else (result,))]
            why = difference([_plain(v) for v in outputs], values, case)
            assert why is None, why
