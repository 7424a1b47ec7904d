"""Losses that want a margin between what is alike and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError, ShapeError
from .distance import pairwise_distance
from .loss import Legacy, floated, reduced, reduction_of
from .registry import Array, F, op


@op(spaces=F, promote="input target", upcast=True)
def soft_margin_loss(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``log(1 + exp(-t * x))``, targets 1 and -1.

    Source: PyTorch ``torch.nn.functional.soft_margin_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.soft_margin_loss(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(0.6931)
    """
    loss = xp.log1p(xp.exp(-target * input))
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, promote="input target", upcast=True)
def hinge_embedding_loss(
    xp: Any,
    input: Array,
    target: Array,
    margin: float = 1.0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1.

    Source: PyTorch ``torch.nn.functional.hinge_embedding_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.hinge_embedding_loss(tl.tensor([2.0, 0.5]), tl.tensor([1.0, -1.0]))
    tensor(1.2500)
    """
    apart = xp.where(target != 1, xp.maximum(margin - input, 0), 0)
    alike = xp.where(target != -1, input, 0)
    loss = (apart + alike).astype(input.dtype)
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, promote="input1 input2 target", upcast=True)
def margin_ranking_loss(
    xp: Any,
    input1: Array,
    input2: Array,
    target: Array,
    margin: float = 0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``max(0, -t * (x1 - x2) + margin)``: x1 should be above x2 where the target is 1.

    Source: PyTorch ``torch.nn.functional.margin_ranking_loss``.

    >>> import tensorlite as tl
    >>> one, two = tl.tensor([1.0]), tl.tensor([2.0])
    >>> tl.nn.functional.margin_ranking_loss(one, two, tl.tensor([1.0]))
    tensor(1.)
    """
    if not input1.ndim == input2.ndim == target.ndim:
        shapes = ", ".join(str(tuple(a.shape)) for a in (input1, input2, target))
        raise ShapeError(f"margin_ranking_loss: expected as many dimensions in all, got {shapes}")
    loss = xp.maximum(floated(-target * (input1 - input2)) + margin, 0)
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, upcast=True)
def cosine_embedding_loss(
    xp: Any,
    input1: Array,
    input2: Array,
    target: Array,
    margin: float = 0,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``1 - cos(x1, x2)`` where the target is 1, ``max(0, cos - margin)`` where it is -1.

    Inputs (N, D) and targets (N,), or (D,) and a number.
    Source: PyTorch ``torch.nn.functional.cosine_embedding_loss``.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[1.0, 0.0]])
    >>> tl.nn.functional.cosine_embedding_loss(x, x, tl.tensor([-1]))
    tensor(1.)
    """
    if target.ndim not in (0, 1) or {input1.ndim, input2.ndim} != {target.ndim + 1}:
        shapes = ", ".join(str(tuple(a.shape)) for a in (input1, input2, target))
        raise ShapeError(f"cosine_embedding_loss: expected (N, D), (N, D), (N,), got {shapes}")
    squares = [floated((a * a).sum(axis=-1)) + 1e-12 for a in (input1, input2)]
    cosine = floated((input1 * input2).sum(axis=-1)) / xp.sqrt(squares[0] * squares[1])
    apart = xp.where(target == -1, xp.maximum(cosine - margin, 0), 0)
    alike = xp.where(target == 1, 1 - cosine, 0)
    loss = (apart + alike).astype(cosine.dtype)
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F)
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``, d the p-norm distance.

    With ``swap`` the negative's distance is to the nearer of anchor and positive.
    Source: PyTorch ``torch.nn.functional.triplet_margin_loss`` (Balntas et al., 2016).

    >>> import tensorlite as tl
    >>> a, p, n = tl.tensor([[0.0]]), tl.tensor([[1.0]]), tl.tensor([[3.0]])
    >>> tl.nn.functional.triplet_margin_loss(a, p, n, margin=3.0)
    tensor(1.)
    """

    def distance(first: Array, second: Array) -> Array:
        return pairwise_distance(first, second, p, eps)

    how = reduction_of(size_average, reduce, reduction)
    return _triplet(distance, anchor, positive, negative, margin, swap, how)


@op(spaces=F)
def triplet_margin_with_distance_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """:func:`triplet_margin_loss` with any distance.

    Source: PyTorch ``torch.nn.functional.triplet_margin_with_distance_loss``.

    >>> import tensorlite as tl
    >>> a, p, n = tl.tensor([[0.0]]), tl.tensor([[1.0]]), tl.tensor([[3.0]])
    >>> tl.nn.functional.triplet_margin_with_distance_loss(
    ...     a, p, n, distance_function=lambda x, y: (x - y).abs().sum(-1), margin=3.0
    ... )
    tensor(1.)
    """
    how = reduction_of(None, None, reduction)
    distance = distance_function or pairwise_distance
    return _triplet(distance, anchor, positive, negative, margin, swap, how)


def _triplet(
    distance: Callable[[Any, Any], Any],
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float,
    swap: bool,
    how: str,
) -> Array:
    if margin <= 0:
        raise ArgumentError(f"triplet margin loss: margin must be above 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        shapes = ", ".join(str(tuple(a.shape)) for a in (anchor, positive, negative))
        raise ShapeError(f"triplet margin loss: expected as many dimensions in all, got {shapes}")
    far = distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((distance(anchor, positive) - far + margin).clamp(min=0), how)
