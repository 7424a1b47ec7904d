"""Samples of tensorlite.ops.extrema."""

from . import REAL, T, case

KINDS = f"{REAL} bool"
for name in ("amax", "amin"):
    case(name, T(2, 3, 4), dtypes=KINDS)
    case(name, T(2, 3, 4), -1, dtypes=KINDS)
    case(name, T(2, 3, 4), (0, 2), True, dtypes=KINDS)
    case(name, T(), 0, dtypes=KINDS)
    case(name, T(0, 3), 1, dtypes=KINDS)
case("aminmax", T(2, 3), dtypes=KINDS)
case("aminmax", T(2, 3), dim=1, keepdim=True, dtypes=KINDS)
for name in ("max", "min"):
    case(name, T(2, 3, low=-90, high=90), dtypes=KINDS)
    case(name, T(2, 30, low=-9999, high=9999), 1, dtypes=f"{REAL}")
    case(name, T(20), 0, dtypes="bool int64")
    case(name, T(2, 30, low=-9999, high=9999), dim=-1, keepdim=True, dtypes="float32 int64")
    case(name, T(), 0, dtypes=KINDS)
    case(name, T(0, 3), 1, dtypes=KINDS)
    case(name, T(2, 3), T(3), dtypes=KINDS)
    case(name, T(2, 3), other=T(3, dtype="int64"), dtypes=KINDS)
for name in ("argmax", "argmin"):
    case(name, T(2, 30, low=-9999, high=9999), dtypes=REAL)
    case(name, T(2, 30, low=-9999, high=9999), 1, True, dtypes=REAL)
    case(name, T(9), 0, dtypes="int64")
    case(name, T(), dtypes=REAL)
    case(name, T(2, 3), keepdim=True)
    case(name, T(0, 3), 1)
