"""Object files are loaded without LLVM, to the same effect; what is not understood is not."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.devices.numba import llvm, objects

pytest.importorskip("numba")
pytestmark = pytest.mark.skipif(not objects.loads_here(), reason="no ELF files for x86-64")

# A constant in a section of its own, a call of another function, and one of the C library.
IR = """
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define internal void @twice(ptr %x, i64 %i) noinline {
  %at = getelementptr double, ptr %x, i64 %i
  %old = load double, ptr %at
  %new = fmul double %old, 2.375
  store double %new, ptr %at
  ret void
}
define void @kernel(ptr %to, ptr %from, i64 %bytes) {
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  call void @twice(ptr %to, i64 1)
  ret void
}
"""


@pytest.fixture(scope="module")
def code() -> bytes:
    return llvm._object(IR.replace("@kernel", "@k_test"))


def run(address: int) -> list[float]:
    kernel = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(address)
    to, source = np.zeros(3), np.array([1.0, 2.0, 3.0])
    kernel(to.ctypes.data, source.ctypes.data, source.nbytes)
    return to.tolist()


def test_runs(code: bytes) -> None:
    assert run(objects.load("k_test", code)) == [1.0, 4.75, 3.0]


def test_what_is_not_understood_goes_to_llvm(code: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*given: Any) -> int:
        raise objects.Unknown("relocation 9")

    monkeypatch.setattr(objects, "_relocate", unknown)
    with pytest.raises(objects.Unknown, match="relocation 9"):
        objects.load("k_test", code)
    assert run(llvm.load("k_test", code)) == [1.0, 4.75, 3.0]


def test_names_that_are_not_there(code: bytes) -> None:
    with pytest.raises(objects.Unknown, match="no symbol k_other"):
        objects.load("k_other", code)
    with pytest.raises(objects.Unknown, match="function nobody_has_this"):
        objects._function("nobody_has_this")


def test_other_files(code: bytes) -> None:
    for broken in (b"", b"MZ" + code[2:], code[:16] + struct.pack("<HH", 1, 183) + code[20:]):
        with pytest.raises(objects.Unknown, match="no object file"):
            objects.load("k_test", broken)
    for length in range(64, len(code), 97):
        with pytest.raises(objects.Unknown):
            objects.load("k_test", code[:length])


def test_memory_is_not_writable(code: bytes) -> None:
    address = objects.load("k_test", code)
    lines = Path("/proc/self/maps").read_text().splitlines()
    spans = [(line.split()[0].split("-"), line.split()[1]) for line in lines]
    (rights,) = [r for (a, b), r in spans if int(a, 16) <= address < int(b, 16)]
    assert rights == "r-xp"


PROGRAM = """
import sys
import tensorlite as tl
tl.set_num_threads(3)
x = tl.ones(1, 3, 140, 140, device="numba")
layers = [tl.nn.Conv2d(3, 32, 3), tl.nn.BatchNorm2d(32), tl.nn.ReLU(), tl.nn.Softmax(-1)]
net = tl.nn.Sequential(*layers).eval().to("numba")
net(x), net.compile(x)(x)
print("llvmlite" in sys.modules)
net(x)  # the team's threads are in the memory of kernels when all ends
"""


def test_no_llvm_where_all_is_on_disk(tmp_path: Path) -> None:
    environment = {**os.environ, "TENSORLITE_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, text=True, check=True,
                       stdout=subprocess.PIPE).stdout.strip() for _ in range(2)
    ]  # fmt: skip
    assert said == ["True", "False"]


def test_the_processor_is_the_one_that_llvm_sees() -> None:
    binding = pytest.importorskip("llvmlite.binding")
    llvm._host.cache_clear()
    cpu, listed, _ = llvm._host()
    assert cpu == binding.get_host_cpu_name()
    features = dict(binding.get_host_cpu_features())
    assert {f[1:]: f[0] == "+" for f in listed.split(",")} == features
    assert tl.ones(2, device="numba").sum().item() == 2
