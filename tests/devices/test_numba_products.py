"""Matrix products and convolutions of the numba device: every shape, layout, processor, thread."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.devices.numba import convolution, gemm
from tensorlite.ops.convolve import convolve

POISON = 1e30


def numbers(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def exact(a: Any, b: Any) -> Any:
    return a.astype(np.float64) @ b.astype(np.float64)


def assert_close(have: Any, want: Any, depth: int) -> None:
    """As close as a sum of so many products in the dtype can be expected to be."""
    error = np.finfo(have.dtype).eps * (depth + 1)
    np.testing.assert_allclose(have, want, rtol=error, atol=error * 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [1, 2, 5, 6, 7, 13, 14, 15, 28, 29, 49])
@pytest.mark.parametrize("n", [1, 15, 16, 17, 63, 64, 65, 200])
def test_every_tile(dtype: Any, m: int, n: int) -> None:
    """Rows before, between and behind what the product writes stay as they were."""
    a, b, bias = numbers((m, 19), dtype), numbers((19, n), dtype, 1), numbers((n,), dtype, 2)
    wide = np.full((m + 2, n + 3), POISON, dtype)
    for other in (b, np.asfortranarray(b)):
        gemm.gemm(a, gemm.pack(other), bias, out=wide[1:-1, 1 : n + 1])
        assert_close(wide[1:-1, 1 : n + 1], exact(a, b) + bias, 19)
        wide[1:-1, 1 : n + 1] = POISON
        assert (wide == wide[0, 0]).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 70), st.integers(0, 70), st.integers(1, 300), st.booleans(), st.booleans())
def test_shapes(m: int, k: int, n: int, double: bool, turned: bool) -> None:
    dtype = np.float64 if double else np.float32
    a, b = numbers((m, k), dtype), numbers((k, n), dtype, 1)
    packed = gemm.pack(np.ascontiguousarray(b.T).T if turned and k else b)
    assert_close(gemm.gemm(a, packed), exact(a, b), k)


def test_packing_reads_nothing_outside() -> None:
    """A view in the middle of numbers that are not finite; columns beyond the last are zeros."""
    for turned in (False, True):
        wide = np.full((40, 90), np.nan, np.float32)
        wide[5:30, 3:70] = numbers((25, 67), np.float32)
        view = wide[5:30, 3:70].T if turned else wide[5:30, 3:70]
        packed = gemm.pack(view)
        panels = packed.panels.reshape(packed.count, packed.k, packed.tile.columns)
        lined_up = panels.transpose(1, 0, 2).reshape(packed.k, -1)
        np.testing.assert_array_equal(lined_up[:, : packed.n], view)
        assert (lined_up[:, packed.n :] == 0).all()


def test_nan_and_infinity_go_through() -> None:
    a, b = numbers((20, 30), np.float32), numbers((30, 70), np.float32)
    a[3, 4], b[7, 9] = np.nan, np.inf
    with np.errstate(all="ignore"):
        want = a @ b
    have = gemm.gemm(a, gemm.pack(b))
    np.testing.assert_array_equal(np.isnan(have), np.isnan(want))
    np.testing.assert_array_equal(np.isposinf(have), np.isposinf(want))


def test_blocks_of_a(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm, "BLOCK", 1 << 12)
    a, b = numbers((101, 77), np.float32), numbers((77, 130), np.float32)
    assert_close(gemm.gemm(a, gemm.pack(b)), exact(a, b), 77)


def test_threads_change_no_bit() -> None:
    a, b = numbers((150, 200), np.float32), numbers((200, 500), np.float32)
    x, w = numbers((2, 16, 40, 40), np.float32), numbers((24, 16, 3, 3), np.float32, 1)
    before, results = tl.get_num_threads(), []
    for count in (1, 2, 7):
        tl.set_num_threads(count)
        for other in (b, np.asfortranarray(b)):
            results.append(gemm.gemm(a, gemm.pack(other)))
        images = convolution.convolve(x, w, None, (1, 1), ((1, 1),) * 2, (1, 1), 1, "conv2d")
        results.append(images)
    tl.set_num_threads(before)
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, results[i % 3])
    np.testing.assert_array_equal(results[0], results[1])


SCRIPT = """
import numpy as np
from tensorlite.devices.numba import convolution, gemm
from tensorlite.ops.convolve import convolve
rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for m, k, n in ((1, 1, 1), (7, 33, 65), (50, 20, 130)):
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        for other in (b, np.ascontiguousarray(b.T).T):
            np.testing.assert_allclose(gemm.gemm(a, gemm.pack(other)), a @ b, rtol=1e-3, atol=1e-4)
    shapes = (1, 3, 9, 21), (5, 3, 3, 3)
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    given = (None, (1, 1), ((1, 1), (0, 2)), (1, 1), 1, "conv2d")
    np.testing.assert_allclose(convolution.convolve(x, w, *given), convolve(np, x, w, *given),
                               rtol=1e-3, atol=1e-4)
print(gemm.tile_for(np.dtype(np.float32), 64))
"""


@pytest.mark.parametrize("cpu, lanes", [("generic", 4), ("avx2", 8), ("avx512", 16)])
def test_other_processors(cpu: str, lanes: int, tmp_path: Any) -> None:
    """The vectors of lesser processors, which this one can run (where it can)."""
    from llvmlite import binding

    needed = {"avx2": "avx2", "avx512": "avx512vl"}.get(cpu)
    if needed and not binding.get_host_cpu_features().get(needed):
        pytest.skip(f"this processor has no {cpu}")
    env = {**os.environ, "TENSORLITE_CPU": cpu, "TENSORLITE_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"lanes={lanes}," in done.stdout


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_convolutions(data: st.DataObject) -> None:
    """Any number of dimensions, stride, padding, dilation and groups, against the reference."""
    draw = data.draw
    count, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    kernel = [draw(st.integers(1, 3)) for _ in range(count)]
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(count))
    stride = tuple(draw(st.integers(1, 3)) for _ in range(count))
    pads = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(count))
    sizes = [draw(st.integers(d * (k - 1) + 1, 24)) for k, d in zip(kernel, dilation, strict=True)]
    inputs, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = numbers((draw(st.integers(1, 2)), groups * inputs, *sizes), dtype)
    w = numbers((groups * outputs, inputs, *kernel), dtype, 1)
    b = draw(st.sampled_from([None, numbers((groups * outputs,), dtype, 2)]))
    have = convolution.convolve(x, w, b, stride, pads, dilation, groups, "conv")
    wide = (a.astype(np.float64) if a is not None else None for a in (x, w, b))
    want = convolve(np, *wide, stride, pads, dilation, groups)  # type: ignore[arg-type]
    assert_close(have, want, w[0].size)


def ran(call: Any) -> tuple[Any, str]:
    with tl.explain() as e:
        result = call()
    return result, e.rows[-1].kernel


def test_the_operators_use_them() -> None:
    x, w, b = (tl.from_numpy(numbers(s, np.float32)).to("numba")
               for s in ((4, 32, 128), (160, 128), (160,)))  # fmt: skip
    for call, kernel in (
        (lambda x, w, b: x @ w.T, "numba:packed_matmul"),
        (lambda x, w, b: tl.mm(x[0], w.T), "reference:numpy"),
        (lambda x, w, b: tl.mm(x.reshape(128, 128), w.T), "numba:packed_mm"),
        (F.linear, "numba:packed_linear"),
        (lambda x, w, b: F.linear(x, w), "numba:packed_linear"),
        (lambda x, w, b: x[..., ::2] @ w.T[::2], "numba:packed_matmul"),
        (lambda x, w, b: x.transpose(0, 1)[:, :, :] @ w.T, "numba:packed_matmul"),
    ):
        have, used = ran(lambda call=call: call(x, w, b))
        assert used == kernel
        want = call(*(t.cpu().double() for t in (x, w, b)))
        assert have.shape == want.shape
        np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("padding", [0, 1, "same", "valid"])
def test_conv2d_uses_them(padding: Any) -> None:
    x, w = numbers((2, 8, 30, 31), np.float32), numbers((40, 8, 3, 3), np.float32, 1)
    given = [tl.from_numpy(a) for a in (x, w)]
    have, used = ran(lambda: F.conv2d(*(t.to("numba") for t in given), padding=padding))
    assert used == "numba:packed_conv2d"
    want = F.conv2d(*given, padding=padding)
    np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-4, atol=1e-4)
    single, _ = ran(
        lambda: F.conv2d(given[0][0].to("numba"), given[1].to("numba"), padding=padding)
    )
    np.testing.assert_array_equal(single.numpy(), have.numpy()[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(64, 5000, 40), (50, 2561, 17), (47, 4096, 33)])
def test_long_sums_in_pieces(shape: tuple[int, int, int], dtype: Any) -> None:
    m, k, n = shape
    rng = np.random.default_rng(k)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    bias = rng.standard_normal(n).astype(dtype)
    x, w, c = (tl.from_numpy(v).to("numba") for v in (a, np.ascontiguousarray(b.T), bias))
    want = a.astype(np.float64) @ b
    np.testing.assert_allclose((x @ w.T).numpy(), want, 1e-4, 1e-3)
    np.testing.assert_allclose(F.linear(x, w, c).numpy(), want + bias, 1e-4, 1e-3)
    cuts = gemm.pieces(m, k, a.itemsize)
    assert (
        cuts[0][0] == 0
        and cuts[-1][1] == k
        and all(p[1] == q[0] for p, q in zip(cuts, cuts[1:], strict=False))
    )
