"""Dropout while training: how much goes, what is left, and that whole channels go."""

from __future__ import annotations

import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import nn
from tensorlite.errors import ArgumentError, DTypeError, ShapeError


def test_zeros_and_what_is_left() -> None:
    tl.manual_seed(0)
    dropped = F.dropout(tl.ones(10000), 0.25, training=True)
    assert sorted(set(dropped.tolist())) == pytest.approx([0, 4 / 3])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert F.dropout(tl.ones(5), 1.0).tolist() == [0.0] * 5
    assert F.dropout(tl.ones(5), 0.0).tolist() == [1.0] * 5


def test_the_seed_decides() -> None:
    drawn = []
    for _ in range(2):
        tl.manual_seed(5)
        drawn.append(F.dropout(tl.ones(50)))
    assert tl.equal(*drawn)
    assert not tl.equal(drawn[0], F.dropout(tl.ones(50)))


@pytest.mark.parametrize(
    ("name", "shape", "channels"),
    [
        ("dropout1d", (40, 50, 6), 2),
        ("dropout1d", (500, 6), 1),
        ("dropout2d", (40, 50, 3, 2), 2),
        ("dropout3d", (40, 50, 3, 2, 2), 2),
        ("dropout3d", (500, 3, 2, 2), 1),
    ],
)
def test_whole_channels_go(name: str, shape: tuple[int, ...], channels: int) -> None:
    tl.manual_seed(0)
    dropped = getattr(F, name)(tl.ones(*shape), 0.5).flatten(channels)
    assert tl.equal(dropped.amin(-1), dropped.amax(-1))
    assert (dropped[..., 0] == 0).float().mean().item() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_keeps_mean_and_variance(name: str) -> None:
    tl.manual_seed(0)
    dropped = getattr(F, name)(tl.randn(300, 300), 0.2, training=True)
    assert dropped.mean().item() == pytest.approx(0, abs=0.02)
    assert dropped.std().item() == pytest.approx(1, abs=0.02)


def test_inplace_and_half(device: tl.device) -> None:
    x = tl.ones(100, dtype=tl.bfloat16, device=device)
    assert F.dropout(x, 0.5, True, True) is x and x.min() == 0
    assert F.dropout(x, 0.5).dtype is tl.bfloat16


def test_layers_drop_only_while_training() -> None:
    for name in "Dropout Dropout1d Dropout2d AlphaDropout FeatureAlphaDropout".split():
        layer, x = getattr(nn, name)(), tl.randn(20, 30, 4)
        assert not tl.equal(layer(x), x), name
        assert layer.eval()(x) is x, name


def test_what_it_refuses() -> None:
    with pytest.raises(ArgumentError, match="probability"):
        F.dropout(tl.ones(2), 1.5)
    with pytest.raises(ArgumentError, match="probability"):
        nn.Dropout(-0.1)
    with pytest.raises(DTypeError, match="int64"):
        F.dropout(tl.ones(2).long())
    with pytest.raises(ShapeError):
        F.dropout2d(tl.ones(2, 3))
