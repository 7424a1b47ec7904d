"""Joining, splitting, stacking and repeating tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError, ShapeError
from .dims import normalize_dim, normalize_dims, sizes_of
from .registry import Array, op

Ints = int | Sequence[int]


@op(promote="tensors", aliases=("concat", "concatenate"))
def cat(xp: Any, tensors: Sequence[Array], dim: int = 0) -> Array:
    """Tensors one behind the other along a dimension. Source: PyTorch ``torch.cat``.

    >>> import tensorlite as tl
    >>> tl.cat([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1, 2, 3])
    """
    if not len(tensors):
        raise ArgumentError("cat: expected at least one tensor")
    # PyTorch lets an empty vector join anything.
    kept = [t for t in tensors if t.ndim != 1 or t.shape[0]] or list(tensors[:1])
    if any(t.ndim == 0 for t in kept):
        raise ShapeError("cat: 0-d tensors cannot be joined; use stack")
    return xp.concatenate(kept, normalize_dim(dim, kept[0].ndim, "cat"))


@op(promote="tensors")
def stack(xp: Any, tensors: Sequence[Array], dim: int = 0) -> Array:
    """Tensors of one shape along a new dimension. Source: PyTorch ``torch.stack``.

    >>> import tensorlite as tl
    >>> tl.stack([tl.tensor([1, 2]), tl.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    if not len(tensors):
        raise ArgumentError("stack: expected at least one tensor")
    return xp.stack(tensors, normalize_dim(dim, tensors[0].ndim + 1, "stack"))


@op(promote="tensors", aliases=("row_stack",))
def vstack(xp: Any, tensors: Sequence[Array]) -> Array:
    """Rows below each other. Source: PyTorch ``torch.vstack``.

    >>> import tensorlite as tl
    >>> tl.vstack([tl.tensor([1, 2]), tl.tensor([3, 4])]).shape
    tensorlite.Size([2, 2])
    """
    return xp.vstack(tensors)


@op(promote="tensors")
def hstack(xp: Any, tensors: Sequence[Array]) -> Array:
    """Columns side by side. Source: PyTorch ``torch.hstack``.

    >>> import tensorlite as tl
    >>> tl.hstack([tl.tensor([1, 2]), tl.tensor([3])])
    tensor([1, 2, 3])
    """
    return xp.hstack(tensors)


@op(promote="tensors")
def dstack(xp: Any, tensors: Sequence[Array]) -> Array:
    """Along the third dimension. Source: PyTorch ``torch.dstack``.

    >>> import tensorlite as tl
    >>> tl.dstack([tl.tensor([1, 2]), tl.tensor([3, 4])]).shape
    tensorlite.Size([1, 2, 2])
    """
    return xp.dstack(tensors)


@op(promote="tensors")
def column_stack(xp: Any, tensors: Sequence[Array]) -> Array:
    """Vectors as columns. Source: PyTorch ``torch.column_stack``.

    >>> import tensorlite as tl
    >>> tl.column_stack([tl.tensor([1, 2]), tl.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return xp.column_stack([t.reshape(1, 1) if t.ndim == 0 else t for t in tensors])


def pieces(array: Array, bounds: Sequence[int], dim: int) -> tuple[Array, ...]:
    """Views between neighbouring bounds along a dimension."""
    before = (slice(None),) * dim
    return tuple(
        array[(*before, slice(a, b))] for a, b in zip(bounds[:-1], bounds[1:], strict=True)
    )


def _bounds(sizes: Sequence[int]) -> list[int]:
    found = [0]
    for size in sizes:
        found.append(found[-1] + int(size))
    return found


@op(method=True)
def split(xp: Any, tensor: Array, split_size_or_sections: Ints, dim: int = 0) -> Any:
    """Views of a size (the last may be smaller), or of the sizes given.

    Source: PyTorch ``torch.split``.

    >>> import tensorlite as tl
    >>> tl.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    place = normalize_dim(dim, tensor.ndim, "split")
    whole = tensor.shape[place]
    if not isinstance(split_size_or_sections, int):
        sizes = [int(s) for s in split_size_or_sections]
        if sum(sizes) != whole or any(s < 0 for s in sizes):
            raise ShapeError(f"split: sizes {sizes} do not add up to {whole}")
        return pieces(tensor, _bounds(sizes), place)
    size = split_size_or_sections
    if size < 0 or (size == 0 and whole):
        raise ShapeError(f"split: pieces of {size} elements out of {whole}")
    if not whole:
        return (tensor[...],)
    return pieces(tensor, [*range(0, whole, size), whole], place)


@op(method=True)
def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
    """:func:`split` by sizes. Source: PyTorch ``torch.split_with_sizes``.

    >>> import tensorlite as tl
    >>> tl.split_with_sizes(tl.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return input.split(list(split_sizes), dim)


@op(method=True)
def chunk(xp: Any, input: Array, chunks: int, dim: int = 0) -> Any:
    """At most ``chunks`` views of equal size (the last may be smaller).

    Source: PyTorch ``torch.chunk``.

    >>> import tensorlite as tl
    >>> tl.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks < 1:
        raise ArgumentError(f"chunk: expected one chunk or more, got {chunks}")
    place = normalize_dim(dim, input.ndim, "chunk")
    whole = input.shape[place]
    if not whole:
        return (input[...],) * chunks
    size = -(-whole // chunks)
    return pieces(input, [*range(0, whole, size), whole], place)


@op(method=True)
def tensor_split(xp: Any, input: Array, indices_or_sections: Any, dim: int = 0) -> Any:
    """Views of nearly equal sizes, or between indices. Source: PyTorch ``torch.tensor_split``.

    >>> import tensorlite as tl
    >>> tl.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    place = normalize_dim(dim, input.ndim, "tensor_split")
    if hasattr(indices_or_sections, "tolist"):
        indices_or_sections = indices_or_sections.tolist()
    return tuple(xp.array_split(input, indices_or_sections, place))


def _along(name: str, dim: int, least: int) -> None:
    def body(input: Any, indices_or_sections: Any) -> Any:
        if input.ndim < least:
            raise ShapeError(f"{name}: expected {least} dimensions or more, got {input.ndim}")
        place = 0 if name == "hsplit" and input.ndim == 1 else dim
        parts = indices_or_sections
        if isinstance(parts, int) and (parts < 1 or input.shape[place] % parts):
            raise ShapeError(f"{name}: {input.shape[place]} do not split into {parts} equal parts")
        return input.tensor_split(parts, place)

    body.__name__ = name
    body.__doc__ = f""":func:`tensor_split` along dimension {dim}. Source: PyTorch ``torch.{name}``.

    >>> import tensorlite as tl
    >>> len(tl.{name}(tl.zeros(2, 2, 2), 2))
    2
    """
    op(method=True)(body)


_along("vsplit", 0, 2)
_along("hsplit", 1, 1)
_along("dsplit", 2, 3)


@op(method=True)
def unbind(xp: Any, input: Array, dim: int = 0) -> Any:
    """The slices of a dimension, as views. Source: PyTorch ``torch.unbind``.

    >>> import tensorlite as tl
    >>> tl.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    if input.ndim == 0:
        raise ShapeError("unbind: a 0-d tensor has no dimension")
    place = normalize_dim(dim, input.ndim, "unbind")
    before = (slice(None),) * place
    return tuple(input[(*before, i, Ellipsis)] for i in range(input.shape[place]))


@op(spaces=(), method=True)
def repeat(xp: Any, input: Array, *repeats: Any) -> Array:
    """Copies side by side, so many along each dimension. Source: PyTorch ``torch.Tensor.repeat``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = sizes_of(repeats)
    if len(counts) < input.ndim:
        raise ShapeError(f"repeat: {len(counts)} numbers for a tensor of {input.ndim} dimensions")
    return xp.tile(input, counts) if counts else input.copy()


@op(method=True)
def tile(xp: Any, input: Array, *dims: Any) -> Array:
    """:func:`Tensor.repeat` with missing numbers taken as 1. Source: PyTorch ``torch.tile``.

    >>> import tensorlite as tl
    >>> tl.tile(tl.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    return xp.tile(input, sizes_of(dims))


@op(method=True)
def repeat_interleave(
    xp: Any, input: Array, repeats: Any, dim: int | None = None, *, output_size: Any = None
) -> Array:
    """Each element (or slice) repeated. Source: PyTorch ``torch.repeat_interleave``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    place = None if dim is None else normalize_dim(dim, input.ndim, "repeat_interleave")
    return xp.repeat(input, repeats, axis=place)


@op(method=True)
def flip(xp: Any, input: Array, *dims: Any) -> Array:
    """Back to front along dimensions; a copy. Source: PyTorch ``torch.flip``.

    >>> import tensorlite as tl
    >>> tl.arange(3).flip(0)
    tensor([2, 1, 0])
    """
    places = normalize_dims(sizes_of(dims), input.ndim, "flip", empty_is_all=False)
    return xp.flip(input, places).copy() if places else input.copy()


@op(method=True)
def fliplr(input: Any) -> Any:
    """Columns in reverse. Source: PyTorch ``torch.fliplr``.

    >>> import tensorlite as tl
    >>> tl.fliplr(tl.tensor([[1, 2]]))
    tensor([[2, 1]])
    """
    return input.flip(1)


@op(method=True)
def flipud(input: Any) -> Any:
    """Rows in reverse. Source: PyTorch ``torch.flipud``.

    >>> import tensorlite as tl
    >>> tl.flipud(tl.tensor([1, 2]))
    tensor([2, 1])
    """
    return input.flip(0)


@op(method=True)
def roll(xp: Any, input: Array, shifts: Ints, dims: Ints | None = None) -> Array:
    """Elements moved along, those at the end to the beginning. Source: PyTorch ``torch.roll``.

    >>> import tensorlite as tl
    >>> tl.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    if dims is None or (not isinstance(dims, int) and not len(dims)):
        return xp.roll(input, shifts if isinstance(shifts, int) else tuple(shifts))
    if isinstance(dims, int):
        moved = shifts if isinstance(shifts, int) else shifts[0]
        return xp.roll(input, moved, normalize_dim(dims, input.ndim, "roll"))
    return xp.roll(input, shifts if isinstance(shifts, int) else tuple(shifts), tuple(dims))


@op(method=True)
def rot90(xp: Any, input: Array, k: int = 1, dims: Sequence[int] = (0, 1)) -> Array:
    """Turned by quarter turns, from the first dimension to the second.

    Source: PyTorch ``torch.rot90``.

    >>> import tensorlite as tl
    >>> tl.rot90(tl.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    return xp.rot90(input, k, tuple(dims)).copy()


@op(method=True, inplace=True)
def tril(xp: Any, input: Array, diagonal: int = 0) -> Array:
    """The lower triangle, zeros above. Source: PyTorch ``torch.tril``.

    >>> import tensorlite as tl
    >>> tl.ones(2, 2).tril()
    tensor([[1., 0.],
            [1., 1.]])
    """
    return xp.where(xp.tril(xp.ones(input.shape[-2:], bool), diagonal), input, input.dtype.type(0))


@op(method=True, inplace=True)
def triu(xp: Any, input: Array, diagonal: int = 0) -> Array:
    """The upper triangle, zeros below. Source: PyTorch ``torch.triu``.

    >>> import tensorlite as tl
    >>> tl.ones(2, 2).triu()
    tensor([[1., 1.],
            [0., 1.]])
    """
    return xp.where(xp.triu(xp.ones(input.shape[-2:], bool), diagonal), input, input.dtype.type(0))


@op(method=True)
def diag_embed(xp: Any, input: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """Vectors as diagonals of matrices. Source: PyTorch ``torch.diag_embed``.

    >>> import tensorlite as tl
    >>> tl.tensor([1, 2]).diag_embed()
    tensor([[1, 0],
            [0, 2]])
    """
    n = input.shape[-1] + abs(offset)
    made = xp.zeros((*input.shape[:-1], n, n), input.dtype)
    places = xp.arange(input.shape[-1])
    made[..., places + max(-offset, 0), places + max(offset, 0)] = input
    ndim = input.ndim + 1
    first = normalize_dim(dim1, ndim, "diag_embed")
    second = normalize_dim(dim2, ndim, "diag_embed")
    return xp.moveaxis(made, (-2, -1), (first, second))


@op(method=True)
def diag(input: Any, diagonal: int = 0) -> Any:
    """A matrix with this diagonal, or the diagonal of a matrix. Source: PyTorch ``torch.diag``.

    >>> import tensorlite as tl
    >>> tl.diag(tl.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim > 2 or input.ndim == 0:
        raise ShapeError(f"diag: expected a vector or a matrix, got {tuple(input.shape)}")
    return input.diag_embed(diagonal) if input.ndim == 1 else input.diagonal(diagonal).clone()


@op(method=True)
def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements on its diagonal. Source: PyTorch ``torch.diagflat``.

    >>> import tensorlite as tl
    >>> tl.diagflat(tl.tensor([[1], [2]])).shape
    tensorlite.Size([2, 2])
    """
    return input.reshape(-1).diag_embed(offset)


@op()
def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal of one, zeros elsewhere. Source: PyTorch ``torch.block_diag``.

    >>> import tensorlite as tl
    >>> tl.block_diag(tl.tensor([[1, 2]]), tl.tensor([3]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    blocks = [x.reshape(1, -1) if x.ndim < 2 else x for x in tensors]
    if any(x.ndim > 2 for x in blocks):
        raise ShapeError("block_diag: expected at most 2 dimensions each")
    joined = cat([x.reshape(-1) for x in blocks])
    rows, columns = (sum(x.shape[i] for x in blocks) for i in (0, 1))
    made = joined.new_zeros(rows, columns)
    top = left = 0
    for x in blocks:
        made[top : top + x.shape[0], left : left + x.shape[1]] = x
        top, left = top + x.shape[0], left + x.shape[1]
    return made


@op()
def cartesian_prod(*tensors: Any) -> Any:
    """Every choice of one element of each vector, a row each. Source: PyTorch
    ``torch.cartesian_prod``.

    >>> import tensorlite as tl
    >>> tl.cartesian_prod(tl.tensor([1, 2]), tl.tensor([3]))
    tensor([[1, 3],
            [2, 3]])
    """
    from .creation import meshgrid

    if len(tensors) == 1:
        return tensors[0]
    grids = meshgrid(*tensors, indexing="ij")
    return stack([grid.reshape(-1) for grid in grids], 1)


@op()
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """Every choice of r elements of a vector, in order. Source: PyTorch ``torch.combinations``.

    >>> import tensorlite as tl
    >>> tl.combinations(tl.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    from itertools import combinations as without
    from itertools import combinations_with_replacement

    from ..construct import tensor

    if input.ndim != 1 or r < 0:
        raise ShapeError(
            f"combinations: expected a vector and r >= 0, got {tuple(input.shape)}, {r}"
        )
    if r == 0:
        return input.new_empty(0)
    choose = combinations_with_replacement if with_replacement else without
    places = [list(c) for c in choose(range(input.numel()), r)]
    index = tensor(places, device=input.device).long().reshape(len(places), r)
    return input[index]
