"""RotaryEmbedding against ONNX's reference, ONNX Runtime and complex numbers."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, onnxruntime, ours, reference

from tensorlite.errors import OnnxError

TOLERANCE = {np.float32: 1e-6, np.float64: 1e-12, np.float16: 2e-3, ml_dtypes.bfloat16: 2e-2}
Arrays = list[Any]


def arrays(
    batch: int = 2,
    heads: int = 3,
    length: int = 4,
    size: int = 8,
    pairs: int = 4,
    positions: int | None = None,
    dtype: Any = np.float32,
) -> Arrays:
    """The input in four dimensions, both caches, and positions if there are that many."""
    random = np.random.default_rng(0)
    x = random.standard_normal((batch, heads, length, size)).astype(dtype)
    lead = (batch, length) if positions is None else (positions,)
    angles = random.uniform(0, 6, (*lead, pairs))
    ids = [] if positions is None else [random.integers(0, positions, (batch, length))]
    return [x, np.cos(angles).astype(dtype), np.sin(angles).astype(dtype), *ids]


def flat(x: Any) -> Any:
    """(B, heads, length, size) as (B, length, heads * size)."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def run(inputs: Arrays, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model("RotaryEmbedding", inputs, 1, 23, **attributes), inputs, device)[0]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_all_layouts(data: st.DataObject, device: Any) -> None:
    draw, small = data.draw, st.integers(1, 4)
    dtype = draw(st.sampled_from([np.float32, np.float16, ml_dtypes.bfloat16]))
    size = 2 * draw(small)
    partial = draw(st.integers(0, size // 2))  # in pairs; 0: all
    inputs = arrays(
        draw(small),
        heads := draw(small),
        draw(small),
        size,
        partial or size // 2,
        draw(st.none() | st.integers(1, 6)),
        dtype,
    )
    options = {"rotary_embedding_dim": 2 * partial, "interleaved": draw(st.integers(0, 1))}
    if draw(st.booleans()):
        inputs[0] = flat(inputs[0])
        options["num_heads"] = heads
    tolerance = TOLERANCE[dtype]
    call = {"opset": 23, "rtol": tolerance, "atol": tolerance, **options}
    agree("RotaryEmbedding", *inputs, device=device, key=reference, **call)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [None, 7])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_onnxruntime_agrees(interleaved: int, positions: Any, dtype: Any, device: Any) -> None:
    inputs = arrays(positions=positions, dtype=dtype)
    tolerance = TOLERANCE[dtype]
    call = {"opset": 23, "rtol": tolerance, "atol": tolerance, "key": onnxruntime}
    agree("RotaryEmbedding", *inputs, device=device, interleaved=interleaved, **call)
    flattened = [flat(inputs[0]), *inputs[1:]]
    call |= {"num_heads": 3, "interleaved": interleaved}
    agree("RotaryEmbedding", *flattened, device=device, **call)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_neighbours_turn_as_complex_numbers_do(dtype: Any, device: Any) -> None:
    x, cos, sin = arrays(dtype=dtype)
    y = run([x, cos, sin], device, interleaved=1)
    assert y.dtype == dtype
    turned = x.astype(np.float64).view(complex) * (cos + 1j * sin.astype(complex))[:, None]
    tolerance = TOLERANCE[dtype]
    want = turned.view(np.float64)
    np.testing.assert_allclose(y.astype(np.float64), want, rtol=tolerance, atol=tolerance)


def test_what_is_not_turned_stays(device: Any) -> None:
    inputs = arrays(pairs=1)
    y = run(inputs, device, rotary_embedding_dim=2)
    np.testing.assert_array_equal(y[..., 2:], inputs[0][..., 2:])
    assert (y[..., :2] != inputs[0][..., :2]).all()


@pytest.mark.parametrize("sizes", [{"batch": 0}, {"length": 0}, {"heads": 0}])
def test_empty(sizes: dict[str, int], device: Any) -> None:
    inputs = arrays(**sizes)
    assert run(inputs, device).shape == inputs[0].shape
    inputs = arrays(**sizes, positions=5)
    assert run(inputs, device, interleaved=1).shape == inputs[0].shape


X, COS, SIN, IDS = arrays(positions=5)
PLAIN = arrays()
ERRORS = {
    "rank": ([X[0, 0], COS, SIN, IDS], {}, "expected X of shape"),
    "odd head size": ([X[..., :7], COS, SIN, IDS], {}, "an even head_size"),
    "heads not given": ([flat(X), COS, SIN, IDS], {}, "expected num_heads"),
    "odd heads": ([flat(X), COS, SIN, IDS], {"num_heads": 8}, "even multiple"),
    "other heads": ([X, COS, SIN, IDS], {"num_heads": 2}, "num_heads as in X"),
    "odd rotation": ([X, COS, SIN, IDS], {"rotary_embedding_dim": 3}, "even rotary_embedding"),
    "wide rotation": ([X, COS, SIN, IDS], {"rotary_embedding_dim": 10}, "of at most 8"),
    "negative rotation": ([X, COS, SIN, IDS], {"rotary_embedding_dim": -2}, "even rotary"),
    "interleaved": ([X, COS, SIN, IDS], {"interleaved": 2}, "interleaved to be 0 or 1"),
    "pairs": ([X, COS, SIN, IDS], {"rotary_embedding_dim": 4}, "expected cos_cache of shape"),
    "sines": ([X, COS, SIN[:, :2], IDS], {}, "expected sin_cache of shape"),
    "caches without positions": ([X, COS, SIN], {}, "expected cos_cache of shape"),
    "caches with positions": ([*PLAIN, IDS], {}, "expected cos_cache of shape"),
    "shape of positions": ([X, COS, SIN, IDS[:1]], {}, "expected position_ids of shape"),
    "dtype of positions": ([X, COS, SIN, IDS.astype(np.int32)], {}, "position_ids of dtype"),
    "dtypes": ([X, COS.astype(np.float16), SIN, IDS], {}, "expected cos_cache of dtype"),
    "integers": ([X.astype(np.int32), COS, SIN, IDS], {}, "expected X of dtype"),
    "positions too large": ([X, COS, SIN, IDS + 5], {}, "indices from"),
    "negative positions": ([X, COS, SIN, IDS - 5], {}, "indices from"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    inputs, attributes, message = ERRORS[name]
    with pytest.raises(OnnxError, match=message) as error:
        run(inputs, **attributes)
    assert "RotaryEmbedding" in str(error.value)
