"""Operators of single elements as expressions, which the builder fuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .....ops.trace import Ref
from .....tensor import Tensor, wrap
from ...expressions import constant
from ...fused import SOURCES
from ...halves import HALVES, has
from ..builder import ELEMENTWISE, Arguments, Builder, Lazy, array_of, lowering

CUT = ("int32", "int16", "int8", "uint8")  # results that wrap around


def readable(dtype: str) -> bool:
    """Whether the kernels of expressions read and write a dtype."""
    return dtype in SOURCES and (dtype not in HALVES or has(dtype))


class Chain:
    """Expressions over a call's arguments, for one shape."""

    def __init__(self, builder: Builder, shape: tuple[int, ...]) -> None:
        self.builder = builder
        self.shape = shape

    def __call__(self, name: str, *arguments: Any) -> Any:
        """``name(arguments)``: expressions, arguments of the call, or numbers."""
        return Pending(self, name, arguments)


class Pending:
    """A function of arguments, put together when the outermost is known."""

    def __init__(self, chain: Chain, name: str, arguments: tuple[Any, ...]) -> None:
        self.chain, self.name, self.arguments = chain, name, arguments


def _number(argument: Any, ndim: int) -> float | int | None:
    """The number that an argument is, if it is one."""
    if isinstance(argument, bool | int | float):
        return argument
    if isinstance(argument, Tensor):
        array = array_of(argument)
        if array.size == 1 and array.ndim <= ndim and array.dtype.kind in "fiub":
            found: float | int = array.reshape(-1)[0].item()
            return found
    return None


def _lazy(builder: Builder, pending: Any, shape: tuple[int, ...]) -> Any:
    """An argument or a function of arguments as a value or a tree."""
    if isinstance(pending, Pending):
        parts = [_lazy(builder, a, shape) for a in pending.arguments]
        return builder.combine(pending.name, parts, shape)
    number = _number(pending, len(shape))
    if number is None:
        return pending
    return constant(number) if isinstance(number, float) else ("whole", int(number))


def _kind(dtype: np.dtype[Any]) -> str:
    if dtype.name in HALVES:
        return "float"
    return {"f": "float", "b": "bool"}.get(dtype.kind, "whole")


#: What operators are, by the kind of their result.
RULES: dict[str, dict[str, Callable[..., Any]]] = {"float": {}, "bool": {}, "whole": {}}


def elementwise(
    *names: str, kind: str = "float"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares what operators are: a function of a :class:`Chain` and the call's arguments."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        RULES[kind].update(dict.fromkeys(names, function))

        def lower(builder: Builder, call: Arguments) -> str | None:
            output = call.output
            dtype = builder.dtype(output)
            if dtype.name not in SOURCES:
                return dtype.name
            rule = RULES[_kind(dtype)].get(call.call.name)
            if rule is None:
                return f"{call.call.name} of {dtype}"
            tensors = [a for a in call.given.values() if isinstance(a, Ref | Tensor)]
            wrong = [str(builder.dtype_of(t)) for t in tensors]
            wrong = [name for name in (*wrong, dtype.name) if not readable(name)]
            if wrong:
                return wrong[0]
            shape = builder.shape(Ref(output))
            if 0 in shape:
                return "no elements"
            found = rule(Chain(builder, shape), call)
            if isinstance(found, str):
                return found
            made = _lazy(builder, found, shape)
            if isinstance(made, Ref):
                builder.give(output, builder.view(made))
                return None
            if not isinstance(made, Lazy):
                builder.give(output, builder.view(made))
                return None
            if dtype.name in CUT:
                made.tree = (f"i.{dtype.name}", made.tree)
            if dtype.name in HALVES:
                made.tree = (f"f.{dtype.name}", made.tree)
            made.dtype = dtype
            builder.give(output, made)
            return None

        lowering(*names)(lower)
        ELEMENTWISE.update(names)
        return function

    return register


def _same(*names: str) -> None:
    """Operators of one tensor that the expressions know by the last part of their name."""
    for name in names:
        short = name.rpartition(".")[2]

        def rule(f: Chain, call: Arguments, short: str = short) -> Any:
            return f(short, call["input"])

        elementwise(name)(rule)


_same("relu", "sigmoid", "tanh", "exp", "sqrt", "erf", "neg", "abs", "floor", "ceil", "round",
      "trunc", "nn.functional.silu")  # fmt: skip


def _pair(name: str) -> None:
    @elementwise(name)
    def rule(f: Chain, call: Arguments) -> Any:
        if "rounding_mode" in call.given and call["rounding_mode"] is not None:
            return "rounded division"
        first, second = call["input"], call["other"]
        factor = call.get("alpha", 1)
        if factor != 1:
            second = f("mul", second, factor)
        return f(name, first, second)


for _name in ("add", "sub", "mul", "div", "maximum", "minimum"):
    _pair(_name)


@elementwise("rsub")
def rsub(f: Chain, call: Arguments) -> Any:
    if call.get("alpha", 1) != 1:
        return "a factor"
    return f("sub", call["other"], call["input"])


@elementwise("square")
def square(f: Chain, call: Arguments) -> Any:
    return f("mul", call["input"], call["input"])


@elementwise("reciprocal")
def reciprocal(f: Chain, call: Arguments) -> Any:
    return f("div", 1.0, call["input"])


@elementwise("rsqrt")
def rsqrt(f: Chain, call: Arguments) -> Any:
    return f("div", 1.0, f("sqrt", call["input"]))


@elementwise("pow")
def power(f: Chain, call: Arguments) -> Any:
    x, exponent = call["input"], _number(call["exponent"], 8)
    root = f("sqrt", x)
    ways = {
        4.0: lambda: f("mul", f("mul", x, x), f("mul", x, x)),
        1.5: lambda: f("mul", x, root),
        0.75: lambda: f("mul", root, f("sqrt", root)),
        0.25: lambda: f("sqrt", root),
        1.0: lambda: f("mul", x, 1.0),
        2.0: lambda: f("mul", x, x),
        3.0: lambda: f("mul", f("mul", x, x), x),
        0.5: lambda: f("sqrt", x),
        -1.0: lambda: f("div", 1.0, x),
        -0.5: lambda: f("div", 1.0, f("sqrt", x)),
    }
    if exponent not in ways or isinstance(call["input"], int | float):
        return f("pow", x, call["exponent"])
    return ways[exponent]()


@elementwise("nn.functional.gelu")
def gelu(f: Chain, call: Arguments) -> Any:
    x = call["input"]
    if call.get("approximate", "none") == "none":
        return f("gelu", x)
    cube = f("mul", f("mul", x, x), x)
    inner = f("mul", f("add", x, f("mul", cube, 0.044715)), float(np.sqrt(2 / np.pi)))
    return f("mul", f("mul", x, 0.5), f("add", f("tanh", inner), 1.0))


@elementwise("nn.functional.relu6")
def relu6(f: Chain, call: Arguments) -> Any:
    return f("clamp_high", f("clamp_low", call["input"], 0.0), 6.0)


@elementwise("nn.functional.hardtanh")
def hardtanh(f: Chain, call: Arguments) -> Any:
    low = f("clamp_low", call["input"], call.get("min_val", -1.0))
    return f("clamp_high", low, call.get("max_val", 1.0))


@elementwise("clamp")
def clamp(f: Chain, call: Arguments) -> Any:
    found = call["input"]
    low, high = (_number(call.get(n), 8) for n in ("min", "max"))
    bounds = [("maximum", call.get("min")), ("minimum", call.get("max"))]
    if any(b is not None and _number(b, 8) is None for _, b in bounds):
        for name, bound in bounds:
            found = found if bound is None else f(name, found, bound)
        return found
    if low is not None and high is not None and low > high:
        return "a lower bound above the upper one"
    if low is not None:
        found = f("clamp_low", found, low)
    if high is not None:
        found = f("clamp_high", found, high)
    return found


@elementwise("nn.functional.hardsigmoid")
def hardsigmoid(f: Chain, call: Arguments) -> Any:
    x = f("clamp_low", f("add", call["input"], 3.0), 0.0)
    return f("div", f("clamp_high", x, 6.0), 6.0)


@elementwise("nn.functional.hardswish")
def hardswish(f: Chain, call: Arguments) -> Any:
    x = f("clamp_low", f("add", call["input"], 3.0), 0.0)
    return f("mul", call["input"], f("div", f("clamp_high", x, 6.0), 6.0))


@elementwise("nn.functional.leaky_relu")
def leaky_relu(f: Chain, call: Arguments) -> Any:
    return f("leaky_relu", call["input"], call.get("negative_slope", 0.01))


@elementwise("nn.functional.elu")
def elu(f: Chain, call: Arguments) -> Any:
    return f("elu", call["input"], call.get("alpha", 1.0))


@elementwise("where")
def where(f: Chain, call: Arguments) -> Any:
    if call.get("input") is None or call.get("other") is None:
        return "places, not values"
    return f("where", call["condition"], call["input"], call["other"])


@elementwise("to")
def to_float(f: Chain, call: Arguments) -> Any:
    return f("same", call["input"])


@elementwise("nn.functional.batch_norm")
def batch_norm(f: Chain, call: Arguments) -> Any:
    """With constant statistics a factor and a term for each channel."""
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, weight, bias = (call.get(n) for n in names)
    if call.get("training", False) or any(isinstance(call.get(n), Ref) for n in names):
        return "statistics that are computed"
    if mean is None or variance is None:
        return "no statistics"
    eps = call.get("eps", 1e-5)
    scale = 1 / np.sqrt(array_of(variance).astype(np.float64) + eps)
    if weight is not None:
        scale = scale * array_of(weight)
    shift = -array_of(mean) * scale + (0 if bias is None else array_of(bias))
    shape = (-1, *[1] * (len(f.shape) - 2))
    device = f.builder.trace.device
    factor, term = (wrap(a.astype(np.float32).reshape(shape), device) for a in (scale, shift))
    return f("fma", call["input"], factor, term)
