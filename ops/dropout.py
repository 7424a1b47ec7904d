"""Dropout: random zeros while training, the identity otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of, is_integral
from .random import _draw
from .registry import TOP, Array, F, op

_ALPHA = 1.7580993408473766  # what SELU's negative side tends to, without its sign


@op(spaces=(F, TOP), inplace=True, upcast=True)
def dropout(
    xp: Any, input: Array, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Array:
    """Zeros with probability ``p``, the rest divided by ``1 - p``; itself unless ``training``.

    Raises ArgumentError for a ``p`` outside [0, 1] and DTypeError for integers.
    Source: PyTorch ``torch.nn.functional.dropout`` (Hinton et al., 2012).

    >>> import tensorlite as tl
    >>> tl.nn.functional.dropout(tl.ones(2), training=False)
    tensor([1., 1.])
    """
    _check_probability(p, "dropout")
    return input * _mask(xp, input, p, False) if training else input


@op(spaces=(F, TOP), inplace=True, upcast=True)
def alpha_dropout(
    xp: Any, input: Array, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Array:
    """Dropout that keeps mean and variance, for SELU networks; itself unless ``training``.

    Source: PyTorch ``torch.nn.functional.alpha_dropout`` (Klambauer et al., 2017).

    >>> import tensorlite as tl
    >>> tl.nn.functional.alpha_dropout(tl.ones(2))
    tensor([1., 1.])
    """
    _check_probability(p, "alpha_dropout")
    return _alpha_dropped(xp, input, p, features=False) if training else input


@op(spaces=(F, TOP), inplace=True, upcast=True)
def feature_alpha_dropout(
    xp: Any, input: Array, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Array:
    """:func:`alpha_dropout` of whole channels of (N, C, ...); itself unless ``training``.

    Source: PyTorch ``torch.nn.functional.feature_alpha_dropout``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.feature_alpha_dropout(tl.ones(1, 2)).tolist()
    [[1.0, 1.0]]
    """
    _check_probability(p, "feature_alpha_dropout")
    return _alpha_dropped(xp, input, p, features=True) if training else input


@op(inplace=True, upcast=True)
def feature_dropout(xp: Any, input: Array, p: float, train: bool) -> Array:
    """:func:`dropout` of whole channels of (N, C, ...); itself unless ``train``.

    Source: PyTorch ``torch.feature_dropout``.

    >>> import tensorlite as tl
    >>> tl.feature_dropout(tl.ones(1, 2), 0.5, False).tolist()
    [[1.0, 1.0]]
    """
    _check_probability(p, "feature_dropout")
    return input * _mask(xp, input, p, True) if train else input


@op(spaces=F, upcast=True)
def dropout1d(
    xp: Any, input: Array, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Array:
    """:func:`dropout` of whole channels of (N, C, L) or (C, L); itself unless ``training``.

    Source: PyTorch ``torch.nn.functional.dropout1d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.functional.dropout1d(tl.ones(2, 3, 4)).shape)
    (2, 3, 4)
    """
    return _channels_dropped(xp, input, p, training, "dropout1d", single=2, batched=(3,))


@op(spaces=F, upcast=True)
def dropout2d(
    xp: Any, input: Array, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Array:
    """:func:`dropout` of whole channels of (N, C, H, W) or (N, C, L); itself unless ``training``.

    Source: PyTorch ``torch.nn.functional.dropout2d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.functional.dropout2d(tl.ones(2, 3, 4, 5)).shape)
    (2, 3, 4, 5)
    """
    return _channels_dropped(xp, input, p, training, "dropout2d", single=None, batched=(3, 4))


@op(spaces=F, upcast=True)
def dropout3d(
    xp: Any, input: Array, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Array:
    """:func:`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W); itself unless
    ``training``.

    Source: PyTorch ``torch.nn.functional.dropout3d``.

    >>> import tensorlite as tl
    >>> tuple(tl.nn.functional.dropout3d(tl.ones(2, 3, 4, 5, 6)).shape)
    (2, 3, 4, 5, 6)
    """
    return _channels_dropped(xp, input, p, training, "dropout3d", single=4, batched=(5,))


def kept(xp: Any, shape: Any, dtype: Any, p: float) -> Array:
    """An array of 0 with probability ``p``, else ``1 / (1 - p)``."""
    factor = 0.0 if p == 1 else 1 / (1 - p)
    return _draw(xp, None, lambda g: (g.random(shape) >= p) * factor, np.dtype(dtype))


def _mask(xp: Any, input: Array, p: float, features: bool) -> Array:
    if is_integral(input):
        raise DTypeError(f"dropout: expected floats, got {dtype_of(input).name}")
    if features and input.ndim < 2:
        raise ShapeError(f"dropout of channels: expected (N, C, ...), got {tuple(input.shape)}")
    shape = (*input.shape[:2], *[1] * (input.ndim - 2)) if features else input.shape
    return kept(xp, shape, input.dtype, p)


def _alpha_dropped(xp: Any, input: Array, p: float, features: bool) -> Array:
    noise = _mask(xp, input, p, features) * (1 - p)
    if p == 1:
        return input * noise
    scale = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    return input * (noise * scale) + ((noise - 1) * (_ALPHA * scale) + _ALPHA * scale * p)


def _channels_dropped(
    xp: Any, input: Array, p: float, training: bool, name: str, single: int | None, batched: Any
) -> Array:
    _check_probability(p, name)
    if input.ndim != single and input.ndim not in batched:
        raise ShapeError(f"{name}: cannot take an input of shape {tuple(input.shape)}")
    if not training:
        return input
    x = input[None] if input.ndim == single else input
    dropped = x * _mask(xp, x, p, True)
    return dropped[0] if input.ndim == single else dropped


def _check_probability(p: float, name: str) -> None:
    if not 0 <= p <= 1:
        raise ArgumentError(f"{name}: p is a probability, got {p}")
