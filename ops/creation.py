"""New tensors: constants, ranges, identity matrices, grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of, sizes_of
from .layout import laid_out
from .numbers import element
from .registry import Array, Number, op
from .strides import strided


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
def empty(
    xp: Any, *size: Any, dtype: Dtype | None = None, device: Any = None, memory_format: Any = None
) -> Array:
    """A tensor whose elements are whatever the memory held. Source: PyTorch ``torch.empty``.

    >>> import tensorlite as tl
    >>> tl.empty(2, 3).shape
    tensorlite.Size([2, 3])
    """
    made = xp.empty(sizes_of(size), _numpy(dtype))
    if memory_format is None:
        return made
    return laid_out(made, memory_format, lambda a, order: xp.empty_like(a, order=order))


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
    return xp.full(sizes_of((size,)), element(xp, fill_value, dtype.numpy, "full"), dtype.numpy)


@op()
def scalar_tensor(xp: Any, s: Number, *, dtype: Dtype | None = None, device: Any = None) -> Array:
    """A 0-d tensor of the default dtype. Source: PyTorch ``torch.scalar_tensor``.

    >>> import tensorlite as tl
    >>> tl.scalar_tensor(2)
    tensor(2.)
    """
    return element(xp, s, _numpy(dtype), "scalar_tensor")


@op()
def empty_strided(
    xp: Any, size: Any, stride: Any, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Memory of a size, with steps (in elements) between neighbours along each dimension.

    Source: PyTorch ``torch.empty_strided``.

    >>> import tensorlite as tl
    >>> tl.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    return strided_memory(xp, size, stride, _numpy(dtype))


def strided_memory(xp: Any, size: Any, stride: Any, dtype: np.dtype[Any]) -> Array:
    """New memory, just enough for these sizes and steps (in elements), seen with them."""
    size, stride = sizes_of((size,)), sizes_of((stride,))
    if len(size) != len(stride) or any(s < 0 for s in stride):
        raise ShapeError(f"empty_strided: size {size} and stride {stride} do not go together")
    last = sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    memory = xp.empty(last + 1 if all(size) else 0, dtype)
    return strided(xp, memory, size, [s * dtype.itemsize for s in stride])


@op()
def empty_permuted(
    xp: Any, size: Any, physical_layout: Any, *, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Memory of a size, its dimensions in memory in another order (outermost first).

    Source: PyTorch ``torch.empty_permuted``.

    >>> import tensorlite as tl
    >>> tl.empty_permuted((2, 3), (1, 0)).stride()
    (1, 2)
    """
    size, order = sizes_of((size,)), sizes_of((physical_layout,))
    if sorted(order) != list(range(len(size))):
        raise ShapeError(f"empty_permuted: {order} is no order of {len(size)} dimensions")
    made = xp.empty([size[i] for i in order], _numpy(dtype))
    return made.transpose([order.index(i) for i in range(len(size))])


@op()
def arange(
    xp: Any, start: Number = 0, end: Number | None = None, step: Number = 1, *,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """``start, start + step, ...`` below ``end``; with one number, from 0 to it.

    int64 if all are integers, else the default dtype. Raises ArgumentError for steps that lead
    away from the end. Source: PyTorch ``torch.arange``.

    >>> import tensorlite as tl
    >>> tl.arange(3), tl.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start, end, step = (
        _plain(v) for v in ((0, start, step) if end is None else (start, end, step))
    )
    return _progression(xp, start, end, step, _progressing(dtype, start, end, step), "arange")


@op("range")
def range_(
    xp: Any, start: Number = 0, end: Number | None = None, step: Number = 1, *,
    dtype: Dtype | None = None, device: Any = None,
) -> Array:  # fmt: skip
    """``start, start + step, ...`` up to ``end``, which is included; floats unless told otherwise.

    Older than :func:`arange`. Source: PyTorch ``torch.range``.

    >>> import tensorlite as tl
    >>> tl.range(1, 3)
    tensor([1., 2., 3.])
    """
    start, end, step = (
        _plain(v) for v in ((0, start, step) if end is None else (start, end, step))
    )
    target = dtype or dtypes.get_default_dtype()
    return _progression(xp, start, end, step, target, "range", inclusive=True)


def _progressing(dtype: Dtype | None, *numbers: Any) -> Dtype:
    floats = any(isinstance(v, float) for v in numbers)
    return dtype or (dtypes.get_default_dtype() if floats else dtypes.int64)


def _progression(
    xp: Any, start: Any, end: Any, step: Any, dtype: Dtype, name: str, inclusive: bool = False
) -> Array:
    if dtype.is_complex or dtype is dtypes.bool_:
        raise DTypeError(f"{name}: expected an integer or float dtype, got {dtype.name}")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ArgumentError(f"{name}: from {start} to {end} is no finite range")
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"{name}: from {start} to {end} in steps of {step} never arrives")
    if dtype is dtypes.int64:
        start, end, step = int(start), int(end), int(step)
    whole = all(isinstance(v, int) for v in (start, end, step))
    if inclusive:
        count = math.floor((end - start) / step) + 1
    else:
        count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    if dtype.is_integral:  # the count comes of the numbers given, the elements of whole ones
        start, step, whole = int(start), int(step), True
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
    start, end = _plain(start), _plain(end)
    target = _spacing(dtype, start, end, "linspace")
    return _evenly(xp, start, end, steps, target).astype(target.numpy)


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
    start, end = _plain(start), _plain(end)
    target = _spacing(dtype, start, end, "logspace")
    powers = _evenly(xp, start, end, steps, target)
    return xp.power(powers.dtype.type(base), powers).astype(target.numpy)


def _spacing(dtype: Dtype | None, start: Any, end: Any, name: str) -> Dtype:
    found = dtype or dtypes.get_default_dtype()
    if dtype is None and (isinstance(start, complex) or isinstance(end, complex)):
        found = found.to_complex()
    if found is dtypes.bool_:
        raise DTypeError(f"{name}: expected an integer or float dtype, got bool")
    return found


def _evenly(xp: Any, start: Any, end: Any, steps: Any, target: Dtype) -> Array:
    """Numbers in double precision, from each end to the middle as PyTorch counts them."""
    count = int(steps)
    if count < 0:
        raise ArgumentError(f"linspace: expected no steps or more, got {count}")
    if target.is_integral:
        start, end = int(start), int(end)
    step = (end - start) / (count - 1) if count > 1 else 0.0
    places = xp.arange(count)
    lower, upper = start + step * places, end - step * (count - 1 - places)
    made = xp.where(places < max(count // 2, 1), lower, upper)
    return made.astype(np.complex128 if target.is_complex else np.float64)


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
    rows, columns = sizes_of((n, n if m is None else m))
    return xp.eye(rows, columns, dtype=_numpy(dtype))


def _triangle(xp: Any, keep: Any, row: int, col: int, offset: int, dtype: Dtype | None) -> Array:
    if dtype not in (None, dtypes.int32, dtypes.int64):
        raise DTypeError(f"indices of a triangle are int32 or int64, not {dtype}")
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
    if not given:
        raise ArgumentError("meshgrid: expected at least one tensor")
    if len({x.dtype for x in given}) > 1:
        raise DTypeError(f"meshgrid: expected one dtype, got {[x.dtype.name for x in given]}")
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
