"""Depthwise convolution: one kernel per channel, where a matrix product has nothing to multiply."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.dims import pair
from ..kernels import kernel
from .jit import jit

Array = np.ndarray[Any, Any]


@jit("f4* f4* f4* f4* i8 i8 i8 i8 i8 i8 i8 i8 i8 i8 i8")
def _convolve(
    out: Any, x: Any, w: Any, b: Any, planes: int, channels: int, height: int, width: int,
    rows: int, columns: int, kh: int, kw: int, sy: int, sx: int, has_bias: int,
) -> None:  # fmt: skip
    """Each plane of a padded input, a row of the output at a time."""
    for plane in range(planes):
        channel = plane % channels
        start = b[channel] if has_bias else 0.0
        for row in range(rows):
            to = (plane * rows + row) * columns
            for column in range(columns):
                out[to + column] = start
            for i in range(kh):
                line = (plane * height + row * sy + i) * width
                for j in range(kw):
                    weight = w[(channel * kh + i) * kw + j]
                    for column in range(columns):
                        out[to + column] += weight * x[line + column * sx + j]


def takes(
    input: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> str | None:  # fmt: skip
    """Why the kernel does not take these arguments."""
    if groups == 1 or input.ndim != 4 or weight.shape[1] != 1 or weight.shape[0] != groups:
        return "not depthwise"
    if input.shape[1] != groups or input.shape[0] == 0:
        return "channels and groups differ, or no images"
    if any(a.dtype != np.float32 for a in (input, weight)):
        return f"{input.dtype}; it is for float32"
    if isinstance(padding, str) or np.ndim(padding) > 1:
        return "padding by name, or uneven padding"
    if pair(dilation, 2, "dilation") != (1, 1):
        return "dilation"
    padded = [s + 2 * p for s, p in zip(input.shape[2:], pair(padding, 2, "padding"), strict=True)]
    if any(size < k for size, k in zip(padded, weight.shape[2:], strict=True)):
        return "a kernel larger than the input"
    return None


@kernel("numba", "nn.functional.conv2d", when=takes, min_size=4096)
def depthwise_conv2d(
    input: Array, weight: Array, bias: Array | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """conv2d with as many groups as channels, in float32."""
    (sy, sx), (py, px) = pair(stride, 2, "stride"), pair(padding, 2, "padding")
    padded = np.pad(input, [(0, 0), (0, 0), (py, py), (px, px)]) if py or px else input
    x, w = np.ascontiguousarray(padded), np.ascontiguousarray(weight)
    b = w if bias is None else np.ascontiguousarray(bias, np.float32)
    batch, channels, height, width = x.shape
    kh, kw = w.shape[2:]
    rows, columns = (height - kh) // sy + 1, (width - kw) // sx + 1
    out = np.empty((batch, channels, rows, columns), np.float32)
    _convolve(
        out.ctypes.data, x.ctypes.data, w.ctypes.data, b.ctypes.data, batch * channels, channels,
        height, width, rows, columns, kh, kw, sy, sx, bias is not None,
    )  # fmt: skip
    return out
