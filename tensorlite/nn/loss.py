"""Losses as layers. ``size_average`` and ``reduce`` are the older way to say ``reduction``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError
from ..ops.loss import Legacy, reduction_of
from ..tensor import Tensor
from . import functional as F
from .distance import PairwiseDistance
from .module import Module


class _Loss(Module):
    """A loss with a reduction: "none", "mean" or "sum"."""

    reduction: str

    def __init__(
        self, size_average: Legacy = None, reduce: Legacy = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        legacy = size_average is not None or reduce is not None
        self.reduction = reduction_of(size_average, reduce, reduction) if legacy else reduction


class _WeightedLoss(_Loss):
    """A loss with a buffer ``weight``."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """``|input - target|``. Source: PyTorch ``torch.nn.L1Loss``.

    >>> import tensorlite as tl
    >>> tl.nn.L1Loss()(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """``(input - target) ** 2``. Source: PyTorch ``torch.nn.MSELoss``.

    >>> import tensorlite as tl
    >>> tl.nn.MSELoss()(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Squared below ``beta``, absolute above. Source: PyTorch ``torch.nn.SmoothL1Loss``.

    >>> import tensorlite as tl
    >>> tl.nn.SmoothL1Loss()(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(0.7500)
    """

    def __init__(
        self,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Half the square up to ``delta``, a line above. Source: PyTorch ``torch.nn.HuberLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.HuberLoss()(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(0.7500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_WeightedLoss):
    """The binary cross-entropy of probabilities. Source: PyTorch ``torch.nn.BCELoss``.

    >>> import tensorlite as tl
    >>> tl.nn.BCELoss()(tl.tensor([0.5]), tl.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """The binary cross-entropy of ``sigmoid(input)``. Source: PyTorch
    ``torch.nn.BCEWithLogitsLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.BCEWithLogitsLoss()(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """``t * (log(t) - x)`` of log-probabilities x. Source: PyTorch ``torch.nn.KLDivLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.KLDivLoss(reduction="batchmean")(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(0.)
    """

    def __init__(
        self,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """``exp(x) - t * x``. Source: PyTorch ``torch.nn.PoissonNLLLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.PoissonNLLLoss()(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Legacy = None,
        eps: float = 1e-8,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """``(log(var) + (x - t) ** 2 / var) / 2``. Source: PyTorch ``torch.nn.GaussianNLLLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.GaussianNLLLoss()(tl.tensor([1.0]), tl.tensor([3.0]), tl.tensor([1.0]))
    tensor(2.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Any) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    """``log(1 + exp(-t * x))``. Source: PyTorch ``torch.nn.SoftMarginLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.SoftMarginLoss()(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """``x`` for targets 1, ``max(0, margin - x)`` for -1. Source: PyTorch
    ``torch.nn.HingeEmbeddingLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.HingeEmbeddingLoss()(tl.tensor([2.0, 0.5]), tl.tensor([1.0, -1.0]))
    tensor(1.2500)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """``max(0, -t * (x1 - x2) + margin)``. Source: PyTorch ``torch.nn.MarginRankingLoss``.

    >>> import tensorlite as tl
    >>> one, two = tl.tensor([1.0]), tl.tensor([2.0])
    >>> tl.nn.MarginRankingLoss()(one, two, tl.tensor([1.0]))
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(_Loss):
    """``1 - cos`` for targets 1, ``max(0, cos - margin)`` for -1. Source: PyTorch
    ``torch.nn.CosineEmbeddingLoss``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1.0, 0.0]])
    >>> tl.nn.CosineEmbeddingLoss()(x, x, tl.tensor([-1]))
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``. Source: PyTorch
    ``torch.nn.TripletMarginLoss``.

    >>> import tensorlite as tl
    >>> a, p, n = tl.tensor([[0.0]]), tl.tensor([[1.0]]), tl.tensor([[3.0]])
    >>> tl.nn.TripletMarginLoss(margin=3.0)(a, p, n)
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        _positive(self, margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap,
            reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(_Loss):
    """:class:`TripletMarginLoss` with any distance. Source: PyTorch
    ``torch.nn.TripletMarginWithDistanceLoss``.

    >>> import tensorlite as tl
    >>> a, p, n = tl.tensor([[0.0]]), tl.tensor([[1.0]]), tl.tensor([[3.0]])
    >>> tl.nn.TripletMarginWithDistanceLoss(margin=3.0)(a, p, n)
    tensor(1.)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        _positive(self, margin)
        self.distance_function = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def _positive(loss: _Loss, margin: float) -> None:
    if margin <= 0:
        raise ArgumentError(f"{loss._get_name()}: margin must be above 0, got {margin}")
