"""Support vector machines (ai.onnx.ml): regression, anomaly detection, classification.

Everything is computed in float64, as by libsvm: what is added up here is of either sign and
often much larger than the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .ml_coupling import coupled
from .ml_features import ML, Numbers, matrix, rows, sized
from .ml_scores import Labels, binary_scores, check_post_transform, post_transform

Floats = Sequence[float] | None
_LEAST = 1e-7  # probability of a class in a pair
_BLOCK = 1 << 20  # numbers held at once
_KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")


class Kernel:
    """The products of rows of features with vectors in a space of more dimensions.

    LINEAR: ``x . v``; POLY: ``(gamma x . v + coef0) ** degree``; RBF: ``exp(-gamma |x - v|^2)``;
    SIGMOID: ``tanh(gamma x . v + coef0)``.
    """

    def __init__(self, name: str, parameters: Floats) -> None:
        if name not in _KERNELS:
            raise OnnxError(f"kernel_type is {name!r}, expected {', '.join(_KERNELS)}")
        if parameters and len(parameters) != 3:
            raise OnnxError(f"expected gamma, coef0, degree as kernel_params, got {parameters}")
        self.name = name
        self.gamma, self.coef0, self.degree = parameters or (0.0, 0.0, 0.0)

    def __call__(self, x: Tensor, vectors: Tensor) -> Tensor:
        """``(rows, features)`` and ``(vectors, features)`` to ``(rows, vectors)``."""
        product = x @ vectors.T
        if self.name == "LINEAR":
            return product
        if self.name == "RBF":
            squares = (vectors * vectors).sum(1) + (x * x).sum(1, True)
            return tl.exp(-self.gamma * tl.clamp(squares - 2 * product, 0))
        shifted = self.gamma * product + self.coef0
        return tl.tanh(shifted) if self.name == "SIGMOID" else tl.pow(shifted, self.degree)


def by_blocks(function: Callable[[Tensor], Tensor], x: Tensor, width: int) -> Tensor:
    """A function of rows that needs ``width`` numbers for each, of so many at a time as fit."""
    step = max(1, _BLOCK // width)
    if len(x) <= step:
        return function(x)
    return tl.cat([function(part) for part in x.split(step)])


@onnx_op("SVMRegressor", domain=ML)
class SVMRegressor:
    """``kernel(x, support vectors) @ coefficients + rho``, of the features themselves without any.

    With ``one_class`` 1 where that is above zero, -1 elsewhere.
    """

    def __init__(
        self,
        *,
        coefficients: Floats = None,
        kernel_params: Floats = None,
        kernel_type: str = "LINEAR",
        n_supports: int = 0,
        one_class: int = 0,
        post_transform: str = "NONE",
        rho: Floats = None,
        support_vectors: Floats = None,
    ) -> None:
        self.transform = check_post_transform(post_transform)
        self.one_class = bool(one_class)
        self.kernel = Kernel(kernel_type, kernel_params)
        self.coefficients = matrix(coefficients, 1, "coefficients")
        self.rho = sized(rho, 1, "rho")
        self.vectors: Numbers | None = None
        if n_supports:
            sized(coefficients, n_supports, "coefficients")
            self.vectors = matrix(support_vectors, n_supports, "support_vectors")

    def __call__(self, x: Tensor) -> Tensor:
        vectors = self.vectors or self.coefficients
        x = rows(x, vectors.array.shape[1]).double()
        score = by_blocks(self._scores, x, len(vectors.array))
        if self.one_class:
            return tl.where(score > 0, 1.0, -1.0).float()
        return post_transform(score, self.transform).float()

    def _scores(self, x: Tensor) -> Tensor:
        if self.vectors is not None:
            x = self.kernel(x, self.vectors.like(x))
        return x @ self.coefficients.like(x).T + self.rho.like(x)


@onnx_op("SVMClassifier", domain=ML)
class SVMClassifier:
    """With support vectors every two classes are told apart, and the class with most votes wins.

    Without any there is a linear function for each class, and the greatest wins; but of two
    classes the second one, where either function is above zero (at least 0.5, if no coefficient
    is negative).

    The scores are those of the pairs of classes, or of the classes: where there are two, where
    ``prob_a`` and ``prob_b`` make probabilities of them, and of linear functions.
    """

    def __init__(
        self,
        *,
        classlabels_ints: Sequence[int] | None = None,
        classlabels_strings: Sequence[str] | None = None,
        coefficients: Floats = None,
        kernel_params: Floats = None,
        kernel_type: str = "LINEAR",
        post_transform: str = "NONE",
        prob_a: Floats = None,
        prob_b: Floats = None,
        rho: Floats = None,
        support_vectors: Floats = None,
        vectors_per_class: Sequence[int] | None = None,
    ) -> None:
        self.transform = check_post_transform(post_transform)
        self.labels = Labels(classlabels_ints, classlabels_strings, "classlabel")
        classes = len(self.labels)
        if len(prob_a or ()) != len(prob_b or ()):
            raise OnnxError(f"{len(prob_a or ())} prob_a for {len(prob_b or ())} prob_b")
        self.probability: Probability | None = None
        kernel = Kernel(kernel_type, kernel_params)
        if not sum(vectors_per_class or ()):
            second = classes == 2 and not prob_a
            self.machine: Functions | Pairs = Functions(coefficients, classes, rho, second)
            return
        counts = vectors_per_class or ()
        if classes < 2 or len(counts) != classes:
            raise OnnxError(f"{len(counts)} vectors_per_class for {classes} classes")
        self.machine = Pairs(kernel, support_vectors, counts, coefficients, rho)
        if prob_a:
            self.probability = Probability(self.machine, prob_a, prob_b)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.machine(x)
        labels = self.labels.of(self.machine.winner(scores))
        if self.probability is not None:
            scores = self.probability(scores)
        elif scores.shape[1] == 1 and len(self.labels) == 2:
            positive = self.transform != "NONE"
            return labels, binary_scores(scores, self.transform, positive).float()
        return labels, post_transform(scores, self.transform).float()


class Functions:
    """A linear function of the features for each class."""

    def __init__(self, coefficients: Floats, classes: int, rho: Floats, second: bool) -> None:
        self.coefficients = matrix(coefficients, classes, "coefficients")
        self.rho = Numbers((rho or [0.0])[:1])
        self.second = second
        self.positive = bool((self.coefficients.array >= 0).all())

    def __call__(self, x: Tensor) -> Tensor:
        x = rows(x, self.coefficients.array.shape[1]).double()
        return x @ self.coefficients.like(x).T + self.rho.like(x)

    def winner(self, scores: Tensor) -> Tensor:
        """The class with the greatest score; or the ``second`` one if that is high enough."""
        best = tl.argmax(scores, 1)
        if not self.second:
            return best
        top = tl.amax(scores, 1)
        return tl.where(top >= 0.5 if self.positive else top > 0, 1, best)


class Pairs:
    """A decision between every two classes i < j, as libsvm lays out its support vectors.

    They stand class by class, each with a coefficient for every other class.
    """

    def __init__(
        self,
        kernel: Kernel,
        vectors: Floats,
        counts: Sequence[int],
        coefficients: Floats,
        rho: Floats,
    ) -> None:
        if min(counts) < 0:
            raise OnnxError(f"vectors_per_class are {list(counts)}, expected none below zero")
        self.kernel, self.counts = kernel, list(counts)
        self.vectors = matrix(vectors, sum(counts), "support_vectors")
        self.coefficients = matrix(coefficients, len(counts) - 1, "coefficients")
        if self.coefficients.array.shape[1] != sum(counts):
            raise OnnxError(
                f"expected {len(counts) - 1} x {sum(counts)} coefficients, got "
                f"{self.coefficients.array.size}"
            )
        i, j = np.triu_indices(len(counts), 1)
        self.rho = sized(rho, len(i), "rho")
        self.first, self.second = Numbers(i, np.int64), Numbers(j, np.int64)

    def __call__(self, x: Tensor) -> Tensor:
        """``(rows, features)`` to ``(rows, pairs)``: above zero for the first class of a pair."""
        x = rows(x, self.vectors.array.shape[1]).double()
        width = max(len(self.vectors.array), len(self.counts) ** 2)
        return by_blocks(self._decisions, x, width)

    def _decisions(self, x: Tensor) -> Tensor:
        nearness = self.kernel(x, self.vectors.like(x)).split(self.counts, 1)
        weights = self.coefficients.like(x).split(self.counts, 1)
        # of[:, i, j]: what the vectors of class i say about i and the j-th of the other classes
        of = tl.stack([k @ w.T for k, w in zip(nearness, weights, strict=True)], 1)
        i, j = self.indices(x)
        return of[:, i, j - 1] + of[:, j, i] + self.rho.like(x)

    def winner(self, scores: Tensor) -> Tensor:
        """The class that wins most pairs; the first of several."""
        i, j = self.indices(scores)
        vote = tl.where(scores > 0, i, j)
        votes = tl.zeros(scores.shape[0], len(self.counts), device=scores.device)
        return tl.argmax(votes.scatter_add(1, vote, tl.ones_like(scores).float()), 1)

    def indices(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The classes of each pair: the first, the second."""
        return self.first.on(x.device), self.second.on(x.device)


class Probability:
    """Probabilities of the classes, from a sigmoid of each pair's decision (Platt's scaling)."""

    def __init__(self, pairs: Pairs, a: Floats, b: Floats) -> None:
        self.pairs, count = pairs, len(pairs.first.array)
        self.a, self.b = sized(a, count, "prob_a"), sized(b, count, "prob_b")

    def __call__(self, decisions: Tensor) -> Tensor:
        """``(rows, pairs)`` to ``(rows, classes)``."""
        first = tl.sigmoid(-(decisions * self.a.like(decisions) + self.b.like(decisions)))
        first = tl.clamp(first, _LEAST, 1 - _LEAST)
        i, j = self.pairs.indices(decisions)
        classes = len(self.pairs.counts)
        pairwise = tl.zeros(len(first), classes, classes, dtype=first.dtype, device=first.device)
        pairwise[:, i, j] = first
        pairwise[:, j, i] = 1 - first
        return coupled(pairwise)
