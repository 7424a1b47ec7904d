"""Questions about tensors and dtypes, as functions."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..errors import ShapeError
from .dispatch import result_type as promoted
from .registry import op


@op()
def is_floating_point(input: Any) -> bool:
    """Whether a tensor's dtype is a float. Source: PyTorch ``torch.is_floating_point``.

    >>> import tensorlite as tl
    >>> tl.is_floating_point(tl.ones(1))
    True
    """
    return bool(input.dtype.is_floating_point)


@op()
def is_complex(input: Any) -> bool:
    """Whether a tensor's dtype is complex. Source: PyTorch ``torch.is_complex``.

    >>> import tensorlite as tl
    >>> tl.is_complex(tl.ones(1))
    False
    """
    return bool(input.dtype.is_complex)


@op()
def is_signed(input: Any) -> bool:
    """Whether a tensor's dtype has negative numbers. Source: PyTorch ``torch.is_signed``.

    >>> import tensorlite as tl
    >>> tl.is_signed(tl.ones(1, dtype=tl.uint8))
    False
    """
    return bool(input.dtype.is_signed)


@op(method=True)
def is_nonzero(input: Any) -> bool:
    """Whether the one element of a tensor is not zero. Source: PyTorch ``torch.is_nonzero``.

    >>> import tensorlite as tl
    >>> tl.is_nonzero(tl.tensor([0.0]))
    False
    """
    if input.numel() != 1:
        raise ShapeError(f"is_nonzero: expected one element, got shape {tuple(input.shape)}")
    return bool(input)


@op(method=True)
def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have one shape. Source: PyTorch ``torch.is_same_size``.

    >>> import tensorlite as tl
    >>> tl.is_same_size(tl.ones(1, 2), tl.ones(2))
    False
    """
    return bool(input.shape == other.shape)


@op()
def is_tensor(obj: Any) -> bool:
    """Whether something is a tensor. Source: PyTorch ``torch.is_tensor``.

    >>> import tensorlite as tl
    >>> tl.is_tensor([1])
    False
    """
    from ..tensor import Tensor

    return isinstance(obj, Tensor)


@op()
def numel(input: Any) -> int:
    """How many elements a tensor has. Source: PyTorch ``torch.numel``.

    >>> import tensorlite as tl
    >>> tl.numel(tl.ones(2, 3))
    6
    """
    return int(input.numel())


@op()
def get_device(input: Any) -> int:
    """The index of a tensor's GPU, or -1. Source: PyTorch ``torch.get_device``.

    >>> import tensorlite as tl
    >>> tl.get_device(tl.ones(1))
    -1
    """
    return int(input.get_device())


@op()
def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype that an operation on two tensors or numbers has. Source: PyTorch
    ``torch.result_type``.

    >>> import tensorlite as tl
    >>> tl.result_type(tl.tensor([1, 2]), 1.5)
    tensorlite.float32
    """
    return promoted([getattr(value, "_array", value) for value in (tensor1, tensor2)])


@op()
def can_cast(from_: Any, to: Any) -> bool:
    """Whether a result of one dtype may be stored in another. Source: PyTorch ``torch.can_cast``.

    >>> import tensorlite as tl
    >>> tl.can_cast(tl.float64, tl.float32), tl.can_cast(tl.float32, tl.int64)
    (True, False)
    """
    return dtypes.can_cast(dtypes.to_dtype(from_), dtypes.to_dtype(to))
