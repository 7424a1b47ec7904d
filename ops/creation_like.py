"""New tensors after the example of another: its shape, its dtype, its device."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from .creation import strided_memory
from .dims import sizes_of
from .layout import laid_out
from .numbers import element
from .registry import Array, Number, op


def _target(input: Array, dtype: Dtype | None) -> np.dtype[Any]:
    found: np.dtype[Any] = dtype.numpy if dtype else input.dtype
    return found


@op()
def zeros_like(
    xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None,
    memory_format: Any = None,
) -> Array:  # fmt: skip
    """Zeros of another tensor's shape, dtype and device. Source: PyTorch ``torch.zeros_like``.

    >>> import tensorlite as tl
    >>> tl.zeros_like(tl.tensor([1, 2]))
    tensor([0, 0])
    """
    kind = _target(input, dtype)
    return laid_out(input, memory_format, lambda a, order: xp.zeros_like(a, kind, order=order))


@op()
def ones_like(
    xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None,
    memory_format: Any = None,
) -> Array:  # fmt: skip
    """Ones of another tensor's shape, dtype and device. Source: PyTorch ``torch.ones_like``.

    >>> import tensorlite as tl
    >>> tl.ones_like(tl.tensor([1, 2]))
    tensor([1, 1])
    """
    kind = _target(input, dtype)
    return laid_out(input, memory_format, lambda a, order: xp.ones_like(a, kind, order=order))


@op()
def empty_like(
    xp: Any, input: Array, *, dtype: Dtype | None = None, device: Any = None,
    memory_format: Any = None,
) -> Array:  # fmt: skip
    """Memory of another tensor's shape, dtype and device. Source: PyTorch ``torch.empty_like``.

    >>> import tensorlite as tl
    >>> tl.empty_like(tl.tensor([1, 2])).dtype
    tensorlite.int64
    """
    kind = _target(input, dtype)
    return laid_out(input, memory_format, lambda a, order: xp.empty_like(a, kind, order=order))


@op()
def full_like(
    xp: Any, input: Array, fill_value: Number, *, dtype: Dtype | None = None, device: Any = None,
    memory_format: Any = None,
) -> Array:  # fmt: skip
    """One number in another tensor's shape, dtype and device.

    Raises OperatorError where the dtype cannot hold it. Source: PyTorch ``torch.full_like``.

    >>> import tensorlite as tl
    >>> tl.full_like(tl.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    kind = _target(input, dtype)
    value = element(xp, fill_value, kind, "full_like")
    made = laid_out(input, memory_format, lambda a, order: xp.empty_like(a, kind, order=order))
    made[...] = value
    return made


@op(spaces=(), method=True)
def new_zeros(
    xp: Any, input: Array, *size: Any, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Zeros, of this tensor's dtype and device. Source: PyTorch ``torch.Tensor.new_zeros``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).new_zeros(2)
    tensor([0, 0])
    """
    return xp.zeros(sizes_of(size), _target(input, dtype))


@op(spaces=(), method=True)
def new_ones(
    xp: Any, input: Array, *size: Any, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Ones, of this tensor's dtype and device. Source: PyTorch ``torch.Tensor.new_ones``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).new_ones(2)
    tensor([1, 1])
    """
    return xp.ones(sizes_of(size), _target(input, dtype))


@op(spaces=(), method=True)
def new_empty(
    xp: Any, input: Array, *size: Any, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """Memory, of this tensor's dtype and device. Source: PyTorch ``torch.Tensor.new_empty``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).new_empty(2).shape
    tensorlite.Size([2])
    """
    return xp.empty(sizes_of(size), _target(input, dtype))


@op(spaces=(), method=True)
def new_empty_strided(
    xp: Any, input: Array, size: Any, stride: Any, dtype: Dtype | None = None, device: Any = None
) -> Array:
    """:func:`empty_strided` of this tensor's dtype and device. Source: PyTorch
    ``torch.Tensor.new_empty_strided``.

    >>> import tensorlite as tl
    >>> tl.tensor([5]).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    return strided_memory(xp, size, stride, _target(input, dtype))


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
    kind = _target(input, dtype)
    return xp.full(sizes_of((size,)), element(xp, fill_value, kind, "new_full"), kind)


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
