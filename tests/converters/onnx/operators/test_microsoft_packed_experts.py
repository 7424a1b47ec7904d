"""QMoE against ONNX Runtime, and against MoE of the unpacked weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from microsoft_node import agree, normal, run
from single_node import same

from tensorlite.errors import OnnxError

TOKENS, WIDTH, INNER, EXPERTS = 6, 32, 64, 4
X, SCORES = normal(TOKENS, WIDTH), normal(TOKENS, EXPERTS, seed=1)
BIAS1, BIAS2 = normal(EXPERTS, INNER, seed=4), normal(EXPERTS, WIDTH, seed=5)
CLOSE = {"rtol": 1e-3, "atol": 1e-3}


def packed(codes: Any, bits: int) -> Any:
    per = 8 // bits
    missing = -codes.shape[-1] % per
    codes = np.concatenate([codes, np.zeros((*codes.shape[:-1], missing), np.uint8)], -1)
    parts = codes.reshape(*codes.shape[:-1], -1, per)
    return sum(parts[..., i] << np.uint8(bits * i) for i in range(per)).astype(np.uint8)


def layer(
    bits: int, block: int, zeros: bool, rows: int, width: int, seed: int
) -> tuple[Any, Any, Any, Any]:
    """Packed weights, scales and zero points, and the weights that they stand for."""
    random = np.random.default_rng(seed)
    blocks = width // block if block else 1
    codes = random.integers(0, 2**bits, (EXPERTS, rows, width)).astype(np.uint8)
    scales = random.uniform(0.01, 0.05, (EXPERTS, rows, blocks)).astype(np.float32) * 4 / 2**bits
    points = random.integers(0, 2**bits, (EXPERTS, rows, blocks)).astype(np.uint8)
    middle = points if zeros else np.full_like(points, 2 ** (bits - 1))
    grouped = codes.reshape(EXPERTS, rows, blocks, -1).astype(np.float32)
    real = (grouped - middle[..., None]) * scales[..., None]
    if not block:
        scales, points = scales[..., 0], points[..., 0]
    return (
        packed(codes, bits),
        scales,
        packed(points, bits) if zeros else None,
        real.reshape(EXPERTS, rows, width).astype(np.float32),
    )


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("block", [0, 16, 32])
@pytest.mark.parametrize("zeros", [False, True])
def test_against_onnxruntime(bits: int, block: int, zeros: bool, device: Any) -> None:
    """It always divides the weights by their sum."""
    w1, s1, z1, _ = layer(bits, block, zeros, INNER, WIDTH, 1)
    w2, s2, z2, _ = layer(bits, block, zeros, WIDTH, INNER, 2)
    agree(
        "QMoE",
        *(X, SCORES, w1, s1, BIAS1, w2, s2, BIAS2, None, None, None, z1, z2),
        device=device,
        k=2,
        activation_type="silu",
        normalize_routing_weights=1,
        expert_weight_bits=bits,
        **({"block_size": block} if block else {}),
        **CLOSE,
    )


@pytest.mark.parametrize("normalize", [0, 1])
def test_router_weights(normalize: int, device: Any) -> None:
    w1, s1, _, _ = layer(4, 0, False, INNER, WIDTH, 1)
    w2, s2, _, _ = layer(4, 0, False, WIDTH, INNER, 2)
    weights = abs(normal(TOKENS, EXPERTS, seed=8)) + np.float32(0.1)
    agree(
        "QMoE",
        *(X, SCORES, w1, s1, BIAS1, w2, s2, BIAS2, *[None] * 6, weights),
        device=device,
        k=2,
        normalize_routing_weights=normalize,
        **CLOSE,
    )


def test_a_fused_gate(device: Any) -> None:
    w1, s1, z1, _ = layer(4, 16, True, 2 * INNER, WIDTH, 1)
    w2, s2, z2, _ = layer(4, 16, True, WIDTH, INNER, 2)
    agree(
        "QMoE",
        *(X, SCORES, w1, s1, normal(EXPERTS, 2 * INNER, seed=3), w2, s2, None),
        *(None, None, None, z1, z2),
        device=device,
        k=1,
        block_size=16,
        activation_type="swiglu",
        swiglu_fusion=1,
        activation_alpha=1.702,
        activation_beta=1.0,
        swiglu_limit=0.9,
        normalize_routing_weights=1,
        **CLOSE,
    )


@pytest.mark.parametrize("normalize", [0, 1])
def test_a_third_layer_and_unequal_bits_are_those_of_moe(normalize: int, device: Any) -> None:
    w1, s1, z1, real1 = layer(4, 0, True, INNER, WIDTH, 1)
    w2, s2, z2, real2 = layer(8, 0, False, WIDTH, INNER, 2)
    w3, s3, z3, real3 = layer(2, 0, True, INNER, WIDTH, 3)
    options = {"k": 2, "activation_type": "swiglu", "normalize_routing_weights": normalize}
    have = run(
        "QMoE",
        *(X, SCORES, w1, s1, BIAS1, w2, s2, BIAS2, w3, s3, None, z1, z2, z3),
        device=device,
        fc2_expert_weight_bits=8,
        fc3_expert_weight_bits=2,
        **options,
    )
    want = run("MoE", X, SCORES, real1, BIAS1, real2, BIAS2, real3, **options)
    same(have, want, 1e-4, 1e-4)


def test_half_precision(device: Any) -> None:
    w1, s1, _, real1 = layer(4, 0, False, INNER, WIDTH, 1)
    w2, s2, _, real2 = layer(4, 0, False, WIDTH, INNER, 2)
    half = [a.astype(np.float16) for a in (X, SCORES, s1, s2)]
    have = run("QMoE", half[0], half[1], w1, half[2], None, w2, half[3], device=device)
    want = run("MoE", X, SCORES, real1, None, real2)[0]
    same(have, [want.astype(np.float16)], 2e-2, 2e-2)


def test_errors() -> None:
    w1, s1, _, _ = layer(4, 0, False, INNER, WIDTH, 1)
    w2, s2, _, _ = layer(4, 0, False, WIDTH, INNER, 2)

    def refuses(message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run("QMoE", *inputs, **attributes)

    usual = (X, SCORES, w1, s1, None, w2, s2)
    refuses("expected quant_type 'int'", *usual, quant_type="fp4")
    refuses("not prepacked", *usual, weights_prepacked=1)
    refuses("expected 2, 4 or 8 bits", *usual, expert_weight_bits=3)
    refuses("blocks of 48", *usual, block_size=48)
    refuses(r"fc1_experts_weights of shape \(4, 64, 32\)", *usual, expert_weight_bits=8)
    refuses(r"fc1_scales of shape \(4, 64, 2\)", *usual, block_size=16)
    refuses("a tensor as fc2_scales", *usual[:6], None)
    refuses(
        r"fc1_zero_points of shape \(4, 32\)",
        *(*usual, None, None, None, None, np.zeros((4, 64), np.uint8)),
    )
    refuses("router_weights of shape", *usual, *[None] * 7, normal(TOKENS, 3))
