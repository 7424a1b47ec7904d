"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from constant_node import agree_constant, constant_model
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, element_type, onnxruntime, ours, reference

import tensorlite as tl
from tensorlite.errors import OnnxError

BYTES = [np.uint8, np.int8]
INTEGERS = [
    *BYTES, np.uint16, np.int16,
    ml_dtypes.uint4, ml_dtypes.int4, ml_dtypes.uint2, ml_dtypes.int2,
]  # fmt: skip
FLOATS_8 = [
    ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz,
]  # fmt: skip
KNOWN_TO_BOTH = [f for f in FLOATS_8 if f is not ml_dtypes.float8_e5m2]  # and ONNX Runtime
FLOAT_4 = ml_dtypes.float4_e2m1fn
WIDE = [np.float32, np.float16, ml_dtypes.bfloat16]
# name -> (shape of the scale of (4, 6, 5), attributes)
GRAINS: dict[str, tuple[tuple[int, ...], dict[str, int]]] = {
    "tensor": ((), {}),
    "first axis": ((4,), {"axis": 0}),
    "last axis": ((5,), {"axis": -1}),
    "blocks": ((4, 3, 5), {"axis": 1, "block_size": 2}),
    "uneven blocks": ((4, 2, 5), {"axis": -2, "block_size": 4}),
}
SHAPE = (4, 6, 5)


def named(value: Any) -> str:
    return value if isinstance(value, str) else np.dtype(value).name


def quantizer(dtype: Any, target: Any, grain: str, seed: int = 0) -> list[Any]:
    """Numbers to quantise, their scales and zero points."""
    random, size = np.random.default_rng(seed), GRAINS[grain][0]
    x = (random.standard_normal(SHAPE) * 3).astype(dtype)
    zero = random.integers(0, 2, size) if target in INTEGERS else np.zeros(size)
    return [x, random.uniform(0.05, 0.9, size).astype(dtype), zero.astype(target)]


def shown(dtype: Any) -> int:
    """The ``result`` of :func:`constant_model`: whether the output must be cast to be seen."""
    return int(np.dtype(dtype).isbuiltin != 1)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("target", [*INTEGERS, *FLOATS_8, FLOAT_4], ids=named)
@pytest.mark.parametrize("dtype", WIDE, ids=named)
def test_quantize_as_the_reference(dtype: Any, target: Any, grain: str, device: tl.device) -> None:
    x, scale, zero = quantizer(dtype, target, grain)
    options: dict[str, Any] = {"key": reference, "domain": "", "result": shown(target)}
    options |= {"opset": 25, "device": device, **GRAINS[grain][1]}
    agree_constant("QuantizeLinear", x, scale, zero, **options)
    code = element_type(zero)
    agree_constant("QuantizeLinear", x, scale, None, output_dtype=code, **options)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("target", [*INTEGERS[:6], *KNOWN_TO_BOTH], ids=named)
def test_quantize_as_onnxruntime(target: Any, grain: str) -> None:
    x, scale, zero = quantizer(np.float32, target, grain, seed=3)
    agree_constant(
        "QuantizeLinear", x, scale, zero, domain="", opset=21, standard=21, result=shown(target),
        **GRAINS[grain][1],
    )  # fmt: skip


@pytest.mark.parametrize("opset", [10, 13, 19, 21, 23, 24, 25])
@pytest.mark.parametrize("target", BYTES, ids=named)
def test_every_opset(target: Any, opset: int, device: tl.device) -> None:
    x, scale, zero = quantizer(np.float32, target, "tensor")
    whole = agree("QuantizeLinear", x, scale, zero, opset=opset, device=device)[0]
    agree("DequantizeLinear", whole, scale, zero, opset=opset, device=device, rtol=0, atol=0)
    agree("QuantizeLinear", x, scale, opset=opset, device=device)


@pytest.mark.parametrize("target", BYTES, ids=named)
def test_halves_saturation_and_what_is_no_number(target: Any) -> None:
    """Halves go to even before the zero point is added; nan is the smallest, as there."""
    halves = np.arange(-300, 300, dtype=np.float32) + np.float32(0.5)
    special = np.array([np.inf, -np.inf, np.nan, 1e38, -1e38, 0.0, -0.0, 1e-40], np.float32)
    x = np.concatenate([halves, special])
    for zero in (0, 1, 7, 127):
        agree("QuantizeLinear", x, np.array(1, np.float32), np.array(zero, target), opset=21)
        agree("QuantizeLinear", x, np.array(0.5, np.float32), np.array(zero, target), opset=21)


@pytest.mark.parametrize("target", [np.uint16, np.int16], ids=named)
def test_16_bits_to_the_ends(target: Any) -> None:
    x = np.linspace(-70000, 70000, 4001).astype(np.float32)
    zero = np.array(np.iinfo(target).max - 3, target)
    agree("QuantizeLinear", x, np.array(1.0, np.float32), zero, opset=21)
    agree("QuantizeLinear", x, np.array(0.7, np.float32), zero, opset=21)


@given(
    seed=st.integers(0, 1000),
    scale=st.floats(2.0**-100, 2.0**100, width=32),
    zero=st.integers(0, 255),
    spread=st.sampled_from([1e-3, 1.0, 50.0, 1000.0]),
)
@settings(deadline=None, max_examples=40)
def test_any_scale(seed: int, scale: float, zero: int, spread: float) -> None:
    x = np.random.default_rng(seed).standard_normal(50) * spread * scale
    x = np.clip(x, -1e38, 1e38).astype(np.float32)
    agree("QuantizeLinear", x, np.array(scale, np.float32), np.array(zero, np.uint8), opset=21)


@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("target", FLOATS_8, ids=named)
def test_float8_saturates_or_not(target: Any, saturate: int) -> None:
    x = np.array([1e6, -1e6, 470, -470, 1, np.inf, -np.inf, np.nan, 240, 60000], np.float32)
    scale, zero = np.array(1, np.float32), np.array(0, target)
    options: dict[str, Any] = {"domain": "", "opset": 19, "standard": 21, "result": 1}
    key = reference if target is ml_dtypes.float8_e5m2 else onnxruntime
    agree_constant("QuantizeLinear", x, scale, zero, saturate=saturate, key=key, **options)


@pytest.mark.parametrize("opset", [10, 13, 23])
def test_quantize_int32(opset: int) -> None:
    x = np.arange(-40, 40, dtype=np.int32)
    scale, zero = np.array(3, np.float32), np.array(4, np.uint8)
    have = ours(*model_of("QuantizeLinear", x, scale, zero, opset=opset))[0]
    np.testing.assert_array_equal(have, np.clip(np.rint(x / 3) + 4, 0, 255).astype(np.uint8))


def model_of(op_type: str, *inputs: Any, opset: int = 25, **options: Any) -> Any:
    arrays = [None if x is None else np.asarray(x) for x in inputs]
    return constant_model(op_type, arrays, domain="", opset=opset, standard=opset, **options)


def test_the_scale_decides_the_precision() -> None:
    """float16 divides in float16 (ONNX Runtime in float32), unless another precision is asked."""
    x = np.random.default_rng(0).uniform(0, 9, 4000).astype(np.float16)
    scale, zero = np.array(0.1777, np.float16), np.array(0, np.uint8)
    narrow, wide = np.rint(x / scale), np.rint(x.astype(np.float32) / scale.astype(np.float32))
    assert (narrow != wide).any()
    options: dict[str, Any] = {"key": reference, "domain": "", "opset": 23}
    (y,) = agree_constant("QuantizeLinear", x, scale, zero, **options)
    np.testing.assert_array_equal(y, narrow.astype(np.uint8))
    (y,) = agree_constant("QuantizeLinear", x, scale, zero, precision=1, **options)
    np.testing.assert_array_equal(y, wide.astype(np.uint8))


def test_scales_that_are_integers_or_powers_of_two() -> None:
    x = np.linspace(-9, 9, 37).astype(np.float32)
    integer = ours(*model_of("QuantizeLinear", x, np.array(2, np.int32), np.array(0, np.int8)))[0]
    np.testing.assert_array_equal(integer, np.rint(x / 2).astype(np.int8))
    power = np.array(0.5, ml_dtypes.float8_e8m0fnu)
    have = ours(*model_of("QuantizeLinear", x, power, np.array(0, np.int8)))[0]
    np.testing.assert_array_equal(have, np.rint(x / 0.5).astype(np.int8))


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("source", [*INTEGERS, *FLOATS_8, FLOAT_4], ids=named)
@pytest.mark.parametrize("dtype", WIDE, ids=named)
def test_dequantize_as_the_reference(
    dtype: Any, source: Any, grain: str, device: tl.device
) -> None:
    _, scale, zero = quantizer(dtype, source, grain)
    random = np.random.default_rng(1)
    x = random.integers(0, 100 if np.dtype(source).isbuiltin == 1 else 2, SHAPE).astype(source)
    options: dict[str, Any] = {"key": reference, "domain": "", "opset": 25, "device": device}
    close = 0 if dtype is np.float32 else 1e-2
    options |= {"rtol": close, "atol": 0, **GRAINS[grain][1]}
    agree_constant("DequantizeLinear", x, scale, zero, result=shown(dtype), **options)
    agree_constant("DequantizeLinear", x, scale, None, output_dtype=1, **options)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("source", [*INTEGERS[:6], ml_dtypes.float8_e4m3fn], ids=named)
def test_dequantize_as_onnxruntime(source: Any, grain: str) -> None:
    for dtype in (np.float32, np.float16):
        _, scale, zero = quantizer(dtype, source, grain, seed=5)
        x = np.random.default_rng(1).integers(0, 8, SHAPE).astype(source)
        agree_constant(
            "DequantizeLinear", x, scale, zero, domain="", opset=21, standard=21, rtol=0, atol=0,
            **GRAINS[grain][1],
        )  # fmt: skip


@pytest.mark.parametrize("opset", [10, 13, 19, 21])
def test_dequantize_int32(opset: int, device: tl.device) -> None:
    """Beyond 2**24 it is rounded once; there is no zero point, but one of 0 may be written."""
    x = np.array([0, 1, -1, 2**24 + 1, -(2**31), 2**31 - 1], np.int32)
    scale = np.array(0.3, np.float32)
    options: dict[str, Any] = {"opset": opset, "rtol": 0, "atol": 0, "device": device}
    agree("DequantizeLinear", x, scale, **options)
    agree("DequantizeLinear", x, scale, np.array(0, np.int32), **options)


def test_vectors_have_one_axis_whatever_the_attribute_says() -> None:
    x, scale = np.array([10, 20, 30], np.uint8), np.array([1, 2, 3], np.float32)
    have = ours(*model_of("DequantizeLinear", x, scale, None))[0]
    assert have.tolist() == [10, 40, 90]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3)])
def test_shapes_of_no_and_few_elements(shape: tuple[int, ...]) -> None:
    x, scale = np.ones(shape, np.float32), np.array(0.1, np.float32)
    (y,) = agree("QuantizeLinear", x, scale, np.array(3, np.uint8))
    agree("DequantizeLinear", y, scale, np.array(3, np.uint8))
    agree("QuantizeLinear", x, scale.reshape(1), np.array([3], np.uint8))


@pytest.mark.parametrize(
    "values",
    [[1, 2, 3], [-1, -2], [0, 0], [-1.5, 0, 4.5], [1e-42, 0], [3e38, -3e38], [0.5], [-0.0]],
)
def test_dynamic_quantize(values: list[float], device: tl.device) -> None:
    x = np.array(values, np.float32)
    agree("DynamicQuantizeLinear", x, outputs=3, opset=11, device=device, rtol=0, atol=0)


@given(seed=st.integers(0, 10000), shift=st.floats(-3, 3), count=st.integers(1, 70))
@settings(deadline=None, max_examples=40)
def test_dynamic_quantize_any_numbers(seed: int, shift: float, count: int) -> None:
    x = (np.random.default_rng(seed).standard_normal(count) + shift).astype(np.float32)
    agree("DynamicQuantizeLinear", x, outputs=3, opset=11, rtol=0, atol=0)


def test_dynamic_quantize_of_nothing() -> None:
    y, scale, zero = ours(
        *model_of("DynamicQuantizeLinear", np.zeros((2, 0), np.float32), outputs=3)
    )
    assert (y.shape, scale, zero) == ((2, 0), 1, 0)


F1 = np.float32
X = np.zeros(SHAPE, F1)


@pytest.mark.parametrize(
    ("inputs", "attributes", "message"),
    [
        ([X, np.ones(3, F1)], {"axis": 1}, r"scale: expected shape \(6,\), for axis 1 of"),
        ([X, np.ones((4, 6, 5), F1)], {}, r"scale: expected shape \(6,\)"),
        ([X, np.ones(6, F1)], {"axis": 3}, "axis 3: expected -3 to 2"),
        ([X, np.ones((4, 3, 5), F1)], {"block_size": 4}, r"scale: expected shape \(4, 2, 5\)"),
        ([X, np.ones((4, 3, 5), F1)], {"block_size": -2}, "block_size -2: expected a positive"),
        ([X, np.ones(6, F1), np.zeros((), np.uint8)], {}, r"expected the scale's shape \(6,\)"),
        (
            [X, F1(1), np.uint8(0)],
            {"output_dtype": 3},
            "output_dtype int8: the zero point is uint8",
        ),
    ],
)
def test_quantize_refuses(inputs: list[Any], attributes: dict[str, int], message: str) -> None:
    with pytest.raises(OnnxError, match=message):
        ours(*model_of("QuantizeLinear", *inputs, **attributes))


def test_dequantize_refuses() -> None:
    x = np.zeros(SHAPE, np.uint8)
    with pytest.raises(OnnxError, match="expected x_zero_point of dtype uint8, as x has, got int8"):
        ours(*model_of("DequantizeLinear", x, F1(1), np.int8(0)))
    with pytest.raises(OnnxError, match=r"scale: expected shape \(6,\)"):
        ours(*model_of("DequantizeLinear", x, np.ones(4, F1)))
