"""Factorisations of matrices: Cholesky, QR and singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from .lapack import adjoint, check, matrices, over_batches, routines, solved
from .registry import Array, op


class CholeskyEx(NamedTuple):
    """What :func:`cholesky_ex` gives."""

    L: Array
    info: Array


class QR(NamedTuple):
    """What :func:`qr` gives."""

    Q: Array
    R: Array


class SVD(NamedTuple):
    """What ``linalg.svd`` gives."""

    U: Array
    S: Array
    Vh: Array


class SVDTransposed(NamedTuple):
    """What ``svd`` gives."""

    U: Array
    S: Array
    V: Array


class Geqrf(NamedTuple):
    """What :func:`geqrf` gives."""

    a: Array
    tau: Array


@op(spaces="linalg")
def cholesky(xp: Any, A: Array, *, upper: bool = False) -> Array:
    """The lower triangular L with positive diagonal and ``A == L @ L.mH`` (or the upper one).

    Only the triangle named is read. Raises LinAlgError if a matrix is not positive definite.
    Source: PyTorch ``torch.linalg.cholesky``.

    >>> import tensorlite as tl
    >>> tl.linalg.cholesky(tl.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    return _cholesky(xp, A, upper, "linalg.cholesky")


@op("cholesky", method=True)
def cholesky_(xp: Any, input: Array, upper: bool = False) -> Array:
    """:func:`linalg.cholesky`, as it was named before. Source: PyTorch ``torch.cholesky``.

    >>> import tensorlite as tl
    >>> tl.cholesky(tl.tensor([[4.0, 2.0], [2.0, 5.0]]), upper=True)
    tensor([[2., 1.],
            [0., 2.]])
    """
    return _cholesky(xp, input, upper, "cholesky")


@op(spaces="linalg")
def cholesky_ex(
    xp: Any, A: Array, *, upper: bool = False, check_errors: bool = False
) -> CholeskyEx:
    """(L, info): :func:`cholesky` without raising; info is 0, or the first minor not positive.

    Source: PyTorch ``torch.linalg.cholesky_ex``.

    >>> import tensorlite as tl
    >>> tl.linalg.cholesky_ex(tl.eye(2)).info
    tensor(0, dtype=tensorlite.int32)
    """
    matrices("linalg.cholesky_ex", A, square=True)

    def factor(a: Array) -> tuple[Any, ...]:
        if a.size == 0:
            return a, np.int32(0)
        found, info = routines("potrf", a)(a, lower=not upper, clean=True)
        return found, np.int32(info)

    factors, info = over_batches(xp, factor, A)
    if check_errors:
        check("linalg.cholesky_ex", info, "the matrix is not positive definite")
    return CholeskyEx(factors, info)


@op(spaces="linalg")
def qr(xp: Any, A: Array, mode: str = "reduced") -> QR:
    """(Q, R): orthonormal columns and an upper triangle with ``A == Q @ R``.

    ``mode``: "reduced", "complete" (Q square), or "r" (Q empty).
    Source: PyTorch ``torch.linalg.qr``.

    >>> import tensorlite as tl
    >>> tl.linalg.qr(tl.tensor([[3.0], [4.0]])).R
    tensor([[-5.]])
    """
    matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"linalg.qr: mode={mode!r}; expected 'reduced', 'complete' or 'r'")
    if mode == "r":
        return QR(xp.empty((0,), A.dtype), xp.linalg.qr(A, mode="r"))
    return QR(*xp.linalg.qr(A, mode=mode))


@op("qr", method=True)
def qr_(input: Array, some: bool = True) -> QR:
    """:func:`linalg.qr`, as it was named before. Source: PyTorch ``torch.qr``.

    >>> import tensorlite as tl
    >>> tl.qr(tl.tensor([[3.0], [4.0]])).R
    tensor([[-5.]])
    """
    return QR(*qr(input, "reduced" if some else "complete"))


@op(method=True)
def geqrf(xp: Any, input: Array) -> Geqrf:
    """(a, tau): the QR factors as LAPACK leaves them, R above reflectors of Householder.

    Source: PyTorch ``torch.geqrf``.

    >>> import tensorlite as tl
    >>> tl.geqrf(tl.tensor([[3.0], [4.0]])).tau
    tensor([1.6000])
    """
    matrices("geqrf", input)

    def factor(a: Array) -> tuple[Any, ...]:
        if a.size == 0:
            return a, np.zeros(min(a.shape), a.dtype)
        found = routines("geqrf", a)(a)
        return found[0], found[1]

    return Geqrf(*over_batches(xp, factor, input))


@op(spaces=("linalg",))
def householder_product(xp: Any, A: Array, tau: Array) -> Array:
    """The first columns of the product of the reflectors in the columns of ``A``.

    Source: PyTorch ``torch.linalg.householder_product``.

    >>> import tensorlite as tl
    >>> tl.linalg.householder_product(tl.tensor([[1.0], [2.0]]), tl.tensor([0.5]))
    tensor([[ 0.5000],
            [-1.0000]])
    """
    matrices("linalg.householder_product", A, tau)
    if A.shape[-2] < A.shape[-1]:
        raise ShapeError(
            f"linalg.householder_product: expected no more columns than rows, got {A.shape}"
        )

    def product(a: Array, t: Array) -> tuple[Any, ...]:
        return (_reflected(a, t)[:, : a.shape[1]],)

    return over_batches(xp, product, A, tau, core=(2, 1))[0]


@op(method=True)
def orgqr(input: Array, input2: Array) -> Array:
    """:func:`linalg.householder_product`, as it was named before. Source: PyTorch ``torch.orgqr``.

    >>> import tensorlite as tl
    >>> tl.orgqr(tl.tensor([[1.0], [2.0]]), tl.tensor([0.5]))
    tensor([[ 0.5000],
            [-1.0000]])
    """
    return householder_product(input, input2)


@op(method=True)
def ormqr(
    xp: Any, input: Array, tau: Array, other: Array, left: bool = True, transpose: bool = False
) -> Array:
    """``Q @ other``, ``other @ Q``, or with Q's adjoint; Q is the product of reflectors.

    Source: PyTorch ``torch.ormqr``.

    >>> import tensorlite as tl
    >>> tl.ormqr(tl.tensor([[1.0], [2.0]]), tl.tensor([0.0]), tl.ones(2, 1))
    tensor([[1.],
            [1.]])
    """
    matrices("ormqr", input, tau, other)

    def product(a: Array, t: Array, c: Array) -> tuple[Any, ...]:
        q = _reflected(a, t)
        q = adjoint(q) if transpose else q
        return (q @ c if left else c @ q,)

    return over_batches(xp, product, input, tau, other, core=(2, 1, 2))[0]


@op(spaces="linalg")
def svd(xp: Any, A: Array, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """(U, S, Vh) with ``A == U[..., :k] @ diag(S) @ Vh[..., :k, :]``, S descending.

    ``driver`` is taken and has no meaning here. Source: PyTorch ``torch.linalg.svd``.

    >>> import tensorlite as tl
    >>> tl.linalg.svd(tl.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    matrices("linalg.svd", A)
    return SVD(*solved("linalg.svd", xp.linalg.svd, A, full_matrices=full_matrices))


@op(spaces="linalg")
def svdvals(xp: Any, A: Array, *, driver: str | None = None) -> Array:
    """The singular values, descending. Source: PyTorch ``torch.linalg.svdvals``.

    >>> import tensorlite as tl
    >>> tl.linalg.svdvals(tl.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    matrices("linalg.svdvals", A)
    return solved("linalg.svdvals", xp.linalg.svd, A, compute_uv=False)


@op("svd", method=True)
def svd_(xp: Any, input: Array, some: bool = True, compute_uv: bool = True) -> SVDTransposed:
    """(U, S, V) with ``input == U @ diag(S) @ V.mH``; zeros for U and V without ``compute_uv``.

    Source: PyTorch ``torch.svd``.

    >>> import tensorlite as tl
    >>> tl.svd(tl.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    matrices("svd", input)
    rows, columns = input.shape[-2:]
    if not compute_uv:
        values = solved("svd", xp.linalg.svd, input, compute_uv=False)
        u = xp.zeros((*input.shape[:-2], rows, rows), input.dtype)
        return SVDTransposed(u, values, xp.zeros((*input.shape[:-2], columns, columns), u.dtype))
    u, values, vh = solved("svd", xp.linalg.svd, input, full_matrices=not some)
    return SVDTransposed(u, values, adjoint(vh))


def _cholesky(xp: Any, A: Array, upper: bool, name: str) -> Array:
    matrices(name, A, square=True)
    if A.size == 0:
        return A.copy()
    found = solved(name, xp.linalg.cholesky, adjoint(A) if upper else A)
    return adjoint(found) if upper else found


def _reflected(a: Array, tau: Array) -> Array:
    """The square matrix that the reflectors below the diagonal of ``a`` multiply to."""
    rows = a.shape[0]
    product = np.eye(rows, dtype=a.dtype)
    for i in reversed(range(tau.shape[0])):
        vector = np.concatenate([np.zeros(i), [1], a[i + 1 :, i]]).astype(a.dtype)
        product -= tau[i] * np.outer(vector, vector.conj() @ product)
    return product
