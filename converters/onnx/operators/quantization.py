"""Integers and small floats that stand for real numbers: quantise and dequantise."""

from __future__ import annotations

import numpy as np

import tensorlite as tl
from tensorlite import Tensor

from ....dtypes import dtype as Dtype
from ....errors import OnnxError
from ..casting import cast_dtype
from ..registry import onnx_op
from .creation import dtype_of

_DIVIDES_IN = ("float16", "bfloat16", "float32", "float64")


def spread(parameter: Tensor, x: Tensor, axis: int, block: int, what: str = "scale") -> Tensor:
    """A scale or zero point, laid along ``x``: per tensor, per axis or per block of an axis."""
    if parameter.ndim == 0 or (tuple(parameter.shape) == (1,) and not block):
        return parameter.reshape(())
    axis = _axis(axis, x)
    size = x.shape[axis]
    if block < 0:
        raise OnnxError(f"block_size {block}: expected a positive number, or 0 for no blocks")
    if block:
        wanted = [-(-size // block) if i == axis else n for i, n in enumerate(x.shape)]
        _expect(parameter, wanted, what, f"blocks of {block} along axis {axis} of", x)
        repeated = tl.repeat_interleave(parameter, block, dim=axis)
        return repeated.narrow(axis, 0, size)
    _expect(parameter, [size], what, f"axis {axis} of", x)
    return parameter.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _axis(axis: int, x: Tensor) -> int:
    """The axis of the parameters; the default, 1, is meant for images and means 0 for vectors."""
    if x.ndim < 2:
        return 0
    if not -x.ndim <= axis < x.ndim:
        raise OnnxError(f"axis {axis}: expected {-x.ndim} to {x.ndim - 1} for {tuple(x.shape)}")
    return axis % x.ndim


def _expect(parameter: Tensor, wanted: list[int], what: str, of: str, x: Tensor) -> None:
    if list(parameter.shape) != wanted:
        raise OnnxError(
            f"{what}: expected shape {tuple(wanted)}, for {of} {tuple(x.shape)}, "
            f"got {tuple(parameter.shape)}"
        )


def _alike(scale: Tensor, zero_point: Tensor | None) -> None:
    if zero_point is None or zero_point.shape == scale.shape:
        return
    if scale.numel() == zero_point.numel() == 1:
        return
    raise OnnxError(
        f"zero point: expected the scale's shape {tuple(scale.shape)}, "
        f"got {tuple(zero_point.shape)}"
    )


def whole(x: Tensor) -> Tensor:
    """4- and 2-bit integers as int8, for arithmetic; others unchanged."""
    return x if x.dtype.numpy.kind in "iu" else cast_dtype(x, tl.int8)


def numbers(x: Tensor) -> Tensor:
    """Quantised numbers as float32, which holds all but int32 exactly."""
    return x.float() if x.is_floating_point() else whole(x).float()


@onnx_op("DequantizeLinear")
def dequantize_linear(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Tensor:
    """``(x - zero_point) * scale``, in float32 and rounded to the output's dtype."""
    if zero_point is not None and zero_point.dtype is not x.dtype:
        raise OnnxError(f"zero point: expected {x.dtype.name} as x, got {zero_point.dtype.name}")
    _alike(scale, zero_point)
    target = dtype_of(output_dtype or None, scale.dtype)
    factor = spread(scale.float(), x, axis, block_size)
    if zero_point is None:
        centred = numbers(x)
    elif x.dtype is tl.int32:
        centred = (x - spread(zero_point, x, axis, block_size)).float()
    else:
        centred = numbers(x) - spread(numbers(zero_point), x, axis, block_size)
    return (centred * factor).to(target)


@onnx_op("QuantizeLinear")
def quantize_linear(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Tensor:
    """``saturate(round(x / scale) + zero_point)``, halves to even."""
    given = tl.uint8 if zero_point is None else zero_point.dtype
    target = dtype_of(output_dtype or None, given)
    if zero_point is not None and target is not given:
        raise OnnxError(f"output_dtype {target.name}: the zero point is {given.name}")
    _alike(scale, zero_point)
    work = _precision(scale, precision)
    ratio = x.to(work) / spread(scale.to(work), x, axis, block_size)
    ratio = ratio if work is tl.float64 else ratio.float()
    if not target.is_floating_point:
        ratio = tl.round(ratio)
    if zero_point is not None:
        ratio = ratio + spread(numbers(zero_point), x, axis, block_size, "zero point")
    if target.is_floating_point:
        return cast_dtype(ratio, target, bool(saturate))
    return saturated(ratio, target)


def _precision(scale: Tensor, precision: int) -> Dtype:
    """The dtype of the division: as asked, or the scale's.

    Quotients of integers are taken in float64, which holds both; those by powers of two (e8m0)
    in float32, where they are exact.
    """
    work = dtype_of(precision or None, scale.dtype)
    if work.name in _DIVIDES_IN:
        return work
    return tl.float32 if work.is_floating_point else tl.float64


def saturated(x: Tensor, target: Dtype) -> Tensor:
    """Whole numbers held as floats or wide integers, clipped into an integer dtype.

    What is not a number becomes the smallest, as in ONNX Runtime.
    """
    limits = tl.iinfo(target)
    if x.is_floating_point():
        lowest = tl.full((), limits.min, dtype=x.dtype, device=x.device)
        clipped = tl.clamp(tl.fmax(x, lowest), max=limits.max)
    else:
        clipped = tl.clamp(x, limits.min, limits.max)
    if target.numpy.kind in "iu":
        return clipped.to(target)
    return cast_dtype(clipped.to(tl.int8), target)


@onnx_op("DynamicQuantizeLinear")
def dynamic_quantize_linear(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """To uint8, with scale and zero point from the range of ``x``, which is made to hold 0."""
    low, high = _range(x)
    spread_over = (high - low) / 255
    scale = tl.where(spread_over == 0, 1.0, spread_over)
    zero = tl.round(tl.clamp(-low / scale, 0, 255))
    return saturated(tl.round(x / scale) + zero, tl.uint8), scale, zero.to(tl.uint8)


def _range(x: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the greatest, zero included."""
    if x.numel() == 0:
        zero = tl.zeros((), dtype=x.dtype, device=x.device)
        return zero, zero
    return tl.clamp(x.min(), max=0.0), tl.clamp(x.max(), min=0.0)


@onnx_op("BitCast", since=26)
def bit_cast(x: Tensor, *, to: int) -> Tensor:
    """The same bits as numbers of another dtype of the same size."""
    target = dtype_of(to)
    if target.itemsize != x.dtype.itemsize:
        raise OnnxError(f"{x.dtype.name} and {target.name} differ in size")
    return tl.from_numpy(np.array(x._host()).view(target.numpy)).to(x.device)
