"""Losses between an input and a target of the same shape, and between vectors.

``size_average`` and ``reduce`` are PyTorch's older way to say ``reduction``.
"""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import get_default_dtype
from ..errors import ArgumentError, DTypeError, OperatorError, ShapeError
from .dims import dtype_of, is_integral, special
from .registry import Array, F, op

Legacy = bool | None


@op(spaces=F, promote="input target weight", upcast=True)
def mse_loss(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    weight: Array | None = None,
) -> Array:
    """``(input - target) ** 2``; the weighted mean is divided by the sum of the weights.

    Source: PyTorch ``torch.nn.functional.mse_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.mse_loss(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(2.)
    """
    how = reduction_of(size_average, reduce, reduction)
    difference = input - target
    return _weighted(difference * difference, input, weight, how)


@op(spaces=F, promote="input target weight", upcast=True)
def l1_loss(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    weight: Array | None = None,
) -> Array:
    """``|input - target|``; the weighted mean is divided by the sum of the weights.

    Source: PyTorch ``torch.nn.functional.l1_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.l1_loss(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(1.)
    """
    how = reduction_of(size_average, reduce, reduction)
    return _weighted(abs(input - target), input, weight, how)


@op(spaces=F, promote="input target", upcast=True)
def smooth_l1_loss(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Array:
    """``d ** 2 / (2 * beta)`` where ``d = |input - target|`` is below beta, else ``d - beta / 2``.

    Source: PyTorch ``torch.nn.functional.smooth_l1_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.smooth_l1_loss(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    if beta < 0:
        raise OperatorError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    distance = abs(input - target)
    if beta:
        near = 0.5 * distance * distance / beta
        distance = xp.where(distance < beta, near, distance - 0.5 * beta)
    return reduced(distance, reduction_of(size_average, reduce, reduction))


@op(spaces=F, promote="input target weight", upcast=True)
def huber_loss(
    xp: Any,
    input: Array,
    target: Array,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Array | None = None,
) -> Array:
    """``d ** 2 / 2`` where ``d = |input - target|`` is up to delta, beyond it a straight line.

    Source: PyTorch ``torch.nn.functional.huber_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.huber_loss(tl.tensor([1.0, 2.0]), tl.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    if delta <= 0:
        raise OperatorError(f"huber_loss: delta must be above 0, got {delta}")
    distance = abs(input - target)
    loss = xp.where(distance <= delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta))
    if weight is not None:
        _same_shape("huber_loss", input, weight)
        loss = loss * weight
    return reduced(loss, reduction_of(None, None, reduction))


@op(spaces=F, upcast=True)
def binary_cross_entropy(
    xp: Any,
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``-(t * log(x) + (1 - t) * log(1 - x))`` of probabilities; no log is below -100.

    Raises OperatorError for inputs outside [0, 1].
    Source: PyTorch ``torch.nn.functional.binary_cross_entropy``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.binary_cross_entropy(tl.tensor([0.5]), tl.tensor([1.0]))
    tensor(0.6931)
    """
    _same_shape("binary_cross_entropy", input, target)
    if input.size and not (input.min() >= 0 and input.max() <= 1):
        raise OperatorError("binary_cross_entropy: expected inputs between 0 and 1")
    log = xp.maximum(xp.log(input), -100)
    log_not = xp.maximum(xp.log1p(-input), -100)
    loss = (target - 1) * log_not - target * log
    loss = loss if weight is None else loss * weight
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, upcast=True)
def binary_cross_entropy_with_logits(
    xp: Any,
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, without leaving the range of floats.

    ``pos_weight`` multiplies the part of the positive targets.
    Source: PyTorch ``torch.nn.functional.binary_cross_entropy_with_logits``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.binary_cross_entropy_with_logits(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(0.6931)
    """
    _same_shape("binary_cross_entropy_with_logits", input, target)
    negative_log = xp.log1p(xp.exp(-abs(input))) + xp.maximum(-input, 0)
    if pos_weight is not None:
        negative_log = negative_log * ((pos_weight - 1) * target + 1)
    loss = (1 - target) * input + negative_log
    loss = loss if weight is None else loss * weight
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, promote="input target", upcast=True)
def kl_div(
    xp: Any,
    input: Array,
    target: Array,
    size_average: Legacy = None,
    reduce: Legacy = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Array:
    """``t * (log(t) - x)``, x being log-probabilities, and t too with ``log_target``.

    "batchmean" divides the sum by the size of the first dimension.
    Source: PyTorch ``torch.nn.functional.kl_div``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.kl_div(tl.tensor([0.0]), tl.tensor([1.0]), reduction="batchmean")
    tensor(0.)
    """
    if log_target:
        loss = xp.exp(target) * (target - input)
    else:
        loss = special(xp).xlogy(target, target) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, promote="input target", upcast=True)
def poisson_nll_loss(
    xp: Any,
    input: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    size_average: Legacy = None,
    eps: float = 1e-8,
    reduce: Legacy = None,
    reduction: str = "mean",
) -> Array:
    """``exp(x) - t * x``, or ``x - t * log(x + eps)`` for an input that is no logarithm.

    ``full`` adds Stirling's approximation of ``log(t!)`` for targets above 1.
    Source: PyTorch ``torch.nn.functional.poisson_nll_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.poisson_nll_loss(tl.tensor([0.0]), tl.tensor([1.0]))
    tensor(1.)
    """
    if log_input:
        loss = xp.exp(floated(input)) - floated(target * input)
    else:
        loss = floated(input) - floated(target) * xp.log(floated(input) + eps)
    if full:
        target = floated(target)
        stirling = target * xp.log(target) - target + 0.5 * xp.log(2 * math.pi * target)
        loss = loss + xp.where(target > 1, stirling, 0).astype(loss.dtype)
    return reduced(loss, reduction_of(size_average, reduce, reduction))


@op(spaces=F, upcast=True)
def gaussian_nll_loss(
    xp: Any,
    input: Array,
    target: Array,
    var: Array | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Array:
    """``(log(var) + (x - t) ** 2 / var) / 2``, var not below eps; ``full`` adds the constant.

    ``var`` has the input's shape, or lacks its last dimension, or has one of size 1.
    Raises ShapeError and OperatorError. Source: PyTorch ``torch.nn.functional.gaussian_nll_loss``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.gaussian_nll_loss(tl.tensor([1.0]), tl.tensor([3.0]), tl.tensor([1.0]))
    tensor(2.)
    """
    variance = xp.full(input.shape, var, input.dtype) if isinstance(var, int | float) else var
    if (variance < 0).any():
        raise OperatorError("gaussian_nll_loss: var has a negative element")
    if variance.shape != input.shape and variance.shape == input.shape[:-1]:
        variance = variance[..., None]
    sizes = zip(variance.shape, input.shape, strict=False)
    if variance.ndim != input.ndim or any(v not in (1, size) for v, size in sizes):
        raise ShapeError(
            f"gaussian_nll_loss: var {tuple(variance.shape)} does not fit the input "
            f"{tuple(input.shape)}"
        )
    variance = xp.maximum(variance, eps)
    difference = input - target
    loss = 0.5 * (xp.log(variance) + difference * difference / variance)
    loss = loss + 0.5 * math.log(2 * math.pi) if full else loss
    return reduced(loss, reduction_of(None, None, reduction))


def reduction_of(size_average: Legacy, reduce: Legacy, reduction: str) -> str:
    """The reduction asked for, in the older way or in the newer one."""
    if size_average is not None or reduce is not None:
        if reduce is False:
            return "none"
        return "sum" if size_average is False else "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(f"reduction is 'none', 'mean' or 'sum', not {reduction!r}")
    return reduction


def floated(array: Array) -> Array:
    """Integers in the default float dtype; floats as they are."""
    return array.astype(get_default_dtype().numpy) if is_integral(array) else array


def reduced(loss: Any, how: str) -> Any:
    """The losses, their mean or their sum."""
    if how == "none":
        return loss
    return loss.mean() if how == "mean" else loss.sum()


def _weighted(loss: Array, input: Array, weight: Array | None, how: str) -> Array:
    if dtype_of(loss).is_integral and how == "mean":
        raise DTypeError(f"the mean of {dtype_of(loss).name} losses is no integer; use floats")
    if weight is None:
        return reduced(loss, how)
    _same_shape("weighted loss", input, weight)
    loss = loss * weight
    return loss.sum() / weight.sum() if how == "mean" else reduced(loss, how)


def _same_shape(name: str, input: Array, other: Array) -> None:
    if input.shape != other.shape:
        raise ShapeError(
            f"{name}: expected two tensors of one shape, got {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
