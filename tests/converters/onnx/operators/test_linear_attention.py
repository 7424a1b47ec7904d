"""LinearAttention against ONNX's reference and a recurrence over single numbers."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

from tensorlite.errors import OnnxError

RULES = ["linear", "gated", "delta", "gated_delta"]
TOLERANCE = {np.float32: 1e-5, np.float16: 2e-3, ml_dtypes.bfloat16: 2e-2}
Inputs = list[Any]


def inputs(
    rule: str,
    batch: int = 2,
    time: int = 5,
    q_heads: int = 4,
    heads: int = 2,
    d_k: int = 3,
    d_v: int = 4,
    *,
    state: Any = None,
    decay_per_key: bool = True,
    beta_per_head: bool = True,
    dtype: Any = np.float32,
    seed: int = 0,
) -> Inputs:
    """Inputs in the operator's order; ``state`` is the past state's dtype, if there is one."""
    random = np.random.default_rng(seed)

    def draw(*sizes: int) -> Any:
        return (random.standard_normal(sizes) / 2).astype(dtype)

    past = None
    if state is not None:
        past = random.standard_normal((batch, heads, d_k, d_v)).astype(state)
    decay = -np.abs(draw(batch, time, heads * (d_k if decay_per_key else 1)))
    beta = np.abs(draw(batch, time, heads if beta_per_head else 1))
    return [
        draw(batch, time, q_heads * d_k),
        draw(batch, time, heads * d_k),
        draw(batch, time, heads * d_v),
        past,
        decay if rule.startswith("gated") else None,
        beta if rule.endswith("delta") else None,
    ]


def run(given: Inputs, device: Any = "cpu", **attributes: Any) -> Inputs:
    model = node_model("LinearAttention", given, 2, 27, **attributes)
    return ours(model, given, device)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("state", [None, np.float32, np.float16])
def test_rules_and_dtypes(rule: str, dtype: Any, state: Any, device: Any) -> None:
    tolerance = TOLERANCE[dtype if state is None or dtype is not np.float32 else state]
    agree(
        "LinearAttention",
        *inputs(rule, state=state, dtype=dtype),
        outputs=2,
        opset=27,
        device=device,
        key=reference,
        rtol=tolerance,
        atol=tolerance,
        q_num_heads=4,
        kv_num_heads=2,
        update_rule=rule,
    )


@settings(max_examples=40, deadline=None)
@given(
    rule=st.sampled_from(RULES),
    batch=st.integers(0, 3),
    time=st.integers(0, 6),
    heads=st.integers(1, 3),
    group=st.integers(1, 3),
    d_k=st.integers(1, 4),
    d_v=st.integers(0, 4),
    state=st.sampled_from([None, np.float32]),
    per_key=st.booleans(),
    per_head=st.booleans(),
    scale=st.sampled_from([0.0, 0.25, -2.0]),
    chunk=st.sampled_from([1, 64]),
)
def test_any_sizes(
    rule: str, batch: int, time: int, heads: int, group: int, d_k: int, d_v: int,
    state: Any, per_key: bool, per_head: bool, scale: float, chunk: int,
) -> None:  # fmt: skip
    given_ = inputs(
        rule, batch, time, heads * group, heads, d_k, d_v,
        state=state, decay_per_key=per_key, beta_per_head=per_head,
    )  # fmt: skip
    agree(
        "LinearAttention",
        *given_,
        outputs=2,
        opset=27,
        key=reference,
        q_num_heads=heads * group,
        kv_num_heads=heads,
        update_rule=rule,
        scale=scale,
        chunk_size=chunk,
    )


def by_hand(given_: Inputs, q_heads: int, heads: int) -> Inputs:
    """The formulas of the specification for one token and one head after the other."""
    query, key, value, past, decay, beta = given_
    batch, time, _ = query.shape
    d_k, d_v = query.shape[2] // q_heads, value.shape[2] // heads
    output = np.zeros((batch, time, q_heads * d_v))
    state = np.zeros((batch, heads, d_k, d_v)) if past is None else past.astype(np.float64)
    for b in range(batch):
        for head in range(heads):
            s = state[b, head]
            for t in range(time):
                k = key[b, t, head * d_k : (head + 1) * d_k].astype(np.float64)
                v = value[b, t, head * d_v : (head + 1) * d_v].astype(np.float64)
                if decay is not None:
                    g = decay[b, t].reshape(heads, -1)[head].astype(np.float64)
                    s = np.exp(g)[:, None] * s
                if beta is not None:
                    v = beta[b, t, head % beta.shape[2]] * (v - s.T @ k)
                s = s + np.outer(k, v)
                for q_head in range(head * q_heads // heads, (head + 1) * q_heads // heads):
                    q = query[b, t, q_head * d_k : (q_head + 1) * d_k]
                    output[b, t, q_head * d_v : (q_head + 1) * d_v] = q @ s / math.sqrt(d_k)
            state[b, head] = s
    return [output.astype(query.dtype), state.astype(query.dtype)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("past", [None, np.float32])
def test_formulas_by_hand(rule: str, past: Any, device: Any) -> None:
    given_ = inputs(rule, state=past, q_heads=6, beta_per_head=False)
    have = run(given_, device, q_num_heads=6, kv_num_heads=2, update_rule=rule)
    same(have, by_hand(given_, 6, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_token_by_token_is_the_whole_sequence(rule: str, device: Any) -> None:
    given_ = inputs(rule, time=4)
    attributes: dict[str, Any] = {"q_num_heads": 4, "kv_num_heads": 2, "update_rule": rule}
    whole, final = run(given_, device, **attributes)
    state, outputs = None, []
    for t in range(4):
        token = [None if x is None else x[:, t : t + 1] for x in given_]
        token[3] = state
        output, state = run(token, device, **attributes)
        outputs.append(output)
    same([np.concatenate(outputs, 1), state], [whole, final])


def test_of_a_delta_rule_with_rate_one_the_state_recalls_its_last_value(device: Any) -> None:
    query, key, value, _, _, beta = inputs("delta", q_heads=2, d_k=4, d_v=4)
    key = key.reshape(2, 5, 2, 4)
    key = (key / np.linalg.norm(key, axis=-1, keepdims=True)).reshape(2, 5, 8)
    given_ = [key, key, value, None, None, np.ones_like(beta)]
    output, _ = run(given_, device, q_num_heads=2, kv_num_heads=2, update_rule="delta", scale=1.0)
    same([output], [value], rtol=1e-4, atol=1e-5)


def change(given_: Inputs, place: int, value: Any) -> Inputs:
    return [*given_[:place], value, *given_[place + 1 :]]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.zeros((2, 12), np.float32), "expected query of shape"),
        (0, np.zeros((2, 5, 12), np.float64), "expected query of dtype"),
        (0, np.zeros((2, 5, 13), np.float32), "the last size of query to be a multiple of 4"),
        (1, np.zeros((2, 4, 6), np.float32), "expected key of shape"),
        (1, np.zeros((2, 5, 8), np.float32), "expected key of shape"),
        (1, np.zeros((2, 5, 6), np.float16), "expected key of dtype float32"),
        (2, np.zeros((2, 5, 7), np.float32), "the last size of value to be a multiple of 2"),
        (3, np.zeros((2, 2, 4, 3), np.float32), "expected past_state of shape"),
        (3, np.zeros((2, 2, 3, 4), np.float64), "expected past_state of dtype"),
        (4, np.zeros((2, 5, 3), np.float32), "expected decay of shape"),
        (4, np.zeros((2, 5, 2, 3), np.float32), "expected decay of shape"),
        (4, None, "'gated_delta' needs decay"),
        (5, np.zeros((2, 5, 3), np.float32), "expected beta of shape"),
        (5, None, "'gated_delta' needs beta"),
        (2, None, "expected a tensor as value"),
    ],
)
def test_wrong_inputs(place: int, value: Any, message: str, device: Any) -> None:
    given_ = change(inputs("gated_delta"), place, value)
    with pytest.raises(OnnxError, match=message):
        run(given_, device, q_num_heads=4, kv_num_heads=2)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"update_rule": "retnet"}, "expected update_rule to be one of linear, gated"),
        ({"update_rule": "gated"}, "'gated' takes no beta"),
        ({"update_rule": "delta"}, "'delta' takes no decay"),
        ({"kv_num_heads": 3}, "positive multiple of kv_num_heads, got 4 and 3"),
        ({"kv_num_heads": 0}, "positive multiple"),
        ({"q_num_heads": -4}, "positive multiple"),
    ],
)
def test_wrong_attributes(attributes: dict[str, Any], message: str, device: Any) -> None:
    both = {"q_num_heads": 4, "kv_num_heads": 2, **attributes}
    with pytest.raises(OnnxError, match=message):
        run(inputs("gated_delta"), device, **both)


def test_is_unknown_before_opset_27() -> None:
    given_ = inputs("linear")
    model = node_model(
        "LinearAttention", given_, 2, 26, q_num_heads=4, kv_num_heads=2, update_rule="linear"
    )
    with pytest.raises(OnnxError, match="LinearAttention"):
        ours(model, given_)
