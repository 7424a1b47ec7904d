"""First values: what they are, and how they are spread, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ArgumentError, ShapeError
from tensorlite.nn import init

RANDOM: dict[str, tuple[Any, ...]] = {
    "uniform_": (-1.0, 3.0),
    "normal_": (2.0, 0.5),
    "trunc_normal_": (0.5, 1.0, -1.0, 1.0),
    "xavier_uniform_": (2.0,),
    "xavier_normal_": (2.0,),
    "kaiming_uniform_": (0.5, "fan_out"),
    "kaiming_normal_": (0.0, "fan_in", "relu"),
}


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_spread_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tl.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = tl.zeros(200, 30, 5), torch.zeros(200, 30, 5)
    assert getattr(init, name)(ours, *RANDOM[name]) is ours
    getattr(torch.nn.init, name)(theirs, *RANDOM[name])
    at = np.linspace(0.01, 0.99, 9)
    wanted = np.quantile(theirs.numpy(), at)
    np.testing.assert_allclose(np.quantile(ours.numpy(), at), wanted, atol=0.03, rtol=0.03)


def test_values_without_chance() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for name, shape, args in (
        ("constant_", (2, 3), (0.3,)),
        ("ones_", (2, 3), ()),
        ("zeros_", (2, 3), ()),
        ("eye_", (3, 5), ()),
        ("dirac_", (4, 2, 3), (2,)),
        ("dirac_", (2, 3, 3, 4), ()),
        ("dirac_", (3, 2, 1, 2, 3), ()),
    ):
        ours = getattr(init, name)(tl.full(shape, 7.0), *args)
        theirs = getattr(torch.nn.init, name)(torch.full(shape, 7.0), *args)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    flat = init.orthogonal_(tl.empty(*shape), gain=2.0).reshape(shape[0], -1).numpy() / 2
    product = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


def test_sparse() -> None:
    weight = init.sparse_(tl.zeros(10, 4), 0.25)
    assert (weight == 0).sum(0).tolist() == [3, 3, 3, 3]


def test_gains() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        wanted = torch.nn.init.calculate_gain(name)
        assert init.calculate_gain(name) == pytest.approx(wanted)
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )
    with pytest.raises(ArgumentError, match="none of"):
        init.calculate_gain("rleu")


def test_what_has_no_fan() -> None:
    for call in (init.xavier_uniform_, init.kaiming_normal_):
        with pytest.raises(ShapeError, match="fan"):
            call(tl.zeros(3))
    for call, shape in ((init.eye_, (2,)), (init.dirac_, (2, 2)), (init.orthogonal_, (2,))):
        with pytest.raises(ShapeError):
            call(tl.zeros(*shape))
    with pytest.raises(ArgumentError, match="fan_in"):
        init.kaiming_uniform_(tl.zeros(2, 2), mode="fan")


def test_the_seed_decides() -> None:
    made = []
    for _ in range(2):
        tl.manual_seed(3)
        made.append(nn.Linear(4, 4).weight)
    assert tl.equal(*made)
    drawn = [init.uniform_(tl.zeros(4), generator=tl.Generator().manual_seed(1)) for _ in "ab"]
    assert tl.equal(*drawn)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Linear", (30, 200)),
        ("Bilinear", (20, 10, 40)),
        ("Embedding", (100, 30)),
        ("LSTM", (30, 50)),
        ("GRUCell", (30, 50)),
        ("MultiheadAttention", (60, 2)),
        ("Conv2d", (20, 30, 3)),
    ],
)
def test_new_layers_are_spread_as_pytorchs(name: str, args: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tl.manual_seed(0)
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(*args).state_dict()
    for key, tensor in getattr(nn, name)(*args).state_dict().items():
        deviation = theirs[key].numpy().std()
        assert tensor.numpy().std() == pytest.approx(deviation, rel=0.25, abs=1e-6), key
        assert abs(tensor.numpy().mean()) < 0.3 * deviation + 1e-6, key
