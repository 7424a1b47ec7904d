"""The cache of machine code: what is kept, and what is not believed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tensorlite.devices.numba import cache


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENSORLITE_CACHE_DIR", str(tmp_path))
    return tmp_path / "kernels"


def test_gives_back_what_was_kept(place: Path) -> None:
    assert cache.read("a") is None
    cache.write("a", b"code")
    assert cache.read("a") == b"code"
    assert [p.name for p in place.iterdir()] == ["a"]  # no temporary file stays


@pytest.mark.parametrize("keep", [0, 1, 20, 51, 53])
def test_a_cut_file_is_not_believed(place: Path, keep: int) -> None:
    cache.write("a", b"code of a kernel")
    data = (place / "a").read_bytes()
    (place / "a").write_bytes(data[:keep])
    assert cache.read("a") is None


def test_a_changed_byte_is_noticed(place: Path) -> None:
    cache.write("a", b"code")
    data = bytearray((place / "a").read_bytes())
    for i in range(len(data)):
        changed = bytes(data[:i]) + bytes([data[i] ^ 1]) + bytes(data[i + 1 :])
        (place / "a").write_bytes(changed)
        assert cache.read("a") is None, i


def test_a_file_or_folder_that_others_may_write_is_not_used(place: Path) -> None:
    cache.write("a", b"code")
    (place / "a").chmod(0o666)
    assert cache.read("a") is None
    (place / "a").chmod(0o600)
    place.chmod(0o777)
    assert cache.read("a") is None and cache.folder() is None


def test_another_users_file_is_not_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write("a", b"code")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert cache.read("a") is None


def test_no_folder_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TENSORLITE_CACHE_DIR", str(tmp_path / "file"))
    cache.write("a", b"code")
    assert cache.read("a") is None


def test_the_oldest_go_when_it_is_full(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_BYTES", 400)
    for i in range(6):
        cache.write(f"k{i}", bytes(100))
        os.utime(place / f"k{i}", (i, i))
    assert sorted(p.name for p in place.iterdir())[-1] == "k5"
    assert sum(p.stat().st_size for p in place.iterdir()) <= 400


def test_files_that_another_process_removes_meanwhile(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        cache.write(name, bytes(100))
    plain = os.scandir

    @contextmanager
    def slow(folder: Path) -> Iterator[Any]:
        with plain(folder) as found:
            entries = list(found)
        (folder / "a").unlink()
        yield iter(entries)

    monkeypatch.setattr(os, "scandir", slow)
    monkeypatch.setattr(cache, "MAX_BYTES", 300)
    cache.write("c", bytes(200))
    assert {p.name for p in place.iterdir()} == {"c"}


def test_keys_differ_where_any_part_does() -> None:
    assert cache.key("ab", "c") != cache.key("a", "bc") != cache.key("abc")


RUN = """
import numpy as np, sys
from tensorlite.devices.numba import elementwise
from tensorlite.devices.numba.depthwise import depthwise_conv2d
x = np.linspace(-3, 3, 5000, dtype=np.float32)
y = elementwise.apply("sigmoid", x)
assert np.allclose(y, 1 / (1 + np.exp(-x)), atol=1e-6)
z = depthwise_conv2d(np.ones((1, 2, 4, 4), np.float32), np.ones((2, 1, 3, 3), np.float32), groups=2)
assert (z == 9).all() and z.shape == (1, 2, 2, 2)
print("numba" in sys.modules)
"""


@pytest.mark.slow
def test_processes_at_once_and_one_after_them(place: Path) -> None:
    """Six start with an empty cache; one that comes later does not even import numba."""
    start = [sys.executable, "-c", RUN]
    running = [subprocess.Popen(start, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [p.wait() for p in running] == [0] * 6
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    later = subprocess.run(start, capture_output=True, text=True, check=True)
    assert later.stdout.strip() == "False"
    for file in place.iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert subprocess.run(start, capture_output=True, check=False).returncode == 0
