"""Convolution of arrays: the functions behind conv1d...3d and conv_transpose1d...3d.

``x`` is (N, C, ...), ``w`` as PyTorch and ONNX have it; pads are ``(begin, end)`` pairs. What the
windows see is written out as a matrix, a block at a time so that memory stays bounded, and one
matrix product does the arithmetic (Chellapilla et al., "High Performance Convolutional Neural
Networks for Document Processing", 2006). With one channel per group there is nothing to sum over
but the window: a multiplication and an addition per position in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from ..errors import ShapeError
from .registry import Array
from .spatial import (
    Ints,
    Pads,
    empty,
    is_channels_last,
    padded,
    tap_slices,
    taps,
    window_counts,
    windows,
)

COLUMN_BYTES = 1 << 20  # of windows written out at a time: about what a core's cache holds
PRODUCT_BYTES = 1 << 26  # of a transposed convolution's product
DEPTHWISE_BYTES = 1 << 18
MIN_WINDOWS = 128  # a matrix product of fewer columns is slow


def convolve(
    xp: Any,
    x: Array,
    w: Array,
    b: Array | None,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    groups: int,
    name: str = "convolve",
) -> Array:
    """``out[n, o, i] = b[o] + sum over c, k of w[o, c, k] x[n, c, i stride + k dilation - begin]``.

    ``w`` is (O, C / groups, ...). Any number of spatial dimensions, any dtype that has a matrix
    product. Raises ShapeError where the kernel does not fit in the padded input; ``name`` is for
    that message.

    >>> import numpy as np
    >>> convolve(np, np.ones((1, 1, 3)), np.ones((1, 1, 2)), None, (1,), ((0, 1),), (1,), 1)
    array([[[2., 2., 1.]]])
    """
    kernel = w.shape[2:]
    counts = window_counts(name, x.shape[2:], kernel, stride, pads, dilation)
    depthwise = groups > 1 and w.shape[1] == 1
    last = is_channels_last(x) or (depthwise and x.shape[1] >= 64)
    out = empty(xp, (x.shape[0], w.shape[0], *counts), x.dtype, channels_last=last)
    if 0 in out.shape or 0 in w.shape:
        out[...] = 0
    elif depthwise:
        wide = padded(xp, x, pads, channels_last=last)
        _depthwise(xp, wide, w, out, stride, dilation, last)
        out = out if is_channels_last(x) else xp.ascontiguousarray(out)
    elif last:
        _by_rows(xp, padded(xp, x, pads), w, out, stride, dilation, groups)
    else:
        _by_columns(xp, padded(xp, x, pads), w, out, stride, dilation, groups)
    if b is not None:
        out += b.reshape(-1, *[1] * len(kernel))
    return out


def _blocks(counts: Ints, limit: int) -> Iterator[tuple[slice, ...]]:
    """Parts of at most ``limit`` elements (or single ones), in order."""
    inner = prod(counts[1:])
    if len(counts) > 1 and inner > limit:
        for i in range(counts[0]):
            for rest in _blocks(counts[1:], limit):
                yield (slice(i, i + 1), *rest)
        return
    step = max(1, limit // inner)
    whole = tuple(slice(0, n) for n in counts[1:])
    for first in range(0, counts[0], step):
        yield (slice(first, min(first + step, counts[0])), *whole)


def _by_columns(
    xp: Any, x: Array, w: Array, out: Array, stride: Ints, dilation: Ints, groups: int
) -> None:
    """Channels first: weights (O, C taps) times columns (C taps, windows)."""
    kernel, counts = w.shape[2:], out.shape[2:]
    weights = w.reshape(groups, w.shape[0] // groups, -1)
    results = out.reshape(out.shape[0], groups, -1, *counts)
    if prod(kernel) == 1 and prod(stride) == 1:
        flat = x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
        xp.matmul(weights, flat, out=out.reshape(*results.shape[:3], -1))
        return
    depth = x.shape[1] * prod(kernel)
    seen = windows(xp, x, kernel, counts, stride, dilation)
    limit = max(MIN_WINDOWS, COLUMN_BYTES // (depth * x.itemsize))
    space = xp.empty(depth * min(limit, out.shape[0] * prod(counts)), x.dtype)
    for images, *block in _blocks((out.shape[0], *counts), limit):
        part = seen[(images, ..., *block)]
        columns = space[: part.size].reshape(part.shape)
        columns[...] = part
        product = xp.matmul(weights, columns.reshape(len(part), *weights.shape[::2], -1))
        target = results[(images, ..., *block)]
        target[...] = product.reshape(target.shape)


def _by_rows(
    xp: Any, x: Array, w: Array, out: Array, stride: Ints, dilation: Ints, groups: int
) -> None:
    """Channels last: rows (windows, taps C) times weights (taps C, O)."""
    kernel, counts, n = w.shape[2:], out.shape[2:], len(w.shape) - 2
    per_group = (groups, w.shape[0] // groups, w.shape[1])
    weights = w.reshape(*per_group, -1).transpose(0, 3, 2, 1).reshape(groups, -1, per_group[1])
    seen = windows(xp, x, kernel, counts, stride, dilation)
    seen = seen.reshape(x.shape[0], groups, -1, *kernel, *counts)
    seen = seen.transpose(1, 0, *range(3 + n, 3 + 2 * n), *range(3, 3 + n), 2)
    results = out.reshape(out.shape[0], groups, -1, *counts)
    results = results.transpose(1, 0, *range(3, 3 + n), 2)
    limit = max(MIN_WINDOWS, COLUMN_BYTES // (x.shape[1] * prod(kernel) * x.itemsize))
    for block in _blocks((out.shape[0], *counts), limit):
        part = seen[(slice(None), *block)]
        rows = part.reshape(groups, prod(part.shape[1 : 2 + n]), -1)
        target = results[(slice(None), *block)]
        if groups == 1:
            xp.matmul(rows, weights, out=target.reshape(*rows.shape[:2], -1))
        else:
            target[...] = xp.matmul(rows, weights).reshape(target.shape)


def _depthwise(
    xp: Any, x: Array, w: Array, out: Array, stride: Ints, dilation: Ints, last: bool
) -> None:
    """A part of the result at a time: some rows if channels are last in memory, else channels."""
    kernel, channels = w.shape[2:], x.shape[1]
    counts = out.shape[2:]
    factors = xp.moveaxis(w.reshape(channels, -1, *kernel), (0, 1), (-2, -1))
    factors = xp.ascontiguousarray(factors)
    results = out.reshape(len(out), channels, -1, *counts)
    limit = DEPTHWISE_BYTES // x.itemsize
    sizes = (len(out), counts[0], channels) if last else (len(out), channels, counts[0])
    inner = prod(results.shape) // max(1, prod(sizes))
    for images, *block in _blocks(sizes, max(1, limit // inner)):
        rows, group = block if last else reversed(block)
        above = (rows.stop - rows.start, *counts[1:])
        source = x[images, group, rows.start * stride[0] :]
        target = results[images, group, :, rows]
        scratch = xp.empty_like(target)
        for i, tap in enumerate(taps(kernel)):
            part = source[(..., *tap_slices(tap, above, stride, dilation))][:, :, None]
            factor = factors[(*tap, group)]
            factor = factor.reshape(*factor.shape, *[1] * len(kernel))
            xp.multiply(part, factor, out=scratch if i else target)
            if i:
                target += scratch


def convolve_transposed(
    xp: Any,
    x: Array,
    w: Array,
    b: Array | None,
    stride: Ints,
    pads: Pads,
    output_padding: Ints,
    dilation: Ints,
    groups: int,
    name: str = "convolve_transposed",
) -> Array:
    """``out[n, o, i stride + k dilation - begin] += w[c, o, k] x[n, c, i]``, plus ``b[o]``.

    ``w`` is (C, O / groups, ...). ``pads`` are cut off the whole result at both ends (negative
    ones extend it); ``output_padding`` extends its end. Raises ShapeError where nothing is left.

    >>> import numpy as np
    >>> x, w = np.ones((1, 1, 2)), np.ones((1, 1, 2))
    >>> convolve_transposed(np, x, w, None, (2,), ((0, 1),), (0,), (1,), 1)
    array([[[1., 1., 1.]]])
    """
    kernel, counts = w.shape[2:], x.shape[2:]
    sizes, full = _transposed_sizes(name, counts, kernel, stride, pads, output_padding, dilation)
    ends = [max(p + n, f) for (p, _), n, f in zip(pads, sizes, full, strict=True)]
    fronts = [max(-begin, 0) for begin, _ in pads]
    wide = [front + end for front, end in zip(fronts, ends, strict=True)]
    whole = xp.zeros((x.shape[0], groups, w.shape[1], *wide), x.dtype)
    inner = whole[(..., *[slice(f, None) for f in fronts])]
    if 0 not in x.shape and 0 not in w.shape:
        images = x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)
        weights = w.reshape(groups, x.shape[1] // groups, w.shape[1], *kernel)
        step = max(1, PRODUCT_BYTES // (groups * prod(kernel) * prod(counts) * x.itemsize))
        for n in range(x.shape[0]):
            for first in range(0, w.shape[1], step):
                part = slice(first, first + step)
                target = inner[n, :, part]
                _lay_down(xp, images[n], weights[:, :, part], target, counts, stride, dilation)
    crop = [slice(p + f, p + f + n) for (p, _), f, n in zip(pads, fronts, sizes, strict=True)]
    out = whole.reshape(x.shape[0], groups * w.shape[1], *wide)[(..., *crop)]
    if b is not None:
        return out + b.reshape(-1, *[1] * len(kernel))
    return xp.ascontiguousarray(out)


def _lay_down(
    xp: Any, x: Array, w: Array, whole: Array, counts: Ints, stride: Ints, dilation: Ints
) -> None:
    """Adds one image's kernels, weighted by its elements, to the whole result."""
    kernel = w.shape[3:]
    product = xp.matmul(w.reshape(*w.shape[:2], -1).transpose(0, 2, 1), x)
    product = product.reshape(w.shape[0], w.shape[2], *kernel, *counts)
    for tap in taps(kernel):
        part = product[(slice(None), slice(None), *tap)]
        whole[(..., *tap_slices(tap, counts, stride, dilation))] += part


def _transposed_sizes(
    name: str,
    counts: Ints,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    output_padding: Ints,
    dilation: Ints,
) -> tuple[Ints, Ints]:
    """The sizes of the result, and those before its padding is cut off."""
    full = tuple(
        (n - 1) * s + d * (k - 1) + 1
        for n, k, s, d in zip(counts, kernel, stride, dilation, strict=True)
    )
    sizes = tuple(
        f + e - begin - end for f, e, (begin, end) in zip(full, output_padding, pads, strict=True)
    )
    if any(size < 0 for size in sizes) or 0 in counts:
        raise ShapeError(
            f"{name}: nothing is left of the result: input {tuple(counts)}, kernel "
            f"{tuple(kernel)}, stride {stride}, padding {pads}"
        )
    return sizes, full
