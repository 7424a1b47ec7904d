"""Attention against ONNX's reference, ONNX Runtime and PyTorch."""

from __future__ import annotations

import tracemalloc
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, onnxruntime, ours, reference, same

from tensorlite.errors import OnnxError

# ONNX's reference takes the root of the scale in float32, even for float64.
TOLERANCE = {np.float64: 1e-6, np.float32: 1e-5, np.float16: 4e-3, ml_dtypes.bfloat16: 4e-2}
CODES = {np.float32: 1, np.float16: 10, np.float64: 11, ml_dtypes.bfloat16: 16}
Arrays = list[Any]
ALL = 4  # outputs
FIXTURE = [HealthCheck.function_scoped_fixture]  # the device is the same for every example


def normal(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def arrays(
    batch: int = 2,
    q_heads: int = 4,
    heads: int = 2,
    length: int = 3,
    places: int = 5,
    size: int = 8,
    v_size: int = 6,
    dtype: Any = np.float32,
) -> Arrays:
    """Query, key and value in four dimensions."""
    return [
        normal(batch, q_heads, length, size, dtype=dtype, seed=1),
        normal(batch, heads, places, size, dtype=dtype, seed=2),
        normal(batch, heads, places, v_size, dtype=dtype, seed=3),
    ]


def flat(x: Any) -> Any:
    """(B, heads, length, size) as (B, length, heads * size)."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def run(
    inputs: Arrays, outputs: int = 1, opset: int = 25, device: Any = "cpu", **attributes: Any
) -> Arrays:
    model = node_model("Attention", inputs, outputs, opset, **attributes)
    return ours(model, inputs, device)


def check(
    inputs: Arrays,
    device: Any,
    outputs: int = ALL,
    opset: int = 25,
    key: Any = reference,
    **attributes: Any,
) -> Arrays:
    tolerance = TOLERANCE[inputs[0].dtype.type]
    return agree(
        "Attention",
        *inputs,
        outputs=outputs,
        opset=opset,
        device=device,
        key=key,
        rtol=tolerance,
        atol=tolerance,
        **attributes,
    )


@pytest.mark.parametrize("opset", [23, 24, 25])
@pytest.mark.parametrize("outputs", [1, 3, 4])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_opsets_and_grouped_heads(opset: int, outputs: int, heads: int, device: Any) -> None:
    inputs = arrays(heads=heads)
    check(inputs, device, outputs, opset, key=onnxruntime)
    check(inputs, device, outputs, opset)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("mode", range(4))
@pytest.mark.parametrize("softcap", [0.0, 0.7])
def test_what_qk_matmul_output_shows(mode: int, softcap: float, dtype: Any, device: Any) -> None:
    mask = normal(3, 5, dtype=dtype)
    inputs = [*arrays(dtype=dtype), mask]
    options: dict[str, Any] = {"softcap": softcap, "is_causal": 1}
    check(inputs, device, 1, **options)
    if mode == 0 and softcap:  # the reference shows the capped scores, the specification does not
        have = run(inputs, ALL, device=device, **options)[3]
        same([have], [run(inputs, ALL, device=device)[3]], TOLERANCE[dtype])
    else:
        check(inputs, device, qk_matmul_output_mode=mode, **options)


@pytest.mark.parametrize("mode", [0, 1, 3])  # in 2, ONNX Runtime shows -65504 for -inf
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_onnxruntime_shows_the_same(mode: int, dtype: Any, device: Any) -> None:
    inputs = [*arrays(dtype=dtype), normal(3, 5, dtype=dtype)]
    options = {"softcap": 0.7, "qk_matmul_output_mode": mode, "is_causal": 1}
    check(inputs, device, opset=24, key=onnxruntime, **options)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("precision", CODES)
def test_precision_of_the_softmax(dtype: Any, precision: Any, device: Any) -> None:
    inputs = arrays(dtype=dtype)
    tolerance = max(TOLERANCE[dtype], TOLERANCE[precision])
    for outputs in (1, ALL):
        options = {"softmax_precision": CODES[precision], "qk_matmul_output_mode": 3}
        model = node_model("Attention", inputs, outputs, 24, **options)
        same(ours(model, inputs, device), reference(model, inputs), tolerance, tolerance)


@pytest.mark.parametrize("outputs", [1, ALL])
@pytest.mark.parametrize("causal", [0, 1])
def test_three_dimensions(outputs: int, causal: int, device: Any) -> None:
    inputs = [flat(x) for x in arrays()]
    inputs += [None, normal(2, 2, 4, 8), normal(2, 2, 4, 6)]
    options = {"q_num_heads": 4, "kv_num_heads": 2, "is_causal": causal}
    outputs = max(outputs, 3)
    check(inputs, device, outputs, 23, key=onnxruntime, **options)
    check(inputs, device, outputs, **options)


def test_dtypes_of_query_and_value_may_differ(device: Any) -> None:
    for q_type, v_type in [(np.float32, np.float16), (np.float16, np.float32)]:
        query, key, value = arrays()
        inputs = [query.astype(q_type), key.astype(q_type), value.astype(v_type)]
        y, _, present_value = check(inputs, device, 3)
        assert y.dtype == q_type and present_value.dtype == v_type


MASKS = [(5,), (1, 5), (3, 1), (3, 5), (4, 3, 5), (1, 3, 5), (4, 1, 5), (2, 4, 3, 5), (2, 1, 1, 5)]


@pytest.mark.parametrize("shape", MASKS)
@pytest.mark.parametrize("kind", ["bool", "float", "float16", "int64", "uint8"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_masks_broadcast(shape: tuple[int, ...], kind: str, dtype: Any, device: Any) -> None:
    whole = np.random.default_rng(0).integers(0, 3, shape)
    mask = whole > 0 if kind == "bool" else whole.astype(np.float32 if kind == "float" else kind)
    inputs = [*arrays(dtype=dtype), mask]
    opset = 23 if shape[-1] == 1 else 24  # from 24 on a mask of one key is a short one
    for outputs in (1, ALL):
        model = node_model("Attention", inputs, outputs, opset, qk_matmul_output_mode=3)
        expanded = [*inputs[:3], np.broadcast_to(mask, (*shape[:-1], 5)).copy()]
        want = reference(
            node_model("Attention", expanded, outputs, 24, qk_matmul_output_mode=3), expanded
        )
        same(ours(model, inputs, device), [w.astype(dtype) for w in want], 4e-3, 4e-3)


def test_a_mask_without_dimensions(device: Any) -> None:
    inputs = arrays()
    want = run(inputs, ALL, qk_matmul_output_mode=2)
    have = run([*inputs, np.array(0.5, np.float32)], ALL, device=device, qk_matmul_output_mode=2)
    same(have[:3], want[:3])
    np.testing.assert_allclose(have[3], want[3] + 0.5, rtol=1e-5)
    (closed,) = run([*inputs, np.array(False)], device=device)
    assert not closed.any()


@pytest.mark.parametrize("keys", [0, 1, 4])
@pytest.mark.parametrize("kind", [bool, np.float32])
@pytest.mark.parametrize("outputs", [1, ALL])
def test_short_masks_are_closed_behind_their_end(
    keys: int, kind: Any, outputs: int, device: Any
) -> None:
    mask = (normal(4, 3, keys) > -0.5).astype(kind)
    for causal in (0, 1):
        options = {"is_causal": causal, "qk_matmul_output_mode": 2}
        check([*arrays(), mask], device, outputs, 24, **options)


@pytest.mark.parametrize("kind", [bool, np.float32])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("outputs", [1, ALL])
def test_rows_without_a_key_are_zeros(kind: Any, dtype: Any, outputs: int, device: Any) -> None:
    mask = np.ones((4, 3, 5), bool)
    mask[1, 2] = mask[3, 0] = False
    if kind is not bool:
        mask = np.where(mask, 0, -np.inf).astype(dtype)
    y = check([*arrays(dtype=dtype), mask], device, outputs, qk_matmul_output_mode=3)[0]
    assert not y[:, 1, 2].any() and not y[:, 3, 0].any()
    assert y[:, 1, 1].all() and np.isfinite(y.astype(np.float32)).all()


def test_a_mask_of_the_lowest_float32_closes_in_half_precision(device: Any) -> None:
    mask = np.where(np.tri(3, 5, dtype=bool), 0, np.finfo(np.float32).min).astype(np.float32)
    inputs = arrays(dtype=np.float16)
    same(run([*inputs, mask], device=device), run(inputs, is_causal=1))


@pytest.mark.parametrize("filled", [[0, 0], [5, 5], [1, 4], [3, 0]])
@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("outputs", [1, ALL])
@pytest.mark.parametrize("key", [reference, onnxruntime])
def test_padded_keys(filled: list[int], causal: int, outputs: int, key: Any, device: Any) -> None:
    inputs = [*arrays(), None, None, None, np.array(filled)]
    check(inputs, device, outputs, 24, key=key, is_causal=causal, qk_matmul_output_mode=3)


def test_padded_keys_may_hold_anything(device: Any) -> None:
    query, key, value = arrays()
    want = run([query, key[:, :, :3], value[:, :, :3]])
    key[:, :, 3:] = value[:, :, 3:] = np.nan
    same(run([query, key, value, None, None, None, np.array([3, 3])], device=device), want)


@settings(max_examples=80, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_everything_together(data: st.DataObject, device: Any) -> None:
    draw, small = data.draw, st.integers(1, 4)
    batch, heads, group, length, places, size = (draw(small) for _ in range(6))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.float16]))
    sizes = {"batch": batch, "q_heads": heads * group, "heads": heads, "length": length}
    inputs = arrays(**sizes, places=places, size=size, v_size=draw(small), dtype=dtype)
    cache = draw(st.sampled_from(["none", "inside", "outside"]))
    past, extra = 0, []
    if cache == "inside":
        past = draw(st.integers(0, 3))
        extra = [
            normal(batch, heads, past, size, dtype=dtype),
            normal(batch, heads, past, inputs[2].shape[3], dtype=dtype),
        ]
    if cache == "outside":
        filled = st.lists(st.integers(0, places), min_size=batch, max_size=batch)
        extra = [None, None, np.array(draw(filled))]
    mask = None
    if draw(st.booleans()):
        full = (batch, heads * group, length, past + places)
        shape = [n if draw(st.booleans()) else 1 for n in full[:3]] + [full[3]]
        # The reference fails on masks of one dimension.
        mask = normal(*shape[draw(st.integers(0, 2)) :], dtype=dtype)
        mask = mask > -0.5 if draw(st.booleans()) else mask
    options = {
        "is_causal": draw(st.integers(0, 1)),
        "left_window_size": draw(st.integers(-1, 4)),
        "right_window_size": draw(st.integers(-1, 4)),
        "softcap": draw(st.sampled_from([0.0, 1.5])),
        "qk_matmul_output_mode": draw(st.sampled_from([1, 2, 3])),
    }
    if draw(st.booleans()):
        options["scale"] = draw(st.sampled_from([0.25, 1.0, 2.0]))
    if draw(st.booleans()):
        inputs = [flat(x) for x in inputs]
        options |= {"q_num_heads": heads * group, "kv_num_heads": heads}
    outputs = draw(st.sampled_from([1, 3, ALL]))
    check([*inputs, mask, *extra], device, outputs, **options)


@settings(max_examples=40, deadline=None, suppress_health_check=FIXTURE)
@given(
    left=st.integers(-1, 6),
    right=st.integers(-1, 6),
    causal=st.integers(0, 1),
    length=st.integers(1, 6),
    past=st.integers(0, 6),
)
def test_windows(left: int, right: int, causal: int, length: int, past: int, device: Any) -> None:
    assume(max(left, right) >= 0)
    inputs = arrays(length=length, places=length)
    cache = [normal(2, 2, past, 8), normal(2, 2, past, 6)]
    place, key = past + np.arange(length)[:, None], np.arange(past + length)
    seen = np.ones((length, past + length), bool)
    if left >= 0:
        seen &= key >= place - left
    if right >= 0:
        seen &= key <= place + right
    if causal:
        seen &= key <= place
    want = run([*inputs, seen, *cache], 1)
    options = {"left_window_size": left, "right_window_size": right, "is_causal": causal}
    for outputs in (1, ALL):
        have = run([*inputs, None, *cache], outputs, device=device, **options)
        same(have[:1], want)


@pytest.mark.parametrize("mask", [None, "bool", "float"])
@pytest.mark.parametrize("causal", [False, True])
def test_pytorch_agrees(mask: str | None, causal: bool, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    inputs = arrays(length=5)
    given = normal(5, 5) > 0 if mask == "bool" else normal(5, 5)
    given[:, 0] = True
    seen = np.tril(np.ones((5, 5), bool)) if causal else np.ones((5, 5), bool)
    bias = seen if mask is None else given & seen if mask == "bool" else given
    if mask == "float":
        bias = np.where(seen, given, -np.inf).astype(np.float32)
    tensors = [torch.from_numpy(x) for x in inputs]
    want = torch.nn.functional.scaled_dot_product_attention(
        *tensors, attn_mask=torch.from_numpy(bias), enable_gqa=True
    )
    all_inputs = inputs if mask is None else [*inputs, given]
    same(run(all_inputs, device=device, is_causal=int(causal)), [want.numpy()])


@pytest.mark.parametrize("sizes", [{"places": 0}, {"length": 0}, {"batch": 0}, {"v_size": 0}])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("outputs", [1, ALL])
def test_empty(sizes: dict[str, int], dtype: Any, outputs: int, device: Any) -> None:
    query, key, value = arrays(**sizes, dtype=dtype)
    shape = (*query.shape[:3], value.shape[3])
    masks = [None, np.zeros((query.shape[2], key.shape[2]), dtype)]
    for mask in masks:
        y = run([query, key, value, mask], outputs, device=device, is_causal=1)[0]
        assert y.shape == shape and y.dtype == dtype
        assert sizes.get("places", 1) or not y.any()


def test_heads_without_numbers_weigh_all_keys_the_same(device: Any) -> None:
    inputs = arrays(size=0)
    (y,) = run(inputs, device=device)
    want = inputs[2].mean(2, keepdims=True).repeat(2, 1).repeat(3, 2)
    np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-6)


def test_large_half_numbers_do_not_overflow(device: Any) -> None:
    query, key, value = arrays(size=64, dtype=np.float16)
    check([query * 60, key * 60, value], device, 1)
    check([query * 60, key * 60, value], device)


def test_keys_of_grouped_heads_are_not_repeated() -> None:
    query, key, value = arrays(1, 32, 1, 1, 4096, 64, 64)
    model = node_model("Attention", [query, key, value], 1, 24, is_causal=0)
    ours(model, [query, key, value])
    tracemalloc.start()
    ours(model, [query, key, value])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * key.nbytes  # repeated keys and values take 64 times those


QUERY, KEY, VALUE = arrays()
PAST = [normal(2, 2, 4, 8), normal(2, 2, 4, 6)]
FLAT = [flat(x) for x in (QUERY, KEY, VALUE)]
NONE = [None, None, None]
ERRORS = {
    "rank": ([QUERY[0, 0], KEY, VALUE], {}, "expected Q of shape"),
    "rank of key": ([QUERY, FLAT[1], VALUE], {}, "expected K of shape"),
    "rank of value": ([FLAT[0], FLAT[1], VALUE], {"q_num_heads": 4, "kv_num_heads": 2}, "V of"),
    "batch": ([QUERY, KEY[:1], VALUE[:1]], {}, "expected K of shape"),
    "head size": ([QUERY[..., :7], KEY, VALUE], {}, "expected K of shape"),
    "keys and values": ([QUERY, KEY, VALUE[:, :, :4]], {}, "expected V of shape"),
    "heads": ([QUERY[:, :3], KEY, VALUE], {}, "multiple of kv_num_heads"),
    "no heads": (FLAT, {"q_num_heads": 4}, "kv_num_heads to divide"),
    "indivisible": (FLAT, {"q_num_heads": 5, "kv_num_heads": 2}, "q_num_heads to divide"),
    "heads in 4 dimensions": ([QUERY, KEY, VALUE], {"q_num_heads": 4}, "3 dimensions"),
    "dtypes": ([QUERY, KEY.astype(np.float16), VALUE], {}, "expected K of dtype"),
    "integers": ([x.astype(np.int32) for x in (QUERY, KEY, VALUE)], {}, "expected Q of dtype"),
    "one past": ([QUERY, KEY, VALUE, None, PAST[0]], {}, "both past_key and past_value"),
    "past size": ([QUERY, KEY, VALUE, None, PAST[1], PAST[1]], {}, "expected past_key of shape"),
    "past length": (
        [QUERY, KEY, VALUE, None, PAST[0], PAST[1][:, :, :3]],
        {},
        "expected past_value of shape",
    ),
    "past dtype": (
        [QUERY, KEY, VALUE, None, PAST[0].astype(np.float64), PAST[1]],
        {},
        "expected past_key of dtype",
    ),
    "two caches": ([QUERY, KEY, VALUE, None, *PAST, np.array([1, 2])], {}, "got both"),
    "nonpad shape": ([QUERY, KEY, VALUE, *NONE, np.array([1])], {}, "nonpad_kv_seqlen of shape"),
    "nonpad dtype": (
        [QUERY, KEY, VALUE, *NONE, np.array([1, 2], np.int32)],
        {},
        "nonpad_kv_seqlen of dtype",
    ),
    "nonpad too large": ([QUERY, KEY, VALUE, *NONE, np.array([1, 6])], {}, "from 0 to 5"),
    "nonpad negative": ([QUERY, KEY, VALUE, *NONE, np.array([1, -1])], {}, "from 0 to 5"),
    "mask too long": ([QUERY, KEY, VALUE, normal(3, 6)], {}, "attn_mask to broadcast"),
    "mask of other heads": ([QUERY, KEY, VALUE, normal(3, 3, 5)], {}, "attn_mask to broadcast"),
    "mask of many dimensions": ([QUERY, KEY, VALUE, normal(1, 2, 4, 3, 5)], {}, "attn_mask to"),
    "mask shorter than the keys": (
        [QUERY, KEY, VALUE, normal(3, 2), None, None, np.array([1, 3])],
        {},
        "the last dimension from 3 on",
    ),
    "mode": ([QUERY, KEY, VALUE], {"qk_matmul_output_mode": 4}, "qk_matmul_output_mode"),
    "causal": ([QUERY, KEY, VALUE], {"is_causal": 2}, "is_causal from 0 to 1"),
    "precision": ([QUERY, KEY, VALUE], {"softmax_precision": 7}, "softmax_precision"),
    "scale": ([QUERY, KEY, VALUE], {"scale": -1.0}, "scale of 0 or more"),
    "window": ([QUERY, KEY, VALUE], {"left_window_size": -2}, "of -1 or more"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    inputs, attributes, message = ERRORS[name]
    with pytest.raises(OnnxError, match=message) as error:
        run(inputs, ALL, **attributes)
    assert "Attention" in str(error.value)


def test_what_came_with_later_opsets_is_refused_before() -> None:
    inputs = [QUERY, KEY, VALUE]
    with pytest.raises(OnnxError, match="7 inputs, expected 3 to 6"):
        run([*inputs, *NONE, np.array([1, 2])], opset=23)
    with pytest.raises(OnnxError, match="attn_mask to broadcast"):
        run([*inputs, normal(3, 4)], opset=23)
    with pytest.raises(OnnxError, match="unknown attribute 'left_window_size'"):
        run(inputs, opset=24, left_window_size=1)
    same(run(inputs, opset=24, q_num_heads=4, kv_num_heads=2), run(inputs))
    with pytest.raises(OnnxError, match="as in Q and K"):
        run(inputs, opset=24, q_num_heads=2, kv_num_heads=2)
