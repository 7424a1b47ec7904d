"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError
from .dims import dtype_of
from .lapack import matrices, over_batches, solved
from .registry import Array, op


class Eig(NamedTuple):
    """What :func:`eig` gives."""

    eigenvalues: Array
    eigenvectors: Array


class Eigh(NamedTuple):
    """What :func:`eigh` gives."""

    eigenvalues: Array
    eigenvectors: Array


@op(spaces="linalg")
def eig(xp: Any, A: Array) -> Eig:
    """(eigenvalues, eigenvectors) of square matrices, complex; a vector per column.

    Source: PyTorch ``torch.linalg.eig``.

    >>> import tensorlite as tl
    >>> tl.linalg.eig(tl.tensor([[2.0, 0.0], [0.0, 3.0]])).eigenvalues
    tensor([2.+0.j, 3.+0.j])
    """
    matrices("linalg.eig", A, square=True)

    def pairs(a: Array) -> tuple[Any, ...]:
        values, vectors = solved("linalg.eig", np.linalg.eig, a)
        wide = dtype_of(a).to_complex().numpy
        return values.astype(wide), vectors.astype(wide)

    return Eig(*over_batches(xp, pairs, A))


@op(spaces="linalg")
def eigvals(xp: Any, A: Array) -> Array:
    """The eigenvalues of square matrices, complex. Source: PyTorch ``torch.linalg.eigvals``.

    >>> import tensorlite as tl
    >>> tl.linalg.eigvals(tl.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    matrices("linalg.eigvals", A, square=True)

    wide = dtype_of(A).to_complex().numpy

    def values(a: Array) -> tuple[Any, ...]:
        return (solved("linalg.eigvals", np.linalg.eigvals, a).astype(wide),)

    return over_batches(xp, values, A)[0]


@op(spaces="linalg")
def eigh(xp: Any, A: Array, UPLO: str = "L") -> Eigh:
    """(eigenvalues, eigenvectors) of symmetric or Hermitian matrices, ascending; real values.

    Only the triangle named by ``UPLO`` ("L" or "U") is read. Source: PyTorch ``torch.linalg.eigh``.

    >>> import tensorlite as tl
    >>> tl.linalg.eigh(tl.tensor([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    tensor([1., 3.])
    """
    matrices("linalg.eigh", A, square=True)
    return Eigh(*solved("linalg.eigh", xp.linalg.eigh, A, UPLO=_triangle(UPLO)))


@op(spaces="linalg")
def eigvalsh(xp: Any, A: Array, UPLO: str = "L") -> Array:
    """The eigenvalues of symmetric or Hermitian matrices, ascending.

    Source: PyTorch ``torch.linalg.eigvalsh``.

    >>> import tensorlite as tl
    >>> tl.linalg.eigvalsh(tl.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    matrices("linalg.eigvalsh", A, square=True)
    return solved("linalg.eigvalsh", xp.linalg.eigvalsh, A, UPLO=_triangle(UPLO))


def _triangle(UPLO: str) -> str:
    if UPLO not in ("L", "U", "l", "u"):
        raise ArgumentError(f"linalg.eigh: UPLO={UPLO!r}; expected 'L' or 'U'")
    return UPLO.upper()
