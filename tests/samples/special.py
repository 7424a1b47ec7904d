"""Samples of tensorlite.ops.special."""

from . import FLOATS, INTS, T, case

REAL = f"{FLOATS} {INTS} bool"
for name in ("erf", "erfc", "lgamma", "digamma", "special.ndtr", "sinc"):
    rtol = 2e-2 if name == "digamma" else None
    case(name, T(30, low=-2.9, high=6), dtypes=f"{FLOATS}", rtol=rtol)
    case(name, T(5, low=1, high=6), dtypes=f"{INTS}")
case("erf", T(2, 3), dtypes="bool")
case("special.erfcx", T(30, low=-2.9, high=6), dtypes="float32 float64 int64")
case("erfinv", T(30, low=-1.2, high=1.2), dtypes="float32 float64")
case("erfinv", T(5, low=-0.9, high=0.9), dtypes=FLOATS)
for n in range(4):
    case("polygamma", n, T(9, low=0.2, high=6), dtypes="float32 float64", rtol=1e-4)
for p in (1, 3):
    case("mvlgamma", T(9, low=2, high=9), p, dtypes=f"{FLOATS} {INTS}")
for name in ("igamma", "igammac"):
    case(name, T(9, low=0.1, high=5), T(4, 1, low=0.1, high=5), dtypes=FLOATS)
case("special.zeta", T(9, low=1.5, high=5), T(4, 1, low=0.5, high=5), dtypes="float32 float64")
case("special.zeta", T(5, low=2, high=5), 2, dtypes=f"float32 {INTS}")
case("special.zeta", 2.5, T(5, low=1, high=5), dtypes=f"float32 {INTS}")
case("logit", T(9, low=0.01, high=0.99), dtypes=FLOATS)
case("logit", T(9, low=-0.5, high=1.5), dtypes="float32 float64")
case("logit", T(9, low=-0.5, high=1.5), 0.1, dtypes="float32 float64")
case("sinc", T(9), dtypes="complex64 bool")
for name in ("xlogy", "special.xlog1py"):
    case(name, T(2, 3), T(3, low=0.1), dtypes=FLOATS)
    case(name, T(5, low=0, high=4), T(5, low=0, high=4), dtypes=INTS)
    case(name, T(2, 3), 2.5, dtypes="float32 int64")
    case(name, 0, T(3, low=0.1), dtypes="float32")
case("special.entr", T(9, low=-1, high=2), dtypes=FLOATS)
case("special.entr", T(5), dtypes=f"{INTS} bool")
case("special.ndtri", T(20, low=0.01, high=0.99), dtypes="float32 float64")
case("special.log_ndtr", T(20, low=-20, high=8), dtypes="float32 float64")
