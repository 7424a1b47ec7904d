"""Linear systems, inverses, least squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from .lapack import adjoint, check, matrices, over_batches, routines, solved, threshold, tolerance
from .registry import Array, op

SINGULAR = "the matrix is singular"


class InvEx(NamedTuple):
    """What :func:`inv_ex` gives."""

    inverse: Array
    info: Array


class SolveEx(NamedTuple):
    """What :func:`solve_ex` gives."""

    result: Array
    info: Array


class Lstsq(NamedTuple):
    """What :func:`lstsq` gives."""

    solution: Array
    residuals: Array
    rank: Array
    singular_values: Array


class TriangularSolve(NamedTuple):
    """What :func:`triangular_solve` gives."""

    solution: Array
    cloned_coefficient: Array


@op(spaces="linalg")
def solve(xp: Any, A: Array, B: Array, *, left: bool = True) -> Array:
    """X with ``A @ X == B``, or ``X @ A == B`` if not ``left``; B may hold vectors.

    Raises LinAlgError if A is singular. Source: PyTorch ``torch.linalg.solve``.

    >>> import tensorlite as tl
    >>> tl.linalg.solve(tl.tensor([[2.0, 0.0], [0.0, 4.0]]), tl.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    return _solve(xp, A, B, left, "linalg.solve")


@op(spaces="linalg")
def solve_ex(
    xp: Any, A: Array, B: Array, *, left: bool = True, check_errors: bool = False
) -> SolveEx:
    """(result, info): :func:`solve` without raising; info is not 0 where A is singular.

    Source: PyTorch ``torch.linalg.solve_ex``.

    >>> import tensorlite as tl
    >>> tl.linalg.solve_ex(tl.eye(2), tl.ones(2)).info
    tensor(0, dtype=tensorlite.int32)
    """
    _, info = inverted(xp, A, "linalg.solve_ex")
    if check_errors:
        check("linalg.solve_ex", info, SINGULAR)
    if not (info != 0).any():
        return SolveEx(_solve(xp, A, B, left, "linalg.solve_ex"), info)
    bad = (info != 0)[..., None, None]
    safe = xp.where(bad, xp.eye(A.shape[-1], dtype=A.dtype), A)
    result = _solve(xp, safe, B, left, "linalg.solve_ex")
    bad = bad if result.ndim >= A.ndim else bad[..., 0]
    return SolveEx(xp.where(bad, xp.asarray(np.nan, A.dtype), result), info)


@op(spaces="linalg")
def inv(xp: Any, A: Array) -> Array:
    """The inverses of square matrices. Raises LinAlgError if one is singular.

    Source: PyTorch ``torch.linalg.inv``.

    >>> import tensorlite as tl
    >>> tl.linalg.inv(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    matrices("linalg.inv", A, square=True)
    return solved("linalg.inv", xp.linalg.inv, A)


@op(method=True)
def inverse(input: Array) -> Array:
    """:func:`linalg.inv`, as it was named before. Source: PyTorch ``torch.inverse``.

    >>> import tensorlite as tl
    >>> tl.inverse(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return inv(input)


@op(spaces="linalg")
def inv_ex(xp: Any, A: Array, *, check_errors: bool = False) -> InvEx:
    """(inverse, info): :func:`inv` without raising; info is not 0 where a matrix is singular.

    Source: PyTorch ``torch.linalg.inv_ex``.

    >>> import tensorlite as tl
    >>> tl.linalg.inv_ex(tl.tensor([[0.0]])).info
    tensor(1, dtype=tensorlite.int32)
    """
    found = InvEx(*inverted(xp, A, "linalg.inv_ex"))
    if check_errors:
        check("linalg.inv_ex", found.info, SINGULAR)
    return found


@op(spaces="linalg")
def pinv(
    xp: Any,
    A: Array,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Array:
    """The Moore-Penrose inverse; singular values up to ``max(atol, rtol * largest)`` are 0.

    Source: PyTorch ``torch.linalg.pinv``.

    >>> import tensorlite as tl
    >>> tl.linalg.pinv(tl.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return _pinv(xp, A, atol, rcond if rtol is None else rtol, hermitian, "linalg.pinv")


@op(method=True)
def pinverse(xp: Any, input: Array, rcond: float = 1e-15) -> Array:
    """:func:`linalg.pinv`, as it was named before. Source: PyTorch ``torch.pinverse``.

    >>> import tensorlite as tl
    >>> tl.pinverse(tl.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return _pinv(xp, input, None, rcond, False, "pinverse")


@op(spaces="linalg")
def lstsq(
    xp: Any, A: Array, B: Array, rcond: float | None = None, *, driver: str | None = None
) -> Lstsq:
    """(solution, residuals, rank, singular_values): X for which ``|A @ X - B|`` is least.

    The rank is empty for the driver "gels", the singular values for all but "gelsd" and "gelss";
    the residuals for "gelsy", and unless A has more rows than columns and full rank.
    Source: PyTorch ``torch.linalg.lstsq``.

    >>> import tensorlite as tl
    >>> tl.linalg.lstsq(tl.tensor([[1.0], [1.0]]), tl.tensor([[1.0], [3.0]])).rank
    tensor(1)
    """
    matrices("linalg.lstsq", A, B)
    driver = driver or "gelsy"
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise ArgumentError(
            f"linalg.lstsq: driver={driver!r}; expected 'gels', 'gelsy', 'gelsd' or 'gelss'"
        )
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])
    columns = B[..., None] if vector else B
    cutoff = tolerance(A) if rcond is None else rcond

    def one(a: Array, b: Array) -> tuple[Any, ...]:
        x, _, rank, values = solved("linalg.lstsq", np.linalg.lstsq, a, b, rcond=cutoff)
        rest = np.square(np.abs(a @ x - b)).sum(axis=0)
        return x, rest, np.int64(rank), values

    x, rest, rank, values = over_batches(xp, one, A, columns)
    none = xp.empty((0,), values.dtype)
    rows, unknowns = A.shape[-2:]
    full = driver != "gelsy" and rows > unknowns and bool((rank == unknowns).all())
    return Lstsq(
        x[..., 0] if vector else x,
        rest if full else none,
        rank if driver != "gels" else xp.empty((0,), np.int64),
        values if driver in ("gelsd", "gelss") else none,
    )


@op(method=True)
def cholesky_solve(xp: Any, B: Array, L: Array, upper: bool = False) -> Array:
    """X with ``A @ X == B``, from the Cholesky factor of A.

    Source: PyTorch ``torch.cholesky_solve``.

    >>> import tensorlite as tl
    >>> tl.cholesky_solve(tl.tensor([[8.0]]), tl.tensor([[2.0]]))
    tensor([[2.]])
    """
    matrices("cholesky_solve", L, B, square=True)

    def one(b: Array, factor: Array) -> tuple[Any, ...]:
        return (routines("potrs", factor)(factor, b, lower=not upper)[0] if b.size else b,)

    return over_batches(xp, one, B, L)[0]


@op(method=True)
def cholesky_inverse(xp: Any, L: Array, upper: bool = False) -> Array:
    """The inverse of A, from its Cholesky factor. Source: PyTorch ``torch.cholesky_inverse``.

    >>> import tensorlite as tl
    >>> tl.cholesky_inverse(tl.tensor([[2.0]]))
    tensor([[0.2500]])
    """
    matrices("cholesky_inverse", L, square=True)
    lower = adjoint(xp.triu(L)) if upper else xp.tril(L)
    inverse = solved("cholesky_inverse", xp.linalg.inv, lower)
    return xp.matmul(adjoint(inverse), inverse)


@op("lu_solve", spaces="linalg")
def linalg_lu_solve(
    xp: Any, LU: Array, pivots: Array, B: Array, *, left: bool = True, adjoint: bool = False
) -> Array:
    """X with ``A @ X == B``, from :func:`lu_factor` of A; of its adjoint, or from the right.

    Source: PyTorch ``torch.linalg.lu_solve``.

    >>> import tensorlite as tl
    >>> factors = tl.linalg.lu_factor(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> tl.linalg.lu_solve(*factors, tl.tensor([[2.0], [2.0]]))
    tensor([[1.0000],
            [0.5000]])
    """
    return _lu_solve(xp, LU, pivots, B, left, adjoint, "linalg.lu_solve")


@op(method=True)
def lu_solve(xp: Any, b: Array, LU_data: Array, LU_pivots: Array) -> Array:
    """:func:`linalg.lu_solve`, as it was named before. Source: PyTorch ``torch.lu_solve``.

    >>> import tensorlite as tl
    >>> factors = tl.linalg.lu_factor(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> tl.lu_solve(tl.tensor([[2.0], [2.0]]), *factors)
    tensor([[1.0000],
            [0.5000]])
    """
    return _lu_solve(xp, LU_data, LU_pivots, b, True, False, "lu_solve")


@op(spaces="linalg")
def ldl_solve(xp: Any, LD: Array, pivots: Array, B: Array, *, hermitian: bool = False) -> Array:
    """X with ``A @ X == B``, from :func:`ldl_factor` of A.

    Source: PyTorch ``torch.linalg.ldl_solve``.

    >>> import tensorlite as tl
    >>> factors = tl.linalg.ldl_factor(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    >>> tl.linalg.ldl_solve(*factors, tl.tensor([[2.0], [2.0]]))
    tensor([[1.0000],
            [0.5000]])
    """
    matrices("linalg.ldl_solve", LD, B, square=True)

    def one(factors: Array, exchanged: Array, b: Array) -> tuple[Any, ...]:
        routine = "hetrs" if hermitian and factors.dtype.kind == "c" else "sytrs"
        return (routines(routine, factors)(factors, exchanged, b, lower=True)[0] if b.size else b,)

    return over_batches(xp, one, LD, pivots, B, core=(2, 1, 2))[0]


@op(spaces="linalg")
def solve_triangular(
    xp: Any, A: Array, B: Array, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Array:
    """X with ``A @ X == B`` for triangular A (or ``X @ A == B``); the other triangle is not read.

    Source: PyTorch ``torch.linalg.solve_triangular``.

    >>> import tensorlite as tl
    >>> A = tl.tensor([[2.0, 0.0], [1.0, 4.0]])
    >>> tl.linalg.solve_triangular(A, tl.tensor([[2.0], [5.0]]), upper=False)
    tensor([[1.],
            [1.]])
    """
    matrices("linalg.solve_triangular", A, B, square=True)
    if not left:
        turned = _triangular(
            xp, A.swapaxes(-1, -2), B.swapaxes(-1, -2), not upper, False, unitriangular
        )
        return turned.swapaxes(-1, -2)
    return _triangular(xp, A, B, upper, False, unitriangular)


@op(method=True)
def triangular_solve(
    xp: Any,
    b: Array,
    A: Array,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> TriangularSolve:
    """(solution, A): :func:`linalg.solve_triangular`, as it was named before.

    Source: PyTorch ``torch.triangular_solve``.

    >>> import tensorlite as tl
    >>> tl.triangular_solve(tl.tensor([[8.0]]), tl.tensor([[2.0]])).solution
    tensor([[4.]])
    """
    matrices("triangular_solve", A, b, square=True)
    solution = _triangular(xp, A, b, upper, transpose, unitriangular)
    coefficients = xp.broadcast_to(A, (*solution.shape[:-2], *A.shape[-2:])).copy()
    return TriangularSolve(solution, coefficients)


def _solve(xp: Any, A: Array, B: Array, left: bool, name: str) -> Array:
    matrices(name, A, B, square=True)
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])
    columns = B[..., None] if vector else B
    if columns.shape[-2 if left or vector else -1] != A.shape[-1]:
        raise ShapeError(f"{name}: shapes {A.shape} and {B.shape} do not fit")
    if left or vector:
        result = solved(name, xp.linalg.solve, A, columns)
    else:
        result = solved(name, xp.linalg.solve, A.swapaxes(-1, -2), columns.swapaxes(-1, -2))
        result = result.swapaxes(-1, -2)
    return result[..., 0] if vector else result


def inverted(xp: Any, A: Array, name: str) -> tuple[Array, Array]:
    """The inverses, and for each 0 or where LAPACK found the matrix to be singular."""
    matrices(name, A, square=True)

    def one(a: Array) -> tuple[Any, ...]:
        if a.size == 0:
            return a, np.int32(0)
        getrf, getri = routines("getrf getri", a)
        factors, pivots, info = getrf(a)
        if info == 0:
            factors, info = getri(factors, pivots)
        return factors, np.int32(info)

    inverses, info = over_batches(xp, one, A)
    return inverses, info


def _pinv(xp: Any, A: Array, atol: Any, rtol: Any, hermitian: bool, name: str) -> Array:
    matrices(name, A)
    if A.size == 0:
        return xp.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype)
    if hermitian:
        values, u = solved(name, xp.linalg.eigh, A)
        sizes, vh = xp.abs(values), adjoint(u)
    else:
        u, values, vh = solved(name, xp.linalg.svd, A, full_matrices=False)
        sizes = values
    kept = sizes > threshold(xp, A, sizes, atol, rtol)[..., None]
    inverted = xp.where(kept, 1 / xp.where(kept, values, 1), 0).astype(values.dtype)
    return xp.matmul(adjoint(vh) * inverted[..., None, :], adjoint(u))


def _lu_solve(
    xp: Any, LU: Array, pivots: Array, B: Array, left: bool, adjoint: bool, name: str
) -> Array:
    matrices(name, LU, B, square=True)

    def one(factors: Array, exchanged: Array, b: Array) -> tuple[Any, ...]:
        if b.size == 0:
            return (b,)
        getrs = routines("getrs", factors)
        if left:
            return (getrs(factors, exchanged - 1, b, trans=2 if adjoint else 0)[0],)
        if adjoint:  # X @ A.mH == B is A @ X.mH == B.mH
            return (getrs(factors, exchanged - 1, b.conj().T)[0].conj().T,)
        return (getrs(factors, exchanged - 1, b.T, trans=1)[0].T,)

    return over_batches(xp, one, LU, pivots, B, core=(2, 1, 2))[0]


def _triangular(
    xp: Any, A: Array, B: Array, upper: bool, transpose: bool, unitriangular: bool
) -> Array:
    from scipy.linalg.blas import get_blas_funcs

    def one(a: Array, b: Array) -> tuple[Any, ...]:
        if b.size == 0:
            return (b,)
        trsm = get_blas_funcs("trsm", (a,))  # not trtrs: it refuses a zero on the diagonal
        return (trsm(1, a, b, lower=not upper, trans_a=int(transpose), diag=int(unitriangular)),)

    return over_batches(xp, one, A, B)[0]
