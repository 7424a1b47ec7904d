"""Expressions over float32 vectors as plain data: what is fused behind a product or in one pass.

An expression is a tuple: ``("in", 0)`` is the first operand, ``("acc",)`` what a product has summed
up, ``("const", 0.5)`` a number, and ``("add", a, b)`` a function of expressions. Being data it is
part of the key under which a kernel is kept. ``("whole", 5)`` is an integer, ``("i.acc",)`` a sum
of integers and ``("i.load", ("in", 0))`` an operand of integers (:mod:`.integers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import emit, halves, integers, logarithms, trigonometry
from .emit import Expression, Value

Tree = tuple[Any, ...]
ACC: Tree = ("acc",)
SUM: Tree = ("i.acc",)
LEAVES = frozenset({"in", "acc", "i.acc", "const", "whole"})


def operand(index: int) -> Tree:
    """The operand of that number."""
    return ("in", index)


def constant(value: float) -> Tree:
    """A number."""
    return ("const", float(value))


def _clamp_low(e: Expression, x: Value, low: Value) -> Value:
    return e.select("olt", x, low, low, x)


def _clamp_high(e: Expression, x: Value, high: Value) -> Value:
    return e.select("ogt", x, high, high, x)


def _fmax(e: Expression, a: Value, b: Value) -> Value:
    if b.startswith("%"):
        return e.call("maxnum", a, b)
    return e.select("ogt", a, b, a, b)  # of a constant: one instruction


def _leaky(e: Expression, x: Value, slope: Value) -> Value:
    return e.select("olt", x, e.constant(0.0), e.mul(x, slope), x)


def _elu(e: Expression, x: Value, alpha: Value) -> Value:
    below = e.mul(alpha, e.sub(emit.exp(e, x), e.constant(1.0)))
    return e.select("ogt", x, e.constant(0.0), x, below)


def _sign(e: Expression, x: Value) -> Value:
    zero, one = e.constant(0.0), e.constant(1.0)
    below = e.select("olt", x, zero, e.constant(-1.0), zero)
    return e.select("ogt", x, zero, one, below)


def _choose(e: Expression, condition: Value, yes: Value, no: Value) -> Value:
    return e.select("une", condition, e.constant(0.0), yes, no)


def _compare(predicate: str) -> Callable[..., Value]:
    def compare(e: Expression, a: Value, b: Value) -> Value:
        return e.select(predicate, a, b, e.constant(1.0), e.constant(0.0))

    return compare


#: What each function is in vector code. Truth is 1.0 and 0.0.
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "add": Expression.add,
    "sub": Expression.sub,
    "mul": Expression.mul,
    "div": Expression.div,
    "fma": Expression.fma,
    "neg": lambda e, x: e.line(f"fneg {e.vector} {x}"),
    "abs": lambda e, x: e.call("fabs", x),
    "sqrt": lambda e, x: e.call("sqrt", x),
    "same": lambda e, x: x,
    "floor": lambda e, x: e.call("floor", x),
    "ceil": lambda e, x: e.call("ceil", x),
    "round": lambda e, x: e.call("rint", x),
    "maximum": lambda e, a, b: e.call("maximum", a, b),
    "minimum": lambda e, a, b: e.call("minimum", a, b),
    "clamp_low": _clamp_low,
    "clamp_high": _clamp_high,
    "leaky_relu": _leaky,
    "elu": _elu,
    "where": _choose,
    "gt": _compare("ogt"),
    "ge": _compare("oge"),
    "lt": _compare("olt"),
    "le": _compare("ole"),
    "eq": _compare("oeq"),
    "ne": _compare("une"),
    "relu": emit.relu,
    "exp": emit.exp,
    "sigmoid": emit.sigmoid,
    "silu": emit.silu,
    "tanh": emit.tanh,
    "erf": emit.erf,
    "gelu": emit.gelu,
    "truth": lambda e, x: e.select("une", x, e.constant(0.0), e.constant(1.0), e.constant(0.0)),
    "isnan": lambda e, x: e.select("uno", x, x, e.constant(1.0), e.constant(0.0)),
    "trunc": lambda e, x: e.call("trunc", x),
    "sign": _sign,
    "log": logarithms.log,
    "log1p": logarithms.log1p,
    "fmax": _fmax,
    "fmin": lambda e, a, b: e.call("minnum", a, b),
    "fmod": lambda e, a, b: e.binary("frem", a, b),
    "sin": lambda e, x: e.call("sin", x),
    "cos": lambda e, x: e.call("cos", x),
    "pow": lambda e, x, y: e.call("pow", x, y),
    "exp2": lambda e, x: e.call("exp2", x),
    **integers.FUNCTIONS,
    **halves.FUNCTIONS,
    **trigonometry.FUNCTIONS,
}
_HEAVY = frozenset({
    "exp", "exp2", "log", "log1p", "sin", "cos", "pow", "fmod", "sigmoid", "silu", "tanh",
    "erf", "gelu", "elu", "maximum", "minimum", *trigonometry.FUNCTIONS,
})  # fmt: skip


def simplified(tree: Tree) -> Tree:
    """GELU where it is written out: ``x * 0.5 * (1 + erf(x / sqrt 2))`` in any order."""
    if tree[0] == "same" and tree[1][0] not in LEAVES:
        return tree[1]
    if tree[0] != "mul":
        return tree
    parts = _factors(tree)
    if len(parts) != 3 or ("const", 0.5) not in parts:
        return tree
    parts.remove(("const", 0.5))
    for x, share in (parts, parts[::-1]):
        if share[0] == "add" and ("const", 1.0) in share[1:]:
            inner = share[2] if share[1] == ("const", 1.0) else share[1]
            if inner[0] == "erf" and _over_root_two(inner[1]) == x:
                return ("gelu", x)
    return tree


def _factors(tree: Tree) -> list[Tree]:
    """What is multiplied."""
    if tree[0] != "mul":
        return [tree]
    return [factor for part in tree[1:] for factor in _factors(part)]


def _over_root_two(tree: Tree) -> Tree | None:
    """The x of ``x / sqrt 2``."""
    if tree[0] not in ("mul", "div") or tree[2][0] != "const":
        return None
    number = tree[2][1] if tree[0] == "div" else 1 / (tree[2][1] or 1.0)
    return tree[1] if abs(number - 2**0.5) < 1e-6 else None


def weight(tree: Tree) -> int:
    """About how many vector instructions an expression takes."""
    if tree[0] in LEAVES:
        return 1
    own = 25 if tree[0] in _HEAVY else 1
    return own + sum(weight(t) for t in tree[1:])


def emitted(e: Expression, tree: Tree, leaf: Callable[[Tree], Value]) -> Value:
    """The instructions of an expression; ``leaf`` gives its operands. Equal parts are shared."""
    made: dict[Tree, Value] = {}

    def visit(node: Tree) -> Value:
        if node not in made:
            if node[0] == "const":
                made[node] = e.constant(node[1])
            elif node[0] == "whole":
                made[node] = integers.whole(e, node[1])
            elif node[0] in ("in", "acc", "i.load"):
                made[node] = leaf(node)
            else:
                made[node] = FUNCTIONS[node[0]](e, *[visit(part) for part in node[1:]])
        return made[node]

    return visit(tree)


def narrowed(tree: Tree) -> tuple[str, Tree] | None:
    """``("uint8", x)`` or ``("int8", x)`` where an expression is a number x within the dtype's
    limits, cut to it.
    """
    if tree[0] not in ("i.int8", "i.uint8") or tree[1][0] != "i.trunc":
        return None
    dtype, x = tree[0][2:], tree[1][1]
    low, high = (-128, 127) if dtype == "int8" else (0, 255)
    if x[0] != "clamp_high" or x[1][0] not in ("clamp_low", "fmax"):
        return None
    least, most = x[1][2], x[2]
    held = least[0] == most[0] == "const" and low <= least[1] <= most[1] <= high
    return (dtype, x) if held else None


def is_integral(tree: Tree) -> bool:
    """Whether the values of an expression of floats are whole numbers, as far as can be told."""
    if tree[0] == "const":
        return bool(tree[1] == int(tree[1])) if abs(tree[1]) < 2**24 else False
    if tree[0] in ("add", "sub", "clamp_low", "clamp_high", "fmax", "fmin"):
        return all(is_integral(part) for part in tree[1:])
    return tree[0] in ("round", "trunc", "floor", "ceil", "float_of")


def is_whole(tree: Tree) -> bool:
    """Whether the values of an expression are integers."""
    return tree[0] == "whole" or tree[0].startswith("i.")


def replaced(tree: Tree, leaves: dict[Tree, Tree]) -> Tree:
    """An expression with other leaves."""
    if tree in leaves:
        return leaves[tree]
    if tree[0] in LEAVES:
        return tree
    return (tree[0], *[replaced(part, leaves) for part in tree[1:]])


def leaves(tree: Tree) -> Iterator[Tree]:
    """The operands of an expression, from left to right, as often as they stand there."""
    if tree[0] in ("in", "acc"):
        yield tree
    elif tree[0] not in LEAVES:
        for part in tree[1:]:
            yield from leaves(part)
