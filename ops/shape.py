"""Other views of the same elements: reshape, transpose, expand, squeeze.

Views share memory with their tensor, as PyTorch's do.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dtypes import dtype as Dtype
from ..errors import ArgumentError, ShapeError
from .dims import normalize_dim, normalize_dims, sizes_of
from .registry import TOP, Array, op
from .strides import strided

Ints = int | Sequence[int]


def inferred(size: Sequence[int], count: int, name: str) -> tuple[int, ...]:
    """Sizes with a -1 filled in; refused where they do not hold ``count`` elements."""
    unknown = [i for i, s in enumerate(size) if s == -1]
    known = prod(s for s in size if s != -1)
    if len(unknown) > 1 or any(s < -1 for s in size):
        raise ShapeError(
            f"{name}: sizes are positive, and one of them may be -1, got {tuple(size)}"
        )
    if unknown and known and count % known == 0:
        return tuple(count // known if s == -1 else s for s in size)
    if unknown or known != count:
        raise ShapeError(f"{name}: shape {tuple(size)} does not hold {count} elements")
    return tuple(size)


@op(method=True)
def reshape(xp: Any, input: Array, *shape: Any) -> Array:
    """The same elements in another shape; one size may be -1. A view where that is possible.

    Source: PyTorch ``torch.reshape``.

    >>> import tensorlite as tl
    >>> tl.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return input.reshape(inferred(sizes_of(shape), input.size, "reshape"))


@op(spaces=(), method=True)
def view(xp: Any, input: Array, *shape: Any) -> Array:
    """:func:`reshape` that never copies: ShapeError where the memory does not allow it.

    With a dtype it gives the same bytes as numbers of that dtype. Source: PyTorch
    ``torch.Tensor.view``.

    >>> import tensorlite as tl
    >>> tl.arange(6).view(3, 2).shape
    tensorlite.Size([3, 2])
    """
    if len(shape) == 1 and isinstance(shape[0], Dtype):
        return _reinterpreted(xp, input, shape[0].numpy)
    size = inferred(sizes_of(shape), input.size, "view")
    found = input.reshape(size)
    if input.size and not np.may_share_memory(found, input) if xp is np else False:
        raise ShapeError(
            f"view: the memory of {tuple(input.shape)} (strides {input.strides} bytes) cannot be "
            f"seen as {size} without a copy; use reshape"
        )
    return found


def _reinterpreted(xp: Any, input: Array, target: np.dtype[Any]) -> Array:
    if input.dtype.itemsize == target.itemsize:
        return input.view(target)
    if input.ndim == 0:
        raise ShapeError("view: a 0-d tensor has no view in a dtype of another size")
    try:
        return input.view(target)
    except ValueError as error:
        raise ShapeError(
            f"view: {tuple(input.shape)} {input.dtype} as {target}: {error}"
        ) from error


@op(spaces=(), method=True)
def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``. Source: PyTorch ``torch.Tensor.view_as``.

    >>> import tensorlite as tl
    >>> tl.arange(4).view_as(tl.zeros(2, 2)).shape
    tensorlite.Size([2, 2])
    """
    return input.view(other.shape)


@op(spaces=(), method=True)
def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``. Source: PyTorch ``torch.Tensor.reshape_as``.

    >>> import tensorlite as tl
    >>> tl.arange(4).reshape_as(tl.zeros(2, 2)).shape
    tensorlite.Size([2, 2])
    """
    return input.reshape(other.shape)


@op(method=True)
def flatten(xp: Any, input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """Dimensions ``start_dim`` to ``end_dim`` as one. Source: PyTorch ``torch.flatten``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3, 4).flatten(1).shape
    tensorlite.Size([2, 12])
    """
    first = normalize_dim(start_dim, input.ndim, "flatten")
    last = normalize_dim(end_dim, input.ndim, "flatten")
    if first > last:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if input.ndim == 0:
        return input.reshape(1)
    inner = prod(input.shape[first : last + 1])
    return input.reshape(*input.shape[:first], inner, *input.shape[last + 1 :])


@op(method=True)
def unflatten(xp: Any, input: Array, dim: int, sizes: Sequence[int]) -> Array:
    """One dimension as several. Source: PyTorch ``torch.unflatten``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 12).unflatten(1, (3, -1)).shape
    tensorlite.Size([2, 3, 4])
    """
    place = normalize_dim(dim, input.ndim, "unflatten")
    inner = inferred([int(s) for s in sizes], input.shape[place], "unflatten")
    return input.reshape(*input.shape[:place], *inner, *input.shape[place + 1 :])


@op(method=True)
def ravel(xp: Any, input: Array) -> Array:
    """All elements in one dimension. Source: PyTorch ``torch.ravel``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3).ravel().shape
    tensorlite.Size([6])
    """
    return input.reshape(-1)


@op(method=True)
def squeeze(xp: Any, input: Array, dim: Ints | None = None) -> Array:
    """Without dimensions of size 1 (all, or of those named). Source: PyTorch ``torch.squeeze``.

    >>> import tensorlite as tl
    >>> tl.zeros(1, 2, 1).squeeze(0).shape
    tensorlite.Size([2, 1])
    """
    dims = normalize_dims(dim, input.ndim, "squeeze", empty_is_all=False)
    return input.reshape([s for i, s in enumerate(input.shape) if not (i in dims and s == 1)])


@op(method=True)
def unsqueeze(xp: Any, input: Array, dim: int) -> Array:
    """With a dimension of size 1 more. Source: PyTorch ``torch.unsqueeze``.

    >>> import tensorlite as tl
    >>> tl.zeros(2).unsqueeze(-1).shape
    tensorlite.Size([2, 1])
    """
    place = normalize_dim(dim, input.ndim + 1, "unsqueeze")
    return input[(slice(None),) * place + (None, Ellipsis)]


@op(method=True, aliases=("swapaxes", "swapdims"))
def transpose(xp: Any, input: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions exchanged. Source: PyTorch ``torch.transpose``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3, 4).transpose(0, 2).shape
    tensorlite.Size([4, 3, 2])
    """
    first = normalize_dim(dim0, input.ndim, "transpose")
    second = normalize_dim(dim1, input.ndim, "transpose")
    return input.swapaxes(first, second) if input.ndim else input[...]


@op(method=True)
def t(xp: Any, input: Array) -> Array:
    """The transpose of a matrix; vectors and numbers are unchanged. Source: PyTorch ``torch.t``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3).t().shape
    tensorlite.Size([3, 2])
    """
    if input.ndim > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got {tuple(input.shape)}")
    return input.T


@op(method=True)
def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged, and conjugated. Source: PyTorch ``torch.adjoint``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3).adjoint().shape
    tensorlite.Size([3, 2])
    """
    turned = input.transpose(-2, -1)
    return turned.conj() if input.is_complex() else turned


@op(method=True)
def permute(xp: Any, input: Array, *dims: Any) -> Array:
    """The dimensions in another order. Source: PyTorch ``torch.permute``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3, 4).permute(2, 0, 1).shape
    tensorlite.Size([4, 2, 3])
    """
    order = sizes_of(dims)
    if len(order) != input.ndim:
        raise ShapeError(f"permute: {len(order)} dimensions for a tensor of {input.ndim}")
    return input.transpose(normalize_dims(order, input.ndim, "permute", empty_is_all=False))


@op(method=True, aliases=("moveaxis",))
def movedim(xp: Any, input: Array, source: Ints, destination: Ints) -> Array:
    """Dimensions moved to other places. Source: PyTorch ``torch.movedim``.

    >>> import tensorlite as tl
    >>> tl.zeros(2, 3, 4).movedim(0, -1).shape
    tensorlite.Size([3, 4, 2])
    """
    return xp.moveaxis(input, source, destination)


@op(spaces=(), method=True)
def expand(xp: Any, input: Array, *sizes: Any, implicit: bool = False) -> Array:
    """Dimensions of size 1 repeated without a copy; -1 keeps a size.

    Source: PyTorch ``torch.Tensor.expand``.

    >>> import tensorlite as tl
    >>> tl.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return expanded(xp, input, sizes_of(sizes), "expand")


def expanded(xp: Any, input: Array, size: Sequence[int], name: str) -> Array:
    """A view of an array with repeated dimensions."""
    more = len(size) - input.ndim
    if more < 0:
        raise ShapeError(f"{name}: {tuple(size)} has fewer dimensions than {tuple(input.shape)}")
    shape, strides = [], []
    for i, wanted in enumerate(size):
        own = input.shape[i - more] if i >= more else 1
        step = input.strides[i - more] if i >= more else 0
        if wanted == -1 and i < more:
            raise ShapeError(f"{name}: -1 stands for a dimension that is not there, {tuple(size)}")
        if wanted not in (-1, own) and own != 1:
            raise ShapeError(f"{name}: {tuple(input.shape)} does not expand to {tuple(size)}")
        shape.append(own if wanted == -1 else wanted)
        strides.append(step if shape[-1] == own else 0)
    return strided(xp, input, shape, strides)


@op(method=True)
def broadcast_to(xp: Any, input: Array, size: Sequence[int]) -> Array:
    """:func:`Tensor.expand` as a function. Source: PyTorch ``torch.broadcast_to``.

    >>> import tensorlite as tl
    >>> tl.broadcast_to(tl.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expanded(xp, input, [int(s) for s in size], "broadcast_to")


@op(spaces=(), method=True)
def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``. Source: PyTorch ``torch.Tensor.expand_as``.

    >>> import tensorlite as tl
    >>> tl.zeros(1, 3).expand_as(tl.zeros(2, 3)).shape
    tensorlite.Size([2, 3])
    """
    return input.expand(other.shape)


@op()
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that shapes broadcast to. Source: PyTorch ``torch.broadcast_shapes``.

    >>> import tensorlite as tl
    >>> tl.broadcast_shapes((2, 1), (3,))
    tensorlite.Size([2, 3])
    """
    from ..size import Size

    return Size(np.broadcast_shapes(*[(s,) if isinstance(s, int) else tuple(s) for s in shapes]))


@op()
def broadcast_tensors(*tensors: Any) -> Any:
    """Tensors expanded to one shape. Source: PyTorch ``torch.broadcast_tensors``.

    >>> import tensorlite as tl
    >>> [x.shape for x in tl.broadcast_tensors(tl.zeros(2, 1), tl.zeros(3))]
    [tensorlite.Size([2, 3]), tensorlite.Size([2, 3])]
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    shape = np.broadcast_shapes(*[tuple(x.shape) for x in given])
    return tuple(x.expand(shape) for x in given)


@op(method=True)
def narrow(xp: Any, input: Array, dim: int, start: Any, length: int) -> Array:
    """``length`` elements along a dimension, from ``start`` on. Source: PyTorch ``torch.narrow``.

    >>> import tensorlite as tl
    >>> tl.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    place, first = normalize_dim(dim, input.ndim, "narrow"), int(start)
    size = input.shape[place]
    first = first + size if first < 0 else first
    if not (0 <= first <= size and 0 <= length <= size - first):
        raise ShapeError(f"narrow: start {start} and length {length} in a dimension of {size}")
    return input[(slice(None),) * place + (slice(first, first + length),)]


@op(method=True)
def select(xp: Any, input: Array, dim: int, index: int) -> Array:
    """One index of a dimension, which vanishes. Source: PyTorch ``torch.select``.

    >>> import tensorlite as tl
    >>> tl.arange(6).reshape(2, 3).select(1, 2)
    tensor([2, 5])
    """
    if input.ndim == 0:
        raise ArgumentError("select: a 0-d tensor has no dimension to select from")
    place = normalize_dim(dim, input.ndim, "select")
    return input[(slice(None),) * place + (int(index), Ellipsis)]


@op(method=True)
def as_strided(
    xp: Any, input: Array, size: Sequence[int], stride: Sequence[int], storage_offset: int = 0
) -> Array:
    """A view with any sizes and steps (in elements) into the tensor's memory.

    Raises ShapeError where it would leave that memory. Source: PyTorch ``torch.as_strided``.

    >>> import tensorlite as tl
    >>> tl.as_strided(tl.arange(5), (3, 2), (1, 1))
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    flat = input.reshape(-1)[storage_offset or 0 :]
    last = sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if prod(size) and not 0 <= last < flat.size:
        raise ShapeError(
            f"as_strided: size {tuple(size)}, stride {tuple(stride)} from {storage_offset} on "
            f"leaves the {input.size} elements of the tensor"
        )
    return strided(xp, flat, size, [s * input.itemsize for s in stride])


@op(method=True)
def diagonal(xp: Any, input: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """The elements whose indices in two dimensions differ by ``offset``: a view.

    Source: PyTorch ``torch.diagonal``.

    >>> import tensorlite as tl
    >>> tl.arange(9).reshape(3, 3).diagonal()
    tensor([0, 4, 8])
    """
    first = normalize_dim(dim1, input.ndim, "diagonal")
    second = normalize_dim(dim2, input.ndim, "diagonal")
    if first == second:
        raise ShapeError(f"diagonal: dim1 and dim2 are one dimension, {first}")
    seen = xp.moveaxis(input, (first, second), (-2, -1))
    rows, columns = seen.shape[-2:]
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    start = seen[..., max(-offset, 0) :, max(offset, 0) :]
    steps = (*seen.strides[:-2], seen.strides[-2] + seen.strides[-1])
    return strided(xp, start, (*seen.shape[:-2], count), steps)


@op(spaces=(), method=True)
def unfold(xp: Any, input: Array, dimension: int, size: int, step: int) -> Array:
    """Windows of a dimension, in a new last one: a view. Source: PyTorch ``torch.Tensor.unfold``.

    >>> import tensorlite as tl
    >>> tl.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    place = normalize_dim(dimension, input.ndim, "unfold")
    have = input.shape[place] if input.ndim else 1
    if not (0 <= size <= have and step > 0):
        raise ShapeError(f"unfold: windows of {size}, step {step}, in a dimension of {have}")
    if input.ndim == 0:
        return input.reshape(1)[:size]
    counts, steps = list(input.shape), list(input.strides)
    counts[place] = (have - size) // step + 1
    steps[place] *= step
    return strided(xp, input, [*counts, size], [*steps, input.strides[place]])


def _at_least(count: int) -> Any:
    def body(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
            tensors = tuple(tensors[0])
        found = tuple(_with_dims(x, count) for x in tensors)
        return found[0] if len(found) == 1 else found

    return body


def _with_dims(x: Any, count: int) -> Any:
    while x.ndim < count:
        # PyTorch adds the third dimension behind, the first two in front.
        x = x.unsqueeze(-1 if x.ndim == 2 else 0)
    return x


for _count in (1, 2, 3):
    _body = _at_least(_count)
    _body.__name__ = f"atleast_{_count}d"
    _body.__doc__ = f"""At least {_count} dimensions, those missing of size 1.

    Source: PyTorch ``torch.atleast_{_count}d``.

    >>> import tensorlite as tl
    >>> tl.atleast_{_count}d(tl.tensor(1)).ndim
    {_count}
    """
    op(spaces=TOP)(_body)
