"""Signals: DFT, STFT, MelWeightMatrix."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import to_value
from .creation import dtype_of
from .expected import FLOATS, UP_TO_FLOAT32, expect


def _number(name: str, x: Tensor) -> int:
    """A whole number, given as a scalar (or as one element, which some exporters write)."""
    if x.numel() != 1:
        raise OnnxError(f"expected {name} to be a scalar, got shape {tuple(x.shape)}")
    return int(x.item())


def _complex(x: Tensor, name: str) -> Tensor:
    """A last dimension of real (and imaginary) parts as numbers; halves are read as float32."""
    if x.ndim < 2 or x.shape[-1] not in (1, 2):
        raise OnnxError(f"expected {name} to end in 1 (real) or 2 (complex), got {tuple(x.shape)}")
    wide = x.float() if x.dtype in UP_TO_FLOAT32 else x
    return wide[..., 0] if x.shape[-1] == 1 else tl.view_as_complex(wide.contiguous())


def _parts(y: Tensor, like: Tensor) -> Tensor:
    """Complex numbers as a last dimension of two parts, in the dtype of the input."""
    pairs = tl.view_as_real(y) if y.is_complex() else tl.stack([y, tl.zeros_like(y)], -1)
    return pairs.to(like.dtype)


def _transform(input: Tensor, length: int | None, axis: int, inverse: int, onesided: int) -> Tensor:
    x = _complex(expect("input", input, None, FLOATS), "the input")
    rank = input.ndim
    if not (-rank <= axis <= -2 or 0 <= axis <= rank - 2):
        raise OnnxError(f"axis {axis} is none of the {rank - 1} dimensions before the last")
    axis = axis % rank
    if length is not None and length < 1:
        raise OnnxError(f"dft_length is {length}, expected 1 or more")
    if inverse and onesided:
        if not x.is_complex():
            raise OnnxError("onesided and inverse together need a complex input, got a real one")
        return tl.fft.irfft(x, length, axis)[..., None].to(input.dtype)
    if onesided:
        if x.is_complex():
            raise OnnxError("onesided needs a real input, got a complex one")
        return _parts(tl.fft.rfft(x, length, axis), input)
    return _parts((tl.fft.ifft if inverse else tl.fft.fft)(x, length, axis), input)


@onnx_op("DFT", since=20)
def dft(
    input: Tensor, dft_length: Tensor | None = None, axis: Tensor | None = None, *,
    inverse: int = 0, onesided: int = 0,
) -> Tensor:  # fmt: skip
    """The discrete Fourier transform along a dimension, cut or filled with zeros to a length."""
    length = None if dft_length is None else _number("dft_length", dft_length)
    place = -2 if axis is None else _number("axis", axis)
    return _transform(input, length, place, inverse, onesided)


@onnx_op("DFT", since=17)
def dft_17(
    input: Tensor, dft_length: Tensor | None = None, *, axis: int = 1, inverse: int = 0,
    onesided: int = 0,
) -> Tensor:  # fmt: skip
    length = None if dft_length is None else _number("dft_length", dft_length)
    return _transform(input, length, axis, inverse, onesided)


@onnx_op("STFT", since=17)
def stft(
    signal: Tensor, frame_step: Tensor, window: Tensor | None = None,
    frame_length: Tensor | None = None, *, onesided: int = 1,
) -> Tensor:  # fmt: skip
    """The transforms of frames of a signal, one every ``frame_step`` samples, times a window."""
    expect("signal", signal, ("batch", "length", "parts"), FLOATS)
    x, step = _complex(signal, "the signal"), _number("frame_step", frame_step)
    given = None if frame_length is None else _number("frame_length", frame_length)
    size = given or (x.shape[1] if window is None else window.numel())
    if window is not None and tuple(window.shape) != (size,):
        raise OnnxError(f"expected a window of {size} numbers, got shape {tuple(window.shape)}")
    if step < 1 or not 1 <= size <= x.shape[1]:
        raise OnnxError(
            f"frames of {size}, every {step} samples, of a signal of {x.shape[1]}: expected "
            "frame_step of 1 or more and frames no longer than the signal"
        )
    if onesided and x.is_complex():
        raise OnnxError("onesided needs a real signal, got a complex one")
    frames = x.unfold(1, size, step)
    if window is not None:
        frames = frames * (window.float() if window.dtype in UP_TO_FLOAT32 else window)
    spectrum = (tl.fft.rfft if onesided else tl.fft.fft)(frames, size, -1)
    return _parts(spectrum, signal)


@onnx_op("MelWeightMatrix", since=17)
def mel_weight_matrix(
    num_mel_bins: Tensor, dft_length: Tensor, sample_rate: Tensor, lower_edge_hertz: Tensor,
    upper_edge_hertz: Tensor, *, output_datatype: int = 1, device: Any,
) -> Tensor:  # fmt: skip
    """Triangles that are as wide as each other on the mel scale, one a column, with peaks of 1.

    Their corners are rounded down to bins of the transform, as in ONNX's reference.
    """
    bands, length = _number("num_mel_bins", num_mel_bins), _number("dft_length", dft_length)
    rate = _number("sample_rate", sample_rate)
    if bands < 1 or length < 1 or rate < 1:
        raise OnnxError(f"{bands} bands, dft_length {length}, sample_rate {rate}: expected > 0")
    low, high = (
        2595 * np.log10(1 + edge.double().item() / 700)
        for edge in (lower_edge_hertz, upper_edge_hertz)
    )
    mels = low + np.arange(bands + 2) * ((high - low) / (bands + 2))
    corners = ((length + 1) * (700 * (10 ** (mels / 2595) - 1)) // rate).astype(np.int64)
    bins = np.arange(length // 2 + 1)[:, None]
    start, peak, end = corners[:-2], corners[1:-1], corners[2:]
    if start.min() < 0 or end.max() > len(bins):
        raise OnnxError(f"bands from {low:.0f} to {high:.0f} mel go beyond half the sample rate")
    rising = np.where(peak > start, (bins - start) / np.maximum(peak - start, 1), bins == peak)
    falling = (end - bins) / np.maximum(end - peak, 1)
    weights = np.where(bins < peak, rising, np.where(bins < end, falling, bins == peak))
    weights = np.where((bins >= start) & (bins <= np.maximum(end, peak)), weights, 0.0)
    return to_value(weights, device).to(dtype_of(output_datatype))
