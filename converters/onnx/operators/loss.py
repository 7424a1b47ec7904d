"""The losses: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op


@onnx_op("NegativeLogLikelihoodLoss")
def negative_log_likelihood_loss(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-weight[t] * x[t]`` along the classes; the mean is weighted."""
    target = target.long()
    ignored = tl.zeros_like(target).bool() if ignore_index is None else target == ignore_index
    place = target.masked_fill(ignored, 0)
    own = tl.ones(x.shape[1], dtype=x.dtype, device=x.device) if weight is None else weight
    weights = own[place].masked_fill(ignored, 0)
    loss = -tl.gather(x, 1, place.unsqueeze(1)).squeeze(1) * weights
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return loss.sum() / weights.sum()
    raise OnnxError(f"reduction {reduction!r}: expected none, sum or mean")


@onnx_op("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy_loss(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """The loss of the softmax of ``x``, and the logarithm of that softmax."""
    chances = tl.log_softmax(x, 1)
    loss = negative_log_likelihood_loss(
        chances, target, weight, ignore_index=ignore_index, reduction=reduction
    )
    return loss, chances
