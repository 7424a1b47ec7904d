"""MultiHeadAttention and DecoderMaskedMultiHeadAttention against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, int32, normal, run
from single_node import same

from tensorlite.errors import OnnxError

B, S, L, D, N, P = 2, 4, 5, 8, 2, 3
H = D // N
Q, K, V = normal(B, S, D), normal(B, L, D, seed=1), normal(B, L, 6, seed=2)
PAST = normal(B, N, P, H, seed=9), normal(B, N, P, H, seed=10)
BUFFERS = tuple(np.concatenate([p, normal(B, N, 6, H, seed=11)], 2) for p in PAST)
MHA, DECODER = "MultiHeadAttention", "DecoderMaskedMultiHeadAttention"


def zeros_and_ones(*shape: int, seed: int = 3) -> Any:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.int32)


MASKS = {
    "none": None,
    "2-d": zeros_and_ones(B, L),
    "3-d": zeros_and_ones(B, S, L),
    "lengths": int32(2, 3),
    "lengths and offsets": int32(2, 3, 0, 4, 8, 0, 2, 5),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("extra", [None, (B, N, S, L), (1, N, S, L), (B, 1, S, L), (1, 1, S, L)])
@pytest.mark.parametrize("outputs", [1, 3, "1001"])
def test_cross_attention(mask: str, bias: bool, extra: Any, outputs: Any, device: Any) -> None:
    inputs = [
        *(Q, K, V),
        normal(2 * D + 6, seed=3) if bias else None,
        MASKS[mask],
        None if extra is None else normal(*extra, seed=4),
    ]
    options = {"num_heads": N, "device": device, "atol": 2e-3 if mask != "none" else 1e-5}
    agree(MHA, *inputs, outputs=outputs, **options)


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("unidirectional", [0, 1])
def test_self_attention(
    past: bool, mask: bool, bias: bool, unidirectional: int, device: Any
) -> None:
    places = S + P * past
    inputs = [
        *(Q, K[:, :S].copy(), normal(B, S, D, seed=2)),
        normal(3 * D, seed=3) if bias else None,
        zeros_and_ones(B, places) if mask else None,
        normal(1, N, S, places, seed=4),
        *(PAST if past else (None, None)),
    ]
    for outputs in (3, 4):
        agree(
            MHA,
            *inputs,
            outputs=outputs,
            device=device,
            num_heads=N,
            unidirectional=unidirectional,
            scale=0.4,
            atol=2e-3,
        )


@pytest.mark.parametrize("mask", [None, int32(2, 3), zeros_and_ones(B, P)])
def test_keys_and_values_that_are_ready(mask: Any, device: Any) -> None:
    bias = normal(3 * D, seed=7)
    for added in (None, bias):
        options = {"num_heads": N, "device": device, "atol": 2e-3}
        agree(MHA, Q, *PAST, added, mask, **options)
        agree(MHA, Q, *PAST, added, mask, outputs=3, **options)


@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize("filled", [0, 3])
@pytest.mark.parametrize("unidirectional", [0, 1])
def test_a_shared_buffer(length: int, filled: int, unidirectional: int, device: Any) -> None:
    new = [normal(B, length, D, seed=i) for i in range(3)]
    agree(
        MHA,
        *(*new, None, None, None, *BUFFERS, int32(filled)),
        outputs=3,
        num_heads=N,
        unidirectional=unidirectional,
        device=device,
    )


def test_beams(device: Any) -> None:
    new = [normal(B, 1, D, seed=i) for i in range(3)]
    beams = zeros_and_ones(1, 2, 9, seed=0)
    inputs = [*new, None, None, None, *BUFFERS, int32(3), beams]
    agree(MHA, *inputs, outputs=4, num_heads=N, device=device)


def test_packed_inputs(device: Any) -> None:
    """ONNX Runtime has them on GPUs only."""
    packed, bias = normal(B, S, N, 3, H, seed=6), normal(3 * D, seed=7)
    parts = [packed[:, :, :, i].reshape(B, S, D) for i in range(3)]
    options = {"num_heads": N, "outputs": 3, "unidirectional": 1}
    same(run(MHA, packed, device=device, **options), run(MHA, *parts, **options))
    have = run(MHA, packed, None, None, bias, device=device, **options)
    same(have, run(MHA, *parts, bias, **options))
    pair = normal(B, L, N, 2, H, seed=8)
    parts = [pair[:, :, :, i].reshape(B, L, D) for i in range(2)]
    same(run(MHA, Q, pair, device=device, **options), run(MHA, Q, *parts, **options))


def test_a_past_counts_whatever_is_asked_for(device: Any) -> None:
    new = [normal(B, S, D, seed=i) for i in range(3)]
    inputs = [*new, None, None, None, *PAST]
    all_three = agree(MHA, *inputs, outputs=3, num_heads=N, device=device)
    same(run(MHA, *inputs, num_heads=N, device=device), all_three[:1])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4),
    st.integers(1, 4), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_any_size(
    batch: int, length: int, keys: int, heads: int, size: int, wide: int, mask: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    shapes = [(length, size), (keys, size), (keys, wide)]
    inputs = [random.standard_normal((batch, n, heads * h)).astype(np.float32) for n, h in shapes]
    padding = random.integers(0, 2, (batch, keys)).astype(np.int32) if mask and keys > 1 else None
    agree(MHA, *inputs, None, padding, num_heads=heads, rtol=1e-3, atol=2e-3)


def test_half_precision_is_that_of_float32_rounded(device: Any) -> None:
    half = [a.astype(np.float16) for a in (Q, K, V)]
    have = run(MHA, *half, None, MASKS["2-d"], num_heads=N, device=device)
    want = run(MHA, *[a.astype(np.float32) for a in half], None, MASKS["2-d"], num_heads=N)
    same(have, [want[0].astype(np.float16)], 2e-3, 2e-3)


TOKEN = [normal(B, 1, D, seed=i) for i in range(3)]


@pytest.mark.parametrize("mask", [None, int32([1, 0, 1, 1], [0, 1, 1, 1])])
@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("beams", [False, True])
@pytest.mark.parametrize("outputs", [3, 4])
def test_a_decoders_step(
    mask: Any, extra: bool, bias: bool, beams: bool, outputs: int, device: Any
) -> None:
    agree(
        DECODER,
        *(*TOKEN, mask, normal(1, N, 1, P + 1, seed=4) if extra else None, *BUFFERS, int32(P)),
        *((int32(2), zeros_and_ones(1, 2, 9, seed=0)) if beams else (None, None)),
        normal(3 * D, seed=7) if bias else None,
        outputs=outputs,
        num_heads=N,
        past_present_share_buffer=1,
        output_qk=int(outputs == 4),
        device=device,
        atol=2e-3,
    )


@pytest.mark.parametrize("mask", [None, int32([1, 0, 1], [0, 1, 1])])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("outputs", [1, "1001"])
def test_a_decoders_cross_attention(mask: Any, bias: bool, outputs: Any, device: Any) -> None:
    rest = [None] * 6 + [normal(3 * D, seed=7)] if bias else []
    agree(
        DECODER,
        *(TOKEN[0], *PAST, mask, *rest),
        outputs=outputs,
        num_heads=N,
        output_qk=int(outputs != 1),
        scale=0.3,
        mask_filter_value=-5.0,
        device=device,
    )


def test_a_decoders_packed_input_and_plain_past(device: Any) -> None:
    """ONNX Runtime has them on GPUs only."""
    packed = np.concatenate(TOKEN, 2)
    options = {"outputs": 3, "num_heads": N, "device": device}
    have = run(DECODER, packed, None, None, None, None, *PAST, **options)
    same(have, run(MHA, *TOKEN, None, None, None, *PAST, **options))


def test_errors() -> None:
    def refuses(message: str, *inputs: Any, num_heads: int = N, **attributes: Any) -> None:
        name = attributes.pop("name", MHA)
        with pytest.raises(OnnxError, match=message):
            run(name, *inputs, num_heads=num_heads, **attributes)

    refuses(r"expected key of shape \(2, kv_sequence, 2, 2, 4\)", Q, K)
    refuses("a key beside the value", Q, None, V)
    refuses("a multiple of 3 heads", Q, K, V, num_heads=3)
    refuses(r"expected key of shape \(2, kv_sequence, 8\)", Q, K[:1], V[:1])
    refuses("past_key and past_value: give both", Q, K, V, None, None, None, PAST[0])
    refuses(r"expected bias of shape \(22,\)", Q, K, V, normal(24))
    refuses("expected key_padding_mask of shape", Q, K, V, None, zeros_and_ones(B, S))
    refuses(r"key_padding_mask of shape \(2,\), \(8,\)", Q, K, V, None, int32(1, 2, 3, 4))
    new = [normal(B, S, D, seed=i) for i in range(3)]
    refuses("9 places, but 4 are", *new, None, None, None, *BUFFERS, int32(7))
    refuses("of one element", *new, None, None, None, *BUFFERS, int32(1, 2))
    refuses(
        "expected cache_indirection of shape",
        *(*TOKEN, None, None, None, *BUFFERS, int32(3), zeros_and_ones(1, 3, 9)),
    )
    refuses(r"expected query of shape \(batch, 1, hidden\)", Q, K, V, name=DECODER)
    refuses(
        "a tensor as cache_indirection",
        *(*TOKEN, None, None, *BUFFERS, int32(3), int32(2)),
        name=DECODER,
    )
