"""Arithmetic, comparison, logic and functions of one number.

Inputs of one call have one dtype in ONNX, so nothing is promoted here. Source: ONNX operators,
opset in each ``since``; versions that differ only in the dtypes they allow share a function.
"""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ..registry import onnx_op

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


def _broadcast(a: Tensor, b: Tensor, axis: int | None) -> Tensor:
    """Opsets 1 to 6: ``b`` is laid along ``a`` from ``axis`` on (from the end by default)."""
    if axis is None:
        return b
    axis = axis + a.ndim if axis < 0 else axis
    return b.reshape(*b.shape, *[1] * (a.ndim - axis - b.ndim))


def _old_binary(function: Any) -> Any:
    def run(
        a: Tensor,
        b: Tensor,
        *,
        axis: int | None = None,
        broadcast: int = 0,
        consumed_inputs: list[int] | None = None,
    ) -> Any:
        return function(a, _broadcast(a, b, axis) if broadcast else b)

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
def mod(a: Tensor, b: Tensor, *, fmod: int = 0) -> Tensor:
    """The sign is the divisor's, or with ``fmod`` the dividend's."""
    return tl.fmod(a, b) if fmod else tl.remainder(a, b)


@onnx_op("BitShift")
def bit_shift(x: Tensor, y: Tensor, *, direction: str) -> Tensor:
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
    from ..casting import cast_to

    return cast_to(x, to, bool(saturate), round_mode)


@onnx_op("Cast")
def cast_1(x: Tensor, *, to: str) -> Tensor:
    """Opset 1 names the dtype by text."""
    import onnx

    return cast(x, to=onnx.TensorProto.DataType.Value(to.upper()))


@onnx_op("CastLike", since=15)
def cast_like(x: Tensor, like: Tensor, *, saturate: int = 1, round_mode: str = "up") -> Tensor:
    from ..casting import cast_dtype

    return cast_dtype(x, like.dtype, bool(saturate), round_mode)


@onnx_op("Sum")
def total(*inputs: Tensor, consumed_inputs: list[int] | None = None) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = result + x
    return result


@onnx_op("Mean")
def mean(*inputs: Tensor, consumed_inputs: list[int] | None = None) -> Tensor:
    return total(*inputs) / len(inputs)


@onnx_op("Max")
def maximum(*inputs: Tensor, consumed_inputs: list[int] | None = None) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = tl.maximum(result, x)
    return result


@onnx_op("Min")
def minimum(*inputs: Tensor, consumed_inputs: list[int] | None = None) -> Tensor:
    result = inputs[0]
    for x in inputs[1:]:
        result = tl.minimum(result, x)
    return result


@onnx_op("Clip", since=11)
def clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """``min(max(x, low), high)``: with low above high the result is high."""
    if low is not None:
        x = tl.maximum(x, low)
    return x if high is None else tl.minimum(x, high)


@onnx_op("Clip")
def clip_1(
    x: Tensor,
    *,
    min: float | None = None,
    max: float | None = None,
    consumed_inputs: list[int] | None = None,
) -> Tensor:
    return x if min is None and max is None else tl.clamp(x, min, max)
