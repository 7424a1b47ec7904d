"""Elements by index: Gather, Scatter, TopK, NonZero, Unique."""

from __future__ import annotations

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ....ops.trace import Traced, tracing
from ..registry import onnx_op
from ..values import to_value
from .expected import axis_in


def is_traced(x: Tensor) -> bool:
    """Whether the elements of a tensor are those of an example only."""
    return tracing() is not None and isinstance(x, Traced)


def from_start(indices: Tensor, size: int) -> Tensor:
    """Indices counted from the front, all checked against a size."""
    places = indices.long()
    # A plan checks indices when it runs.
    if is_traced(places) or not places.numel():
        return tl.where(places < 0, places + size, places)
    if not (-size <= places.min().item() and places.max().item() < size):
        raise OnnxError(f"an index is out of range for a size of {size}")
    return tl.where(places < 0, places + size, places)


@onnx_op("Gather")
def gather(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    axis = axis_in(axis, x)
    places = from_start(indices, x.shape[axis])
    return x[(slice(None),) * axis + (places,)]


@onnx_op("GatherElements")
def gather_elements(x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    return tl.gather(x, axis, from_start(indices, x.shape[axis]))


@onnx_op("GatherND")
def gather_nd(x: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    """The last dimension of ``indices`` holds an index into the dimensions after the batch."""
    depth = indices.shape[-1]
    places = [from_start(indices[..., i], x.shape[batch_dims + i]) for i in range(depth)]
    batch = [
        tl.arange(x.shape[i], device=x.device).reshape(
            [-1 if k == i else 1 for k in range(indices.ndim - 1)]
        )
        for i in range(batch_dims)
    ]
    return x[(*batch, *places)]


_ADDERS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@onnx_op("ScatterElements", "Scatter")
def scatter_elements(
    x: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0, reduction: str = "none"
) -> Tensor:
    places = from_start(indices, x.shape[axis])
    if reduction == "none":
        return tl.scatter(x, axis, places, updates)
    found = tl.scatter_reduce(x, axis, places, updates, _reducer(reduction), include_self=True)
    return found


def _reducer(reduction: str) -> str:
    if reduction not in _ADDERS:
        raise OnnxError(f"reduction {reduction!r}: expected none, {', '.join(_ADDERS)}")
    return _ADDERS[reduction]


@onnx_op("ScatterND")
def scatter_nd(x: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none") -> Tensor:
    """Slices of ``x`` at index tuples, replaced by (or combined with) slices of updates."""
    depth = indices.shape[-1]
    flat = indices.reshape(-1, depth)
    sizes = x.shape[:depth]
    position = tl.zeros(flat.shape[0], dtype=tl.int64, device=x.device)
    for i in range(depth):
        position = position * sizes[i] + from_start(flat[:, i], sizes[i])
    inner = x.shape[depth:].numel()
    target = x.reshape(sizes.numel(), inner)
    source = updates.reshape(flat.shape[0], inner)
    where = position.unsqueeze(1).expand(flat.shape[0], inner)
    if reduction == "none":
        return tl.scatter(target, 0, where, source).reshape(x.shape)
    found = tl.scatter_reduce(target, 0, where, source, _reducer(reduction), include_self=True)
    return found.reshape(x.shape)


@onnx_op("TopK", since=10)
def top_k(
    x: Tensor, k: Tensor, *, axis: int = -1, largest: int = 1, sorted: int = 1
) -> tuple[Tensor, ...]:
    """Equal elements come in the order of their indices."""
    if k.numel() != 1:
        raise OnnxError(f"expected one number as K, got shape {tuple(k.shape)}")
    axis, n = axis_in(axis, x), int(k.reshape(()).item())
    if not 0 <= n <= x.shape[axis]:
        raise OnnxError(f"expected k up to {x.shape[axis]}, the size of axis {axis}, got {n}")
    values, places = tl.sort(x, dim=axis, descending=bool(largest), stable=True)
    return values.narrow(axis, 0, n), places.narrow(axis, 0, n)


@onnx_op("TopK")
def top_k_1(x: Tensor, *, k: int, axis: int = -1) -> tuple[Tensor, ...]:
    return top_k(x, tl.tensor(k), axis=axis)


@onnx_op("NonZero")
def non_zero(x: Tensor) -> Tensor:
    return tl.nonzero(x.reshape(1) if x.ndim == 0 else x).T


@onnx_op("Compress")
def compress(x: Tensor, condition: Tensor, *, axis: int | None = None) -> Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    places = tl.nonzero(condition).reshape(-1)
    return tl.index_select(x, axis, places)


@onnx_op("Unique")
def unique(x: Tensor, *, axis: int | None = None, sorted: int = 1) -> tuple[Tensor, ...]:
    """Unique elements (or slices), where each first stood, which it is, how often it occurs."""
    host, device = x._host(), x.device
    names = None
    if axis is not None and x.dtype is tl.dtypes.string:  # slices of ranks, which NumPy compares
        names, ranks = np.unique(host, return_inverse=True)
        host = ranks.reshape(host.shape)
    values, first, inverse, counts = np.unique(
        host, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    values = values if names is None else names[values]
    inverse = inverse.reshape(-1)
    if not sorted:
        order = np.argsort(first, kind="stable")
        values = np.take(values, order, 0 if axis is None else axis)
        first, counts = first[order], counts[order]
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        inverse = rank[inverse]
    outputs = [to_value(values, device)]
    outputs += [to_value(a.astype(np.int64), device) for a in (first, inverse, counts)]
    return tuple(outputs)


@onnx_op("ReverseSequence")
def reverse_sequence(
    x: Tensor, lengths: Tensor, *, batch_axis: int = 1, time_axis: int = 0
) -> Tensor:
    """The first ``lengths[b]`` steps of each batch element, in reverse."""
    steps = x.shape[time_axis]
    time = tl.arange(steps, device=x.device).unsqueeze(1)
    count = lengths.long().unsqueeze(0)
    source = tl.where(time < count, count - 1 - time, time)
    moved = x.movedim([time_axis, batch_axis], [0, 1])
    places = source.reshape(*source.shape, *[1] * (x.ndim - 2)).expand(*moved.shape)
    return tl.gather(moved, 0, places).movedim([0, 1], [time_axis, batch_axis])
