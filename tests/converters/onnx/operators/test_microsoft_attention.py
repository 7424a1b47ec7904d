"""Attention of com.microsoft against ONNX Runtime, and against NumPy where that has no kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, int32, normal, run
from single_node import same

from tensorlite.errors import OnnxError

B, S, D, N, P = 2, 4, 8, 2, 3
X, W, BIAS = normal(B, S, D), normal(D, 3 * D, seed=1), normal(3 * D, seed=2)
PAST = normal(2, B, N, P, D // N, seed=5)


def zeros_and_ones(*shape: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.int32)


MASKS = {
    "none": None,
    "2-d": int32([1, 1, 0, 0], [1, 0, 1, 1]),
    "2-d, other values": int32([2, -1, 0, 5], [1, 0, 1, 1]),
    "2-d, all masked": int32([0, 0, 0, 0], [1, 1, 1, 1]),
    "2-d, of one column": int32([1], [0]),
    "3-d": zeros_and_ones(B, S, S),
    "ends": int32(2, 3),
    "ends and starts": int32(3, 4, 1, 2),
    "ends and starts out of range": int32(6, 0, 1, 9),
    "ends and offsets": int32(2, 3, 0, 4, 8, 0, 2, 5),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("unidirectional", [0, 1])
@pytest.mark.parametrize("extra", [None, (B, N, S, S), (1, N, S, S), (B, 1, S, S), (1, 1, S, S)])
def test_masks(mask: str, unidirectional: int, extra: Any, device: Any) -> None:
    more = None if extra is None else normal(*extra, seed=8)
    agree(
        "Attention",
        *(X, W, BIAS, MASKS[mask], None, more),
        device=device,
        num_heads=N,
        unidirectional=unidirectional,
        rtol=2e-3,  # where all is masked, the scores have lost their last digits
        atol=2e-3,
    )


@pytest.mark.parametrize(
    "mask", [None, zeros_and_ones(B, S + P), zeros_and_ones(B, S, S + P), int32(5, 6)]
)
@pytest.mark.parametrize("unidirectional", [0, 1])
def test_a_past(mask: Any, unidirectional: int, device: Any) -> None:
    options = {"num_heads": N, "unidirectional": unidirectional, "device": device, "atol": 1e-3}
    agree("Attention", X, W, BIAS, mask, PAST, outputs=2, **options)


def test_a_past_with_a_bias_is_that_of_multi_head_attention(device: Any) -> None:
    """ONNX Runtime refuses the two together here, but not there."""
    mask, more = zeros_and_ones(B, S + P), normal(B, N, S, S + P, seed=8)
    have = run("Attention", X, W, BIAS, mask, PAST, more, num_heads=N, device=device)
    parts = [p.copy() for p in np.split(X @ W + BIAS, 3, -1)]
    rest = None, mask, more, PAST[0].copy(), PAST[1].copy()
    all_three = agree("MultiHeadAttention", *parts, *rest, outputs=3, num_heads=N, atol=1e-3)
    same(have, all_three[:1], 1e-4, 1e-5)


@pytest.mark.parametrize(
    "attributes", [{"scale": 0.3}, {"scale": 0.0}, {"mask_filter_value": -2.0}]
)
def test_attributes(attributes: dict[str, float], device: Any) -> None:
    agree("Attention", X, W, BIAS, MASKS["2-d"], device=device, num_heads=N, **attributes)
    agree("Attention", X, W, None, device=device, num_heads=N, outputs=2, **attributes)


def test_values_of_another_size(device: Any) -> None:
    w, b = normal(D, 14, seed=1), normal(14, seed=2)
    options = {"num_heads": 2, "qkv_hidden_sizes": [4, 4, 6], "device": device}
    agree("Attention", X, w, b, **options)
    agree("Attention", X, w, b, MASKS["2-d"], unidirectional=1, **options)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.integers(0, 4),
    st.booleans(), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_any_size(
    batch: int, length: int, heads: int, size: int, past: int, mask: bool, causal: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    width = heads * size
    x = random.standard_normal((batch, length, 5)).astype(np.float32)
    w = random.standard_normal((5, 3 * width)).astype(np.float32)
    before = random.standard_normal((2, batch, heads, past, size)).astype(np.float32)
    keys = random.integers(0, 2, (batch, past + length)).astype(np.int32) if mask else None
    agree(
        "Attention",
        *(x, w, None, keys, before if past else None),
        outputs=2,
        num_heads=heads,
        unidirectional=int(causal),
        rtol=1e-3,
        atol=2e-3,
    )


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def numpys(mask: Any = 0.0, turn: Any = None) -> Any:
    """Attention of X by the formula."""
    parts = np.split(X @ W + BIAS, 3, -1)
    q, k, v = (p.reshape(B, S, N, D // N).transpose(0, 2, 1, 3) for p in parts)
    if turn is not None:
        q, k = turn(q), turn(k)
    weights = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(D // N) + mask)
    return (weights @ v).transpose(0, 2, 1, 3).reshape(B, S, D).astype(np.float32)


def test_a_mask_of_four_dimensions(device: Any) -> None:
    """ONNX Runtime has it on GPUs only; it is as large as the longest sequence."""
    mask = zeros_and_ones(B, 1, 6, 6)
    have = run("Attention", X, W, BIAS, mask, num_heads=N, device=device)
    same(have, [numpys(np.where(mask[:, :, :S, :S] > 0, 0, -10000.0))], 1e-3, 1e-4)
    step = run("Attention", X[:, -1:], W, BIAS, mask, PAST, num_heads=N, device=device)
    row = mask[:, 0, P : P + 1, : P + 1]
    same(step, run("Attention", X[:, -1:], W, BIAS, row.copy(), PAST, num_heads=N))


def test_rotary_embedding(device: Any) -> None:
    size = D // N
    angle = np.arange(S)[:, None] * 10000.0 ** (-2 * np.arange(size // 2) / size)

    def turn(x: Any) -> Any:
        pairs = (x[..., : size // 2] + 1j * x[..., size // 2 :]) * np.exp(1j * angle)
        return np.concatenate([pairs.real, pairs.imag], -1)

    have = run("Attention", X, W, BIAS, num_heads=N, do_rotary=1, device=device)
    same(have, [numpys(turn=turn)], 1e-4, 1e-5)


def test_rotary_embedding_goes_on_after_a_past(device: Any) -> None:
    options = {"num_heads": N, "do_rotary": 1, "unidirectional": 1, "device": device}
    whole, present = run("Attention", X, W, BIAS, outputs=2, **options)
    _, past = run("Attention", X[:, :3], W, BIAS, outputs=2, **options)
    last = run("Attention", X[:, 3:], W, BIAS, None, past, outputs=2, **options)
    same(last, [whole[:, 3:], present], 1e-4, 1e-5)


def test_a_shared_buffer_gives_what_a_past_gives(device: Any) -> None:
    buffer = np.concatenate([PAST, normal(2, B, N, 6, D // N)], 3)
    have, present = run(
        "Attention",
        *(X, W, BIAS, None, buffer, None, int32(P)),
        outputs=2,
        num_heads=N,
        past_present_share_buffer=1,
        device=device,
    )
    want, long = run("Attention", X, W, BIAS, None, PAST, outputs=2, num_heads=N)
    same([have, present[:, :, :, : P + S]], [want, long])
    np.testing.assert_array_equal(present[:, :, :, P + S :], buffer[:, :, :, P + S :])


def test_half_precision_is_that_of_float32_rounded(device: Any) -> None:
    half = [a.astype(np.float16) for a in (X, W, BIAS)]
    mask = MASKS["2-d"]
    have = run("Attention", *half, mask, num_heads=N, unidirectional=1, device=device)
    wide = [a.astype(np.float32) for a in half]
    want = run("Attention", *wide, mask, num_heads=N, unidirectional=1)
    same(have, [want[0].astype(np.float16)], 1e-2, 1e-2)


def test_errors() -> None:
    def refuses(message: str, *inputs: Any, num_heads: int = N, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run("Attention", *inputs, num_heads=num_heads, **attributes)

    refuses(r"expected mask_index of shape \(2,\), \(2, 4\)", X, W, BIAS, zeros_and_ones(B, 3))
    refuses(
        r"expected mask_index of shape \(2,\), \(4,\), \(8,\), got \(5,\)",
        X,
        W,
        BIAS,
        int32(*range(5)),
    )
    refuses(r"a multiple of 3 heads", X, W, BIAS, num_heads=3)
    refuses("expected num_heads above 0, got 0", X, W, BIAS, num_heads=0)
    refuses("multiple of 3, got", X, W[:, :20].copy(), None)
    refuses("three, the first two equal", X, W, BIAS, qkv_hidden_sizes=[8, 10, 6])
    refuses("expected weights of shape", X, W[:6].copy(), BIAS)
    refuses("expected past of shape", X, W, BIAS, None, PAST[:, :1])
    refuses("attention_bias of 1 or 2 heads", X, W, BIAS, None, None, normal(1, 3, S, S))
    refuses("needs past, got none", X, W, BIAS, past_present_share_buffer=1)
    refuses("needs past_sequence_length", X, W, BIAS, None, PAST, past_present_share_buffer=1)
    refuses(
        "3 places, but 4 are to be written from 1",
        *(X, W, BIAS, None, PAST, None, int32(1)),
        past_present_share_buffer=1,
    )
