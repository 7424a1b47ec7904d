"""Softmax and its kin: numbers that add up to one along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..errors import DTypeError
from .dims import dtype_of, normalize_dim
from .registry import TOP, Array, F, op


@op(spaces=(TOP, F, "special"), method=True)
def softmax(
    xp: Any,
    input: Array,
    dim: int | None = None,
    _stacklevel: Any = 3,
    dtype: Dtype | None = None,
) -> Array:
    """``exp(x) / sum(exp(x))`` along ``dim``.

    ``dtype``, which may also come third, casts the input first. Raises DTypeError for integers
    without it. Source: PyTorch ``torch.softmax``, ``torch.nn.functional.softmax``.

    >>> import tensorlite as tl
    >>> tl.softmax(tl.tensor([[1.0, 1.0], [0.0, 2.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [0.1192, 0.8808]])
    """
    x, axis, target = _prepared(input, dim, _stacklevel, dtype, "softmax")
    return normalized(xp, x, axis).astype(target, copy=False)


@op(spaces=(TOP, F, "special"), method=True)
def log_softmax(
    xp: Any,
    input: Array,
    dim: int | None = None,
    _stacklevel: Any = 3,
    dtype: Dtype | None = None,
) -> Array:
    """``log(softmax(x))`` along ``dim``, without leaving the range of floats.

    Arguments as in :func:`softmax`. Source: PyTorch ``torch.log_softmax``,
    ``torch.nn.functional.log_softmax``.

    >>> import tensorlite as tl
    >>> tl.log_softmax(tl.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    x, axis, target = _prepared(input, dim, _stacklevel, dtype, "log_softmax")
    return log_normalized(xp, x, axis).astype(target, copy=False)


@op(spaces=F)
def softmin(
    input: Array, dim: int | None = None, _stacklevel: int = 3, dtype: Dtype | None = None
) -> Array:
    """``softmax(-x)`` along ``dim``. Source: PyTorch ``torch.nn.functional.softmin``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.softmin(tl.tensor([0.0, 2.0]), dim=0)
    tensor([0.8808, 0.1192])
    """
    return softmax(-input, _dim(input, dim), dtype=dtype)


@op(spaces=F)
def gumbel_softmax(
    logits: Array, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Array:
    """A sample of the Gumbel-softmax distribution (Jang et al., 2016); one-hot if ``hard``.

    Source: PyTorch ``torch.nn.functional.gumbel_softmax``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.gumbel_softmax(tl.zeros(1, 3), hard=True).sum()
    tensor(1.)
    """
    noise = -logits.new_empty(logits.shape).exponential_().log()
    soft = softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    return logits.new_zeros(logits.shape).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)


def normalized(xp: Any, x: Array, axis: int) -> Array:
    """Softmax of an array, along an axis."""
    if x.ndim == 0 or x.size == 0:
        return xp.exp(x - x)
    result = x - x.max(axis=axis, keepdims=True)
    xp.exp(result, out=result)
    result /= result.sum(axis=axis, keepdims=True)
    return result


def log_normalized(xp: Any, x: Array, axis: int) -> Array:
    """Log-softmax of an array, along an axis."""
    if x.ndim == 0 or x.size == 0:
        return x - x
    shifted = x - x.max(axis=axis, keepdims=True)
    shifted -= xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True))
    return shifted


def _prepared(
    input: Array, dim: int | None, third: Any, dtype: Dtype | None, name: str
) -> tuple[Array, int, Any]:
    """The array to work on, the axis, and the dtype of the result."""
    target = dtype or (third if isinstance(third, Dtype) else dtype_of(input))
    if not target.is_floating_point:
        raise DTypeError(
            f"{name}: expected floats, got {target.name}; use x.float() or dtype=tl.float32"
        )
    x = input.astype(target.numpy, copy=False)
    wide = x.astype(np.float32) if target.is_half else x
    return wide, normalize_dim(_dim(input, dim), x.ndim, name), target.numpy


def _dim(input: Array, dim: int | None) -> int:
    """The dimension PyTorch takes when none is given."""
    if dim is not None:
        return dim
    return 0 if input.ndim in (0, 1, 3) else 1
