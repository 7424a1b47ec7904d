"""Norms of vectors and matrices, and distances by them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from .arithmetic import sub
from .dims import dtype_of, is_integral, normalize_dim, normalize_dims
from .reduction import added
from .registry import Array, op

Dims = int | Sequence[int] | None
Order = int | float | str | None


@op(spaces="linalg", upcast=True)
def vector_norm(
    xp: Any,
    x: Array,
    ord: float = 2,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
) -> Array:
    """``sum(|x| ** ord) ** (1 / ord)`` over ``dim``, or over all elements.

    ``inf`` gives the largest modulus, ``-inf`` the smallest, 0 the count of nonzeros. The result
    of complex numbers is real. Raises DTypeError for integers.
    Source: PyTorch ``torch.linalg.vector_norm``.

    >>> import tensorlite as tl
    >>> tl.linalg.vector_norm(tl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return norm_of_vector(xp, x, ord, dim, keepdim, dtype, "vector_norm")


@op(spaces="linalg", upcast=True)
def matrix_norm(
    xp: Any,
    A: Array,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
) -> Array:
    """The norm of matrices over two dimensions.

    ``ord``: "fro" (root of the sum of squares), "nuc" (sum of singular values), 2 and -2
    (largest, smallest singular value), 1 and -1 (of the sums of columns), inf and -inf (of rows).
    Source: PyTorch ``torch.linalg.matrix_norm``.

    >>> import tensorlite as tl
    >>> tl.linalg.matrix_norm(tl.tensor([[3.0, 0.0], [0.0, 4.0]]), ord="nuc")
    tensor(7.)
    """
    return norm_of_matrix(xp, A, ord, dim, keepdim, dtype, "matrix_norm")


@op("norm", spaces="linalg", upcast=True)
def linalg_norm(
    xp: Any,
    input: Array,
    ord: Order = None,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Dtype | None = None,
) -> Array:
    """A vector norm over one dimension (or all), a matrix norm over two.

    Source: PyTorch ``torch.linalg.norm``.

    >>> import tensorlite as tl
    >>> tl.linalg.norm(tl.tensor([[3.0, 0.0], [0.0, 4.0]]), ord=1)
    tensor(4.)
    """
    if dim is not None:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
    elif ord is None:
        return norm_of_vector(xp, input, 2, None, keepdim, dtype, "norm")
    elif input.ndim in (1, 2):
        dims = tuple(range(input.ndim))
    else:
        raise ShapeError(
            f"norm: ord={ord!r} without dim expects a vector or a matrix, got {input.shape}"
        )
    if ord is None:
        return norm_of_vector(xp, input, 2, dims, keepdim, dtype, "norm")
    if len(dims) == 2:
        return norm_of_matrix(xp, input, ord, dims, keepdim, dtype, "norm")
    return norm_of_vector(xp, input, ord, dims, keepdim, dtype, "norm")


@op("norm", method=True, upcast=True)
def norm(
    xp: Any,
    input: Array,
    p: Order = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    dtype: Dtype | None = None,
) -> Array:
    """The p-norm over ``dim`` or all elements; "fro" is 2, "nuc" the nuclear norm of a matrix.

    Source: PyTorch ``torch.norm``.

    >>> import tensorlite as tl
    >>> tl.norm(tl.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if p == "nuc":
        dims = (-2, -1) if dim is None else dim
        return norm_of_matrix(xp, input, "nuc", dims, keepdim, dtype, "norm")
    if isinstance(p, str) and p != "fro":
        raise ArgumentError(f"norm: p={p!r}; expected a number, 'fro' or 'nuc'")
    order = 2 if p in (None, "fro") else p
    return norm_of_vector(xp, input, order, dim, keepdim, dtype, "norm")


@op()
def frobenius_norm(input: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The root of the sum of squares over ``dim``. Source: PyTorch ``torch.norm`` with "fro".

    >>> import tensorlite as tl
    >>> tl.frobenius_norm(tl.tensor([[3.0, 0.0], [0.0, 4.0]]), dim=(0, 1))
    tensor(5.)
    """
    return vector_norm(input, 2, dim, keepdim)


@op()
def nuclear_norm(input: Array, dim: Sequence[int] = (-2, -1), keepdim: bool = False) -> Array:
    """The sum of the singular values of matrices. Source: PyTorch ``torch.norm`` with "nuc".

    >>> import tensorlite as tl
    >>> tl.nuclear_norm(tl.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(7.)
    """
    return matrix_norm(input, "nuc", dim, keepdim)


@op(method=True)
def dist(input: Array, other: Array, p: float = 2) -> Array:
    """The p-norm of ``input - other``. Source: PyTorch ``torch.dist``.

    >>> import tensorlite as tl
    >>> tl.dist(tl.tensor([1.0, 5.0]), tl.tensor([4.0, 1.0]))
    tensor(5.)
    """
    return vector_norm(sub(input, other), p)


@op(method=True, inplace=True, upcast=True)
def renorm(xp: Any, input: Array, p: float, dim: int, maxnorm: float) -> Array:
    """The slices along ``dim``, those of a p-norm above ``maxnorm`` scaled down to it.

    Source: PyTorch ``torch.renorm``.

    >>> import tensorlite as tl
    >>> tl.renorm(tl.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    axis = normalize_dim(dim, input.ndim, "renorm")
    others = tuple(a for a in range(input.ndim) if a != axis)
    sizes = norm_of_vector(xp, input, p, others, True, None, "renorm")
    return xp.where(sizes > maxnorm, input * (maxnorm / (sizes + 1e-7)), input)


def norm_of_vector(
    xp: Any, x: Array, ord: Any, dim: Dims, keepdim: bool, dtype: Dtype | None, name: str
) -> Array:
    """The body of :func:`vector_norm`; ``name`` is for its errors."""
    x = _as(x, dtype, name)
    axes = normalize_dims(dim, x.ndim, name)
    if isinstance(ord, str):
        raise ArgumentError(f"{name}: ord={ord!r} needs two dimensions, got {axes}")
    size = xp.abs(x)
    if math.isinf(ord):
        if 0 in [x.shape[a] for a in axes]:
            if ord > 0 and name != "vector_norm" and dim is None:
                return xp.zeros((1,) * x.ndim if keepdim else (), size.dtype)
            raise ShapeError(f"{name}: ord={ord} of no elements, the shape is {x.shape}")
        found = size.max if ord > 0 else size.min
        return found(axis=axes, keepdims=keepdim)
    if ord == 0:
        return (size != 0).sum(axis=axes, keepdims=keepdim).astype(size.dtype)
    if ord == 1:
        return added(size, axes, keepdim)
    if ord == 2:
        return xp.sqrt(added(size * size, axes, keepdim))
    return added(size**ord, axes, keepdim) ** (1 / ord)


def norm_of_matrix(
    xp: Any,
    A: Array,
    ord: Any,
    dim: Any,
    keepdim: bool,
    dtype: Dtype | None,
    name: str,
) -> Array:
    """The body of :func:`matrix_norm`; ``name`` is for its errors."""
    A = _as(A, dtype, name)
    axes = normalize_dims(dim, A.ndim, name, empty_is_all=False)
    if A.ndim < 2 or len(axes) != 2:
        raise ShapeError(f"{name}: expected two dimensions, got dim={dim} of {A.shape}")
    if ord == "fro":
        return norm_of_vector(xp, A, 2, axes, keepdim, None, name)
    if ord in ("nuc", 2, -2):
        moved = xp.moveaxis(A, axes, (-2, -1))
        values = xp.linalg.svd(moved, compute_uv=False)
        result = _reduced(values, ord, -1, name)
    elif ord in (1, -1, math.inf, -math.inf):
        over, then = axes if abs(ord) == 1 else axes[::-1]
        sums = added(xp.abs(A), (over,))
        result = _reduced(sums, ord, then - (over < then), name)
    else:
        raise ArgumentError(
            f"{name}: ord={ord!r}; a matrix norm is 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2"
        )
    return xp.expand_dims(result, sorted(axes)) if keepdim else result


def _reduced(values: Array, ord: Any, axis: int, name: str) -> Array:
    if ord == "nuc":
        return values.sum(axis=axis)
    if values.shape[axis] == 0:
        if ord > 0:
            return values.sum(axis=axis)
        raise ShapeError(f"{name}: ord={ord} of a matrix without elements")
    return values.max(axis=axis) if ord > 0 else values.min(axis=axis)


def _as(x: Array, dtype: Dtype | None, name: str) -> Array:
    if is_integral(x):
        raise DTypeError(
            f"{name}: expected floats or complex numbers, got {dtype_of(x).name}; use x.float()"
        )
    if dtype is None:
        return x
    wide = np.dtype(np.float32) if dtype.is_half else dtype.numpy
    return x.astype(wide, copy=False)
