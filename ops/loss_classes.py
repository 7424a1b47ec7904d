"""Losses of scores for classes against the numbers, or probabilities, of the right ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..errors import ArgumentError, DimensionError, DTypeError, ShapeError
from .activation import logsigmoid
from .dims import dtype_of
from .linear import linear
from .loss import Legacy, reduced, reduction_of
from .registry import Array, F, op
from .softmax import log_normalized


@op(spaces=F, upcast=True)
def nll_loss(
    xp: Any,
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: Legacy = None,
    ignore_index: int = -100,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``-weight[t] * x[t]`` for log-probabilities x and class numbers t.

    input (N, C, ...) and target (N, ...), or (C,) and a number; targets that are
    ``ignore_index`` count as 0; the mean is divided by the weights that count.
    Raises ShapeError, DTypeError, DimensionError. Source: PyTorch
    ``torch.nn.functional.nll_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.nll_loss(tl.tensor([[-1.0, -2.0]]), tl.tensor([1]))
    tensor(2.)
    """
    how = reduction_of(size_average, reduce, reduction)
    loss, counted = _picked(xp, input, target, weight, ignore_index, "nll_loss")
    return loss.sum() / counted.sum() if how == "mean" else reduced(loss, how)


@op(spaces=F, upcast=True)
def cross_entropy(
    xp: Any,
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: Legacy = None,
    ignore_index: int = -100,
    reduce: Legacy = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """``-log(softmax(x)[t])`` for scores x and class numbers t, or probabilities t.

    input (N, C, ...) and target (N, ...) of integers or (N, C, ...) of floats; without a batch
    (C,). Options as in :func:`nll_loss`; ``label_smoothing`` mixes the target with an even
    distribution. Raises ShapeError, DTypeError, DimensionError.
    Source: PyTorch ``torch.nn.functional.cross_entropy``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.cross_entropy(tl.tensor([[0.0, 0.0]]), tl.tensor([1]))
    tensor(0.6931)
    """
    how = reduction_of(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing is from 0 to 1, got {label_smoothing}")
    if input.ndim == 0:
        raise ShapeError("cross_entropy: expected scores (N, C, ...) or (C,), got a number")
    axis = 0 if input.ndim == 1 else 1
    logs = log_normalized(xp, input, axis)
    if target.shape == input.shape and dtype_of(target).is_floating_point:
        return _soft_targets(logs, target, weight, axis, label_smoothing, how)
    loss, counted = _picked(xp, logs, target, weight, ignore_index, "cross_entropy")
    if label_smoothing:
        weights = 1 if weight is None else _along(weight, logs.ndim, axis)
        even = -(logs * weights).sum(axis=axis) * (target != ignore_index)
        loss = (1 - label_smoothing) * loss + (label_smoothing / logs.shape[axis]) * even
    return loss.sum() / counted.sum() if how == "mean" else reduced(loss, how)


@op(spaces=F)
def linear_cross_entropy(
    input: Array,
    linear_weight: Array,
    target: Array,
    *,
    linear_bias: Array | None = None,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Array:
    """:func:`cross_entropy` of a linear layer's scores; ``options`` (how to save memory) is unused.

    Source: PyTorch ``torch.nn.functional.linear_cross_entropy``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.linear_cross_entropy(tl.ones(1, 3), tl.ones(2, 3), tl.tensor([1]))
    tensor(0.6931)
    """
    classes, *places, features = linear_weight.shape
    flat = linear_weight.reshape(-1, features)
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    scores = linear(input, flat, bias).reshape(*input.shape[:-1], classes, *places)
    return cross_entropy(
        scores,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


@op(spaces=F, upcast=True)
def multi_margin_loss(
    xp: Any,
    input: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """The mean over the wrong classes i of ``max(0, margin - x[t] + x[i]) ** p * weight[t]``.

    input (N, C) and target (N,), or (C,) and a number. Raises ShapeError, DimensionError.
    Source: PyTorch ``torch.nn.functional.multi_margin_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.multi_margin_loss(tl.tensor([[0.1, 0.9]]), tl.tensor([1]))
    tensor(0.1000)
    """
    if p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: p is 1 or 2, not {p}")
    how = reduction_of(size_average, reduce, reduction)
    rows, classes, single = _rows(input, target, "multi_margin_loss")
    right = xp.take_along_axis(rows, classes[:, None], axis=1)
    loss = xp.maximum(margin - right + rows, 0) ** p
    if weight is not None:
        loss = loss * weight[classes][:, None]
    loss = xp.where(xp.arange(rows.shape[1]) == classes[:, None], 0, loss).astype(rows.dtype)
    each = loss.sum(axis=1) / rows.shape[1]
    return reduced(each[0] if single else each, how)


@op(spaces=F, upcast=True)
def multilabel_margin_loss(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """The sum over right classes j and wrong i of ``max(0, 1 - (x[j] - x[i]))``, divided by C.

    input and target (N, C) or (C,); each row of the target lists the right classes, up to a -1.
    Raises ShapeError. Source: PyTorch ``torch.nn.functional.multilabel_margin_loss``.

    >>> import tensorlite as tl
    >>> x, t = tl.tensor([0.1, 0.2, 0.4, 0.8]), tl.tensor([3, 0, -1, 1])
    >>> tl.nn.functional.multilabel_margin_loss(x, t)
    tensor(0.8500)
    """
    how = reduction_of(size_average, reduce, reduction)
    if input.shape != target.shape or input.ndim > 2:
        raise ShapeError(
            f"multilabel_margin_loss: expected (N, C) twice, got {tuple(input.shape)} and "
            f"{tuple(target.shape)}"
        )
    rows = input.reshape(-1, input.shape[-1] if input.ndim else 1)
    listed = target.reshape(rows.shape).astype(np.int64)
    given = xp.cumsum(listed < 0, axis=1) == 0  # those in front of the first -1
    listed = xp.where(given, listed, 0)
    classes = xp.arange(rows.shape[1])
    right = ((listed[:, :, None] == classes) & given[:, :, None]).any(axis=1)
    scores = xp.take_along_axis(rows, listed, axis=1)
    margins = xp.maximum(1 - (scores[:, :, None] - rows[:, None, :]), 0)
    counts = given[:, :, None] & ~right[:, None, :]
    each = xp.where(counts, margins, 0).sum(axis=(1, 2)).astype(rows.dtype) / rows.shape[1]
    return reduced(each[0] if input.ndim < 2 else each, how)


@op(spaces=F)
def multilabel_soft_margin_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """The mean over classes of the binary cross-entropy of ``sigmoid(x)``.

    Source: PyTorch ``torch.nn.functional.multilabel_soft_margin_loss``.

    >>> import tensorlite as tl
    >>> x, t = tl.tensor([[0.0, 0.0]]), tl.tensor([[1.0, 0.0]])
    >>> tl.nn.functional.multilabel_soft_margin_loss(x, t)
    tensor(0.6931)
    """
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    loss = loss if weight is None else loss * weight
    return reduced(loss.sum(-1) / input.shape[-1], reduction_of(size_average, reduce, reduction))


def _picked(
    xp: Any, logs: Array, target: Array, weight: Array | None, ignore_index: int, name: str
) -> tuple[Array, Array]:
    """``-weight[t] * logs[t]`` for each target, and the weights that count."""
    axis = 0 if logs.ndim == 1 else 1
    _fitting(logs, target, axis, name)
    classes = logs.shape[axis]
    ignored = target == ignore_index
    chosen = xp.where(ignored, 0, target).astype(np.int64)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= classes):
        raise DimensionError(
            f"{name}: targets from {int(chosen.min())} to {int(chosen.max())} for {classes} classes"
        )
    if logs.size == 0:
        picked = xp.zeros(target.shape, logs.dtype)
    else:
        places = xp.expand_dims(chosen, axis)
        picked = xp.take_along_axis(logs, places, axis=axis).reshape(target.shape)
    counted = xp.ones(target.shape, logs.dtype)
    if weight is not None:
        if weight.shape != (classes,):
            raise ShapeError(f"{name}: expected weight ({classes},), got {tuple(weight.shape)}")
        counted = weight[chosen].astype(logs.dtype)
    counted = xp.where(ignored, xp.zeros((), logs.dtype), counted)
    return xp.where(ignored, xp.zeros((), logs.dtype), -picked * counted), counted


def _fitting(logs: Array, target: Array, axis: int, name: str) -> None:
    found = dtype_of(target)
    if not found.is_integral or found is bool_:
        raise DTypeError(
            f"{name}: expected class numbers of int64, got {found.name} of shape "
            f"{tuple(target.shape)}; probabilities need the input's shape {tuple(logs.shape)}"
        )
    wanted = tuple(size for i, size in enumerate(logs.shape) if i != axis)
    if logs.ndim == 0 or tuple(target.shape) != wanted:
        raise ShapeError(
            f"{name}: expected targets {wanted} for scores {tuple(logs.shape)}, got "
            f"{tuple(target.shape)}"
        )


def _soft_targets(
    logs: Array, target: Array, weight: Array | None, axis: int, smoothing: float, how: str
) -> Array:
    classes = logs.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    if weight is not None:
        target = target * _along(weight, logs.ndim, axis)
    loss = -(logs * target).sum(axis=axis)
    if how == "mean":
        return loss.sum() / (math.prod(logs.shape) / classes if classes else math.nan)
    return reduced(loss, how)


def _along(weight: Array, ndim: int, axis: int) -> Array:
    return weight.reshape([-1 if i == axis else 1 for i in range(ndim)])


def _rows(input: Array, target: Array, name: str) -> tuple[Array, Array, bool]:
    """(N, C) scores and (N,) class numbers, and whether there was no batch."""
    single = input.ndim < 2
    rows = input.reshape(1, -1) if single else input
    classes = target.reshape(-1).astype(np.int64)
    if rows.ndim != 2 or target.ndim > 1 or len(classes) != len(rows):
        raise ShapeError(
            f"{name}: expected scores (N, C) and targets (N,), got {tuple(input.shape)} and "
            f"{tuple(target.shape)}"
        )
    if classes.size and (classes.min() < 0 or classes.max() >= rows.shape[1]):
        raise DimensionError(f"{name}: a target is out of range for {rows.shape[1]} classes")
    return rows, classes, single and target.ndim == 0
