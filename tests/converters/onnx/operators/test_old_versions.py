"""Operators whose meaning changed from opset to opset, at each of them, against ONNX Runtime.

Of opsets below 7 ONNX Runtime runs only what it happens to have kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from single_node import agree, node_model

import tensorlite as tl
from tensorlite.errors import OnnxError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
Y = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
POSITIVE = np.abs(X) + np.float32(0.5)
CHANNELS = RNG.standard_normal(3).astype(np.float32)
SPREAD = np.abs(RNG.standard_normal(3)).astype(np.float32) + np.float32(0.5)
MATRIX = RNG.standard_normal((4, 6)).astype(np.float32)
OTHER = RNG.standard_normal((6, 3)).astype(np.float32)
INTEGERS = RNG.integers(-20, 20, (3, 4))


def f32(*values: float) -> Any:
    return np.array(values, np.float32)


def i64(*values: int) -> Any:
    return np.array(values, np.int64)


def scalar(value: float, dtype: Any = np.float32) -> Any:
    return np.array(value, dtype)


def case(
    op_type: str, opset: int, *inputs: Any, outputs: int = 1, **attributes: Any
) -> Iterator[Any]:
    """A node and its inputs as a parameter of a test."""
    yield op_type, opset, inputs, outputs, attributes


def versions(op_type: str, opsets: tuple[int, ...], *inputs: Any, **rest: Any) -> Iterator[Any]:
    """The same at several opsets."""
    for opset in opsets:
        yield from case(op_type, opset, *inputs, **rest)


def normalization() -> Iterator[Any]:
    statistics = CHANNELS, SPREAD
    given = X, CHANNELS, CHANNELS[::-1].copy(), *statistics
    yield from versions("BatchNormalization", (7, 8, 9, 13, 14, 15, 17), *given, epsilon=0.01)
    yield from case("BatchNormalization", 14, *given, outputs=3, training_mode=1, momentum=0.7)
    yield from versions("InstanceNormalization", (6, 22), X, CHANNELS, SPREAD)
    yield from versions("LRN", (1, 13), POSITIVE, size=3, alpha=0.1, bias=1.5)
    yield from versions("LpNormalization", (1, 22), X, axis=1, p=1)
    yield from versions("MeanVarianceNormalization", (9, 13), X, axes=[0, 2])
    yield from versions("Dropout", (7, 10), X, ratio=0.3)
    yield from versions("Dropout", (12, 13, 22), X, outputs=2)
    yield from versions("Dropout", (12, 13), X, scalar(0.4), np.array(False))


def softmax() -> Iterator[Any]:
    for name in ("Softmax", "LogSoftmax", "Hardmax"):
        yield from versions(name, (1, 7, 11, 12, 13, 17), X)
        yield from versions(name, (7, 12, 13), X, axis=2)
        yield from versions(name, (7, 12, 13), X, axis=1)
        yield from versions(name, (11, 13), X, axis=-1)
        yield from versions(name, (7, 13), X, axis=0)


def resampling() -> Iterator[Any]:
    image = X[:1, :2]
    yield from case("Upsample", 7, image, scales=[1.0, 1.0, 2.0, 3.0])
    yield from case("Upsample", 7, image, scales=[1.0, 1.0, 1.5, 2.0], mode="linear")
    up = f32(1, 1, 2, 3)
    for mode in ("nearest", "linear"):
        yield from case("Upsample", 9, image, up, mode=mode)
        yield from case("Resize", 10, image, up, mode=mode)
        yield from versions("Resize", (11, 13, 18, 19), image, f32(), up, mode=mode)
    for rule in ("half_pixel", "asymmetric", "pytorch_half_pixel"):
        yield from versions("Resize", (11, 18), image, f32(), up, mode="cubic",
                            coordinate_transformation_mode=rule)  # fmt: skip
    rule = "tf_half_pixel_for_nn"
    yield from case("Resize", 11, image, f32(), up, coordinate_transformation_mode=rule)
    crop = f32(0, 0, 0.1, 0.2, 1, 1, 0.9, 1.2)
    yield from versions("Resize", (11, 13, 18), image, crop, f32(1, 1, 0.75, 0.8), mode="linear",
                        coordinate_transformation_mode="tf_crop_and_resize",
                        extrapolation_value=7.0)  # fmt: skip
    yield from versions("Resize", (18, 19), image, None, f32(0.5, 1.5), axes=[2, 3], mode="linear",
                        antialias=1)  # fmt: skip
    yield from case("Resize", 19, image, None, f32(0.7, 1.3), axes=[2, 3], mode="linear",
                    coordinate_transformation_mode="half_pixel_symmetric")  # fmt: skip


def shapes() -> Iterator[Any]:
    pads = [0, 0, 1, 2, 0, 0, 0, 1]
    for mode in ("constant", "reflect", "edge"):
        yield from case("Pad", 2, X, pads=pads, mode=mode, value=1.5)
        yield from versions("Pad", (11, 13, 18, 19, 21), X, i64(*pads), scalar(1.5), mode=mode)
    yield from case("Pad", 2, X, pads=[0, 0, -1, 1, 0, 0, 0, -2])
    yield from versions("Pad", (11, 13, 18), X, i64(0, 0, -1, 1, 0, 0, 0, -2))
    yield from versions("Pad", (18, 21), X, i64(1, 2, 0, 1), scalar(3.0), i64(-1, 1))
    yield from versions("Pad", (19, 21), X, i64(*pads), mode="wrap")
    yield from case("Slice", 1, X, starts=[1, -3], ends=[9, -1], axes=[1, 3])
    yield from case("Slice", 1, X, starts=[0, 1], ends=[1, 2])
    yield from versions("Slice", (10, 11, 13), X, i64(1, -3), i64(9, -1), i64(1, 3))
    yield from versions("Slice", (10, 11, 13), X, i64(3, -1), i64(0, -99), i64(2, 3), i64(-1, -2))
    yield from versions("Slice", (11, 13), X, i64(-2), i64(2**40), i64(-1))
    for opset in (1, 11):
        yield from case("Squeeze", opset, X[:1, :, :1], axes=[0, 2])
        yield from case("Squeeze", opset, X[:1, :, :1])
        yield from case("Unsqueeze", opset, X, axes=[0, 3])
    yield from case("Squeeze", 11, X[:1, :, :1], axes=[-2])
    yield from case("Unsqueeze", 11, X, axes=[-1, 0])
    yield from versions("Squeeze", (13, 21, 23), X[:1, :, :1], i64(0, -2))
    yield from versions("Squeeze", (13, 21), X[:1, :, :1])
    yield from versions("Unsqueeze", (13, 21, 23), X, i64(-1, 0))
    yield from case("Reshape", 1, X, shape=[0, -1, 5])
    yield from versions("Reshape", (5, 13, 14, 19), X, i64(0, -1, 5))
    yield from versions("Reshape", (14, 21), X[:0], i64(0, 3, 20), allowzero=1)
    yield from versions("Flatten", (1, 9, 11, 13), X, axis=2)
    yield from versions("Flatten", (11, 13), X, axis=-1)
    yield from versions("Concat", (4, 11, 13), X, Y, axis=2)
    yield from versions("Split", (2, 11), X, axis=3, split=[2, 3], outputs=2)
    yield from versions("Split", (2, 11, 13), X, axis=2, outputs=2)
    yield from versions("Split", (13, 18), X, i64(1, 4), axis=-1, outputs=2)
    yield from case("Split", 18, X, axis=3, num_outputs=2, outputs=2)
    yield from versions("Tile", (6, 13), X, i64(1, 2, 1, 3))
    yield from versions("Expand", (8, 13), X[:1], i64(2, 1, 4, 5))
    yield from versions("Transpose", (1, 13, 21), X, perm=[2, 0, 3, 1])
    yield from versions("Transpose", (1, 13), X)
    yield from versions("DepthToSpace", (1, 11, 13), np.tile(X, (1, 4, 1, 1)), blocksize=2)
    yield from versions("DepthToSpace", (11, 13), np.tile(X, (1, 4, 1, 1)), blocksize=2, mode="CRD")
    yield from versions("SpaceToDepth", (1, 13), X[..., :4], blocksize=2)
    yield from versions("ConstantOfShape", (9, 20), i64(2, 3))
    yield from versions("Shape", (1, 13, 15, 19), X)
    yield from versions("Shape", (15, 19), X, start=-3, end=3)
    yield from versions("Size", (1, 13), X)
    yield from versions("EyeLike", (9, 22), MATRIX, k=1)


def elementwise() -> Iterator[Any]:
    for name in ("Add", "Sub", "Mul", "Div"):
        yield from versions(name, (7, 13, 14), X, POSITIVE[:, :1, :, :1])
        yield from versions(name, (7, 13), INTEGERS, np.abs(INTEGERS) + 1)
    yield from versions("Pow", (7, 12, 13, 15), POSITIVE, Y)
    yield from versions("Pow", (12, 13, 15), INTEGERS, np.array([2.0], np.float32))
    for name in ("And", "Or", "Xor"):
        yield from case(name, 7, X > 0, Y[:, :1] > 0)
    for name in ("Greater", "Less"):
        yield from versions(name, (7, 9, 13), X, Y[:, :1])
    yield from versions("Equal", (7, 11, 13, 19), INTEGERS, INTEGERS[:1])
    for name in ("Max", "Min", "Sum", "Mean"):
        yield from case(name, 6, X, Y, POSITIVE)
        yield from versions(name, (8, 13), X, Y[:, :1], POSITIVE[0])
        yield from versions(name, (6, 8), X)
    for name in ("Max", "Min"):
        yield from versions(name, (12, 13), INTEGERS, INTEGERS[::-1].copy())
    yield from versions("PRelu", (7, 9, 16), X, CHANNELS[:, None, None])
    yield from versions("PRelu", (7, 9, 16), X, f32(0.2, 0.3, 0.4, 0.5, 0.6))
    yield from case("Clip", 6, X, min=-0.5)
    yield from case("Clip", 6, X)
    yield from versions("Clip", (11, 12, 13), X, scalar(-0.5), scalar(0.4))
    yield from versions("Clip", (11, 12, 13), X, None, scalar(0.4))
    yield from versions("Clip", (11, 12, 13), X, scalar(0.1))
    yield from versions("Clip", (12, 13), INTEGERS, scalar(-3, np.int64), scalar(4, np.int64))
    yield from versions("Clip", (12, 13), X, scalar(0.5), scalar(-0.5))
    for name, attributes in {
        "Elu": {"alpha": 0.5}, "Selu": {"alpha": 1.2, "gamma": 0.9}, "LeakyRelu": {"alpha": 0.2},
        "HardSigmoid": {"alpha": 0.3, "beta": 0.4}, "Softplus": {}, "Softsign": {}, "Relu": {},
        "Sigmoid": {}, "Tanh": {}, "Exp": {}, "Neg": {}, "Abs": {}, "Floor": {}, "Ceil": {},
    }.items():  # fmt: skip
        yield from versions(name, (6, 13), X, **attributes)
    yield from versions("Reciprocal", (6, 13), POSITIVE)
    yield from versions("Sqrt", (6, 13), POSITIVE)
    yield from versions("Log", (6, 13), POSITIVE)
    for divisor in (5, -5):
        yield from versions("Mod", (10, 13), INTEGERS, np.full_like(INTEGERS, divisor))
        yield from versions("Mod", (10, 13), INTEGERS, np.full_like(INTEGERS, divisor), fmod=1)
        yield from versions("Mod", (10, 13), X, f32(divisor / 3), fmod=1)
    yield from versions("IsInf", (10, 20), f32(np.inf, -np.inf, 1, np.nan), detect_negative=0)
    yield from versions("Where", (9, 16), X > 0, X, Y[:, :1])
    yield from versions("CumSum", (11, 14), X, scalar(1, np.int32), exclusive=1, reverse=1)
    yield from versions("Gelu", (20,), X, approximate="tanh")


def products() -> Iterator[Any]:
    yield from versions("Gemm", (7, 9, 11, 13), MATRIX, OTHER, CHANNELS, alpha=0.5, beta=2.0)
    yield from versions("Gemm", (7, 9, 11), MATRIX.T.copy(), OTHER.T.copy(), scalar(2.0), transA=1,
                        transB=1)  # fmt: skip
    yield from versions("Gemm", (7, 11), MATRIX, OTHER, MATRIX[:, :1].copy())
    yield from versions("Gemm", (11, 13), MATRIX, OTHER)
    yield from versions("MatMul", (1, 9, 13), X, Y.transpose(0, 1, 3, 2).copy())
    weights = RNG.standard_normal((4, 3, 3, 2)).astype(np.float32)
    yield from versions("Conv", (1, 11, 22), X, weights, strides=[2, 1], pads=[1, 0, 0, 1])
    yield from versions("Conv", (1, 11), X, weights, auto_pad="SAME_UPPER", strides=[2, 2])
    yield from versions("Conv", (1, 11), X, weights, auto_pad="SAME_LOWER")
    back = weights.transpose(1, 0, 2, 3).copy()
    yield from versions("ConvTranspose", (1, 11, 22), X, back, strides=[2, 3],
                        output_padding=[1, 2])  # fmt: skip
    yield from versions("ConvTranspose", (1, 11), X, back, strides=[2, 2], output_shape=[9, 11])
    yield from versions("ConvTranspose", (1, 11), X, back, strides=[2, 2], auto_pad="SAME_UPPER")
    yield from versions("ConvTranspose", (1, 11), X, back, strides=[2, 2], auto_pad="SAME_LOWER")
    yield from versions("Einsum", (12,), MATRIX, OTHER, equation="ij,jk->ki")


def pools() -> Iterator[Any]:
    large = np.tile(X, (1, 1, 3, 3))
    how = {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 1, 1]}
    yield from versions("MaxPool", (1, 8, 10, 11, 12, 22), large, **how)
    yield from versions("MaxPool", (8, 10, 12), large, outputs=2, **how)
    yield from versions("MaxPool", (8, 12), large, outputs=2, storage_order=1, **how)
    yield from versions("MaxPool", (10, 11, 12), large, ceil_mode=1, **how)
    yield from versions("MaxPool", (10, 12), large, dilations=[2, 3], **how)
    yield from versions("MaxPool", (1, 8, 11), large, kernel_shape=[3, 3], strides=[2, 2],
                        auto_pad="SAME_UPPER")  # fmt: skip
    yield from versions("MaxPool", (1, 8, 11), large, kernel_shape=[2, 2], auto_pad="SAME_LOWER")
    yield from versions("AveragePool", (7, 10, 11, 19, 22), large, **how)
    yield from versions("AveragePool", (7, 10, 11, 19), large, count_include_pad=1, **how)
    for include in (0, 1):
        yield from versions("AveragePool", (10, 11, 19), large, ceil_mode=1,
                            count_include_pad=include, **how)  # fmt: skip
    yield from versions("AveragePool", (19, 22), large, dilations=[2, 2], **how)
    yield from versions("AveragePool", (7, 11), large, kernel_shape=[3, 3], strides=[2, 2],
                        auto_pad="SAME_UPPER")  # fmt: skip
    yield from versions("LpPool", (2, 11), large, p=3, **how)
    yield from versions("LpPool", (18, 22), large, p=1, ceil_mode=1, **how)
    yield from case("GlobalLpPool", 2, large, p=3)
    for name in ("GlobalAveragePool", "GlobalMaxPool"):
        yield from versions(name, (1, 22), large)
    yield from versions("MaxUnpool", (9, 11), f32(1, 2, 3, 4).reshape(1, 1, 2, 2),
                        i64(5, 7, 13, 15).reshape(1, 1, 2, 2), kernel_shape=[2, 2],
                        strides=[2, 2])  # fmt: skip


def choices() -> Iterator[Any]:
    yield from case("TopK", 1, X, k=2, axis=2, outputs=2)
    yield from case("TopK", 1, X, k=3, outputs=2)
    yield from versions("TopK", (10, 11, 24), X, i64(2), axis=2, outputs=2)
    yield from versions("TopK", (11, 24), X, i64(3), axis=-2, largest=0, outputs=2)
    yield from versions("TopK", (11, 24), INTEGERS, i64(2), outputs=2)
    for name in ("ArgMax", "ArgMin"):
        yield from versions(name, (1, 11, 12, 13), X, axis=2, keepdims=0)
        yield from versions(name, (11, 13), X, axis=-1)
        yield from versions(name, (12, 13), np.round(X), axis=3, select_last_index=1)
    yield from versions("Gather", (1, 11, 13), X, i64(2, 0), axis=1)
    yield from versions("Gather", (11, 13), X, i64(-1, 0), axis=-1)
    yield from versions("GatherElements", (11, 13), X, (X > 0).astype(np.int64), axis=1)
    yield from versions("GatherND", (11, 12, 13), X, np.array([[0, 1], [1, -1]]))
    yield from versions("GatherND", (12, 13), X, np.array([[1], [-1]]), batch_dims=1)
    yield from versions("Scatter", (9,), X, np.zeros((1, 3, 4, 5), np.int64), Y[:1])
    yield from versions("ScatterElements", (11, 13, 16, 18), X, np.zeros((1, 3, 4, 5), np.int64),
                        Y[:1])  # fmt: skip
    for reduction in ("add", "mul"):
        yield from versions("ScatterElements", (16, 18), X, np.zeros((1, 3, 4, 5), np.int64), Y[:1],
                            reduction=reduction)  # fmt: skip
        yield from versions("ScatterND", (16, 18), X, np.array([[0], [0]]), Y, reduction=reduction)
    for reduction in ("min", "max"):
        yield from versions("ScatterElements", (18,), X, np.zeros((1, 3, 4, 5), np.int64), Y[:1],
                            reduction=reduction)  # fmt: skip
    yield from versions("ScatterND", (11, 13, 16), X, np.array([[1], [0]]), Y)
    yield from case("OneHot", 9, i64(1, 0, 7), i64(4), f32(2, 5))
    yield from case("OneHot", 11, i64(1, -1, 7), i64(4), f32(2, 5))
    yield from versions("OneHot", (11,), i64(1, 3), i64(4), f32(2, 5), axis=-2)
    yield from versions("NonZero", (9, 13), (X > 0).astype(np.float32))
    yield from versions("Compress", (9, 11), X, np.array([True, False, True]), axis=1)
    yield from versions("Unique", (11,), np.round(X[0, 0]), outputs=4)
    boxes = f32(0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11).reshape(1, 4, 4)
    scores = f32(0.9, 0.75, 0.6, 0.95).reshape(1, 1, 4)
    given = boxes, scores, i64(3), f32(0.5), f32(0.1)
    yield from versions("NonMaxSuppression", (10, 11), *given)
    yield from versions("NonMaxSuppression", (10, 11), *given, center_point_box=1)
    yield from versions("NonMaxSuppression", (10, 11), boxes, scores, i64(3))
    yield from versions("NonMaxSuppression", (10, 11), boxes, scores)
    yield from case("ReverseSequence", 10, X, i64(1, 2, 1), batch_axis=1, time_axis=0)
    yield from case("ReverseSequence", 10, X, i64(1, 2), batch_axis=0, time_axis=1)


def reductions() -> Iterator[Any]:
    names = ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp")
    for name in (f"Reduce{name}" for name in names):
        old = (1, 11) if name == "ReduceSum" else (1, 11, 13)
        yield from versions(name, old, POSITIVE, axes=[1, 3], keepdims=0)
        yield from versions(name, old, POSITIVE)
        yield from case(name, 11, POSITIVE, axes=[-1])
        new = (13, 18) if name == "ReduceSum" else (18, 20)
        yield from versions(name, new, POSITIVE, i64(1, -1), keepdims=0)
        yield from versions(name, new, POSITIVE)
        yield from versions(name, new, POSITIVE, i64(), noop_with_empty_axes=1)
        yield from versions(name, new, POSITIVE, i64())
    yield from versions("ReduceMax", (12, 13), INTEGERS.astype(np.int8), axes=[1])
    yield from versions("ReduceMin", (12, 13), INTEGERS.astype(np.uint8), axes=[0])
    yield from versions("ReduceMax", (20,), X > 0, i64(1))


def casts() -> Iterator[Any]:
    wide = f32(-300.7, -1.5, -0.2, 0.0, 0.5, 1.5, 2.5, 255.9, 3e9)
    for opset in (6, 9, 13, 19):
        for to in (1, 6, 7, 9, 10, 11):
            values = wide if to not in (6, 7) else wide[:-1]
            yield from case("Cast", opset, values, to=to)
    yield from versions("Cast", (6, 9, 13), i64(-1, 0, 1, 2**40), to=1)
    yield from versions("Cast", (6, 13), np.array([True, False]), to=7)
    yield from versions("Cast", (9, 13, 19), np.array(["1.5", "-2", "1e3"], object), to=1)
    yield from versions("Cast", (9, 13), i64(3, -4), to=8)
    scale, zero = scalar(0.1), scalar(3, np.uint8)
    yield from versions("QuantizeLinear", (10, 13, 19, 21), X, scale, zero)
    yield from versions("QuantizeLinear", (10, 13, 21), X, scale)
    channels = SPREAD / 20
    zeros = np.array([0, 5, -7], np.int8)
    yield from versions("QuantizeLinear", (13, 19, 21), X, channels, zeros)
    yield from versions("QuantizeLinear", (13, 19, 21), X.transpose(0, 2, 3, 1).copy(), channels,
                        zeros, axis=-1)  # fmt: skip
    codes = RNG.integers(-128, 128, (2, 3, 4)).astype(np.int8)
    yield from versions("DequantizeLinear", (10, 13, 19, 21), codes, scale, scalar(-4, np.int8))
    yield from versions("DequantizeLinear", (13, 19, 21), codes, channels, zeros)
    yield from versions("DequantizeLinear", (10, 13), codes.astype(np.int32) * 1000, scale)
    yield from versions("DynamicQuantizeLinear", (11,), X, outputs=3)


def recurrences() -> Iterator[Any]:
    steps, batch, width, hidden = 5, 3, 4, 2
    x = RNG.standard_normal((steps, batch, width)).astype(np.float32)
    lengths = np.array([5, 3, 1], np.int32)
    for name, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
        count = 3 if name == "LSTM" else 2
        for direction, ways in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
            w = RNG.standard_normal((ways, gates * hidden, width)).astype(np.float32)
            r = RNG.standard_normal((ways, gates * hidden, hidden)).astype(np.float32)
            b = RNG.standard_normal((ways, 2 * gates * hidden)).astype(np.float32)
            h = RNG.standard_normal((ways, batch, hidden)).astype(np.float32)
            how: dict[str, Any] = {
                "hidden_size": hidden, "direction": direction, "outputs": count,
            }  # fmt: skip
            more = (h,) if name == "LSTM" else ()
            yield from versions(name, (7, 14, 22), x, w, r, **how)
            yield from versions(name, (7, 14, 22), x, w, r, b, lengths, h, *more, **how)
            yield from versions(name, (7, 14), x, w, r, b, clip=0.4, **how)
        if name == "GRU":
            yield from versions(name, (7, 14), x, w, r, b, linear_before_reset=1, **how)


FAMILIES = (
    normalization, softmax, resampling, shapes, elementwise, products, pools, choices, reductions,
    casts, recurrences,
)  # fmt: skip


def named(family: Any) -> list[Any]:
    """The family's cases as parameters with names that tell them apart."""
    seen: dict[str, int] = {}
    found = []
    for op_type, opset, *rest in family():
        name = f"{op_type}-{opset}"
        number = seen[name] = seen.get(name, 0) + 1
        found.append(pytest.param(op_type, opset, *rest, id=f"{name}-{number}"))
    return found


@pytest.mark.parametrize(
    ("op_type", "opset", "inputs", "outputs", "attributes"),
    [parameter for family in FAMILIES for parameter in named(family)],
)
def test_version(
    op_type: str, opset: int, inputs: Any, outputs: int, attributes: Any, device: tl.device
) -> None:
    agree(op_type, *inputs, outputs=outputs, opset=opset, device=device, rtol=1e-4, atol=1e-5,
          **attributes)  # fmt: skip


def test_clip_takes_limits_of_shape_one(device: tl.device) -> None:
    """Scalars by the specification; skl2onnx writes tensors of one element, as others do."""
    x = np.array([-3.0, 0.5, 4.0], np.float32)
    agree("Clip", x, f32(-1), f32(2), opset=13, device=device)
    with pytest.raises(OnnxError, match=r"expected min as a scalar, got shape \(2,\)"):
        tl.onnx.load(node_model("Clip", [x, f32(-1, 0)], opset=13), device=device)(x, f32(-1, 0))
