"""Samples of tensorlite.ops.elementwise."""

from . import ALL, FLOATS, INTS, REAL, T, case

MOST = f"{REAL} complex64"

for name in ("abs", "neg", "positive"):
    case(name, T(2, 3), dtypes=MOST)
    case(name, T(), dtypes=MOST)
case("square", T(2, 3), dtypes=ALL)
for name in ("exp", "exp2", "expm1", "sigmoid", "sqrt", "log", "log2", "log10", "reciprocal"):
    case(name, T(2, 3, low=0.5), dtypes=ALL)
    case(name, T(0), dtypes=ALL)
    case(name, T(), dtypes="float32 int64")
    case(name, T(50, low=-20, high=20))
case("rsqrt", T(2, 3, low=0.1), dtypes=ALL)
case("rsqrt", T(20))
case("log1p", T(2, 3, low=-0.9, high=4), dtypes=ALL)
for name in ("logaddexp", "logaddexp2"):
    case(name, T(2, 3), T(2, 3), dtypes=FLOATS)
    case(name, T(2, 1, 3), T(4, 1, low=-500, high=500))
case("logaddexp", T(2, 3), T(3), dtypes="complex64")
case("float_power", T(2, 3, low=1), 2, dtypes=ALL)
case("float_power", T(2, 3, low=1), T(3), dtypes=f"{FLOATS} complex64")
case("float_power", 2, T(3), dtypes=INTS)
for name in ("gcd", "lcm"):
    case(name, T(5, low=-50, high=50), T(5, low=-50, high=50), dtypes=INTS)
    case(name, T(5, 1, low=-50, high=50), T(3, low=-50, high=50, dtype="int32"), dtypes=INTS)
