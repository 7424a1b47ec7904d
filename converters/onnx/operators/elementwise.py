"""Arithmetic, comparison, logic and functions of one number.

Inputs of one call have one dtype in ONNX, so nothing is promoted here. Source: ONNX operators,
opset in each ``since``; versions that differ only in the dtypes they allow share a function.
"""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..casting import cast_dtype, cast_to
from ..registry import onnx_op
from ..tensors import DTYPES, dtype_name
from .expected import alike, one_of

# Operators that are a function of tensorlite, argument by argument.
_SAME = {
    "Abs": tl.abs, "Acos": tl.acos, "Acosh": tl.acosh, "And": tl.logical_and, "Asin": tl.asin,
    "Asinh": tl.asinh, "Atan": tl.atan, "Atanh": tl.atanh, "BitwiseAnd": tl.bitwise_and,
    "BitwiseNot": tl.bitwise_not, "BitwiseOr": tl.bitwise_or, "BitwiseXor": tl.bitwise_xor,
    "Ceil": tl.ceil, "Cos": tl.cos, "Cosh": tl.cosh, "Erf": tl.erf, "Exp": tl.exp,
    "Floor": tl.floor, "Greater": tl.gt, "GreaterOrEqual": tl.ge, "IsNaN": tl.isnan,
    "Less": tl.lt, "LessOrEqual": tl.le, "Log": tl.log, "Neg": tl.neg, "Not": tl.logical_not,
    "Or": tl.logical_or, "Reciprocal": tl.reciprocal, "Relu": tl.relu, "Round": tl.round,
    "Sigmoid": tl.sigmoid, "Sign": tl.sign, "Sin": tl.sin, "Sinh": tl.sinh, "Softsign": F.softsign,
    "Sqrt": tl.sqrt, "Tan": tl.tan, "Tanh": tl.tanh, "Where": tl.where, "Xor": tl.logical_xor,
}  # fmt: skip


def _positional(function: Any) -> Any:
    def run(*inputs: Tensor) -> Any:
        return function(*inputs)

    return run


for _name, _function in _SAME.items():
    onnx_op(_name)(_positional(_function))

_ARITHMETIC = {"Add": tl.add, "Sub": tl.sub, "Mul": tl.mul}


def _laid_along(a: Tensor, b: Tensor, axis: int | None) -> Tensor:
    """Opsets 1 to 6: ``b`` is one element, or laid along ``a`` from ``axis`` on.

    Without an axis, or with -1 as Caffe2 wrote it, the last dimensions are meant. Sizes of 1
    expand, against the letter of these opsets, since files that PyTorch exported need it.
    """
    if b.numel() == 1 and b.ndim <= a.ndim:
        return b.reshape(())
    first = a.ndim - b.ndim if axis is None or axis == -1 else axis
    first = first + a.ndim if first < 0 else first
    beside = a.shape[max(first, 0) : max(first, 0) + b.ndim]
    if len(beside) < b.ndim or any(m not in (1, n) for m, n in zip(b.shape, beside, strict=True)):
        raise OnnxError(
            f"expected B of one element or with the sizes of A from axis {first} on, got "
            f"{tuple(a.shape)} and {tuple(b.shape)}"
        )
    return b.reshape(*b.shape, *[1] * (a.ndim - first - b.ndim))


def _old_binary(function: Any) -> Any:
    def run(a: Tensor, b: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Any:
        if broadcast:
            return function(a, _laid_along(a, b, axis))
        alike((a, b))
        return function(a, b)

    return run


def _divide(a: Tensor, b: Tensor) -> Tensor:
    """Integers are divided toward zero."""
    if a.is_floating_point():
        return a / b
    return tl.div(a, b, rounding_mode="trunc")


for _name, _function in {**_ARITHMETIC, "Div": _divide}.items():
    onnx_op(_name)(_old_binary(_function))
    onnx_op(_name, since=7)(_positional(_function))
for _name in ("And", "Or", "Xor", "Greater", "Less"):
    onnx_op(_name)(_old_binary(_SAME[_name]))
    onnx_op(_name, since=7)(_positional(_SAME[_name]))


@onnx_op("Equal", since=7)
def equal(a: Tensor, b: Tensor) -> Tensor:
    return tl.eq(a, b)


onnx_op("Equal")(_old_binary(equal))


@onnx_op("Pow", since=7)
def power(x: Tensor, y: Tensor) -> Tensor:
    """The exponent may be of another dtype; the result has the base's."""
    if x.dtype is y.dtype:
        return x**y
    if x.is_floating_point():
        return x ** y.to(x.dtype)
    return (x.double() ** y.double()).to(x.dtype)


onnx_op("Pow")(_old_binary(power))


@onnx_op("Mod")
def mod(a: Tensor, b: Tensor, *, fmod: int = 0, opset: int = 28) -> Tensor:
    """The sign is the divisor's, or with ``fmod`` the dividend's."""
    if not fmod and a.is_floating_point() and opset < 28:
        raise OnnxError(f"expected fmod=1 for {a.dtype.name} before opset 28")
    return tl.fmod(a, b) if fmod else tl.remainder(a, b)


@onnx_op("BitShift")
def bit_shift(x: Tensor, y: Tensor, *, direction: str) -> Tensor:
    one_of("direction", direction, ("LEFT", "RIGHT"))
    return (tl.bitwise_left_shift if direction == "LEFT" else tl.bitwise_right_shift)(x, y)


@onnx_op("IsInf")
def is_inf(x: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    found = tl.isinf(x)
    if not detect_negative:
        found = found & (x > 0)
    return found if detect_positive else found & (x < 0)


@onnx_op("Identity")
def identity(x: Any) -> Any:
    return x


@onnx_op("Cast", since=6)
def cast(x: Tensor, *, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    return cast_to(x, to, bool(saturate), round_mode)


@onnx_op("Cast")
def cast_1(x: Tensor, *, to: str) -> Tensor:
    """Opset 1 names the dtype by text."""
    from onnx import TensorProto

    code = dict(TensorProto.DataType.items()).get(to.upper(), 0)
    if code not in DTYPES or dtype_name(code) not in _CAST_1:
        raise OnnxError(f"expected to as one of {', '.join(_CAST_1)}, got {to!r}")
    return cast(x, to=code)


_CAST_1 = (
    "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip


@onnx_op("CastLike", since=15)
def cast_like(x: Tensor, like: Tensor, *, saturate: int = 1, round_mode: str = "up") -> Tensor:
    return cast_dtype(x, like.dtype, bool(saturate), round_mode)


@onnx_op("Sum", since=8)
def total(*inputs: Tensor) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = result + x
    return result


@onnx_op("Mean", since=8)
def mean(*inputs: Tensor) -> Tensor:
    return total(*inputs) / len(inputs)


@onnx_op("Max", since=8)
def maximum(*inputs: Tensor) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = tl.maximum(result, x)
    return result


@onnx_op("Min", since=8)
def minimum(*inputs: Tensor) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = tl.minimum(result, x)
    return result


def _of_one_shape(function: Any) -> Any:
    def run(*inputs: Tensor) -> Any:
        alike(inputs)
        return function(*inputs)

    return run


for _name, _function in {"Sum": total, "Mean": mean, "Max": maximum, "Min": minimum}.items():
    onnx_op(_name)(_of_one_shape(_function))


@onnx_op("Clip", since=11)
def clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """``min(max(x, low), high)``: with low above high the result is high."""
    if low is not None:
        x = tl.maximum(x, _limit("min", low))
    return x if high is None else tl.minimum(x, _limit("max", high))


def _limit(name: str, limit: Tensor) -> Tensor:
    """A scalar; or a tensor of shape (1,), which exporters write and ONNX Runtime takes for one."""
    if limit.ndim > 1 or limit.numel() != 1:
        raise OnnxError(f"expected {name} as a scalar, got shape {tuple(limit.shape)}")
    return limit.reshape(()) if limit.ndim else limit


@onnx_op("Clip", since=6)
def clip_6(
    x: Tensor, *, min: float = -3.4028234663852886e38, max: float = 3.4028234663852886e38
) -> Tensor:
    return tl.clamp(x, min, max)


@onnx_op("Clip")
def clip_1(x: Tensor, *, min: float | None = None, max: float | None = None) -> Tensor:
    return x if min is None and max is None else tl.clamp(x, min, max)
