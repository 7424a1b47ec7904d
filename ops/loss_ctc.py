"""Connectionist temporal classification: the loss of a text against unaligned scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .loss import reduced, reduction_of
from .registry import Array, F, op


@op(spaces=F, upcast=True)
def ctc_loss(
    xp: Any,
    log_probs: Array,
    targets: Array,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Array:
    """``-log p(targets | log_probs)``, summed over all alignments (Graves et al., 2006).

    log_probs (T, N, C) or (T, C); targets (N, S), or all behind one another in one dimension;
    lengths (N,). The mean divides each loss by its target's length first.
    Raises ShapeError, ArgumentError. Source: PyTorch ``torch.nn.functional.ctc_loss``.

    >>> import tensorlite as tl
    >>> scores = tl.log_softmax(tl.zeros(2, 1, 2), -1)
    >>> tl.nn.functional.ctc_loss(scores, tl.tensor([[1]]), [2], [1])
    tensor(0.2877)
    """
    how = reduction_of(None, None, reduction)
    single = log_probs.ndim == 2
    logs = log_probs[:, None] if single else log_probs
    steps, texts = _lengths(input_lengths), _lengths(target_lengths)
    _check(logs, steps, texts, blank)
    losses = _losses(xp, logs, _padded(xp, targets, texts), steps, texts, blank)
    if zero_infinity:
        losses = xp.where(xp.isinf(losses), xp.zeros((), losses.dtype), losses)
    if how == "mean":
        return (losses / xp.asarray(np.maximum(texts, 1), losses.dtype)).mean()
    return losses[0] if single and how == "none" else reduced(losses, how)


def _losses(xp: Any, logs: Array, labels: Array, steps: Any, texts: Any, blank: int) -> Array:
    """The forward algorithm, over all texts at once: (N,)."""
    batch, longest = labels.shape
    path = xp.full((batch, 2 * longest + 1), blank, np.int64)  # a blank around every label
    path[:, 1::2] = labels
    skips = xp.zeros(path.shape, bool)  # whether the blank in front may be left out
    skips[:, 2:] = (path[:, 2:] != blank) & (path[:, 2:] != path[:, :-2])
    never = xp.asarray(-math.inf, logs.dtype)
    alpha = xp.full(path.shape, never, logs.dtype)
    ended = xp.full(path.shape, never, logs.dtype)
    places = xp.asarray(steps)[:, None]
    for step in range(max(int(steps.max(initial=0)), 1) if len(logs) else 0):
        scores = xp.take_along_axis(logs[step], path, axis=1)
        if step == 0:
            alpha[:, :2] = scores[:, :2]
        else:
            before = xp.full((3, *path.shape), never, logs.dtype)
            before[0] = alpha
            before[1, :, 1:] = alpha[:, :-1]
            before[2, :, 2:] = xp.where(skips[:, 2:], alpha[:, :-2], never)
            alpha = _log_sum(xp, before) + scores
        ended = xp.where(places == step + 1, alpha, ended)
    last = xp.asarray(2 * texts)[:, None]
    ends = xp.concatenate([last, xp.maximum(last - 1, 0)], axis=1)
    found = xp.take_along_axis(ended, ends, axis=1)
    found[:, 1] = xp.where(xp.asarray(texts) > 0, found[:, 1], never)
    result = -_log_sum(xp, found.T)
    nothing = xp.asarray((steps == 0) & (texts == 0))
    return xp.where(nothing, xp.zeros((), result.dtype), result)


def _log_sum(xp: Any, terms: Array) -> Array:
    """log(sum(exp(terms))) over the first dimension; -inf where all are."""
    top = terms.max(axis=0)
    safe = xp.where(xp.isinf(top), xp.zeros((), top.dtype), top)
    return xp.log(xp.exp(terms - safe).sum(axis=0)) + safe


def _lengths(lengths: Any) -> Any:
    host = lengths.get() if hasattr(lengths, "get") else lengths
    return np.atleast_1d(np.asarray(host, np.int64))


def _padded(xp: Any, targets: Array, texts: Any) -> Array:
    """The labels as (N, longest), zeros behind each."""
    longest = int(texts.max(initial=0))
    if targets.ndim == 2:
        if targets.shape[1] < longest or len(targets) != len(texts):
            raise ShapeError(
                f"ctc_loss: targets {tuple(targets.shape)} do not fit the lengths {texts.tolist()}"
            )
        labels = targets[:, :longest].astype(np.int64)
    else:
        if targets.size != texts.sum():
            raise ShapeError(
                f"ctc_loss: {targets.size} labels do not fit the lengths {texts.tolist()}"
            )
        labels = xp.zeros((len(texts), longest), np.int64)
        begin = 0
        for row, size in enumerate(texts.tolist()):
            labels[row, :size] = targets[begin : begin + size]
            begin += size
    within = xp.arange(longest) < xp.asarray(texts)[:, None]
    return xp.where(within, labels, 0)


def _check(logs: Array, steps: Any, texts: Any, blank: int) -> None:
    if logs.ndim != 3 or len(steps) != logs.shape[1] or len(texts) != logs.shape[1]:
        raise ShapeError(
            f"ctc_loss: expected log_probs (T, N, C) and N lengths, got {tuple(logs.shape)}, "
            f"{len(steps)} and {len(texts)} lengths"
        )
    if not 0 <= blank < logs.shape[2]:
        raise ArgumentError(f"ctc_loss: blank {blank} is none of {logs.shape[2]} classes")
    if steps.max(initial=0) > logs.shape[0] or min(steps.min(initial=0), texts.min(initial=0)) < 0:
        raise ArgumentError(
            f"ctc_loss: input lengths must be from 0 to {logs.shape[0]}, got {steps.tolist()}"
        )
