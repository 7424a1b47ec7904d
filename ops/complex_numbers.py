"""Complex numbers: their parts, their conjugates, and how to make them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float16, float32, get_default_dtype
from ..errors import DTypeError, ShapeError
from .dims import dtype_of, is_integral
from .indexing import setitem
from .registry import METHODS, TOP, Array, op


@op()
def real(xp: Any, input: Array) -> Array:
    """The real parts, as a view; a real tensor itself. Also ``x.real``.

    Source: PyTorch ``torch.real``.

    >>> import tensorlite as tl
    >>> tl.real(tl.tensor([1 + 2j]))
    tensor([1.])
    """
    return input.real if input.dtype.kind == "c" else input


@op()
def imag(xp: Any, input: Array) -> Array:
    """The imaginary parts, as a view. Also ``x.imag``.

    Raises DTypeError for real tensors. Source: PyTorch ``torch.imag``.

    >>> import tensorlite as tl
    >>> tl.imag(tl.tensor([1 + 2j]))
    tensor([2.])
    """
    _complex_only(input, "imag")
    return input.imag


def _set_real(self: Any, value: Any) -> None:
    setitem(real(self), ..., value)


def _set_imag(self: Any, value: Any) -> None:
    setitem(imag(self), ..., value)


METHODS["real"] = property(real, _set_real)  # type: ignore[assignment]
METHODS["imag"] = property(imag, _set_imag)  # type: ignore[assignment]


@op(method=True)
def conj(xp: Any, input: Array) -> Array:
    """``real - imag * 1j``; a real tensor itself. Source: PyTorch ``torch.conj``.

    >>> import tensorlite as tl
    >>> tl.conj(tl.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return xp.conj(input) if input.dtype.kind == "c" else input


@op(method=True, inplace=True)
def conj_physical(xp: Any, input: Array) -> Array:
    """:func:`conj`, of which ``conj_physical_`` is the in-place form.

    Source: PyTorch ``torch.conj_physical``.

    >>> import tensorlite as tl
    >>> tl.conj_physical(tl.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return xp.conj(input) if input.dtype.kind == "c" else input


@op(method=True, aliases=("resolve_neg",))
def resolve_conj(xp: Any, input: Array) -> Array:
    """The tensor itself: conjugates are computed at once here.

    Source: PyTorch ``torch.resolve_conj``.

    >>> import tensorlite as tl
    >>> tl.resolve_conj(tl.tensor([1 + 2j]))
    tensor([1.+2.j])
    """
    return input


@op(method=True, aliases=("is_neg",))
def is_conj(xp: Any, input: Array) -> bool:
    """False: conjugates are computed at once here. Source: PyTorch ``torch.is_conj``.

    >>> import tensorlite as tl
    >>> tl.is_conj(tl.tensor([1j]))
    False
    """
    return False


@op(method=True)
def angle(xp: Any, input: Array) -> Array:
    """The argument in [-pi, pi]; of a real number 0 or pi. Source: PyTorch ``torch.angle``.

    >>> import tensorlite as tl
    >>> tl.angle(tl.tensor([1j, -1.0]))
    tensor([1.5708, 3.1416])
    """
    if input.dtype.kind == "c":
        return xp.arctan2(input.imag, input.real)
    dtype = get_default_dtype().numpy if is_integral(input) else input.dtype
    angles = xp.where(input < 0, xp.asarray(np.pi, dtype), xp.asarray(0, dtype))
    return angles if is_integral(input) else xp.where(xp.isnan(input), input, angles)


@op("complex")
def complex_(xp: Any, real: Array, imag: Array) -> Array:
    """``real + imag * 1j``, from two float tensors of one dtype.

    Source: PyTorch ``torch.complex``.

    >>> import tensorlite as tl
    >>> tl.complex(tl.tensor([1.0]), tl.tensor([2.0]))
    tensor([1.+2.j])
    """
    return _joined(xp, real, imag, "complex")


@op()
def polar(xp: Any, abs: Array, angle: Array) -> Array:
    """``abs * (cos(angle) + sin(angle) * 1j)``. Source: PyTorch ``torch.polar``.

    >>> import tensorlite as tl
    >>> tl.polar(tl.tensor([2.0]), tl.tensor([0.0]))
    tensor([2.+0.j])
    """
    return _joined(xp, abs * xp.cos(angle), abs * xp.sin(angle), "polar")


@op(spaces=TOP)
def view_as_real(xp: Any, input: Array) -> Array:
    """A view of shape (..., 2): real and imaginary parts. Source: PyTorch ``torch.view_as_real``.

    >>> import tensorlite as tl
    >>> tl.view_as_real(tl.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    _complex_only(input, "view_as_real")
    return input[..., None].view(dtype_of(input).to_real().numpy)


@op(spaces=TOP)
def view_as_complex(xp: Any, input: Array) -> Array:
    """A view of (real, imaginary) pairs in the last dimension, as complex numbers.

    Raises ShapeError unless the last dimension has size and stride 1.
    Source: PyTorch ``torch.view_as_complex``.

    >>> import tensorlite as tl
    >>> tl.view_as_complex(tl.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """
    if input.ndim == 0 or input.shape[-1] != 2 or input.strides[-1] != input.itemsize:
        raise ShapeError(
            f"view_as_complex: expected pairs, adjacent in memory, in the last dimension, got "
            f"shape {input.shape}; use x.contiguous() or tl.complex"
        )
    if dtype_of(input) not in (float32, get_default_dtype()) and input.dtype != np.float64:
        raise DTypeError(
            f"view_as_complex: expected float32 or float64, got {dtype_of(input).name}"
        )
    return input.view(dtype_of(input).to_complex().numpy)[..., 0]


def _complex_only(input: Array, name: str) -> None:
    if input.dtype.kind != "c":
        raise DTypeError(f"{name}: expected complex numbers, got {dtype_of(input).name}")


def _joined(xp: Any, real: Array, imag: Array, name: str) -> Array:
    if real.dtype != imag.dtype or not dtype_of(real).is_floating_point:
        raise DTypeError(
            f"{name}: expected two float tensors of one dtype, got {dtype_of(real).name} and "
            f"{dtype_of(imag).name}"
        )
    if dtype_of(real) is float16:
        real, imag = real.astype(np.float32), imag.astype(np.float32)
    shape = np.broadcast_shapes(real.shape, imag.shape)
    result = xp.empty(shape, dtype_of(real).to_complex().numpy)
    result.real, result.imag = real, imag
    return result
