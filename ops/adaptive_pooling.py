"""Pooling into a given number of parts: adaptive_avg_pool and adaptive_max_pool."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from .dims import dtype_of
from .pool import adaptive_average, adaptive_bounds, adaptive_max
from .registry import TOP, Array, F, op
from .spatial import Ints, batched

Sizes = Any  # int | Sequence[int | None]


@op(spaces=(F, TOP), upcast=True)
def adaptive_avg_pool1d(xp: Any, input: Array, output_size: Sizes) -> Array:
    """The mean of each of ``output_size`` parts of the image.

    Part i of n spans ``floor(i size / n)`` to ``ceil((i + 1) size / n)``. Shapes:
    (N, C, L) or (C, L). Raises ShapeError where they do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_avg_pool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_avg_pool1d(tl.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[1.5000, 3.5000]])
    """
    x, sizes, has_batch = _prepared("adaptive_avg_pool1d", 1, input, output_size)
    result = adaptive_average(xp, x, sizes)
    return result if has_batch else result[0]


@op(spaces=(F,), upcast=True)
def adaptive_avg_pool2d(xp: Any, input: Array, output_size: Sizes) -> Array:
    """The mean of each of ``output_size`` parts of the image; None keeps a dimension as it is.

    Part i of n spans ``floor(i size / n)`` to ``ceil((i + 1) size / n)``. Shapes:
    (N, C, H, W) or (C, H, W). Raises ShapeError where they do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_avg_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_avg_pool2d(tl.arange(9.0).reshape(1, 3, 3), 1)
    tensor([[[4.]]])
    """
    x, sizes, has_batch = _prepared("adaptive_avg_pool2d", 2, input, output_size)
    result = adaptive_average(xp, x, sizes)
    return result if has_batch else result[0]


@op(spaces=(F,), upcast=True)
def adaptive_avg_pool3d(xp: Any, input: Array, output_size: Sizes) -> Array:
    """The mean of each of ``output_size`` parts of the image; None keeps a dimension as it is.

    Part i of n spans ``floor(i size / n)`` to ``ceil((i + 1) size / n)``. Shapes:
    (N, C, D, H, W) or (C, D, H, W). Raises ShapeError where they do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_avg_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_avg_pool3d(tl.arange(8.0).reshape(1, 2, 2, 2), (1, 1, 2))
    tensor([[[[3., 4.]]]])
    """
    x, sizes, has_batch = _prepared("adaptive_avg_pool3d", 3, input, output_size)
    result = adaptive_average(xp, x, sizes)
    return result if has_batch else result[0]


@op(spaces=(F,), upcast=True)
def adaptive_max_pool1d(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """The maximum of each of ``output_size`` parts, as :func:`adaptive_avg_pool1d` divides.

    With ``return_indices`` also where it stands in its image, counted row by row (int64).
    Raises ShapeError where shapes do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_max_pool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool1d(tl.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[2., 4.]])
    """
    return _max(xp, "adaptive_max_pool1d", 1, input, output_size, return_indices)


@op(spaces=(F,), upcast=True)
def adaptive_max_pool2d(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """The maximum of each of ``output_size`` parts, as :func:`adaptive_avg_pool2d` divides.

    With ``return_indices`` also where it stands in its image, counted row by row (int64).
    Raises ShapeError where shapes do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_max_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool2d(tl.arange(9.0).reshape(1, 3, 3), 1)
    tensor([[[8.]]])
    """
    return _max(xp, "adaptive_max_pool2d", 2, input, output_size, return_indices)


@op(spaces=(F,), upcast=True)
def adaptive_max_pool3d(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """The maximum of each of ``output_size`` parts, as :func:`adaptive_avg_pool3d` divides.

    With ``return_indices`` also where it stands in its image, counted row by row (int64).
    Raises ShapeError where shapes do not fit. Source: PyTorch
    ``torch.nn.functional.adaptive_max_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool3d(tl.arange(8.0).reshape(1, 2, 2, 2), (1, 1, 2))
    tensor([[[[6., 7.]]]])
    """
    return _max(xp, "adaptive_max_pool3d", 3, input, output_size, return_indices)


@op(spaces=(F,), upcast=True)
def adaptive_max_pool1d_with_indices(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool1d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.adaptive_max_pool1d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool1d_with_indices(tl.arange(2.0).reshape(1, 2), 1)[1].item()
    1
    """
    return _max(xp, "adaptive_max_pool1d", 1, input, output_size, True)


@op(spaces=(F,), upcast=True)
def adaptive_max_pool2d_with_indices(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool2d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.adaptive_max_pool2d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool2d_with_indices(tl.arange(4.0).reshape(1, 2, 2), 1)[1].item()
    3
    """
    return _max(xp, "adaptive_max_pool2d", 2, input, output_size, True)


@op(spaces=(F,), upcast=True)
def adaptive_max_pool3d_with_indices(
    xp: Any, input: Array, output_size: Sizes, return_indices: bool = False
) -> Any:
    """:func:`adaptive_max_pool3d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.adaptive_max_pool3d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.adaptive_max_pool3d_with_indices(tl.arange(8.0).reshape(1, 2, 2, 2), 1)[1].item()
    7
    """
    return _max(xp, "adaptive_max_pool3d", 3, input, output_size, True)


@op("adaptive_max_pool1d", upcast=True)
def _adaptive_max_pool1d(xp: Any, input: Array, output_size: Sizes) -> Any:
    """Maxima and indices of the parts of one dimension, always both.

    Source: PyTorch ``torch.adaptive_max_pool1d``.

    >>> import tensorlite as tl
    >>> tl.adaptive_max_pool1d(tl.tensor([[1.0, 2.0, 4.0, 3.0]]), 1)
    (tensor([[4.]]), tensor([[2]]))
    """
    return _max(xp, "adaptive_max_pool1d", 1, input, output_size, True)


def _prepared(name: str, count: int, input: Array, output_size: Sizes) -> tuple[Array, Ints, bool]:
    """The input with a batch dimension, the sizes as numbers, and whether it had a batch."""
    found = dtype_of(input)
    if not found.is_floating_point:
        raise DTypeError(f"{name}: expected a tensor of floats, got {found.name}")
    x, has_batch = batched(input, count, name)
    given = output_size if isinstance(output_size, Sequence) else [output_size] * count
    if len(given) == 1:
        given = [*given] * count
    if len(given) != count:
        raise ShapeError(f"{name}: expected {count} output sizes, got {tuple(given)}")
    sizes = tuple(
        int(have) if size is None else int(size)
        for size, have in zip(given, x.shape[2:], strict=True)
    )
    if any(size < 0 for size in sizes) or 0 in x.shape[1:]:
        raise ShapeError(
            f"{name}: expected sizes of at least 0 and a non-empty image, got output_size "
            f"{sizes} and input {tuple(input.shape)}"
        )
    return x, sizes, has_batch


def _max(
    xp: Any, name: str, count: int, input: Array, output_size: Sizes, return_indices: bool
) -> Any:
    x, sizes, has_batch = _prepared(name, count, input, output_size)
    if not return_indices:
        values = adaptive_max(xp, x, sizes)
        return values if has_batch else values[0]
    found = _max_with_indices(xp, x, sizes)
    return found if has_batch else tuple(a[0] for a in found)


def _max_with_indices(xp: Any, x: Array, sizes: Ints) -> tuple[Array, Array]:
    """The first of equals, the last of NaNs, as PyTorch's loop finds them."""
    values = xp.empty((*x.shape[:2], *sizes), x.dtype)
    places = xp.empty(values.shape, np.int64)
    bounds = [adaptive_bounds(n, size) for n, size in zip(x.shape[2:], sizes, strict=True)]
    image = np.arange(int(np.prod(x.shape[2:]))).reshape(x.shape[2:])
    for cell in product(*[range(size) for size in sizes]):
        part = tuple(slice(*b[i]) for b, i in zip(bounds, cell, strict=True))
        indices = xp.asarray(image[part].reshape(-1))
        window = x[(..., *part)].reshape(*x.shape[:2], indices.size)
        nan = xp.isnan(window)
        last_nan = window.shape[-1] - 1 - nan[..., ::-1].argmax(-1)
        best = xp.where(nan.any(-1), last_nan, window.argmax(-1))
        values[(..., *cell)] = xp.take_along_axis(window, best[..., None], -1)[..., 0]
        places[(..., *cell)] = indices[best]
    return values, places
