"""Samples of tensorlite.ops.sorting."""

from . import REAL, T, case

for dim in (0, -1):
    for descending in (False, True):
        case("sort", T(4, 5), dim=dim, descending=descending, stable=True, dtypes="float32 float64")
        case("argsort", T(4, 5), dim=dim, descending=descending, stable=True)
case("sort", T(20), stable=True, dtypes=f"{REAL} bool")
case("sort", T())
case("msort", T(4, 5))
for largest in (True, False):
    case("topk", T(4, 5), 2, -1, largest)
    case("topk", T(5, 4), 3, 0, largest)
case("kthvalue", T(4, 5), 2)
case("kthvalue", T(4, 5), 3, 0, True)
case("searchsorted", T(5, low=0, high=1), T(3, 4), dtypes="float32")
case("searchsorted", T(1), T(4), right=True, out_int32=True, dtypes="float32 int64")
case("bucketize", T(3, 4), T(1), dtypes="float32 int64")
case("unique", T(20), True, True, True, dtypes=f"{REAL} bool")
case("unique", T(4, 2), dim=0)
case("unique_consecutive", T(20), True, True, dtypes="int64 bool")
case("unique_consecutive", T(6, 1), dim=0, dtypes="int64 bool")
case("isin", T(3, 4), T(5), dtypes="int64 int32")
case("isin", T(3, 4), T(5), invert=True, dtypes="int64")
