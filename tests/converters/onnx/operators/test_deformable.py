"""DeformConv against ONNX Runtime, PyTorch's convolutions and single sums."""

from __future__ import annotations

import itertools
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

Arrays = list[Any]
Attributes = dict[str, Any]


def inputs(
    sizes: tuple[int, ...] = (5, 6),
    kernel: tuple[int, ...] = (3, 2),
    *,
    batch: int = 2,
    channels: int = 4,
    filters: int = 6,
    group: int = 1,
    offset_group: int = 1,
    strides: list[int] | None = None,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    bias: bool = True,
    mask: bool = True,
    spread: float = 2.0,
    dtype: Any = np.float32,
) -> tuple[Arrays, Attributes]:
    """Random inputs in the operator's order, and the attributes that go with them."""
    n = len(sizes)
    attributes: Attributes = {
        "strides": strides or [1] * n,
        "dilations": dilations or [1] * n,
        "pads": pads or [0] * 2 * n,
    }
    out = [
        (
            sizes[i]
            + attributes["pads"][i]
            + attributes["pads"][n + i]
            - attributes["dilations"][i] * (kernel[i] - 1)
            - 1
        )
        // attributes["strides"][i]
        + 1
        for i in range(n)
    ]
    random = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return random.standard_normal(shape).astype(dtype)

    taps = offset_group * math.prod(kernel)
    arrays = [
        draw(batch, channels, *sizes),
        draw(filters, channels // group, *kernel),
        (random.standard_normal((batch, taps * n, *out)) * spread).astype(dtype),
        draw(filters) if bias else None,
        random.random((batch, taps, *out)).astype(dtype) if mask else None,
    ]
    return arrays, {**attributes, "group": group, "offset_group": offset_group}


def run(arrays: Arrays, device: Any = "cpu", opset: int = 22, **attributes: Any) -> Any:
    return ours(node_model("DeformConv", arrays, 1, opset, **attributes), arrays, device)[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("group", "offset_group"), [(1, 1), (2, 1), (1, 2), (2, 4)])
@pytest.mark.parametrize(("bias", "mask"), [(True, True), (False, True), (True, False)])
@pytest.mark.parametrize("opset", [19, 22])
def test_onnxruntime(
    dtype: Any, group: int, offset_group: int, bias: bool, mask: bool, opset: int, device: Any
) -> None:
    arrays, attributes = inputs(
        group=group, offset_group=offset_group, bias=bias, mask=mask, dtype=dtype
    )
    agree("DeformConv", *arrays, opset=opset, device=device, rtol=1e-4, atol=1e-5, **attributes)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_onnxruntime_with_any_window(data: st.DataObject) -> None:
    def pair(least: int, most: int) -> list[int]:
        return [data.draw(st.integers(least, most)) for _ in range(2)]

    kernel, dilations = pair(1, 3), pair(1, 2)
    sizes = [
        data.draw(st.integers((k - 1) * d + 1, 7)) for k, d in zip(kernel, dilations, strict=True)
    ]
    arrays, attributes = inputs(
        tuple(sizes),
        tuple(kernel),
        batch=data.draw(st.integers(1, 2)),
        strides=pair(1, 3),
        dilations=dilations,
        pads=pair(0, 2) + pair(0, 2),
    )
    agree("DeformConv", *arrays, opset=22, rtol=1e-4, atol=1e-5, **attributes)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float16, 2e-2), (ml_dtypes.bfloat16, 1e-1)])
def test_half_precision(dtype: Any, tolerance: float, device: Any) -> None:
    arrays, attributes = inputs(dtype=dtype)
    wide = run([a.astype(np.float32) for a in arrays], device, **attributes)
    same([run(arrays, device, **attributes)], [wide.astype(dtype)], tolerance, tolerance)


def without_offsets(arrays: Arrays) -> Arrays:
    return [*arrays[:2], np.zeros_like(arrays[2]), arrays[3]]


@pytest.mark.parametrize(
    ("sizes", "kernel"), [((7,), (3,)), ((5, 6), (2, 3)), ((4, 5, 4), (2, 3, 2))]
)
@pytest.mark.parametrize("group", [1, 2])
def test_without_offsets_it_is_pytorchs_convolution(
    sizes: tuple[int, ...], kernel: tuple[int, ...], group: int, device: Any
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    n = len(sizes)
    arrays, attributes = inputs(
        sizes, kernel, group=group, strides=[2] * n, pads=[1] * 2 * n, offset_group=2
    )
    plain = without_offsets(arrays)
    x, weight, _, bias = (torch.from_numpy(a) for a in plain)
    convolution = getattr(torch.nn.functional, f"conv{n}d")
    want = convolution(x, weight, bias, stride=2, padding=1, groups=group)
    same([run(plain, device, **attributes)], [want.numpy()], 1e-4, 1e-5)


def interpolated(image: Any, place: Any) -> float:
    """Linear interpolation in an image that is zero around."""
    total = 0.0
    for corner in itertools.product((0, 1), repeat=image.ndim):
        index = [math.floor(p) + c for p, c in zip(place, corner, strict=True)]
        if all(0 <= i < size for i, size in zip(index, image.shape, strict=True)):
            shares = [1 - abs(p - i) for p, i in zip(place, index, strict=True)]
            total += math.prod(shares) * image[tuple(index)]
    return total


@pytest.mark.parametrize(
    ("sizes", "kernel"), [((7,), (3,)), ((4, 3), (2, 2)), ((3, 4, 3), (2, 2, 1))]
)
def test_sum_after_sum(sizes: tuple[int, ...], kernel: tuple[int, ...], device: Any) -> None:
    arrays, attributes = inputs(
        sizes, kernel, batch=1, channels=2, filters=2, offset_group=2, pads=[1] * 2 * len(sizes)
    )
    x, weight, offset, bias, mask = arrays
    n, out = len(sizes), offset.shape[2:]
    shifts = offset.reshape(2, math.prod(kernel), n, *out)
    factors = mask.reshape(2, math.prod(kernel), *out)
    want = np.zeros((1, 2, *out), np.float32)
    for filter_, place in itertools.product(range(2), np.ndindex(out)):
        total = float(bias[filter_])
        for channel, (tap, k) in itertools.product(range(2), enumerate(np.ndindex(kernel))):
            looked = [
                o - 1 + s + float(shifts[(channel, tap, d, *place)])
                for d, (o, s) in enumerate(zip(place, k, strict=True))
            ]
            share = float(factors[(channel, tap, *place)])
            value = interpolated(x[0, channel], looked)
            total += float(weight[(filter_, channel, *k)]) * share * value
        want[(0, filter_, *place)] = total
    same([run(arrays, device, **attributes)], [want], 1e-4, 1e-5)


def test_far_and_unknown_offsets_give_zero(device: Any) -> None:
    arrays, attributes = inputs(bias=False, mask=False)
    arrays = arrays[:3]
    for value in (1e30, -1e30, np.inf, -np.inf, np.nan):
        arrays[2] = np.full_like(arrays[2], value)
        want = np.zeros((2, 6, 3, 5), np.float32)
        same([run(arrays, device, **attributes)], [want])


@pytest.mark.parametrize("empty", ["batch", "filters"])
def test_of_nothing(empty: str, device: Any) -> None:
    arrays, attributes = inputs(**{empty: 0})
    have = run(arrays, device, **attributes)
    assert have.shape == (len(arrays[0]), len(arrays[1]), 3, 5)


@pytest.mark.parametrize(
    ("place", "shape", "message"),
    [
        (0, (2, 4), r"expected X of shape \(N, C, D1, \.\.\.\)"),
        (1, (6, 4, 3), r"expected W of shape \(oC, 4, k1, k2\)"),
        (1, (6, 3, 3, 2), r"expected W of shape \(oC, 4, k1, k2\)"),
        (2, (2, 6, 3, 5), r"expected offset of shape \(2, 12, 3, 5\)"),
        (2, (2, 12, 3, 4), r"expected offset of shape \(2, 12, 3, 5\)"),
        (3, (5,), r"expected B of shape \(6,\)"),
        (4, (2, 12, 3, 5), r"expected mask of shape \(2, 6, 3, 5\)"),
    ],
)
def test_wrong_shapes(place: int, shape: tuple[int, ...], message: str) -> None:
    arrays, attributes = inputs()
    arrays[place] = np.zeros(shape, np.float32)
    with pytest.raises(OnnxError, match=message):
        run(arrays, **attributes)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"group": 3}, "to divide the 4 channels, got 3 and 1"),
        ({"offset_group": 3}, "to divide the 4 channels, got 1 and 3"),
        ({"group": 0}, "to divide the 4 channels"),
        ({"kernel_shape": [2, 3]}, r"kernel_shape \[2, 3\], got \(6, 4, 3, 2\)"),
        ({"strides": [1]}, "strides"),
    ],
)
def test_wrong_attributes(wrong: Attributes, message: str) -> None:
    arrays, attributes = inputs()
    with pytest.raises(OnnxError, match=message):
        run(arrays, **{**attributes, **wrong})


def test_wrong_dtypes() -> None:
    arrays, attributes = inputs()
    for place, name in enumerate(["X", "W", "offset", "B", "mask"]):
        wrong = [a.astype(np.int32) if i == place else a for i, a in enumerate(arrays)]
        with pytest.raises(OnnxError, match=f"expected {name} of dtype"):
            run(wrong, **attributes)
