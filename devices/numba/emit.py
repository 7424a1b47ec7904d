"""Vector expressions as LLVM IR text: a value of ``<lanes x float>`` is a name like ``%v7``.

An :class:`Expression` collects instructions; :func:`elementwise` wraps one in a loop over arrays.
The functions of one number are those of float32 mathematical libraries: a range reduction and a
polynomial. Their error is measured in the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .code import Code
from .code import Value as Value


class Expression:
    """Straight-line vector code over float32, by itself or as part of a function."""

    def __init__(self, lanes: int, code: Code | None = None) -> None:
        self.code = code
        self.lanes = lanes
        self.vector = f"<{lanes} x float>"
        self.integers = f"<{lanes} x i32>"
        self.lines: list[str] = []
        self.declarations: set[str] = set() if code is None else code.declarations

    def line(self, text: str) -> Value:
        """An instruction; gives the name of its result."""
        if self.code is not None:
            return self.code.value(text)
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {text}")
        return name

    def constant(self, value: float) -> Value:
        """A vector with one number in every lane, exactly as float32."""
        (rounded,) = struct.unpack("<f", struct.pack("<f", value))
        (bits,) = struct.unpack("<Q", struct.pack("<d", rounded))
        return f"<{', '.join([f'float 0x{bits:016X}'] * self.lanes)}>"

    def whole(self, value: int) -> Value:
        """A vector with one integer in every lane."""
        return f"<{', '.join([f'i32 {value}'] * self.lanes)}>"

    def binary(self, operation: str, a: Value, b: Value) -> Value:
        return self.line(f"{operation} {self.vector} {a}, {b}")

    def add(self, a: Value, b: Value) -> Value:
        return self.binary("fadd", a, b)

    def sub(self, a: Value, b: Value) -> Value:
        return self.binary("fsub", a, b)

    def mul(self, a: Value, b: Value) -> Value:
        return self.binary("fmul", a, b)

    def div(self, a: Value, b: Value) -> Value:
        return self.binary("fdiv", a, b)

    def call(self, name: str, *args: Value) -> Value:
        """An intrinsic of LLVM over the vector type."""
        kind = f"v{self.lanes}f32"
        types = ", ".join([self.vector] * len(args))
        self.declarations.add(f"declare {self.vector} @llvm.{name}.{kind}({types})")
        given = ", ".join(f"{self.vector} {a}" for a in args)
        return self.line(f"call {self.vector} @llvm.{name}.{kind}({given})")

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        return self.call("fma", a, b, c)

    def select(self, condition: str, a: Value, b: Value, yes: Value, no: Value) -> Value:
        """``yes`` where the comparison of a and b holds, else ``no``."""
        test = self.line(f"fcmp {condition} {self.vector} {a}, {b}")
        mask = f"<{self.lanes} x i1> {test}"
        return self.line(f"select {mask}, {self.vector} {yes}, {self.vector} {no}")

    def polynomial(self, x: Value, *coefficients: float) -> Value:
        """Horner's rule; the highest power comes first."""
        total = self.constant(coefficients[0])
        for c in coefficients[1:]:
            total = self.fma(total, x, self.constant(c))
        return total


def relu(e: Expression, x: Value) -> Value:
    zero = e.constant(0.0)
    return e.select("ult", x, zero, e.select("uno", x, x, x, zero), x)


def exp(e: Expression, x: Value) -> Value:
    """``2**n * e**r`` with n the nearest integer to x / ln 2."""
    low, high = e.constant(-104.0), e.constant(89.0)
    held = e.select("ogt", x, high, high, x)
    return _exp(e, e.select("olt", held, low, low, held))


def exp_of_negative(e: Expression, x: Value) -> Value:
    """``e**x`` for x up to 0; what float32 holds with fewer digits only (below 1e-38) is 0."""
    return e.select("olt", x, e.constant(-87.0), e.constant(0.0), _exp_within(e, x))


def _exp_within(e: Expression, x: Value) -> Value:
    """``e**x`` for x from -87 to 88."""
    return _exp(e, x, normal=True)


def _exp(e: Expression, x: Value, normal: bool = False) -> Value:
    """``e**x`` for x from -104 to 89, or with ``normal`` -87 to 88; nan stays."""
    n = e.call("rint", e.mul(x, e.constant(1.4426950408889634)))
    r = e.fma(n, e.constant(-0.693359375), x)
    r = e.fma(n, e.constant(2.12194440e-4), r)
    p = e.polynomial(
        r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5
    )
    p = e.add(e.fma(p, e.mul(r, r), r), e.constant(1.0))
    if e.lanes == 16:  # AVX-512 has an instruction for it
        name = "llvm.x86.avx512.mask.scalef.ps.512"
        v = e.vector
        e.declarations.add(f"declare {v} @{name}({v}, {v}, {v}, i16, i32)")
        return e.line(f"call {v} @{name}({v} {p}, {v} {n}, {v} {p}, i16 -1, i32 4)")
    whole = e.line(f"fptosi {e.vector} {n} to {e.integers}")
    if normal:
        shifted = e.line(f"shl {e.integers} {whole}, {e.whole(23)}")
        bits = e.line(f"bitcast {e.vector} {p} to {e.integers}")
        scaled = e.line(f"add {e.integers} {bits}, {shifted}")
        return e.line(f"bitcast {e.integers} {scaled} to {e.vector}")
    half = e.line(f"ashr {e.integers} {whole}, {e.whole(1)}")
    rest = e.line(f"sub {e.integers} {whole}, {half}")
    scaled = e.mul(e.mul(p, _power_of_two(e, half)), _power_of_two(e, rest))
    return e.select("uno", x, x, x, scaled)


def _power_of_two(e: Expression, n: Value) -> Value:
    biased = e.line(f"add {e.integers} {n}, {e.whole(127)}")
    bits = e.line(f"shl {e.integers} {biased}, {e.whole(23)}")
    return e.line(f"bitcast {e.integers} {bits} to {e.vector}")


def sigmoid(e: Expression, x: Value) -> Value:
    """``1 / (1 + e**-x)``; below -88 the result is 0 or one of the smallest numbers."""
    one = e.constant(1.0)
    return e.div(one, e.add(one, exp(e, e.line(f"fneg {e.vector} {x}"))))


def silu(e: Expression, x: Value) -> Value:
    """``x / (1 + e**-x)``; -inf gives -inf / inf otherwise, so it is held at a finite number."""
    low = e.constant(-3.4e38)
    held = e.select("olt", x, low, low, x)
    return e.mul(held, sigmoid(e, x))


def _held(e: Expression, x: Value, most: float) -> Value:
    """A number between -most and most; nan stays."""
    low, high = e.constant(-most), e.constant(most)
    held = e.select("ogt", x, high, high, x)
    return e.select("olt", held, low, low, held)


def tanh(e: Expression, x: Value) -> Value:
    """A polynomial near zero, ``1 - 2 / (e**2|x| + 1)`` elsewhere, which is 1 from 10 on."""
    size = e.call("fabs", x)
    square = e.mul(x, x)
    near = e.polynomial(
        square, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
        -3.33332819422e-1,
    )  # fmt: skip
    near = e.fma(e.mul(near, square), x, x)
    one, most = e.constant(1.0), e.constant(10.0)
    held = e.select("ogt", size, most, most, size)
    far = e.sub(one, e.div(e.constant(2.0), e.add(_exp_within(e, e.add(held, held)), one)))
    value = e.select("olt", size, e.constant(0.625), near, far)
    return e.call("copysign", value, x)


def erf(e: Expression, x: Value) -> Value:
    """Two polynomials, the second in the exponent of ``1 - e**p(|x|)``."""
    size, four = e.call("fabs", x), e.constant(4.0)
    t = e.select("ogt", size, four, four, size)  # beyond 4 the result is 1
    s = e.mul(t, t)
    r = e.fma(e.constant(-1.72853470e-5), t, e.constant(3.83197126e-4))
    u = e.fma(e.constant(-3.88396438e-3), t, e.constant(2.42546219e-2))
    r = e.fma(r, s, u)
    for c in (-1.06777877e-1, -6.34846687e-1, -1.28717512e-1):
        r = e.fma(r, t, e.constant(c))
    r = e.fma(r, t, e.line(f"fneg {e.vector} {t}"))
    far = e.call("copysign", e.sub(e.constant(1.0), _exp_within(e, r)), x)
    near = e.polynomial(
        s, -5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1,
        1.28379166e-1,
    )  # fmt: skip
    near = e.fma(near, x, x)
    return e.select("ogt", t, e.constant(0.927734375), far, near)


def gelu(e: Expression, x: Value) -> Value:
    """``x`` times the normal distribution, which is 1/2 and x times a quotient of polynomials in
    x**2 (fitted to 2.5e-8 of its value up to 4 sqrt 2).
    """
    most = 5.6568542494923806
    held = _held(e, x, most)
    square = e.mul(held, held)
    above = e.polynomial(
        square, 2.194953882e-08, 6.287851109e-06, 1.716215132e-04, 4.693579494e-03,
        3.421455239e-02, 3.989422706e-01,
    )  # fmt: skip
    below = e.polynomial(
        square, 1.169318472e-06, 7.409701320e-05, 1.900911867e-03, 2.883763180e-02,
        2.524294432e-01, 1.0,
    )  # fmt: skip
    share = e.fma(e.div(above, below), held, e.constant(0.5))
    none = e.constant(0.0)
    share = e.select("olt", share, none, none, share)
    return e.select("olt", x, e.constant(-most), e.constant(-0.0), e.mul(x, share))


def elementwise(function: Callable[[Expression, Value], Value], lanes: int) -> str:
    """IR of ``void kernel(float* out, float* x, int64 n)``; the last elements are masked."""
    body = Expression(lanes)
    result = function(body, "%x")
    v = body.vector
    mask = f"<{lanes} x i1>"
    steps = ", ".join(f"i64 {i}" for i in range(lanes))
    masked = f"v{lanes}f32.p0"
    return "\n".join(
        [
            *sorted(body.declarations),
            f"declare {v} @llvm.masked.load.{masked}(ptr, i32, {mask}, {v})",
            f"declare void @llvm.masked.store.{masked}({v}, ptr, i32, {mask})",
            f"define internal {v} @function({v} %x) alwaysinline {{",
            *body.lines,
            f"  ret {v} {result}",
            "}",
            "define void @kernel(ptr %out, ptr %in, i64 %n) {",
            "entry:",
            f"  %whole = and i64 %n, {-lanes}",
            "  %any = icmp sgt i64 %whole, 0",
            "  br i1 %any, label %loop, label %tail",
            "loop:",
            "  %i = phi i64 [0, %entry], [%next, %loop]",
            "  %from = getelementptr float, ptr %in, i64 %i",
            "  %to = getelementptr float, ptr %out, i64 %i",
            f"  %x = load {v}, ptr %from, align 4",
            f"  %y = call {v} @function({v} %x)",
            f"  store {v} %y, ptr %to, align 4",
            f"  %next = add i64 %i, {lanes}",
            "  %more = icmp slt i64 %next, %whole",
            "  br i1 %more, label %loop, label %tail",
            "tail:",
            "  %left = sub i64 %n, %whole",
            "  %some = icmp sgt i64 %left, 0",
            "  br i1 %some, label %last, label %done",
            "last:",
            f"  %one = insertelement <{lanes} x i64> poison, i64 %left, i32 0",
            f"  %all = shufflevector <{lanes} x i64> %one, <{lanes} x i64> poison, "
            f"<{lanes} x i32> zeroinitializer",
            f"  %mask = icmp slt <{lanes} x i64> <{steps}>, %all",
            "  %tailfrom = getelementptr float, ptr %in, i64 %whole",
            "  %tailto = getelementptr float, ptr %out, i64 %whole",
            f"  %tx = call {v} @llvm.masked.load.{masked}(ptr %tailfrom, i32 4, {mask} %mask, "
            f"{v} zeroinitializer)",
            f"  %ty = call {v} @function({v} %tx)",
            f"  call void @llvm.masked.store.{masked}({v} %ty, ptr %tailto, i32 4, {mask} %mask)",
            "  br label %done",
            "done:",
            "  ret void",
            "}",
        ]
    )
