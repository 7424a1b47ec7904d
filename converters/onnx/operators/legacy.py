"""Operators of the first releases of ONNX that no opset has any more, and that files still contain.

They were experimental: their schemas were taken out of the specification between ONNX 1.3 and 1.5.
The activations among them are in :mod:`activation`. Source: ``onnx/defs/experiments/defs.cc`` of
ONNX 1.0 to 1.3; for the operators that these took over from Caffe2, Caffe2's documentation.
"""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ....errors import OnnxError
from ..casting import cast_to
from ..registry import onnx_op
from .expected import expect
from .shape import ints, slice_

IMAGE = ("batch", "channels", "height", "width")


@onnx_op("Scale")
def scale(x: Tensor, *, scale: float = 1.0) -> Tensor:
    return x * scale


@onnx_op("ImageScaler")
def image_scaler(x: Tensor, *, bias: list[float] | None = None, scale: float = 1.0) -> Tensor:
    """``x * scale + bias``, with a bias per channel."""
    expect("input", x, IMAGE)
    if bias is None:
        return x * scale
    if len(bias) != x.shape[1]:
        raise OnnxError(f"expected {x.shape[1]} biases, one per channel, got {len(bias)}")
    return x * scale + tl.tensor(bias, dtype=x.dtype, device=x.device).reshape(-1, 1, 1)


@onnx_op("Crop")
def crop(x: Tensor, *, border: list[int] | None = None, scale: list[int] | None = None) -> Tensor:
    """Borders (left, top, right, bottom) cut off, or (height, width) from the left and top on."""
    expect("input", x, IMAGE)
    left, top, right, bottom = _of(4, "border", border or [0] * 4)
    height, width = x.shape[2] - top - bottom, x.shape[3] - left - right
    if scale is not None:
        height, width = _of(2, "scale", scale)
    inside = 0 <= height <= x.shape[2] - top and 0 <= width <= x.shape[3] - left
    if not inside or min(left, top) < 0:
        raise OnnxError(
            f"border {border} and scale {scale} do not fit an image of shape {tuple(x.shape)}"
        )
    return x[:, :, top : top + height, left : left + width]


def _of(count: int, name: str, values: list[int]) -> list[int]:
    if len(values) != count:
        raise OnnxError(f"expected {count} numbers as {name}, got {values}")
    return values


@onnx_op("DynamicSlice")
def dynamic_slice(x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None) -> Tensor:
    """What Slice does since opset 10, without steps."""
    return slice_(x, starts, ends, axes)


@onnx_op("ConstantFill")
def constant_fill(
    x: Tensor | None = None,
    *,
    dtype: int = 1,
    extra_shape: list[int] | None = None,
    input_as_shape: int = 0,
    shape: list[int] | None = None,
    value: float = 0.0,
    device: Any,
) -> Tensor:
    """A tensor of one value, of the shape that :func:`filled_shape` says."""
    sizes = filled_shape(x, shape, extra_shape, input_as_shape)
    return cast_to(tl.full(sizes, value, dtype=tl.float32, device=device), dtype)


@onnx_op("GivenTensorFill")
def given_tensor_fill(
    x: Tensor | None = None,
    *,
    extra_shape: list[int] | None = None,
    input_as_shape: int = 0,
    shape: list[int] | None = None,
    values: list[float] | None = None,
    device: Any,
) -> Tensor:
    """A float32 tensor of those values, of the shape that :func:`filled_shape` says."""
    sizes = filled_shape(x, shape, extra_shape, input_as_shape)
    found = tl.tensor(values or [], dtype=tl.float32, device=device)
    if found.numel() != tl.Size(sizes).numel():
        raise OnnxError(f"expected values for a shape of {sizes}, got {found.numel()} of them")
    return found.reshape(sizes)


def filled_shape(
    x: Tensor | None, shape: list[int] | None, extra: list[int] | None, input_as_shape: int
) -> list[int]:
    """The attribute ``shape``; with an input its shape (or its elements) and ``extra``."""
    if x is None:
        if extra or input_as_shape:
            raise OnnxError("expected an input with extra_shape and input_as_shape, got none")
        return list(shape or [])
    if shape:
        raise OnnxError(f"expected an input or a shape, got both: {tuple(x.shape)} and {shape}")
    sizes = ints(expect("input", x, ("dimensions",))) or [] if input_as_shape else list(x.shape)
    return [*sizes, *(extra or [])]


@onnx_op("FC")
def fully_connected(x: Tensor, w: Tensor, b: Tensor, *, axis: int = 1, axis_w: int = 1) -> Tensor:
    """``X @ W.T + b``, with X and W as matrices: the dimensions from their axis on are one."""
    rows, weights = _as_matrix(x, axis), _as_matrix(w, axis_w)
    if rows.shape[1] != weights.shape[1]:
        raise OnnxError(
            f"expected X and W with equally many columns, got {tuple(rows.shape)} and "
            f"{tuple(weights.shape)}"
        )
    expect("B", b, (weights.shape[0],))
    return tl.matmul(rows, weights.T) + b


def _as_matrix(x: Tensor, axis: int) -> Tensor:
    return x.reshape(x.shape[:axis].numel(), x.shape[axis:].numel())


@onnx_op("GRUUnit")
def gru_unit(
    hidden: Tensor, gates: Tensor, lengths: Tensor, t: Tensor, *, drop_states: int = 0
) -> Tensor:
    """One step of a GRU: ``z * h + (1 - z) * tanh(c)`` where step ``t`` is within the sequence.

    ``gates`` (..., N, 3 D) are reset, update z and candidate c before their activations. Past a
    sequence's end the state (..., N, D) stays, or is 0 if ``drop_states``.
    """
    n, size = hidden.shape[-2:]
    if tuple(gates.shape[-2:]) != (n, 3 * size) or tuple(lengths.shape) != (n,):
        raise OnnxError(
            f"expected gates (..., {n}, {3 * size}) and {n} lengths for a state of shape "
            f"{tuple(hidden.shape)}, got {tuple(gates.shape)} and {tuple(lengths.shape)}"
        )
    _, update, candidate = gates.split(size, -1)
    z = tl.sigmoid(update)
    new = z * hidden + (1 - z) * tl.tanh(candidate)
    alive = (t.reshape(()) < lengths).unsqueeze(1)
    return tl.where(alive, new, tl.zeros_like(hidden) if drop_states else hidden)


@onnx_op("MeanVarianceNormalization")
def mean_variance_normalization(
    x: Tensor, *, across_channels: int = 0, normalize_variance: int = 1
) -> Tensor:
    """Before opset 9: of each channel, or of all channels together; or its mean alone."""
    expect("input", x, IMAGE)
    axes = [1, 2, 3] if across_channels else [2, 3]
    centred = x - tl.mean(x, axes, True)
    if not normalize_variance:
        return centred
    return centred / tl.sqrt(tl.mean(centred * centred, axes, True))
