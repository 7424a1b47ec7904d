"""Look-ups in tables of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import int32, int64
from ..errors import ArgumentError, DimensionError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import Array, F, op


@op(spaces=F)
def embedding(
    xp: Any,
    input: Array,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows of ``weight`` (n, d) that ``input`` (...) names: (..., d).

    With ``max_norm`` the rows that are used and longer are first shortened to it, in ``weight``
    itself. Raises DimensionError for an index out of range.
    Source: PyTorch ``torch.nn.functional.embedding``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.embedding(tl.tensor([1, 0]), tl.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    _indices(xp, input, weight, "embedding")
    if padding_idx is not None and not -len(weight) <= padding_idx < len(weight):
        raise ArgumentError(f"embedding: padding_idx {padding_idx} of {len(weight)} rows")
    if max_norm is not None:
        _shorten(xp, input, weight, max_norm, norm_type)
    return xp.take(weight, input, axis=0)


def _indices(xp: Any, input: Array, weight: Array, name: str) -> None:
    if dtype_of(input) not in (int32, int64):
        raise DTypeError(
            f"{name}: expected indices of int64 or int32, got {dtype_of(input).name}; use x.long()"
        )
    if weight.ndim != 2:
        raise ShapeError(f"{name}: expected a weight (n, d), got {tuple(weight.shape)}")
    if input.size and (input.min() < 0 or input.max() >= len(weight)):
        raise DimensionError(
            f"{name}: indices from {int(input.min())} to {int(input.max())} in a table of "
            f"{len(weight)} rows"
        )


def _shorten(xp: Any, input: Array, weight: Array, longest: float, norm_type: float) -> None:
    """Scales the rows that are named and longer than ``longest``, in place, as PyTorch does."""
    used = xp.unique(input)
    rows = weight[used].astype(np.float32) if dtype_of(weight).is_half else weight[used]
    norms = (abs(rows) ** norm_type).sum(axis=1) ** (1 / norm_type)
    scale = xp.where(norms > longest, longest / (norms + 1e-7), 1)
    weight[used] = (rows * scale[:, None]).astype(weight.dtype)


@op(spaces=F)
def embedding_bag(
    xp: Any,
    input: Array,
    weight: Array,
    offsets: Array | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Array | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array:
    """The "sum", "mean" or "max" of the rows of ``weight`` (n, d) that each bag names: (bags, d).

    Bags are the rows of a 2-d input, or begin at the ``offsets`` in a 1-d one (with
    ``include_last_offset`` the last offset is an end). ``padding_idx`` is passed over; empty bags
    give zeros; ``per_sample_weights`` multiply the rows of a sum.
    Raises ShapeError, DimensionError, ArgumentError.
    Source: PyTorch ``torch.nn.functional.embedding_bag``.

    >>> import tensorlite as tl
    >>> table = tl.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> bags = tl.nn.functional.embedding_bag(
    ...     tl.tensor([0, 1, 1]), table, tl.tensor([0, 2]), mode="sum"
    ... )
    >>> bags
    tensor([[4., 6.],
            [3., 4.]])
    """
    if dtype_of(weight).is_integral and dtype_of(input).is_floating_point:
        input, weight = weight, input  # the order of PyTorch before 0.4, which it still takes
    _indices(xp, input, weight, "embedding_bag")
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode is 'sum', 'mean' or 'max', not {mode!r}")
    if per_sample_weights is not None and (
        mode != "sum" or per_sample_weights.shape != input.shape
    ):
        raise ArgumentError(
            "embedding_bag: per_sample_weights need mode='sum' and the shape of the input"
        )
    if max_norm is not None:
        _shorten(xp, input, weight, max_norm, norm_type)
    places, taken = _bags(xp, input, offsets, include_last_offset)
    if input.size == 0:
        return xp.zeros((len(places), weight.shape[1]), weight.dtype)
    names = input.reshape(-1)[places]
    if padding_idx is not None:
        taken = taken & (names != padding_idx % len(weight))
    rows = weight[names].astype(np.float32) if dtype_of(weight).is_half else weight[names]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[places][..., None].astype(rows.dtype)
    return _gathered(xp, rows, taken, mode).astype(weight.dtype, copy=False)


@op(spaces=F)
def one_hot(xp: Any, tensor: Array, num_classes: int = -1) -> Array:
    """(...) of class numbers as (..., num_classes) of int64: 1 at the class, else 0.

    Raises DTypeError unless int64, DimensionError for a class out of range.
    Source: PyTorch ``torch.nn.functional.one_hot``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.one_hot(tl.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if dtype_of(tensor) is not int64:
        raise DTypeError(f"one_hot: expected int64, got {dtype_of(tensor).name}; use x.long()")
    if tensor.size == 0 and num_classes < 1:
        raise ArgumentError("one_hot: without elements, num_classes must be given")
    classes = int(tensor.max()) + 1 if num_classes == -1 else num_classes
    if tensor.size and (tensor.min() < 0 or tensor.max() >= classes):
        raise DimensionError(
            f"one_hot: classes from {int(tensor.min())} to {int(tensor.max())} of {classes}"
        )
    return (tensor[..., None] == xp.arange(classes)).astype(np.int64)


def _bags(xp: Any, input: Array, offsets: Array | None, last_too: bool) -> tuple[Array, Array]:
    """For each bag the places of its elements in the flat input, and which of them are real."""
    if input.ndim == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: a 2-d input has its bags as rows, no offsets")
        places = xp.arange(input.size).reshape(input.shape)
        return places, xp.ones(input.shape, bool)
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        raise ShapeError(
            "embedding_bag: expected a 2-d input, or a 1-d input with 1-d offsets, got "
            f"{tuple(input.shape)} and {None if offsets is None else tuple(offsets.shape)}"
        )
    begins = offsets[:-1] if last_too else offsets
    if offsets.size and (int(offsets[0]) != 0 or int(offsets.max()) > input.size):
        raise ArgumentError(
            f"embedding_bag: offsets begin at 0 and stay within the {input.size} indices"
        )
    ends = offsets[1:] if last_too else xp.append(offsets[1:], input.size)
    counts = ends - begins
    steps = xp.arange(int(counts.max()) if counts.size else 0)
    places = begins[:, None] + steps
    return xp.minimum(places, max(input.size - 1, 0)), steps < counts[:, None]


def _gathered(xp: Any, rows: Array, taken: Array, mode: str) -> Array:
    """The rows (bags, longest, d) of each bag as one."""
    zero = xp.zeros((), rows.dtype)
    counts = taken.sum(axis=1)[:, None]
    if mode == "max":
        low = xp.asarray(-np.inf, rows.dtype)
        highest = xp.where(taken[..., None], rows, low).max(axis=1, initial=-np.inf)
        return xp.where(counts == 0, zero, highest)
    total = xp.where(taken[..., None], rows, zero).sum(axis=1)
    return total / xp.maximum(counts, 1).astype(rows.dtype) if mode == "mean" else total
