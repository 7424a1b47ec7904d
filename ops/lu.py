"""Factorisations by elimination: LU of any matrix, LDL of a symmetric one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from .lapack import check, matrices, over_batches, routines
from .registry import Array, op


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
