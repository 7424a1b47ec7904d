"""Look-ups: rows shortened in place, bags that are empty, indices out of range."""

from __future__ import annotations

import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import nn
from tensorlite.errors import ArgumentError, DimensionError, DTypeError, ShapeError


def test_long_rows_are_shortened_in_place() -> None:
    table = tl.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    F.embedding(tl.tensor([0, 0, 1]), table, max_norm=1.0)
    assert table.norm(dim=1).tolist() == pytest.approx([1.0, 0.5, 10.0])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("last", [False, True])
def test_bags_of_every_size_are_pytorchs(mode: str, last: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    table, names = tl.randn(6, 3), tl.tensor([1, 2, 5, 0, 2])
    offsets = [0, 0, 2, 2, 5] if last else [0, 0, 2, 5]
    options = {"mode": mode, "include_last_offset": last, "padding_idx": 2}
    wanted = torch.nn.functional.embedding_bag(
        *[torch.from_numpy(t.numpy()) for t in (names, table)], torch.tensor(offsets), **options
    )
    found = F.embedding_bag(names, table, tl.tensor(offsets), **options)
    assert found.shape == tuple(wanted.shape)
    assert found.flatten().tolist() == pytest.approx(wanted.flatten().tolist())
    empty = F.embedding_bag(tl.tensor([], dtype=tl.int64), table, tl.tensor([0, 0]), mode=mode)
    assert empty.tolist() == [[0.0] * 3] * 2


def test_padding_has_no_values_at_first() -> None:
    layer = nn.Embedding(4, 3, padding_idx=-2)
    assert layer.padding_idx == 2 and layer.weight[2].tolist() == [0, 0, 0]
    table = tl.ones(4, 3)
    assert nn.Embedding.from_pretrained(table, padding_idx=1).weight[1].tolist() == [1, 1, 1]


def test_what_they_refuse() -> None:
    table = tl.ones(3, 2)
    for bad in (3, -1):
        with pytest.raises(DimensionError, match="table of 3 rows"):
            F.embedding(tl.tensor([bad]), table)
    with pytest.raises(DTypeError, match="int64 or int32, got float32"):
        F.embedding(tl.ones(2), table)
    with pytest.raises(ArgumentError, match="padding_idx"):
        nn.Embedding(3, 2, padding_idx=3)
    with pytest.raises(ShapeError, match="table"):
        nn.Embedding.from_pretrained(tl.ones(3))
    with pytest.raises(ArgumentError, match="mode"):
        F.embedding_bag(tl.tensor([[0]]), table, mode="min")
    with pytest.raises(ArgumentError, match="per_sample_weights"):
        F.embedding_bag(tl.tensor([[0]]), table, per_sample_weights=tl.ones(1, 1))
    with pytest.raises(ArgumentError, match="offsets"):
        F.embedding_bag(tl.tensor([0]), table, tl.tensor([1]))
    with pytest.raises(ShapeError, match="1-d offsets"):
        F.embedding_bag(tl.tensor([0]), table)
    with pytest.raises(DTypeError, match="int64"):
        F.one_hot(tl.ones(2))
    with pytest.raises(DimensionError, match="of 2"):
        F.one_hot(tl.tensor([2]), 2)
