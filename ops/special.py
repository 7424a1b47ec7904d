"""Special functions: of errors, of gamma, of entropy, of the normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Number
from ..errors import ArgumentError, OperatorError
from .dims import special as functions
from .dispatch import write
from .elementwise import sigmoid
from .registry import METHODS, NAMESPACES, TOP, Array, op

BOTH = (TOP, "special")


def _erf(input: Array, xp: Any = np) -> Array:
    return functions(xp).erf(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH,
    fast=_erf, fast_kinds="F",
)  # fmt: skip
def erf(xp: Any, input: Array) -> Array:
    """The error function, ``2 / sqrt(pi) * integral(exp(-t ** 2), 0, input)``.

    Source: PyTorch ``torch.special.erf``.

    >>> import tensorlite as tl
    >>> tl.erf(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return _erf(input, xp)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH)
def erfc(xp: Any, input: Array) -> Array:
    """``1 - erf(input)``, accurate for large numbers. Source: PyTorch ``torch.special.erfc``.

    >>> import tensorlite as tl
    >>> tl.erfc(tl.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return functions(xp).erfc(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH)
def erfinv(xp: Any, input: Array) -> Array:
    """The inverse of :func:`erf`; nan outside [-1, 1]. Source: PyTorch ``torch.special.erfinv``.

    >>> import tensorlite as tl
    >>> tl.erfinv(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return functions(xp).erfinv(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def erfcx(xp: Any, input: Array) -> Array:
    """``exp(input ** 2) * erfc(input)``. Source: PyTorch ``torch.special.erfcx``.

    >>> import tensorlite as tl
    >>> tl.special.erfcx(tl.tensor([0.0, 10.0]))
    tensor([1.0000, 0.0561])
    """
    return functions(xp).erfcx(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True)
def lgamma(xp: Any, input: Array) -> Array:
    """``log(|gamma(input)|)``, inf at 0 and negative integers. Source: PyTorch ``torch.lgamma``.

    >>> import tensorlite as tl
    >>> tl.lgamma(tl.tensor([1.0, 4.0]))
    tensor([0.0000, 1.7918])
    """
    pole = (input <= 0) & (input == xp.floor(input))  # as all large floats are
    return xp.where(pole, xp.asarray(np.inf, input.dtype), functions(xp).gammaln(input))


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH)
def digamma(xp: Any, input: Array) -> Array:
    """The derivative of :func:`lgamma`. Source: PyTorch ``torch.special.digamma``.

    >>> import tensorlite as tl
    >>> tl.digamma(tl.tensor([1.0, 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return _digamma(xp, input)


@op(promote="input", floating=True, upcast=True, spaces=BOTH)
def polygamma(xp: Any, n: int, input: Array) -> Array:
    """The derivative of :func:`digamma`, ``n`` times. Source: PyTorch ``torch.special.polygamma``.

    >>> import tensorlite as tl
    >>> tl.polygamma(1, tl.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    if n < 0:
        raise OperatorError(f"polygamma: n={n} is negative")
    if n == 0:
        return _digamma(xp, input)
    factor = (-1.0) ** (n + 1) * math.factorial(n)
    wide = input.astype(np.float64)
    return (factor * functions(xp).zeta(n + 1.0, wide)).astype(input.dtype)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True)
def mvlgamma(xp: Any, input: Array, p: int) -> Array:
    """The logarithm of the gamma function of dimension ``p``: of elements above ``(p - 1) / 2``.

    Source: PyTorch ``torch.mvlgamma``.

    >>> import tensorlite as tl
    >>> tl.mvlgamma(tl.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    if p < 1:
        raise ArgumentError(f"mvlgamma: expected p of at least 1, got {p}")
    gammaln = functions(xp).gammaln
    constant = math.log(math.pi) * p * (p - 1) / 4
    return sum(gammaln(input - i / 2) for i in range(p)) + constant


@op(method=True, inplace=True, promote="input other", floating=True, upcast=True)
def igamma(xp: Any, input: Array, other: Array) -> Array:
    """The regularised lower incomplete gamma function P(input, other).

    Source: PyTorch ``torch.special.gammainc``.

    >>> import tensorlite as tl
    >>> tl.igamma(tl.tensor([4.0]), tl.tensor([3.0]))
    tensor([0.3528])
    """
    return functions(xp).gammainc(input, other)


@op(method=True, inplace=True, promote="input other", floating=True, upcast=True)
def igammac(xp: Any, input: Array, other: Array) -> Array:
    """The regularised upper incomplete gamma function, ``1 - igamma(input, other)``.

    Source: PyTorch ``torch.special.gammaincc``.

    >>> import tensorlite as tl
    >>> tl.igammac(tl.tensor([4.0]), tl.tensor([3.0]))
    tensor([0.6472])
    """
    return functions(xp).gammaincc(input, other)


@op(promote="input other", floating=True, upcast=True, spaces="special")
def zeta(xp: Any, input: Array | Number, other: Array | Number) -> Array:
    """The Hurwitz zeta function, ``sum((k + other) ** -input for k = 0, 1, 2...)``.

    Source: PyTorch ``torch.special.zeta``.

    >>> import tensorlite as tl
    >>> tl.special.zeta(tl.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    return functions(xp).zeta(input, other)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH
)  # fmt: skip
def logit(xp: Any, input: Array, eps: float | None = None) -> Array:
    """``log(input / (1 - input))``; ``eps`` clamps the input to [eps, 1 - eps] first.

    Source: PyTorch ``torch.special.logit``.

    >>> import tensorlite as tl
    >>> tl.logit(tl.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    if eps is not None:
        input = xp.minimum(xp.maximum(input, eps), 1 - eps).astype(input.dtype, copy=False)
    return xp.log(input / (1 - input))


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=BOTH)
def sinc(xp: Any, input: Array) -> Array:
    """``sin(pi * input) / (pi * input)``, 1 at 0. Source: PyTorch ``torch.special.sinc``.

    >>> import tensorlite as tl
    >>> tl.sinc(tl.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    angle = input * math.pi
    one = xp.ones((), input.dtype)
    return xp.where(input == 0, one, xp.sin(angle) / xp.where(input == 0, one, angle))


@op(method=True, inplace=True, promote="input other", floating=True, upcast=True, spaces=BOTH)
def xlogy(xp: Any, input: Array | Number, other: Array | Number) -> Array:
    """``input * log(other)``, 0 where ``input`` is 0 (unless ``other`` is nan).

    Source: PyTorch ``torch.special.xlogy``.

    >>> import tensorlite as tl
    >>> tl.xlogy(tl.tensor([0.0, 2.0]), tl.tensor([0.0, 3.0]))
    tensor([0.0000, 2.1972])
    """
    return _product(xp, input, xp.log(other), other)


@op(promote="input other", floating=True, upcast=True, spaces="special")
def xlog1py(xp: Any, input: Array | Number, other: Array | Number) -> Array:
    """``input * log1p(other)``, 0 where ``input`` is 0 (unless ``other`` is nan).

    Source: PyTorch ``torch.special.xlog1py``.

    >>> import tensorlite as tl
    >>> tl.special.xlog1py(tl.tensor([0.0, 2.0]), tl.tensor([-1.0, 3.0]))
    tensor([0.0000, 2.7726])
    """
    return _product(xp, input, xp.log1p(other), other)


@op(promote="input", floating=True, upcast=True, spaces="special")
def entr(xp: Any, input: Array) -> Array:
    """``-input * log(input)``, 0 at 0 and -inf below. Source: PyTorch ``torch.special.entr``.

    >>> import tensorlite as tl
    >>> tl.special.entr(tl.tensor([-0.5, 0.0, 0.5]))
    tensor([  -inf, 0.0000, 0.3466])
    """
    zero, low = xp.zeros((), input.dtype), xp.asarray(-np.inf, input.dtype)
    return xp.where(input == 0, zero, xp.where(input < 0, low, -input * xp.log(input)))


@op(promote="input", floating=True, upcast=True, spaces="special")
def ndtr(xp: Any, input: Array) -> Array:
    """The share of a standard normal distribution below ``input``.

    Source: PyTorch ``torch.special.ndtr``.

    >>> import tensorlite as tl
    >>> tl.special.ndtr(tl.tensor([-1.0, 0.0]))
    tensor([0.1587, 0.5000])
    """
    return functions(xp).ndtr(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def ndtri(xp: Any, input: Array) -> Array:
    """The inverse of :func:`ndtr`. Source: PyTorch ``torch.special.ndtri``.

    >>> import tensorlite as tl
    >>> tl.special.ndtri(tl.tensor([0.25, 0.5]))
    tensor([-0.6745,  0.0000])
    """
    return functions(xp).ndtri(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def log_ndtr(xp: Any, input: Array) -> Array:
    """``log(ndtr(input))``, accurate far below 0. Source: PyTorch ``torch.special.log_ndtr``.

    >>> import tensorlite as tl
    >>> tl.special.log_ndtr(tl.tensor([-30.0, 0.0]))
    tensor([-454.3213,   -0.6931])
    """
    return functions(xp).log_ndtr(input)


def _digamma(xp: Any, input: Array) -> Array:
    pole = xp.copysign(xp.asarray(np.inf, input.dtype), -input)
    return xp.where(input == 0, pole, functions(xp).digamma(input))


def _product(xp: Any, input: Array, logarithm: Array, other: Array) -> Array:
    zero = (input == 0) & ~xp.isnan(other)
    return xp.where(zero, xp.zeros((), input.dtype), input * logarithm)


def _polygamma(self: Any, n: int) -> Any:
    """:func:`polygamma` of the tensor: as a method it takes ``n`` second."""
    return polygamma(n, self)


def _polygamma_(self: Any, n: int) -> Any:
    """:func:`polygamma`, written into the tensor."""
    return write(self, polygamma(n, self), "polygamma_")


METHODS.update(polygamma=_polygamma, polygamma_=_polygamma_)
# The second names that PyTorch gives to functions of the top level.
NAMESPACES["special"].update(
    gammaln=lgamma, psi=digamma, expit=sigmoid, multigammaln=mvlgamma, gammainc=igamma,
    gammaincc=igammac,
)  # fmt: skip
