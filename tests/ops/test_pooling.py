"""Pooling beyond its samples: random windows, uneven padding, NaN, ties, undoing, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, DimensionError, DTypeError, ShapeError
from tensorlite.ops import pool

RANDOM = np.random.default_rng(0)
NAN = float("nan")


@st.composite
def windows(draw: Any) -> dict[str, Any]:
    count = draw(st.integers(1, 3))

    def each(low: int, high: int) -> list[int]:
        return [draw(st.integers(low, high)) for _ in range(count)]

    kernel = each(1, 4)
    return {
        "shape": [draw(st.integers(0, 2)), draw(st.integers(1, 3)), *each(4, 9)],
        "kernel": kernel,
        "stride": draw(st.sampled_from([None, each(1, 3)])),
        "padding": [draw(st.integers(0, k // 2)) for k in kernel],
        "dilation": each(1, 2),
        "ceil": draw(st.booleans()),
        "flag": draw(st.booleans()),
        "last": draw(st.booleans()),
        "rounded": draw(st.booleans()),
    }


def numbers(case: dict[str, Any]) -> np.ndarray[Any, Any]:
    x = RANDOM.standard_normal(case["shape"]).astype("float32")
    x = np.round(x) if case["rounded"] else x  # equal elements, for the indices
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1) if case["last"] else x


def agree(name: str, x: np.ndarray[Any, Any], *args: Any, **kwargs: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    try:
        expected = getattr(torch.nn.functional, name)(torch.from_numpy(x), *args, **kwargs)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            getattr(F, name)(tl.from_numpy(x), *args, **kwargs)
        return
    actual = getattr(F, name)(tl.from_numpy(x), *args, **kwargs)
    if not isinstance(expected, tuple):
        expected, actual = (expected,), (actual,)
    for e, a in zip(expected, actual, strict=True):
        assert tuple(a.shape) == tuple(e.shape)
        np.testing.assert_allclose(a.numpy(), e.numpy(), rtol=1e-5, atol=1e-5)


@settings(max_examples=80, deadline=None)
@given(windows())
def test_random_max_pools_agree_with_pytorch(case: dict[str, Any]) -> None:
    agree(
        f"max_pool{len(case['kernel'])}d", numbers(case), case["kernel"], case["stride"],
        case["padding"], case["dilation"], case["ceil"], case["flag"],
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(windows())
def test_random_average_pools_agree_with_pytorch(case: dict[str, Any]) -> None:
    agree(
        f"avg_pool{len(case['kernel'])}d", numbers(case), case["kernel"], case["stride"],
        case["padding"], case["ceil"], case["flag"],
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(windows(), st.lists(st.integers(1, 11), min_size=3, max_size=3))
def test_random_adaptive_pools_agree_with_pytorch(case: dict[str, Any], sizes: list[int]) -> None:
    count = len(case["kernel"])
    agree(f"adaptive_avg_pool{count}d", numbers(case), sizes[:count])
    agree(f"adaptive_max_pool{count}d", numbers(case), sizes[:count], case["flag"])


def test_nan_wins_a_maximum() -> None:
    x = tl.tensor([[1.0, NAN, 2.0, NAN, 0.0, 5.0]])
    values, places = F.max_pool1d(x, 4, 2, return_indices=True)
    assert values.isnan().all() and places.tolist() == [[3, 3]]
    assert F.max_pool1d(x, 2).isnan().tolist() == [[True, True, False]]
    assert F.adaptive_max_pool1d(x, 1, return_indices=True)[1].item() == 3


def test_the_first_of_equals_is_the_maximum() -> None:
    x = tl.zeros(1, 4, 4)
    assert F.max_pool2d(x, 2, return_indices=True)[1].tolist() == [[[0, 2], [8, 10]]]
    low = tl.full((1, 2, 2), -float("inf"))
    assert F.max_pool2d(low, 2, return_indices=True)[1].item() == 0


def test_uneven_padding_is_padding_first() -> None:
    x = tl.from_numpy(RANDOM.standard_normal((2, 3, 6, 7)).astype("float32"))
    actual = F.max_pool2d(x, 3, 2, padding=((0, 1), (2, 0)))
    expected = F.max_pool2d(F.pad(x, (2, 0, 0, 1), value=-float("inf")), 3, 2)
    np.testing.assert_array_equal(actual.numpy(), expected.numpy())
    actual = F.avg_pool2d(x, 3, 2, padding=((0, 1), (2, 0)))
    expected = F.avg_pool2d(F.pad(x, (2, 0, 0, 1)), 3, 2)
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)


def runtime(operator: str, x: np.ndarray[Any, Any], outputs: int, **attributes: Any) -> list[Any]:
    """What onnxruntime gives for a model of one operator."""
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    from onnx import TensorProto, helper

    names = ["y", "places"][:outputs]
    node = helper.make_node(operator, ["x"], names, **attributes)
    kinds = [TensorProto.FLOAT, TensorProto.INT64]
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(n, k, None) for n, k in zip(names, kinds, strict=False)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": x}))


@pytest.mark.parametrize("column_major", [False, True])
@pytest.mark.parametrize("ceil", [False, True])
def test_max_pool_of_onnx(ceil: bool, column_major: bool) -> None:
    x = RANDOM.standard_normal((1, 1, 7, 8)).astype("float32")
    expected = runtime(
        "MaxPool", x, 2, kernel_shape=[3, 2], strides=[2, 3], dilations=[1, 2],
        pads=[0, 1, 1, 0], ceil_mode=int(ceil), storage_order=int(column_major),
    )  # fmt: skip
    options = ((3, 2), (2, 3), ((0, 1), (1, 0)), (1, 2), ceil)
    values, places = pool.max_pool_with_indices(np, x, *options, column_major)
    np.testing.assert_array_equal(values, expected[0])
    np.testing.assert_array_equal(places, expected[1])
    np.testing.assert_array_equal(pool.max_pool(np, x, *options), expected[0])


@pytest.mark.parametrize("with_pad", [False, True])
@pytest.mark.parametrize("dilation", [1, 2])
def test_average_pool_of_onnx(dilation: int, with_pad: bool) -> None:
    x = RANDOM.standard_normal((2, 3, 9, 8)).astype("float32")
    (expected,) = runtime(
        "AveragePool", x, 1, kernel_shape=[3, 2], strides=[2, 1], dilations=[dilation] * 2,
        pads=[0, 1, 2, 0], count_include_pad=int(with_pad),
    )  # fmt: skip
    options = ((3, 2), (2, 1), ((0, 2), (1, 0)), (dilation,) * 2, False, with_pad)
    actual = pool.average_pool(np, x, *options)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_unpooling_undoes_pooling(count: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = RANDOM.standard_normal((2, 3, *[7] * count)).astype("float32")
    options: list[Any] = [
        (3, 2, 1, None),
        (2, None, 0, [7] * count),
        (2, None, 0, (2, 3, *[7] * count)),
    ]
    for kernel, stride, padding, size in options:
        pooled = getattr(torch.nn.functional, f"max_pool{count}d")(
            torch.from_numpy(x), kernel, stride, padding, return_indices=True
        )
        unpool = f"max_unpool{count}d"
        expected = getattr(torch.nn.functional, unpool)(*pooled, kernel, stride, padding, size)
        ours = [tl.from_numpy(p.numpy()) for p in pooled]
        actual = getattr(F, unpool)(*ours, kernel, stride, padding, size)
        np.testing.assert_array_equal(actual.numpy(), expected.numpy())


def test_results_share_no_memory_with_the_input() -> None:
    x = tl.ones(1, 2, 2)
    for result in (F.max_pool2d(x, 1), F.avg_pool2d(x, 1)):
        result += 1
    assert x.sum().item() == 4


def test_channels_stay_last_in_memory() -> None:
    x = tl.ones(2, 3, 6, 6).contiguous(memory_format="channels_last")
    for result in (F.max_pool2d(x, 2), F.avg_pool2d(x, 3, 1, 1)):
        assert result.is_contiguous(memory_format="channels_last")


def test_fractional_pools_draw_their_places() -> None:
    x = tl.from_numpy(RANDOM.standard_normal((1, 2, 40, 40)).astype("float32"))
    first, places = F.fractional_max_pool2d(x, 2, 17, return_indices=True)
    np.testing.assert_array_equal(
        first.numpy().reshape(2, -1),
        np.take_along_axis(x.numpy().reshape(2, -1), places.numpy().reshape(2, -1), 1),
    )
    with pytest.raises(ShapeError, match="expected samples"):
        F.fractional_max_pool2d(x, 2, 17, _random_samples=tl.zeros(1, 1, 2))
    with pytest.raises(ShapeError, match="cannot give"):
        F.fractional_max_pool2d(x, 3, 39)
    with pytest.raises(ArgumentError, match="one of output_size"):
        F.fractional_max_pool2d(x, 3)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ShapeError, "no window", lambda x: F.max_pool2d(x, 9)),
        (ShapeError, "3 dimensions", lambda x: F.max_pool2d(x[0, 0], 2)),
        (ShapeError, "one number or 2", lambda x: F.max_pool2d(x, (2, 2, 2))),
        (ArgumentError, "half of the kernel", lambda x: F.max_pool2d(x, 2, padding=2)),
        (ArgumentError, "half of the kernel", lambda x: F.avg_pool2d(x, 2, padding=-1)),
        (ArgumentError, "stride must be positive", lambda x: F.avg_pool2d(x, 2, 0)),
        (ArgumentError, "must not be zero", lambda x: F.avg_pool2d(x, 2, divisor_override=0)),
        (DTypeError, "real numbers", lambda x: F.max_pool2d(x.bool(), 2)),
        (DTypeError, "real numbers", lambda x: F.avg_pool2d(x.to(tl.complex64), 2)),
        (DTypeError, "floats", lambda x: F.adaptive_avg_pool2d(x.long(), 2)),
        (ShapeError, "2 output sizes", lambda x: F.adaptive_avg_pool2d(x, (2, 2, 2))),
        (ShapeError, "at least 0", lambda x: F.adaptive_max_pool2d(x, -1)),
        (ShapeError, "int64 indices", lambda x: F.max_unpool2d(x, x, 2)),
        (DimensionError, "do not lie", lambda x: F.max_unpool2d(x, x.long() * 999, 2)),
        (
            ShapeError,
            "within a stride",
            lambda x: F.max_unpool2d(x, x.long(), 2, output_size=(20, 20)),
        ),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call(tl.ones(2, 3, 6, 6))
