"""Channels and pixels rearranged: pixel and channel shuffling, windows as columns and back."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ArgumentError, ShapeError
from .dims import pair
from .registry import TOP, Array, F, op
from .spatial import Ints, Pads, batched, padded, tap_slices, taps, window_counts, windows

Sizes = Any  # int | Sequence[int]


@op(spaces=(F, TOP))
def pixel_shuffle(xp: Any, input: Array, upscale_factor: int) -> Array:
    """Channels become pixels: (..., C r^2, H, W) to (..., C, H r, W r).

    Raises ShapeError where the channels are no multiple of r^2. Source: PyTorch
    ``torch.nn.functional.pixel_shuffle``.

    >>> import tensorlite as tl
    >>> tl.pixel_shuffle(tl.tensor([[[1]], [[2]], [[3]], [[4]]]), 2)
    tensor([[[1, 2],
             [3, 4]]])
    """
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: expected (..., C * {r}**2, H, W), got {tuple(input.shape)}"
        )
    *lead, c, h, w = input.shape
    split = input.reshape(prod(lead), c // (r * r), r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
    return split.reshape(*lead, c // (r * r), h * r, w * r)


@op(spaces=(F, TOP))
def pixel_unshuffle(xp: Any, input: Array, downscale_factor: int) -> Array:
    """Pixels become channels: (..., C, H r, W r) to (..., C r^2, H, W).

    Raises ShapeError where the sizes are no multiples of r. Source: PyTorch
    ``torch.nn.functional.pixel_unshuffle``.

    >>> import tensorlite as tl
    >>> tl.pixel_unshuffle(tl.tensor([[[1, 2], [3, 4]]]), 2).flatten()
    tensor([1, 2, 3, 4])
    """
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-1] % r or input.shape[-2] % r:
        raise ShapeError(
            f"pixel_unshuffle: expected (..., C, H * {r}, W * {r}), got {tuple(input.shape)}"
        )
    *lead, c, h, w = input.shape
    split = input.reshape(prod(lead), c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    return split.reshape(*lead, c * r * r, h // r, w // r)


@op(spaces=(F, TOP), aliases=("native_channel_shuffle",))
def channel_shuffle(xp: Any, input: Array, groups: int) -> Array:
    """The channels of (N, C, ...) dealt out: the first of every group, then the second...

    Raises ShapeError where the channels are no multiple of ``groups``. Source: PyTorch
    ``torch.nn.functional.channel_shuffle``.

    >>> import tensorlite as tl
    >>> tl.channel_shuffle(tl.tensor([[[0], [1], [2], [3]]]), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: expected (N, C, ...) with C a multiple of {groups}, got "
            f"{tuple(input.shape)}"
        )
    n, c = input.shape[:2]
    split = input.reshape(n, groups, c // groups, *input.shape[2:])
    return xp.swapaxes(split, 1, 2).reshape(input.shape)


@op(spaces=(F,))
def unfold(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Array:
    """What every window sees, as columns (im2col): (N, C, H, W) to (N, C KH KW, windows).

    A batch of one may be left out. Raises ShapeError where no window fits. Source: PyTorch
    ``torch.nn.functional.unfold``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.unfold(tl.arange(6.0).reshape(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    x, has_batch = batched(input, 2, "unfold")
    kernel, steps, pads, spread = _window("unfold", kernel_size, stride, padding, dilation)
    counts = window_counts("unfold", x.shape[2:], kernel, steps, pads, spread)
    view = windows(xp, padded(xp, x, pads), kernel, counts, steps, spread)
    columns = view.reshape(x.shape[0], x.shape[1] * prod(kernel), prod(counts))
    return columns if has_batch else columns[0]


@op(spaces=(F,), upcast=True)
def fold(
    xp: Any,
    input: Array,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Array:
    """Columns laid down as windows and added up (col2im): (N, C KH KW, windows) to (N, C, H, W).

    A batch of one may be left out. Raises ShapeError where the columns are not those of
    :func:`unfold` for that size. Source: PyTorch ``torch.nn.functional.fold``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.fold(tl.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    x, has_batch = batched(input, 1, "fold")
    sizes = pair(output_size, 2, "fold: output_size")
    kernel, steps, pads, spread = _window("fold", kernel_size, stride, padding, dilation)
    counts = window_counts("fold", sizes, kernel, steps, pads, spread)
    if x.shape[1] % prod(kernel) or x.shape[2] != prod(counts):
        raise ShapeError(
            f"fold: expected (N, C * {prod(kernel)}, {prod(counts)}) for output_size {sizes}, "
            f"got {tuple(input.shape)}"
        )
    channels = x.shape[1] // prod(kernel)
    columns = x.reshape(x.shape[0], channels, *kernel, *counts)
    wide = [n + begin + end for n, (begin, end) in zip(sizes, pads, strict=True)]
    out = xp.zeros((x.shape[0], channels, *wide), x.dtype)
    for tap in taps(kernel):
        part = columns[(slice(None), slice(None), *tap)]
        out[(..., *tap_slices(tap, counts, steps, spread))] += part
    inner = tuple(slice(b, b + n) for n, (b, _) in zip(sizes, pads, strict=True))
    out = xp.ascontiguousarray(out[(..., *inner)])
    return out if has_batch else out[0]


def _window(
    name: str, kernel_size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> tuple[Ints, Ints, Pads, Ints]:
    kernel = pair(kernel_size, 2, f"{name}: kernel_size")
    amounts = pair(padding, 2, f"{name}: padding")
    if any(p < 0 for p in amounts):
        raise ArgumentError(f"{name}: padding must not be negative, got {padding}")
    pads = tuple((p, p) for p in amounts)
    return kernel, pair(stride, 2, f"{name}: stride"), pads, pair(dilation, 2, f"{name}: dilation")
