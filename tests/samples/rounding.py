"""Samples of tensorlite.ops.rounding."""

from . import ALL, FLOATS, INTS, REAL, T, case

for name in ("floor", "ceil", "trunc", "round"):
    case(name, T(20, low=-5, high=5), dtypes=REAL)
    case(name, T(), dtypes=REAL)
case("round", T(20, low=-5, high=5), decimals=2, dtypes="float32 float64 float16")
case("round", T(20, low=-5000, high=5000), decimals=-2, dtypes="float32 float64")
case("frac", T(20, low=-5, high=5), dtypes=FLOATS)
for name in ("sign", "sgn", "signbit"):
    case(name, T(20, low=-5, high=5), dtypes=f"{REAL} bool")
    case(name, T(0), dtypes=REAL)
case("sgn", T(6), dtypes="complex64")
case("copysign", T(2, 3), T(3), dtypes=f"{REAL} bool")
case("copysign", T(2, 3), -1, dtypes=f"{REAL} bool")
case("nextafter", T(2, 3), T(3), dtypes="float32 float64 bfloat16 float16")
case("ldexp", T(2, 3), T(3, dtype="int32"), dtypes=ALL)
case("ldexp", T(4), T(4), dtypes="float32 float64")
case("frexp", T(20, low=-100, high=100), dtypes="float32 float64 float16 bfloat16")
case("heaviside", T(20, low=-2, high=2), T(1), dtypes=f"{FLOATS} {INTS} bool")
