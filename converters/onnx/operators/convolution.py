"""Convolutions: Conv, ConvTranspose, Col2Im."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .shape import ints
from .windows import flat_pads, window

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def _of_rank(table: dict[int, Any], rank: int) -> Any:
    if rank not in table:
        raise OnnxError(f"convolution over {rank} dimensions; 1, 2 and 3 are supported")
    return table[rank]


@onnx_op("Conv")
def conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    win = window(list(x.shape[2:]), list(w.shape[2:]), strides, dilations, pads, auto_pad)
    padding = win.begins if win.symmetric else tuple(zip(win.begins, win.ends, strict=True))
    convolve = _of_rank(_CONV, x.ndim - 2)
    return convolve(x, w, b, win.strides, padding, win.dilations, group)


@onnx_op("ConvTranspose")
def conv_transpose(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: list[int] | None = None,
    group: int = 1,
    kernel_shape: list[int] | None = None,
    output_padding: list[int] | None = None,
    output_shape: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """The whole result is made and the pads are cut off it: they may be uneven or negative."""
    n = x.ndim - 2
    strides, dilations = strides or [1] * n, dilations or [1] * n
    extra = output_padding or [0] * n
    kernel, sizes = list(w.shape[2:]), list(x.shape[2:])
    whole = [
        (size - 1) * s + (k - 1) * d + 1
        for size, s, k, d in zip(sizes, strides, kernel, dilations, strict=True)
    ]
    if output_shape is not None or auto_pad.startswith("SAME"):
        wanted = output_shape or [size * s for size, s in zip(sizes, strides, strict=True)]
        total = [have + e - want for have, e, want in zip(whole, extra, wanted[-n:], strict=True)]
        smaller = [t // 2 for t in total]
        larger = [t - h for t, h in zip(total, smaller, strict=True)]
        begins, ends = (smaller, larger) if auto_pad == "SAME_UPPER" else (larger, smaller)
    else:
        pads = pads if pads is not None and auto_pad != "VALID" else [0] * (2 * n)
        begins, ends = pads[:n], pads[n:]
    transpose = _of_rank(_TRANSPOSED, n)
    made = transpose(x, w, None, strides, 0, 0, group, dilations)
    cut = flat_pads([-p for p in begins], [e - p for e, p in zip(extra, ends, strict=True)])
    result = F.pad(made, cut) if any(cut) else made
    return result if b is None else result + b.reshape(-1, *[1] * n)


@onnx_op("Col2Im")
def col2im(
    x: Tensor,
    image_shape: Tensor,
    block_shape: Tensor,
    *,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    """Blocks added up where they overlap; any number of spatial dimensions."""
    sizes, block = ints(image_shape) or [], ints(block_shape) or []
    win = window(sizes, block, strides, dilations, pads, "NOTSET")
    batch, channels = x.shape[0], x.shape[1] // tl.Size(block).numel()
    counts = win.output(sizes)
    padded = [s + a + b for s, a, b in zip(sizes, win.begins, win.ends, strict=True)]
    image = tl.zeros(batch, channels, *padded, dtype=x.dtype, device=x.device)
    blocks = x.reshape(batch, channels, tl.Size(block).numel(), *counts)
    for k in range(blocks.shape[2]):
        place: list[int] = []
        rest = k
        for b in reversed(block):
            place.insert(0, rest % b)
            rest //= b
        where = tuple(
            slice(p * d, p * d + (c - 1) * s + 1, s)
            for p, d, c, s in zip(place, win.dilations, counts, win.strides, strict=True)
        )
        image[(slice(None), slice(None), *where)] += blocks[:, :, k]
    inner = tuple(slice(a, a + s) for a, s in zip(win.begins, sizes, strict=True))
    return image[(slice(None), slice(None), *inner)]
