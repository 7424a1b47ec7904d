"""Losses: reductions, class numbers that do not fit, alignments that cannot be."""

from __future__ import annotations

import math

import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import nn
from tensorlite.errors import (
    ArgumentError,
    DimensionError,
    DTypeError,
    OperatorError,
    ShapeError,
)


def test_the_older_way_to_say_the_reduction() -> None:
    x, t = tl.tensor([1.0, 2.0]), tl.tensor([2.0, 4.0])
    assert F.l1_loss(x, t, size_average=False).item() == 3
    assert F.l1_loss(x, t, reduce=False).tolist() == [1, 2]
    assert F.l1_loss(x, t, size_average=True).item() == 1.5
    assert nn.L1Loss(size_average=False).reduction == "sum"
    with pytest.raises(ArgumentError, match="'none', 'mean' or 'sum'"):
        F.l1_loss(x, t, reduction="average")


def test_targets_that_do_not_fit() -> None:
    scores = tl.zeros(2, 3)
    with pytest.raises(DimensionError, match="targets from 0 to 3 for 3 classes"):
        F.cross_entropy(scores, tl.tensor([0, 3]))
    with pytest.raises(ShapeError, match=r"expected targets \(2,\)"):
        F.nll_loss(scores, tl.tensor([0, 1, 2]))
    with pytest.raises(DTypeError, match="class numbers of int64, got float32"):
        F.cross_entropy(scores, tl.zeros(2))
    with pytest.raises(ShapeError, match=r"weight \(3,\)"):
        F.cross_entropy(scores, tl.tensor([0, 1]), tl.ones(2))
    with pytest.raises(ArgumentError, match="label_smoothing"):
        F.cross_entropy(scores, tl.tensor([0, 1]), label_smoothing=2.0)
    with pytest.raises(DimensionError):
        F.multi_margin_loss(scores, tl.tensor([0, 3]))


def test_all_targets_ignored() -> None:
    scores, targets = tl.zeros(2, 3), tl.tensor([-100, -100])
    assert math.isnan(F.cross_entropy(scores, targets).item())
    assert F.cross_entropy(scores, targets, reduction="none").tolist() == [0, 0]


def test_cross_entropy_of_large_scores() -> None:
    scores = tl.tensor([[1000.0, 0.0], [-1000.0, 0.0]])
    assert F.cross_entropy(scores, tl.tensor([0, 1])).item() == 0
    assert F.binary_cross_entropy_with_logits(scores, tl.zeros(2, 2)).item() == pytest.approx(
        (1000 + 2 * math.log(2)) / 4
    )


def test_probabilities_are_checked() -> None:
    with pytest.raises(OperatorError, match="between 0 and 1"):
        F.binary_cross_entropy(tl.tensor([1.5]), tl.tensor([1.0]))
    with pytest.raises(ShapeError, match="one shape"):
        F.binary_cross_entropy(tl.ones(2), tl.ones(3))
    assert F.binary_cross_entropy(tl.tensor([0.0]), tl.tensor([1.0])).item() == 100


def test_ctc_of_texts_that_do_not_fit() -> None:
    scores = tl.log_softmax(tl.randn(2, 1, 4), -1)
    long = tl.tensor([[1, 1, 2]])
    assert F.ctc_loss(scores, long, [2], [3], reduction="sum").item() == math.inf
    assert F.ctc_loss(scores, long, [2], [3], zero_infinity=True).item() == 0
    with pytest.raises(ShapeError, match="do not fit the lengths"):
        F.ctc_loss(scores, tl.tensor([1, 2]), [2], [3])
    with pytest.raises(ArgumentError, match="input lengths"):
        F.ctc_loss(scores, long, [3], [1])
    with pytest.raises(ArgumentError, match="blank"):
        F.ctc_loss(scores, long, [2], [1], blank=4)


@pytest.mark.parametrize("lengths", [([6, 4], [3, 0]), ([6, 0], [2, 0]), ([5, 6], [0, 3])])
def test_ctc_of_empty_texts_is_pytorchs(lengths: tuple[list[int], list[int]]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    scores = tl.log_softmax(tl.randn(6, 2, 4), -1)
    targets = tl.tensor([[1, 2, 2], [3, 1, 3]])
    given = torch.from_numpy(scores.numpy()), torch.from_numpy(targets.numpy())
    wanted = torch.nn.functional.ctc_loss(
        *given, torch.tensor(lengths[0]), torch.tensor(lengths[1]), reduction="none"
    )
    found = F.ctc_loss(scores, targets, *[tl.tensor(n) for n in lengths], reduction="none")
    assert found.tolist() == pytest.approx(wanted.tolist(), rel=1e-5)


def test_what_margins_refuse() -> None:
    x = tl.ones(2, 3)
    with pytest.raises(ArgumentError, match="above 0"):
        F.triplet_margin_loss(x, x, x, margin=0)
    with pytest.raises(ArgumentError, match="above 0"):
        nn.TripletMarginLoss(margin=-1)
    with pytest.raises(ShapeError):
        F.margin_ranking_loss(x, x, tl.ones(2))
    with pytest.raises(ShapeError):
        F.cosine_embedding_loss(x, x, x)
    with pytest.raises(ArgumentError, match="p is 1 or 2"):
        F.multi_margin_loss(x, tl.tensor([0, 1]), p=3)
    with pytest.raises(OperatorError, match="delta"):
        F.huber_loss(x, x, delta=0)
    with pytest.raises(OperatorError, match="negative"):
        F.gaussian_nll_loss(x, x, -x)
    with pytest.raises(ShapeError, match="does not fit"):
        F.gaussian_nll_loss(x, x, tl.ones(3, 2))
