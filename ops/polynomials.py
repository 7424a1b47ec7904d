"""Orthogonal polynomials, by their recurrences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import Number
from .registry import Array, op

Step = Callable[[int, Array, Array, Array], Array]


def _chebyshev(k: int, x: Array, last: Array, before: Array) -> Array:
    return 2 * x * last - before


@op(promote="input n", floating=True, upcast=True, spaces="special")
def chebyshev_polynomial_t(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Chebyshev polynomial of the first kind, T_n. 0 for negative n.

    Source: PyTorch ``torch.special.chebyshev_polynomial_t``.

    >>> import tensorlite as tl
    >>> tl.special.chebyshev_polynomial_t(tl.tensor([0.5, 2.0]), 2)
    tensor([-0.5000,  7.0000])
    """
    return _evaluated(xp, input, n, lambda x: x, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def chebyshev_polynomial_u(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Chebyshev polynomial of the second kind, U_n. 0 for negative n.

    Source: PyTorch ``torch.special.chebyshev_polynomial_u``.

    >>> import tensorlite as tl
    >>> tl.special.chebyshev_polynomial_u(tl.tensor([0.5, 2.0]), 2)
    tensor([ 0., 15.])
    """
    return _evaluated(xp, input, n, lambda x: 2 * x, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def chebyshev_polynomial_v(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Chebyshev polynomial of the third kind, V_n. 0 for negative n.

    Source: PyTorch ``torch.special.chebyshev_polynomial_v``.

    >>> import tensorlite as tl
    >>> tl.special.chebyshev_polynomial_v(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 11.])
    """
    return _evaluated(xp, input, n, lambda x: 2 * x - 1, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def chebyshev_polynomial_w(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Chebyshev polynomial of the fourth kind, W_n. 0 for negative n.

    Source: PyTorch ``torch.special.chebyshev_polynomial_w``.

    >>> import tensorlite as tl
    >>> tl.special.chebyshev_polynomial_w(tl.tensor([0.5, 2.0]), 2)
    tensor([ 1., 19.])
    """
    return _evaluated(xp, input, n, lambda x: 2 * x + 1, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def shifted_chebyshev_polynomial_t(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """``T_n(2 * input - 1)``. 0 for negative n.

    Source: PyTorch ``torch.special.shifted_chebyshev_polynomial_t``.

    >>> import tensorlite as tl
    >>> tl.special.shifted_chebyshev_polynomial_t(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 17.])
    """
    return _evaluated(xp, 2 * input - 1, n, lambda x: x, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def shifted_chebyshev_polynomial_u(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """``U_n(2 * input - 1)``. 0 for negative n.

    Source: PyTorch ``torch.special.shifted_chebyshev_polynomial_u``.

    >>> import tensorlite as tl
    >>> tl.special.shifted_chebyshev_polynomial_u(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 35.])
    """
    return _evaluated(xp, 2 * input - 1, n, lambda x: 2 * x, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def shifted_chebyshev_polynomial_v(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """``V_n(2 * input - 1)``. 0 for negative n.

    Source: PyTorch ``torch.special.shifted_chebyshev_polynomial_v``.

    >>> import tensorlite as tl
    >>> tl.special.shifted_chebyshev_polynomial_v(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 29.])
    """
    return _evaluated(xp, 2 * input - 1, n, lambda x: 2 * x - 1, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def shifted_chebyshev_polynomial_w(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """``W_n(2 * input - 1)``. 0 for negative n.

    Source: PyTorch ``torch.special.shifted_chebyshev_polynomial_w``.

    >>> import tensorlite as tl
    >>> tl.special.shifted_chebyshev_polynomial_w(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 41.])
    """
    return _evaluated(xp, 2 * input - 1, n, lambda x: 2 * x + 1, _chebyshev)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def hermite_polynomial_h(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The physicist's Hermite polynomial, H_n. 0 for negative n.

    Source: PyTorch ``torch.special.hermite_polynomial_h``.

    >>> import tensorlite as tl
    >>> tl.special.hermite_polynomial_h(tl.tensor([0.5, 2.0]), 2)
    tensor([-1., 14.])
    """

    def step(k: int, x: Array, last: Array, before: Array) -> Array:
        return 2 * x * last - 2 * k * before

    return _evaluated(xp, input, n, lambda x: 2 * x, step)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def hermite_polynomial_he(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The probabilist's Hermite polynomial, He_n. 0 for negative n.

    Source: PyTorch ``torch.special.hermite_polynomial_he``.

    >>> import tensorlite as tl
    >>> tl.special.hermite_polynomial_he(tl.tensor([0.5, 2.0]), 2)
    tensor([-0.7500,  3.0000])
    """

    def step(k: int, x: Array, last: Array, before: Array) -> Array:
        return x * last - k * before

    return _evaluated(xp, input, n, lambda x: x, step)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def laguerre_polynomial_l(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Laguerre polynomial, L_n. 0 for negative n.

    Source: PyTorch ``torch.special.laguerre_polynomial_l``.

    >>> import tensorlite as tl
    >>> tl.special.laguerre_polynomial_l(tl.tensor([0.5, 2.0]), 2)
    tensor([ 0.1250, -1.0000])
    """

    def step(k: int, x: Array, last: Array, before: Array) -> Array:
        return ((2 * k + 1 - x) * last - k * before) / (k + 1)

    return _evaluated(xp, input, n, lambda x: 1 - x, step)


@op(promote="input n", floating=True, upcast=True, spaces="special")
def legendre_polynomial_p(xp: Any, input: Array | Number, n: Array | Number) -> Array:
    """The Legendre polynomial, P_n. 0 for negative n.

    Source: PyTorch ``torch.special.legendre_polynomial_p``.

    >>> import tensorlite as tl
    >>> tl.special.legendre_polynomial_p(tl.tensor([0.5, 2.0]), 2)
    tensor([-0.1250,  5.5000])
    """

    def step(k: int, x: Array, last: Array, before: Array) -> Array:
        return ((2 * k + 1) * x * last - k * before) / (k + 1)

    return _evaluated(xp, input, n, lambda x: x, step)


def _evaluated(
    xp: Any, input: Array, n: Array, first: Callable[[Array], Array], step: Step
) -> Array:
    """The polynomial of each degree at each point: ``p_k+1 = step(k, x, p_k, p_k-1)``."""
    degree = n.astype(np.int64)
    x = input.astype(np.float64)
    before, last = xp.ones_like(x), first(x)
    result = xp.where(degree < 0, 0.0, xp.where(degree == 0, before, last))
    for k in range(1, int(degree.max()) if degree.size else 0):
        before, last = last, step(k, x, last, before)
        result = xp.where(degree == k + 1, last, result)
    return result.astype(input.dtype)
