"""Samples of tensorlite.ops.trigonometry."""

from . import ALL, FLOATS, INTS, REAL, T, case

for name in ("sin", "cos", "tan", "sinh", "cosh", "asinh", "atan"):
    case(name, T(2, 3), dtypes=ALL, rtol=1e-2 if name == "tan" else None)
    case(name, T(), dtypes="float32 bool")
    case(name, T(50, low=-40, high=40), dtypes="float32 float64")
for name in ("asin", "acos", "atanh"):
    case(name, T(2, 3, low=-0.9, high=0.9), dtypes=f"{FLOATS} complex64")
    case(name, T(9, low=0, high=2), dtypes=INTS)
    case(name, T(20, low=-2, high=2))
case("acosh", T(2, 3, low=1, high=4), dtypes=ALL)
case("acosh", T(9))
for name in ("atan2",):
    case(name, T(2, 3), T(2, 3), dtypes=f"{REAL} bool")
    case(name, T(2, 1, 3), T(4, 1))
case("hypot", T(2, 3), T(3), dtypes=FLOATS)
for name in ("deg2rad", "rad2deg"):
    case(name, T(2, 3, low=-400, high=400), dtypes=FLOATS)
    case(name, T(5, low=0, high=100), dtypes=f"{INTS} bool")
