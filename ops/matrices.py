"""Functions of whole matrices: determinant, powers, exponential, rank, condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from .dims import is_integral
from .lapack import matrices, solved, threshold, to_host
from .norms import norm_of_matrix
from .registry import TOP, Array, op
from .solving import inv, inverted, solve


class Slogdet(NamedTuple):
    """What :func:`slogdet` gives."""

    sign: Array
    logabsdet: Array


@op(method=True, spaces=(TOP, "linalg"))
def det(xp: Any, A: Array) -> Array:
    """The determinants of square matrices. Source: PyTorch ``torch.linalg.det``.

    >>> import tensorlite as tl
    >>> tl.det(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    matrices("det", A, square=True)
    return xp.linalg.det(A)


@op(method=True, spaces=(TOP, "linalg"))
def slogdet(xp: Any, A: Array) -> Slogdet:
    """(sign, logabsdet): ``det(A) == sign * exp(logabsdet)``; (0, -inf) of a singular matrix.

    Source: PyTorch ``torch.linalg.slogdet``.

    >>> import tensorlite as tl
    >>> tl.slogdet(tl.tensor([[-1.0, 0.0], [0.0, 1.0]])).sign
    tensor(-1.)
    """
    matrices("slogdet", A, square=True)
    sign, size = xp.linalg.slogdet(A)
    return Slogdet(sign, size)


@op(method=True)
def logdet(xp: Any, input: Array) -> Array:
    """The logarithm of the determinant: -inf if it is 0, nan if negative.

    Source: PyTorch ``torch.logdet``.

    >>> import tensorlite as tl
    >>> tl.logdet(tl.eye(2))
    tensor(0.)
    """
    matrices("logdet", input, square=True)
    sign, size = xp.linalg.slogdet(input)
    if input.dtype.kind == "c":
        return size + xp.log(sign)
    return xp.where(sign < 0, xp.asarray(np.nan, size.dtype), size)


@op(method=True, upcast=True, spaces=(TOP, "linalg"))
def matrix_power(xp: Any, A: Array, n: int) -> Array:
    """``A @ A @ ...``, n times; of the inverse for negative n; the identity for 0.

    Source: PyTorch ``torch.linalg.matrix_power``.

    >>> import tensorlite as tl
    >>> tl.matrix_power(tl.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    if A.ndim < 2 or A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"matrix_power: expected square matrices, got shape {A.shape}")
    if n < 0:
        matrices("matrix_power", A)
    if n == 1:
        return A.copy()
    return solved("matrix_power", xp.linalg.matrix_power, A, n)


@op(method=True, upcast=True, spaces=(TOP, "linalg"))
def matrix_exp(xp: Any, A: Array) -> Array:
    """``I + A + A @ A / 2 + ...``, by scaling and squaring (Al-Mohy and Higham, 2010).

    Source: PyTorch ``torch.linalg.matrix_exp``.

    >>> import tensorlite as tl
    >>> tl.matrix_exp(tl.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    from scipy.linalg import expm

    matrices("matrix_exp", A, square=True)
    return xp.asarray(expm(to_host(xp, A)).astype(A.dtype)) if A.size else A.copy()


@op(spaces="linalg")
def matrix_rank(
    xp: Any,
    A: Array,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
) -> Array:
    """How many singular values are above ``max(atol, rtol * largest)``, as int64.

    Source: PyTorch ``torch.linalg.matrix_rank``.

    >>> import tensorlite as tl
    >>> tl.linalg.matrix_rank(tl.eye(3))
    tensor(3)
    """
    matrices("linalg.matrix_rank", A)
    atol = tol if atol is None else atol
    if A.size == 0:
        return xp.zeros(A.shape[:-2], np.int64)
    if hermitian:
        values = xp.abs(solved("linalg.matrix_rank", xp.linalg.eigvalsh, A))
    else:
        values = solved("linalg.matrix_rank", xp.linalg.svd, A, compute_uv=False)
    limit = threshold(xp, A, values, atol, rtol)
    return (values > limit[..., None]).sum(axis=-1, dtype=np.int64)


@op(spaces="linalg")
def cond(xp: Any, A: Array, p: float | str | None = None) -> Array:
    """The condition number ``norm(A, p) * norm(inv(A), p)``; by default of singular values.

    inf for a singular matrix. Source: PyTorch ``torch.linalg.cond``.

    >>> import tensorlite as tl
    >>> tl.linalg.cond(tl.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.)
    """
    matrices("linalg.cond", A, square=p not in (None, 2, -2))
    if A.size == 0:
        return xp.zeros(A.shape[:-2], A.real.dtype)
    if p in (None, 2, -2):
        values = solved("linalg.cond", xp.linalg.svd, A, compute_uv=False)
        first, last = (0, -1) if p != -2 else (-1, 0)
        return values[..., first] / values[..., last]
    inverse, info = inverted(xp, A, "linalg.cond")
    size = norm_of_matrix(xp, A, p, (-2, -1), False, None, "linalg.cond")
    other = norm_of_matrix(xp, inverse, p, (-2, -1), False, None, "linalg.cond")
    return xp.where(info == 0, size * other, xp.asarray(np.inf, size.dtype))


@op(spaces="linalg")
def tensorinv(A: Array, ind: int = 2) -> Array:
    """The inverse of ``tensordot(A, x, x.ndim)``, whose first ``ind`` dimensions are the result's.

    Source: PyTorch ``torch.linalg.tensorinv``.

    >>> import tensorlite as tl
    >>> tl.linalg.tensorinv(tl.eye(4).reshape(2, 2, 2, 2)).shape
    tensorlite.Size([2, 2, 2, 2])
    """
    rows, columns = A.shape[:ind], A.shape[ind:]
    if ind <= 0 or math.prod(rows) != math.prod(columns):
        raise ShapeError(
            f"linalg.tensorinv: the product of the sizes {tuple(rows)} is not that of "
            f"{tuple(columns)}"
        )
    return inv(A.reshape(math.prod(rows), -1)).reshape(*columns, *rows)


@op(spaces="linalg")
def tensorsolve(A: Array, B: Array, dims: Sequence[int] | None = None) -> Array:
    """X with ``tensordot(A, X, X.ndim) == B``; ``dims`` of A are moved to its end first.

    Source: PyTorch ``torch.linalg.tensorsolve``.

    >>> import tensorlite as tl
    >>> tl.linalg.tensorsolve(tl.eye(4).reshape(2, 2, 4), tl.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    found = A.shape[B.ndim :]
    if math.prod(found) != math.prod(A.shape[: B.ndim]):
        raise ShapeError(f"linalg.tensorsolve: shapes {tuple(A.shape)} and {tuple(B.shape)}")
    return solve(A.reshape(-1, math.prod(found)), B.reshape(-1)).reshape(found)


@op("vander")
def decreasing_vander(xp: Any, x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """The powers N - 1 to 0 of each element of a vector, in rows; 0 to N - 1 if ``increasing``.

    Source: PyTorch ``torch.vander``.

    >>> import tensorlite as tl
    >>> tl.vander(tl.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector, got shape {x.shape}")
    powers = _powers(xp, x, N, "vander")
    return powers if increasing else powers[..., ::-1]


@op(spaces="linalg")
def vander(xp: Any, x: Array, *, N: int | None = None) -> Array:
    """The powers 0 to N - 1 of each element, in a new last dimension.

    Source: PyTorch ``torch.linalg.vander``.

    >>> import tensorlite as tl
    >>> tl.linalg.vander(tl.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [1, 2, 4],
            [1, 3, 9]])
    """
    return _powers(xp, x, N, "linalg.vander")


@op(spaces="linalg")
def diagonal(A: Array, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """A view of the diagonals of matrices. Source: PyTorch ``torch.linalg.diagonal``.

    >>> import tensorlite as tl
    >>> tl.linalg.diagonal(tl.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return A.diagonal(offset, dim1, dim2)


def _powers(xp: Any, x: Array, N: int | None, name: str) -> Array:
    x = x.reshape(1) if x.ndim == 0 else x
    count = x.shape[-1] if N is None else N
    if count <= 0:
        raise ShapeError(f"{name}: expected N > 0, got {count} for the shape {x.shape}")
    wide = x.astype(np.int64) if is_integral(x) else x
    ones = xp.ones((*x.shape, 1), wide.dtype)
    powers = xp.broadcast_to(wide[..., None], (*x.shape, count - 1))
    return xp.concatenate([ones, xp.cumprod(powers, axis=-1)], axis=-1)
