"""The geometry that convolution and pooling share: pads, windows and the sizes of results.

The array-level functions take their padding as one ``(begin, end)`` pair per spatial dimension.
ONNX has such pairs (``pads``, ``auto_pad``); PyTorch's single numbers are pairs of equals. Every
operator whose PyTorch signature has ``padding`` takes a sequence of pairs there too::

    F.conv2d(x, w, stride=2, padding=((0, 1), (0, 1)))
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from ..errors import ArgumentError, ShapeError
from .dims import pair
from .registry import Array

Pads = tuple[tuple[int, int], ...]
Ints = tuple[int, ...]


def pads_of(padding: Any, count: int, name: str) -> Pads:
    """Padding as pairs: a number, a number per dimension, or pairs already.

    >>> pads_of(1, 2, "conv2d"), pads_of([0, 2], 2, "conv2d"), pads_of([(0, 1)], 2, "conv2d")
    (((1, 1), (1, 1)), ((0, 0), (2, 2)), ((0, 1), (0, 1)))
    """
    if not isinstance(padding, int) and any(isinstance(p, tuple | list) for p in padding):
        pairs = tuple((int(begin), int(end)) for begin, end in padding)
        if len(pairs) not in (1, count):
            raise ShapeError(f"{name}: expected {count} pairs of padding, got {len(pairs)}")
        return pairs * count if len(pairs) == 1 else pairs
    return tuple((p, p) for p in pair(padding, count, f"{name}: padding"))


def same_pads(kernel: Ints, dilation: Ints) -> Pads:
    """PyTorch's ``padding="same"`` (stride 1): what is odd is added at the end.

    >>> same_pads((4,), (1,))
    ((1, 2),)
    """
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def auto_pads(mode: str, sizes: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Pads:
    """ONNX's ``auto_pad``: SAME_UPPER, SAME_LOWER (results of ``ceil(size / stride)``) or VALID.

    >>> auto_pads("SAME_UPPER", (5, 6), (3, 3), (2, 2), (1, 1))
    ((1, 1), (0, 1))
    """
    if mode == "VALID":
        return ((0, 0),) * len(sizes)
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise ArgumentError(f"auto_pad is SAME_UPPER, SAME_LOWER or VALID, not {mode!r}")
    pads = []
    for size, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        total = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return tuple(pads if mode == "SAME_UPPER" else [(end, begin) for begin, end in pads])


def window_counts(
    name: str,
    sizes: Ints,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    ceil_mode: bool = False,
) -> Ints:
    """How many windows fit along each dimension; with ``ceil_mode`` also one that sticks out.

    A window that would begin beyond the input and its begin padding is left out, as PyTorch and
    ONNX (from opset 19 on) do. Raises ShapeError where not even one fits.

    >>> window_counts("max_pool2d", (5, 6), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1), True)
    (3, 3)
    """
    _check_positive(name, kernel=kernel, stride=stride, dilation=dilation)
    counts = []
    for size, k, s, (begin, end), d in zip(sizes, kernel, stride, pads, dilation, strict=True):
        room = size + begin + end - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= size + begin:
            count -= 1
        if count < 1:
            raise ShapeError(
                f"{name}: no window of {kernel} (dilation {dilation}) fits in {tuple(sizes)} "
                f"padded by {pads}"
            )
        counts.append(count)
    return tuple(counts)


def _check_positive(name: str, **options: Ints) -> None:
    for option, values in options.items():
        if any(v <= 0 for v in values):
            raise ArgumentError(f"{name}: {option} must be positive, got {values}")


def batched(x: Array, count: int, name: str) -> tuple[Array, bool]:
    """The input with a batch dimension, and whether it had one: (N, C, ...) or (C, ...)."""
    if x.ndim == count + 2:
        return x, True
    if x.ndim == count + 1:
        return x[None], False
    raise ShapeError(
        f"{name}: expected an input of {count + 1} dimensions (channels first) or {count + 2} "
        f"(a batch), got shape {tuple(x.shape)}"
    )


def padded(xp: Any, x: Array, pads: Pads, value: Any = 0, *, channels_last: bool = False) -> Array:
    """The last dimensions extended by a constant; itself where there is nothing to do.

    Channels that are last in memory stay so; ``channels_last`` puts them there.
    """
    last = is_channels_last(x)
    moves = channels_last and not last and x.shape[1] > 1
    if not moves and not any(begin or end for begin, end in pads):
        return x
    lead = x.ndim - len(pads)
    sizes = [n + b + e for n, (b, e) in zip(x.shape[lead:], pads, strict=True)]
    wide = empty(xp, (*x.shape[:lead], *sizes), x.dtype, channels_last=last or channels_last)
    wide[...] = value
    inner = tuple(slice(b, b + n) for n, (b, _) in zip(x.shape[lead:], pads, strict=True))
    wide[(..., *inner)] = x
    return wide


def empty(xp: Any, shape: Ints, dtype: Any, *, channels_last: bool) -> Array:
    """A new array (N, C, ...), if so asked with its channels last in memory."""
    if not channels_last:
        return xp.empty(shape, dtype)
    laid_out = xp.empty((shape[0], *shape[2:], shape[1]), dtype)
    return laid_out.transpose(0, -1, *range(1, len(shape) - 1))


def is_channels_last(x: Array) -> bool:
    """Whether (N, C, ...) has its channels next to each other in memory (and not its rows)."""
    if x.flags.c_contiguous or x.ndim < 3:
        return False
    return bool(x.transpose(0, *range(2, x.ndim), 1).flags.c_contiguous)


def windows(xp: Any, x: Array, kernel: Ints, counts: Ints, stride: Ints, dilation: Ints) -> Array:
    """A view (N, C, taps..., windows...) of what every window sees; nothing is copied."""
    spatial = x.strides[2:]
    return xp.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *kernel, *counts),
        (
            *x.strides[:2],
            *[d * s for d, s in zip(dilation, spatial, strict=True)],
            *[d * s for d, s in zip(stride, spatial, strict=True)],
        ),
    )


def taps(kernel: Ints) -> Iterator[Ints]:
    """The positions in a window, row by row."""
    return product(*[range(k) for k in kernel])


def tap_slices(tap: Ints, counts: Ints, stride: Ints, dilation: Ints) -> tuple[slice, ...]:
    """Where, in a padded input, every window has its element of that position."""
    return tuple(
        slice(t * d, t * d + (n - 1) * s + 1, s)
        for t, n, s, d in zip(tap, counts, stride, dilation, strict=True)
    )


def clipped_slices(
    tap: int, size: int, count: int, begin: int, stride: int, dilation: int
) -> tuple[slice, slice]:
    """One dimension, unpadded: which windows have their element inside, and where it lies.

    >>> clipped_slices(0, size=5, count=3, begin=1, stride=2, dilation=1)
    (slice(1, 3, None), slice(1, 4, 2))
    """
    offset = tap * dilation - begin
    first = max(-(offset // stride), 0)
    last = min((size - 1 - offset) // stride, count - 1)
    if last < first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + offset
    return slice(first, last + 1), slice(start, start + (last - first) * stride + 1, stride)
