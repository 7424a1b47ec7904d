"""Sampling at points: grid_sample, and the grids of affine maps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from .dims import dtype_of
from .registry import Array, F, op
from .resample import keys_cubic

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


@op(spaces=(F,), upcast=True)
def grid_sample(
    xp: Any,
    input: Array,
    grid: Array,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Array:
    """The input at the points of ``grid``, whose coordinates run from -1 to 1.

    Shapes: input (N, C, H, W) with grid (N, H', W', 2) of (x, y), giving (N, C, H', W'); or
    (N, C, D, H, W) with (N, D', H', W', 3) of (x, y, z). ``mode``: "bilinear", "nearest",
    "bicubic" (images only). Beyond the edge stand zeros, the border, or the reflection. With
    ``align_corners`` -1 and 1 are the centres of the corner pixels, else their outer edges.
    Raises ShapeError and ArgumentError for what does not fit. Source: PyTorch
    ``torch.nn.functional.grid_sample``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> x = tl.tensor([[[[1.0, 3.0]]]])
    >>> F.grid_sample(x, tl.tensor([[[[0.0, 0.0], [0.5, 0.0]]]]), align_corners=True)
    tensor([[[[2.0000, 2.5000]]]])
    """
    _check(input, grid, mode, padding_mode)
    corners = bool(align_corners)
    sizes = input.shape[2:]
    coordinates = [
        _unnormalized(grid[..., i], size, corners) for i, size in enumerate(reversed(sizes))
    ][::-1]
    pixels = input.reshape(*input.shape[:2], prod(sizes)).transpose(0, 2, 1)
    pixels = xp.ascontiguousarray(pixels)
    if mode == "bicubic":
        taps = [_cubic_taps(xp, c) for c in coordinates]
    else:
        bounded = [
            _bounded(xp, c, size, padding_mode, corners)
            for c, size in zip(coordinates, sizes, strict=True)
        ]
        taps = [_nearest_tap(xp, c) if mode == "nearest" else _linear_taps(xp, c) for c in bounded]
    total = xp.zeros((*grid.shape[:-1], input.shape[1]), input.dtype)
    for chosen in product(*taps):
        places = [place for place, _ in chosen]
        if mode == "bicubic":
            places = [
                _bounded(xp, p, size, padding_mode, corners)
                for p, size in zip(places, sizes, strict=True)
            ]
        weight = chosen[0][1]
        for _, other in chosen[1:]:
            weight = weight * other
        value, inside = _gathered(xp, pixels, places, sizes)
        total += xp.where(inside[..., None], value * weight[..., None], 0)
    return xp.ascontiguousarray(xp.moveaxis(total, -1, 1))


def _check(x: Array, grid: Array, mode: str, padding_mode: str) -> None:
    if mode not in MODES or padding_mode not in PADDINGS:
        raise ArgumentError(
            f"grid_sample: mode is one of {', '.join(MODES)} and padding_mode one of "
            f"{', '.join(PADDINGS)}, got {mode!r} and {padding_mode!r}"
        )
    if x.ndim not in (4, 5) or grid.ndim != x.ndim or grid.shape[-1] != x.ndim - 2:
        raise ShapeError(
            f"grid_sample: expected (N, C, H, W) with (N, H', W', 2) or (N, C, D, H, W) with "
            f"(N, D', H', W', 3), got {tuple(x.shape)} with {tuple(grid.shape)}"
        )
    if mode == "bicubic" and x.ndim == 5:
        raise ArgumentError("grid_sample: mode 'bicubic' is for images of (N, C, H, W) only")
    if x.shape[0] != grid.shape[0] or 0 in x.shape[2:]:
        raise ShapeError(
            f"grid_sample: expected one grid per image and images that are not empty, got "
            f"{tuple(x.shape)} with {tuple(grid.shape)}"
        )
    if x.dtype != grid.dtype or not dtype_of(x).is_floating_point:
        raise DTypeError(
            f"grid_sample: input and grid must be floats of one dtype, got {dtype_of(x).name} "
            f"and {dtype_of(grid).name}"
        )


def _unnormalized(x: Array, size: int, corners: bool) -> Array:
    """-1...1 as a position in pixels."""
    return (x + 1) / 2 * (size - 1) if corners else ((x + 1) * size - 1) / 2


def _bounded(xp: Any, x: Array, size: int, padding_mode: str, corners: bool) -> Array:
    """A position brought into the image as the padding mode says."""
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        low, span = (0.0, size - 1) if corners else (-0.5, size)
        x = _reflected(xp, x, low, span)
    return xp.clip(xp.where(xp.isnan(x), 0, x), 0, size - 1)


def _reflected(xp: Any, x: Array, low: float, span: int) -> Array:
    if span == 0:
        return xp.zeros_like(x)
    distance = abs(x - low)
    extra = xp.fmod(distance, span)
    flips = xp.floor(distance / span)
    return xp.where(flips % 2 == 0, extra + low, span - extra + low)


def _nearest_tap(xp: Any, x: Array) -> list[tuple[Array, Array]]:
    return [(xp.rint(x), xp.ones_like(x))]


def _linear_taps(xp: Any, x: Array) -> list[tuple[Array, Array]]:
    low = xp.floor(x)
    return [(low, low + 1 - x), (low + 1, x - low)]


def _cubic_taps(xp: Any, x: Array) -> list[tuple[Array, Array]]:
    low = xp.floor(x)
    far = x - low
    distances = (far + 1, far, 1 - far, 2 - far)
    return [(low + (i - 1), keys_cubic(xp, d, -0.75)) for i, d in enumerate(distances)]


def _gathered(
    xp: Any, pixels: Array, places: Sequence[Array], sizes: Sequence[int]
) -> tuple[Array, Array]:
    """Pixels (N, ..., C) at whole positions, and whether those are in the image."""
    flat: Any = 0
    inside: Any = True
    for place, size in zip(places, sizes, strict=True):
        inside = (place >= 0) & (place <= size - 1) & inside
        flat = flat * size + xp.clip(xp.where(inside, place, 0), 0, size - 1).astype(np.int64)
    images = xp.arange(len(pixels)).reshape(-1, *[1] * (flat.ndim - 1))
    return pixels[images, flat], inside


@op(spaces=(F,), upcast=True)
def affine_grid(
    xp: Any, theta: Array, size: Sequence[int], align_corners: bool | None = None
) -> Array:
    """The grid for :func:`grid_sample` of an affine map: ``theta @ (x, y, 1)`` for each pixel.

    Shapes: theta (N, 2, 3) and size (N, C, H, W) give (N, H, W, 2); (N, 3, 4) and
    (N, C, D, H, W) give (N, D, H, W, 3). Raises ShapeError for others. Source: PyTorch
    ``torch.nn.functional.affine_grid``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> theta = tl.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> F.affine_grid(theta, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    count = len(size) - 2
    if count not in (2, 3) or theta.shape != (size[0], count, count + 1):
        raise ShapeError(
            f"affine_grid: expected theta of (N, 2, 3) for a size of 4 numbers or (N, 3, 4) for "
            f"one of 5, got {tuple(theta.shape)} and {tuple(size)}"
        )
    if not dtype_of(theta).is_floating_point or min(size) < 1:
        raise ArgumentError(
            f"affine_grid: expected floats and positive sizes, got {dtype_of(theta).name} and "
            f"{tuple(size)}"
        )
    axes = [_centres(n, bool(align_corners)).astype(theta.dtype) for n in size[2:]]
    mesh = np.meshgrid(*axes, indexing="ij")[::-1]
    base = xp.asarray(np.stack([*mesh, np.ones_like(mesh[0])], -1).reshape(-1, count + 1))
    points = xp.matmul(base, theta.transpose(0, 2, 1))
    return points.reshape(size[0], *size[2:], count)


def _centres(count: int, corners: bool) -> Any:
    """Where the centres of pixels lie between -1 and 1."""
    if count == 1:
        return np.zeros(1)
    ends = np.linspace(-1, 1, count)
    return ends if corners else ends * (count - 1) / count


@op(aliases=("grid_sampler_2d", "grid_sampler_3d"))
def grid_sampler(
    input: Array, grid: Array, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Array:
    """:func:`grid_sample` with its modes as numbers, in the order of its documentation.

    Source: PyTorch ``torch.grid_sampler``.

    >>> import tensorlite as tl
    >>> tl.grid_sampler(tl.ones(1, 1, 2, 2), tl.zeros(1, 1, 1, 2), 0, 0, False).item()
    1.0
    """
    mode, padding = MODES[interpolation_mode], PADDINGS[padding_mode]
    return grid_sample(input, grid, mode, padding, align_corners)


@op()
def affine_grid_generator(theta: Array, size: Sequence[int], align_corners: bool) -> Array:
    """:func:`affine_grid` under another name.

    Source: PyTorch ``torch.affine_grid_generator``.

    >>> import tensorlite as tl
    >>> tl.affine_grid_generator(tl.zeros(1, 2, 3), (1, 1, 2, 2), False).shape
    tensorlite.Size([1, 2, 2, 2])
    """
    return affine_grid(theta, size, align_corners)
