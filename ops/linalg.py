"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import bool_
from ..errors import DTypeError, ShapeError
from .dims import dtype_of, is_integral, normalize_dim
from .registry import TOP, Array, op


def _matmul(first: Array, second: Array) -> Array:
    if first.ndim == 2 == second.ndim:
        return first.dot(second)
    return np.matmul(first, second)


@op(method=True, fast=_matmul, fast_kinds="Fc", spaces=(TOP, "linalg"))
def matmul(xp: Any, input: Array, other: Array) -> Array:
    """The matrix product ``input @ other``: (..., n, k) by (..., k, m), batches broadcast.

    A vector is a row on the left, a column on the right, and vanishes from the result's shape.
    Both must have one dtype. 16-bit floats are multiplied in float32.
    Raises ShapeError and DTypeError. Source: PyTorch ``torch.matmul``.

    >>> import tensorlite as tl
    >>> tl.tensor([[1.0, 2.0], [3.0, 4.0]]) @ tl.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    if input.ndim == 0 or other.ndim == 0:
        raise ShapeError(
            f"matmul: expected vectors, matrices or batches, got {input.shape} and {other.shape}; "
            "use * for numbers"
        )
    return _product(xp, "matmul", input, other)


@op(method=True)
def mm(xp: Any, input: Array, mat2: Array) -> Array:
    """The product of two matrices, (n, k) by (k, m). Source: PyTorch ``torch.mm``.

    >>> import tensorlite as tl
    >>> tl.mm(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    expect("mm", (input, 2), (mat2, 2))
    return _product(xp, "mm", input, mat2)


@op(method=True)
def bmm(xp: Any, input: Array, mat2: Array) -> Array:
    """The products of matrices in two batches of one size, (b, n, k) by (b, k, m).

    Source: PyTorch ``torch.bmm``.

    >>> import tensorlite as tl
    >>> tl.bmm(tl.ones(2, 1, 3), tl.ones(2, 3, 2)).shape
    tensorlite.Size([2, 1, 2])
    """
    batches("bmm", input, mat2)
    return _product(xp, "bmm", input, mat2)


@op(method=True)
def mv(xp: Any, input: Array, vec: Array) -> Array:
    """The product of a matrix (n, k) and a vector (k). Source: PyTorch ``torch.mv``.

    >>> import tensorlite as tl
    >>> tl.mv(tl.tensor([[1.0, 2.0], [3.0, 4.0]]), tl.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    expect("mv", (input, 2), (vec, 1))
    return _product(xp, "mv", input, vec)


@op(method=True)
def dot(xp: Any, input: Array, tensor: Array) -> Array:
    """The sum of products of two vectors; nothing is conjugated. Source: PyTorch ``torch.dot``.

    >>> import tensorlite as tl
    >>> tl.dot(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor(11)
    """
    expect("dot", (input, 1), (tensor, 1))
    return _product(xp, "dot", input, tensor)


@op(method=True)
def vdot(xp: Any, input: Array, other: Array) -> Array:
    """The sum of ``conj(input) * other`` of two vectors. Source: PyTorch ``torch.vdot``.

    >>> import tensorlite as tl
    >>> tl.vdot(tl.tensor([1j, 2]), tl.tensor([1j, 4]))
    tensor(9.+0.j)
    """
    expect("vdot", (input, 1), (other, 1))
    return _product(xp, "vdot", xp.conj(input) if input.dtype.kind == "c" else input, other)


@op(spaces="linalg", promote="x y", upcast=True)
def vecdot(xp: Any, x: Array, y: Array, *, dim: int = -1) -> Array:
    """The sum of ``conj(x) * y`` along a dimension. Source: PyTorch ``torch.linalg.vecdot``.

    >>> import tensorlite as tl
    >>> tl.linalg.vecdot(tl.tensor([[1.0, 2.0], [3.0, 4.0]]), tl.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    x, y = xp.broadcast_arrays(x, y)
    axis = normalize_dim(dim, x.ndim, "vecdot")
    left, right = xp.moveaxis(x, axis, -1), xp.moveaxis(y, axis, -1)
    left = xp.conj(left) if left.dtype.kind == "c" else left
    return xp.matmul(left[..., None, :], right[..., :, None])[..., 0, 0]


@op(method=True)
def inner(xp: Any, input: Array, other: Array) -> Array:
    """The sums of products along the last dimensions: (..., k) and (___, k) give (..., ___).

    Source: PyTorch ``torch.inner``.

    >>> import tensorlite as tl
    >>> tl.inner(tl.tensor([[1, 2], [3, 4]]), tl.tensor([1, 1]))
    tensor([3, 7])
    """
    one_dtype("inner", input, other)
    if input.ndim == 0 or other.ndim == 0:
        return xp.multiply(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(f"inner: the last sizes of {input.shape} and {other.shape} differ")
    axes = ([input.ndim - 1], [other.ndim - 1])
    return in_float32(lambda a, b: xp.tensordot(a, b, axes), input, other)


@op(method=True, promote="input vec2", aliases=("ger",))
def outer(xp: Any, input: Array, vec2: Array) -> Array:
    """The products of all pairs from two vectors: (n) and (m) give (n, m).

    Source: PyTorch ``torch.outer``.

    >>> import tensorlite as tl
    >>> tl.outer(tl.tensor([1, 2]), tl.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    expect("outer", (input, 1), (vec2, 1))
    return xp.multiply(input[:, None], vec2[None, :])


@op()
def chain_matmul(*matrices: Array) -> Array:
    """The product of matrices, in the order that costs least.

    Source: PyTorch ``torch.chain_matmul``.

    >>> import tensorlite as tl
    >>> tl.chain_matmul(tl.ones(2, 3), tl.ones(3, 4), tl.ones(4, 1)).shape
    tensorlite.Size([2, 1])
    """
    return multi_dot(matrices)


@op(spaces="linalg")
def multi_dot(tensors: Sequence[Array]) -> Array:
    """The product of two or more matrices, in the order that costs least.

    The first and the last may be vectors. Source: PyTorch ``torch.linalg.multi_dot``.

    >>> import tensorlite as tl
    >>> tl.linalg.multi_dot([tl.ones(3), tl.ones(3, 4), tl.ones(4)])
    tensor(12.)
    """
    if not tensors:
        raise ShapeError("multi_dot: expected at least one matrix, got none")
    sizes = [1 if i == 0 and t.ndim == 1 else t.shape[0] for i, t in enumerate(tensors)]
    sizes.append(tensors[-1].shape[-1] if tensors[-1].ndim == 2 else 1)
    split = _cheapest(sizes)

    def product(first: int, last: int) -> Any:
        if first == last:
            return tensors[first]
        middle = split[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, len(tensors) - 1)


def _cheapest(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of matrices: Cormen et al., "Matrix-chain multiplication"."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            costs = {
                middle: cost[first, middle]
                + cost[middle + 1, last]
                + sizes[first] * sizes[middle + 1] * sizes[last + 1]
                for middle in range(first, last)
            }
            split[first, last] = min(costs, key=lambda middle: costs[middle])
            cost[first, last] = costs[split[first, last]]
    return split


@op(method=True, promote="input other")
def kron(xp: Any, input: Array, other: Array) -> Array:
    """The Kronecker product: each element of ``input`` times the whole of ``other``.

    Source: PyTorch ``torch.kron``.

    >>> import tensorlite as tl
    >>> tl.kron(tl.tensor([[1, 2]]), tl.tensor([[1], [1]]))
    tensor([[1, 2],
            [1, 2]])
    """
    ndim = max(input.ndim, other.ndim)
    first = (1,) * (ndim - input.ndim) + input.shape
    second = (1,) * (ndim - other.ndim) + other.shape
    left = input.reshape([n for size in first for n in (size, 1)])
    right = other.reshape([n for size in second for n in (1, size)])
    return (left * right).reshape([a * b for a, b in zip(first, second, strict=True)])


@op("cross", method=True)
def cross(input: Array, other: Array, dim: int | None = None) -> Array:
    """The vector product along ``dim``, by default the first dimension of size 3.

    Source: PyTorch ``torch.cross``.

    >>> import tensorlite as tl
    >>> tl.cross(tl.tensor([1, 0, 0]), tl.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if dim is None:
        sizes = list(input.shape)
        if 3 not in sizes:
            raise ShapeError(f"cross: expected a dimension of size 3, got {tuple(sizes)}")
        dim = sizes.index(3)
    return _linalg_cross(input, other, dim=dim)


@op("cross", spaces="linalg", promote="input other", upcast=True)
def _linalg_cross(xp: Any, input: Array, other: Array, *, dim: int = -1) -> Array:
    """The vector product along ``dim``, of size 3. Source: PyTorch ``torch.linalg.cross``.

    >>> import tensorlite as tl
    >>> tl.linalg.cross(tl.tensor([1, 0, 0]), tl.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    axis = normalize_dim(dim, input.ndim, "cross")
    fits = input.ndim == other.ndim and input.shape[axis] == other.shape[axis] == 3
    if not fits:
        raise ShapeError(
            f"cross: expected size 3 along dim {dim} in both, got {input.shape} and {other.shape}"
        )
    a, b = xp.moveaxis(input, axis, -1), xp.moveaxis(other, axis, -1)
    after, before = [1, 2, 0], [2, 0, 1]
    return xp.moveaxis(a[..., after] * b[..., before] - a[..., before] * b[..., after], -1, axis)


@op()
def tensordot(xp: Any, a: Array, b: Array, dims: Any = 2) -> Array:
    """The sums of products over dimensions of both.

    ``dims`` is how many at the end of ``a`` and the start of ``b``, or two lists of dimensions.
    Source: PyTorch ``torch.tensordot``.

    >>> import tensorlite as tl
    >>> tl.tensordot(tl.ones(2, 3), tl.ones(3, 4), dims=1).shape
    tensorlite.Size([2, 4])
    """
    one_dtype("tensordot", a, b)
    if hasattr(dims, "tolist"):
        dims = dims.tolist()
    if not isinstance(dims, int):
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    for i, j in zip(first, second, strict=True):  # a size of 1 is stretched
        if a.shape[i] == 1:
            b = b.sum(axis=j, keepdims=True, dtype=b.dtype)
        elif b.shape[j] == 1:
            a = a.sum(axis=i, keepdims=True, dtype=a.dtype)
    return in_float32(lambda x, y: xp.tensordot(x, y, (first, second)), a, b)


@op(method=True)
def trace(xp: Any, input: Array) -> Array:
    """The sum of a matrix's diagonal; integers give int64. Source: PyTorch ``torch.trace``.

    >>> import tensorlite as tl
    >>> tl.trace(tl.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    expect("trace", (input, 2))
    diagonal = input.diagonal()
    if is_integral(input):
        return diagonal.sum(dtype=np.int64)
    return in_float32(lambda a: a.sum(), diagonal)


def _product(xp: Any, name: str, first: Array, second: Array) -> Array:
    one_dtype(name, first, second)
    rows = second.shape[-2] if second.ndim > 1 else second.shape[0]
    if first.shape[-1] != rows:
        raise ShapeError(
            f"{name}: the last size of {first.shape} is {first.shape[-1]}, but {second.shape} "
            f"has {rows} rows"
        )
    return in_float32(xp.matmul, first, second)


def in_float32(function: Any, *arrays: Array) -> Array:
    """``function(*arrays)``, for 16-bit floats in float32 with one rounding at the end."""
    if not dtype_of(arrays[0]).is_half:
        return function(*arrays)
    return function(*[a.astype(np.float32) for a in arrays]).astype(arrays[0].dtype)


def one_dtype(name: str, *arrays: Array) -> None:
    """Raises unless the arrays hold numbers of one dtype."""
    found = [dtype_of(a) for a in arrays]
    if any(d is not found[0] for d in found) or found[0] is bool_:
        names = " and ".join(d.name for d in found)
        raise DTypeError(
            f"{name}: expected numbers of one dtype, got {names}; convert with x.to(...)"
        )


def expect(name: str, *given: tuple[Array, int]) -> None:
    """Raises unless each array has its number of dimensions: 1 for a vector, 2 for a matrix."""
    if any(array.ndim != ndim for array, ndim in given):
        kinds = " and ".join("a vector" if n == 1 else "a matrix" for _, n in given)
        shapes = " and ".join(str(array.shape) for array, _ in given)
        raise ShapeError(f"{name}: expected {kinds}, got {shapes}")


def batches(name: str, first: Array, second: Array) -> None:
    """Raises unless the arrays are batches of one size."""
    if first.ndim != 3 or second.ndim != 3 or first.shape[0] != second.shape[0]:
        raise ShapeError(
            f"{name}: expected two batches (b, n, k) and (b, k, m), got {first.shape} and "
            f"{second.shape}"
        )
