"""MoE against ONNX Runtime, and against NumPy where that has no kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, normal, run
from single_node import same

from tensorlite.errors import OnnxError

TOKENS, WIDTH, INNER, EXPERTS = 6, 8, 5, 4
X, SCORES = normal(TOKENS, WIDTH), normal(TOKENS, EXPERTS, seed=1)
FC1, BIAS1 = normal(EXPERTS, INNER, WIDTH, seed=2), normal(EXPERTS, INNER, seed=3)
FC2, BIAS2 = normal(EXPERTS, WIDTH, INNER, seed=4), normal(EXPERTS, WIDTH, seed=5)
FC3, BIAS3 = normal(EXPERTS, INNER, WIDTH, seed=6), normal(EXPERTS, INNER, seed=7)
WIDE1, WIDEBIAS1 = normal(EXPERTS, 2 * INNER, WIDTH, seed=8), normal(EXPERTS, 2 * INNER, seed=9)
PLAIN = (X, SCORES, FC1, BIAS1, FC2, BIAS2)
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("normalize", [0, 1])
@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "identity"])
def test_against_onnxruntime(k: int, normalize: int, activation: str, device: Any) -> None:
    attributes = {"k": k, "normalize_routing_weights": normalize, "activation_type": activation}
    agree("MoE", *PLAIN, device=device, **attributes, **CLOSE)
    agree("MoE", X, SCORES, FC1, None, FC2, device=device, **attributes, **CLOSE)


@pytest.mark.parametrize("limit", [None, 0.8, 0.0])
@pytest.mark.parametrize("alpha, beta", [(1.0, 0.0), (1.702, 1.0)])
def test_swiglu(limit: float | None, alpha: float, beta: float, device: Any) -> None:
    attributes = {"activation_alpha": alpha, "activation_beta": beta}
    limits = {} if limit is None else {"swiglu_limit": limit}
    agree(
        "MoE",
        *(X, SCORES, WIDE1, WIDEBIAS1, FC2, BIAS2),
        device=device,
        k=2,
        activation_type="swiglu",
        swiglu_fusion=1,
        **attributes,
        **limits,
        **CLOSE,
    )


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_of_any_size(
    batch: int, length: int, width: int, inner: int, experts: int, seed: int
) -> None:
    random = np.random.default_rng(seed)

    def made(*shape: int) -> Any:
        return random.standard_normal(shape).astype(np.float32)

    agree(
        "MoE",
        *(made(batch, length, width), made(batch * length, experts)),
        *(made(experts, inner, width), made(experts, inner)),
        *(made(experts, width, inner), made(experts, width)),
        k=int(random.integers(1, experts + 1)),
        **CLOSE,
    )


def test_the_layouts_of_a_gate_are_equal(device: Any) -> None:
    """ONNX Runtime has two of them on GPUs only."""
    options = {"k": 2, "activation_type": "swiglu", "activation_alpha": 1.7, "swiglu_limit": 0.9}
    rest = FC2, BIAS2
    want = run("MoE", X, SCORES, WIDE1, WIDEBIAS1, *rest, swiglu_fusion=1, **options)

    def halves(w: Any) -> tuple[Any, Any]:
        return w[:, 0::2].copy(), w[:, 1::2].copy()

    (gate, up), (gate_bias, up_bias) = halves(WIDE1), halves(WIDEBIAS1)
    joined = np.concatenate([gate, up], 1), np.concatenate([gate_bias, up_bias], 1)
    have = run("MoE", X, SCORES, *joined, *rest, swiglu_fusion=2, device=device, **options)
    same(have, want, 1e-5, 1e-5)
    have = run("MoE", X, SCORES, gate, gate_bias, *rest, up, up_bias, device=device, **options)
    same(have, want, 1e-5, 1e-5)


def numpys(hidden: Any, weights: Any) -> Any:
    """The layer by loops: what each expert makes of a token, and the weights (T, E)."""
    y = np.zeros_like(X)
    for t in range(TOKENS):
        for e in np.nonzero(weights[t])[0]:
            y[t] += weights[t, e] * (FC2[e] @ hidden(X[t], e) + BIAS2[e])
    return y


def best(scores: Any, k: int) -> Any:
    e = np.exp(scores - scores.max(1, keepdims=True))
    weights = e / e.sum(1, keepdims=True)
    last = np.sort(weights, 1)[:, -k][:, None]
    return np.where(weights >= last, weights, 0)


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def test_a_third_layer_and_other_activations(device: Any) -> None:
    """What ONNX Runtime has on GPUs only."""

    def first(x: Any, e: int) -> Any:
        return FC1[e] @ x + BIAS1[e]

    def wide(x: Any, e: int) -> Any:
        return WIDE1[e] @ x + WIDEBIAS1[e]

    def third(x: Any, e: int) -> Any:
        return FC3[e] @ x + BIAS3[e]

    def late(x: Any, e: int) -> Any:
        gate, up = wide(x, e)[0::2], wide(x, e)[1::2]
        return np.minimum(gate / (1 + np.exp(-gate)), 0.5) * np.clip(up, -0.5, 0.5)

    weights, options = best(SCORES, 2), {"k": 2, "device": device}
    have = run("MoE", *PLAIN, FC3, BIAS3, activation_type="gelu", **options)
    want = numpys(lambda x, e: gelu(first(x, e)) * third(x, e), weights)
    same(have, [want], 1e-4, 1e-4)
    have = run("MoE", *PLAIN, activation_type="relu2", **options)
    want = numpys(lambda x, e: np.maximum(first(x, e), 0) ** 2, weights)
    same(have, [want], 1e-4, 1e-4)
    fused = (X, SCORES, WIDE1, WIDEBIAS1, FC2, BIAS2)
    have = run("MoE", *fused, activation_type="geglu", swiglu_fusion=1, **options)
    want = numpys(lambda x, e: gelu(wide(x, e)[0::2]) * wide(x, e)[1::2], weights)
    same(have, [want], 1e-4, 1e-4)
    limits = {"swiglu_limit": 0.5, "swiglu_limit_after_activation": 1, "swiglu_fusion": 1}
    have = run("MoE", *fused, activation_type="swiglu", **limits, **options)
    same(have, [numpys(late, weights)], 1e-4, 1e-4)


def test_the_sparse_mixer(device: Any) -> None:
    """Each weight is a share among the scores within 2 % of the best that is left."""
    scores = SCORES.copy()
    scores[0] = [1.0, 0.99, 0.97, -3.0]  # three compete for the first place, two for the second
    weights = np.zeros_like(scores)
    for t, row in enumerate(scores):
        left = row.copy()
        for _ in range(2):
            top = left.max()
            near = (top - row) / np.maximum(np.abs(row), top) <= 0.02
            shares = np.where(near & np.isfinite(left), np.exp(left), 0)
            weights[t, left.argmax()] = shares[left.argmax()] / shares.sum()
            left[left.argmax()] = -np.inf
    assert 0.4 < weights[0, 0] < 0.6
    want = numpys(lambda x, e: np.maximum(FC1[e] @ x + BIAS1[e], 0), weights)
    have = run("MoE", X, scores, *PLAIN[2:], k=2, use_sparse_mixer=1, device=device)
    same(have, [want], 1e-4, 1e-4)


def test_half_precision_is_that_of_float32_rounded(device: Any) -> None:
    half = [a.astype(np.float16) for a in PLAIN]
    have = run("MoE", *half, k=2, device=device)
    want = run("MoE", *[a.astype(np.float32) for a in half], k=2)
    same(have, [want[0].astype(np.float16)], 1e-2, 1e-2)


def test_errors() -> None:
    def refuses(message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run("MoE", *inputs, **attributes)

    refuses("activation_type to be one of relu", *PLAIN, activation_type="tanh")
    refuses("k from 1 to 4 experts, got 5", *PLAIN, k=5)
    refuses("it needs fc3, got none", *PLAIN, activation_type="swiglu")
    refuses("not 0 for geglu", *PLAIN, activation_type="geglu")
    refuses("even number of rows", *PLAIN, activation_type="swiglu", swiglu_fusion=1)
    refuses(r"router_probs of shape \(6, num_experts\)", X, SCORES[:5].copy(), *PLAIN[2:])
    refuses(r"fc2_experts_weights of shape \(4, 8, 5\)", *PLAIN[:4], FC2[:, :, :4].copy())
    refuses(r"fc1_experts_bias of shape \(4, 5\)", X, SCORES, FC1, BIAS2, FC2)
    refuses("2 or 3 dimensions", X[0], SCORES, *PLAIN[2:])
    refuses("expected k of 1 or 2", *PLAIN, k=3, use_sparse_mixer=1)
    fused = (X, SCORES, WIDE1, WIDEBIAS1, FC2, BIAS2)
    refuses("no fc3 beside", *fused, FC3, activation_type="swiglu", swiglu_fusion=1)
    refuses("it needs activation_type swiglu", *PLAIN, swiglu_limit_after_activation=1)
