"""Activation functions of networks."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import ALL, bool_
from ..errors import ArgumentError, DTypeError, OperatorError, ShapeError
from .dims import dtype_of, is_integral, normalize_dim, special
from .random import _draw
from .registry import TOP, Array, F, op

_ZERO = {d.numpy: np.zeros((), d.numpy) for d in ALL}
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_RELU = {dtype: partial(np.maximum, zero) for dtype, zero in _ZERO.items()}


@op(spaces=(TOP, F), method=True, inplace=True, fast=_RELU, fast_kinds="uif")
def relu(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``max(0, x)``; nan stays. Raises DTypeError for bool and complex.

    Source: PyTorch ``torch.relu``.

    >>> import tensorlite as tl
    >>> tl.relu(tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    _ordered(input, "relu")
    return xp.maximum(input, xp.zeros((), input.dtype))


@op(
    spaces=(TOP, F), method=True, inplace=True, promote="input", floating=True, upcast=True,
    fast=np.tanh,
)  # fmt: skip
def tanh(xp: Any, input: Array) -> Array:
    """The hyperbolic tangent. Source: PyTorch ``torch.tanh``.

    >>> import tensorlite as tl
    >>> tl.tanh(tl.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return xp.tanh(input)


@op(spaces=F)
def relu6(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``min(max(0, x), 6)``. Source: PyTorch ``torch.nn.functional.relu6``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.relu6(tl.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """
    _ordered(input, "relu6")
    return _clipped(xp, input, 0, 6)


@op(spaces=F, inplace=True)
def hardtanh(
    xp: Any, input: Array, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Array:
    """``min(max(min_val, x), max_val)``. Source: PyTorch ``torch.nn.functional.hardtanh``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.hardtanh(tl.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    _ordered(input, "hardtanh")
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    return _clipped(xp, input, min_val, max_val)


@op(spaces=F, inplace=True, upcast=True)
def leaky_relu(xp: Any, input: Array, negative_slope: float = 0.01, inplace: bool = False) -> Array:
    """``x`` where positive, else ``negative_slope * x``.

    Source: PyTorch ``torch.nn.functional.leaky_relu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.leaky_relu(tl.tensor([-1.0, 2.0]), 0.5)
    tensor([-0.5000,  2.0000])
    """
    _real(input, "leaky_relu")
    if 0 < negative_slope <= 1:
        return xp.maximum(input, input * negative_slope)
    return xp.where(input > 0, input, input * negative_slope)


@op(spaces=(TOP, F), method=True, upcast=True)
def prelu(xp: Any, input: Array, weight: Array) -> Array:
    """``x`` where positive, else ``weight * x``: one weight, or one per channel (dimension 1).

    Raises ShapeError. Source: PyTorch ``torch.nn.functional.prelu``.

    >>> import tensorlite as tl
    >>> tl.prelu(tl.tensor([[-1.0, -2.0]]), tl.tensor([0.5, 0.25]))
    tensor([[-0.5000, -0.5000]])
    """
    _real(input, "prelu")
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.size != 1 and (weight.ndim > 1 or weight.size != channels):
        raise ShapeError(
            f"prelu: expected one weight or one per channel of {tuple(input.shape)}, got "
            f"{tuple(weight.shape)}"
        )
    each = [1] * input.ndim
    if weight.size != 1:
        each[1] = channels
    return xp.where(input > 0, input, input * weight.reshape(each))


@op(spaces=(TOP, F), inplace=True, upcast=True)
def rrelu(
    xp: Any,
    input: Array,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Array:
    """``x`` where positive, else ``a * x``: a uniform in [lower, upper], or their mean.

    It is random when ``training`` (Xu et al., 2015). Source: PyTorch
    ``torch.nn.functional.rrelu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.rrelu(tl.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    _real(input, "rrelu")
    slope: Any = (lower + upper) / 2
    if training:
        slope = _draw(xp, None, lambda g: g.uniform(lower, upper, input.shape), input.dtype)
    return xp.where(input >= 0, input, input * slope)


@op(spaces=F, inplace=True, upcast=True)
def elu(xp: Any, input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """``x`` where positive, else ``alpha * (exp(x) - 1)`` (Clevert et al., 2015).

    Source: PyTorch ``torch.nn.functional.elu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.elu(tl.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    _real(input, "elu")
    return xp.where(input > 0, input, alpha * xp.expm1(input))


@op(spaces=(TOP, F), inplace=True, upcast=True)
def selu(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``1.0507 * elu(x, 1.6733)`` (Klambauer et al., 2017).

    Source: PyTorch ``torch.nn.functional.selu``.

    >>> import tensorlite as tl
    >>> tl.selu(tl.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    _real(input, "selu")
    return _SELU_SCALE * xp.where(input > 0, input, _SELU_ALPHA * xp.expm1(input))


@op(spaces=(TOP, F), inplace=True, upcast=True)
def celu(xp: Any, input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """``max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`` (Barron, 2017).

    Source: PyTorch ``torch.nn.functional.celu``.

    >>> import tensorlite as tl
    >>> tl.celu(tl.tensor([-1.0, 2.0]), 2.0)
    tensor([-0.7869,  2.0000])
    """
    _real(input, "celu")
    if alpha == 0:
        raise OperatorError("celu: alpha must not be zero")
    return xp.where(input > 0, input, alpha * xp.expm1(input / alpha))


def _gelu(input: Array, xp: Any = np) -> Array:
    return 0.5 * input * (1 + special(xp).erf(input * math.sqrt(0.5)))


@op(spaces=F, upcast=True, fast=_gelu, fast_kinds="F")
def gelu(xp: Any, input: Array, approximate: str = "none") -> Array:
    """``x * Phi(x)``, Phi the normal distribution; "tanh" approximates it (Hendrycks, 2016).

    Source: PyTorch ``torch.nn.functional.gelu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.gelu(tl.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    _real(input, "gelu")
    if approximate == "none":
        return _gelu(input, xp)
    if approximate != "tanh":
        raise ArgumentError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    inner = math.sqrt(2 / math.pi) * (input + 0.044715 * input * input * input)
    return 0.5 * input * (1 + xp.tanh(inner))


def _silu(input: Array, xp: Any = np) -> Array:
    return input / (1 + xp.exp(-input))


@op(spaces=F, upcast=True, fast=_silu, fast_kinds="F")
def silu(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``x * sigmoid(x)``, also called swish. Source: PyTorch ``torch.nn.functional.silu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.silu(tl.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    _inexact(input, "silu")
    return _silu(input, xp)


@op(spaces=F, upcast=True)
def mish(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``x * tanh(log(1 + exp(x)))`` (Misra, 2019). Source: PyTorch ``torch.nn.functional.mish``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.mish(tl.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    _real(input, "mish")
    return input * xp.tanh(xp.logaddexp(input, xp.zeros((), input.dtype)))


@op(spaces=F, upcast=True)
def softplus(xp: Any, input: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """``log(1 + exp(beta * x)) / beta``; ``x`` where ``beta * x`` is above the threshold.

    Source: PyTorch ``torch.nn.functional.softplus``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.softplus(tl.tensor([-1.0, 2.0, 30.0]))
    tensor([ 0.3133,  2.1269, 30.0000])
    """
    _real(input, "softplus")
    scaled = beta * input
    return xp.where(scaled > threshold, input, xp.log1p(xp.exp(scaled)) / beta)


@op(spaces=F, promote="input", floating=True, upcast=True)
def softsign(xp: Any, input: Array) -> Array:
    """``x / (1 + |x|)``. Source: PyTorch ``torch.nn.functional.softsign``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.softsign(tl.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (1 + abs(input))


@op(spaces=F, promote="input", floating=True, upcast=True)
def tanhshrink(xp: Any, input: Array) -> Array:
    """``x - tanh(x)``. Source: PyTorch ``torch.nn.functional.tanhshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.tanhshrink(tl.tensor([-1.0, 2.0]))
    tensor([-0.2384,  1.0360])
    """
    return input - xp.tanh(input)


@op(spaces=F, upcast=True)
def hardsigmoid(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``min(max(0, x + 3), 6) / 6``. Source: PyTorch ``torch.nn.functional.hardsigmoid``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.hardsigmoid(tl.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    _real(input, "hardsigmoid")
    result = _clipped(xp, input + 3, 0, 6)
    result /= 6
    return result


@op(spaces=F, upcast=True)
def hardswish(xp: Any, input: Array, inplace: bool = False) -> Array:
    """``x * hardsigmoid(x)`` (Howard et al., 2019).

    Source: PyTorch ``torch.nn.functional.hardswish``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.hardswish(tl.tensor([-2.0, 1.0, 4.0]))
    tensor([-0.3333,  0.6667,  4.0000])
    """
    _real(input, "hardswish")
    result = _clipped(xp, input + 3, 0, 6)
    result *= input
    result /= 6
    return result


@op(spaces=(TOP, F), method=True)
def hardshrink(xp: Any, input: Array, lambd: float = 0.5) -> Array:
    """``x`` outside [-lambd, lambd], else 0. Source: PyTorch ``torch.nn.functional.hardshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.hardshrink(tl.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    _real(input, "hardshrink")
    within = (input >= -lambd) & (input <= lambd)
    return xp.where(within, xp.zeros((), input.dtype), input)


@op(spaces=F, upcast=True)
def softshrink(xp: Any, input: Array, lambd: float = 0.5) -> Array:
    """``x`` drawn towards 0 by ``lambd``, and 0 where it would pass it.

    Source: PyTorch ``torch.nn.functional.softshrink``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.softshrink(tl.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    _real(input, "softshrink")
    if not lambd >= 0:
        raise OperatorError(f"softshrink: lambd must not be negative, got {lambd}")
    drawn = xp.where(input > lambd, input - lambd, input + lambd)
    return xp.where(abs(input) <= lambd, xp.zeros((), input.dtype), drawn)


@op(spaces=(TOP, F), inplace=True)
def threshold(
    xp: Any, input: Array, threshold: float, value: float, inplace: bool = False
) -> Array:
    """``x`` where above the threshold, else ``value``.

    Source: PyTorch ``torch.nn.functional.threshold``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.threshold(tl.tensor([-1.0, 2.0]), 0.5, 9.0)
    tensor([9., 2.])
    """
    _ordered(input, "threshold")
    return xp.where(input <= threshold, xp.asarray(value, input.dtype), input)


@op(spaces=F, upcast=True)
def logsigmoid(xp: Any, input: Array) -> Array:
    """``log(sigmoid(x))``. Source: PyTorch ``torch.nn.functional.logsigmoid``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.logsigmoid(tl.tensor([-1.0, 2.0]))
    tensor([-1.3133, -0.1269])
    """
    _real(input, "logsigmoid")
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-abs(input)))


@op(spaces=F, upcast=True)
def glu(xp: Any, input: Array, dim: int = -1) -> Array:
    """``a * sigmoid(b)``, a and b the halves of the input along ``dim`` (Dauphin et al., 2016).

    Raises ShapeError for an odd size. Source: PyTorch ``torch.nn.functional.glu``.

    >>> import tensorlite as tl
    >>> tl.nn.functional.glu(tl.tensor([2.0, 0.0]))
    tensor([1.])
    """
    _real(input, "glu")
    axis = normalize_dim(dim, input.ndim, "glu")
    if input.ndim == 0 or input.shape[axis] % 2:
        raise ShapeError(f"glu: expected an even size along dim {dim} of {tuple(input.shape)}")
    first, second = xp.split(input, 2, axis=axis)
    return first / (1 + xp.exp(-second))


def _clipped(xp: Any, input: Array, low: float, high: float) -> Array:
    above = xp.asarray(xp.maximum(input, xp.asarray(low, input.dtype)))
    return xp.minimum(above, xp.asarray(high, input.dtype), out=above)


def _ordered(input: Array, name: str) -> None:
    found = dtype_of(input)
    if found is bool_ or found.is_complex:
        raise DTypeError(f"{name}: expected integers or floats, got {found.name}")


def _inexact(input: Array, name: str) -> None:
    if is_integral(input):
        raise DTypeError(f"{name}: expected floats, got {dtype_of(input).name}; use x.float()")


def _real(input: Array, name: str) -> None:
    _inexact(input, name)
    if input.dtype.kind == "c":
        raise DTypeError(f"{name}: expected floats, got {dtype_of(input).name}")
