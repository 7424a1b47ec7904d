"""Dropout layers: random zeros while training, the identity after ``eval()``."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..tensor import Tensor
from . import functional as F
from .module import Module


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(f"{self._get_name()}: p is a probability, got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"

    def _drop(self, function: Any, input: Tensor) -> Tensor:
        if not self.training:
            return input
        return function(input, self.p, True, self.inplace)


class Dropout(_Dropout):
    """Zeros with probability ``p``, the rest divided by ``1 - p``, while training.

    Source: PyTorch ``torch.nn.Dropout`` (Hinton et al., 2012).

    >>> import tensorlite as tl
    >>> tl.nn.Dropout().eval()(tl.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.dropout, input)


class Dropout1d(_Dropout):
    """Whole channels of (N, C, L) or (C, L) zero with probability ``p``, while training.

    Source: PyTorch ``torch.nn.Dropout1d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.Dropout1d()(tl.ones(2, 3, 4)).shape)
    (2, 3, 4)
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.dropout1d, input)


class Dropout2d(_Dropout):
    """Whole channels of (N, C, H, W) or (N, C, L) zero with probability ``p``, while training.

    Source: PyTorch ``torch.nn.Dropout2d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.Dropout2d()(tl.ones(2, 3, 4, 5)).shape)
    (2, 3, 4, 5)
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.dropout2d, input)


class Dropout3d(_Dropout):
    """Whole channels of (N, C, D, H, W) zero with probability ``p``, while training.

    Source: PyTorch ``torch.nn.Dropout3d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.Dropout3d()(tl.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 4, 5, 6)
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.dropout3d, input)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for SELU networks, while training.

    Source: PyTorch ``torch.nn.AlphaDropout`` (Klambauer et al., 2017).

    >>> import tensorlite as tl
    >>> tuple(tl.nn.AlphaDropout()(tl.ones(2, 3)).shape)
    (2, 3)
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.alpha_dropout, input)


class FeatureAlphaDropout(_Dropout):
    """Alpha dropout of whole channels, while training.

    Source: PyTorch ``torch.nn.FeatureAlphaDropout``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.FeatureAlphaDropout()(tl.ones(2, 3, 4)).shape)
    (2, 3, 4)
    """

    def forward(self, input: Tensor) -> Tensor:
        return self._drop(F.feature_alpha_dropout, input)
