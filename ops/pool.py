"""Pooling of arrays: the functions behind max_pool, avg_pool and the adaptive ones.

``x`` is (N, C, ...) or has any other number of leading dimensions; pads are ``(begin, end)``
pairs, so ONNX's uneven ones need no padded copy. Maxima, sums and means over a rectangle are
taken along one dimension after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..dtypes import bool_
from .dims import dtype_of, is_integral
from .registry import Array
from .spatial import Ints, Pads, clipped_slices, padded, tap_slices, taps, window_counts


def max_pool(
    xp: Any,
    x: Array,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    ceil_mode: bool = False,
    name: str = "max_pool",
) -> Array:
    """The largest element of every window over the last dimensions; NaN where there is one.

    Padding counts as the lowest number of the dtype. Raises ShapeError where no window fits.

    >>> import numpy as np
    >>> max_pool(np, np.array([[1.0, 5.0, 2.0]]), (2,), (2,), ((0, 1),), (1,))
    array([[5., 2.]])
    """
    counts = window_counts(name, _last(x, kernel), kernel, stride, pads, dilation, ceil_mode)
    return _windows(xp, x, xp.maximum, lowest(x), counts, kernel, stride, pads, dilation)


def max_pool_with_indices(
    xp: Any,
    x: Array,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    ceil_mode: bool = False,
    column_major: bool = False,
    name: str = "max_pool",
) -> tuple[Array, Array]:
    """Maxima, and where each stands in its image, counted row by row (int64).

    The first of equals, the last of NaNs. With ``column_major`` positions count down the columns
    (ONNX's ``storage_order`` 1). The image is what the window dimensions span; ONNX counts from
    the beginning of the whole tensor, which is ``image * size`` more.

    >>> import numpy as np
    >>> max_pool_with_indices(np, np.array([[1.0, 5.0, 2.0]]), (2,), (2,), ((0, 1),), (1,))
    (array([[5., 2.]]), array([[1, 2]]))
    """
    sizes = _last(x, kernel)
    counts = window_counts(name, sizes, kernel, stride, pads, dilation, ceil_mode)
    room = [
        (n - 1) * s + d * (k - 1) + 1
        for n, k, s, d in zip(counts, kernel, stride, dilation, strict=True)
    ]
    around = tuple(
        (begin, max(r - size - begin, 0))
        for (begin, _), r, size in zip(pads, room, sizes, strict=True)
    )
    wide = padded(xp, x, around, lowest(x))
    best = xp.full((*x.shape[: x.ndim - len(kernel)], *counts), lowest(x), x.dtype)
    places = xp.full(best.shape, -1, np.int64)
    steps = _steps(sizes, column_major)
    for tap in taps(kernel):
        value = wide[(..., *tap_slices(tap, counts, stride, dilation))]
        place, inside = _places(tap, sizes, counts, stride, around, dilation, steps)
        better = (value > best) | (value != value) | (places < 0)
        better &= xp.asarray(inside)
        best = xp.where(better, value, best)
        places = xp.where(better, xp.asarray(place), places)
    return best, places


def _steps(sizes: Ints, column_major: bool) -> list[int]:
    """How far apart neighbours along each dimension are counted."""
    order = list(sizes) if column_major else list(reversed(sizes))
    steps = [int(np.prod(order[:i])) for i in range(len(order))]
    return steps if column_major else steps[::-1]


def _places(
    tap: Ints,
    sizes: Ints,
    counts: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    steps: Sequence[int],
) -> tuple[Any, Any]:
    """Where each window has its element of this position, and whether that is in the image."""
    along = [
        np.arange(n) * s + t * d - begin
        for n, s, t, d, (begin, _) in zip(counts, stride, tap, dilation, pads, strict=True)
    ]
    inside = [(a >= 0) & (a < size) for a, size in zip(along, sizes, strict=True)]
    place = reduce(np.add.outer, [a * step for a, step in zip(along, steps, strict=True)])
    return place, reduce(np.logical_and.outer, inside)


def sum_pool(
    xp: Any,
    x: Array,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    ceil_mode: bool = False,
    name: str = "sum_pool",
) -> Array:
    """The sum of every window over the last dimensions; padding counts as zero.

    >>> import numpy as np
    >>> sum_pool(np, np.array([[1.0, 5.0, 2.0]]), (2,), (2,), ((0, 1),), (1,))
    array([[6., 2.]])
    """
    counts = window_counts(name, _last(x, kernel), kernel, stride, pads, dilation, ceil_mode)
    return _windows(xp, x, xp.add, 0, counts, kernel, stride, pads, dilation)


def average_pool(
    xp: Any,
    x: Array,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor: int | None = None,
    name: str = "average_pool",
) -> Array:
    """The mean of every window: its sum divided by ``divisor`` or by how many elements it has.

    With ``count_include_pad`` elements in the padding count too; what a window of ``ceil_mode``
    has beyond the padding never does. Integers are divided towards zero.

    >>> import numpy as np
    >>> average_pool(np, np.array([[1.0, 5.0, 2.0]]), (2,), (2,), ((0, 1),), (1,))
    array([[3., 1.]])
    """
    sizes = _last(x, kernel)
    total = sum_pool(xp, x, kernel, stride, pads, dilation, ceil_mode, name)
    if divisor is not None:
        return _divided(xp, total, xp.asarray(divisor, x.dtype))
    elements = [
        _elements(size, n, k, s, pad, d, count_include_pad)
        for size, n, k, s, pad, d in zip(
            sizes, _last(total, kernel), kernel, stride, pads, dilation, strict=True
        )
    ]
    area = reduce(np.multiply.outer, elements)
    return _divided(xp, total, xp.asarray(area.astype(x.dtype)))


def _elements(
    size: int,
    count: int,
    kernel: int,
    stride: int,
    pad: tuple[int, int],
    dilation: int,
    with_pad: bool,
) -> Any:
    """How many elements each window has along one dimension, with or without the padding."""
    places = np.arange(count)[:, None] * stride - pad[0] + np.arange(kernel) * dilation
    inside = places < size + pad[1] if with_pad else (places >= 0) & (places < size)
    return inside.sum(1)


def _divided(xp: Any, total: Array, divisor: Array) -> Array:
    if is_integral(total):
        signs = xp.sign(total) * xp.sign(divisor)
        return (signs * (abs(total) // abs(divisor))).astype(total.dtype)
    return total / divisor


def lowest(x: Array) -> Any:
    """What the padding of a maximum is filled with."""
    if dtype_of(x) is bool_:
        return False
    return np.iinfo(x.dtype).min if is_integral(x) else -np.inf


def _last(x: Array, kernel: Ints) -> Ints:
    return tuple(x.shape[x.ndim - len(kernel) :])


def _windows(
    xp: Any,
    x: Array,
    combine: Callable[..., Array],
    initial: Any,
    counts: Ints,
    kernel: Ints,
    stride: Ints,
    pads: Pads,
    dilation: Ints,
) -> Array:
    """Windows combined along one dimension after the other, the outermost first."""
    out = x
    for i, (n, k, s, (begin, _), d) in enumerate(
        zip(counts, kernel, stride, pads, dilation, strict=True)
    ):
        axis = x.ndim - len(kernel) + i
        if (k, s, n) != (1, 1, out.shape[axis]):
            out = _along(xp, out, axis, combine, initial, n, k, s, begin, d)
    return x.copy() if out is x else out


def _along(
    xp: Any,
    x: Array,
    axis: int,
    combine: Callable[..., Array],
    initial: Any,
    count: int,
    kernel: int,
    stride: int,
    begin: int,
    dilation: int,
) -> Array:
    """Windows along one dimension: a pass over the result for every position in them."""
    lead = (slice(None),) * axis
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    out = xp.full_like(x, initial, shape=shape)
    for tap in range(kernel):
        into, source = clipped_slices(tap, x.shape[axis], count, begin, stride, dilation)
        target = out[(*lead, into)]
        combine(target, x[(*lead, source)], out=target)
    return out


def adaptive_average(xp: Any, x: Array, sizes: Ints) -> Array:
    """The means of the last dimensions divided into ``sizes`` parts, which may overlap by one.

    Part i of n spans ``floor(i size / n)`` to ``ceil((i + 1) size / n)``.

    >>> import numpy as np
    >>> adaptive_average(np, np.array([[1.0, 5.0, 2.0]]), (2,))
    array([[3. , 3.5]])
    """
    return _parts(xp, x, sizes, lambda part, axes: part.mean(axes, keepdims=True))


def adaptive_max(xp: Any, x: Array, sizes: Ints) -> Array:
    """The maxima of the last dimensions divided as :func:`adaptive_average` divides them.

    >>> import numpy as np
    >>> adaptive_max(np, np.array([[1.0, 5.0, 2.0]]), (2,))
    array([[5., 5.]])
    """
    return _parts(xp, x, sizes, lambda part, axes: part.max(axes, keepdims=True))


def adaptive_bounds(size: int, count: int) -> list[tuple[int, int]]:
    """Where each part of one dimension begins and ends.

    >>> adaptive_bounds(5, 3)
    [(0, 2), (1, 4), (3, 5)]
    """
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _parts(xp: Any, x: Array, sizes: Ints, combine: Callable[[Array, int | Ints], Array]) -> Array:
    if all(size == 1 for size in sizes):
        return combine(x, tuple(range(x.ndim - len(sizes), x.ndim)))
    for axis, count in enumerate(sizes, x.ndim - len(sizes)):
        size = x.shape[axis]
        if count and size % count == 0:
            split = x.reshape(*x.shape[:axis], count, size // count, *x.shape[axis + 1 :])
            x = combine(split, axis + 1).squeeze(axis + 1)
            continue
        lead = (slice(None),) * axis
        parts = [combine(x[(*lead, slice(a, b))], axis) for a, b in adaptive_bounds(size, count)]
        x = xp.concatenate(parts, axis) if parts else x[(*lead, slice(0, 0))]
    return x
