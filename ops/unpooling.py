"""Undoing a max pool, and pooling over windows at random places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..errors import ArgumentError, DimensionError, DTypeError, ShapeError
from .dims import dtype_of, pair
from .pool import lowest
from .registry import TOP, Array, F, namespace, op
from .spatial import Ints, batched, taps

Sizes = Any  # int | Sequence[int]


@op(spaces=(F,))
def max_unpool1d(
    xp: Any,
    input: Array,
    indices: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Maxima back at the places that :func:`max_pool1d` gave as indices; zeros elsewhere.

    Shapes: (N, C, L) or (C, L). The size is ``(n - 1) stride - 2 padding + kernel`` or, within a
    stride of it, ``output_size``. Raises DimensionError for indices beyond it. Source: PyTorch
    ``torch.nn.functional.max_unpool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> x = tl.tensor([[1.0, 5.0, 2.0, 3.0]])
    >>> F.max_unpool1d(*F.max_pool1d(x, 2, return_indices=True), 2)
    tensor([[0., 5., 0., 3.]])
    """
    options = (kernel_size, stride, padding, output_size)
    return _unpool(xp, "max_unpool1d", 1, input, indices, *options)


@op(spaces=(F,))
def max_unpool2d(
    xp: Any,
    input: Array,
    indices: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Maxima back at the places that :func:`max_pool2d` gave as indices; zeros elsewhere.

    Shapes: (N, C, H, W) or (C, H, W). The size is ``(n - 1) stride - 2 padding + kernel`` or,
    within a stride of it, ``output_size``. Raises DimensionError for indices beyond it. Source:
    PyTorch ``torch.nn.functional.max_unpool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> x = tl.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    >>> F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    options = (kernel_size, stride, padding, output_size)
    return _unpool(xp, "max_unpool2d", 2, input, indices, *options)


@op(spaces=(F,))
def max_unpool3d(
    xp: Any,
    input: Array,
    indices: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Maxima back at the places that :func:`max_pool3d` gave as indices; zeros elsewhere.

    Shapes: (N, C, D, H, W) or (C, D, H, W). The size is ``(n - 1) stride - 2 padding + kernel``
    or, within a stride of it, ``output_size``. Raises DimensionError for indices beyond it.
    Source: PyTorch ``torch.nn.functional.max_unpool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> x = tl.tensor([[[[1.0, 2.0], [4.0, 3.0]]]])
    >>> F.max_unpool3d(*F.max_pool3d(x, (1, 2, 2), return_indices=True), (1, 2, 2)).sum()
    tensor(4.)
    """
    options = (kernel_size, stride, padding, output_size)
    return _unpool(xp, "max_unpool3d", 3, input, indices, *options)


def _unpool(
    xp: Any,
    name: str,
    count: int,
    input: Array,
    indices: Array,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    output_size: Sequence[int] | None,
) -> Array:
    x, has_batch = batched(input, count, name)
    if indices.dtype != np.int64 or indices.shape != input.shape:
        raise ShapeError(
            f"{name}: expected int64 indices of the input's shape {tuple(input.shape)}, got "
            f"{dtype_of(indices).name} {tuple(indices.shape)}"
        )
    kernel = pair(kernel_size, count, f"{name}: kernel_size")
    steps = kernel if stride is None else pair(stride, count, f"{name}: stride")
    pads = pair(padding, count, f"{name}: padding")
    sizes = _unpooled_sizes(name, x.shape[2:], kernel, steps, pads, output_size)
    places = indices.reshape(*x.shape[:2], prod(x.shape[2:]))
    if places.size and not 0 <= int(places.min()) <= int(places.max()) < prod(sizes):
        raise DimensionError(
            f"{name}: indices from {int(places.min())} to {int(places.max())} do not lie in an "
            f"output of {sizes}"
        )
    out = xp.zeros((*x.shape[:2], prod(sizes)), x.dtype)
    n, c = xp.arange(x.shape[0])[:, None, None], xp.arange(x.shape[1])[:, None]
    out[n, c, places] = x.reshape(places.shape)
    out = out.reshape(*x.shape[:2], *sizes)
    return out if has_batch else out[0]


def _unpooled_sizes(
    name: str, sizes: Ints, kernel: Ints, stride: Ints, pads: Ints, wanted: Sequence[int] | None
) -> Ints:
    usual = tuple(
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(sizes, kernel, stride, pads, strict=True)
    )
    if wanted is None:
        return usual
    asked = tuple(int(n) for n in wanted)[-len(usual) :]
    fits = len(wanted) in (len(usual), len(usual) + 2)
    if not fits or any(abs(a - u) >= s for a, u, s in zip(asked, usual, stride, strict=True)):
        raise ShapeError(
            f"{name}: expected an output_size within a stride {stride} of {usual}, got "
            f"{tuple(wanted)}"
        )
    return asked


@op(spaces=(F,), upcast=True)
def fractional_max_pool2d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Any:
    """Maxima of windows at pseudo-random steps, for any ``output_size`` (Graham, 2014).

    Shapes: (N, C, H, W) or (C, H, W). ``output_ratio`` gives the size as a part of the input's.
    The samples, (N, C, 2) in [0, 1), say where windows stand; drawn anew unless given. Raises
    ShapeError where the windows do not fit. Source: PyTorch
    ``torch.nn.functional.fractional_max_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.fractional_max_pool2d(tl.ones(1, 9, 9), 2, output_ratio=0.5).shape
    tensorlite.Size([1, 4, 4])
    """
    options = (kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return _fractional(xp, "fractional_max_pool2d", 2, input, *options)


@op(spaces=(F,), upcast=True)
def fractional_max_pool2d_with_indices(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Any:
    """:func:`fractional_max_pool2d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.fractional_max_pool2d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.fractional_max_pool2d_with_indices(tl.ones(1, 9, 9), 2, 4)[1].dtype
    tensorlite.int64
    """
    options = (kernel_size, output_size, output_ratio, True, _random_samples)
    return _fractional(xp, "fractional_max_pool2d", 2, input, *options)


@op(spaces=(F,), upcast=True)
def fractional_max_pool3d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Any:
    """Maxima of windows at pseudo-random steps, for any ``output_size`` (Graham, 2014).

    Shapes: (N, C, D, H, W) or (C, D, H, W). ``output_ratio`` gives the size as a part of the
    input's. The samples, (N, C, 3) in [0, 1), say where windows stand; drawn anew unless given.
    Raises ShapeError where the windows do not fit. Source: PyTorch
    ``torch.nn.functional.fractional_max_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.fractional_max_pool3d(tl.ones(1, 9, 9, 9), 2, output_ratio=0.5).shape
    tensorlite.Size([1, 4, 4, 4])
    """
    options = (kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return _fractional(xp, "fractional_max_pool3d", 3, input, *options)


@op(spaces=(F,), upcast=True)
def fractional_max_pool3d_with_indices(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Any:
    """:func:`fractional_max_pool3d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.fractional_max_pool3d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.fractional_max_pool3d_with_indices(tl.ones(1, 9, 9, 9), 2, 4)[1].dtype
    tensorlite.int64
    """
    options = (kernel_size, output_size, output_ratio, True, _random_samples)
    return _fractional(xp, "fractional_max_pool3d", 3, input, *options)


def _fractional(
    xp: Any,
    name: str,
    count: int,
    input: Array,
    kernel_size: Sizes,
    output_size: Sizes | None,
    output_ratio: Any,
    return_indices: bool,
    samples: Array | None,
) -> Any:
    if not dtype_of(input).is_floating_point:
        raise DTypeError(f"{name}: expected a tensor of floats, got {dtype_of(input).name}")
    x, has_batch = batched(input, count, name)
    kernel = pair(kernel_size, count, f"{name}: kernel_size")
    sizes = _fractional_sizes(name, x.shape[2:], kernel, output_size, output_ratio)
    if samples is None:
        samples = xp.asarray(_draw((x.shape[0], x.shape[1], count)), x.dtype)
    if samples.shape != (*x.shape[:2], count):
        raise ShapeError(
            f"{name}: expected samples of shape {(*x.shape[:2], count)}, got {tuple(samples.shape)}"
        )
    order = range(count) if count == 3 else reversed(range(count))  # PyTorch: x first in 2-D
    starts = [
        _starts(xp, samples[..., i], n, out, k)
        for i, n, out, k in zip(order, x.shape[2:], sizes, kernel, strict=True)
    ]
    values, places = _best(xp, x, starts, kernel, sizes)
    result = (values, places) if has_batch else (values[0], places[0])
    return result if return_indices else result[0]


def _fractional_sizes(
    name: str, sizes: Ints, kernel: Ints, output_size: Sizes | None, output_ratio: Any
) -> Ints:
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(f"{name}: expected one of output_size and output_ratio")
    if output_size is not None:
        wanted = pair(output_size, len(sizes), f"{name}: output_size")
    else:
        ratios = output_ratio if isinstance(output_ratio, Sequence) else [output_ratio] * len(sizes)
        if not all(0 < r < 1 for r in ratios):
            raise ArgumentError(
                f"{name}: output_ratio must lie between 0 and 1, got {output_ratio}"
            )
        wanted = tuple(int(n * r) for n, r in zip(sizes, ratios, strict=True))
    if any(w + k - 1 > n or w < 1 for w, k, n in zip(wanted, kernel, sizes, strict=True)):
        raise ShapeError(
            f"{name}: windows of {kernel} cannot give {wanted} from an input of {tuple(sizes)}"
        )
    return wanted


def _draw(shape: Ints) -> Any:
    return namespace(TOP)["rand"](*shape, device="cpu").numpy()


def _starts(xp: Any, sample: Array, size: int, count: int, kernel: int) -> Array:
    """Where the windows begin along one dimension: (N, C, count)."""
    last = size - kernel
    if count == 1:
        return xp.full((*sample.shape, 1), last, np.int64)
    step = sample.dtype.type(last) / sample.dtype.type(count - 1)
    sample = sample[..., None]
    steps = xp.arange(count, dtype=sample.dtype) + sample
    starts = (steps * step).astype(np.int64) - (sample * step).astype(np.int64)
    starts[..., -1] = last
    return starts


def _best(
    xp: Any, x: Array, starts: Sequence[Array], kernel: Ints, sizes: Ints
) -> tuple[Array, Array]:
    """The maxima of windows that stand elsewhere in every image, and their places."""
    images = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    best = xp.full((*x.shape[:2], prod(sizes)), lowest(x), x.dtype)
    places = xp.zeros(best.shape, np.int64)
    for i, tap in enumerate(taps(kernel)):
        along = []
        for axis, (start, t) in enumerate(zip(starts, tap, strict=True)):
            spread = [1] * len(sizes)
            spread[axis] = sizes[axis]
            along.append((start + t).reshape(*x.shape[:2], *spread))
        pairs = zip(along[1:], x.shape[3:], strict=True)
        flat = reduce(lambda total, pair: total * pair[1] + pair[0], pairs, along[0])
        flat = flat.reshape(best.shape)
        value = xp.take_along_axis(images, flat, axis=2)
        better = (value > best) | (value != value) | (i == 0)
        best, places = xp.where(better, value, best), xp.where(better, flat, places)
    shape = (*x.shape[:2], *sizes)
    return best.reshape(shape), places.reshape(shape)
