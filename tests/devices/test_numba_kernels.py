"""The numba device's kernels: right on every size and layout, and in several threads."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.devices.numba import elementwise, emit
from tensorlite.devices.numba.depthwise import depthwise_conv2d, takes
from tensorlite.devices.numba.llvm import compiled, target

# The exact function, and the error allowed in units in the last place of the float32 result.
EXACT: dict[str, tuple[Any, float]] = {
    "exp": (np.exp, 1.0),
    "sigmoid": (special.expit, 2.5),
    "erf": (special.erf, 1.0),
    "nn.functional.silu": (lambda x: x * special.expit(x), 4.0),
    "nn.functional.gelu": (lambda x: x * special.ndtr(x), 5.0),  # PyTorch's has 4.6
}


@pytest.mark.parametrize("name", elementwise.FUNCTIONS)
def test_error_in_units_in_the_last_place(name: str) -> None:
    function, allowed = EXACT[name]
    x = np.linspace(-20 if "gelu" not in name else -1, 20, 300_001).astype(np.float32)
    have = elementwise.apply(name, x).astype(np.float64)
    want = function(x.astype(np.float64))
    spacing = np.spacing(np.abs(want).astype(np.float32)).astype(np.float64)
    assert (np.abs(have - want) / spacing).max() <= allowed


def test_gelu_of_negative_numbers_loses_digits_as_pytorchs_does() -> None:
    x = np.linspace(-12, -1, 10_001).astype(np.float32)
    have = elementwise.apply("nn.functional.gelu", x)
    np.testing.assert_allclose(have, x * special.ndtr(x.astype(np.float64)), atol=1e-6)
    assert (have <= 0).all()


@pytest.mark.parametrize("name", elementwise.FUNCTIONS)
@pytest.mark.parametrize("size", [0, 1, 3, 15, 16, 17, 31, 1000])
def test_writes_its_elements_and_nothing_else(name: str, size: int) -> None:
    x = np.linspace(-2, 2, size + 1, dtype=np.float32)[1:]  # not aligned to a vector
    wide = np.full(size + 40, 7, np.float32)
    inner = wide[20 : 20 + size]
    elementwise.native(name)(inner.ctypes.data, x.ctypes.data, size)
    np.testing.assert_allclose(inner, EXACT[name][0](x.astype(np.float64)), rtol=1e-6, atol=1e-6)
    assert (wide[:20] == 7).all() and (wide[20 + size :] == 7).all()


@pytest.mark.parametrize("name", elementwise.FUNCTIONS)
def test_special_numbers(name: str) -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-45], np.float32)
    with np.errstate(all="ignore"):
        want = EXACT[name][0](x.astype(np.float64))
        want = np.where(np.isneginf(x) & ("lu" in name), -0.0, want).astype(np.float32)
    have = elementwise.apply(name, x)
    np.testing.assert_allclose(have, want, rtol=1e-6, atol=1e-44)
    finite = ~np.isnan(want)
    assert (np.signbit(have) == np.signbit(want))[finite].all()


def test_tanh_for_what_is_fused() -> None:
    """The operator is NumPy's; passes over several steps use this one."""
    run = elementwise._Signature(compiled(emit.elementwise(emit.tanh, target().lanes)))
    x = np.linspace(-12, 12, 300_001).astype(np.float32)
    x[:8] = [0.0, -0.0, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-45]
    have, want = np.empty_like(x), np.tanh(x.astype(np.float64))
    run(have.ctypes.data, x.ctypes.data, x.size)
    spacing = np.spacing(np.abs(want).astype(np.float32)).astype(np.float64)
    assert np.nanmax(np.abs(have - want) / spacing) <= 1.5
    assert np.isnan(have[4]) and (np.isnan(have) == np.isnan(want)).all()
    assert (np.signbit(have) == np.signbit(want))[~np.isnan(want)].all()


@pytest.mark.parametrize("cpu", ["generic", "avx2"])
def test_code_for_lesser_processors_gives_the_same(cpu: str) -> None:
    """What this processor can run beside its own instructions."""
    program = """
import numpy as np, sys
from scipy import special
from tensorlite.devices.numba import elementwise
x = np.linspace(-9, 9, 1003, dtype=np.float32)
exact = {"exp": np.exp, "sigmoid": special.expit, "erf": special.erf,
         "nn.functional.gelu": lambda x: x * special.ndtr(x)}
for name, function in exact.items():
    np.testing.assert_allclose(elementwise.apply(name, x), function(x), rtol=1e-6, atol=1e-6)
"""
    from llvmlite import binding

    if cpu == "avx2" and not binding.get_host_cpu_features().get("avx2"):
        pytest.skip("this processor has no AVX2")
    env = {**os.environ, "TENSORLITE_CPU": cpu}
    subprocess.run([sys.executable, "-c", program], env=env, check=True)


def test_many_threads_at_once(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first compilation too: every thread starts with nothing."""
    monkeypatch.setenv("TENSORLITE_CACHE_DIR", str(tmp_path))
    elementwise.native.cache_clear()
    x = np.linspace(-5, 5, 50_000, dtype=np.float32)
    want = special.expit(x.astype(np.float64))
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(20):
            if not np.allclose(elementwise.apply("sigmoid", x), want, atol=1e-6):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_explain_tells_kernel_and_reason() -> None:
    x = tl.ones(20_000, device="numba")
    with tl.explain() as e:
        tl.sigmoid(x)
        tl.sigmoid(x[::2])
        tl.sigmoid(x[:10])
        tl.sigmoid(x.double())
    kernels = [row.kernel for row in e.rows if row.operator == "sigmoid"]
    assert kernels == ["numba:vector_sigmoid"] + ["reference:numpy"] * 3
    why = [row.why for row in e.rows if row.operator == "sigmoid"]
    assert "gaps" in why[1] and "10 elements" in why[2] and "float64" in why[3]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3), st.integers(2, 5), st.integers(3, 9), st.integers(3, 9), st.integers(1, 3),
    st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.booleans(),
)  # fmt: skip
def test_depthwise_is_what_the_reference_gives(
    n: int, c: int, h: int, w: int, kh: int, kw: int, stride: int, padding: int, bias: bool
) -> None:
    random = np.random.default_rng(n * c * h * w)
    x, k = random.standard_normal((n, c, h, w)), random.standard_normal((c, 1, kh, kw))
    x, k = x.astype(np.float32), k.astype(np.float32)
    b = random.standard_normal(c).astype(np.float32) if bias else None
    assert takes(x, k, b, stride, padding, 1, c) is None
    have = depthwise_conv2d(x, k, b, stride, padding, 1, c)
    args = [None if a is None else tl.from_numpy(a) for a in (x, k, b)]
    want = F.conv2d(*args, stride, padding, 1, c).numpy()
    np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-5)
