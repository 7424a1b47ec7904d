"""A softmax for very many classes, the rare ones in clusters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ..errors import ArgumentError, DimensionError, ShapeError
from ..ops.registry import namespace
from ..tensor import Tensor
from . import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module


class AdaptiveLoss(NamedTuple):
    """What :class:`AdaptiveLogSoftmaxWithLoss` gives."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax over many classes: the head has the frequent ones, and one per cluster of others.

    ``cutoffs`` say where the clusters begin. input (N, in_features) and target (N,), or without N;
    gives (the targets' log-probabilities, their negative mean).
    Source: PyTorch ``torch.nn.AdaptiveLogSoftmaxWithLoss`` (Grave et al., 2016).

    >>> import tensorlite as tl
    >>> layer = tl.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
    >>> output, loss = layer(tl.ones(3, 8), tl.tensor([0, 7, 19]))
    >>> tuple(output.shape), tuple(layer.log_prob(tl.ones(3, 8)).shape)
    ((3,), (3, 20))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs or cutoffs != sorted({c for c in cutoffs if 0 < c < n_classes}):
            raise ArgumentError(
                "AdaptiveLogSoftmaxWithLoss: expected rising cutoffs from 1 to "
                f"{n_classes - 1}, got {cutoffs}"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        factory = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **factory)
        self.tail = ModuleList()
        for i, (begin, end) in enumerate(pairwise(self.cutoffs)):
            inner = int(in_features // div_value ** (i + 1))
            first = Linear(in_features, inner, False, **factory)
            self.tail.append(Sequential(first, Linear(inner, end - begin, False, **factory)))

    def reset_parameters(self) -> None:
        """Fills all weights anew."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> AdaptiveLoss:
        if target_.ndim > 1 or input_.ndim != target_.ndim + 1:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: expected (N, {self.in_features}) and (N,), got "
                f"{tuple(input_.shape)} and {tuple(target_.shape)}"
            )
        single = target_.ndim == 0
        target = target_.unsqueeze(0) if single else target_
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise DimensionError(
                f"AdaptiveLogSoftmaxWithLoss: targets are from 0 to {self.n_classes - 1}"
            )
        logs = self.log_prob(input_.unsqueeze(0) if single else input_)
        output = logs.gather(1, target.unsqueeze(1)).squeeze(1)
        return AdaptiveLoss(output.squeeze(0) if single else output, -output.mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, in_features) to (N, n_classes)."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            share = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(cluster(input), dim=1) + share)
        return namespace("")["cat"](parts, dim=1)

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row."""
        return self.log_prob(input).argmax(1)
