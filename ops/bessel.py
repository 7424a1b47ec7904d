"""Bessel functions and Airy's."""

from __future__ import annotations

from typing import Any

from .dims import special as functions
from .lapack import to_host
from .registry import NAMESPACES, TOP, Array, op


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, spaces=(TOP, "special"))
def i0(xp: Any, input: Array) -> Array:
    """The modified Bessel function of the first kind, order 0.

    Source: PyTorch ``torch.special.i0``.

    >>> import tensorlite as tl
    >>> tl.special.i0(tl.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return functions(xp).i0(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def i0e(xp: Any, input: Array) -> Array:
    """``exp(-|input|) * i0(input)``. Source: PyTorch ``torch.special.i0e``.

    >>> import tensorlite as tl
    >>> tl.special.i0e(tl.tensor([0.5, 1.0]))
    tensor([0.6450, 0.4658])
    """
    return functions(xp).i0e(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def i1(xp: Any, input: Array) -> Array:
    """The modified Bessel function of the first kind, order 1.

    Source: PyTorch ``torch.special.i1``.

    >>> import tensorlite as tl
    >>> tl.special.i1(tl.tensor([0.5, 1.0]))
    tensor([0.2579, 0.5652])
    """
    return functions(xp).i1(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def i1e(xp: Any, input: Array) -> Array:
    """``exp(-|input|) * i1(input)``. Source: PyTorch ``torch.special.i1e``.

    >>> import tensorlite as tl
    >>> tl.special.i1e(tl.tensor([0.5, 1.0]))
    tensor([0.1564, 0.2079])
    """
    return functions(xp).i1e(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def bessel_j0(xp: Any, input: Array) -> Array:
    """The Bessel function of the first kind, order 0. Source: PyTorch ``torch.special.bessel_j0``.

    >>> import tensorlite as tl
    >>> tl.special.bessel_j0(tl.tensor([0.5, 1.0]))
    tensor([0.9385, 0.7652])
    """
    return functions(xp).j0(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def bessel_j1(xp: Any, input: Array) -> Array:
    """The Bessel function of the first kind, order 1. Source: PyTorch ``torch.special.bessel_j1``.

    >>> import tensorlite as tl
    >>> tl.special.bessel_j1(tl.tensor([0.5, 1.0]))
    tensor([0.2423, 0.4401])
    """
    return functions(xp).j1(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def bessel_y0(xp: Any, input: Array) -> Array:
    """The Bessel function of the second kind, order 0.

    Source: PyTorch ``torch.special.bessel_y0``.

    >>> import tensorlite as tl
    >>> tl.special.bessel_y0(tl.tensor([0.5, 1.0]))
    tensor([-0.4445,  0.0883])
    """
    return functions(xp).y0(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def bessel_y1(xp: Any, input: Array) -> Array:
    """The Bessel function of the second kind, order 1.

    Source: PyTorch ``torch.special.bessel_y1``.

    >>> import tensorlite as tl
    >>> tl.special.bessel_y1(tl.tensor([0.5, 1.0]))
    tensor([-1.4715, -0.7812])
    """
    return functions(xp).y1(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def modified_bessel_k0(xp: Any, input: Array) -> Array:
    """The modified Bessel function of the second kind, order 0.

    Source: PyTorch ``torch.special.modified_bessel_k0``.

    >>> import tensorlite as tl
    >>> tl.special.modified_bessel_k0(tl.tensor([0.5, 1.0]))
    tensor([0.9244, 0.4210])
    """
    return functions(xp).k0(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def modified_bessel_k1(xp: Any, input: Array) -> Array:
    """The modified Bessel function of the second kind, order 1.

    Source: PyTorch ``torch.special.modified_bessel_k1``.

    >>> import tensorlite as tl
    >>> tl.special.modified_bessel_k1(tl.tensor([0.5, 1.0]))
    tensor([1.6564, 0.6019])
    """
    return functions(xp).k1(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def scaled_modified_bessel_k0(xp: Any, input: Array) -> Array:
    """``exp(input) * modified_bessel_k0(input)``.

    Source: PyTorch ``torch.special.scaled_modified_bessel_k0``.

    >>> import tensorlite as tl
    >>> tl.special.scaled_modified_bessel_k0(tl.tensor([0.5, 1.0]))
    tensor([1.5241, 1.1445])
    """
    return functions(xp).k0e(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def scaled_modified_bessel_k1(xp: Any, input: Array) -> Array:
    """``exp(input) * modified_bessel_k1(input)``.

    Source: PyTorch ``torch.special.scaled_modified_bessel_k1``.

    >>> import tensorlite as tl
    >>> tl.special.scaled_modified_bessel_k1(tl.tensor([0.5, 1.0]))
    tensor([2.7310, 1.6362])
    """
    return functions(xp).k1e(input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def spherical_bessel_j0(xp: Any, input: Array) -> Array:
    """``sin(input) / input``, 1 at 0. Source: PyTorch ``torch.special.spherical_bessel_j0``.

    >>> import tensorlite as tl
    >>> tl.special.spherical_bessel_j0(tl.tensor([0.5, 1.0]))
    tensor([0.9589, 0.8415])
    """
    return xp.where(input == 0, xp.ones((), input.dtype), xp.sin(input) / input)


@op(promote="input", floating=True, upcast=True, spaces="special")
def airy_ai(xp: Any, input: Array) -> Array:
    """Airy's function Ai, of SciPy on the host. Source: PyTorch ``torch.special.airy_ai``.

    >>> import tensorlite as tl
    >>> tl.special.airy_ai(tl.tensor([0.5, 1.0]))
    tensor([0.2317, 0.1353])
    """
    from scipy.special import airy

    return xp.asarray(airy(to_host(xp, input))[0].astype(input.dtype))


# The second names that PyTorch gives to i0 and i1.
NAMESPACES["special"].update(modified_bessel_i0=i0, modified_bessel_i1=i1)
