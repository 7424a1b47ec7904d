"""Functions of integers in expressions: vectors of int64, whatever the dtype in memory.

Values of narrower dtypes are widened as they are read and cut (``i.int32``) where a result of
their dtype would wrap around. The names begin with ``i.`` where the result is such a vector;
``int_eq`` and the like give a truth, 1.0 or 0.0, and ``float_of`` a number.
"""

from __future__ import annotations

from collections.abc import Callable

from .emit import Expression, Value

#: LLVM's types of integers in memory, and how they become wider.
NARROW = {
    "int64": ("i64", ""),
    "int32": ("i32", "sext"),
    "int16": ("i16", "sext"),
    "int8": ("i8", "sext"),
    "uint8": ("i8", "zext"),
    "bool": ("i8", "zext"),
}


def wide(e: Expression) -> str:
    """The type of a vector."""
    return f"<{e.lanes} x i64>"


def whole(e: Expression, value: int) -> Value:
    """One number in every lane."""
    return f"<{', '.join([f'i64 {value}'] * e.lanes)}>"


def _binary(operation: str) -> Callable[..., Value]:
    def function(e: Expression, a: Value, b: Value) -> Value:
        return e.line(f"{operation} {wide(e)} {a}, {b}")

    return function


def _test(e: Expression, predicate: str, a: Value, b: Value) -> Value:
    return f"<{e.lanes} x i1> {e.line(f'icmp {predicate} {wide(e)} {a}, {b}')}"


def _select(e: Expression, test: Value, yes: Value, no: Value) -> Value:
    return e.line(f"select {test}, {wide(e)} {yes}, {wide(e)} {no}")


def _better(predicate: str) -> Callable[..., Value]:
    def function(e: Expression, a: Value, b: Value) -> Value:
        return _select(e, _test(e, predicate, a, b), a, b)

    return function


def _compare(predicate: str) -> Callable[..., Value]:
    def function(e: Expression, a: Value, b: Value) -> Value:
        test, one, zero = _test(e, predicate, a, b), e.constant(1.0), e.constant(0.0)
        return e.line(f"select {test}, {e.vector} {one}, {e.vector} {zero}")

    return function


def _cut(dtype: str) -> Callable[..., Value]:
    kind, way = NARROW[dtype]

    def function(e: Expression, x: Value) -> Value:
        low = e.line(f"trunc {wide(e)} {x} to <{e.lanes} x {kind}>")
        return e.line(f"{way} <{e.lanes} x {kind}> {low} to {wide(e)}")

    return function


def _neg(e: Expression, x: Value) -> Value:
    return e.line(f"sub {wide(e)} zeroinitializer, {x}")


def _abs(e: Expression, x: Value) -> Value:
    return _select(e, _test(e, "slt", x, "zeroinitializer"), _neg(e, x), x)


def _sign(e: Expression, x: Value) -> Value:
    positive = _select(e, _test(e, "sgt", x, "zeroinitializer"), whole(e, 1), whole(e, 0))
    return _select(e, _test(e, "slt", x, "zeroinitializer"), whole(e, -1), positive)


def _remainder(e: Expression, a: Value, b: Value) -> Value:
    """With the sign of a positive divisor."""
    rest = e.line(f"srem {wide(e)} {a}, {b}")
    more = e.line(f"add {wide(e)} {rest}, {b}")
    return _select(e, _test(e, "slt", rest, "zeroinitializer"), more, rest)


def _floor_divide(e: Expression, a: Value, b: Value) -> Value:
    """Rounded down, by a positive divisor."""
    less = e.line(f"sub {wide(e)} {a}, {_remainder(e, a, b)}")
    return e.line(f"sdiv {wide(e)} {less}, {b}")


def _choose(e: Expression, condition: Value, yes: Value, no: Value) -> Value:
    return _select(e, _test(e, "ne", condition, "zeroinitializer"), yes, no)


def _truncated(e: Expression, x: Value) -> Value:
    return e.line(f"fptosi {e.vector} {x} to {wide(e)}")


def _float(e: Expression, x: Value) -> Value:
    return e.line(f"sitofp {wide(e)} {x} to {e.vector}")


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "i.add": _binary("add"),
    "i.sub": _binary("sub"),
    "i.mul": _binary("mul"),
    "i.and": _binary("and"),
    "i.or": _binary("or"),
    "i.xor": _binary("xor"),
    "i.neg": _neg,
    "i.abs": _abs,
    "i.sign": _sign,
    "i.maximum": _better("sgt"),
    "i.minimum": _better("slt"),
    "i.remainder": _remainder,
    "i.floor_divide": _floor_divide,
    "i.divide": _binary("sdiv"),
    "i.rest": _binary("srem"),
    "i.where": _choose,
    "i.trunc": _truncated,
    "float_of": _float,
    **{f"i.{name}": _cut(name) for name in ("int32", "int16", "int8", "uint8")},
    **{
        f"int_{name}": _compare(predicate)
        for name, predicate in (
            ("eq", "eq"), ("ne", "ne"), ("lt", "slt"), ("le", "sle"), ("gt", "sgt"), ("ge", "sge"),
        )
    },
}  # fmt: skip
