"""Copies: clone, filling in place, other dtypes."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..dtypes import dtype as Dtype
from ..errors import ShapeError
from .registry import Array, Number, op


@op(method=True)
def clone(xp: Any, input: Array, *, memory_format: Any = None) -> Array:
    """A copy with memory of its own. Source: PyTorch ``torch.clone``.

    >>> import tensorlite as tl
    >>> x = tl.ones(2); y = x.clone(); y[0] = 5; x
    tensor([1., 1.])
    """
    return input.copy(order="C" if memory_format == "contiguous_format" else "K")


@op(spaces=(), method="copy_")
def copy_(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """Writes another tensor's elements into this one, broadcast and converted.

    Source: PyTorch ``torch.Tensor.copy_``.

    >>> import tensorlite as tl
    >>> tl.zeros(2).copy_(tl.tensor(3))
    tensor([3., 3.])
    """
    input[...] = src.to(input.device)
    return input


@op(spaces=(), method="fill_")
def fill_(input: Any, value: Number) -> Any:
    """Writes one number everywhere. Source: PyTorch ``torch.Tensor.fill_``.

    >>> import tensorlite as tl
    >>> tl.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    input[...] = value
    return input


@op(spaces=(), method="zero_")
def zero_(input: Any) -> Any:
    """Writes zero everywhere. Source: PyTorch ``torch.Tensor.zero_``.

    >>> import tensorlite as tl
    >>> tl.ones(2).zero_()
    tensor([0., 0.])
    """
    return input.fill_(0)


@op(spaces=(), method=True)
def type_as(input: Any, other: Any) -> Any:
    """This tensor in another's dtype. Source: PyTorch ``torch.Tensor.type_as``.

    >>> import tensorlite as tl
    >>> tl.tensor([1]).type_as(tl.zeros(1))
    tensor([1.])
    """
    return input.to(other.dtype)


def _conversion(name: str, target: Dtype) -> None:
    def convert(input: Any, memory_format: Any = None) -> Any:
        return input.to(target)

    convert.__name__ = name
    convert.__doc__ = f"""This tensor as {target.name}; itself if it is that.

    Source: PyTorch ``torch.Tensor.{name}``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 0]).{name}().dtype
    tensorlite.{target.name}
    """
    op(f"to_{name}", spaces=(), method=name)(convert)


for _name, _target in {
    "bool": dtypes.bool_, "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16,
    "int": dtypes.int32, "long": dtypes.int64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "float": dtypes.float32, "double": dtypes.float64,
    "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    _conversion(_name, _target)


@op()
def fill(input: Any, value: Number) -> Any:
    """A copy with one number everywhere. Source: PyTorch ``torch.fill``.

    >>> import tensorlite as tl
    >>> tl.fill(tl.zeros(2), 3)
    tensor([3., 3.])
    """
    return input.clone().fill_(value)


@op(spaces=(), method=True)
def fill_diagonal_(input: Any, fill_value: Number, wrap: bool = False) -> Any:
    """Writes one number on the diagonal, which ``wrap`` continues in tall matrices.

    Source: PyTorch ``torch.Tensor.fill_diagonal_``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    if input.ndim < 2 or (input.ndim > 2 and len(set(input.shape)) > 1):
        raise ShapeError(f"fill_diagonal_: expected a matrix or a cube, got {tuple(input.shape)}")
    rows, columns = input.shape[0], input.shape[-1]
    step = sum(input.shape[i + 1 :].numel() for i in range(input.ndim))
    places = range(0, input.numel(), step)
    if not (wrap and input.ndim == 2):
        places = places[: min(rows, columns)]
    for place in places:
        index: list[int] = []
        for size in reversed(input.shape):
            place, rest = divmod(place, size)
            index.insert(0, rest)
        input[tuple(index)] = fill_value
    return input
