"""Convolution whose kernel looks beside its places: DeformConv, in any number of dimensions."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..registry import onnx_op
from ..values import to_value
from .expected import FLOATS, expect
from .windows import Window, window


@onnx_op("DeformConv", since=19)
def deform_conv(
    x: Tensor,
    weight: Tensor,
    offset: Tensor,
    bias: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    offset_group: int = 1,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """A convolution whose every tap looks ``offset`` away, linearly interpolated, times ``mask``.

    x (N, C, ...) with n spatial dimensions, weight (M, C / group, k...), offset (N, offset_group
    * K * n, out...), mask (N, offset_group * K, out...), bias (M); K is the size of the kernel.
    What lies outside counts as zero. Half precision is computed in float32. Dai et al., 2017; Zhu
    et al., 2019.
    """
    if expect("X", x, None, FLOATS).ndim < 3:
        raise OnnxError(f"expected X of shape (N, C, D1, ...), got {tuple(x.shape)}")
    batch, channels, *sizes = x.shape
    if min(group, offset_group) < 1 or channels % group or channels % offset_group:
        raise OnnxError(
            f"expected group and offset_group to divide the {channels} channels, got {group} and "
            f"{offset_group}"
        )
    extent = [f"k{i + 1}" for i in range(len(sizes))]
    expect("W", weight, ("oC", channels // group, *extent), (x.dtype,))
    filters, kernel = weight.shape[0], list(weight.shape[2:])
    if filters % group or (kernel_shape or kernel) != kernel:
        raise OnnxError(
            f"expected W to have filters for {group} groups and kernel_shape {kernel_shape}, got "
            f"{tuple(weight.shape)}"
        )
    view = window(sizes, kernel, strides, dilations, pads, "NOTSET")
    out = view.output(sizes)
    taps, places = prod(kernel), prod(out)
    expect("offset", offset, (batch, offset_group * taps * len(sizes), *out), (x.dtype,))
    if bias is not None:
        expect("B", bias, (filters,), (x.dtype,))
    wide = x.dtype if x.dtype is tl.float64 else tl.float32

    shifts = offset.to(wide).reshape(batch, offset_group, taps, len(sizes), places)
    columns = _sampled(x.to(wide), shifts, _places(view, out, shifts))
    if mask is not None:
        expect("mask", mask, (batch, offset_group * taps, *out), (x.dtype,))
        columns = columns * mask.to(wide).reshape(batch, offset_group, 1, taps, places)
    columns = columns.reshape(batch, group, channels // group * taps, places)
    rows = weight.to(wide).reshape(group, filters // group, channels // group * taps)
    y = (rows @ columns).reshape(batch, filters, *out)
    if bias is not None:
        y = y + bias.to(wide).reshape(-1, *[1] * len(sizes))
    return y.to(x.dtype)


def _places(view: Window, out: list[int], like: Tensor) -> Tensor:
    """Where each tap looks without an offset: (K, n, places)."""
    n = len(out)
    taps = np.indices(view.kernel).reshape(n, -1).T[:, :, None]
    steps = np.indices(out).reshape(1, n, -1)
    strides, dilations, begins = (
        np.array(v)[:, None] for v in (view.strides, view.dilations, view.begins)
    )
    return to_value(steps * strides + taps * dilations - begins, like.device).to(like.dtype)


def _sampled(x: Tensor, shifts: Tensor, places: Tensor) -> Tensor:
    """x (N, C, ...) at places (K, n, L) moved by shifts (N, G, K, n, L): (N, G, C / G, K, L)."""
    batch, groups, taps, _, length = shifts.shape
    channels, sizes = x.shape[1] // groups, list(x.shape[2:])
    found = tl.zeros(batch, groups, channels, taps, length, dtype=x.dtype, device=x.device)
    if x.numel() == 0 or found.numel() == 0:
        return found
    pixels = x.reshape(batch, groups, channels, prod(sizes))
    position = shifts + places
    low = tl.floor(position)
    share = position - low
    for corner in product((0, 1), repeat=len(sizes)):
        weight = tl.ones(1, dtype=x.dtype, device=x.device)
        index = tl.zeros(1, dtype=tl.int64, device=x.device)
        for dim, (up, size) in enumerate(zip(corner, sizes, strict=True)):
            place = low[:, :, :, dim] + up
            inside = (place >= 0) & (place < size)
            part = share[:, :, :, dim] if up else 1 - share[:, :, :, dim]
            weight = weight * tl.where(inside, part, tl.zeros_like(part))
            index = index * size + tl.where(inside, place, tl.zeros_like(place)).long()
        flat = index.reshape(batch, groups, 1, taps * length).expand(-1, -1, channels, -1)
        values = tl.gather(pixels, 3, flat).reshape(found.shape)
        found = found + values * weight.reshape(batch, groups, 1, taps, length)
    return found
