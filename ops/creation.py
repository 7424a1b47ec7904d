"""New tensors: constants, ranges, identity matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, ShapeError
from .dims import dtype_of, sizes_of
from .registry import Array, Number, op


def _numpy(dtype: Dtype | None) -> np.dtype[Any]:
    return (dtype or dtypes.get_default_dtype()).numpy


@op()
def zeros(xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None) -> Array:
    """A tensor of zeros. Source: PyTorch ``torch.zeros``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return xp.zeros(sizes_of(size), _numpy(dtype))


@op()
def ones(xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None) -> Array:
    """A tensor of ones. Source: PyTorch ``torch.ones``.

    >>> import tensorlite as tl
    >>> tl.ones(2)
    tensor([1., 1.])
    """
    return xp.ones(sizes_of(size), _numpy(dtype))


@op()
def empty(xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None) -> Array:
    """A tensor whose elements are whatever the memory held. Source: PyTorch ``torch.empty``.

    >>> import tensorlite as tl
    >>> tl.empty(2, 3).shape
    tensorlite.Size([2, 3])
    """
    return xp.empty(sizes_of(size), _numpy(dtype))


@op()
def full(
    xp: Any, size: Any, fill_value: Number, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """A tensor with one number everywhere; its dtype is the number's unless given.

    Source: PyTorch ``torch.full``.

    >>> import tensorlite as tl
    >>> tl.full((2,), 7), tl.full((2,), 0.5)
    (tensor([7, 7]), tensor([0.5000, 0.5000]))
    """
    if dtype is None:
        known = hasattr(fill_value, "dtype")
        dtype = dtype_of(fill_value) if known else dtypes.of_number(fill_value)
    return xp.full(sizes_of((size,)), fill_value, dtype.numpy)


@op()
def zeros_like(xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None) -> Array:
    """Zeros of another tensor's shape, dtype and device. Source: PyTorch ``torch.zeros_like``.

    >>> import tensorlite as tl
    >>> tl.zeros_like(tl.tensor([1, 2]))
    tensor([0, 0])
    """
    return xp.zeros_like(input, dtype.numpy if dtype else input.dtype)


@op()
def ones_like(xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None) -> Array:
    """Ones of another tensor's shape, dtype and device. Source: PyTorch ``torch.ones_like``.

    >>> import tensorlite as tl
    >>> tl.ones_like(tl.tensor([1, 2]))
    tensor([1, 1])
    """
    return xp.ones_like(input, dtype.numpy if dtype else input.dtype)


@op()
def empty_like(xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None) -> Array:
    """Memory of another tensor's shape, dtype and device. Source: PyTorch ``torch.empty_like``.

    >>> import tensorlite as tl
    >>> tl.empty_like(tl.tensor([1, 2])).dtype
    tensorlite.int64
    """
    return xp.empty_like(input, dtype.numpy if dtype else input.dtype)


@op()
def full_like(
    xp: Any, input: Array, fill_value: Number, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """One number in another tensor's shape, dtype and device. Source: PyTorch ``torch.full_like``.

    >>> import tensorlite as tl
    >>> tl.full_like(tl.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    return xp.full_like(input, fill_value, dtype.numpy if dtype else input.dtype)


def _new(name: str, make: Any, meaning: str, call: str, shown: str) -> None:
    def body(
        xp: Any, input: Array, *size: Any, dtype: Dtype | None = None, device: Any = None
    ) -> Array:  # noqa: E501
        return make(xp, sizes_of(size), dtype.numpy if dtype else input.dtype)

    body.__name__ = name
    body.__doc__ = f"""{meaning}, of this tensor's dtype and device.

    Source: PyTorch ``torch.Tensor.{name}``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).{call}
    {shown}
    """
    op(spaces=(), method=True)(body)


_new("new_zeros", lambda xp, s, d: xp.zeros(s, d), "Zeros", "new_zeros(2)", "tensor([0, 0])")
_new("new_ones", lambda xp, s, d: xp.ones(s, d), "Ones", "new_ones(2)", "tensor([1, 1])")
_new("new_empty", lambda xp, s, d: xp.empty(s, d), "Memory", "new_empty(2).shape",
     "tensorlite.Size([2])")  # fmt: skip


@op(spaces=(), method=True)
def new_full(
    xp: Any, input: Array, size: Any, fill_value: Number, *, dtype: Dtype | None = None,
    device: Any = None,
) -> Array:  # fmt: skip
    """One number, of this tensor's dtype and device. Source: PyTorch ``torch.Tensor.new_full``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).new_full((2,), 3)
    tensor([3, 3])
    """
    return xp.full(sizes_of((size,)), fill_value, dtype.numpy if dtype else input.dtype)


@op(spaces=(), method=True)
def new_tensor(input: Any, data: Any, *, dtype: Any = None, device: Any = None) -> Any:
    """``tl.tensor(data)`` of this tensor's dtype and device. Source: PyTorch
    ``torch.Tensor.new_tensor``.

    >>> import tensorlite as tl
    >>> tl.ones(1).new_tensor([1, 2])
    tensor([1., 2.])
    """
    from ..construct import tensor

    return tensor(data, dtype=dtype or input.dtype, device=device or input.device)


@op()
def arange(
    xp: Any, start: Number, end: Number | None = None, step: Number = 1, *,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """``start, start + step, ...`` below ``end``; with one number, from 0 to it.

    int64 if all are integers, else the default dtype. Source: PyTorch ``torch.arange``.

    >>> import tensorlite as tl
    >>> tl.arange(3), tl.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start, end, step = (
        _plain(v) for v in ((0, start, step) if end is None else (start, end, step))
    )
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"arange: from {start} to {end} in steps of {step} never arrives")
    if dtype is None:
        floats = any(isinstance(v, float) for v in (start, end, step))
        dtype = dtypes.get_default_dtype() if floats else dtypes.int64
    if dtype.is_integral:
        start, end, step = int(start), int(end), int(step)
    whole = all(isinstance(v, int) for v in (start, end, step))
    count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    steps = xp.arange(count, dtype=np.int64 if whole else np.float64)
    return (start + steps * step).astype(dtype.numpy)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "dtype") else value


@op()
def linspace(
    xp: Any, start: Number, end: Number, steps: int, *, dtype: Dtype | None = None,
    device: Any = None,
) -> Array:  # fmt: skip
    """``steps`` numbers at equal distances, both ends included. Source: PyTorch ``torch.linspace``.

    >>> import tensorlite as tl
    >>> tl.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    target = _numpy(dtype)
    made = xp.linspace(_plain(start), _plain(end), int(steps), dtype=np.float64)
    return (xp.trunc(made) if target.kind in "iu" else made).astype(target)


@op()
def logspace(
    xp: Any, start: Number, end: Number, steps: int, base: float = 10.0, *,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """``base`` to the powers of :func:`linspace`. Source: PyTorch ``torch.logspace``.

    >>> import tensorlite as tl
    >>> tl.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    powers = xp.linspace(_plain(start), _plain(end), int(steps), dtype=np.float64)
    return xp.power(float(base), powers).astype(_numpy(dtype))


@op()
def eye(
    xp: Any, n: int, m: int | None = None, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Ones on the diagonal, zeros elsewhere. Source: PyTorch ``torch.eye``.

    >>> import tensorlite as tl
    >>> tl.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return xp.eye(n, n if m is None else m, dtype=_numpy(dtype))


def _triangle(xp: Any, keep: Any, row: int, col: int, offset: int, dtype: Dtype | None) -> Array:
    places = xp.nonzero(keep(xp.ones((row, col), bool), offset))
    return xp.stack(places).astype(_numpy(dtype or dtypes.int64))


@op()
def tril_indices(
    xp: Any, row: int, col: int, offset: int = 0, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Rows and columns of the lower triangle. Source: PyTorch ``torch.tril_indices``.

    >>> import tensorlite as tl
    >>> tl.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle(xp, xp.tril, row, col, offset, dtype)


@op()
def triu_indices(
    xp: Any, row: int, col: int, offset: int = 0, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Rows and columns of the upper triangle. Source: PyTorch ``torch.triu_indices``.

    >>> import tensorlite as tl
    >>> tl.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle(xp, xp.triu, row, col, offset, dtype)


@op()
def meshgrid(*tensors: Any, indexing: str = "ij") -> Any:
    """Grids of coordinates from vectors, as views. Source: PyTorch ``torch.meshgrid``.

    >>> import tensorlite as tl
    >>> x, y = tl.meshgrid(tl.arange(2), tl.arange(3), indexing="ij")
    >>> y
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    given: Sequence[Any] = tensors
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        given = tensors[0]
    if any(x.ndim > 1 for x in given):
        raise ShapeError(f"meshgrid: expected vectors, got {[tuple(x.shape) for x in given]}")
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing is 'ij' or 'xy', not {indexing!r}")
    swap = indexing == "xy" and len(given) > 1
    order = [given[1], given[0], *given[2:]] if swap else list(given)
    sizes = [max(x.numel(), 1) if x.ndim == 0 else x.numel() for x in order]
    grids = [
        x.reshape([-1 if i == k else 1 for k in range(len(order))]).expand(sizes)
        for i, x in enumerate(order)
    ]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)
