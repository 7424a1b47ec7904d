"""Linear maps: linear, bilinear."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..errors import ShapeError
from .linalg import in_float32, one_dtype
from .registry import TOP, Array, F, op


@op(spaces=F)
def linear(xp: Any, input: Array, weight: Array, bias: Array | None = None) -> Array:
    """``input @ weight.T + bias``: (..., in) by (out, in) gives (..., out).

    Without an out dimension, weight (in,) gives (...). All must have one dtype; 16-bit floats
    are multiplied in float32. Raises ShapeError and DTypeError.
    Source: PyTorch ``torch.nn.functional.linear``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.linear(tl.tensor([1.0, 2.0]), tl.tensor([[3.0, 4.0]]), tl.tensor([1.0]))
    tensor([12.])
    """
    if input.ndim == 0 or weight.ndim not in (1, 2) or input.shape[-1] != weight.shape[-1]:
        raise ShapeError(
            f"linear: expected input (..., in) and weight (out, in), got {tuple(input.shape)} and "
            f"{tuple(weight.shape)}"
        )
    given = [input, weight] if bias is None else [input, weight, bias]
    one_dtype("linear", *given)
    return in_float32(partial(_linear, xp), *given)


def _linear(xp: Any, input: Array, weight: Array, bias: Array | None = None) -> Array:
    if input.ndim <= 2 or weight.ndim == 1:
        result = input @ weight.T
    else:  # one product of two matrices, instead of one per batch
        rows = input.reshape(-1, input.shape[-1]) @ weight.T
        result = rows.reshape(*input.shape[:-1], weight.shape[0])
    if bias is None:
        return result
    if result.shape[-1:] != bias.shape:
        return result + bias
    return xp.add(result, bias, out=result)


@op(spaces=(F, TOP))
def bilinear(
    xp: Any, input1: Array, input2: Array, weight: Array, bias: Array | None = None
) -> Array:
    """``input1 @ weight[k] @ input2 + bias[k]`` for every k: (..., in1), (..., in2) to (..., out).

    weight is (out, in1, in2). Raises ShapeError and DTypeError.
    Source: PyTorch ``torch.nn.functional.bilinear``.

    >>> import tensorlite as tl
    >>> F = tl.nn.functional
    >>> F.bilinear(tl.ones(1, 2), tl.ones(1, 3), tl.ones(4, 2, 3)).tolist()
    [[6.0, 6.0, 6.0, 6.0]]
    """
    fits = weight.ndim == 3 and input1.shape[:-1] == input2.shape[:-1]
    if not fits or (input1.shape[-1], input2.shape[-1]) != weight.shape[1:]:
        raise ShapeError(
            f"bilinear: expected (..., in1), (..., in2) and weight (out, in1, in2), got "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(weight.shape)}"
        )
    given = [input1, input2, weight, *([] if bias is None else [bias])]
    one_dtype("bilinear", *given)
    return in_float32(_bilinear, *given)


def _bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None) -> Array:
    out, in1, in2 = weight.shape
    first = input1.reshape(-1, in1) @ weight.transpose(1, 0, 2).reshape(in1, out * in2)
    second = input2.reshape(-1, 1, in2)
    result = (first.reshape(-1, out, in2) * second).sum(axis=-1, dtype=first.dtype)
    result = result.reshape(*input1.shape[:-1], out)
    return result if bias is None else result + bias
