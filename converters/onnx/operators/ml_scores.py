"""Scores of classic machine-learning models (ai.onnx.ml): their transforms, and class labels.

The specification names the transforms but has no formulas. The ones here are those of ONNX
Runtime, whose answers models in use were checked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..values import strings

POST_TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")  # as TreeEnsemble's
_NEARLY_ZERO = 1e-7


def check_post_transform(name: str) -> str:
    """The name, if there is such a transform; else OnnxError."""
    if name not in POST_TRANSFORMS:
        raise OnnxError(f"post_transform is {name!r}, expected {', '.join(POST_TRANSFORMS)}")
    return name


def post_transform(scores: Tensor, name: str) -> Tensor:
    """Scores ``(rows, classes or targets)`` after the transform of that name; the same dtype.

    A score that is alone in its row only changes under PROBIT: LOGISTIC and the softmaxes are
    for rows of two scores and more (and for :func:`binary_scores`).

    >>> import tensorlite as tl
    >>> post_transform(tl.tensor([[0.0, 0.0], [1.0, 0.0]]), "SOFTMAX")
    tensor([[0.5000, 0.5000],
            [0.7311, 0.2689]])
    """
    if check_post_transform(name) == "PROBIT":
        return probit(scores)
    if scores.shape[1] < 2 or name == "NONE":
        return scores
    if name == "LOGISTIC":
        return tl.sigmoid(scores)
    return tl.softmax(scores, 1) if name == "SOFTMAX" else softmax_zero(scores)


def binary_scores(score: Tensor, name: str, positive: bool) -> Tensor:
    """The scores of both classes, ``(rows, 2)``, of a model with one score ``s`` for the second.

    ``1 - s`` and ``s`` if the model's weights are all ``positive`` (``s`` is then taken for a
    share of votes), ``-s`` and ``s`` if not. LOGISTIC makes them ``sigmoid(-s)`` and
    ``sigmoid(s)``, PROBIT ``probit(1 - s)`` and ``probit(s)``; the softmaxes change nothing.

    >>> import tensorlite as tl
    >>> binary_scores(tl.tensor([[0.25]]), "NONE", positive=True)
    tensor([[0.7500, 0.2500]])
    """
    score = score.reshape(-1, 1)
    if check_post_transform(name) == "PROBIT":
        quantile = probit(score)
        return tl.cat([-quantile, quantile], 1)
    if name == "LOGISTIC":
        return tl.sigmoid(tl.cat([-score, score], 1))
    return tl.cat([1 - score if positive else -score, score], 1)


def softmax_zero(scores: Tensor) -> Tensor:
    """Softmax among the scores of a row that are not zero; a row of zeros only becomes nan.

    >>> import tensorlite as tl
    >>> softmax_zero(tl.tensor([[2.0, 0.0, 2.0]]))
    tensor([[0.5000, 0.0000, 0.5000]])
    """
    counts = tl.abs(scores) > _NEARLY_ZERO
    top = tl.amax(scores, 1, True)
    part = tl.where(counts, tl.exp(scores - top), tl.zeros_like(scores))
    return part / tl.sum(part, 1, True)


def probit(p: Tensor) -> Tensor:
    """The quantile of the standard normal distribution, to 3 digits; nan outside [0, 1].

    ONNX Runtime and ONNX's reference both use Winitzki's approximation of the inverse error
    function (2008, "A handy approximation for the error function and its inverse", a = 0.147).

    >>> import tensorlite as tl
    >>> probit(tl.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9590])
    """
    x = 2 * p.double() - 1
    log = tl.log((1 - x) * (1 + x))
    half = 2 / (3.14159 * 0.147) + log / 2
    return (2**0.5 * tl.sign(x) * tl.sqrt(tl.sqrt(half * half - log / 0.147) - half)).to(p.dtype)


class Labels:
    """The names of a classifier's classes: numbers or strings, one of the two lists given."""

    def __init__(self, ints: Sequence[int] | None, text: Sequence[str] | None, name: str) -> None:
        if bool(ints) == bool(text):
            raise OnnxError(f"expected either {name}s_ints or {name}s_strings, got "
                            f"{'both' if ints else 'neither'}")  # fmt: skip
        self.names: Any = np.array(ints, np.int64) if ints else np.array(text, object)

    def __len__(self) -> int:
        return len(self.names)

    def of(self, index: Tensor) -> Tensor:
        """The labels of the classes with these indices: int64, or strings on the cpu."""
        if self.names.dtype == object:
            return strings(self.names[index._host()])
        return tl.from_numpy(self.names).to(index.device)[index]
