"""Samples of tensorlite.ops.arithmetic."""

from . import ALL, FLOATS, INTS, REAL, T, case

for name in ("add", "mul"):
    case(name, T(2, 3), T(2, 3), dtypes=ALL)
    case(name, T(2, 1, 3), T(4, 1), dtypes=ALL)
    case(name, T(), T(3), dtypes=ALL)
    case(name, T(0, 3), T(3), dtypes=ALL)
for name in ("add", "sub", "mul", "div"):
    case(name, T(2, 3), 2, dtypes=REAL)
    case(name, T(2, 3), 1.5, dtypes=f"{REAL} bool complex64" if name != "sub" else REAL)
    case(name, T(2, 3), T(3, dtype="float64"), dtypes=f"{REAL} complex64")
for name in ("add", "sub", "rsub"):
    case(name, T(2, 3), T(2, 3), alpha=2, dtypes=REAL)
case("sub", T(2, 3), T(3), dtypes=f"{REAL} complex64")
case("rsub", T(2, 3), 4, dtypes=REAL)
case("div", T(2, 3), T(2, 3, low=1, high=4), dtypes=ALL)
for mode in ("floor", "trunc"):
    case("div", T(4, 5), T(5, low=1, high=4), rounding_mode=mode, dtypes=f"{INTS} float32 float64")
    case("div", T(4, 5), -2.5, rounding_mode=mode, dtypes="float32 int64")
for name in ("floor_divide", "remainder", "fmod"):
    case(name, T(4, 5), T(5, low=1, high=4), dtypes=f"{INTS} float32 float64")
    case(name, T(4, 5), -2, dtypes="float32 int64")
case("pow", T(4, 5, low=0.5), T(5), dtypes=f"{FLOATS} complex64")
case("pow", T(4, 5), T(5, low=0), dtypes="int64 int32 uint8")
case("pow", T(4, 5), 2, dtypes=REAL)
case("pow", 2, T(3, low=0), dtypes=REAL)
