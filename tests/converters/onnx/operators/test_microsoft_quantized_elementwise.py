"""8-bit arithmetic and pooling of com.microsoft, as ONNX Runtime does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from constant_node import agree_constant
from microsoft_node import agree, model, run, theirs
from onnx import helper
from single_node import onnxruntime, ours

import tensorlite as tl
from tensorlite.errors import OnnxError

BYTES = [np.uint8, np.int8]
# Scales of a, b and the result: some give many halves, some none.
SCALES = [(0.125, 0.25, 0.5), (0.5, 0.25, 1), (1, 1, 2), (0.02, 0.03, 0.05), (0.091, 0.013, 0.4)]
EXACT = {"rtol": 0, "atol": 0}


def whole(dtype: Any) -> Any:
    """Every number of a dtype."""
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1).astype(dtype)


def pairs(dtype: Any) -> tuple[Any, Any]:
    """Every pair of numbers of a dtype."""
    return np.repeat(whole(dtype), 256), np.tile(whole(dtype), 256)


def integers(dtype: Any, *shape: int, seed: int = 0) -> Any:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape).astype(dtype)


def f32(*numbers: float) -> list[Any]:
    return [np.array(n, np.float32) for n in numbers]


@pytest.mark.parametrize("zeros", [(0, 0, 0), (3, 100, 31)])
@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
def test_every_pair(
    op_type: str, dtype: Any, scales: Any, zeros: tuple[int, ...], device: tl.device
) -> None:
    a, b = pairs(dtype)
    (sa, sb, sc), (za, zb, zc) = f32(*scales), [np.array(z, dtype) for z in zeros]
    agree(op_type, a, sa, za, b, sb, zb, sc, zc, device=device)


@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
def test_shapes_are_broadcast_and_zero_points_may_be_absent(op_type: str) -> None:
    a, b = integers(np.uint8, 2, 1, 3), integers(np.uint8, 4, 1, seed=1)
    sa, sb, sc = f32(0.1, 0.2, 0.9)
    zero = np.array(0, np.uint8)
    (want,) = agree(op_type, a, sa, zero, b, sb, zero, sc, zero)
    np.testing.assert_array_equal(run(op_type, a, sa, None, b, sb, None, sc)[0], want)
    agree(op_type, a, sa, zero, b[:0], sb, zero, sc, zero)


def test_mul_integer(device: tl.device) -> None:
    """ONNX Runtime has no kernel for it."""
    a, b = pairs(np.int8)
    zeros = [np.array(-7, np.int8), np.array(100, np.int8)]
    (have,) = run("MulInteger", a, zeros[0], b, zeros[1], device=device)
    np.testing.assert_array_equal(have, (a.astype(np.int32) + 7) * (b.astype(np.int32) - 100))
    (have,) = run("MulInteger", a, None, b, device=device)
    np.testing.assert_array_equal(have, a.astype(np.int32) * b)


@pytest.mark.parametrize("zeros", [(0, 0), (3, 31)])
@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize("op_type", ["QLinearSigmoid", "QLinearLeakyRelu"])
def test_every_number(
    op_type: str, dtype: Any, scales: Any, zeros: tuple[int, ...], device: tl.device
) -> None:
    (sx, sy, _), (zx, zy) = f32(*scales), [np.array(z, dtype) for z in zeros]
    attributes = {"alpha": 0.25} if op_type == "QLinearLeakyRelu" else {}
    agree(op_type, whole(dtype), sx, zx, sy, zy, device=device, **attributes)
    (bare,) = run(op_type, whole(dtype), sx, None, sy, device=device)  # there it aborts
    agree(op_type, whole(dtype), sx, None, sy, zero := np.array(0, dtype), device=device)
    np.testing.assert_array_equal(bare, run(op_type, whole(dtype), sx, zero, sy, zero)[0])


def softmax_model(inputs: list[Any], of_opset: int, **attributes: Any) -> Any:
    made = model("QLinearSoftmax", inputs, **attributes)
    made.graph.node[0].attribute.append(helper.make_attribute("opset", of_opset))
    return made


@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2])
@pytest.mark.parametrize("of_opset", [11, 12, 13, 17])
@pytest.mark.parametrize("dtype", BYTES)
def test_softmax(dtype: Any, of_opset: int, axis: int | None, device: tl.device) -> None:
    """With the usual scale of 1/256; others ONNX Runtime rounds down to one over an integer, and
    what is above 127 it lets overflow into int8.
    """
    attributes = {} if axis is None else {"axis": axis}
    zero = np.array(np.iinfo(dtype).min, dtype)
    for scale in (0.02, 0.3):
        sx, sy = f32(scale, 1 / 256)
        inputs = [integers(dtype, 3, 4, 20), sx, np.array(5, dtype), sy, zero]
        made = softmax_model(inputs, of_opset, **attributes)
        np.testing.assert_array_equal(ours(made, inputs, device)[0], onnxruntime(made, inputs)[0])


def test_softmax_saturates() -> None:
    sx, sy = f32(1, 1 / 256)
    inputs = [np.array([[127, -128]], np.int8), sx, np.array(0, np.int8), sy, np.array(0, np.int8)]
    (have,) = ours(softmax_model(inputs, 13), inputs)
    assert have.tolist() == [[127, 0]]


def test_softmax_needs_the_opset_it_is_of() -> None:
    sx, sy = f32(1, 1 / 256)
    inputs = [np.array([[1, 2]], np.uint8), sx, np.uint8(0), sy, np.uint8(0)]
    with pytest.raises(OnnxError, match="expected the attributes axis and opset"):
        run("QLinearSoftmax", *inputs)


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("dtype", BYTES)
def test_where_and_concat(dtype: Any, scales: Any, device: tl.device) -> None:
    a, b = integers(dtype, 3, 1, 50), integers(dtype, 4, 50, seed=1)
    chosen = np.random.default_rng(2).integers(0, 2, (3, 4, 1)).astype(bool)
    sa, sb, sc = f32(*scales)
    za, zb, zc = (np.array(z, dtype) for z in (3, 100, 31))
    agree("QLinearWhere", chosen, a, sa, za, b, sb, zb, sc, zc, device=device)
    parts = [a, sa, za, integers(dtype, 3, 6, 50), sb, zb, a, sc, zc]
    agree("QLinearConcat", sc, zc, *parts, axis=1, device=device)
    agree("QLinearConcat", sc, zc, *parts, axis=-2, device=device)


def off_by_one_at_most(have: Any, want: Any, share: float) -> None:
    """Equal but for few that are the neighbour: there the sums of floats are almost halves."""
    assert have.shape == want.shape
    assert have.dtype == want.dtype
    off = np.abs(have.astype(int) - want)
    assert off.max(initial=0) <= 1
    assert (off > 0).mean() <= share


WINDOWS: list[dict[str, Any]] = [
    {"kernel": 3},
    {"kernel": 3, "stride": 2, "pad": 1},
    {"kernel": 2, "pad": 1, "count_include_pad": 1},
    {"kernel": 3, "stride": 2, "ceil_mode": 1},
    {"kernel": 3, "stride": 2, "auto_pad": "SAME_UPPER"},
    {"kernel": 3, "stride": 2, "auto_pad": "SAME_LOWER", "count_include_pad": 1},
    {"kernel": 4, "stride": 3, "pad": 1, "ceil_mode": 1, "count_include_pad": 1},
]
IMAGES = [(2, 3, 17), (2, 3, 8, 9), (1, 2, 5, 6, 7)]


def windows(n: int, kernel: int, stride: int = 1, pad: int = 0, **rest: Any) -> dict[str, Any]:
    attributes = {"kernel_shape": [kernel] * n, "strides": [stride] * n, **rest}
    return attributes | ({"pads": [pad] * 2 * n} if pad else {})


def last(x: Any) -> Any:
    """Channels last."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("dtype", BYTES)
def test_average_pool(dtype: Any, shape: Any, window: Any, device: tl.device) -> None:
    x, attributes = integers(dtype, *shape), windows(len(shape) - 2, **window)
    zx, zy = np.array(5, dtype), np.array(7, dtype)
    for scales in ((0.125, 0.5), (0.037, 0.021)):
        sx, sy = f32(*scales)
        share = 0 if scales[0] == 0.125 and window["kernel"] != 3 else 0.02
        for image, order in ((x, {}), (last(x), {"channels_last": 1})):
            inputs, options = [image, sx, zx, sy, zy], {**attributes, **order}
            (have,) = run("QLinearAveragePool", *inputs, device=device, **options)
            (want,) = theirs("QLinearAveragePool", *inputs, **options)
            off_by_one_at_most(have, want, share)


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("shape", [*IMAGES, (2, 5, 1, 1), (2, 9, 2, 2), (1, 1, 40, 50)])
@pytest.mark.parametrize("dtype", BYTES)
def test_global_average_pool(dtype: Any, shape: Any, scales: Any, device: tl.device) -> None:
    x, (sx, sy, _) = integers(dtype, *shape), f32(*scales)
    for zx, zy in ((0, 0), (5, 7)):
        rest = [sx, np.array(zx, dtype), sy, np.array(zy, dtype)]
        agree("QLinearGlobalAveragePool", x, *rest, device=device)
        agree("QLinearGlobalAveragePool", last(x), *rest, channels_last=1, device=device)


@pytest.mark.parametrize("window", [w for w in WINDOWS if "count_include_pad" not in w])
@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("dtype", BYTES)
def test_nhwc_max_pool(dtype: Any, shape: Any, window: Any, device: tl.device) -> None:
    attributes = windows(len(shape) - 2, **window)
    agree("NhwcMaxPool", last(integers(dtype, *shape)), device=device, **attributes)


@pytest.mark.parametrize("dtype", BYTES)
@pytest.mark.parametrize(("axes", "keepdims"), [([1], 1), ([0, -1], 0), ([2], 0)])
def test_reductions(axes: list[int], keepdims: int, dtype: Any, device: tl.device) -> None:
    """ONNX Runtime has no kernels for them."""
    x = integers(dtype, 3, 4, 50)
    options: dict[str, Any] = {"axes": axes, "keepdims": keepdims, "device": device}
    (total,) = run("ReduceSumInteger", x, **options)
    want = x.sum(tuple(axes), np.int64, keepdims=bool(keepdims))
    assert total.dtype == (np.int32 if dtype is np.int8 else np.uint32)
    np.testing.assert_array_equal(total, want)
    sx, sy = f32(0.125, 0.5)
    (mean,) = run("QLinearReduceMean", x, sx, np.array(3, dtype), sy, np.array(9, dtype), **options)
    real = 0.125 * (x.astype(float) - 3).mean(tuple(axes), keepdims=bool(keepdims))
    limits = np.iinfo(dtype)
    want = np.clip(np.rint(real / 0.5) + 9, limits.min, limits.max).astype(dtype)
    off_by_one_at_most(mean, want, 0.02)


IMAGE_CONVOLUTIONS: list[tuple[Any, Any, dict[str, Any]]] = [
    ((1, 64, 7, 6), (8, 64, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 6, 8, 8), (6, 1, 3, 3), {"group": 6, "strides": [2, 2]}),
    ((2, 3, 9), (4, 3, 3), {}),
]


@pytest.mark.parametrize(("image", "kernel", "attributes"), IMAGE_CONVOLUTIONS)
@pytest.mark.parametrize(("first", "second"), [(np.uint8, np.int8), (np.int8, np.int8)])
def test_q_linear_conv(
    first: Any, second: Any, image: Any, kernel: Any, attributes: Any, device: tl.device
) -> None:
    x, w, outputs = integers(first, *image), integers(second, *kernel), kernel[0]
    sx, sy = f32(0.03, kernel[1] ** 0.5)
    bias = np.random.default_rng(0).integers(-1000, 1000, outputs).astype(np.int32)
    sw = np.random.default_rng(1).uniform(0.001, 0.1, outputs).astype(np.float32)
    rest = [sx, np.array(7, first), w, sw, np.zeros(outputs, second), sy, np.array(9, first), bias]
    agree("QLinearConv", last(x), *rest, channels_last=1, device=device, **attributes)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_quantize_linear(dtype: Any, axis: int | None, device: tl.device) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32) * 30
    size = () if axis is None else (x.shape[axis],)
    attributes = {} if axis is None else {"axis": axis}
    scale = np.random.default_rng(1).uniform(0.01, 0.3, size).astype(np.float32)
    zero = integers(dtype, *size)
    (y,) = agree("QuantizeLinear", x, scale, zero, device=device, **attributes)
    agree("DequantizeLinear", y, scale, zero, device=device, rtol=0, atol=0, **attributes)
    half = scale.astype(np.float16)
    agree("QuantizeLinear", x.astype(np.float16), half, zero, device=device, **attributes)
    agree("DequantizeLinear", y, half, zero, device=device, rtol=0, atol=0, **attributes)


def test_quantize_linear_of_4_bits() -> None:
    import ml_dtypes

    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32) * 3
    for dtype in (ml_dtypes.int4, ml_dtypes.uint4):
        zero = np.array(1, dtype)
        (y,) = agree_constant("QuantizeLinear", x, np.float32(0.3), zero, result=1)
        agree_constant("DequantizeLinear", y.astype(dtype), np.float32(0.3), zero)


@pytest.mark.parametrize(
    ("op_type", "inputs", "message"),
    [
        ("QLinearAdd", [np.uint8([1]), *f32(1), None, np.int8([1]), *f32(1), None, *f32(1)],
         "two operands of one dtype, got uint8, int8"),
        ("QLinearSigmoid", [np.uint8([1]), np.ones(2, np.float32), None, *f32(1)],
         r"scale: expected one number, got shape \(2,\)"),
        ("QLinearSigmoid", [np.uint8([1]), *f32(1), None, *f32(1), np.int8(0)],
         "zero point: expected uint8 as the input, got int8"),
        ("QLinearConcat", [*f32(1), np.uint8(0), np.uint8([1]), *f32(1)], "expected triples"),
        ("QuantizeLinear", [np.ones(3, np.float32), np.ones(3, np.float32)],
         "expected one number, as no axis is named"),
        ("NhwcMaxPool", [np.zeros((2, 3), np.uint8)], r"expected \(N, spatial\.\.\., C\)"),
    ],
)  # fmt: skip
def test_refuses(op_type: str, inputs: list[Any], message: str) -> None:
    arrays = [None if x is None else np.asarray(x) for x in inputs]
    attributes: dict[str, Any] = {
        "QLinearConcat": {"axis": 0},
        "NhwcMaxPool": {"kernel_shape": [1]},
    }
    with pytest.raises(OnnxError, match=message):
        run(op_type, *arrays, **attributes.get(op_type, {}))
