"""Products of quantised matrices of com.microsoft: of 8 bits, and of few bits in blocks."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from constant_node import agree_constant, constant_model
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, run
from single_node import ours

import tensorlite as tl
from tensorlite.converters.onnx.operators.microsoft import quantized_weights
from tensorlite.errors import OnnxError

BYTES = [np.uint8, np.int8]
PAIRS = [(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)]
MATRICES = [((3, 5), (5, 7)), ((2, 3, 300), (300, 7)), ((2, 3, 40), (2, 40, 7)), ((5,), (5, 7))]
F32 = np.float32


def integers(dtype: Any, *shape: int, seed: int = 0) -> Any:
    limits = np.iinfo(dtype)
    random = np.random.default_rng(seed + sum(shape))
    return random.integers(limits.min, limits.max + 1, shape).astype(dtype)


def scales(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed + 1).uniform(0.001, 0.1, shape).astype(F32)


def normal(*shape: int, dtype: Any = F32) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def of_columns(dtype: Any, shape: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """Scales and zero points of the right matrix: none, one for all, one per column."""
    one = [(scales(), None), (scales(), np.array(7, dtype))]
    return [*one, (scales(shape[-1]), integers(dtype, shape[-1]))] if len(shape) == 2 else one


@pytest.mark.parametrize(("left", "right"), MATRICES)
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_integer_to_float(
    first: Any, second: Any, left: Any, right: Any, device: tl.device
) -> None:
    """Exact: the sums are integers, and what follows has one order."""
    a, b = integers(first, *left), integers(second, *right)
    options: dict[str, Any] = {"rtol": 0, "atol": 0, "device": device}
    zero = np.array(3, first)
    for scale, b_zero in of_columns(second, right):
        agree("MatMulIntegerToFloat", a, b, scales(), scale, zero, b_zero, **options)
        bias = scales(right[-1], seed=5)
        agree("MatMulIntegerToFloat", a, b, scales(), scale, None, b_zero, bias, **options)


@pytest.mark.parametrize(("left", "right"), MATRICES)
@pytest.mark.parametrize("second", BYTES)
def test_dynamic_quantize(second: Any, left: Any, right: Any, device: tl.device) -> None:
    a, b = normal(*left), integers(second, *right)
    options: dict[str, Any] = {"rtol": 0, "atol": 0, "device": device}
    for scale, zero in of_columns(second, right):
        agree("DynamicQuantizeMatMul", a, b, scale, zero, **options)
        agree("DynamicQuantizeMatMul", a, b, scale, zero, scales(right[-1], seed=5), **options)


@pytest.mark.parametrize("shapes", MATRICES)
@pytest.mark.parametrize("first", [np.int16, np.uint16])
@pytest.mark.parametrize("second", [np.int16, np.uint16])
def test_16_bits(first: Any, second: Any, shapes: Any, device: tl.device) -> None:
    """ONNX Runtime has no kernel for it."""
    a, b = integers(first, *shapes[0]), integers(second, *shapes[1])
    (have,) = run("MatMulInteger16", a, b, device=device)
    target = np.uint32 if first is second is np.uint16 else np.int32
    assert have.dtype == target
    np.testing.assert_array_equal(have, (a.astype(np.int64) @ b.astype(np.int64)).astype(target))


@pytest.mark.parametrize("c_shape", [None, (), (1,), (4,), (3, 1), (3, 4)])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_q_gemm(first: Any, second: Any, c_shape: Any, device: tl.device) -> None:
    a, b = integers(first, 3, 300), integers(second, 300, 4)
    c = None if c_shape is None else integers(np.int16, *c_shape).astype(np.int32)
    y = [np.array(12, F32), np.array(5, first)]
    zero = np.array(9, first)
    for scale, b_zero in of_columns(second, b.shape)[1:]:
        rest = [scale, b_zero, c]
        exactly: dict[str, Any] = {"rtol": 0, "atol": 0, "device": device, "alpha": 0.5}
        agree("QGemm", a, scales(), zero, b, *rest, **exactly)
        agree("QGemm", a, scales(), zero, b.T.copy(), *rest, *y, transB=1, device=device)
        agree("QGemm", a.T.copy(), scales(), zero, b, *rest, *y, transA=1, device=device)


def packed_width(blocks: int, bits: int) -> int:
    return -(-blocks * bits // 8)


def weights(n: int, k: int, block: int, bits: int, dtype: Any = F32) -> list[Any]:
    """Packed weights, scales, packed and plain zero points."""
    blocks, random = -(-k // block), np.random.default_rng(n)
    return [
        integers(np.uint8, n, blocks, block * bits // 8),
        random.uniform(0.001, 0.1, (n, blocks)).astype(dtype),
        integers(np.uint8, n, packed_width(blocks, bits)),
        random.uniform(0, 2**bits, (n, blocks)).astype(dtype),
    ]


def unpacked(data: Any, bits: int) -> Any:
    """The numbers in bytes, lowest bits first, a bit at a time."""
    each = np.unpackbits(data, axis=-1, bitorder="little").reshape(*data.shape[:-1], -1, bits)
    return each.astype(np.int64) @ 2 ** np.arange(bits)


SIZES = [(5, 32, 16, (3,)), (8, 100, 32, (2, 3)), (17, 256, 128, (1,)), (6, 70, 64, (4,))]


@pytest.mark.parametrize(("n", "k", "block", "rows"), SIZES)
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_mat_mul_n_bits(
    dtype: Any, bits: int, n: int, k: int, block: int, rows: Any, device: tl.device
) -> None:
    a, bias = normal(*rows, k, dtype=dtype), normal(n, dtype=dtype)
    b, scale, packed, plain = weights(n, k, block, bits, dtype)
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype is np.float32 else {"rtol": 2e-2, "atol": 2e-2}
    options: dict[str, Any] = {"K": k, "N": n, "block_size": block, "bits": bits, **close}
    known = (None, packed) if bits == 8 else (None, packed, plain)  # to ONNX Runtime
    for zeros in known:
        for add in (None, bias):
            inputs = [a, b, scale, zeros, None, add]
            agree_constant("MatMulNBits", *inputs, constant=(1, 2, 3), device=device, **options)


@given(
    n=st.integers(1, 9), blocks=st.integers(1, 4), short=st.integers(0, 15),
    block=st.sampled_from([16, 32, 64]), bits=st.sampled_from([2, 4, 8]),
    zeros=st.sampled_from(["none", "packed", "plain"]), level=st.integers(0, 4),
    at_once=st.sampled_from([1, 200, 10**6]),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_n_bits_of_any_size(
    n: int, blocks: int, short: int, block: int, bits: int, zeros: str, level: int, at_once: int
) -> None:
    """Against a sum in float64; ONNX Runtime may compute in int8 at accuracy level 4."""
    k = blocks * block - short
    a, (b, scale, packed, plain) = normal(3, k), weights(n, k, block, bits)
    given_zeros = {"none": None, "packed": packed, "plain": plain}[zeros]
    shift = {"none": 2 ** (bits - 1), "packed": unpacked(packed, bits)[:, :blocks], "plain": plain}
    real = unpacked(b, bits) - np.broadcast_to(shift[zeros], (n, blocks))[..., None]
    want = a.astype(float) @ (real * scale[..., None].astype(float)).reshape(n, -1)[:, :k].T
    attributes = {"K": k, "N": n, "block_size": block, "bits": bits, "accuracy_level": level}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantized_weights, "_AT_ONCE", at_once)
        (have,) = run("MatMulNBits", a, b, scale, given_zeros, **attributes)
    np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_groups_of_columns_in_any_order(bits: int) -> None:
    """``g_idx``, in whose 4-bit kernel ONNX Runtime repeats the first eight of each block."""
    n, k, block = 5, 70, 16
    a, (b, scale, packed, plain) = normal(2, k), weights(n, k, block, bits)
    groups = np.random.default_rng(0).permutation(np.arange(k) // block).astype(np.int32)
    attributes = {"K": k, "N": n, "block_size": block, "bits": bits}
    whole = unpacked(b, bits).reshape(n, -1)[:, :k]
    middle = np.full_like(plain, 2 ** (bits - 1))
    for zeros, real in ((None, middle), (packed, unpacked(packed, bits)), (plain, plain)):
        w = (whole - real[:, groups]) * scale[:, groups].astype(float)
        (have,) = run("MatMulNBits", a, b, scale, zeros, groups, **attributes)
        np.testing.assert_allclose(have, a @ w.T, rtol=1e-4, atol=1e-4)


def test_flat_inputs_of_older_files_and_bfloat16() -> None:
    n, k, block, bits = 6, 70, 32, 4
    a, (b, scale, packed, _) = normal(2, k), weights(n, k, block, bits)
    attributes = {"K": k, "N": n, "block_size": block, "bits": bits}
    (want,) = run("MatMulNBits", a, b, scale, packed, **attributes)
    (have,) = run("MatMulNBits", a, b, scale.reshape(-1), packed.reshape(-1), **attributes)
    np.testing.assert_array_equal(have, want)
    few = [a.astype(ml_dtypes.bfloat16), b, scale.astype(ml_dtypes.bfloat16), packed]
    model, free = constant_model("MatMulNBits", few, result=1, **attributes)
    np.testing.assert_allclose(ours(model, free)[0], want, rtol=0.05, atol=0.05)


def test_a_projection_that_is_left_out(device: tl.device) -> None:
    attributes = {"K": 32, "N": 3, "block_size": 32, "bits": 4}
    inputs = [normal(2, 32), np.zeros((0, 1, 16), np.uint8), np.zeros((0, 1), F32)]
    agree_constant("MatMulNBits", *inputs, device=device, **attributes)
    agree_constant(
        "MatMulNBits", *inputs, None, None, normal(3), constant=(1, 2), device=device, **attributes
    )


TABLE = (7, 5, 40)
INDICES = [
    np.array([[3, -7], [6, 0]], np.int64), np.array([1, 1], np.int32), np.array(3, np.int64),
    np.array([], np.int64), np.array([9, -9, 1], np.int64),
]  # fmt: skip


@pytest.mark.parametrize("block", [16, 32, 64])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_gather_from_bytes(dtype: Any, bits: int, block: int, device: tl.device) -> None:
    blocks = -(-TABLE[2] // block)
    data = integers(np.uint8, *TABLE[:2], TABLE[2] * bits // 8)
    scale = scales(*TABLE[:2], blocks).astype(dtype)
    zeros = integers(np.uint8, *TABLE[:2], packed_width(blocks, bits))
    options: dict[str, Any] = {"bits": bits, "block_size": block, "quantize_axis": 2}
    for indices in INDICES:
        for zero in (None, zeros):
            inputs = [data, indices, scale, zero]
            agree("GatherBlockQuantized", *inputs, rtol=0, atol=0, device=device, **options)


SMALL = [
    ml_dtypes.int4, ml_dtypes.uint4, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float4_e2m1fn,
]  # fmt: skip


@pytest.mark.parametrize("quantize", [0, 1, -1])
@pytest.mark.parametrize("gather", [0, 1, 2])
@pytest.mark.parametrize("dtype", SMALL)
def test_gather_from_small_numbers(
    dtype: Any, gather: int, quantize: int, device: tl.device
) -> None:
    whole = dtype in SMALL[:2]
    data = (integers(np.uint8, 7, 20, 9) % 8 if whole else normal(7, 20, 9)).astype(dtype)
    for block in (16,) if whole else (16, 0):
        shape = [7, 20, 9]
        shape[quantize] = -(-shape[quantize] // block) if block else 1
        shared = [1] * 3
        shared[quantize] = shape[quantize]
        zeros = (integers(np.uint8, *shape) % 8).astype(dtype) if whole else None
        options: dict[str, Any] = {"gather_axis": gather, "quantize_axis": quantize}
        options |= {"block_size": block, "rtol": 0, "atol": 0, "device": device}
        for scale, zero in ((scales(*shape), zeros), (scales(*(shape if whole else shared)), None)):
            agree_constant("GatherBlockQuantized", data, INDICES[0], scale, zero, **options)


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz])
def test_gather_from_other_float8(dtype: Any) -> None:
    data, scale = normal(7, 32).astype(dtype), scales(7, 2)
    inputs = [data, INDICES[0], scale]
    model, free = constant_model("GatherBlockQuantized", inputs, block_size=16)
    want = data.astype(F32) * np.repeat(scale, 16, 1)
    np.testing.assert_array_equal(ours(model, free)[0], want[INDICES[0]])


@pytest.mark.parametrize(("n", "k", "block"), [(4, 32, 16), (5, 33, 16), (7, 64, 64)])
@pytest.mark.parametrize("kind", [0, 1])
def test_mat_mul_bnb4(kind: int, n: int, k: int, block: int, device: tl.device) -> None:
    codes, absmax = integers(np.uint8, -(-n * k // 2)), scales(-(-n * k // block))
    options: dict[str, Any] = {"K": k, "N": n, "block_size": block, "quant_type": kind}
    options |= {"device": device, "atol": 1e-5}
    agree("MatMulBnb4", normal(3, k), codes, absmax, **options)
    # Of A @ w ONNX Runtime's kernel gives what memory had; w itself is identity @ w.T, turned.
    (w,) = agree("MatMulBnb4", np.eye(k, dtype=F32), codes, absmax, **options)
    del options["atol"]
    (have,) = run("MatMulBnb4", normal(2, n), codes, absmax, transB=0, **options)
    np.testing.assert_allclose(have, normal(2, n) @ w.T, rtol=1e-4, atol=1e-5)


N_BITS: dict[str, Any] = {"K": 32, "N": 4, "block_size": 16, "bits": 4}
A, (B, S, Z, _) = normal(2, 32), weights(4, 32, 16, 4)
GATHER: dict[str, Any] = {"block_size": 16}
D, ROW = integers(np.uint8, 7, 16), np.array([0], np.int64)


@pytest.mark.parametrize(
    ("op_type", "inputs", "attributes", "message"),
    [
        ("MatMulNBits", [A, B, S], N_BITS | {"bits": 5}, "bits 5: expected 2, 4 or 8"),
        ("MatMulNBits", [A, B, S], N_BITS | {"block_size": 24}, "block_size 24: expected a power"),
        ("MatMulNBits", [A, B, S], N_BITS | {"weight_prepacked": 1}, "weight_prepacked"),
        ("MatMulNBits", [A[:, :9], B, S], N_BITS, r"A: expected \(\.\.\., 32\), got \(2, 9\)"),
        ("MatMulNBits", [A, B[:, :1], S], N_BITS, r"expected B of shape \(4, 2, 8\)"),
        ("MatMulNBits", [A, B, S[:1]], N_BITS, r"expected scales of shape \(4, 2\)"),
        ("MatMulNBits", [A, B, S, Z[:3]], N_BITS, r"expected zero_points of shape \(4, 1\)"),
        ("GatherBlockQuantized", [D, ROW, scales(7, 2)], GATHER | {"gather_axis": 1}, "of uint8"),
        ("GatherBlockQuantized", [D, ROW, scales(7, 1)], GATHER, r"scales of shape \(7, 2\)"),
        ("GatherBlockQuantized", [D, ROW, scales(7, 2)], {"block_size": 0}, "block_size 0: "),
        ("GatherBlockQuantized", [D, ROW, scales(7, 2)], GATHER | {"quantize_axis": 2}, "axis 2: "),
        ("QGemm", [D, scales(), np.uint8(0), D[0], scales(), np.uint8(0)], {}, "two matrices"),
    ],
)  # fmt: skip
def test_refuses(op_type: str, inputs: list[Any], attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=message):
        run(op_type, *[np.asarray(x) for x in inputs], **attributes)
