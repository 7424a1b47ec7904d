"""Samples of tensorlite.ops.scan."""

from . import ALL, FLOATS, REAL, D, T, case

for name in ("cumsum", "cumprod"):
    case(name, T(3, 4), 1, dtypes=ALL)
    case(name, T(3, 4), -2, dtypes=ALL)
    case(name, T(), 0, dtypes=ALL)
    case(name, T(0, 3), 0, dtypes=ALL)
    case(name, T(3, 4), 0, dtype=D("float64"), dtypes="float32 int64 bfloat16")
for name in ("cummax", "cummin"):
    case(name, T(3, 20), 1, dtypes=f"{REAL} bool")
    case(name, T(20, 3), 0, dtypes=f"{REAL} bool")
    case(name, T(), 0, dtypes=REAL)
    case(name, T(0, 3), 0, dtypes=REAL)
case("logcumsumexp", T(3, 4), 1, dtypes=FLOATS)
case("logcumsumexp", T(20, 3, low=-500, high=500), 0)
case("logcumsumexp", T(), 0)
case("diff", T(3, 5), dtypes=ALL)
case("diff", T(3, 5), 2, 0, dtypes=ALL)
case("diff", T(3, 5), 9, dtypes=ALL)
case("diff", T(3, 5), prepend=T(3, 2), append=T(3, 1), dtypes=ALL)
for name in ("trapezoid", "cumulative_trapezoid"):
    case(name, T(3, 5), dtypes=f"{FLOATS} int64 complex64")
    case(name, T(3, 5), dx=0.5, dim=0, dtypes=f"{FLOATS} int64 complex64")
    case(name, T(3, 5), T(5), dtypes="float32 float64 int64 complex64")
    case(name, T(3, 5), T(3, 5), dim=0, dtypes="float32 float64 int64 complex64")
case("gradient", T(5, 6), dtypes="float32 float64 complex64")
case("gradient", T(5, 6), spacing=2.0, dim=1)
case("gradient", T(5, 6), spacing=[0.5, 2.0], dim=(0, 1), edge_order=2)
