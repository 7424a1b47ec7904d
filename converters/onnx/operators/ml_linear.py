"""Linear models (ai.onnx.ml): regression and classification."""

from __future__ import annotations

from collections.abc import Sequence

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .ml_features import ML, Numbers, matrix, rows, sized
from .ml_scores import Labels, binary_scores, check_post_transform, post_transform


@onnx_op("LinearRegressor", domain=ML)
class LinearRegressor:
    """A linear function of the features for each target: ``(rows, targets)``."""

    def __init__(
        self,
        *,
        coefficients: Sequence[float] | None = None,
        intercepts: Sequence[float] | None = None,
        post_transform: str = "NONE",
        targets: int = 1,
    ) -> None:
        self.transform = check_post_transform(post_transform)
        self.coefficients = matrix(coefficients, targets, "coefficients")
        self.intercepts = sized(intercepts, targets, "intercepts")

    def __call__(self, x: Tensor) -> Tensor:
        x = rows(x, self.coefficients.array.shape[1])
        scores = F.linear(x, self.coefficients.like(x), self.intercepts.like(x))
        return post_transform(scores, self.transform).float()


@onnx_op("LinearClassifier", domain=ML)
class LinearClassifier:
    """The class with the greatest linear function of the features, and the scores of all.

    One function for two classes speaks for the second one, where it is above zero. Whether the
    model is multinomial (``multi_class``) shows in the transform alone.
    """

    def __init__(
        self,
        *,
        coefficients: Sequence[float] | None = None,
        intercepts: Sequence[float] | None = None,
        classlabels_ints: Sequence[int] | None = None,
        classlabels_strings: Sequence[str] | None = None,
        multi_class: int = 0,
        post_transform: str = "NONE",
    ) -> None:
        self.transform = check_post_transform(post_transform)
        self.labels = Labels(classlabels_ints, classlabels_strings, "classlabel")
        self.coefficients, self.intercepts = Numbers(coefficients or ()), Numbers(intercepts or ())

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self._scores(rows(x))
        if len(self.labels) == 2 and scores.shape[1] == 1:
            best = (scores[:, 0] > 0).long()
            both = binary_scores(scores, self.transform, positive=True)
            return self.labels.of(best), both.float()
        best = tl.argmax(scores, 1)
        return self.labels.of(best), post_transform(scores, self.transform).float()

    def _scores(self, x: Tensor) -> Tensor:
        """One column per linear function: for each class, or the second one of two."""
        classes, features = len(self.labels), x.shape[1]
        count, rest = divmod(len(self.coefficients.array), max(features, 1))
        if rest or count != classes and (count, classes) != (1, 2):
            raise OnnxError(
                f"expected {classes} x features coefficients for {classes} classes, got "
                f"{len(self.coefficients.array)} for {features} features"
            )
        if len(self.intercepts.array) not in (0, count):
            raise OnnxError(f"expected {count} intercepts, got {len(self.intercepts.array)}")
        offsets = self.intercepts.like(x) if len(self.intercepts.array) else None
        return F.linear(x, self.coefficients.like(x).reshape(count, features), offsets)
