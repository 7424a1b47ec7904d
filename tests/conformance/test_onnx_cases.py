"""Every conformance case of the onnx package, but those that the exclusion file excuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tensorlite.converters.onnx.conformance import Case, cases, difference, failure, main

EXCLUSIONS = Path(__file__).with_name("onnx_exclusions.txt")


def excluded() -> dict[str, str]:
    """The reason for each excluded case."""
    lines = [line for line in EXCLUSIONS.read_text().splitlines() if line[:1] not in ("", "#")]
    return {name.strip(): why.strip() for name, _, why in (line.partition("#") for line in lines)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases take seconds to make, so they are made only where they are run."""
    if "case" not in metafunc.fixturenames:
        return
    found: list[Any] = []
    if metafunc.config.getoption("--slow"):
        reasons = excluded()
        for case in cases():
            why = reasons.get(case.name)
            marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
            found.append(pytest.param(case, id=case.name, marks=marks))
    metafunc.parametrize("case", found)


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [False, True], ids=["as-read", "optimized"])
@pytest.mark.filterwarnings("ignore")  # of NumPy, about what the cases overflow on purpose
def test_case(case: Case, device: Any, optimize: bool) -> None:
    if case.name == "light/light_squeezenet":
        # Its weights are all one number: whether two classes are equal hangs on the last digit of
        # sums of 2e9, which OpenBLAS adds up in another order when it has one thread only.
        threadpoolctl = pytest.importorskip("threadpoolctl", reason="it comes with scikit-learn")
        with threadpoolctl.threadpool_limits(2, "blas"):
            why = failure(case, device, optimize)
    else:
        why = failure(case, device, optimize)
    assert why is None, why


@pytest.mark.slow
def test_exclusions_are_cases_with_reasons() -> None:
    names = {case.name for case in cases()}
    for name, why in excluded().items():
        assert name in names, f"{name} is no case"
        assert len(why) > 10, f"{name} has no reason"


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--filter", "^simple/test_sign_model$"]) == 0
    assert "100.0" in capsys.readouterr().out


def test_differences_are_found() -> None:
    import numpy as np

    case = Case("c", "c", lambda: (None, []), 1e-3, 1e-6)  # type: ignore[arg-type,return-value]
    one = np.ones(3, np.float32)
    assert difference(one, one, case) is None
    assert "shape" in str(difference(one, one[:2], case))
    assert "dtype" in str(difference(one, one.astype(np.float64), case))
    assert "Mismatched" in str(difference(one, one * 1.1, case))
    assert "values" in str(difference([one], [], case))
    assert "strings" in str(difference(np.array(["a"]), np.array(["b"]), case))
