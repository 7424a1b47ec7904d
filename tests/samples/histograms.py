"""Samples of tensorlite.ops.histograms."""

from . import T, case

KINDS = "float32 float64"
case("histc", T(50), 8, dtypes=KINDS)
case("histc", T(5, 10), 8, -2, 2, dtypes=KINDS)
case("histc", T(1), 4)
case("histogram", T(50), 8, dtypes=KINDS)
case("histogram", T(50), 8, range=(-2.0, 2.5), dtypes=KINDS)
case("histogram", T(5, 10), 5, weight=T(5, 10, low=0), density=True, dtypes=KINDS)
case("histogram", T(1), 4)
case("histogramdd", T(50, 2), 4, dtypes=KINDS)
case("histogramdd", T(50, 2), [4, 5], range=(-2.0, 2.0, -1.0, 1.0), dtypes=KINDS)
case("histogramdd", T(5, 10, 3), [4, 5, 2], weight=T(5, 10, low=0), density=True, dtypes=KINDS)
case("bincount", T(20, low=0, high=9), dtypes="int64 int32 uint8")
case("bincount", T(20, low=0, high=9), minlength=12, dtypes="int64 int32 uint8")
for kind in ("float32", "float64", "int64", "float16"):
    case("bincount", T(20, low=0, high=9), T(20, dtype=kind), dtypes="int64 uint8")
case("bincount", T(0), dtypes="int64")
