"""Fourier transforms: precision kept, inverses, refusals; and short-time transforms."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import ArgumentError, DTypeError, OperatorError, ShapeError


def test_precision_is_kept() -> None:
    x = tl.randn(8)
    assert tl.fft.fft(x).dtype is tl.complex64
    assert tl.fft.irfft(tl.fft.rfft(x)).dtype is tl.float32
    assert tl.fft.fft(x.double()).dtype is tl.complex128
    with pytest.raises(DTypeError, match=r"fft\.fft: .*float16"):
        tl.fft.fft(x.half())
    with pytest.raises(DTypeError, match=r"fft\.rfft: .*complex64"):
        tl.fft.rfft(x + 0j)


@pytest.mark.parametrize("norm", [None, "backward", "forward", "ortho"])
def test_inverses(norm: str | None) -> None:
    x = tl.randn(3, 4, 6, dtype=tl.float64)
    z = x + 1j * tl.randn(3, 4, 6, dtype=tl.float64)
    for there, back, value in (("fftn", "ifftn", z), ("rfftn", "irfftn", x), ("fft2", "ifft2", z)):
        result = getattr(tl.fft, back)(getattr(tl.fft, there)(value, norm=norm), norm=norm)
        np.testing.assert_allclose(result.numpy(), value.numpy(), atol=1e-12)


@pytest.mark.parametrize("hop, length", [(4, 100), (2, 57), (3, 64)])
def test_short_time_inverse(hop: int, length: int) -> None:
    x = tl.randn(2, length, dtype=tl.float64)
    w = tl.hann_window(16, dtype=tl.float64)
    spectra = tl.stft(x, 16, hop, window=w, return_complex=True)
    np.testing.assert_allclose(
        tl.istft(spectra, 16, hop, window=w, length=length).numpy(), x.numpy(), atol=1e-12
    )


def test_short_time_refusals() -> None:
    x, w = tl.ones(20), tl.hann_window(8)
    with pytest.raises(ArgumentError, match="return_complex"):
        tl.stft(x, 8)
    with pytest.raises(ArgumentError, match="hop_length"):
        tl.stft(x, 8, 0, return_complex=True)
    with pytest.raises(ShapeError, match="window"):
        tl.stft(x, 8, window=tl.ones(4), return_complex=True)
    with pytest.raises(ArgumentError, match="pad_mode"):
        tl.stft(x, 8, pad_mode="zeros", return_complex=True)
    with pytest.raises(ShapeError, match="n_fft"):
        tl.stft(x, 32, center=False, return_complex=True)
    with pytest.raises(ShapeError, match="frequencies"):
        tl.istft(tl.ones(7, 3, dtype=tl.complex64), 8)
    with pytest.raises(OperatorError, match="add up to 0"):
        spectra = tl.stft(x, 8, window=w, center=False, return_complex=True)
        tl.istft(spectra, 8, window=w, center=False)


def test_windows_refuse_integers_and_negative_lengths() -> None:
    with pytest.raises(DTypeError, match="hann_window"):
        tl.hann_window(4, dtype=tl.int64)
    with pytest.raises(ArgumentError, match="-1"):
        tl.hann_window(-1)
    assert tl.signal.windows.hann(4).tolist() == tl.hann_window(4, periodic=False).tolist()
