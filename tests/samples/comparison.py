"""Samples of tensorlite.ops.comparison."""

from . import ALL, FLOATS, REAL, T, case

for name in ("eq", "ne", "lt", "le", "gt", "ge", "maximum", "minimum", "fmax", "fmin"):
    kinds = ALL if name in ("eq", "ne") else f"{REAL} bool"
    case(name, T(2, 3), T(2, 3), dtypes=kinds)
    case(name, T(2, 1, 3), T(4, 1), dtypes=kinds)
    case(name, T(2, 3), T(3, dtype="int32"), dtypes=REAL)
    case(name, T(), T(3), dtypes=kinds)
    case(name, T(0, 3), T(3), dtypes=kinds)
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    case(name, T(2, 3), 1, dtypes=f"{REAL} bool")
    case(name, T(2, 3), 0.5, dtypes=REAL)
for name in ("isnan", "isinf", "isfinite", "isreal"):
    case(name, T(2, 3), dtypes=ALL)
for name in ("isposinf", "isneginf"):
    case(name, T(2, 3), dtypes=f"{REAL} bool")
for name in ("isclose", "allclose"):
    case(name, T(2, 3), T(2, 3), dtypes=ALL if name == "isclose" else f"{FLOATS} int64 complex64")
    case(name, T(2, 3), T(2, 3), rtol=0.5, atol=1, dtypes=f"{FLOATS} int64 complex64")
    case(name, T(2, 3), T(2, 3), rtol=100.0, equal_nan=True, dtypes=FLOATS)
case("equal", T(2, 3), T(2, 3), dtypes=ALL)
case("equal", T(2, 3), T(3), dtypes=ALL)
case("equal", T(0), T(0), dtypes=ALL)
