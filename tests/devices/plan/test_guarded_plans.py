"""Kernels of plans touch nothing outside of their buffers, on any processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")


def run(side: str, first: int, last: int, processor: str = "") -> None:
    """Random networks between forbidden pages, in a process of their own."""
    here = Path(__file__).parent
    paths = [str(here), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    if processor:
        environment["TENSORLITE_CPU"] = processor
    command = [sys.executable, str(here / "guarded.py"), side, str(first), str(last)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mprotect is called by its name")
@pytest.mark.parametrize("side", ["begin", "end"])
def test_networks_between_forbidden_pages(side: str) -> None:
    run(side, 0, 15)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mprotect is called by its name")
@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("processor", ["generic", "avx2", "avx512"])
def test_more_networks_between_forbidden_pages(side: str, processor: str) -> None:
    run(side, 2000, 2100, processor)
