"""Factorisations of matrices: Cholesky, QR, LU, LDL and singular values."""

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


class LU(NamedTuple):
    """What :func:`lu` gives."""

    P: Array
    L: Array
    U: Array


class LUFactor(NamedTuple):
    """What :func:`lu_factor` gives."""

    LU: Array
    pivots: Array


class LUFactorEx(NamedTuple):
    """What :func:`lu_factor_ex` gives."""

    LU: Array
    pivots: Array
    info: Array


class LDLFactor(NamedTuple):
    """What :func:`ldl_factor` gives."""

    LD: Array
    pivots: Array


class LDLFactorEx(NamedTuple):
    """What :func:`ldl_factor_ex` gives."""

    LD: Array
    pivots: Array
    info: Array


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


@op(spaces="linalg")
def lu_factor_ex(
    xp: Any, A: Array, *, pivot: bool = True, check_errors: bool = False
) -> LUFactorEx:
    """(LU, pivots, info): L below and U on and above the diagonal; rows exchanged, from 1.

    Source: PyTorch ``torch.linalg.lu_factor_ex``.

    >>> import tensorlite as tl
    >>> tl.linalg.lu_factor_ex(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).pivots
    tensor([2, 2], dtype=tensorlite.int32)
    """
    found = LUFactorEx(*_lu(xp, A, pivot, "linalg.lu_factor_ex"))
    if check_errors:
        check("linalg.lu_factor_ex", found.info, "U has a zero on its diagonal")
    return found


@op(spaces="linalg")
def lu_factor(xp: Any, A: Array, *, pivot: bool = True) -> LUFactor:
    """(LU, pivots): :func:`lu_factor_ex` that raises LinAlgError for a singular matrix.

    Source: PyTorch ``torch.linalg.lu_factor``.

    >>> import tensorlite as tl
    >>> tl.linalg.lu_factor(tl.tensor([[2.0, 0.0], [0.0, 4.0]])).LU
    tensor([[2., 0.],
            [0., 4.]])
    """
    factors, pivots, info = _lu(xp, A, pivot, "linalg.lu_factor")
    check("linalg.lu_factor", info, "U has a zero on its diagonal")
    return LUFactor(factors, pivots)


@op(spaces="linalg")
def lu(xp: Any, A: Array, *, pivot: bool = True) -> LU:
    """(P, L, U) with ``A == P @ L @ U``. Source: PyTorch ``torch.linalg.lu``.

    >>> import tensorlite as tl
    >>> tl.linalg.lu(tl.tensor([[1.0, 2.0], [3.0, 4.0]])).U
    tensor([[3.0000, 4.0000],
            [0.0000, 0.6667]])
    """
    factors, pivots, _ = _lu(xp, A, pivot, "linalg.lu")
    return LU(*_unpacked(xp, factors, pivots))


@op("lu", method=True)
def lu_(xp: Any, A: Array, pivot: bool = True, get_infos: bool = False) -> Any:
    """(LU, pivots) or (LU, pivots, infos). Source: PyTorch ``torch.lu``.

    >>> import tensorlite as tl
    >>> tl.lu(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))[1]
    tensor([2, 2], dtype=tensorlite.int32)
    """
    found = _lu(xp, A, pivot, "lu")
    return found if get_infos else found[:2]


@op()
def lu_unpack(
    xp: Any, LU_data: Array, LU_pivots: Array, unpack_data: bool = True, unpack_pivots: bool = True
) -> LU:
    """(P, L, U) from what :func:`lu_factor` gave; what is not asked for is empty.

    Source: PyTorch ``torch.lu_unpack``.

    >>> import tensorlite as tl
    >>> tl.lu_unpack(*tl.linalg.lu_factor(tl.tensor([[1.0, 2.0], [3.0, 4.0]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    permutation, lower, upper = _unpacked(xp, LU_data, LU_pivots)
    empty = xp.empty((0,), LU_data.dtype)
    return LU(
        permutation if unpack_pivots else empty,
        lower if unpack_data else empty,
        upper if unpack_data else empty,
    )


@op(spaces="linalg")
def ldl_factor_ex(
    xp: Any, A: Array, *, hermitian: bool = False, check_errors: bool = False
) -> LDLFactorEx:
    """(LD, pivots, info): the Bunch-Kaufman factors of symmetric (or Hermitian) matrices.

    Source: PyTorch ``torch.linalg.ldl_factor_ex``.

    >>> import tensorlite as tl
    >>> tl.linalg.ldl_factor_ex(tl.eye(2)).pivots
    tensor([1, 2], dtype=tensorlite.int32)
    """
    found = LDLFactorEx(*_ldl(xp, A, hermitian, "linalg.ldl_factor_ex"))
    if check_errors:
        check("linalg.ldl_factor_ex", found.info, "D is singular")
    return found


@op(spaces="linalg")
def ldl_factor(xp: Any, A: Array, *, hermitian: bool = False) -> LDLFactor:
    """(LD, pivots): :func:`ldl_factor_ex` that raises LinAlgError for a singular matrix.

    Source: PyTorch ``torch.linalg.ldl_factor``.

    >>> import tensorlite as tl
    >>> tl.linalg.ldl_factor(tl.eye(2)).LD
    tensor([[1., 0.],
            [0., 1.]])
    """
    factors, pivots, info = _ldl(xp, A, hermitian, "linalg.ldl_factor")
    check("linalg.ldl_factor", info, "D is singular")
    return LDLFactor(factors, pivots)


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


def _lu(xp: Any, A: Array, pivot: bool, name: str) -> tuple[Array, Array, Array]:
    matrices(name, A)
    if not pivot:
        raise ArgumentError(f"{name}: pivot=False is not implemented; leave it out")

    def factor(a: Array) -> tuple[Any, ...]:
        if a.size == 0:
            return a, np.zeros(min(a.shape), np.int32), np.int32(0)
        found, exchanged, info = routines("getrf", a)(a)
        return found, exchanged.astype(np.int32) + 1, np.int32(info)

    factors, pivots, info = over_batches(xp, factor, A)
    return factors, pivots, info


def _unpacked(xp: Any, factors: Array, pivots: Array) -> tuple[Array, Array, Array]:
    rows, columns = factors.shape[-2:]
    short = min(rows, columns)
    lower = xp.tril(factors[..., :short], -1) + xp.eye(rows, short, dtype=factors.dtype)

    def permutation(exchanged: Array) -> tuple[Any, ...]:
        order = np.arange(rows)
        for i, other in enumerate(exchanged):
            order[[i, other - 1]] = order[[other - 1, i]]
        return (np.eye(rows, dtype=factors.dtype)[:, order],)

    (exchange,) = over_batches(xp, permutation, pivots, core=(1,))
    return exchange, lower, xp.triu(factors[..., :short, :])


def _ldl(xp: Any, A: Array, hermitian: bool, name: str) -> tuple[Array, Array, Array]:
    matrices(name, A, square=True)
    routine = "hetrf" if hermitian and A.dtype.kind == "c" else "sytrf"

    def factor(a: Array) -> tuple[Any, ...]:
        if a.size == 0:
            return a, np.zeros(len(a), np.int32), np.int32(0)
        found, pivots, info = routines(routine, a)(a, lower=True)
        return np.tril(found), pivots.astype(np.int32), np.int32(info)

    factors, pivots, info = over_batches(xp, factor, A)
    return factors, pivots, info
