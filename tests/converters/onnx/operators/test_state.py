"""CausalConvWithState and TensorScatter against ONNX's reference, SciPy and their pseudo code."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

from tensorlite.errors import OnnxError

HALVES = {np.float16: 4e-3, ml_dtypes.bfloat16: 4e-2}
TOLERANCE = {np.float32: 1e-5, **HALVES}
Arrays = list[Any]


def conv_inputs(
    batch: int = 2,
    channels: int = 3,
    length: int = 6,
    k: int = 4,
    *,
    bias: bool = True,
    past: bool = True,
    dtype: Any = np.float32,
) -> Arrays:
    random = np.random.default_rng(0)

    def draw(*sizes: int) -> Any:
        return random.standard_normal(sizes).astype(dtype)

    return [
        draw(batch, channels, length),
        draw(channels, 1, k),
        draw(channels) if bias else None,
        draw(batch, channels, k - 1) if past else None,
    ]


def conv(inputs: Arrays, device: Any = "cpu", **attributes: Any) -> Arrays:
    return ours(node_model("CausalConvWithState", inputs, 2, 27, **attributes), inputs, device)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("activation", ["none", "silu", "swish"])
@pytest.mark.parametrize(("bias", "past"), [(True, True), (False, True), (True, False)])
def test_conv(dtype: Any, activation: str, bias: bool, past: bool, device: Any) -> None:
    inputs = conv_inputs(bias=bias, past=past, dtype=dtype)
    wide = [None if x is None else x.astype(np.float32) for x in inputs]
    model = node_model("CausalConvWithState", wide, 2, 27, activation=activation)
    want = [y.astype(dtype) for y in reference(model, wide)]
    tolerance = TOLERANCE[dtype]
    same(conv(inputs, device, activation=activation), want, tolerance, tolerance)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 4),
    length=st.integers(1, 7),
    k=st.integers(1, 5),
    bias=st.booleans(),
    past=st.booleans(),
    activation=st.sampled_from(["none", "silu"]),
)
def test_conv_of_any_sizes(
    batch: int, channels: int, length: int, k: int, bias: bool, past: bool, activation: str
) -> None:
    agree(
        "CausalConvWithState",
        *conv_inputs(batch, channels, length, k, bias=bias, past=past),
        outputs=2,
        opset=27,
        key=reference,
        activation=activation,
    )


def test_conv_is_scipys_correlation_of_the_past_and_the_present(device: Any) -> None:
    signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed")
    x, weight, bias, past = inputs = conv_inputs()
    line = np.concatenate([past, x], 2)
    want = np.stack(
        [
            [
                signal.correlate(line[b, c], weight[c, 0], "valid", "direct") + bias[c]
                for c in range(3)
            ]
            for b in range(2)
        ]
    )
    same(conv(inputs, device), [want, line[:, :, -3:]])


def test_conv_step_by_step_is_the_whole_sequence(device: Any) -> None:
    x, weight, bias, past = conv_inputs()
    whole, final = conv([x, weight, bias, past], device, activation="silu")
    parts = []
    for t in range(x.shape[2]):
        part, past = conv([x[:, :, t : t + 1], weight, bias, past], device, activation="silu")
        parts.append(part)
    same([np.concatenate(parts, 2), past], [whole, final])


@pytest.mark.parametrize("sizes", [(0, 3, 6), (2, 0, 6), (2, 3, 0)])
def test_conv_of_nothing(sizes: tuple[int, ...], device: Any) -> None:
    inputs = conv_inputs(*sizes)
    output, present = conv(inputs, device)
    want = np.concatenate([inputs[3], inputs[0]], 2)[:, :, sizes[2] :]
    same([output, present], [inputs[0], want])


@pytest.mark.parametrize(
    ("place", "sizes", "message"),
    [
        (0, (2, 3), "expected input of shape"),
        (0, (2, 3, 6, 1), "expected input of shape"),
        (1, (3, 4), r"expected weight of shape \(3, 1, k\)"),
        (1, (2, 1, 4), "expected weight of shape"),
        (1, (3, 3, 4), "expected weight of shape"),
        (1, (3, 1, 0), "kernel size of 1 or more"),
        (2, (2,), r"expected bias of shape \(3,\)"),
        (2, (3, 1), "expected bias of shape"),
        (3, (2, 3, 4), r"expected past_state of shape \(2, 3, 3\)"),
        (3, (1, 3, 3), "expected past_state of shape"),
    ],
)
def test_conv_of_wrong_shapes(place: int, sizes: tuple[int, ...], message: str) -> None:
    inputs = conv_inputs()
    inputs[place] = np.zeros(sizes, np.float32)
    with pytest.raises(OnnxError, match=message):
        conv(inputs)


def test_conv_of_wrong_dtypes_and_attributes() -> None:
    inputs = conv_inputs()
    for place, name in enumerate(["input", "weight", "bias", "past_state"]):
        wrong = [x.astype(np.float64) if i == place else x for i, x in enumerate(inputs)]
        with pytest.raises(OnnxError, match=f"expected {name} of dtype float32"):
            conv(wrong)
    with pytest.raises(OnnxError, match="expected activation to be one of none, silu, swish"):
        conv(inputs, activation="relu")
    with pytest.raises(OnnxError, match="expected a tensor as weight, got nothing"):
        conv([inputs[0], None, inputs[2]])


def scatter(inputs: Arrays, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model("TensorScatter", inputs, 1, 24, **attributes), inputs, device)[0]


def written(past: Any, update: Any, indices: Any, mode: str, axis: int) -> Any:
    """The pseudo code of the specification."""
    present = past.copy()
    axis %= past.ndim
    for prefix in np.ndindex(past.shape[:axis]):
        for place in range(update.shape[axis]):
            target = int(indices[prefix[0]]) + place
            target = target % past.shape[axis] if mode == "circular" else target
            present[(*prefix, target)] = update[(*prefix, place)]
    return present


DTYPES = [
    np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.bool_, np.int8, np.uint8, np.int16,
    np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.complex64, np.complex128, np.object_,
    ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.int4, ml_dtypes.uint4,
    ml_dtypes.float4_e2m1fn, ml_dtypes.float8_e8m0fnu,
]  # fmt: skip


def cache(shape: tuple[int, ...], dtype: Any, start: int = 0) -> Any:
    numbers = (np.arange(np.prod(shape)) + start) % 7 + 1
    return (numbers.astype(str) if dtype is np.object_ else numbers).astype(dtype).reshape(shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mode", ["linear", "circular"])
def test_scatter_of_every_dtype(dtype: Any, mode: str, device: Any) -> None:
    past, update = cache((3, 2, 4, 5), dtype), cache((3, 2, 2, 5), dtype, 5)
    indices = np.array([1, 0, 2] if mode == "linear" else [3, 4, 9])
    have = scatter([past, update, indices], device, mode=mode)
    want = written(past, update, indices, mode, -2)
    assert have.dtype == want.dtype and have.tolist() == want.tolist()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), mode=st.sampled_from(["linear", "circular"]))
def test_scatter_of_any_shape(data: st.DataObject, mode: str) -> None:
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=4))
    axis = data.draw(st.integers(1, len(sizes) - 1))
    room = data.draw(st.integers(1, 5))
    length = data.draw(st.integers(0, room))
    past_shape = (*sizes[:axis], room, *sizes[axis + 1 :])
    update_shape = (*sizes[:axis], length, *sizes[axis + 1 :])
    start = st.integers(0, room - length) if mode == "linear" else st.integers(0, 20)
    indices = np.array([data.draw(start) for _ in range(sizes[0])], np.int64)
    past = np.arange(np.prod(past_shape, dtype=int)).reshape(past_shape).astype(np.float32)
    update = -1 - np.arange(np.prod(update_shape, dtype=int)).reshape(update_shape)
    given_ = [past, update.astype(np.float32), indices]
    signed = data.draw(st.sampled_from([axis, axis - len(sizes)]))
    have = scatter(given_, mode=mode, axis=signed)
    same([have], [written(*given_, mode, axis)])


@pytest.mark.parametrize("shape", [(2, 4, 3), (2, 2, 4, 3)])
def test_scatter_without_indices_writes_to_the_beginning(
    shape: tuple[int, ...], device: Any
) -> None:
    past = cache(shape, np.float32)
    update = past[..., :3, :] + 10
    agree("TensorScatter", past, update, opset=24, device=device, key=reference)


def test_scatter_leaves_its_input_alone(device: Any) -> None:
    past = cache((1, 4, 2), np.float32)
    kept = past.copy()
    scatter([past, past[:, :1] + 9, np.array([2])], device)
    same([past], [kept])


@pytest.mark.parametrize(
    ("inputs", "attributes", "message"),
    [
        ([(2, 4, 3), (2, 2, 3), [3, 0]], {}, "expected write_indices from 0 to 2"),
        ([(2, 4, 3), (2, 2, 3), [-1, 0]], {}, "expected write_indices from 0 to 2"),
        ([(2, 4, 3), (2, 2, 3), [0]], {}, r"expected write_indices of shape \(2,\)"),
        ([(2, 4, 3), (2, 5, 3), [0, 0]], {}, "expected an update of at most 4"),
        ([(2, 4, 3), (2, 5, 3), [0, 0]], {"mode": "circular"}, "expected an update of at most 4"),
        ([(2, 4, 3), (2, 2, 4), [0, 0]], {}, "expected update of shape"),
        ([(2, 4, 3), (1, 2, 3), [0, 0]], {}, "expected update of shape"),
        ([(2, 4, 3), (2, 2), [0, 0]], {}, "expected update of shape"),
        ([(2, 4, 3), (2, 2, 3), [0, 0]], {"axis": 0}, "expected axis to name a dimension"),
        ([(2, 4, 3), (2, 2, 3), [0, 0]], {"axis": -3}, "expected axis to name a dimension"),
        ([(2, 4, 3), (2, 2, 3), [0, 0]], {"axis": 3}, "expected axis to name a dimension"),
        ([(2, 4), (2, 2), [0, 0]], {}, "expected axis to name a dimension"),
        ([(2, 4, 3), (2, 2, 3), [0, 0]], {"mode": "wrap"}, "one of linear, circular"),
    ],
)
def test_scatter_of_what_does_not_fit(
    inputs: Arrays, attributes: dict[str, Any], message: str
) -> None:
    past, update, indices = inputs
    arrays = [np.zeros(past, np.float32), np.zeros(update, np.float32), np.array(indices)]
    with pytest.raises(OnnxError, match=message):
        scatter(arrays, **attributes)


def test_scatter_of_wrong_dtypes() -> None:
    past, update = np.zeros((2, 4, 3), np.float32), np.zeros((2, 1, 3), np.float16)
    with pytest.raises(OnnxError, match="expected update of dtype float32"):
        scatter([past, update])
    with pytest.raises(OnnxError, match="expected write_indices of dtype int64"):
        scatter([past, past[:, :1], np.zeros(2, np.int32)])
