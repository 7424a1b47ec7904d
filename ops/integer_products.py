"""Products of 8-bit integers, exact in int32: matrices and convolutions of quantised numbers."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError, ShapeError
from .convolution import Padding, Sizes, prepared
from .convolve import convolve
from .dims import dtype_of
from .registry import TOP, Array, op
from .spatial import Ints, Pads

# Sums of products are exact in float32 as long as they stay below 2**24. Floats have fast
# products, so long sums are taken in pieces that do.
_STEP = 2**24 // (255 * 255)


@op(spaces=TOP)
def integer_matmul(
    xp: Any,
    input: Array,
    other: Array,
    input_zero: Array | None = None,
    other_zero: Array | None = None,
    bias: Array | None = None,
) -> Array:
    """``(input - input_zero) @ (other - other_zero) + bias`` of int8 or uint8, in int32.

    Shapes are those of :func:`matmul`; zero points are one number each, or broadcast against
    their matrix: (..., M, 1) for rows of ``input``, (N,) for columns of ``other``. ``bias`` is
    int32 (N,). Sums beyond int32 wrap around. Raises DTypeError for other dtypes, ShapeError where
    shapes do not fit. Source: ONNX MatMulInteger.

    >>> import tensorlite as tl
    >>> a, b = tl.tensor([[250, 3]], dtype=tl.uint8), tl.tensor([[1], [-2]], dtype=tl.int8)
    >>> tl.integer_matmul(a, b, tl.tensor(128, dtype=tl.uint8))
    tensor([[372]], dtype=tensorlite.int32)
    """
    _eight_bits("integer_matmul", input, other)
    if input.ndim == 0 or other.ndim == 0 or input.shape[-1] != other.shape[max(other.ndim - 2, 0)]:
        raise ShapeError(
            f"integer_matmul: expected (..., M, K) and (..., K, N), got {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    a, b = _centred(input, input_zero), _centred(other, other_zero)
    total = None
    for start in range(0, max(a.shape[-1], 1), _STEP):
        rows = slice(start, start + _STEP)
        part = xp.matmul(a[..., rows], b[rows] if b.ndim == 1 else b[..., rows, :])
        whole = xp.asarray(part).astype(xp.int32)
        total = whole if total is None else total + whole
    return total if bias is None else total + bias.astype(xp.int32)


@op(spaces=TOP)
def integer_conv(
    xp: Any,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    input_zero: Array | None = None,
    weight_zero: Array | None = None,
    stride: Sizes = 1,
    padding: Padding = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Array:
    """The convolution of ``input - input_zero`` with ``weight - weight_zero``, in int32.

    Of int8 or uint8 numbers, over as many dimensions as the weight has beyond (O, C / groups).
    ``bias`` is int32 (O,); ``weight_zero`` is one number or one for each of the O outputs; what
    is padded is ``input_zero``, that is 0. Sums beyond int32 wrap around. Raises DTypeError for
    other dtypes, ShapeError where shapes do not fit. Source: ONNX ConvInteger.

    >>> import tensorlite as tl
    >>> x = tl.tensor([[[1, 2, 3]]], dtype=tl.uint8)
    >>> tl.integer_conv(x, tl.tensor([[[1, -1]]], dtype=tl.int8)).tolist()
    [[[-1, -1]]]
    """
    _eight_bits("integer_conv", input, weight)
    if weight_zero is not None and weight_zero.size > 1:
        weight_zero = weight_zero.reshape(-1, *[1] * (weight.ndim - 1))
    x, w = _centred(input, input_zero), _centred(weight, weight_zero)
    name = "integer_conv"
    x, steps, pads, apart, groups = prepared(
        name, w.ndim - 2, x, w, None, stride, padding, dilation, groups
    )
    total = _sum_of_parts(xp, x, w, steps, pads, apart, groups)
    if bias is not None:
        total = total + bias.astype(xp.int32).reshape(-1, *[1] * (weight.ndim - 2))
    return total if total.ndim == input.ndim else total[0]


def _sum_of_parts(
    xp: Any, x: Array, w: Array, stride: Ints, pads: Pads, dilation: Ints, groups: int
) -> Array:
    """A convolution in int32, a few input channels at a time where float32 would round."""
    window = max(w[0, :1].size if len(w) and w.shape[1] else 1, 1)
    step = _STEP // window

    def sums(x: Array, w: Array) -> Array:
        return convolve(xp, x, w, None, stride, pads, dilation, groups, "integer_conv")

    if w.shape[1] <= step:
        return sums(x, w).astype(xp.int32)
    if groups != 1 or step == 0:
        return sums(x.astype(xp.float64), w.astype(xp.float64)).astype(xp.int64).astype(xp.int32)
    parts = [slice(start, start + step) for start in range(0, w.shape[1], step)]
    return sum(sums(x[:, part], w[:, part]).astype(xp.int32) for part in parts)


def _centred(x: Array, zero: Array | None) -> Array:
    """``x - zero`` in float32, which holds it exactly."""
    wide = x.astype("float32")
    return wide if zero is None else wide - zero.astype("float32")


def _eight_bits(name: str, *given: Array) -> None:
    for x in given:
        if x.dtype.name not in ("int8", "uint8"):
            raise DTypeError(
                f"{name}: expected int8 or uint8, got {dtype_of(x).name}; convert it with .to()"
            )
