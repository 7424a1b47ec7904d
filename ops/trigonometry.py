"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .registry import Array, op


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.sin)
def sin(xp: Any, input: Array) -> Array:
    """The sine of angles in radians. Source: PyTorch ``torch.sin``.

    >>> import tensorlite as tl
    >>> tl.sin(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return xp.sin(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.cos)
def cos(xp: Any, input: Array) -> Array:
    """The cosine of angles in radians. Source: PyTorch ``torch.cos``.

    >>> import tensorlite as tl
    >>> tl.cos(tl.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return xp.cos(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.tan)
def tan(xp: Any, input: Array) -> Array:
    """The tangent of angles in radians. Source: PyTorch ``torch.tan``.

    >>> import tensorlite as tl
    >>> tl.tan(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return xp.tan(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arcsin, aliases=("arcsin",),
)  # fmt: skip
def asin(xp: Any, input: Array) -> Array:
    """The angle in [-pi/2, pi/2] with this sine. Source: PyTorch ``torch.asin``.

    >>> import tensorlite as tl
    >>> tl.asin(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return xp.arcsin(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arccos, aliases=("arccos",),
)  # fmt: skip
def acos(xp: Any, input: Array) -> Array:
    """The angle in [0, pi] with this cosine. Source: PyTorch ``torch.acos``.

    >>> import tensorlite as tl
    >>> tl.acos(tl.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return xp.arccos(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arctan, aliases=("arctan",),
)  # fmt: skip
def atan(xp: Any, input: Array) -> Array:
    """The angle in [-pi/2, pi/2] with this tangent. Source: PyTorch ``torch.atan``.

    >>> import tensorlite as tl
    >>> tl.atan(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return xp.arctan(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.sinh)
def sinh(xp: Any, input: Array) -> Array:
    """``(e ** input - e ** -input) / 2``. Source: PyTorch ``torch.sinh``.

    >>> import tensorlite as tl
    >>> tl.sinh(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return xp.sinh(input)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True, fast=np.cosh)
def cosh(xp: Any, input: Array) -> Array:
    """``(e ** input + e ** -input) / 2``. Source: PyTorch ``torch.cosh``.

    >>> import tensorlite as tl
    >>> tl.cosh(tl.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return xp.cosh(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arcsinh, aliases=("arcsinh",),
)  # fmt: skip
def asinh(xp: Any, input: Array) -> Array:
    """The inverse of :func:`sinh`. Source: PyTorch ``torch.asinh``.

    >>> import tensorlite as tl
    >>> tl.asinh(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return xp.arcsinh(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arccosh, aliases=("arccosh",),
)  # fmt: skip
def acosh(xp: Any, input: Array) -> Array:
    """The inverse of :func:`cosh`; nan below 1. Source: PyTorch ``torch.acosh``.

    >>> import tensorlite as tl
    >>> tl.acosh(tl.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return xp.arccosh(input)


@op(
    method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.arctanh, aliases=("arctanh",),
)  # fmt: skip
def atanh(xp: Any, input: Array) -> Array:
    """The inverse of the hyperbolic tangent; nan outside [-1, 1]. Source: PyTorch ``torch.atanh``.

    >>> import tensorlite as tl
    >>> tl.atanh(tl.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return xp.arctanh(input)


@op(
    method=True, inplace=True, promote="input other", floating=True, upcast=True,
    aliases=("arctan2",),
)  # fmt: skip
def atan2(xp: Any, input: Array, other: Array) -> Array:
    """The angle in [-pi, pi] of the points (other, input). Source: PyTorch ``torch.atan2``.

    >>> import tensorlite as tl
    >>> tl.atan2(tl.tensor([1.0, -1.0]), tl.tensor([0.0, -1.0]))
    tensor([ 1.5708, -2.3562])
    """
    return xp.arctan2(input, other)


@op(method=True, inplace=True, promote="input other", upcast=True)
def hypot(xp: Any, input: Array, other: Array) -> Array:
    """``sqrt(input ** 2 + other ** 2)`` without overflow. Source: PyTorch ``torch.hypot``.

    >>> import tensorlite as tl
    >>> tl.hypot(tl.tensor([3.0]), tl.tensor([4.0]))
    tensor([5.])
    """
    return xp.hypot(input, other)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True)
def deg2rad(xp: Any, input: Array) -> Array:
    """``input * pi / 180``. Source: PyTorch ``torch.deg2rad``.

    >>> import tensorlite as tl
    >>> tl.deg2rad(tl.tensor([90, 180]))
    tensor([1.5708, 3.1416])
    """
    return input * (math.pi / 180)


@op(method=True, inplace=True, promote="input", floating=True, upcast=True)
def rad2deg(xp: Any, input: Array) -> Array:
    """``input * 180 / pi``. Source: PyTorch ``torch.rad2deg``.

    >>> import tensorlite as tl
    >>> tl.rad2deg(tl.tensor([1.0, 3.0]))
    tensor([ 57.2958, 171.8873])
    """
    return input * (180 / math.pi)
