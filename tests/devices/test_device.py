"""Devices: their names, the default one, and what is said of those that cannot be used."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from typing import Any

import pytest

import tensorlite as tl
from tensorlite.devices.cuda import device as cuda
from tensorlite.errors import DeviceUnavailableError


def test_equal_names_are_one_device() -> None:
    assert tl.device("cpu") is tl.device("cpu:0") is tl.ones(1).device
    assert tl.device("cpu") == "cpu" and str(tl.device("numba")) == "numba"
    assert tl.device("cpu") != tl.device("numba")
    assert tl.device("cpu").type == "cpu" and tl.device("cpu").index is None


@pytest.mark.parametrize(
    ("name", "says"),
    [("cdua", "Did you mean 'cuda'"), ("cpu:1", "cpu:0"), ("numba:x", "numba"), ("", "cpu")],
)
def test_a_wrong_name_says_what_is_right(name: str, says: str) -> None:
    with pytest.raises(DeviceUnavailableError, match=says):
        tl.device(name)


@pytest.fixture
def fresh() -> Any:
    cuda._problem.cache_clear()
    yield
    cuda._problem.cache_clear()


def test_without_cupy_a_sentence(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(cuda, "find_spec", lambda name: None if name == "cupy" else real(name))
    with pytest.raises(DeviceUnavailableError, match=r"pip install 'tensorlite\[cuda12\]'"):
        tl.ones(1, device="cuda")
    assert tl.device("auto").kind == "numba"
    (row,) = [row for row in tl.devices() if row["device"].startswith("cuda")]
    assert row["usable"] == "no" and "CuPy" in row["about"]


def test_with_cupy_but_no_gpu_a_sentence(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("cudaErrorInsufficientDriver: too old\nlong traceback")

    monkeypatch.setitem(sys.modules, "cupy", Broken())  # type: ignore[misc]
    monkeypatch.setattr(cuda, "find_spec", lambda name: True)
    with pytest.raises(DeviceUnavailableError, match="no usable GPU.*too old") as error:
        tl.device("cuda:0")
    assert "\n" not in str(error.value)


def test_the_default_device() -> None:
    assert tl.zeros(1).device == "cpu"
    with tl.device("numba"):
        assert tl.zeros(1).device == "numba" and tl.tensor([1]).device == "numba"
        with tl.device("cpu"):
            assert tl.zeros(1).device == "cpu"
        assert tl.zeros(1).device == "numba"
        assert tl.from_numpy(tl.zeros(1).numpy()).device == "cpu"
    tl.set_default_device("numba")
    try:
        assert tl.rand(2).device == "numba"
    finally:
        tl.set_default_device(None)
    assert tl.zeros(1).device == "cpu"


def test_the_block_counts_for_its_own_thread() -> None:
    seen: list[str] = []
    with tl.device("numba"):
        thread = threading.Thread(target=lambda: seen.append(str(tl.zeros(1).device)))
        thread.start()
        thread.join()
    assert seen == ["cpu"]


def test_the_environment_names_the_default() -> None:
    program = "import tensorlite as tl; print(tl.zeros(1).device)"
    env = {**os.environ, "TENSORLITE_DEVICE": "numba"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "numba"


def test_cpu_and_numba_share_memory_and_mix() -> None:
    x = tl.zeros(3)
    y = x.to("numba")
    y[0] = 5
    assert x[0].item() == 5
    assert (x + y).device == "numba" and (y + x).device == "numba"


def test_devices_print_as_a_table() -> None:
    lines = repr(tl.devices()).splitlines()
    assert lines[0].startswith("cpu") and any("numba" in line for line in lines)
