"""Probabilities of classes from those of each of two classes."""

from __future__ import annotations

import tensorlite as tl
from tensorlite import Tensor

_ROUNDS = 100


def coupled(pairwise: Tensor) -> Tensor:
    """Probabilities ``(rows, classes)`` that agree best with ``pairwise[:, i, j]``: that of i
    where only i and j are possible (``(rows, classes, classes)``, with any diagonal).

    Source: Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise
    Coupling" (2004), algorithm 2, as libsvm stops it.

    >>> import tensorlite as tl
    >>> coupled(tl.tensor([[[0.0, 0.8], [0.2, 0.0]]]))
    tensor([[0.8000, 0.2000]])
    """
    classes = pairwise.shape[1]
    units = tl.eye(classes, dtype=pairwise.dtype, device=pairwise.device)
    r = pairwise * (1 - units)
    q = tl.diag_embed((r * r).sum(1)) - r * r.transpose(1, 2)
    p = tl.full(r.shape[:2], 1 / classes, dtype=r.dtype, device=r.device)
    for _ in range(_ROUNDS):
        qp = (q @ p[:, :, None])[:, :, 0]
        pqp = (p * qp).sum(1, True)
        going = tl.amax(tl.abs(qp - pqp), 1, True) >= 0.005 / classes
        if not tl.any(going).item():
            break
        p = tl.where(going, _round(p, q, qp, pqp, units), p)
    return p


def _round(p: Tensor, q: Tensor, qp: Tensor, pqp: Tensor, units: Tensor) -> Tensor:
    """One class after the other moved to where the error is least, the others kept."""
    for t in range(p.shape[1]):
        row, error = q[:, t], qp[:, t : t + 1]
        own = row[:, t : t + 1]
        step = (pqp - error) / own
        share = 1 / (1 + step)
        pqp = (pqp + step * (step * own + 2 * error)) * (share * share)
        qp = (qp + step * row) * share
        p = (p + step * units[t]) * share
    return p
