"""Softmax and normalisations of the numba device: every length of row, special numbers, threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.devices.numba import rows

LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 100, 384, 1000]


def numbers(*shape: int, seed: int = 0) -> Any:
    return (np.random.default_rng(seed).standard_normal(shape) * 5).astype(np.float32)


@pytest.mark.parametrize("n", LENGTHS)
def test_softmax(n: int) -> None:
    x = numbers(7, n)
    want = special.softmax(x.astype(np.float64), axis=-1)
    np.testing.assert_allclose(rows.row_softmax(x), want, rtol=2e-6, atol=1e-9)


def layer_norm(x: Any, w: Any, b: Any, eps: float, centred: bool) -> Any:
    x = x.astype(np.float64)
    x = x - x.mean(-1, keepdims=True) if centred else x
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w + b


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("affine", [False, True])
def test_normalisations(n: int, affine: bool) -> None:
    x = numbers(6, n) + 3
    w, b = (numbers(n, seed=1), numbers(n, seed=2)) if affine else (None, None)
    one, zero = (1.0, 0.0) if w is None else (w, b)
    have = rows.row_layer_norm(x, (n,), w, b, 1e-4)
    np.testing.assert_allclose(have, layer_norm(x, one, zero, 1e-4, True), rtol=2e-4, atol=2e-4)
    have = rows.row_rms_norm(x, (n,), w, 1e-4)
    np.testing.assert_allclose(have, layer_norm(x, one, 0.0, 1e-4, False), rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("n", [5, 16, 40])
def test_writes_its_rows_and_nothing_else(n: int) -> None:
    x = numbers(4, n)
    for ir, args in ((rows.softmax_rows(), ()), (rows.norm_rows(True), (x[0], x[1]))):
        wide = np.full(4 * n + 40, 7, np.float32)
        inner = wide[20 : 20 + 4 * n]
        pointers = [a.ctypes.data for a in (inner, x, *args)]
        ir.run(*pointers, *((1e-5,) if args else ()), n, 1, 3)
        assert (wide[: 20 + n] == 7).all() and (wide[20 + 3 * n :] == 7).all()
        assert (inner[n : 3 * n] != 7).all()


def test_special_numbers_in_softmax() -> None:
    inf, nan = np.inf, np.nan
    for n in (3, 16, 20):
        x = numbers(6, n)
        x[0, 1] = -inf  # no share
        x[1] = -inf  # nothing to share among
        x[2, 2], x[3, 0], x[4] = nan, inf, 1e38
        x[5, 1:] = -200  # shares too small for float32
        have = rows.row_softmax(x)
        with np.errstate(all="ignore"):
            want = special.softmax(x.astype(np.float64), axis=-1)
        assert have[0, 1] == 0 and np.isnan(have[1]).all() and np.isnan(have[2]).all()
        assert np.isnan(have[3]).any()
        np.testing.assert_allclose(have[[0, 4, 5]], want[[0, 4, 5]], rtol=2e-6, atol=1e-30)


def test_threads_change_no_bit() -> None:
    x, before = numbers(2000, 70), tl.get_num_threads()
    results = []
    for count in (1, 2, 5):
        tl.set_num_threads(count)
        results.append((rows.row_softmax(x), rows.row_layer_norm(x, (70,))))
    tl.set_num_threads(before)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_the_operators_use_them() -> None:
    x, w = (tl.from_numpy(numbers(*s)).to("numba") for s in ((4, 10, 96), (96,)))
    cases = [
        (lambda x, w: x.softmax(-1), "row_softmax"),
        (lambda x, w: x.softmax(2), "row_softmax"),
        (lambda x, w: x.softmax(1), None),
        (lambda x, w: x.transpose(1, 2).softmax(-1), None),
        (lambda x, w: F.layer_norm(x, (96,), w, w), "row_layer_norm"),
        (lambda x, w: F.layer_norm(x, (10, 96)), "row_layer_norm"),
        (lambda x, w: F.rms_norm(x, (96,), w), "row_rms_norm"),
        (lambda x, w: F.layer_norm(x.double(), (96,)), None),
    ]
    for call, kernel in cases:
        with tl.explain() as e:
            have = call(x, w)
        assert e.rows[-1].kernel == (f"numba:{kernel}" if kernel else "reference:numpy")
        want = call(x.cpu(), w.cpu())
        np.testing.assert_allclose(have.numpy(), want.numpy(), rtol=1e-5, atol=1e-5)
