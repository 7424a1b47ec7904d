"""Discrete Fourier transforms over several dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .fft import check_dtype, transforms
from .registry import Array, op

Sizes = Sequence[int] | None


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
    >>> tl.fft.fft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[10., -2.],
            [-4.,  0.]])
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
    >>> tl.fft.ifft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
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
    >>> tl.fft.ihfft2(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
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
    >>> tl.fft.fftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[10., -2.],
            [-4.,  0.]])
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
    >>> tl.fft.ifftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
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
    >>> tl.fft.ihfftn(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return _several(xp, "ihfftn", input, s, dim, norm)


def _several(
    xp: Any, name: str, input: Array, s: Sizes, dim: Sequence[int] | None, norm: str | None
) -> Array:
    check_dtype(input, f"fft.{name}", real=name in ("rfftn", "ihfftn"))
    dims = [dim] if isinstance(dim, int) else dim
    if dims is None:
        dims = range(input.ndim) if s is None else range(-len(s), 0)
    sizes = None
    if s is not None:
        sizes = [input.shape[d] if n == -1 else n for n, d in zip(s, dims, strict=True)]
        if s[-1] == -1 and name in ("irfftn", "hfftn"):  # of half of the points
            sizes[-1] = 2 * (sizes[-1] - 1)
    return getattr(transforms(xp), name)(input, sizes, tuple(dims), norm)
