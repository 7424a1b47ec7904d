"""MatMulInteger, QLinearMatMul, ConvInteger and QLinearConv: exact to the last integer."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from constant_node import constant_model
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

import tensorlite as tl
from tensorlite.converters.onnx.operators.quantized_products import integer_product
from tensorlite.errors import OnnxError

BYTES = [np.uint8, np.int8]
PAIRS = [(a, b) for a in BYTES for b in BYTES]
MATRICES = [
    ((3, 5), (5, 7)),
    ((2, 3, 300), (300, 7)),
    ((2, 3, 40), (2, 40, 7)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((5,), (5, 7)),
    ((3, 5), (5,)),
    ((4, 1000), (1000, 3)),
    ((0, 5), (5, 7)),
]
F32 = np.float32


def integers(dtype: Any, *shape: int, seed: int = 0) -> Any:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed + sum(shape))
    return random.integers(limits.min, limits.max + 1, shape).astype(dtype)


def scales(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed + 1).uniform(0.001, 0.1, shape).astype(F32)


def exact(a: Any, a_zero: Any, b: Any, b_zero: Any) -> Any:
    return (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero)


@pytest.mark.parametrize(("left", "right"), MATRICES)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_mat_mul_integer(first: Any, second: Any, left: Any, right: Any, device: tl.device) -> None:
    a, b = integers(first, *left), integers(second, *right)
    zeros = np.array(3, first), np.array(7, second)
    options: dict[str, Any] = {"opset": 10, "device": device}
    agree("MatMulInteger", a, b, **options)
    agree("MatMulInteger", a, b, zeros[0], **options)
    agree("MatMulInteger", a, b, *zeros, **options)
    if len(right) == 2:
        agree("MatMulInteger", a, b, zeros[0], integers(second, right[-1]), **options)


@pytest.mark.parametrize("shape", [(4,), (2, 4, 1)])
def test_a_zero_point_of_each_row(shape: tuple[int, ...]) -> None:
    """ONNX Runtime takes no such zero points."""
    a, b = integers(np.uint8, 2, 4, 300), integers(np.int8, 2, 300, 3)
    zero = integers(np.uint8, *shape)
    (have,) = ours(node_model("MatMulInteger", [a, b, zero], opset=10), [a, b, zero])
    column = zero if len(shape) > 1 else zero[:, None]
    np.testing.assert_array_equal(have, exact(a, column.astype(np.int64), b, 0))


def test_a_zero_point_of_each_column_of_each_matrix() -> None:
    a, b = integers(np.uint8, 2, 4, 30), integers(np.int8, 2, 30, 3)
    zero = integers(np.int8, 2, 1, 3)
    inputs = [a, b, np.array(3, np.uint8), zero]
    same(ours(node_model("MatMulInteger", inputs, opset=10), inputs), [exact(a, 3, b, zero)
         .astype(np.int32)])  # fmt: skip


@pytest.mark.parametrize("count", [1, 257, 258, 259, 1000, 40000])
def test_long_sums_of_the_largest_products(count: int, device: tl.device) -> None:
    """Exact up to int32 and, beyond it, the low 32 bits."""
    a, b = np.full((2, count), 255, np.uint8), np.full((count, 2), 255, np.uint8)
    a[1, ::2] = 0
    inputs = [a, b, np.array(0, np.uint8), np.array(0, np.uint8)]
    (have,) = ours(node_model("MatMulInteger", inputs, opset=10), inputs, device)
    np.testing.assert_array_equal(have, exact(a, 0, b, 0).astype(np.int32))


def test_products_of_16_bits(device: tl.device) -> None:
    a, b = integers(np.uint16, 3, 500), integers(np.int16, 500, 4)
    wide = [tl.tensor(x.astype(np.float64), device=device) for x in (a, b)]
    have = integer_product(*wide, bits=16).numpy(force=True)
    np.testing.assert_array_equal(have, exact(a, 0, b, 0).astype(np.int32))


@given(
    rows=st.integers(0, 5), inner=st.integers(1, 600), columns=st.integers(0, 5),
    zeros=st.tuples(st.integers(0, 255), st.integers(-128, 127)), seed=st.integers(0, 99),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_any_size(rows: int, inner: int, columns: int, zeros: tuple[int, int], seed: int) -> None:
    a, b = integers(np.uint8, rows, inner, seed=seed), integers(np.int8, inner, columns, seed=seed)
    inputs = [a, b, np.array(zeros[0], np.uint8), np.array(zeros[1], np.int8)]
    (have,) = ours(node_model("MatMulInteger", inputs, opset=10), inputs)
    np.testing.assert_array_equal(have, exact(a, zeros[0], b, zeros[1]))


@pytest.mark.parametrize("opset", [10, 21])
@pytest.mark.parametrize(("left", "right"), MATRICES)
@pytest.mark.parametrize(("first", "second"), [p for p in PAIRS if p != (np.int8, np.uint8)])
def test_q_linear_mat_mul(
    first: Any, second: Any, left: Any, right: Any, opset: int, device: tl.device
) -> None:
    a, b = integers(first, *left), integers(second, *right)
    y_scale = np.array(0.7 * max(left[-1], 1) ** 0.5, F32)
    rest = [y_scale, np.array(5, first)]
    options: dict[str, Any] = {"opset": opset, "device": device}
    a_parts = [a, scales(), np.array(9, first)]
    agree("QLinearMatMul", *a_parts, b, scales(), np.array(3, second), *rest, **options)
    if len(right) == 2:
        columns = [scales(right[-1]), integers(second, right[-1])]
        agree("QLinearMatMul", *a_parts, b, *columns, *rest, **options)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_scales_of_few_bits(dtype: Any) -> None:
    """Their product is taken in float32."""
    a, b = integers(np.uint8, 3, 40), integers(np.uint8, 40, 4)
    parts = [np.array(v, dtype) for v in (0.0312, 0.0171, 4.3)]
    zero = np.array(128, np.uint8)
    inputs = [a, parts[0], zero, b, parts[1], zero, parts[2], zero]
    model, free = constant_model("QLinearMatMul", inputs, domain="", opset=21, standard=21)
    first, second, third = (p.astype(F32) for p in parts)
    real = exact(a, 128, b, 128).astype(F32) * (first * second / third)
    same(ours(model, free), [np.clip(np.rint(real) + 128, 0, 255).astype(np.uint8)])


def test_scales_of_rows_and_columns() -> None:
    """Per row of ``a`` and per column of ``b``, flat or with the batch; the reference has them."""
    a, b = integers(np.uint8, 2, 3, 40), integers(np.int8, 2, 40, 4)
    last = [np.array(2.5, F32), np.array(100, np.uint8)]
    inputs = [
        a, scales(2, 3, 1), integers(np.uint8, 2, 3, 1), b, scales(2, 1, 4),
        integers(np.int8, 2, 1, 4), *last,
    ]  # fmt: skip
    model = node_model("QLinearMatMul", inputs, opset=21)
    same(ours(model, inputs), reference(model, inputs))
    flat = [a, scales(3), integers(np.uint8, 3), b, scales(4), integers(np.int8, 4), *last]
    shaped = [x.reshape(3, 1) if x.shape == (3,) else x for x in flat]
    same(
        ours(node_model("QLinearMatMul", flat, opset=21), flat),
        reference(node_model("QLinearMatMul", shaped, opset=21), shaped),
    )


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2])
def test_float8_matrices(dtype: Any) -> None:
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(s).astype(dtype) for s in ((3, 8), (8, 4)))
    zero, parts = np.array(0, dtype), [np.array(v, F32) for v in (0.5, 0.25, 0.125)]
    inputs = [a, parts[0], zero, b, parts[1], zero, parts[2], zero]
    model, free = constant_model(
        "QLinearMatMul", inputs, domain="", opset=21, standard=21, result=1
    )
    want = (a.astype(F32) @ b.astype(F32)).astype(dtype).astype(F32)
    np.testing.assert_allclose(ours(model, free)[0], want, rtol=1e-6)


CONVOLUTIONS: list[tuple[Any, Any, dict[str, Any]]] = [
    ((2, 3, 9), (4, 3, 3), {}),
    ((1, 64, 7, 6), (8, 64, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 6, 8, 8), (6, 1, 3, 3), {"group": 6, "strides": [2, 2]}),
    ((1, 6, 8, 8), (4, 3, 2, 2), {"group": 2, "dilations": [2, 2]}),
    ((1, 3, 5, 5, 5), (2, 3, 2, 2, 2), {"auto_pad": "SAME_UPPER"}),
    ((1, 3, 6, 5), (2, 3, 2, 3), {"auto_pad": "SAME_LOWER", "kernel_shape": [2, 3]}),
    ((1, 200, 5, 5), (4, 100, 3, 3), {"group": 2}),
    ((1, 300, 5, 5), (3, 300, 1, 1), {"pads": [0, 1, 2, 0]}),
]


@pytest.mark.parametrize(("image", "kernel", "attributes"), CONVOLUTIONS)
@pytest.mark.parametrize(("first", "second"), [p for p in PAIRS if p != (np.int8, np.uint8)])
def test_conv_integer(
    first: Any, second: Any, image: Any, kernel: Any, attributes: Any, device: tl.device
) -> None:
    x, w = integers(first, *image), integers(second, *kernel)
    options: dict[str, Any] = {"opset": 10, "device": device, **attributes}
    agree("ConvInteger", x, w, **options)
    agree("ConvInteger", x, w, np.array(7, first), **options)
    agree("ConvInteger", x, w, np.array(7, first), np.array(3, second), **options)


def test_a_zero_point_of_each_output_channel() -> None:
    """ONNX Runtime takes no such zero points."""
    x, w = integers(np.uint8, 1, 2, 5, 5), integers(np.int8, 3, 2, 2, 2)
    zero = np.array([3, -4, 100], np.int8)
    shifted = w.astype(np.int16) - zero.reshape(3, 1, 1, 1)
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    want = torch.nn.functional.conv2d(
        *(torch.from_numpy(v.astype(np.float64)) for v in (x.astype(np.int16) - 9, shifted))
    )
    inputs = [x, w, np.array(9, np.uint8), zero]
    (have,) = ours(node_model("ConvInteger", inputs, opset=10), inputs)
    np.testing.assert_array_equal(have, want.numpy())


@pytest.mark.parametrize(("image", "kernel", "attributes"), CONVOLUTIONS)
@pytest.mark.parametrize(("first", "second"), [p for p in PAIRS if p != (np.int8, np.uint8)])
def test_q_linear_conv(
    first: Any, second: Any, image: Any, kernel: Any, attributes: Any, device: tl.device
) -> None:
    x, w, outputs = integers(first, *image), integers(second, *kernel), kernel[0]
    options: dict[str, Any] = {"opset": 10, "device": device, **attributes}
    y = [np.array(kernel[1] ** 0.5, F32), np.array(9, first)]
    bias = np.random.default_rng(0).integers(-1000, 1000, outputs).astype(np.int32)
    parts = [x, scales(), np.array(7, first), w]
    agree("QLinearConv", *parts, scales(), np.array(3, second), *y, **options)
    same_zero = np.full(outputs, 0 if second is np.int8 else 9, second)
    agree("QLinearConv", *parts, scales(outputs), same_zero, *y, bias, **options)


@pytest.mark.parametrize(
    ("op_type", "inputs", "message"),
    [
        ("MatMulInteger", [(4, 3), (3, 2), (3,)], r"rows of \(4, 3\): expected one number, shape"),
        ("MatMulInteger", [(4, 3), (3, 2), (), (3,)], r"columns of \(3, 2\): expected one number"),
        ("ConvInteger", [(1, 2, 4, 4), (3, 2, 1, 1), (2,)], "zero point of x: expected one number"),
        ("ConvInteger", [(1, 2, 4, 4), (3, 2, 1, 1), (), (2,)], r"one number or \(3,\), one per"),
    ],
)
def test_refuses(op_type: str, inputs: Any, message: str) -> None:
    arrays = [np.zeros(shape, np.uint8) for shape in inputs]
    with pytest.raises(OnnxError, match=message):
        ours(node_model(op_type, arrays, opset=10), arrays)
