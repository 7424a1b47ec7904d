"""Recurrence: long sequences stay exact, states are left alone, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ArgumentError, ShapeError


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_long_sequences_are_pytorchs(name: str, dtype: str, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = getattr(torch.nn, name)(4, 8, 2).to(torch.float64)
    ours = getattr(nn, name)(4, 8, 2, dtype=getattr(tl, dtype))
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(100, 2, 4))
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(x))[0].numpy()
    found = ours.to(device)(tl.from_numpy(x).to(device, getattr(tl, dtype)))[0]
    assert found.dtype is getattr(tl, dtype)
    tolerance = 1e-9 if dtype == "float64" else 0.1
    np.testing.assert_allclose(found.cpu().double().numpy(), wanted, atol=tolerance)


def test_states_that_are_given_stay_as_they_are() -> None:
    layer, h = nn.GRU(3, 4), tl.ones(1, 2, 4)
    layer(tl.ones(5, 2, 3), h)
    assert (h == 1).all()
    first, last = layer(tl.ones(5, 2, 3), h)
    _, half = layer(tl.ones(3, 2, 3), h)
    rest, end = layer(tl.ones(2, 2, 3), half)
    assert tl.allclose(last, end) and tl.allclose(first[3:], rest)


def test_dropout_between_layers_while_training() -> None:
    layer, x = nn.LSTM(3, 4, 2, dropout=0.5), tl.ones(5, 2, 3)
    assert not tl.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    assert tl.equal(layer(x)[0], layer(x)[0])


def test_what_it_refuses() -> None:
    layer = nn.LSTM(3, 4)
    with pytest.raises(ShapeError, match="size 3 in its last dimension, got 5"):
        layer(tl.ones(2, 1, 5))
    with pytest.raises(ShapeError, match=r"hidden state \(1, 1, 4\), got \(1, 2, 4\)"):
        layer(tl.ones(2, 1, 3), (tl.ones(1, 2, 4), tl.ones(1, 1, 4)))
    with pytest.raises(ShapeError, match="2 dimensions, or 3"):
        layer(tl.ones(3))
    with pytest.raises(ShapeError, match=r"\(N, 3\)"):
        nn.GRUCell(3, 4)(tl.ones(2, 5))
    with pytest.raises(ArgumentError, match="proj_size"):
        nn.GRU(3, 4, proj_size=2)
    with pytest.raises(ArgumentError, match="proj_size"):
        nn.LSTM(3, 4, proj_size=4)
    with pytest.raises(ArgumentError, match="'tanh' or 'relu'"):
        nn.RNN(3, 4, nonlinearity="gelu")
    with pytest.raises(ArgumentError, match="probability"):
        nn.LSTM(3, 4, dropout=2.0)
    with pytest.raises(ArgumentError, match="above 0"):
        nn.LSTM(3, 0)
