"""Discrete Fourier transforms along one dimension, and their frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import dtype as Dtype
from ..dtypes import get_default_dtype
from ..errors import DTypeError
from .dims import dtype_of
from .registry import Array, op


@op(spaces="fft", promote="input", floating=True)
def fft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The discrete Fourier transform along ``dim``, of ``n`` points (cut or padded with 0).

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.fft``.

    >>> import tensorlite as tl
    >>> tl.fft.fft(tl.tensor([0.0, 1.0, 0.0, 0.0]))[1]
    tensor(0.-1.j)
    """
    check_dtype(input, "fft.fft", real=False)
    return transforms(xp).fft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ifft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The inverse of :func:`fft`.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.ifft``.

    >>> import tensorlite as tl
    >>> tl.fft.ifft(tl.tensor([1.0, 0.0]))
    tensor([0.5000-0.j, 0.5000-0.j])
    """
    check_dtype(input, "fft.ifft", real=False)
    return transforms(xp).ifft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def rfft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The first ``n // 2 + 1`` points of the transform of real numbers.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.rfft``.

    >>> import tensorlite as tl
    >>> tl.fft.rfft(tl.tensor([1.0, 2.0, 3.0]))
    tensor([ 6.0000+0.0000j, -1.5000+0.8660j])
    """
    check_dtype(input, "fft.rfft", real=True)
    return transforms(xp).rfft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def irfft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The inverse of :func:`rfft`: ``n`` real numbers, ``2 * (points - 1)`` unless given.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.irfft``.

    >>> import tensorlite as tl
    >>> tl.fft.irfft(tl.tensor([2.0, 0.0]))
    tensor([1., 1.])
    """
    check_dtype(input, "fft.irfft", real=False)
    return transforms(xp).irfft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def hfft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The transform, real, of half of a signal with Hermitian symmetry.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.hfft``.

    >>> import tensorlite as tl
    >>> tl.fft.hfft(tl.tensor([1.0, 2.0]))
    tensor([ 3., -1.])
    """
    check_dtype(input, "fft.hfft", real=False)
    return transforms(xp).hfft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ihfft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The inverse of :func:`hfft`.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.ihfft``.

    >>> import tensorlite as tl
    >>> tl.fft.ihfft(tl.tensor([1.0, 2.0, 1.0])).real
    tensor([ 1.3333, -0.1667])
    """
    check_dtype(input, "fft.ihfft", real=True)
    return transforms(xp).ihfft(input, _size(n), dim, norm)


@op(spaces="fft")
def fftshift(xp: Any, input: Array, dim: int | Sequence[int] | None = None) -> Array:
    """The frequencies reordered, negative ones first. Source: PyTorch ``torch.fft.fftshift``.

    >>> import tensorlite as tl
    >>> tl.fft.fftshift(tl.tensor([0, 1, -2, -1]))
    tensor([-2, -1,  0,  1])
    """
    return xp.fft.fftshift(input, dim)


@op(spaces="fft")
def ifftshift(xp: Any, input: Array, dim: int | Sequence[int] | None = None) -> Array:
    """The inverse of :func:`fftshift`. Source: PyTorch ``torch.fft.ifftshift``.

    >>> import tensorlite as tl
    >>> tl.fft.ifftshift(tl.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    return xp.fft.ifftshift(input, dim)


@op(spaces="fft")
def fftfreq(
    xp: Any, n: int, d: float = 1.0, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """The frequencies of :func:`fft`'s ``n`` points, ``d`` apart.

    Source: PyTorch ``torch.fft.fftfreq``.

    >>> import tensorlite as tl
    >>> tl.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    return xp.fft.fftfreq(n, d).astype((dtype or get_default_dtype()).numpy)


@op(spaces="fft")
def rfftfreq(
    xp: Any, n: int, d: float = 1.0, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """The frequencies of :func:`rfft`'s points. Source: PyTorch ``torch.fft.rfftfreq``.

    >>> import tensorlite as tl
    >>> tl.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return xp.fft.rfftfreq(n, d).astype((dtype or get_default_dtype()).numpy)


def transforms(xp: Any) -> Any:
    """The transforms that keep single precision: SciPy's, or CuPy's in its place."""
    if xp.__name__ == "cupy":
        import cupyx.scipy.fft as found
    else:
        import scipy.fft as found
    return found


def check_dtype(input: Array, name: str, *, real: bool) -> None:
    """Raises for 16-bit floats and, if the transform is of real numbers, for complex ones."""
    found = dtype_of(input)
    if found.is_half or (real and found.is_complex):
        kinds = "float32 or float64" if real else "float32, float64 or complex numbers"
        raise DTypeError(f"{name}: expected {kinds}, got {found.name}")


def _size(n: int | None) -> int | None:
    return None if n == -1 else n
