"""Pad, in every mode, cropping included; depth and space."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import axis_in, one_of
from .shape import ints
from .windows import flat_pads


@onnx_op("Pad", since=11)
def pad(
    x: Tensor,
    pads: Tensor,
    value: Tensor | None = None,
    axes: Tensor | None = None,
    *,
    mode: str = "constant",
    opset: int = 19,
) -> Tensor:
    """Negative pads crop."""
    if mode == "wrap" and opset < 19:
        raise OnnxError("expected mode constant, reflect or edge before opset 19, got wrap")
    amounts = ints(pads) or []
    along = list(range(x.ndim))
    if axes is not None:
        along = [axis_in(axis, x, "axes") for axis in ints(axes) or []]
    n = len(along)
    if len(amounts) != 2 * n:
        raise OnnxError(f"Pad: {len(amounts)} pads for {n} axes; expected {2 * n}")
    fill: Any = "" if x.dtype is tl.dtypes.string else 0
    if value is not None and value.numel():
        fill = value.item()
    return _padded(x, along, amounts[:n], amounts[n:], mode, fill)


@onnx_op("Pad", since=2)
def pad_2(x: Tensor, *, pads: list[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    n = x.ndim
    if len(pads) != 2 * n:
        raise OnnxError(f"expected {2 * n} pads for {n} dimensions, got {pads}")
    one_of("mode", mode, ("constant", "reflect", "edge"))
    return _padded(x, list(range(n)), pads[:n], pads[n:], mode, value)


@onnx_op("Pad")
def pad_1(x: Tensor, *, paddings: list[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """Opset 1 adds only."""
    if min(paddings, default=0) < 0:
        raise OnnxError(f"expected paddings of 0 or more before opset 2, got {paddings}")
    return pad_2(x, pads=paddings, mode=mode, value=value)


def _padded(
    x: Tensor, axes: list[int], begins: list[int], ends: list[int], mode: str, value: Any
) -> Tensor:
    if mode == "constant":
        front, back = [0] * x.ndim, [0] * x.ndim
        for axis, begin, end in zip(axes, begins, ends, strict=True):
            front[axis], back[axis] = begin, end
        return F.pad(x, flat_pads(front, back), value=value)
    if mode not in ("reflect", "edge", "wrap"):
        raise OnnxError(f"Pad: unknown mode {mode!r}; it is constant, reflect, edge or wrap")
    for axis, begin, end in zip(axes, begins, ends, strict=True):
        x = _extended(x, axis, begin, end, mode)
    return x


def _extended(x: Tensor, axis: int, begin: int, end: int, mode: str) -> Tensor:
    """One axis padded with what its own elements say."""
    size = x.shape[axis]
    x = x.narrow(axis, max(-begin, 0), size + min(begin, 0) + min(end, 0))
    size, begin, end = x.shape[axis], max(begin, 0), max(end, 0)
    if not (begin or end):
        return x
    if size == 0:
        raise OnnxError(f"Pad: mode {mode!r} cannot extend axis {axis}, which is empty")
    places = tl.arange(-begin, size + end, device=x.device)
    if mode == "edge":
        places = tl.clamp(places, 0, size - 1)
    elif mode == "wrap":
        places = places % size
    elif size == 1:
        places = tl.zeros_like(places)
    else:
        places = places % (2 * size - 2)
        places = tl.where(places < size, places, 2 * size - 2 - places)
    return tl.index_select(x, axis, places)


@onnx_op("DepthToSpace")
def depth_to_space(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = x.shape
    b = blocksize
    if mode == "DCR":
        parts = x.reshape(n, b, b, c // b**2, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(n, c // b**2, b, b, h, w).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // b**2, h * b, w * b)


@onnx_op("SpaceToDepth")
def space_to_depth(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = x.shape
    b = blocksize
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    parts = x.reshape(n, c, h // b, b, w // b, b).permute(order)
    return parts.reshape(n, c * b**2, h // b, w // b)
