"""What ``import tensorlite`` brings in, and that every public name can be had."""

from __future__ import annotations

import subprocess
import sys

import tensorlite as tl

HEAVY = (
    "numba", "llvmlite", "onnx", "cupy", "rich", "scipy", "click", "safetensors", "PIL", "torch",
    "onnxruntime", "sklearn", "google", "requests", "asyncio", "multiprocessing",
)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_imports_numpy_and_nothing_heavier() -> None:
    added = loaded_by("import numpy, ml_dtypes; before = set(sys.modules); import tensorlite")
    foreign = {name.partition(".")[0] for name in added} - {"tensorlite", "numpy", "ml_dtypes"}
    assert not foreign & set(HEAVY)
    assert foreign <= set(sys.stdlib_module_names), foreign


def test_computing_on_cpu_needs_nothing_heavier_either() -> None:
    added = loaded_by("import tensorlite as tl; tl.nn.Linear(2, 3)(tl.ones(1, 2)).relu().sum()")
    assert not {name.partition(".")[0] for name in added} & set(HEAVY)


def test_the_numba_device_loads_no_compiler_until_a_kernel_is_needed() -> None:
    added = loaded_by("import tensorlite as tl; tl.ones(3, device='numba') + 1")
    assert not {name.partition(".")[0] for name in added} & {"numba", "llvmlite"}


def test_every_public_name_can_be_had() -> None:
    for name in dir(tl):
        assert getattr(tl, name) is not None or name in ("newaxis",)


def test_a_wrong_name_says_the_nearest() -> None:
    try:
        _ = tl.rleu
    except AttributeError as error:
        assert "relu" in str(error)
    else:
        raise AssertionError("tl.rleu exists")
