"""Activations and softmax: in place, special values, what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite.errors import ArgumentError, DTypeError, OperatorError, ShapeError

INPLACE = (
    "relu relu6 hardtanh leaky_relu elu selu celu silu mish hardsigmoid hardswish rrelu"
).split()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", INPLACE)
def test_inplace_writes_into_the_input(name: str, dtype: str, device: tl.device) -> None:
    function = getattr(F, name)
    x = tl.linspace(-3, 3, 7).to(getattr(tl, dtype)).to(device)
    view, expected = x[:], function(x)
    assert function(x, inplace=True) is x
    assert tl.equal(view, expected) and tl.equal(x, expected)


def test_inplace_by_position_and_by_name() -> None:
    for call in (
        lambda x: F.relu(x, True),
        lambda x: F.threshold(x, 0.0, 5.0, True),
        lambda x: F.leaky_relu_(x, 0.5),
        lambda x: F.elu_(x),
        lambda x: F.hardtanh_(x),
        lambda x: tl.relu_(x),
        lambda x: tl.celu_(x),
        lambda x: x.relu_(),
        lambda x: x.tanh_(),
    ):
        x = tl.tensor([-1.0, 2.0])
        before = x.tolist()
        assert call(x) is x and x.tolist() != before
    x = tl.tensor([-1.0, 2.0])
    F.relu(x, inplace=False)
    assert x.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_special_values_are_pytorchs(dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    values = [math.nan, math.inf, -math.inf, 0.0, 100.0, -100.0, 1e-4]
    ours, theirs = tl.tensor(values), torch.tensor(values)
    ours, theirs = ours.to(getattr(tl, dtype)), theirs.to(getattr(torch, dtype))
    for name in (
        "relu relu6 hardtanh leaky_relu elu selu celu silu softplus hardsigmoid hardshrink "
        "logsigmoid tanh sigmoid softsign"
    ).split():
        wanted = getattr(torch.nn.functional, name)(theirs).float().numpy()
        found = getattr(F, name)(ours).float().numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-6, err_msg=name)


def test_softmax_of_rows_without_a_number() -> None:
    x = tl.tensor([[-math.inf, -math.inf], [0.0, -math.inf], [math.inf, 0.0]])
    found = F.softmax(x, dim=1).numpy()
    np.testing.assert_array_equal(found, [[math.nan] * 2, [1, 0], [math.nan] * 2])
    assert tl.softmax(tl.zeros(2, 3), -1).sum(1).tolist() == pytest.approx([1, 1])


def test_softmax_without_a_dimension_takes_pytorchs() -> None:
    for shape, dim in (((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 2, 2, 2), 1)):
        x = tl.randn(*shape)
        assert tl.equal(F.softmax(x), F.softmax(x, dim))


def test_gumbel_softmax_draws() -> None:
    tl.manual_seed(0)
    logits = tl.tensor([[0.0, math.log(3.0)]]).expand(4000, 2)
    drawn = F.gumbel_softmax(logits, hard=True)
    assert set(drawn.flatten().tolist()) == {0.0, 1.0}
    assert drawn.mean(0).tolist() == pytest.approx([0.25, 0.75], abs=0.03)
    assert F.gumbel_softmax(logits, tau=0.5).sum(1).sub(1).abs().max() < 1e-5


def test_rrelu_draws_between_its_bounds() -> None:
    x = -tl.ones(1000)
    slopes = -F.rrelu(x, 0.2, 0.4, training=True)
    assert slopes.min() >= 0.2 and slopes.max() <= 0.4 and slopes.std() > 0.04


def test_what_they_refuse() -> None:
    for name in ("gelu", "silu", "elu", "softplus", "logsigmoid", "mish"):
        with pytest.raises(DTypeError, match=f"{name}: expected floats, got int64"):
            getattr(F, name)(tl.ones(2).long())
    for name in ("softmax", "log_softmax"):
        with pytest.raises(DTypeError, match="int64"):
            getattr(tl, name)(tl.ones(2).long(), 0)
        with pytest.raises(IndexError):
            getattr(tl, name)(tl.ones(2), 1)
    with pytest.raises(DTypeError):
        tl.relu(tl.ones(2).bool())
    with pytest.raises(DTypeError):
        F.gelu(tl.ones(2).to(tl.complex64))
    with pytest.raises(ArgumentError, match="'none' or 'tanh'"):
        F.gelu(tl.ones(2), approximate="erf")
    with pytest.raises(ShapeError, match="even"):
        F.glu(tl.ones(3))
    with pytest.raises(ShapeError, match="one weight or one per channel"):
        F.prelu(tl.ones(2, 3), tl.ones(2))
    with pytest.raises(OperatorError):
        F.celu(tl.ones(2), 0)
    with pytest.raises(OperatorError):
        F.softshrink(tl.ones(2), -1)
    with pytest.raises(ArgumentError):
        F.hardtanh(tl.ones(2), 1, -1)
