"""Matrices: what must hold of factors whose signs are free, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite.errors import ArgumentError, DTypeError, LinAlgError, ShapeError

KINDS = [np.float32, np.float64, np.complex64, np.complex128]


def random(shape: tuple[int, ...], kind: Any, *, symmetric: bool = False) -> Any:
    generator = np.random.default_rng(1)
    values = generator.standard_normal(shape)
    if np.dtype(kind).kind == "c":
        values = values + 1j * generator.standard_normal(shape)
    if symmetric:
        values = values + values.swapaxes(-1, -2).conj()
    return values.astype(kind)


def close(actual: tl.Tensor, expected: Any) -> None:
    double = actual.dtype in (tl.float64, tl.complex128)
    tolerance = 1e-10 if double else 2e-4
    np.testing.assert_allclose(actual.numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 3, 5), (0, 3), (0, 3, 3)])
def test_singular_vectors(shape: tuple[int, ...], kind: Any) -> None:
    a = random(shape, kind)
    for full in (True, False):
        u, s, vh = tl.linalg.svd(tl.from_numpy(a), full_matrices=full)
        k = s.shape[-1]
        close((u[..., :k] * s[..., None, :].to(u.dtype)) @ vh[..., :k, :], a)
        for q in (u.numpy(), vh.numpy().swapaxes(-1, -2).conj()):
            eye = np.broadcast_to(np.eye(q.shape[-1]), (*shape[:-2], q.shape[-1], q.shape[-1]))
            close(tl.from_numpy(q.swapaxes(-1, -2).conj() @ q), eye)
    u, s, v = tl.svd(tl.from_numpy(a))
    close((u * s[..., None, :].to(u.dtype)) @ v.mH, a)


@pytest.mark.parametrize("kind", KINDS)
def test_eigenvectors(kind: Any) -> None:
    a = random((2, 4, 4), kind)
    values, vectors = tl.linalg.eig(tl.from_numpy(a))
    assert values.dtype.is_complex and vectors.dtype.is_complex
    close(tl.from_numpy(a).to(vectors.dtype) @ vectors, (vectors * values[..., None, :]).numpy())
    h = random((2, 4, 4), kind, symmetric=True)
    for triangle in "LU":
        values, vectors = tl.linalg.eigh(tl.from_numpy(h), triangle)
        assert not values.dtype.is_complex
        close((vectors * values[..., None, :].to(vectors.dtype)) @ vectors.mH, h)
        assert (values.diff() >= 0).all()


def test_only_one_triangle_is_read() -> None:
    a = tl.tensor([[4.0, float("nan")], [2.0, 5.0]])
    assert tl.linalg.cholesky(a).tolist() == [[2, 0], [1, 2]]
    assert tl.linalg.cholesky(a.T, upper=True).tolist() == [[2, 1], [0, 2]]
    b = tl.tensor([[1.0, 9.0], [0.0, 2.0]])
    assert tl.linalg.eigvalsh(b).tolist() == [1, 2]
    x = tl.linalg.solve_triangular(tl.tensor([[2.0, 7.0], [0.0, 4.0]]), tl.ones(2, 1), upper=False)
    assert x.tolist() == [[0.5], [0.25]]


def test_singular_and_indefinite_matrices() -> None:
    singular = tl.tensor([[1.0, 1.0], [1.0, 1.0]])
    for call in (
        lambda: tl.linalg.inv(singular), lambda: tl.linalg.solve(singular, tl.ones(2)),
        lambda: tl.linalg.cholesky(-tl.eye(2)), lambda: tl.linalg.lu_factor(singular),
        lambda: tl.linalg.inv_ex(singular, check_errors=True),
    ):  # fmt: skip
        with pytest.raises(LinAlgError):
            call()
    assert tl.linalg.LinAlgError is LinAlgError and issubclass(LinAlgError, RuntimeError)
    batch = tl.stack([tl.eye(2), singular])
    assert tl.linalg.inv_ex(batch).info.tolist() == [0, 2]
    result, info = tl.linalg.solve_ex(batch, tl.ones(2, 2, 1))
    assert info.tolist() == [0, 2] and result[0].tolist() == [[1], [1]]
    assert tl.linalg.cholesky_ex(tl.tensor([[1.0, 0.0], [0.0, -1.0]])).info.item() == 2
    assert tl.linalg.cond(singular, 1).item() == float("inf")
    assert tl.linalg.slogdet(singular).logabsdet.item() == -float("inf")
    assert tl.linalg.matrix_rank(singular).item() == 1
    zero = tl.tensor([[0.0, 0.0], [0.0, 4.0]])
    x = tl.linalg.solve_triangular(zero, tl.ones(2, 1), upper=True)
    assert x[0].item() == float("inf")


def test_least_squares_of_deficient_matrices() -> None:
    a, b = random((6, 2), np.float64), random((6, 2), np.float64)
    wide = np.concatenate([a, a[:, :1] + a[:, 1:]], axis=1)  # rank 2 of 3
    found = tl.linalg.lstsq(tl.from_numpy(wide), tl.from_numpy(b), driver="gelsd")
    close(found.solution, np.linalg.pinv(wide) @ b)
    assert found.rank.item() == 2 and found.residuals.shape == (0,)
    vector = tl.linalg.lstsq(tl.from_numpy(a), tl.from_numpy(b[:, 0]))
    close(vector.solution, np.linalg.lstsq(a, b[:, 0], rcond=None)[0])


def test_refusals() -> None:
    x = tl.ones(2, 3)
    for name in ("inv", "det", "cholesky", "eig", "eigh", "eigvals", "matrix_power"):
        with pytest.raises(ShapeError, match="square"):
            getattr(tl.linalg, name)(x, *([2] if name == "matrix_power" else []))
    with pytest.raises(DTypeError, match="linalg.inv: .*int64"):
        tl.linalg.inv(tl.eye(2, dtype=tl.int64))
    with pytest.raises(DTypeError, match="bfloat16"):
        tl.linalg.svd(x.bfloat16())
    with pytest.raises(ArgumentError, match="mode"):
        tl.linalg.qr(x, "other")
    with pytest.raises(ShapeError, match=r"matmul: .*\(2, 3\).*\(2, 3\)"):
        x @ x
    with pytest.raises(DTypeError, match="float32 and int64"):
        x @ tl.ones(3, 2, dtype=tl.int64)
    with pytest.raises(DTypeError, match="bool"):
        x.bool() @ x.T.bool()
    with pytest.raises(ShapeError, match="a matrix"):
        tl.mm(x, tl.ones(3))
    with pytest.raises(ShapeError, match="use \\*"):
        tl.matmul(x, tl.tensor(2.0))
    with pytest.raises(ShapeError, match="batches"):
        tl.bmm(tl.ones(2, 3, 4), tl.ones(3, 4, 5))
    with pytest.raises(ShapeError, match="size 3"):
        tl.linalg.cross(tl.ones(2, 2), tl.ones(2, 2))


def test_beta_zero_does_not_read() -> None:
    poison = tl.full((2, 2), float("nan"))
    assert tl.addmm(poison, tl.eye(2), tl.eye(2), beta=0).tolist() == [[1, 0], [0, 1]]
    assert tl.addmv(poison[0], tl.eye(2), tl.ones(2), beta=0).tolist() == [1, 1]


def test_16_bit_products_are_in_float32() -> None:
    x = tl.full((1, 4096), 1.0, dtype=tl.bfloat16)
    assert (x @ x.T).item() == 4096
    assert tl.dot(x[0], x[0]).item() == 4096
    assert (x @ x.T).dtype is tl.bfloat16


def test_chains_take_the_cheapest_order() -> None:
    from tensorlite.ops.linalg import _cheapest

    split = _cheapest([30, 35, 15, 5, 10, 20, 25])  # the example of Cormen et al.
    assert (split[0, 5], split[0, 2], split[3, 5]) == (2, 0, 4)


def test_diagonal_is_a_view() -> None:
    x = tl.zeros(3, 3)
    tl.linalg.diagonal(x).fill_(1)
    assert tl.equal(x, tl.eye(3))
