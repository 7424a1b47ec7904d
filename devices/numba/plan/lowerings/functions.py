"""Logarithms, powers and the activations that are made of others, as expressions."""

from __future__ import annotations

import math
from typing import Any

from .....ops.trace import Ref
from .....tensor import Tensor
from ..builder import Arguments
from .elementwise import Chain, _number, _same, elementwise
from .joining import part

_same("log", "log1p", "sin", "cos", "exp2", "sign", "atan", "asin", "acos", "sinh", "cosh",
      "asinh", "acosh", "atanh")  # fmt: skip


@elementwise("tan")
def tan(f: Chain, call: Arguments) -> Any:
    return f("div", f("sin", call["input"]), f("cos", call["input"]))


@elementwise("log2")
def log2(f: Chain, call: Arguments) -> Any:
    return f("mul", f("log", call["input"]), 1 / math.log(2))


@elementwise("log10")
def log10(f: Chain, call: Arguments) -> Any:
    return f("mul", f("log", call["input"]), 1 / math.log(10))


for _name in ("fmax", "fmin", "fmod"):

    @elementwise(_name)
    def pair(f: Chain, call: Arguments, name: str = _name) -> Any:
        return f(name, call["input"], call["other"])


@elementwise("remainder")
def remainder(f: Chain, call: Arguments) -> Any:
    """With the sign of the divisor."""
    divisor = call["other"]
    rest = f("fmod", call["input"], divisor)
    differ = f("lt", f("mul", f("sign", rest), f("sign", divisor)), 0.0)
    return f("where", differ, f("add", rest, divisor), rest)


@elementwise("expm1")
def expm1(f: Chain, call: Arguments) -> Any:
    """``(u - 1) x / log(u)`` with ``u = e**x``, whose errors cancel (Kahan)."""
    x = call["input"]
    u = f("exp", x)
    less = f("sub", u, 1.0)
    kept = f("div", f("mul", less, x), f("log", u))
    found = f("where", f("lt", f("abs", x), 1.0), kept, less)
    return f("where", f("eq", u, 1.0), x, found)


@elementwise("logaddexp")
def logaddexp(f: Chain, call: Arguments) -> Any:
    """``log(e**a + e**b)``."""
    a, b = call["input"], call["other"]
    apart = f("log1p", f("exp", f("neg", f("abs", f("sub", a, b)))))
    apart = f("where", f("eq", a, b), math.log(2), apart)
    return f("add", f("maximum", a, b), apart)


@elementwise("nn.functional.softplus", "softplus")
def softplus(f: Chain, call: Arguments) -> Any:
    """``log(1 + e**(b x)) / b``, by ``max(x, 0) + log1p(e**-|x|)``."""
    beta, threshold = call.get("beta", 1.0), call.get("threshold", 20.0)
    scaled = call["input"] if beta == 1 else f("mul", call["input"], float(beta))
    tail = f("log1p", f("exp", f("neg", f("abs", scaled))))
    found = f("add", f("clamp_low", scaled, 0.0), tail)
    found = found if beta == 1 else f("div", found, float(beta))
    return f("where", f("gt", scaled, float(threshold)), call["input"], found)


@elementwise("nn.functional.logsigmoid")
def logsigmoid(f: Chain, call: Arguments) -> Any:
    tail = f("log1p", f("exp", f("neg", f("abs", call["input"]))))
    return f("sub", f("clamp_high", call["input"], 0.0), tail)


@elementwise("nn.functional.mish")
def mish(f: Chain, call: Arguments) -> Any:
    x = call["input"]
    tail = f("log1p", f("exp", f("neg", f("abs", x))))
    return f("mul", x, f("tanh", f("add", f("clamp_low", x, 0.0), tail)))


@elementwise("selu", "nn.functional.selu")
def selu(f: Chain, call: Arguments) -> Any:
    return f("mul", f("elu", call["input"], 1.6732632423543772), 1.0507009873554805)


@elementwise("celu", "nn.functional.celu")
def celu(f: Chain, call: Arguments) -> Any:
    alpha = float(call.get("alpha", 1.0))
    scaled = call["input"] if alpha == 1 else f("div", call["input"], alpha)
    low = f("mul", f("elu", f("clamp_high", scaled, 0.0), 1.0), alpha)
    return f("where", f("gt", call["input"], 0.0), call["input"], low)


@elementwise("nn.functional.softsign")
def softsign(f: Chain, call: Arguments) -> Any:
    return f("div", call["input"], f("add", f("abs", call["input"]), 1.0))


@elementwise("threshold", "nn.functional.threshold")
def threshold(f: Chain, call: Arguments) -> Any:
    below = f("le", call["input"], float(call["threshold"]))
    return f("where", below, float(call["value"]), call["input"])


@elementwise("hardshrink", "nn.functional.hardshrink")
def hardshrink(f: Chain, call: Arguments) -> Any:
    least = float(call.get("lambd", 0.5))
    inside = f("le", f("abs", call["input"]), least)
    return f("where", inside, 0.0, call["input"])


@elementwise("softshrink", "nn.functional.softshrink")
def softshrink(f: Chain, call: Arguments) -> Any:
    x, by = call["input"], float(call.get("lambd", 0.5))
    return f("sub", x, f("clamp_high", f("clamp_low", x, -by), by))


@elementwise("nn.functional.tanhshrink")
def tanhshrink(f: Chain, call: Arguments) -> Any:
    return f("sub", call["input"], f("tanh", call["input"]))


@elementwise("lerp")
def lerp(f: Chain, call: Arguments) -> Any:
    share = f("mul", f("sub", call["end"], call["input"]), call["weight"])
    return f("add", call["input"], share)


@elementwise("fma")
def fma(f: Chain, call: Arguments) -> Any:
    return f("fma", call["input"], call["other"], call["addend"])


@elementwise("addcmul")
def addcmul(f: Chain, call: Arguments) -> Any:
    product = f("mul", call["tensor1"], call["tensor2"])
    return f("add", call["input"], f("mul", product, float(call.get("value", 1))))


@elementwise("addcdiv")
def addcdiv(f: Chain, call: Arguments) -> Any:
    ratio = f("div", call["tensor1"], call["tensor2"])
    return f("add", call["input"], f("mul", ratio, float(call.get("value", 1))))


@elementwise("masked_fill")
@elementwise("masked_fill", kind="whole")
def masked_fill(f: Chain, call: Arguments) -> Any:
    whole = f.builder.dtype(call.output).kind in "iu"
    return f("i.where" if whole else "where", call["mask"], call["value"], call["input"])


@elementwise("clamp_min", "clamp_max")
def clamp_one(f: Chain, call: Arguments) -> Any:
    """A bound that is a number, or a tensor."""
    low = call.call.name == "clamp_min"
    bound = call["min"] if low else call["max"]
    if _number(bound, 8) is None:
        return f("maximum" if low else "minimum", call["input"], bound)
    return f("clamp_low" if low else "clamp_high", call["input"], bound)


@elementwise("nn.functional.prelu", "prelu")
def prelu(f: Chain, call: Arguments) -> Any:
    x, weight = call["input"], call["weight"]
    if isinstance(weight, Ref) or not isinstance(weight, Tensor):
        return "a slope that is computed"
    if weight.numel() > 1:
        weight = weight.detach().reshape(-1, *[1] * max(0, len(f.shape) - 2))
    return f("where", f("gt", x, 0.0), x, f("mul", x, weight))


@elementwise("nn.functional.glu")
def glu(f: Chain, call: Arguments) -> Any:
    """One half of the channels times the sigmoid of the other."""
    view = f.builder.view(call["input"])
    dim = call.get("dim", -1) % len(f.shape)
    starts = [f.shape[dim] if d == dim else 0 for d in range(len(f.shape))]
    first, second = (part(view, f.shape, at) for at in ([0] * len(f.shape), starts))
    return f("mul", first, f("sigmoid", second))


@elementwise("zeros_like", "ones_like", "full_like")
def alike(f: Chain, call: Arguments) -> Any:
    """Numbers of a shape that is known."""
    values = {"zeros_like": 0.0, "ones_like": 1.0}
    value = values.get(call.call.name, call.get("fill_value"))
    if not isinstance(value, bool | int | float):
        return "a number that is computed"
    return f("add", float(value), 0.0)
