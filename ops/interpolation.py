"""Resampling of images and volumes: interpolate, upsample."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from . import resample
from .dims import dtype_of
from .pool import adaptive_average
from .registry import Array, F, op

Sizes = Any  # int | Sequence[int] | None
Factors = Any  # float | Sequence[float] | None
LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3}
NEAREST = ("nearest", "nearest-exact", "area")
MODES = (*NEAREST, *LINEAR, "bicubic")


@op(spaces=(F,), upcast=True)
def interpolate(
    xp: Any,
    input: Array,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Array:
    """The spatial dimensions resampled to ``size``, or to ``floor(size * scale_factor)``.

    Shapes: (N, C, ...) with one to three spatial dimensions. ``mode``: "nearest",
    "nearest-exact", "area", "linear" (3-D input), "bilinear" and "bicubic" (4-D), "trilinear"
    (5-D). With ``align_corners`` the corners' centres coincide, else the corners.
    ``recompute_scale_factor`` takes the factor from the rounded size; ``antialias`` widens
    bilinear and bicubic when shrinking. Floats, and uint8 but for "linear", "trilinear" and
    "area". Raises ArgumentError for options that do not go together. Source: PyTorch
    ``torch.nn.functional.interpolate``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.interpolate(tl.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    _check(input, mode, align_corners, antialias)
    sizes, factors = targets(input, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return adaptive_average(xp, input, sizes)
    if 0 in (*sizes, *input.shape[2:]):
        raise ShapeError(
            f"interpolate: sizes must be at least 1, got {sizes} from {tuple(input.shape[2:])}"
        )
    plan = list(zip(range(2, input.ndim), input.shape[2:], sizes, factors, strict=True))[::-1]
    if mode in NEAREST:
        result = input
        for axis, have, want, factor in plan:
            exact = mode == "nearest-exact"
            if input.ndim == 4 and not exact and want in (have, 2 * have):
                factor = None  # as PyTorch, for images only
            places = resample.nearest_indices(have, want, factor, exact)
            result = xp.take(result, xp.asarray(places), axis=axis)
        return result
    corners, cubic, whole = bool(align_corners), mode == "bicubic", input.dtype == np.uint8
    precision = np.float64 if whole or input.dtype == np.float64 else np.float32
    result = input
    for axis, have, want, factor in plan:
        if have == want and (antialias or whole):
            continue
        if antialias:
            taps = resample.smooth_taps(have, want, factor, corners, cubic, precision)
        elif cubic:
            taps = resample.cubic_taps(have, want, factor, corners, precision)
        else:
            taps = resample.linear_taps(have, want, factor, corners, precision)
        result = (resample.blend_uint8 if whole else resample.blend)(xp, result, axis, taps)
    return result.copy() if result is input else result


@op(spaces=(F,))
def upsample(
    input: Array,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Array:
    """:func:`interpolate` under its old name. Source: PyTorch ``torch.nn.functional.upsample``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.upsample(tl.tensor([[[1.0, 3.0]]]), scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


@op(spaces=(F,))
def upsample_nearest(input: Array, size: Sizes = None, scale_factor: Factors = None) -> Array:
    """:func:`interpolate` in mode "nearest".

    Source: PyTorch ``torch.nn.functional.upsample_nearest``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.upsample_nearest(tl.tensor([[[1.0, 3.0]]]), scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    """
    return interpolate(input, size, scale_factor, "nearest")


@op(spaces=(F,))
def upsample_bilinear(input: Array, size: Sizes = None, scale_factor: Factors = None) -> Array:
    """:func:`interpolate` in mode "bilinear" with aligned corners.

    Source: PyTorch ``torch.nn.functional.upsample_bilinear``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.upsample_bilinear(tl.tensor([[[[1.0, 3.0]]]]), (1, 3))
    tensor([[[[1., 2., 3.]]]])
    """
    return interpolate(input, size, scale_factor, "bilinear", True)


def _check(x: Array, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in MODES:
        raise ArgumentError(f"interpolate: mode is one of {', '.join(MODES)}, not {mode!r}")
    spatial = x.ndim - 2
    wanted = LINEAR.get(mode, 2 if mode == "bicubic" else None)
    if not 1 <= spatial <= 3 or wanted not in (None, spatial):
        raise ShapeError(
            f"interpolate: mode {mode!r} takes inputs of {wanted + 2 if wanted else '3 to 5'} "
            f"dimensions, got shape {tuple(x.shape)}"
        )
    if align_corners is not None and mode in NEAREST:
        raise ArgumentError(f"interpolate: align_corners is not for mode {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(f"interpolate: antialias is for bilinear and bicubic, not {mode!r}")
    found = dtype_of(x)
    images = found.name == "uint8" and mode in ("bilinear", "bicubic")
    if not (found.is_floating_point or images or mode in NEAREST[:2]):
        raise DTypeError(f"interpolate: mode {mode!r} takes floats, got {found.name}")


def targets(
    x: Array, size: Sizes, scale_factor: Factors, recompute: bool | None
) -> tuple[tuple[int, ...], list[float | None]]:
    """The new sizes, and the factors that coordinates are computed with (None: from the sizes)."""
    old = x.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: expected one of size and scale_factor")
    if size is not None:
        if recompute:
            raise ArgumentError("interpolate: recompute_scale_factor needs scale_factor")
        sizes = _each("size", size, len(old))
        factors: list[float | None] = [None] * len(old)
    else:
        given = _each("scale_factor", scale_factor, len(old))
        sizes = [floor(float(n) * f) for n, f in zip(old, given, strict=True)]
        factors = [None] * len(old) if recompute else [float(f) for f in given]
    return tuple(int(n) for n in sizes), factors


def _each(name: str, value: Any, count: int) -> list[Any]:
    values = list(value) if isinstance(value, Sequence) else [value] * count
    if len(values) != count:
        raise ShapeError(f"interpolate: expected {count} of {name}, got {value}")
    return values
