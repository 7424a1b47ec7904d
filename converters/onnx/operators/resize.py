"""Resize (and its ancestor Upsample): every mode, coordinate rule and option.

Resampling is separable: each axis is a product with a matrix of weights, of which each row has
only a few; it is done as gathers of those few.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import strings
from .expected import expect, one_of

Array = np.ndarray[Any, Any]

#: Two sizes, or a scale as the file has it over 1. Nearest elements are found with just these
#: numbers, in float32 if one is of float32: 3 / 0.6 is 5, but 3 / 0.60000002384 is below.
Scale = tuple[Any, int]


@onnx_op("Resize", since=11)
def resize(
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
    *,
    antialias: int = 0,
    axes: list[int] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Resampling along ``axes`` (all by default), to sizes or by scales."""
    along = [axis % x.ndim for axis in axes] if axes is not None else list(range(x.ndim))
    region = roi.float().tolist() if roi is not None and roi.numel() else None
    dtype = x.dtype
    targets = _targets(x, along, scales, sizes, keep_aspect_ratio_policy)
    exact = mode == "nearest" or dtype.is_floating_point and dtype.itemsize >= 4
    result = x if exact else x.float()
    outside: list[tuple[int, Array]] = []
    for place, (axis, scale, size) in enumerate(targets):
        span = (0.0, 1.0) if region is None else (region[place], region[place + len(along)])
        source = x.shape[axis]
        exact_scale = scale if mode == "nearest" else (float(scale[0]), scale[1])
        coordinates = _coordinates(source, size, exact_scale, span, coordinate_transformation_mode)
        if coordinate_transformation_mode == "tf_crop_and_resize":
            out = (coordinates < 0) | (coordinates > source - 1)
            outside.append((axis, out))
        elif size == source and scale[0] == scale[1]:
            continue
        if mode == "nearest":
            result = _nearest(result, axis, coordinates, nearest_mode)
            continue
        width = max(scale[1] / float(scale[0]), 1.0) if antialias else 1.0
        indices, weights = _taps(
            coordinates, source, mode, cubic_coeff_a, bool(exclude_outside), width
        )
        result = _blend(result, axis, indices, weights)
    beyond: Any = strings("") if dtype is tl.dtypes.string else extrapolation_value
    for axis, out in outside:
        mask = (
            tl.from_numpy(out).to(x.device).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        )
        result = tl.where(mask, beyond, result)
    if dtype.is_integral and result.is_floating_point():
        limits = tl.iinfo(dtype)
        result = tl.clamp(tl.round(result) if mode != "nearest" else result, limits.min, limits.max)
    return result if result.dtype is dtype else result.to(dtype)


@onnx_op("Resize", since=10)
def resize_10(x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    """Upsample, and downsampling, of which this version's cases say that places round up."""
    result = _upsample(x, scales.clamp(min=1), mode)
    return _upsample(result, scales.clamp(max=1), mode, "ceil")


@onnx_op("Upsample", since=9)
def upsample_9(x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    one_of("mode", mode, ("nearest", "linear", "bilinear"))
    if scales.numel() and scales.min().item() < 1:
        raise OnnxError(f"expected scales of 1 or more, got {scales.tolist()}")
    return _upsample(x, scales, mode)


@onnx_op("Upsample", since=7)
def upsample_7(x: Tensor, *, scales: list[float], mode: str = "nearest") -> Tensor:
    return upsample_9(x, tl.tensor(scales), mode=mode)


@onnx_op("Upsample")
def upsample_1(
    x: Tensor, *, height_scale: float, width_scale: float, mode: str = "nearest"
) -> Tensor:
    expect("X", x, ("batch", "channels", "height", "width"))
    return upsample_9(x, tl.tensor([1.0, 1.0, height_scale, width_scale]), mode=mode)


def _upsample(x: Tensor, scales: Tensor, mode: str, nearest_mode: str = "floor") -> Tensor:
    expect("scales", scales, (x.ndim,))
    return resize(
        x,
        None,
        scales,
        mode="linear" if mode == "bilinear" else mode,
        coordinate_transformation_mode="asymmetric",
        nearest_mode=nearest_mode,
    )


def _targets(
    x: Tensor, axes: list[int], scales: Tensor | None, sizes: Tensor | None, policy: str
) -> list[tuple[int, Scale, int]]:
    """For each axis: the scale and the new size."""
    if sizes is not None and sizes.numel():
        wanted = [int(s) for s in sizes.tolist()]
        factors = [(w, x.shape[axis]) for w, axis in zip(wanted, axes, strict=True)]
        if policy != "stretch":
            choose = min if policy == "not_larger" else max
            new, old = choose(factors, key=lambda factor: factor[0] / factor[1])
            wanted = [int(np.floor(new * x.shape[axis] / old + 0.5)) for axis in axes]
            factors = [(new, old)] * len(axes)
        return list(zip(axes, factors, wanted, strict=True))
    if scales is None or not scales.numel():
        raise OnnxError("Resize: neither scales nor sizes are given")
    found = np.asarray(scales.tolist(), np.float32)
    wanted = [int(np.floor(f * np.float32(x.shape[a]))) for a, f in zip(axes, found, strict=True)]
    return list(zip(axes, ((f, 1) for f in found), wanted, strict=True))


def _coordinates(
    source: int, size: int, scale: Scale, span: tuple[float, float], mode: str
) -> Array:
    """Where each output element lies in the input, in elements."""
    new, old = scale
    out: Array = np.arange(size, dtype=np.float32 if isinstance(new, np.float32) else np.float64)
    if mode == "asymmetric":
        return out * old / new
    if mode == "align_corners":
        whole = source * new / old  # before it was cut to whole elements
        return out * (source - 1) / (whole - 1) if size > 1 else out * 0
    if mode == "half_pixel":
        return (out + 0.5) * old / new - 0.5
    if mode == "half_pixel_symmetric":
        # The size is the floor of source * scale: the difference is left on both sides.
        adjustment = size * old / (new * source)
        return source / 2 * (1 - adjustment) + (out + 0.5) * old / new - 0.5
    if mode == "pytorch_half_pixel":
        return (out + 0.5) * old / new - 0.5 if size > 1 else out * 0
    if mode == "tf_half_pixel_for_nn":
        return (out + 0.5) * old / new
    if mode == "tf_crop_and_resize":
        low, high = span
        if size > 1:
            return low * (source - 1) + out * (high - low) * (source - 1) / (size - 1)
        return out + 0.5 * (low + high) * (source - 1)
    raise OnnxError(f"Resize: unknown coordinate_transformation_mode {mode!r}")


_ROUNDERS: dict[str, Any] = {
    "round_prefer_floor": lambda c: np.ceil(c - 0.5),
    "round_prefer_ceil": lambda c: np.floor(c + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _nearest(x: Tensor, axis: int, coordinates: Array, mode: str) -> Tensor:
    if mode not in _ROUNDERS:
        raise OnnxError(f"Resize: unknown nearest_mode {mode!r}; it is one of {[*_ROUNDERS]}")
    if mode.startswith("round"):
        halves = np.floor(coordinates) + coordinates.dtype.type(0.5)
        between = np.abs(coordinates - halves) <= 1e-6  # as near as a scale of 32 bits can tell
        coordinates = np.where(between, halves, coordinates)
    places = np.clip(_ROUNDERS[mode](coordinates), 0, x.shape[axis] - 1).astype(np.int64)
    return tl.index_select(x, axis, tl.from_numpy(places).to(x.device))


def _taps(
    coordinates: Array, source: int, mode: str, a: float, exclude: bool, width: float
) -> tuple[Array, Array]:
    """The input elements that each output element is made of, and their weights."""
    if mode not in ("linear", "cubic"):
        raise OnnxError(f"Resize: unknown mode {mode!r}; it is nearest, linear or cubic")
    reach = (1 if mode == "linear" else 2) * width
    first = np.floor(coordinates - reach).astype(np.int64) + 1
    count = int(np.ceil(2 * reach)) + (width > 1)
    indices = first[:, None] + np.arange(count)
    distance = np.abs(indices - coordinates[:, None]) / width
    weights = np.maximum(1 - distance, 0) if mode == "linear" else _cubic(distance, a)
    if exclude:
        weights = np.where((indices < 0) | (indices >= source), 0, weights)
    if exclude or width > 1:
        weights = weights / weights.sum(1, keepdims=True)
    return np.clip(indices, 0, source - 1), weights


def _cubic(t: Array, a: float) -> Array:
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def _blend(x: Tensor, axis: int, indices: Array, weights: Array) -> Tensor:
    """The weighted sum of the taps along one axis."""
    sizes = [-1 if i == axis else 1 for i in range(x.ndim)]
    total: Any = None
    for tap in range(indices.shape[1]):
        if not weights[:, tap].any():
            continue
        place = tl.from_numpy(np.ascontiguousarray(indices[:, tap])).to(x.device)
        weight = tl.from_numpy(weights[:, tap].astype(x.dtype.numpy)).to(x.device).reshape(sizes)
        part = tl.index_select(x, axis, place) * weight
        total = part if total is None else total + part
    return total
