"""Convolutions and transposed convolutions: PyTorch's functions over :mod:`.convolve`.

``padding`` is a number, a number per dimension, "valid", "same" (stride 1), or, more than
PyTorch has, a ``(begin, end)`` pair per dimension.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..errors import ArgumentError, DTypeError, ShapeError
from .convolve import convolve, convolve_transposed
from .dims import dtype_of, pair
from .registry import TOP, Array, F, op
from .spatial import Ints, Pads, batched, pads_of, same_pads

Padding = Any  # int | str | Sequence[int] | Sequence[tuple[int, int]]
Sizes = Any  # int | Sequence[int]


@op(spaces=(F, TOP), upcast=True)
def conv1d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation along one dimension: ``out[o, i] = b[o] + sum w[o, c, k] x[c, i s + k d]``.

    Shapes: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O), result (N, O, L').
    All of one dtype. Raises ShapeError where they do not fit. Source: PyTorch
    ``torch.nn.functional.conv1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv1d(tl.tensor([[1.0, 2.0, 3.0, 4.0]]), tl.tensor([[[1.0, -1.0]]]))
    tensor([[-1., -1., -1.]])
    """
    return _convolved(xp, "conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@op(spaces=(F, TOP), upcast=True)
def conv2d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation over two dimensions, as :func:`conv1d` over one.

    Shapes: input (N, C, H, W) or (C, H, W), weight (O, C / groups, KH, KW), bias (O), result
    (N, O, H', W'), which has its channels last in memory where the input has. Raises ShapeError
    where they do not fit. Source: PyTorch ``torch.nn.functional.conv2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv2d(tl.ones(1, 1, 3, 3), tl.ones(1, 1, 3, 3), padding="same")
    tensor([[[[4., 6., 4.],
              [6., 9., 6.],
              [4., 6., 4.]]]])
    """
    return _convolved(xp, "conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@op(spaces=(F, TOP), upcast=True)
def conv3d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlation over three dimensions, as :func:`conv1d` over one.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, KD, KH, KW), bias (O).
    Raises ShapeError where they do not fit. Source: PyTorch ``torch.nn.functional.conv3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv3d(tl.ones(1, 2, 2, 2, 2), tl.ones(1, 2, 2, 2, 2))
    tensor([[[[[16.]]]]])
    """
    return _convolved(xp, "conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@op(spaces=(F, TOP), upcast=True)
def conv_transpose1d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Array:
    """Every element laid down as a kernel: ``out[o, i s + k d - p] += w[c, o, k] x[c, i]``.

    Shapes: input (N, C, L) or (C, L), weight (C, O / groups, K), bias (O); the result has length
    ``(L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1``. Raises ShapeError
    where they do not fit. Source: PyTorch ``torch.nn.functional.conv_transpose1d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv_transpose1d(tl.tensor([[1.0, 2.0]]), tl.tensor([[[1.0, 1.0, 1.0]]]), stride=2)
    tensor([[1., 1., 3., 2., 2.]])
    """
    options = (stride, padding, output_padding, dilation, groups)
    return _transposed(xp, "conv_transpose1d", 1, input, weight, bias, *options)


@op(spaces=(F, TOP), upcast=True)
def conv_transpose2d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Array:
    """The transpose of :func:`conv2d`, as :func:`conv_transpose1d` is of conv1d.

    Shapes: input (N, C, H, W) or (C, H, W), weight (C, O / groups, KH, KW), bias (O). Raises
    ShapeError where they do not fit. Source: PyTorch ``torch.nn.functional.conv_transpose2d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv_transpose2d(tl.tensor([[[1.0, 2.0]]]), tl.ones(1, 1, 2, 2), stride=2)
    tensor([[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]])
    """
    options = (stride, padding, output_padding, dilation, groups)
    return _transposed(xp, "conv_transpose2d", 2, input, weight, bias, *options)


@op(spaces=(F, TOP), upcast=True)
def conv_transpose3d(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Array:
    """The transpose of :func:`conv3d`, as :func:`conv_transpose1d` is of conv1d.

    Shapes: input (N, C, D, H, W) or (C, D, H, W), weight (C, O / groups, KD, KH, KW), bias (O).
    Raises ShapeError where they do not fit. Source: PyTorch
    ``torch.nn.functional.conv_transpose3d``.

    >>> import tensorlite as tl, tensorlite.nn.functional as F
    >>> F.conv_transpose3d(tl.ones(1, 1, 1, 1, 1), tl.ones(1, 3, 2, 2, 2)).shape
    tensorlite.Size([1, 3, 2, 2, 2])
    """
    options = (stride, padding, output_padding, dilation, groups)
    return _transposed(xp, "conv_transpose3d", 3, input, weight, bias, *options)


@op(spaces=(TOP,), upcast=True)
def convolution(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Sizes,
    padding: Padding,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> Array:
    """A convolution, or a transposed one, of as many dimensions as the input has.

    Shapes: those of :func:`conv1d` or :func:`conv_transpose1d` and their siblings. Raises
    ShapeError where they do not fit. Source: PyTorch ``torch.convolution``.

    >>> import tensorlite as tl
    >>> tl.convolution(tl.ones(1, 1, 3), tl.ones(1, 1, 2), None, 1, 0, 1, False, 0, 1)
    tensor([[[2., 2.]]])
    """
    count = weight.ndim - 2
    if transposed:
        options = (stride, padding, output_padding, dilation, groups)
        return _transposed(xp, "convolution", count, input, weight, bias, *options)
    return _convolved(
        xp, "convolution", count, input, weight, bias, stride, padding, dilation, groups
    )


@op(spaces=(F, TOP), upcast=True)
def conv_tbc(xp: Any, input: Array, weight: Array, bias: Array, pad: int = 0) -> Array:
    """:func:`conv1d` on (time, batch, channels), with a weight (K, C, O) and a bias (O).

    Raises ShapeError where shapes do not fit. Source: PyTorch ``torch.conv_tbc``.

    >>> import tensorlite as tl
    >>> tl.conv_tbc(tl.ones(4, 1, 2), tl.ones(3, 2, 1), tl.zeros(1)).flatten()
    tensor([6., 6.])
    """
    if input.ndim != 3 or weight.ndim != 3:
        raise ShapeError(
            f"conv_tbc: expected (T, B, C) and (K, C, O), got {tuple(input.shape)} and "
            f"{tuple(weight.shape)}"
        )
    x, w = input.transpose(1, 2, 0), weight.transpose(2, 1, 0)
    found = _convolved(xp, "conv_tbc", 1, x, w, bias, 1, pad, 1, 1)
    return xp.ascontiguousarray(found.transpose(2, 0, 1))


def _convolved(
    xp: Any, name: str, count: int, input: Array, weight: Array, bias: Array | None, *options: Any
) -> Array:
    x, steps, pads, spread, groups = prepared(name, count, input, weight, bias, *options)
    result = convolve(xp, x, weight, bias, steps, pads, spread, groups, name)
    return result if input.ndim == x.ndim else result[0]


def prepared(
    name: str, count: int, input: Array, weight: Array, bias: Array | None = None,
    stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1, groups: int = 1,
) -> tuple[Array, Ints, Pads, Ints, int]:  # fmt: skip
    """A convolution's arguments, checked: the input as a batch, stride, pads, dilation, groups."""
    x, _ = batched(input, count, name)
    per_group = weight.shape[1] if weight.ndim > 1 else 0
    _check(name, count, x, weight, bias, groups, per_group * groups, weight.shape[0])
    kernel = tuple(weight.shape[2:])
    try:
        return x, *_options(name, kernel, stride, padding, dilation), groups
    except TypeError:  # lists, which no cache keeps
        return x, *_options.__wrapped__(name, kernel, stride, padding, dilation), groups


@lru_cache(1024)
def _options(
    name: str, kernel: Ints, stride: Sizes, padding: Padding, dilation: Sizes
) -> tuple[Ints, Pads, Ints]:
    steps = pair(stride, len(kernel), f"{name}: stride")
    spread = pair(dilation, len(kernel), f"{name}: dilation")
    return steps, _named_pads(name, padding, steps, kernel, spread), spread


def _named_pads(name: str, padding: Padding, stride: Ints, kernel: Ints, dilation: Ints) -> Pads:
    if not isinstance(padding, str):
        pads = pads_of(padding, len(kernel), name)
        if any(p < 0 for p in sum(pads, ())):
            raise ShapeError(f"{name}: padding must not be negative, got {padding}")
        return pads
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ArgumentError(f"{name}: padding is 'same', 'valid' or numbers, not {padding!r}")
    if any(s != 1 for s in stride):
        raise ArgumentError(f"{name}: padding='same' needs stride 1, got {stride}")
    return same_pads(kernel, dilation)


def _transposed(
    xp: Any,
    name: str,
    count: int,
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Sizes,
    padding: Padding,
    output_padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Array:
    x, has_batch = batched(input, count, name)
    per_group = weight.shape[1] if weight.ndim > 1 else 0
    _check(name, count, x, weight, bias, groups, weight.shape[0], per_group * groups)
    steps = pair(stride, count, f"{name}: stride")
    spread = pair(dilation, count, f"{name}: dilation")
    extra = pair(output_padding, count, f"{name}: output_padding")
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, spread, strict=True)):
        raise ArgumentError(
            f"{name}: output_padding must be smaller than stride or dilation, got {extra} with "
            f"stride {steps} and dilation {spread}"
        )
    pads = pads_of(padding, count, name)
    result = convolve_transposed(xp, x, weight, bias, steps, pads, extra, spread, groups, name)
    return result if has_batch else result[0]


def _check(
    name: str,
    count: int,
    x: Array,
    weight: Array,
    bias: Array | None,
    groups: int,
    inputs: int,
    outputs: int,
) -> None:
    """Raises where the channels that the weight expects and gives, or the dtypes, do not fit."""

    def shapes() -> str:
        return f"input {tuple(x.shape)}, weight {tuple(weight.shape)}, groups {groups}"

    if weight.ndim != count + 2:
        raise ShapeError(f"{name}: expected a weight of {count + 2} dimensions; got {shapes()}")
    if groups < 1 or inputs != x.shape[1] or inputs % groups or outputs % groups:
        raise ShapeError(f"{name}: channels and groups do not fit: {shapes()}")
    if bias is not None and bias.shape != (outputs,):
        raise ShapeError(f"{name}: expected a bias of shape ({outputs},), got {bias.shape}")
    for other in (weight, bias):
        if other is not None and other.dtype != x.dtype:
            raise DTypeError(
                f"{name}: input, weight and bias must have one dtype, got "
                f"{dtype_of(x).name} and {dtype_of(other).name}; convert one with .to()"
            )
