"""Products of matrices and vectors, added to a tensor."""

from __future__ import annotations

from typing import Any

from ..dtypes import Number, bool_
from ..errors import ShapeError
from .dims import dtype_of
from .linalg import batches, expect, in_float32, one_dtype
from .numbers import element
from .registry import Array, op


@op(method=True, inplace=True)
def addmm(
    xp: Any, input: Array, mat1: Array, mat2: Array, *, beta: Number = 1, alpha: Number = 1
) -> Array:
    """``beta * input + alpha * (mat1 @ mat2)``; ``input`` is broadcast, and not read if beta is 0.

    Source: PyTorch ``torch.addmm``.

    >>> import tensorlite as tl
    >>> tl.addmm(tl.ones(2), tl.tensor([[1.0, 2.0]]), tl.eye(2))
    tensor([[2., 3.]])
    """
    expect("addmm", (mat1, 2), (mat2, 2))
    return _plus(xp, "addmm", input, beta, alpha, mat1, mat2)


@op(method=True, inplace=True)
def addmv(
    xp: Any, input: Array, mat: Array, vec: Array, *, beta: Number = 1, alpha: Number = 1
) -> Array:
    """``beta * input + alpha * (mat @ vec)``. Source: PyTorch ``torch.addmv``.

    >>> import tensorlite as tl
    >>> tl.addmv(tl.ones(1), tl.tensor([[1.0, 2.0]]), tl.ones(2))
    tensor([4.])
    """
    expect("addmv", (mat, 2), (vec, 1))
    return _plus(xp, "addmv", input, beta, alpha, mat, vec)


@op(method=True, inplace=True)
def addr(
    xp: Any, input: Array, vec1: Array, vec2: Array, *, beta: Number = 1, alpha: Number = 1
) -> Array:
    """``beta * input + alpha * outer(vec1, vec2)``. Source: PyTorch ``torch.addr``.

    >>> import tensorlite as tl
    >>> tl.addr(tl.ones(2, 2), tl.tensor([1.0, 2.0]), tl.tensor([1.0, 0.0]))
    tensor([[2., 1.],
            [3., 1.]])
    """
    expect("addr", (vec1, 1), (vec2, 1))
    if dtype_of(input) is bool_ and dtype_of(vec1) is bool_:
        product = vec1[:, None] & vec2[None, :] & bool(alpha)
        return input | product if beta else product
    return _plus(xp, "addr", input, beta, alpha, vec1[:, None], vec2[None, :])


@op(method=True, inplace=True)
def baddbmm(
    xp: Any, input: Array, batch1: Array, batch2: Array, *, beta: Number = 1, alpha: Number = 1
) -> Array:
    """``beta * input + alpha * bmm(batch1, batch2)``. Source: PyTorch ``torch.baddbmm``.

    >>> import tensorlite as tl
    >>> tl.baddbmm(tl.zeros(1), tl.ones(1, 1, 3), tl.ones(1, 3, 2))
    tensor([[[3., 3.]]])
    """
    batches("baddbmm", batch1, batch2)
    return _plus(xp, "baddbmm", input, beta, alpha, batch1, batch2)


@op(method=True, inplace=True)
def addbmm(
    xp: Any, input: Array, batch1: Array, batch2: Array, *, beta: Number = 1, alpha: Number = 1
) -> Array:
    """``beta * input + alpha * sum(bmm(batch1, batch2), 0)``. Source: PyTorch ``torch.addbmm``.

    >>> import tensorlite as tl
    >>> tl.addbmm(tl.zeros(1), tl.ones(2, 1, 3), tl.ones(2, 3, 2))
    tensor([[6., 6.]])
    """
    batches("addbmm", batch1, batch2)
    rows = batch1.transpose(1, 0, 2).reshape(batch1.shape[1], -1)  # sum of products: one product
    columns = batch2.reshape(-1, batch2.shape[2])
    return _plus(xp, "addbmm", input, beta, alpha, rows, columns)


def _plus(
    xp: Any, name: str, input: Array, beta: Number, alpha: Number, first: Array, second: Array
) -> Array:
    """``beta * input + alpha * first @ second``, or of a column and a row their products."""
    one_dtype(name, input, first, second)

    def sum_of(input: Array, first: Array, second: Array) -> Array:
        total = first * second if name == "addr" else xp.matmul(first, second)
        if alpha != 1:
            total = total * element(xp, alpha, total.dtype, name)
        if beta != 0:
            total = total + (input if beta == 1 else input * xp.asarray(beta, input.dtype))
        return total

    if first.shape[-1] != (second.shape[-2] if second.ndim > 1 else second.shape[0]):
        raise ShapeError(f"{name}: shapes {first.shape} and {second.shape} do not multiply")
    return in_float32(sum_of, input, first, second)
