"""Shapes and elements by index of com.microsoft against ONNX Runtime and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, normal, run
from single_node import same

from tensorlite.errors import OnnxError

X = normal(2, 3)


@pytest.mark.parametrize("axis", [0, 2, -1, -3])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, np.float16, object])
def test_expand_dims(axis: int, dtype: Any, device: Any) -> None:
    x = X.astype(str).astype(object) if dtype is object else X.astype(dtype)
    agree("ExpandDims", x, np.array(axis, np.int32), device=device)
    agree("ExpandDims", x, np.array([axis], np.int32), device=device)


@pytest.mark.parametrize("indices", [[[0, 0], [1, 1]], [[-1], [0]], [[[1], [0]]], [1, -3]])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_gather_nd(indices: Any, dtype: Any, device: Any) -> None:
    agree("GatherND", X, np.array(indices, dtype), device=device)
    agree("GatherND", X.astype(np.int32), np.array(indices, dtype), device=device)
    agree("GatherND", X.astype(str).astype(object), np.array(indices, dtype), device=device)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("pads", [[0, 2, 0, 1], [1, 0, 1, 2], [-1, 1, 0, -1], [0, 0, 0, 0]])
def test_pad(mode: str, pads: list[int], device: Any) -> None:
    agree("Pad", X, np.array(pads), mode=mode, device=device)
    agree("Pad", X, np.array([pads]), np.float32([2.5]), mode=mode, device=device)
    agree("Pad", X, np.array(pads), np.float32(2.5).reshape(1), device=device)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("ends", [(1, 7, 2), (5, 1, -2), (5, 1, 1), (0, 3, None), (2, 2, 1)])
def test_range(dtype: Any, ends: Any, device: Any) -> None:
    inputs = [None if e is None else np.array(e, dtype) for e in ends]
    agree("Range", *inputs, device=device)
    agree("Range", *[None if x is None else x.reshape(1) for x in inputs], device=device)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(-4, 4), st.booleans())
def test_trilu(shape: list[int], k: int, upper: bool) -> None:
    agree("Trilu", normal(*shape), np.array(k), upper=int(upper))
    agree("Trilu", np.arange(np.prod(shape)).reshape(shape), upper=int(upper))


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("size, step", [(2, 1), (1, 2), (3, 3)])
def test_unfold_tensor(dim: int, size: int, step: int, device: Any) -> None:
    agree("UnfoldTensor", normal(4, 5), dim=dim, size=size, step=step, device=device)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3, 3), max_size=12))
def test_unique(values: list[int]) -> None:
    agree("Unique", np.array(values, np.float32), outputs=3)


def test_torch_embedding(device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    weight, indices = normal(5, 3), np.array([[0, 4], [2, 2]])
    want = torch.nn.functional.embedding(torch.from_numpy(indices), torch.from_numpy(weight))
    have = run("TorchEmbedding", weight, indices, np.array(0), device=device)
    same(have, [want.numpy()])


def test_errors() -> None:
    def refuses(name: str, message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(name, *inputs, **attributes)

    refuses("ExpandDims", "axis from -3 to 2, got 3", X, np.array(3, np.int32))
    refuses("ExpandDims", "one axis", X, np.array([0, 1], np.int32))
    refuses("GatherND", "out of range for a size of 2", X, np.array([[2]]))
    refuses("GatherND", "at most 2", X, np.array([[0, 0, 0]]))
    refuses("Pad", r"pads of shape \(4,\) or \(1, 4\), got \(3,\)", X, np.array([0, 1, 0]))
    refuses("Pad", "one value", X, np.array([0, 0, 0, 0]), normal(2))
    refuses("Range", "delta that is not 0", np.array(0), np.array(1), np.array(0))
    refuses("Range", "a scalar as limit", np.array(0), np.array([1, 2]))
    refuses("Range", "limit of dtype int64", np.array(0), np.array(1.0))
    refuses("Trilu", "2 dimensions or more", normal(3))
    refuses("Unique", "1 dimension", X)
