"""Discrete Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import dtype as Dtype
from ..dtypes import get_default_dtype
from ..errors import DTypeError
from .dims import dtype_of
from .registry import Array, op

Sizes = Sequence[int] | None


@op(spaces="fft", promote="input", floating=True)
def fft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The discrete Fourier transform along ``dim``, of ``n`` points (cut or padded with 0).

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.fft``.

    >>> import tensorlite as tl
    >>> tl.fft.fft(tl.tensor([1.0, 0.0]))
    tensor([1.+0.j, 1.+0.j])
    """
    _check(input, "fft.fft", real=False)
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
    _check(input, "fft.ifft", real=False)
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
    _check(input, "fft.rfft", real=True)
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
    _check(input, "fft.irfft", real=False)
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
    _check(input, "fft.hfft", real=False)
    return transforms(xp).hfft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ihfft(
    xp: Any, input: Array, n: int | None = None, dim: int = -1, norm: str | None = None
) -> Array:
    """The inverse of :func:`hfft`.

    ``norm`` says where to divide: "backward" (the default), "forward" or "ortho".
    Source: PyTorch ``torch.fft.ihfft``.

    >>> import tensorlite as tl
    >>> tl.fft.ihfft(tl.tensor([1.0, 2.0, 1.0]))
    tensor([ 1.3333-0.0000j, -0.1667+0.2887j])
    """
    _check(input, "fft.ihfft", real=True)
    return transforms(xp).ihfft(input, _size(n), dim, norm)


@op(spaces="fft", promote="input", floating=True)
def fft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The transform over two dimensions.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.fft2``.

    >>> import tensorlite as tl
    >>> tl.fft.fft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    return _several(xp, "fftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ifft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`fft2`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.ifft2``.

    >>> import tensorlite as tl
    >>> tl.fft.ifft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000+0.j, -0.5000+0.j],
            [-1.0000+0.j,  0.0000+0.j]])
    """
    return _several(xp, "ifftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def rfft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The transform of real numbers over two dimensions, halved along the last.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.rfft2``.

    >>> import tensorlite as tl
    >>> tl.fft.rfft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    return _several(xp, "rfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def irfft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`rfft2`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.irfft2``.

    >>> import tensorlite as tl
    >>> tl.fft.irfft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return _several(xp, "irfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def hfft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The transform, real, of a signal with Hermitian symmetry over two dimensions.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.hfft2``.

    >>> import tensorlite as tl
    >>> tl.fft.hfft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return _several(xp, "hfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ihfft2(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] = (-2, -1),
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`hfft2`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.ihfft2``.

    >>> import tensorlite as tl
    >>> tl.fft.ihfft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000-0.j, -0.5000-0.j],
            [-1.0000+0.j,  0.0000+0.j]])
    """
    return _several(xp, "ihfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def fftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The transform over several dimensions, all by default.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.fftn``.

    >>> import tensorlite as tl
    >>> tl.fft.fftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    return _several(xp, "fftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ifftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`fftn`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.ifftn``.

    >>> import tensorlite as tl
    >>> tl.fft.ifftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000+0.j, -0.5000+0.j],
            [-1.0000+0.j,  0.0000+0.j]])
    """
    return _several(xp, "ifftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def rfftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The transform of real numbers over several dimensions, halved along the last.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.rfftn``.

    >>> import tensorlite as tl
    >>> tl.fft.rfftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]])
    """
    return _several(xp, "rfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def irfftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`rfftn`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.irfftn``.

    >>> import tensorlite as tl
    >>> tl.fft.irfftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return _several(xp, "irfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def hfftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The transform, real, of a signal with Hermitian symmetry over several dimensions.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.hfftn``.

    >>> import tensorlite as tl
    >>> tl.fft.hfftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return _several(xp, "hfftn", input, s, dim, norm)


@op(spaces="fft", promote="input", floating=True)
def ihfftn(
    xp: Any,
    input: Array,
    s: Sizes = None,
    dim: Sequence[int] | None = None,
    norm: str | None = None,
) -> Array:
    """The inverse of :func:`hfftn`.

    ``s`` gives the points along each (cut, or padded with 0).
    Source: PyTorch ``torch.fft.ihfftn``.

    >>> import tensorlite as tl
    >>> tl.fft.ihfftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[ 2.5000-0.j, -0.5000-0.j],
            [-1.0000+0.j,  0.0000+0.j]])
    """
    return _several(xp, "ihfftn", input, s, dim, norm)


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


def _check(input: Array, name: str, *, real: bool) -> None:
    found = dtype_of(input)
    if found.is_half or (real and found.is_complex):
        kinds = "float32 or float64" if real else "float32, float64 or complex numbers"
        raise DTypeError(f"{name}: expected {kinds}, got {found.name}")


def _size(n: int | None) -> int | None:
    return None if n == -1 else n


def _several(
    xp: Any, name: str, input: Array, s: Sizes, dim: Sequence[int] | None, norm: str | None
) -> Array:
    _check(input, f"fft.{name}", real=name in ("rfftn", "ihfftn"))
    dims = [dim] if isinstance(dim, int) else dim
    if dims is None:
        dims = range(input.ndim) if s is None else range(-len(s), 0)
    if s is not None:
        sizes = [input.shape[d] if n == -1 else n for n, d in zip(s, dims, strict=True)]
        return getattr(transforms(xp), name)(input, sizes, tuple(dims), norm)
    return getattr(transforms(xp), name)(input, None, tuple(dims), norm)
