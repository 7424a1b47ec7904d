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
    off = 1 - tl.eye(classes, dtype=pairwise.dtype, device=pairwise.device)
    r = pairwise * off
    q = tl.diag_embed((r * r).sum(1)) - r * r.transpose(1, 2)
    p = tl.full(r.shape[:2], 1 / classes, dtype=r.dtype, device=r.device)
    for _ in range(_ROUNDS):
        qp = (q @ p[:, :, None])[:, :, 0]
        pqp = (p * qp).sum(1, True)
        going = tl.amax(tl.abs(qp - pqp), 1, True) >= 0.005 / classes
        if not tl.any(going).item():
            break
        p = tl.where(going, _round(p, q, qp, pqp), p)
    return p


def _round(p: Tensor, q: Tensor, qp: Tensor, pqp: Tensor) -> Tensor:
    """One class after the other moved to where the error is least, the others kept."""
    for t in range(p.shape[1]):
        row = q[:, t]
        own = row[:, t : t + 1]
        step = (pqp - qp[:, t : t + 1]) / own
        pqp = (pqp + step * (step * own + 2 * qp[:, t : t + 1])) / (1 + step) ** 2
        qp = (qp + step * row) / (1 + step)
        unit = tl.eye(p.shape[1], dtype=p.dtype, device=p.device)[t]
        p = (p + step * unit) / (1 + step)
    return p
