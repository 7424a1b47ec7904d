"""Shapes and layout: Reshape, Transpose, Squeeze, Concat, Slice, Pad and their kin."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op


def ints(x: Tensor | None) -> list[int] | None:
    """The integers in a 1-d (or 0-d) tensor of sizes, axes or indices."""
    return None if x is None else [int(v) for v in x.reshape(-1).tolist()]


@onnx_op("Reshape", since=5)
def reshape(x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    """0 keeps the size (unless ``allowzero``), -1 is what is left."""
    sizes = ints(shape) or []
    if not allowzero:
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return x.reshape(sizes)


@onnx_op("Reshape")
def reshape_1(
    x: Tensor, *, shape: list[int] | None = None, consumed_inputs: list[int] | None = None
) -> Tensor:
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(shape or [])])


@onnx_op("Flatten")
def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    """To two dimensions: those before ``axis`` and the rest."""
    axis = axis + x.ndim if axis < 0 else axis
    return x.reshape(x.shape[:axis].numel(), x.shape[axis:].numel())


@onnx_op("Transpose")
def transpose(x: Tensor, *, perm: list[int] | None = None) -> Tensor:
    return x.permute(perm if perm is not None else list(range(x.ndim))[::-1])


@onnx_op("Squeeze", since=13)
def squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    return _squeezed(x, ints(axes))


@onnx_op("Squeeze")
def squeeze_1(x: Tensor, *, axes: list[int] | None = None) -> Tensor:
    return _squeezed(x, axes)


def _squeezed(x: Tensor, axes: list[int] | None) -> Tensor:
    if axes is None:
        return x.squeeze()
    for axis in axes:
        if x.shape[axis] != 1:
            raise OnnxError(f"dimension {axis} of {tuple(x.shape)} is not 1")
    places = {axis % x.ndim for axis in axes}
    return x.reshape([size for i, size in enumerate(x.shape) if i not in places])


@onnx_op("Unsqueeze", since=13)
def unsqueeze(x: Tensor, axes: Tensor) -> Tensor:
    return _unsqueezed(x, ints(axes) or [])


@onnx_op("Unsqueeze")
def unsqueeze_1(x: Tensor, *, axes: list[int]) -> Tensor:
    return _unsqueezed(x, axes)


def _unsqueezed(x: Tensor, axes: list[int]) -> Tensor:
    ndim = x.ndim + len(axes)
    places = sorted(axis + ndim if axis < 0 else axis for axis in axes)
    if len(set(places)) != len(places) or (places and not 0 <= places[0] <= places[-1] < ndim):
        raise OnnxError(f"axes {axes} do not fit a result of {ndim} dimensions")
    for place in places:
        x = x.unsqueeze(place)
    return x


@onnx_op("Concat")
def concat(*inputs: Tensor, axis: int = 1) -> Tensor:
    joined: Tensor = tl.cat(inputs, axis)
    return joined


@onnx_op("Shape")
def shape(x: Tensor, *, start: int = 0, end: int | None = None, device: Any) -> Tensor:
    return tl.tensor(list(x.shape[start:end]), dtype=tl.int64, device=device)


@onnx_op("Size")
def size(x: Tensor, *, device: Any) -> Tensor:
    return tl.tensor(x.numel(), device=device)


@onnx_op("Expand")
def expand(x: Tensor, shape: Tensor) -> Tensor:
    """Broadcasting both ways: a 1 in ``shape`` keeps the size of ``x``."""
    return x.expand(tl.broadcast_shapes(tuple(x.shape), tuple(ints(shape) or ())))


@onnx_op("Slice", since=10)
def slice_(
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    first, last = ints(starts) or [], ints(ends) or []
    along = ints(axes) if axes is not None else list(range(len(first)))
    by = ints(steps) if steps is not None else [1] * len(first)
    assert along is not None and by is not None
    for start, end, axis, step in zip(first, last, along, by, strict=True):
        x = _sliced(x, start, end, axis % max(x.ndim, 1), step)
    return x


def _sliced(x: Tensor, start: int, end: int, axis: int, step: int) -> Tensor:
    if step == 0:
        raise OnnxError("a step is 0")
    if step > 0:
        return x[(slice(None),) * axis + (slice(start, end, step),)]
    low, high, _ = slice(start, end, step).indices(x.shape[axis])
    chosen = range(low, high, step)
    if not chosen:
        return x.narrow(axis, 0, 0)
    part = x[(slice(None),) * axis + (slice(chosen[-1], chosen[0] + 1, -step),)]
    return tl.flip(part, [axis])


@onnx_op("Slice")
def slice_1(
    x: Tensor, *, starts: list[int], ends: list[int], axes: list[int] | None = None
) -> Tensor:
    for start, end, axis in zip(starts, ends, axes or range(len(starts)), strict=True):
        x = _sliced(x, start, end, axis % max(x.ndim, 1), 1)
    return x


@onnx_op("Split", since=18)
def split(
    x: Tensor,
    sizes: Tensor | None = None,
    *,
    axis: int = 0,
    num_outputs: int | None = None,
    n_outputs: int,
) -> tuple[Tensor, ...]:
    """By sizes, or into equal parts of which the last may be smaller."""
    if sizes is not None:
        return tuple(tl.split(x, ints(sizes), axis))
    parts = num_outputs or n_outputs
    each = -(-x.shape[axis] // parts)
    left = [max(min(each, x.shape[axis] - each * i), 0) for i in range(parts)]
    return tuple(tl.split(x, left, axis))


@onnx_op("Split", since=13)
def split_13(
    x: Tensor, sizes: Tensor | None = None, *, axis: int = 0, n_outputs: int
) -> tuple[Tensor, ...]:
    return _equal_or(x, ints(sizes), axis, n_outputs)


@onnx_op("Split")
def split_1(
    x: Tensor, sizes: Tensor | None = None, *, axis: int = 0, split: list[int] | None = None,
    n_outputs: int,
) -> tuple[Tensor, ...]:  # fmt: skip
    return _equal_or(x, split or ints(sizes), axis, n_outputs)


def _equal_or(x: Tensor, sizes: list[int] | None, axis: int, parts: int) -> tuple[Tensor, ...]:
    if sizes is None:
        if x.shape[axis] % parts:
            raise OnnxError(f"{x.shape[axis]} elements do not split into {parts} equal parts")
        sizes = [x.shape[axis] // parts] * parts
    return tuple(tl.split(x, sizes, axis))


@onnx_op("Tile", since=6)
def tile(x: Tensor, repeats: Tensor) -> Tensor:
    return tl.tile(x, ints(repeats))


@onnx_op("Tile")
def tile_1(x: Tensor, tiles: Tensor, axis: Tensor) -> Tensor:
    counts = [1] * x.ndim
    counts[int(axis.item())] = int(tiles.item())
    return tl.tile(x, counts)
