"""Every layer as a plan gives what the layer gives, also where it is called with other numbers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from test_layers import LAYERS, Layer, made, text
from test_operators import ours
from test_spatial_layers import arrays, rows

import tensorlite as tl
from tensorlite import nn

pytest.importorskip("llvmlite")

from tensorlite.devices.numba.plan import compile


def same(expected: Any, actual: Any, where: str = "") -> None:
    if isinstance(expected, tl.Tensor):
        assert actual.dtype is expected.dtype and actual.shape == expected.shape, where
        have, want = actual.cpu().numpy(), expected.cpu().numpy()
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-4, err_msg=where)
    elif isinstance(expected, tuple | list):
        assert type(actual) is type(expected)
        for e, a in zip(expected, actual, strict=True):
            same(e, a, where)
    else:
        assert actual == expected


def other(value: Any) -> Any:
    """An argument of the same shape and dtype with its elements in another order."""
    if isinstance(value, tl.Tensor) and value.ndim:
        return tl.from_numpy(np.ascontiguousarray(value.numpy()[::-1]))
    return value


def compare(layer: Any, inputs: list[Any], keywords: dict[str, Any]) -> None:
    """Copies of a layer, one of them a plan, see the same inputs and keep the same state."""
    apart = copy.deepcopy(layer)
    compiled = compile(layer)
    for turn in range(3):
        given = [other(x) if turn == 1 else x for x in inputs]
        fresh = [copy.deepcopy(given) for _ in range(2)]  # some layers write into their inputs
        expected = apart(*fresh[0], **keywords)
        same(expected, compiled(*fresh[1], **keywords), f"call {turn}")
    if len(compiled.plans) != 1:
        raise AssertionError(f"{len(compiled.plans)} plans for the same shapes")
    for name, tensor in apart.state_dict().items():
        same(tensor, layer.state_dict()[name], name)


def test_making_a_plan_counts_no_batch() -> None:
    layer = nn.BatchNorm1d(4)
    compile(layer, tl.randn(3, 4))
    assert layer.num_batches_tracked.item() == 0


@pytest.mark.parametrize("spec", LAYERS, ids=text)
def test_layers(spec: Layer) -> None:
    if spec.training and "ropout" in spec.name:
        pytest.skip("it draws random numbers")
    tl.manual_seed(0)
    layer, inputs, keywords = made(tl, ours, spec)
    compare(layer.train(spec.training), inputs, keywords)


@pytest.mark.parametrize(("name", "args", "kwargs", "inputs"), rows())
def test_spatial_layers(name: str, args: Any, kwargs: dict[str, Any], inputs: Any) -> None:
    kwargs = dict(kwargs)
    given = arrays(inputs)
    if dtype := kwargs.get("dtype"):
        kwargs["dtype"] = getattr(tl, dtype)
        given = [a.astype(dtype) for a in given]
    layer = getattr(nn, name)(*args, **kwargs).eval()
    tensors = [tl.from_numpy(a) for a in given]
    layer(*tensors)  # lazy ones get their weights
    compare(layer, tensors, {})
