"""Shapes and layout: Reshape, Transpose, Squeeze, Concat, Slice, Pad and their kin."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import axis_in, expect


def ints(x: Tensor | None) -> list[int] | None:
    """The integers in a 1-d (or 0-d) tensor of sizes, axes or indices."""
    return None if x is None else [int(v) for v in x.reshape(-1).tolist()]


@onnx_op("Reshape", since=5)
def reshape(x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    """0 keeps the size (unless ``allowzero``), -1 is what is left."""
    sizes = ints(expect("shape", shape, ("dimensions",))) or []
    if allowzero and 0 in sizes and -1 in sizes:
        raise OnnxError(f"expected 0 or -1 in the shape, got both with allowzero: {sizes}")
    return _reshaped(x, sizes, bool(allowzero))


def _reshaped(x: Tensor, sizes: list[int], allowzero: bool = False) -> Tensor:
    if not allowzero:
        if 0 in sizes[x.ndim :]:
            raise OnnxError(f"a 0 in {sizes} keeps a size that {tuple(x.shape)} does not have")
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return x.reshape(sizes)


@onnx_op("Reshape")
def reshape_1(x: Tensor, *, shape: list[int] | None = None) -> Tensor:
    return _reshaped(x, shape or [])


@onnx_op("Flatten")
def flatten(x: Tensor, *, axis: int = 1) -> Tensor:
    """To two dimensions: those before ``axis`` and the rest."""
    if axis != x.ndim:
        axis = axis_in(axis, x)
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
    places = {axis_in(axis, x, "axes") for axis in axes}
    for place in places:
        if x.shape[place] != 1:
            raise OnnxError(f"dimension {place} of {tuple(x.shape)} is not 1")
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


@onnx_op("Concat", since=4)
def concat(*inputs: Tensor, axis: int) -> Tensor:
    axis = axis_in(axis, inputs[0])
    joined: Tensor = tl.cat(inputs, axis)
    return joined


@onnx_op("Concat")
def concat_1(*inputs: Tensor, axis: int | None = None) -> Tensor:
    return concat(*inputs, axis=1 if axis is None else axis)


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
    return _sliced_along(x, ints(starts) or [], ints(ends) or [], ints(axes), ints(steps))


def _sliced_along(
    x: Tensor, starts: list[int], ends: list[int], axes: list[int] | None, steps: list[int] | None
) -> Tensor:
    count = len(starts)
    for name, values in (("ends", ends), ("axes", axes), ("steps", steps)):
        if values is not None and len(values) != count:
            raise OnnxError(f"expected {count} {name} for {count} starts, got {values}")
    along = [axis_in(a, x, "axes") for a in (axes if axes is not None else range(count))]
    if len(set(along)) < count:
        raise OnnxError(f"expected each of the axes once, got {axes}")
    for i, axis in enumerate(along):
        x = _sliced(x, starts[i], ends[i], axis, steps[i] if steps is not None else 1)
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
    return _sliced_along(x, starts, ends, axes, None)


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
    axis = axis_in(axis, x)
    if sizes is not None:
        if num_outputs is not None:
            raise OnnxError("expected split or num_outputs, got both")
        return _parts(x, ints(sizes) or [], axis, n_outputs)
    parts = num_outputs if num_outputs is not None else n_outputs
    if parts < 1:
        raise OnnxError(f"expected num_outputs of 1 or more, got {parts}")
    each = -(-x.shape[axis] // parts)
    left = [max(min(each, x.shape[axis] - each * i), 0) for i in range(parts)]
    return _parts(x, left, axis, n_outputs)


@onnx_op("Split", since=13)
def split_13(
    x: Tensor, sizes: Tensor | None = None, *, axis: int = 0, n_outputs: int
) -> tuple[Tensor, ...]:
    return _equal_or(x, ints(sizes), axis, n_outputs)


@onnx_op("Split", since=2)
def split_2(
    x: Tensor, *, axis: int = 0, split: list[int] | None = None, n_outputs: int
) -> tuple[Tensor, ...]:
    return _equal_or(x, split, axis, n_outputs)


@onnx_op("Split")
def split_1(
    x: Tensor, sizes: Tensor | None = None, *, axis: int | None = None,
    split: list[int] | None = None, n_outputs: int,
) -> tuple[Tensor, ...]:  # fmt: skip
    return _equal_or(x, ints(sizes) if split is None else split, axis or 0, n_outputs)


def _equal_or(x: Tensor, sizes: list[int] | None, axis: int, parts: int) -> tuple[Tensor, ...]:
    axis = axis_in(axis, x)
    if sizes is None:
        if x.shape[axis] % parts:
            raise OnnxError(f"{x.shape[axis]} elements do not split into {parts} equal parts")
        sizes = [x.shape[axis] // parts] * parts
    return _parts(x, sizes, axis, parts)


def _parts(x: Tensor, sizes: list[int], axis: int, n_outputs: int) -> tuple[Tensor, ...]:
    if min(sizes, default=0) < 0 or sum(sizes) != x.shape[axis] or len(sizes) != n_outputs:
        raise OnnxError(
            f"expected {n_outputs} sizes, one per output, that add up to {x.shape[axis]}, "
            f"got {sizes}"
        )
    return tuple(tl.split(x, sizes, axis))


@onnx_op("Tile", since=6)
def tile(x: Tensor, repeats: Tensor) -> Tensor:
    expect("repeats", repeats, (x.ndim,))
    return tl.tile(x, ints(repeats))


@onnx_op("Tile")
def tile_1(x: Tensor, tiles: Tensor, axis: Tensor) -> Tensor:
    counts = [1] * x.ndim
    counts[axis_in(int(axis.item()), x)] = int(tiles.item())
    return tl.tile(x, counts)
