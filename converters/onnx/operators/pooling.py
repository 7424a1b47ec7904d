"""Pooling over windows and over everything."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .shape import ints
from .windows import Window, flat_pads, window

_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def _around(x: Tensor, win: Window, ceil: bool) -> tuple[tuple[int, int], ...]:
    """The padding with which windows fit exactly."""
    sizes = list(x.shape[2:])
    counts = win.output(sizes, ceil)
    return tuple(
        (b, e + max((c - 1) * s + r - (size + b + e), 0))
        for c, s, r, size, b, e in zip(
            counts, win.strides, win.reach, sizes, win.begins, win.ends, strict=True
        )
    )


def _laid_out(x: Tensor, win: Window, ceil: bool, value: Any) -> tuple[Tensor, list[int]]:
    """The input padded so that windows fit exactly, and the padding beyond the node's own."""
    begins, ends = zip(*_around(x, win, ceil), strict=True)
    pads = flat_pads([*begins], [*ends])
    extra = [e - own for e, own in zip(ends, win.ends, strict=True)]
    return (F.pad(x, pads, value=value) if any(pads) else x), extra


@onnx_op("MaxPool")
def max_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    storage_order: int = 0,
    strides: list[int] | None = None,
    n_outputs: int,
) -> Any:
    """Maxima, and where they stood in the flat input (column by column for storage_order 1)."""
    win = window(list(x.shape[2:]), kernel_shape, strides, dilations, pads, auto_pad)
    lowest: Any = float("-inf") if x.is_floating_point() else tl.iinfo(x.dtype).min
    pool = _MAX.get(len(kernel_shape))
    if pool is None:
        raise OnnxError(f"pooling over {len(kernel_shape)} dimensions; 1, 2 and 3 are supported")
    around = _around(x, win, bool(ceil_mode))
    halves = [size // 2 for size in win.kernel]
    if n_outputs == 1 and all(max(p) <= h for p, h in zip(around, halves, strict=True)):
        return pool(x, win.kernel, win.strides, around, win.dilations)
    padded, _ = _laid_out(x, win, bool(ceil_mode), lowest)
    if n_outputs == 1:
        return pool(padded, win.kernel, win.strides, 0, win.dilations)
    values, places = pool(padded, win.kernel, win.strides, 0, win.dilations, return_indices=True)
    return values, _in_input(places, x, padded, win, storage_order)


def _in_input(places: Tensor, x: Tensor, padded: Tensor, win: Window, order: int) -> Tensor:
    """Flat positions in the padded image, as flat positions in the whole input."""
    sizes, wide = list(x.shape[2:]), list(padded.shape[2:])
    coordinates: list[Tensor] = []
    rest = places
    for size, begin in zip(reversed(wide), reversed(win.begins), strict=True):
        coordinates.insert(0, rest % size - begin)
        rest = tl.div(rest, size, rounding_mode="floor")
    flat = tl.zeros_like(places)
    axes = range(len(sizes)) if not order else reversed(range(len(sizes)))
    for axis in axes:
        flat = flat * sizes[axis] + coordinates[axis]
    images = tl.arange(x.shape[0] * x.shape[1], device=x.device) * tl.Size(sizes).numel()
    return flat + images.reshape(x.shape[0], x.shape[1], *[1] * len(sizes))


@onnx_op("AveragePool")
def average_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """Sums over windows divided by how many elements (or paddings, if so asked) are in them."""
    win = window(list(x.shape[2:]), kernel_shape, strides, dilations, pads, auto_pad)
    total = _sums(_laid_out(x, win, bool(ceil_mode), 0.0)[0], win)
    present = tl.ones(1, 1, *x.shape[2:], dtype=x.dtype, device=x.device)
    if count_include_pad:
        own = flat_pads(win.begins, win.ends)
        present = F.pad(present, own, value=1.0)
        inner = Window(
            win.kernel, win.strides, win.dilations, [0] * len(own[::2]), [0] * len(own[::2])
        )
        wide, _ = _laid_out(x, win, bool(ceil_mode), 0.0)
        missing = [a - b for a, b in zip(wide.shape[2:], present.shape[2:], strict=True)]
        present = F.pad(present, flat_pads([0] * len(missing), missing))
        return total / _sums(present, inner)
    return total / _sums(_laid_out(present, win, bool(ceil_mode), 0.0)[0], win)


def _sums(x: Tensor, win: Window) -> Tensor:
    """Sums over the windows of an input that is already padded."""
    if all(d == 1 for d in win.dilations) and len(win.kernel) in (2, 3):
        average = _AVERAGE[len(win.kernel)]
        return average(x, win.kernel, win.strides, divisor_override=1)
    total: Any = None
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape[2:], win.reach, win.strides, strict=True)]
    for k in range(tl.Size(win.kernel).numel()):
        place: list[int] = []
        rest = k
        for size in reversed(win.kernel):
            place.insert(0, rest % size)
            rest //= size
        where = tuple(
            slice(p * d, p * d + (c - 1) * s + 1, s)
            for p, d, c, s in zip(place, win.dilations, counts, win.strides, strict=True)
        )
        part = x[(slice(None), slice(None), *where)]
        total = part if total is None else total + part
    return total


@onnx_op("LpPool", since=2)
def lp_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    p: float = 2,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """``(sum |x|^p)^(1/p)`` over windows."""
    win = window(list(x.shape[2:]), kernel_shape, strides, dilations, pads, auto_pad)
    padded, _ = _laid_out(tl.abs(x) ** p, win, bool(ceil_mode), 0.0)
    return _sums(padded, win) ** (1 / p)


@onnx_op("LpPool")
def lp_pool_1(x: Tensor, *, kernel_shape: list[int] | None = None, **attributes: Any) -> Tensor:
    """Its kernel has no default, though the schema does not require it."""
    if kernel_shape is None:
        raise OnnxError("expected the attribute 'kernel_shape', which is not there")
    return lp_pool(x, kernel_shape=kernel_shape, **attributes)


def _spatial(x: Tensor) -> list[int]:
    if x.ndim < 3:
        raise OnnxError(f"expected batch, channels and 1 dimension or more, got {tuple(x.shape)}")
    return list(range(2, x.ndim))


@onnx_op("GlobalAveragePool")
def global_average_pool(x: Tensor) -> Tensor:
    return tl.mean(x, _spatial(x), True)


@onnx_op("GlobalMaxPool")
def global_max_pool(x: Tensor) -> Tensor:
    return tl.amax(x, _spatial(x), True)


@onnx_op("GlobalLpPool")
def global_lp_pool(x: Tensor, *, p: float = 2) -> Tensor:
    return tl.sum(tl.abs(x) ** p, _spatial(x), True) ** (1 / p)


@onnx_op("MaxUnpool")
def max_unpool(
    x: Tensor,
    indices: Tensor,
    output_shape: Tensor | None = None,
    *,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """Each element at its index in the flat result, zeros elsewhere."""
    n = len(kernel_shape)
    strides, pads = strides or [1] * n, pads or [0] * (2 * n)
    plain = [
        (size - 1) * s - pads[i] - pads[n + i] + k
        for i, (size, s, k) in enumerate(zip(x.shape[2:], strides, kernel_shape, strict=True))
    ]
    sizes = [*x.shape[:2], *plain]
    flat = tl.zeros(tl.Size(sizes).numel(), dtype=x.dtype, device=x.device)
    filled = tl.scatter(flat, 0, indices.reshape(-1), x.reshape(-1)).reshape(sizes)
    if output_shape is None:
        return filled
    wanted = ints(output_shape) or sizes
    missing = [w - have for w, have in zip(wanted, sizes, strict=True)]
    return F.pad(filled, flat_pads([0] * len(missing), missing))
