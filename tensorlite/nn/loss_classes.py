"""Losses of scores for classes, as layers."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ArgumentError
from ..ops.loss import Legacy
from ..tensor import Tensor
from . import functional as F
from .linear import Linear
from .loss import _Loss, _WeightedLoss


class NLLLoss(_WeightedLoss):
    """``-weight[t] * x[t]`` for log-probabilities x. Source: PyTorch ``torch.nn.NLLLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.NLLLoss()(tl.tensor([[-1.0, -2.0]]), tl.tensor([1]))
    tensor(2.)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        ignore_index: int = -100,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """NLLLoss by an older name. Source: PyTorch ``torch.nn.NLLLoss2d``.

    >>> import tensorlite as tl
    >>> tl.nn.NLLLoss2d()(-tl.ones(1, 2, 3, 4), tl.zeros(1, 3, 4).long())
    tensor(1.)
    """


class CrossEntropyLoss(_WeightedLoss):
    """``-log(softmax(x)[t])`` for scores x and class numbers, or probabilities, t.

    Source: PyTorch ``torch.nn.CrossEntropyLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.CrossEntropyLoss()(tl.tensor([[0.0, 0.0]]), tl.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        ignore_index: int = -100,
        reduce: Legacy = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer's scores and their cross-entropy in one.

    Source: PyTorch ``torch.nn.LinearCrossEntropyLoss``.

    >>> import tensorlite as tl
    >>> loss = tl.nn.LinearCrossEntropyLoss(3, 2)
    >>> loss(tl.zeros(1, 3), tl.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        rows = math.prod(self.out_features, start=num_classes)
        self.linear = Linear(in_features, rows, bias, device, dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class MultiMarginLoss(_WeightedLoss):
    """The mean over wrong classes i of ``max(0, margin - x[t] + x[i]) ** p``.

    Source: PyTorch ``torch.nn.MultiMarginLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.MultiMarginLoss()(tl.tensor([[0.1, 0.9]]), tl.tensor([1]))
    tensor(0.1000)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: Legacy = None,
        reduce: Legacy = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: p is 1 or 2, not {p}")
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(_Loss):
    """The hinge between every right class and every wrong one. Source: PyTorch
    ``torch.nn.MultiLabelMarginLoss``.

    >>> import tensorlite as tl
    >>> x, t = tl.tensor([0.1, 0.2, 0.4, 0.8]), tl.tensor([3, 0, -1, 1])
    >>> tl.nn.MultiLabelMarginLoss()(x, t)
    tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over classes of the binary cross-entropy of ``sigmoid(x)``. Source: PyTorch
    ``torch.nn.MultiLabelSoftMarginLoss``.

    >>> import tensorlite as tl
    >>> tl.nn.MultiLabelSoftMarginLoss()(tl.tensor([[0.0]]), tl.tensor([[1.0]]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class CTCLoss(_Loss):
    """``-log p(targets | log_probs)``, over all alignments. Source: PyTorch ``torch.nn.CTCLoss``.

    >>> import tensorlite as tl
    >>> scores = tl.log_softmax(tl.zeros(2, 1, 2), -1)
    >>> tl.nn.CTCLoss()(scores, tl.tensor([[1]]), [2], [1])
    tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
