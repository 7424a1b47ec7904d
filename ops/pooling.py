"""Pooling over windows: PyTorch's functions over :mod:`.pool`.

``padding`` may also be a ``(begin, end)`` pair per dimension, which PyTorch does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..errors import ArgumentError, DTypeError
from .dims import dtype_of, pair
from .pool import average_pool, max_pool, max_pool_with_indices
from .registry import TOP, Array, F, op
from .spatial import Ints, Pads, batched, pads_of

Sizes = Any  # int | Sequence[int]
Padding = Any  # int | Sequence[int] | Sequence[tuple[int, int]]


@op(spaces=(F, TOP), upcast=True)
def max_pool1d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window; with ``return_indices`` also where it stands (int64).

    Shapes: (N, C, L) or (C, L); the stride is the kernel's size unless
    given. Padding counts as the lowest number. Indices count through one image, row by row.
    Raises ShapeError where no window fits. Source: PyTorch
    ``torch.nn.functional.max_pool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool1d(tl.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool1d", 1, input, *options, return_indices)


@op(spaces=(F, TOP), upcast=True)
def max_pool2d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window; with ``return_indices`` also where it stands (int64).

    Shapes: (N, C, H, W) or (C, H, W); the stride is the kernel's size unless
    given. Padding counts as the lowest number. Indices count through one image, row by row.
    Raises ShapeError where no window fits. Source: PyTorch
    ``torch.nn.functional.max_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool2d(tl.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool2d", 2, input, *options, return_indices)


@op(spaces=(F, TOP), upcast=True)
def max_pool3d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window; with ``return_indices`` also where it stands (int64).

    Shapes: (N, C, D, H, W) or (C, D, H, W); the stride is the kernel's size unless
    given. Padding counts as the lowest number. Indices count through one image, row by row.
    Raises ShapeError where no window fits. Source: PyTorch
    ``torch.nn.functional.max_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool3d(tl.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool3d", 3, input, *options, return_indices)


@op(spaces=(F, TOP), upcast=True)
def max_pool1d_with_indices(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """:func:`max_pool1d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.max_pool1d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool1d_with_indices(tl.arange(2.0).reshape(1, 2), 2)[1].item()
    1
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool1d", 1, input, *options, True)


@op(spaces=(F,), upcast=True)
def max_pool2d_with_indices(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """:func:`max_pool2d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.max_pool2d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool2d_with_indices(tl.arange(4.0).reshape(1, 2, 2), 2)[1].item()
    3
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool2d", 2, input, *options, True)


@op(spaces=(F,), upcast=True)
def max_pool3d_with_indices(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """:func:`max_pool3d` that always gives the indices too.

    Source: PyTorch ``torch.nn.functional.max_pool3d_with_indices``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.max_pool3d_with_indices(tl.arange(8.0).reshape(1, 2, 2, 2), 2)[1].item()
    7
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(xp, "max_pool3d", 3, input, *options, True)


def _max_pool(
    xp: Any,
    name: str,
    count: int,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Padding,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    _check_dtype(name, input, "b")
    x, has_batch = batched(input, count, name)
    kernel, steps, pads = _window(name, count, kernel_size, stride, padding)
    spread = pair(dilation, count, f"{name}: dilation")
    if not return_indices:
        result = max_pool(xp, x, kernel, steps, pads, spread, ceil_mode, name)
        return result if has_batch else result[0]
    found = max_pool_with_indices(xp, x, kernel, steps, pads, spread, ceil_mode, name=name)
    return found if has_batch else tuple(a[0] for a in found)


def _check_dtype(name: str, x: Array, refused: str) -> None:
    found = dtype_of(x)
    if found.kind in f"c{refused}":
        raise DTypeError(f"{name}: expected a tensor of real numbers, got {found.name}")


def _window(
    name: str, count: int, kernel_size: Sizes, stride: Sizes | None, padding: Padding
) -> tuple[Ints, Ints, Pads]:
    """Kernel, stride and pads for every dimension, checked as PyTorch does."""
    kernel = pair(kernel_size, count, f"{name}: kernel_size")
    empty = stride is None or (isinstance(stride, Sequence) and not stride)
    steps = kernel if empty else pair(stride, count, f"{name}: stride")  # type: ignore[arg-type]
    pads = pads_of(padding, count, name)
    given_once = all(begin == end for begin, end in pads)
    if given_once and any(not 0 <= p <= k / 2 for (p, _), k in zip(pads, kernel, strict=True)):
        raise ArgumentError(
            f"{name}: padding must be between 0 and half of the kernel, got {padding} with "
            f"kernel_size {kernel}"
        )
    return kernel, steps, pads


@op(spaces=(F, TOP), upcast=True)
def avg_pool1d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, L) or (C, L); the stride is the kernel's size unless given.
    Raises ShapeError where no window fits. Source: PyTorch
    ``torch.nn.functional.avg_pool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.avg_pool1d(tl.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[3.0000, 2.5000]])
    """
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad)
    return _avg_pool(xp, "avg_pool1d", 1, input, *options, None)


@op(spaces=(F,), upcast=True)
def avg_pool2d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, H, W) or (C, H, W); the stride is the kernel's size unless
    given. ``divisor_override`` divides the sums instead. Raises ShapeError where no window fits.
    Source: PyTorch
    ``torch.nn.functional.avg_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.avg_pool2d(tl.ones(1, 3, 3), 3, 2, 1)
    tensor([[[0.4444, 0.4444],
             [0.4444, 0.4444]]])
    """
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad)
    return _avg_pool(xp, "avg_pool2d", 2, input, *options, divisor_override)


@op(spaces=(F,), upcast=True)
def avg_pool3d(
    xp: Any,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of every window; zeros in the padding count unless told otherwise.

    Shapes: (N, C, D, H, W) or (C, D, H, W); the stride is the kernel's size unless
    given. ``divisor_override`` divides the sums instead. Raises ShapeError where no window fits.
    Source: PyTorch
    ``torch.nn.functional.avg_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.avg_pool3d(tl.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad)
    return _avg_pool(xp, "avg_pool3d", 3, input, *options, divisor_override)


def _avg_pool(
    xp: Any,
    name: str,
    count: int,
    input: Array,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Padding,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
) -> Array:
    _check_dtype(name, input, "b")
    if divisor == 0:
        raise ArgumentError(f"{name}: divisor_override must not be zero")
    x, has_batch = batched(input, count, name)
    kernel, steps, pads = _window(name, count, kernel_size, stride, padding)
    ones = (1,) * count
    result = average_pool(
        xp, x, kernel, steps, pads, ones, ceil_mode, count_include_pad, divisor, name
    )
    return result if has_batch else result[0]


@op(spaces=(F,))
def lp_pool1d(
    input: Array,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Array:
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, L) or (C, L). A window that sticks out (``ceil_mode``) counts as if it were
    full of its own mean. Source: PyTorch ``torch.nn.functional.lp_pool1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.lp_pool1d(tl.ones(1, 2), 2, 2).item()
    1.4142135381698608
    """
    means = avg_pool1d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return (means * prod(pair(kernel_size, 1, "lp_pool1d: kernel_size"))) ** (1.0 / norm_type)


@op(spaces=(F,))
def lp_pool2d(
    input: Array,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Array:
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, H, W) or (C, H, W). A window that sticks out (``ceil_mode``) counts as if it
    were full of its own mean. Source: PyTorch ``torch.nn.functional.lp_pool2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.lp_pool2d(tl.ones(1, 2, 2), 2, 2).item()
    2.0
    """
    means = avg_pool2d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return (means * prod(pair(kernel_size, 2, "lp_pool2d: kernel_size"))) ** (1.0 / norm_type)


@op(spaces=(F,))
def lp_pool3d(
    input: Array,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Array:
    """``(sum x^p)^(1/p)`` over every window, p being ``norm_type``.

    Shapes: (N, C, D, H, W) or (C, D, H, W). A window that sticks out (``ceil_mode``) counts as if
    it were full of its own mean. Source: PyTorch ``torch.nn.functional.lp_pool3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.lp_pool3d(tl.ones(1, 2, 2, 2), 2, 2).item()
    2.8284270763397217
    """
    means = avg_pool3d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return (means * prod(pair(kernel_size, 3, "lp_pool3d: kernel_size"))) ** (1.0 / norm_type)
