"""Variance and standard deviation, covariance and correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of, is_integral, normalize_dims
from .reduction import added, count
from .registry import Array, op

Dims = int | Sequence[int] | bool | None
Correction = int | float | None


@op(method=True, upcast=True)
def var(
    xp: Any,
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Correction = None,
) -> Array:
    """The variance over ``dim`` (one, several, or all), of n elements over ``n - correction``.

    The correction is 1 unless given; ``unbiased=False`` makes it 0. The variance of complex
    numbers is real. Raises DTypeError for integers. Source: PyTorch ``torch.var``.

    >>> import tensorlite as tl
    >>> tl.var(tl.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    >>> tl.var(tl.tensor([[1.0, 3.0], [2.0, 6.0]]), dim=1, correction=0)
    tensor([1., 4.])
    """
    return _moments(xp, input, dim, unbiased, keepdim, correction, "var")[0]


@op(method=True, upcast=True)
def std(
    xp: Any,
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Correction = None,
) -> Array:
    """The square root of :func:`var`. Source: PyTorch ``torch.std``.

    >>> import tensorlite as tl
    >>> tl.std(tl.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return xp.sqrt(_moments(xp, input, dim, unbiased, keepdim, correction, "std")[0])


@op(upcast=True)
def var_mean(
    xp: Any,
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Correction = None,
) -> tuple[Array, Array]:
    """(var, mean) over ``dim``. Source: PyTorch ``torch.var_mean``.

    >>> import tensorlite as tl
    >>> tl.var_mean(tl.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return _moments(xp, input, dim, unbiased, keepdim, correction, "var_mean")


@op(upcast=True)
def std_mean(
    xp: Any,
    input: Array,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Correction = None,
) -> tuple[Array, Array]:
    """(std, mean) over ``dim``. Source: PyTorch ``torch.std_mean``.

    >>> import tensorlite as tl
    >>> tl.std_mean(tl.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    spread, mean = _moments(xp, input, dim, unbiased, keepdim, correction, "std_mean")
    return xp.sqrt(spread), mean


@op(method=True, promote="input aweights", floating=True, upcast=True)
def cov(
    xp: Any,
    input: Array,
    *,
    correction: int = 1,
    fweights: Array | None = None,
    aweights: Array | None = None,
) -> Array:
    """The covariance matrix of variables in rows, observations in columns.

    ``fweights`` counts each observation (integers), ``aweights`` weighs it.
    Source: PyTorch ``torch.cov``.

    >>> import tensorlite as tl
    >>> tl.cov(tl.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    return _covariance(xp, input, correction, fweights, aweights)


@op(method=True, promote="input", floating=True, upcast=True)
def corrcoef(xp: Any, input: Array) -> Array:
    """The correlation coefficients of variables in rows: covariances over deviations.

    Source: PyTorch ``torch.corrcoef``.

    >>> import tensorlite as tl
    >>> tl.corrcoef(tl.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = _covariance(xp, input, 1, None, None)
    if c.ndim == 0:
        return c / c
    deviations = xp.sqrt(xp.diagonal(c).real)
    result = c / deviations[:, None] / deviations[None, :]
    if result.dtype.kind != "c":
        return xp.clip(result, -1, 1)
    result.real, result.imag = xp.clip(result.real, -1, 1), xp.clip(result.imag, -1, 1)
    return result


def _moments(
    xp: Any,
    input: Array,
    dim: Dims,
    unbiased: bool | None,
    keepdim: bool,
    correction: Correction,
    name: str,
) -> tuple[Array, Array]:
    """(variance, mean); ``var(x, False)`` means unbiased, as in PyTorch."""
    if is_integral(input):
        raise DTypeError(
            f"{name}: expected floats or complex numbers, got {dtype_of(input).name}; use x.float()"
        )
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ArgumentError(f"{name}: expected unbiased or correction, got both")
    if correction is None:
        correction = 0 if unbiased is False else 1
    axes = normalize_dims(dim, input.ndim, name)
    number = count(input.shape, axes)
    mean = added(input, axes, True) / input.dtype.type(number)
    spread = input - mean
    if spread.dtype.kind == "c":
        spread = xp.abs(spread)
    total = added(spread * spread, axes, keepdim)
    return total / total.dtype.type(max(0, number - correction)), mean.reshape(total.shape)


def _covariance(
    xp: Any, input: Array, correction: int, fweights: Array | None, aweights: Array | None
) -> Array:
    if input.ndim > 2:
        raise ShapeError(f"cov: expected a vector or a matrix, got shape {input.shape}")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    weights = _weights(fweights, aweights, x)
    if weights is None:
        total: Any = x.shape[1]
        mean = added(x, (1,), True) / x.dtype.type(total)
        norm = total - correction
    else:
        total = weights.sum()
        mean = (x * weights).sum(axis=1, keepdims=True) / total
        norm = total - correction
        if aweights is not None:
            norm = total - correction * (weights * aweights.real).sum() / total
    centred = x - mean
    weighted = centred if weights is None else centred * weights
    other = centred.T.conj() if x.dtype.kind == "c" else centred.T
    product = xp.matmul(weighted.astype(x.dtype, copy=False), other)
    result = product / xp.asarray(xp.maximum(norm, 0), x.real.dtype)
    return result[0, 0] if result.shape == (1, 1) else result


def _weights(fweights: Array | None, aweights: Array | None, x: Array) -> Array | None:
    """How much each observation weighs, if anything is given, in the dtype of ``x``."""
    number = x.shape[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None and given.shape != (number,):
            raise ShapeError(
                f"cov: expected {name} of shape ({number},), got {given.shape}: one per observation"
            )
    given = [w.real.astype(x.real.dtype) for w in (fweights, aweights) if w is not None]
    return given[0] * given[-1] if len(given) == 2 else given[0] if given else None
