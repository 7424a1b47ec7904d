"""DynamicQuantizeLSTM, QAttention and QEmbedLayerNormalization of com.microsoft."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from constant_node import agree_constant, constant_model
from microsoft_node import run
from single_node import feeds, ours, same

import tensorlite as tl
from tensorlite.errors import OnnxError

BYTES = [np.uint8, np.int8]
F32 = np.float32


def integers(dtype: Any, *shape: int, seed: int = 0) -> Any:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape).astype(dtype)


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


def uniform(low: float, high: float, *shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(F32)


def in_one_thread(model: Any, inputs: Any) -> Any:
    """ONNX Runtime's outputs; with more threads it splits the batch, and each part has a range."""
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds(inputs))


def lstm(
    dtype: Any, directions: int, sizes: tuple[int, int, int, int], per_column: bool, full: bool
) -> list[Any]:
    """The inputs of an LSTM of (steps, batch, inputs, hidden); ``full``: optional ones too."""
    steps, batch, width, n = sizes
    shape = (directions, 4 * n) if per_column else (directions,)
    zero = np.full(shape, 128 if dtype is np.uint8 else 0, dtype)
    optional = [
        normal(directions, 8 * n, seed=1) / 10,
        np.random.default_rng(2).integers(1, steps + 1, batch).astype(np.int32),
        normal(directions, batch, n, seed=3),
        normal(directions, batch, n, seed=4),
        normal(directions, 3 * n, seed=5),
    ]
    return [
        normal(steps, batch, width),
        integers(dtype, directions, width, 4 * n),
        integers(dtype, directions, n, 4 * n, seed=1),
        *(optional if full else [None] * 5),
        uniform(0.002, 0.01, *shape), zero, uniform(0.002, 0.01, *shape, seed=1), zero,
    ]  # fmt: skip


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize("sizes", [(4, 1, 3, 2), (5, 3, 8, 6), (2, 2, 40, 30)])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("dtype", BYTES)
def test_dynamic_quantize_lstm(
    dtype: Any, direction: str, sizes: Any, per_column: bool, full: bool, device: tl.device
) -> None:
    inputs = lstm(dtype, 2 if direction == "bidirectional" else 1, sizes, per_column, full)
    options: dict[str, Any] = {"direction": direction, "hidden_size": sizes[3]}
    model, free = constant_model(
        "DynamicQuantizeLSTM", inputs, constant=(1, 2), outputs=3, **options
    )
    same(ours(model, free, device), in_one_thread(model, free), rtol=1e-5, atol=2e-6)


def test_activations_and_clipping_of_an_lstm() -> None:
    inputs = lstm(np.int8, 1, (4, 1, 6, 5), False, False)
    options: dict[str, Any] = {"activations": ["HardSigmoid", "Relu", "ScaledTanh"], "clip": 0.4}
    options |= {"activation_alpha": [0.3, 0.9], "activation_beta": [0.4, 1.1]}
    options |= {"hidden_size": 5, "input_forget": 1}
    agree_constant("DynamicQuantizeLSTM", *inputs, outputs=3, rtol=1e-4, atol=1e-5, **options)


@pytest.mark.parametrize("at", range(8, 12))
def test_an_lstm_refuses(at: int) -> None:
    inputs = lstm(np.int8, 1, (4, 1, 6, 5), True, False)
    inputs[at] = inputs[at][:, :7]
    with pytest.raises(OnnxError, match=r"of shape \(1, 20\), got \w+ \(1, 7\)"):
        run("DynamicQuantizeLSTM", *inputs, hidden_size=5)


B, S, D, N, H = 2, 4, 6, 2, 3  # batch, sequence, inputs, heads, size of a head


def mask(kind: str, places: int) -> Any:
    random = np.random.default_rng(0)
    return {
        "none": None,
        "lengths": np.array([places - 1, places], np.int32),
        "ends and starts": np.array([places - 1, places, 0, 1], np.int32),
        "keys": (random.uniform(size=(B, places)) > 0.3).astype(np.int32),
        "pairs": (random.uniform(size=(B, S, places)) > 0.3).astype(np.int32),
    }[kind]


@pytest.mark.parametrize("kind", ["none", "lengths", "ends and starts", "keys", "pairs"])
@pytest.mark.parametrize("past", [None, 3])
@pytest.mark.parametrize("per_column", [False, True])
@pytest.mark.parametrize("dtype", BYTES)
def test_q_attention(
    dtype: Any, per_column: bool, past: int | None, kind: str, device: tl.device
) -> None:
    width = 3 * N * H
    zero = integers(dtype, width) if per_column else np.array(5, dtype)
    inputs = [
        integers(np.uint8, B, S, D), integers(dtype, D, width), normal(width), np.array(0.02, F32),
        uniform(0.001, 0.02, *((width,) if per_column else ())), mask(kind, S + (past or 0)),
        np.array(120, np.uint8), zero, None if past is None else normal(2, B, N, past, H),
    ]  # fmt: skip
    options: dict[str, Any] = {"num_heads": N, "rtol": 1e-4, "atol": 1e-5, "device": device}
    for unidirectional in (0, 1):
        agree_constant("QAttention", *inputs, outputs=2, unidirectional=unidirectional, **options)
    agree_constant("QAttention", *inputs, outputs=2, scale=0.3, mask_filter_value=-3.0, **options)


@pytest.mark.parametrize(
    ("change", "attributes", "message"),
    [
        ({}, {"num_heads": 5}, "a multiple of 5 heads"),
        ({}, {"num_heads": 2, "do_rotary": 1}, "do_rotary and past_present_share_buffer"),
        ({1: np.zeros((5, 18), np.int8)}, {"num_heads": 2}, r"expected weight of shape \(6, 3"),
        ({1: np.zeros((6, 16), np.int8), 2: np.zeros(16, F32)}, {"num_heads": 2}, "multiple of 3"),
        ({2: np.zeros(5, F32)}, {"num_heads": 2}, r"expected bias of shape \(18,\)"),
    ],
)
def test_q_attention_refuses(change: Any, attributes: Any, message: str) -> None:
    inputs = [integers(np.uint8, 2, 4, 6), integers(np.int8, 6, 18), normal(18), np.array(0.1, F32),
              np.array(0.1, F32)]  # fmt: skip
    for at, value in change.items():
        inputs[at] = value
    with pytest.raises(OnnxError, match=message):
        run("QAttention", *inputs, **attributes)


def embedding(dtype: Any, segments: bool, masked: bool) -> list[Any]:
    words = np.random.default_rng(0).integers(0, 11, (2, 5)).astype(np.int32)
    segment = np.random.default_rng(1).integers(0, 2, (2, 5)).astype(np.int32)
    lengths = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], np.int32)
    factors = [np.array(0.01 + 0.02 * i, F32) for i in range(5)]
    zeros = [np.array(10 * i, dtype) for i in range(5)]
    if not segments:
        factors[2] = zeros[2] = None
    return [
        words, segment if segments else None, integers(dtype, 11, 8), integers(dtype, 7, 8),
        integers(dtype, 2, 8) if segments else None, integers(dtype, 8), integers(dtype, 8, seed=1),
        lengths if masked else None, *factors, *zeros,
    ]  # fmt: skip


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("dtype", BYTES)
def test_q_embed_layer_normalization(
    dtype: Any, segments: bool, masked: bool, device: tl.device
) -> None:
    inputs = embedding(dtype, segments, masked)
    options: dict[str, Any] = {"outputs": 2, "rtol": 1e-4, "atol": 1e-5, "device": device}
    agree_constant("QEmbedLayerNormalization", *inputs, **options)
    agree_constant("QEmbedLayerNormalization", *inputs, epsilon=0.1, **options)


def test_q_embed_layer_normalization_refuses() -> None:
    inputs = embedding(np.uint8, True, False)
    for at, value, message in (
        (10, None, "segment_ids, segment_embedding, its scale and zero point: all or none"),
        (15, None, "segment_ids, segment_embedding, its scale and zero point: all or none"),
        (3, integers(np.uint8, 4, 8), "5 words, but position_embedding has 4 rows"),
        (5, integers(np.uint8, 7), r"expected gamma of shape \(8,\)"),
        (0, np.full((2, 5), 11, np.int32), "expected input_ids from 0 to 10"),
    ):
        changed = [value if i == at else x for i, x in enumerate(inputs)]
        with pytest.raises(OnnxError, match=message):
            run("QEmbedLayerNormalization", *changed, outputs=2)
