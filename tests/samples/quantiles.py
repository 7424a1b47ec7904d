"""Samples of tensorlite.ops.quantiles."""

from . import REAL, T, case

for name in ("median", "nanmedian"):
    case(name, T(2, 7, low=-90, high=90), dtypes=REAL)
    case(name, T(2, 31, low=-9999, high=9999), 1, dtypes="float32 float64 int64 int32")
    case(name, T(30, 2, low=-9999, high=9999), 0, True, dtypes="float32 float64 int64 int32")
    case(name, T(), 0, dtypes=REAL)
    case(name, T(0))
    case(name, T(0, 3), 1)
case("mode", T(2, 12), dtypes=f"{REAL} bool")
case("mode", T(12, 2), 0, True, dtypes=f"{REAL} bool")
case("mode", T(), dtypes=REAL)
for name in ("quantile", "nanquantile"):
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        case(name, T(3, 6), 0.3, interpolation=how, dtypes="float32 float64")
        case(name, T(3, 6), T(4, low=0, high=1), 1, True, interpolation=how)
    case(name, T(3, 6), 0.5, 0, dtypes="float32 float64")
    case(name, T(5), T(2, low=0, high=1), keepdim=True)
    case(name, T(), 0.5)
