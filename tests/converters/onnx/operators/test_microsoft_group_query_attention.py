"""GroupQueryAttention against ONNX Runtime, and against itself where that has no kernel."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, int32, normal, run, theirs
from single_node import same

from tensorlite.errors import OnnxError

NAME = "GroupQueryAttention"
B, S, N, K, H = 2, 5, 4, 2, 16
HEADS = {"num_heads": N, "kv_num_heads": K}
Q, KEY, VALUE = normal(B, S, N * H), normal(B, S, K * H, seed=1), normal(B, S, K * H, seed=2)
COS, SIN = normal(12, 8, seed=11), normal(12, 8, seed=12)
PAST = normal(B, K, 6, H, seed=7), normal(B, K, 6, H, seed=8)
BUFFERS = tuple(np.concatenate([p, np.zeros((B, K, 4, H), np.float32)], 2) for p in PAST)


def inputs(*first: Any, **others: Any) -> list[Any]:
    """The seventeen inputs: the first seven, and others by name."""
    names = ["cos", "sin", "positions", "bias", "sink", "k_scale", "v_scale", "q_norm", "k_norm"]
    return [*first, *(others.get(name) for name in [*names, "chunks"])]


PROMPT = (Q, KEY, VALUE, None, None, int32(4, 4), int32(5))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"scale": 0.2},
        {"softcap": 0.5},
        {"smooth_softmax": 1},
        {"softcap": 0.5, "smooth_softmax": 1},
        {"local_window_size": 0},
        {"local_window_size": 1},
        {"local_window_size": 3},
        {"local_window_size": 9},
        {"causal": 0},
    ],
)
@pytest.mark.parametrize("bias", [None, (1, 1, S, S), (B, N, S, S), (1, N, S, S), (B, 1, S, S)])
def test_a_prompt(attributes: dict[str, Any], bias: Any, device: Any) -> None:
    added = None if bias is None else normal(*bias, seed=6)
    options = {"device": device, **HEADS, **attributes}
    agree(NAME, *inputs(*PROMPT, bias=added), outputs=3, **options)
    for qk_output in (1, 2):
        given = inputs(*PROMPT, bias=added)
        agree(NAME, *given, outputs=4, qk_output=qk_output, **options)


@pytest.mark.parametrize("attributes", [{}, {"smooth_softmax": 1}, {"softcap": 2.0}])
def test_sinks(attributes: dict[str, Any], device: Any) -> None:
    given = inputs(*PROMPT, sink=normal(N, seed=4))
    agree(NAME, *given, outputs=3, device=device, **HEADS, **attributes)
    agree(NAME, *given, outputs=4, qk_output=2, device=device, **HEADS, **attributes)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [None, np.array([[2, 3, 4, 5, 6], [1, 2, 3, 9, 5]])])
def test_rotary_embedding_of_a_prompt(interleaved: int, positions: Any, device: Any) -> None:
    agree(
        NAME,
        *inputs(*PROMPT, cos=COS, sin=SIN, positions=positions),
        outputs=3,
        device=device,
        do_rotary=1,
        rotary_interleaved=interleaved,
        **HEADS,
    )


def test_rotary_embedding_of_a_part_of_each_head(device: Any) -> None:
    given = [normal(B, S, n * 32, seed=n) for n in (N, K, K)]
    agree(
        NAME,
        *inputs(*given, None, None, int32(4, 4), int32(5), cos=COS, sin=SIN),
        outputs=3,
        device=device,
        do_rotary=1,
        **HEADS,
    )


@pytest.mark.parametrize("buffers", [PAST, BUFFERS])
@pytest.mark.parametrize("lengths", [int32(6, 6), int32(6, 3), int32(0, 5)])
@pytest.mark.parametrize("positions", [None, np.array([[3], [9]])])
@pytest.mark.parametrize("attributes", [{}, {"local_window_size": 2}, {"softcap": 0.5}])
def test_a_step(buffers: Any, lengths: Any, positions: Any, attributes: Any, device: Any) -> None:
    """Sequences of unequal lengths; the rows of the cache after each have no meaning."""
    token = [x[:, :1].copy() for x in (Q, KEY, VALUE)]
    given = inputs(*token, *buffers, lengths, int32(7), cos=COS, sin=SIN, positions=positions)
    options = {"do_rotary": 1, "outputs": 3, **HEADS, **attributes}
    have = run(NAME, *given, device=device, **options)
    want = theirs(NAME, *given, **options)
    same(have[:1], want[:1], 1e-5, 1e-5)
    for mine, other in zip(have[1:], want[1:], strict=True):
        assert mine.shape == other.shape
        for b, last in enumerate(lengths):
            same([mine[b, :, : last + 1]], [other[b, :, : last + 1]])


def test_a_step_of_packed_inputs(device: Any) -> None:
    packed = np.concatenate([Q, KEY, VALUE], 2)
    agree(NAME, *inputs(packed, None, None, *PROMPT[3:]), outputs=3, device=device, **HEADS)
    agree(
        NAME,
        *inputs(packed[:, :1].copy(), None, None, *BUFFERS, int32(6, 6), int32(7)),
        outputs=3,
        device=device,
        **HEADS,
    )


@pytest.mark.parametrize("bias", [False, True])
def test_a_step_with_bias_and_scores(bias: bool, device: Any) -> None:
    token = [x[:, :1].copy() for x in (Q, KEY, VALUE)]
    added = normal(B, N, 1, 7, seed=6) if bias else None
    given = inputs(*token, *BUFFERS, int32(6, 3), int32(7), bias=added)
    for qk_output in (1, 2):
        options = {"outputs": "1001", "qk_output": qk_output, **HEADS}
        # without the caches as outputs ONNX Runtime forgets the past
        want = theirs(NAME, *given, **{**options, "outputs": 4})
        same(run(NAME, *given, device=device, **options), [want[0], want[3]], 1e-5, 1e-5)


def test_several_tokens_after_a_past(device: Any) -> None:
    given = [x[:1, :3].copy() for x in (Q, KEY, VALUE)]
    buffers = [b[:1] for b in BUFFERS]
    for window in (-1, 2):
        agree(
            NAME,
            *inputs(*given, *buffers, int32(8), int32(9), cos=COS, sin=SIN),
            outputs=3,
            device=device,
            do_rotary=1,
            local_window_size=window,
            **HEADS,
        )


@pytest.mark.parametrize("window", [-1, 2])
def test_padded_chunks(window: int, device: Any) -> None:
    given = [x[:, :3].copy() for x in (Q, KEY, VALUE)]
    chunks = int32(3, 2)
    everything = inputs(*given, *BUFFERS, int32(6, 4), int32(10), cos=COS, sin=SIN, chunks=chunks)
    options = {"outputs": 3, "do_rotary": 1, "local_window_size": window, **HEADS}
    have = run(NAME, *everything, device=device, **options)
    want = theirs(NAME, *everything, **options)
    for b, (count, filled) in enumerate([(3, 7), (2, 5)]):
        same([have[0][b, :count]], [want[0][b, :count]], 1e-5, 1e-5)
        for mine, other in zip(have[1:], want[1:], strict=True):
            same([mine[b, :, :filled]], [other[b, :, :filled]])


def test_a_padded_prompt(device: Any) -> None:
    for buffers in ((None, None), tuple(np.zeros((B, K, 9, H), np.float32) for _ in range(2))):
        given = inputs(Q, KEY, VALUE, *buffers, int32(4, 2), int32(5))
        have = run(NAME, *given, outputs=3, device=device, **HEADS)
        want = theirs(NAME, *given, outputs=3, **HEADS)
        for b, count in enumerate((5, 3)):
            same([have[0][b, :count]], [want[0][b, :count]], 1e-5, 1e-5)
            same([have[1][b, :, :count]], [want[1][b, :, :count]])
        assert [x.shape for x in have] == [x.shape for x in want]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 6), st.integers(0, 3),
    st.integers(-1, 4), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_any_size(
    batch: int, groups: int, each: int, past: int, more: int, window: int, rotary: bool,
    smooth: bool, seed: int,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)

    def made(*shape: int) -> Any:
        return random.standard_normal(shape).astype(np.float32)

    lengths = random.integers(0, past + 1, batch).astype(np.int32)
    lengths[0] = past
    given = inputs(
        *(
            made(batch, 1, groups * each * H),
            made(batch, 1, groups * H),
            made(batch, 1, groups * H),
        ),
        *(made(batch, groups, past + more, H), made(batch, groups, past + more, H)),
        *(lengths, int32(past + 1)),
        **({"cos": COS, "sin": SIN} if rotary else {}),
    )
    options = {
        "num_heads": groups * each,
        "kv_num_heads": groups,
        "local_window_size": window or -1,
        "do_rotary": int(rotary),
        "smooth_softmax": int(smooth),
        "outputs": 3,
    }
    have, want = run(NAME, *given, **options), theirs(NAME, *given, **options)
    same(have[:1], want[:1], 1e-4, 1e-5)
    for b, last in enumerate(lengths):
        same([have[1][b, :, : last + 1]], [want[1][b, :, : last + 1]])


@pytest.mark.parametrize("capacity", [3, 5])
@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("bias", [False, True])
def test_a_cache_of_a_window(capacity: int, length: int, bias: bool, device: Any) -> None:
    """Step after step ONNX Runtime gives the same, and the whole cache does too."""
    caches = [np.zeros((1, K, capacity, H), np.float32) for _ in range(2)]
    whole = [np.zeros((1, K, 16, H), np.float32) for _ in range(2)]
    options = {"outputs": 3, "local_window_size": 3, **HEADS}
    for step in range(3):
        total = (step + 1) * length
        new = [normal(1, length, n * H, seed=10 * step + n) for n in (N, K, K + 1)]
        new[2] = new[2][..., : K * H].copy()
        added = normal(1, N, length, total, seed=step) if bias else None
        rest = int32(total - 1), int32(total)
        given = inputs(*new, *caches, *rest, bias=added)
        have = run(NAME, *given, device=device, sliding_window_cache=1, **options)
        want = theirs(NAME, *given, sliding_window_cache=1, **options)
        same(have[:1], want[:1], 1e-5, 1e-5)
        long = run(NAME, *inputs(*new, *whole, *rest, bias=added), device=device, **options)
        same(have[:1], long[:1], 1e-5, 1e-5)
        caches, whole = have[1:], long[1:]
        kept = np.count_nonzero(caches[0][0, 0, :, 0])
        same([c[:, :, :kept] for c in have[1:]], [c[:, :, :kept] for c in want[1:]])


def packed(codes: Any) -> Any:
    shifted = (codes + 8).astype(np.uint8)
    return shifted[..., 0::2] | (shifted[..., 1::2] << 4)


@pytest.mark.parametrize("kind", ["PER_TENSOR", "PER_CHANNEL"])
@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_cache(kind: str, bits: int, device: Any) -> None:
    most = 2 ** (bits - 1) - 1
    axes = None if kind == "PER_TENSOR" else (0, 2)
    scales, codes = [], []
    for past in PAST:
        scale = np.asarray(abs(past).max(axes, keepdims=True) / most, np.float32)
        scale = scale.reshape(1) if axes is None else scale
        whole = np.clip(np.rint(past / scale), -most - 1, most)
        scales.append(scale)
        codes.append(whole.astype(np.int8) if bits == 8 else packed(whole))
    token = [x[:, :1].copy() for x in (Q, KEY, VALUE)]
    agree(
        NAME,
        *inputs(*token, *codes, int32(6, 6), int32(7), k_scale=scales[0], v_scale=scales[1]),
        outputs=3,
        device=device,
        k_quant_type=kind,
        v_quant_type=kind,
        kv_cache_bit_width=bits,
        **HEADS,
    )


def test_normalized_heads(device: Any) -> None:
    """ONNX Runtime has them on GPUs only."""
    weight = normal(2, H, seed=9)

    def normed(x: Any, w: Any) -> Any:
        heads = x.reshape(B, S, -1, H)
        root = np.sqrt((heads**2).mean(-1, keepdims=True) + np.float32(1e-6))
        return (heads / root * w).reshape(x.shape)

    given = inputs(*PROMPT, q_norm=weight[0], k_norm=weight[1])
    have = run(NAME, *given, outputs=3, device=device, **HEADS)
    plain = inputs(normed(Q, weight[0]), normed(KEY, weight[1]), *PROMPT[2:])
    same(have, run(NAME, *plain, outputs=3, **HEADS), 1e-5, 1e-5)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_that_of_float32_rounded(dtype: Any, device: Any) -> None:
    half = [x.astype(dtype) for x in PROMPT[:3]]
    have = run(NAME, *inputs(*half, *PROMPT[3:]), softcap=5.0, device=device, **HEADS)
    wide = [x.astype(np.float32) for x in half]
    want = run(NAME, *inputs(*wide, *PROMPT[3:]), softcap=5.0, **HEADS)
    same(have, [want[0].astype(dtype)], 1e-2, 1e-2)
    have = run(NAME, *inputs(*half, *PROMPT[3:]), device=device, **HEADS)
    same(have, [run(NAME, *inputs(*wide, *PROMPT[3:]), **HEADS)[0].astype(dtype)], 1e-2, 1e-2)


def test_half_precision_against_onnxruntime(device: Any) -> None:
    half = [x.astype(np.float16) for x in PROMPT[:3]]
    agree(
        NAME, *inputs(*half, *PROMPT[3:]), outputs=3, device=device, rtol=1e-2, atol=5e-3, **HEADS
    )


def test_errors() -> None:
    def refuses(message: str, *given: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(NAME, *given, **{**HEADS, **attributes})

    token = [x[:, :1].copy() for x in (Q, KEY, VALUE)]
    refuses("multiple of kv_num_heads, got 3 and 2", *PROMPT, num_heads=3)
    refuses(r"expected key of shape \(2, 5, 16\)", *PROMPT, kv_num_heads=1)
    refuses("expected qk_output to be 0, 1 or 2", *PROMPT, qk_output=3)
    refuses("expected local_window_size", *PROMPT, local_window_size=-2)
    refuses("expected local_window_size", *PROMPT, local_window_size=2, causal=0)
    refuses("give both or neither", Q, KEY, None, *PROMPT[3:])
    refuses("past_key and past_value", *token, BUFFERS[0], None, int32(6, 6), int32(7))
    refuses(r"seqlens_k of shape \(2,\)", *PROMPT[:5], int32(4), int32(5))
    refuses(r"seqlens_k \+ 1 from 1 to 10", *token, *BUFFERS, int32(6, 11), int32(7))
    refuses("at most 0 tokens before", *token, None, None, int32(6, 6), int32(7))
    refuses("query_seqlens from 0 to 5", *inputs(*PROMPT, chunks=int32(6, 1)))
    refuses("a tensor as cos_cache", *PROMPT, do_rotary=1)
    refuses("k_quant_type to be one of NONE", *PROMPT, k_quant_type="SOME")
    refuses("kv_cache_bit_width 4 or 8", *PROMPT, k_quant_type="PER_TENSOR")
    refuses("needs a local_window_size", *PROMPT, sliding_window_cache=1)
    refuses(r"attention_bias of shape", *inputs(*PROMPT, bias=normal(1, 1, S, S + 1)))
    refuses("positions, but those from", *inputs(*PROMPT, cos=COS[:3], sin=SIN[:3]), do_rotary=1)
