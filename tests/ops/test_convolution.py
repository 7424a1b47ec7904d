"""Convolution beyond its samples: random shapes, uneven padding, layouts, memory, errors."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, DTypeError, ShapeError
from tensorlite.ops import convolve

RANDOM = np.random.default_rng(0)


def normal(*shape: int, dtype: str = "float32") -> np.ndarray[Any, Any]:
    return RANDOM.standard_normal(shape).astype(dtype)


def last(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers with their channels last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


@st.composite
def convolutions(draw: Any, transposed: bool) -> dict[str, Any]:
    count = draw(st.integers(1, 3))
    each = [st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2)]
    kernel, stride, dilation, padding = [
        draw(st.lists(s, min_size=count, max_size=count)) for s in each
    ]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    low = [
        max(1, 2 * p + 1 if transposed else r - 2 * p) for r, p in zip(reach, padding, strict=True)
    ]
    return {
        "sizes": [draw(st.integers(n, n + 5)) for n in low],
        "kernel": kernel,
        "options": {"stride": stride, "padding": padding, "dilation": dilation},
        "batch": draw(st.integers(0, 3)),
        "groups": draw(st.sampled_from([1, 1, 2, 3, 65])),
        "inputs": draw(st.integers(1, 2)),
        "outputs": draw(st.integers(1, 2)),
        "bias": draw(st.booleans()),
        "last": draw(st.booleans()),
        "dtype": draw(st.sampled_from(["float32", "float64", "complex64"])),
    }


def agree(name: str, case: dict[str, Any], weight: tuple[int, ...], **options: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    groups, dtype = case["groups"], case["dtype"]
    x = normal(case["batch"], groups * case["inputs"], *case["sizes"], dtype=dtype)
    x = last(x) if case["last"] else x
    w = normal(*weight, *case["kernel"], dtype=dtype)
    b = normal(groups * case["outputs"], dtype=dtype) if case["bias"] else None
    arrays = [x, w, b]
    options = {**case["options"], **options, "groups": groups}
    theirs = [None if a is None else torch.from_numpy(a) for a in arrays]
    expected = getattr(torch.nn.functional, name)(*theirs, **options).resolve_conj().numpy()
    ours = [None if a is None else tl.from_numpy(a) for a in arrays]
    actual = getattr(F, name)(*ours, **options).numpy()
    assert actual.dtype == expected.dtype
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@settings(max_examples=80, deadline=None)
@given(convolutions(transposed=False))
def test_random_convolutions_agree_with_pytorch(case: dict[str, Any]) -> None:
    weight = (case["groups"] * case["outputs"], case["inputs"])
    agree(f"conv{len(case['kernel'])}d", case, weight)


@settings(max_examples=80, deadline=None)
@given(convolutions(transposed=True))
def test_random_transposed_convolutions_agree_with_pytorch(case: dict[str, Any]) -> None:
    weight = (case["groups"] * case["inputs"], case["outputs"])
    options = case["options"]
    pairs = zip(options["stride"], options["dilation"], strict=True)
    extra = [max(s, d) - 1 for s, d in pairs] if case["batch"] else [0] * len(case["kernel"])
    agree(f"conv_transpose{len(case['kernel'])}d", case, weight, output_padding=extra)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_of_any_kernel(kernel: int, dilation: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, w = normal(1, 2, 9, 8), normal(3, 2, kernel, kernel)
    options = {"padding": "same", "dilation": dilation}
    expected = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(w), **options)
    actual = F.conv2d(tl.from_numpy(x), tl.from_numpy(w), **options)
    np.testing.assert_allclose(actual.numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("groups", [1, 4])
def test_uneven_padding_is_padding_first(groups: int) -> None:
    x, w = tl.from_numpy(normal(2, 4, 6, 7)), tl.from_numpy(normal(4, 4 // groups, 3, 3))
    pads = ((0, 2), (1, 3))
    actual = F.conv2d(x, w, stride=2, padding=pads, groups=groups)
    expected = F.conv2d(F.pad(x, (1, 3, 0, 2)), w, stride=2, groups=groups)
    np.testing.assert_array_equal(actual.numpy(), expected.numpy())


def test_uneven_padding_of_a_transposed_convolution_crops() -> None:
    x, w = tl.from_numpy(normal(1, 2, 4, 4)), tl.from_numpy(normal(2, 3, 3, 3))
    whole = F.conv_transpose2d(x, w, stride=2)
    actual = F.conv_transpose2d(x, w, stride=2, padding=((0, 1), (2, 0)))
    np.testing.assert_array_equal(actual.numpy(), whole.numpy()[:, :, :-1, 2:])
    wider = F.conv_transpose2d(x, w, stride=2, padding=((-1, 0), (0, -2)))
    np.testing.assert_array_equal(wider.numpy(), F.pad(whole, (0, 2, 1, 0)).numpy())


@pytest.mark.parametrize(("channels", "groups"), [(6, 1), (6, 2), (6, 6), (64, 64)])
def test_channels_stay_last_in_memory(channels: int, groups: int) -> None:
    x, w = normal(2, channels, 5, 6), tl.from_numpy(normal(channels, channels // groups, 3, 3))
    plain = F.conv2d(tl.from_numpy(x), w, padding=1, groups=groups)
    result = F.conv2d(tl.from_numpy(last(x)), w, padding=1, groups=groups)
    assert plain.is_contiguous()
    assert result.is_contiguous(memory_format="channels_last") and not result.is_contiguous()
    np.testing.assert_allclose(result.numpy(), plain.numpy(), rtol=1e-4, atol=1e-4)


def test_bfloat16_is_rounded_once() -> None:
    x = tl.full((1, 300, 1, 1), 1.0, dtype=tl.bfloat16)
    w = tl.full((1, 300, 1, 1), 1.0, dtype=tl.bfloat16)
    bias = tl.full((1,), 0.5, dtype=tl.bfloat16)
    assert F.conv2d(x, w, bias).item() == 300.0  # 256 if sums were kept in bfloat16


def test_integers_wrap_around() -> None:
    x = tl.full((1, 1, 3), 100, dtype=tl.int8)
    assert F.conv1d(x, tl.ones(1, 1, 2, dtype=tl.int8)).tolist() == [[[-56, -56]]]


def test_the_result_shares_no_memory_with_the_input() -> None:
    x = tl.ones(1, 1, 2, 2)
    y = F.conv2d(x, tl.ones(1, 1, 1, 1))
    y += 1
    assert x.sum().item() == 4


@pytest.mark.parametrize("groups", [1, 2, 64])
@pytest.mark.parametrize("channels_last", [False, True])
def test_work_in_parts_gives_the_whole(
    groups: int, channels_last: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = normal(3, 64, 4, 5, 6)
    x = tl.from_numpy(last(numbers) if channels_last else numbers)
    w = tl.from_numpy(normal(64, 64 // groups, 2, 2, 2))
    calls = [
        lambda: F.conv3d(x, w, stride=(1, 2, 1), padding=1, groups=groups),
        lambda: F.conv_transpose3d(x, w, stride=2, groups=groups),
    ]
    whole = [call().numpy() for call in calls]
    for limit in ("COLUMN_BYTES", "PRODUCT_BYTES", "DEPTHWISE_BYTES", "MIN_WINDOWS"):
        monkeypatch.setattr(convolve, limit, 8)
    for call, expected in zip(calls, whole, strict=True):
        np.testing.assert_allclose(call().numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 16, 24, 40, 40), (1, 64, 6, 200, 200)])
def test_memory_is_bounded(shape: tuple[int, ...]) -> None:
    x, w = tl.zeros(*shape), tl.zeros(4, shape[1], 3, 3, 3)
    size = x.nbytes
    tracemalloc.start()
    try:
        result = F.conv3d(x, w, padding=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * size + 2 * result.nbytes + (64 << 20)  # all windows are 27 times the input


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ShapeError, "channels and groups", lambda x, w: F.conv2d(x, w, groups=2)),
        (ShapeError, "channels and groups", lambda x, w: F.conv2d(x[:, :2], w)),
        (ShapeError, "5 dimensions", lambda x, w: F.conv3d(x[None], w)),
        (ShapeError, "an input of 3 dimensions", lambda x, w: F.conv2d(x[0, 0], w)),
        (ShapeError, "a bias of shape", lambda x, w: F.conv2d(x, w, tl.ones(5))),
        (ShapeError, "no window", lambda x, w: F.conv2d(x[..., :1], w)),
        (ShapeError, "must not be negative", lambda x, w: F.conv2d(x, w, padding=-1)),
        (ShapeError, "one number or 2", lambda x, w: F.conv2d(x, w, stride=(1, 1, 1))),
        (ShapeError, "2 pairs", lambda x, w: F.conv2d(x, w, padding=((1, 1),) * 3)),
        (ArgumentError, "stride must be positive", lambda x, w: F.conv2d(x, w, stride=0)),
        (ArgumentError, "needs stride 1", lambda x, w: F.conv2d(x, w, None, 2, "same")),
        (ArgumentError, "'same', 'valid'", lambda x, w: F.conv2d(x, w, padding="full")),
        (DTypeError, "float32 and float64", lambda x, w: F.conv2d(x, w.double())),
        (DTypeError, "float32 and int64", lambda x, w: F.conv2d(x, w, tl.ones(4).long())),
        (
            ArgumentError,
            "output_padding",
            lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1), output_padding=1),
        ),
        (
            ShapeError,
            "nothing is left",
            lambda x, w: F.conv_transpose2d(x, w.transpose(0, 1), padding=9),
        ),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=message):
        call(tl.ones(2, 3, 6, 6), tl.ones(4, 3, 3, 3))
