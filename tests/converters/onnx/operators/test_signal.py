"""DFT, STFT and MelWeightMatrix against NumPy, ONNX Runtime and the reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from single_node import agree, node_model, onnxruntime, ours, reference

from tensorlite.errors import OnnxError


def signal(*shape: int, dtype: str = "float32", seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def numbers(x: Any) -> Any:
    return x[..., 0] if x.shape[-1] == 1 else x[..., 0] + 1j * x[..., 1]


def pairs(y: Any) -> Any:
    return np.stack([y.real, y.imag], -1)


@pytest.mark.parametrize("opset", [17, 19, 20])
@pytest.mark.parametrize("length", [None, 4, 7, 12])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("axis", [0, 1, 2, -2, -3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dft(device: Any, opset: int, length: Any, parts: int, axis: int, dtype: str) -> None:
    x = signal(3, 5, 7, parts, dtype=dtype)
    place = axis if axis >= 0 else axis + 4
    n = None if length is None else np.array(length, np.int64)
    for inverse in (0, 1):
        inputs = [x, n]
        attributes: dict[str, Any] = {"inverse": inverse}
        if opset < 20:
            attributes["axis"] = axis
        else:
            inputs.append(np.array(axis, np.int64))
        model = node_model("DFT", inputs, 1, opset, **attributes)
        (have,) = ours(model, inputs, device)
        want = (np.fft.ifft if inverse else np.fft.fft)(numbers(x.astype("f8")), length, place)
        assert have.dtype == x.dtype
        np.testing.assert_allclose(have, pairs(want), rtol=1e-2 if dtype == "float16" else 1e-4,
                                   atol=2e-2 if dtype == "float16" else 1e-4)  # fmt: skip


@pytest.mark.parametrize("length", [None, 4, 5, 9])
def test_one_sided(device: Any, length: Any) -> None:
    x = signal(2, 8, 1)
    n = None if length is None else np.array(length, np.int64)
    for key in (reference, onnxruntime):
        agree("DFT", x, n, np.array(1, np.int64), opset=20, onesided=1, device=device, key=key,
              rtol=1e-4, atol=1e-4)  # fmt: skip
    spectrum = pairs(np.fft.rfft(x[..., 0], axis=1)).astype(np.float32)
    inputs = [spectrum, n, np.array(1, np.int64)]
    (back,) = ours(node_model("DFT", inputs, 1, 20, onesided=1, inverse=1), inputs, device)
    want = np.fft.irfft(numbers(spectrum), length, 1)[..., None]
    np.testing.assert_allclose(back, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("parts, onesided", [(1, 1), (1, 0), (2, 0)])
@pytest.mark.parametrize("frame, step, windowed", [(16, 8, True), (10, 3, False), (64, 1, True)])
def test_stft(
    device: Any, parts: int, onesided: int, frame: int, step: int, windowed: bool
) -> None:
    x = signal(2, 64, parts)
    window = np.hanning(frame).astype(np.float32) if windowed else None
    inputs = [x, np.array(step, np.int64), window, None if windowed else np.array(frame, np.int64)]
    (have,) = ours(node_model("STFT", inputs, 1, 17, onesided=onesided), inputs, device)
    starts = range(0, 64 - frame + 1, step)
    frames = np.stack([numbers(x)[:, i : i + frame] for i in starts], 1)
    frames = frames * (1 if window is None else window)
    want = (np.fft.rfft if onesided else np.fft.fft)(frames)
    np.testing.assert_allclose(have, pairs(want), rtol=1e-4, atol=1e-4)


def test_stft_as_onnxruntime(device: Any) -> None:
    x, window = signal(1, 128, 1), np.hamming(32).astype(np.float32)
    agree("STFT", x, np.array(8, np.int64), window, np.array(32, np.int64), opset=17,
          device=device, rtol=1e-3, atol=1e-4)  # fmt: skip


@pytest.mark.parametrize("bins, length, rate, low, high", [
    (8, 16, 8192, 0.0, 4096.0), (20, 512, 16000, 20.0, 7600.0), (40, 400, 16000, 0.0, 8000.0),
    (3, 33, 22050, 100.0, 5000.0), (64, 64, 16000, 0.0, 8000.0),
])  # fmt: skip
def test_mel_weight_matrix(
    device: Any, bins: int, length: int, rate: int, low: float, high: float
) -> None:
    inputs = [*(np.array(v, np.int64) for v in (bins, length, rate)),
              *(np.array(v, np.float32) for v in (low, high))]  # fmt: skip
    for key in (reference, onnxruntime):
        agree("MelWeightMatrix", *inputs, opset=17, device=device, key=key)


@pytest.mark.parametrize("name, inputs, attributes, part", [
    ("DFT", [signal(4, 3)], {}, "real"),
    ("DFT", [signal(2, 4, 1), None, np.array(2)], {}, "axis 2"),
    ("DFT", [signal(2, 4, 1), np.array(0)], {}, "dft_length is 0"),
    ("DFT", [signal(2, 4, 2)], {"onesided": 1}, "real input"),
    ("DFT", [signal(2, 4, 1)], {"onesided": 1, "inverse": 1}, "complex input"),
    ("STFT", [signal(2, 8, 1), np.array(0), np.ones(4, "f")], {}, "frame_step"),
    ("STFT", [signal(2, 8, 1), np.array(1), np.ones(9, "f")], {}, "no longer"),
    ("STFT", [signal(2, 8, 1), np.array(1), np.ones(4, "f"), np.array(5)], {}, "window of 5"),
    ("STFT", [signal(2, 8, 2), np.array(1), np.ones(4, "f")], {}, "complex"),
    ("MelWeightMatrix", [np.array(0), np.array(8), np.array(8), np.array(0, "f"),
                         np.array(4, "f")], {}, "0 bands"),
])  # fmt: skip
def test_refused(name: str, inputs: Any, attributes: Any, part: str) -> None:
    model = node_model(name, inputs, 1, 20, **attributes)
    with pytest.raises(OnnxError, match=part):
        ours(model, inputs)
