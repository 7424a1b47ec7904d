"""Resampling of images: one dimension after another, channels last."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .....ops import resample
from .....ops.interpolation import NEAREST, targets
from ...blending import blend
from ..builder import FLOAT, Arguments, Builder, lowering
from ..places import View, Word
from .convolution import channels_last, last


@lowering("nn.functional.interpolate")
def interpolate(builder: Builder, call: Arguments) -> str | None:
    """Nearest, linear and cubic, also with antialiasing."""
    mode = call.get("mode", "nearest")
    if mode == "area" or builder.dtype_of(call["input"]) != FLOAT:
        return "areas, or not float32"
    corners, smooth = bool(call.get("align_corners")), call.get("antialias", False)
    example = builder.trace.values[call["input"].index]
    sizes, factors = targets(
        example, call.get("size"), call.get("scale_factor"), call.get("recompute_scale_factor")
    )
    if 0 in example.shape or 0 in sizes:
        return "no elements"
    x = channels_last(builder, call["input"])
    x = builder.ordered(x, last(len(sizes)))
    plan = list(zip(range(2, example.ndim), example.shape[2:], sizes, factors, strict=True))
    for axis, have, want, factor in plan[::-1]:
        if mode in NEAREST:
            exact = mode == "nearest-exact"
            if example.ndim == 4 and not exact and want in (have, 2 * have):
                factor = None  # as PyTorch, for images only
            places = resample.nearest_indices(have, want, factor, exact)[None]
            taps = places, np.ones(places.shape)
        elif smooth:
            if have == want:
                continue
            cubic = mode == "bicubic"
            taps = resample.smooth_taps(have, want, factor, corners, cubic, np.float32)
        else:
            of = resample.cubic_taps if mode == "bicubic" else resample.linear_taps
            taps = of(have, want, factor, corners, np.float32)
        if have == want and len(taps[0]) == 1 and np.array_equal(taps[0][0], np.arange(want)):
            continue
        x = blended(builder, x, axis, taps)
    builder.give(call.output, x)
    return None


def blended(builder: Builder, x: View, axis: int, taps: Any) -> View:
    """Weighted sums along a dimension of images with channels last."""
    indices, weights = (np.asarray(t) for t in taps)
    order = last(len(x.shape) - 2)
    count = indices.shape[1]
    shape = tuple(count if d == axis else n for d, n in enumerate(x.shape))
    out = builder.new(shape, FLOAT, order)
    at = order.index(axis)
    outer, inner = (prod(x.shape[d] for d in dims) for dims in (order[:at], order[at + 1 :]))
    words: list[Word] = [
        out.place, x.place, builder.table(np.ascontiguousarray(indices.T, np.int64)),
        builder.table(np.ascontiguousarray(weights.T, np.float32)), outer, count, len(indices),
        x.shape[axis], inner,
    ]  # fmt: skip
    builder.emit("blend", blend(), words, [x], out, flops=2.0 * len(indices) * out.size)
    return out
