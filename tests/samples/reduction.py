"""Samples of tensorlite.ops.reduction."""

from . import ALL, FLOATS, REAL, D, T, case

KINDS = {
    "sum": ALL,
    "nansum": f"{REAL} bool",
    "mean": f"{FLOATS} complex64",
    "nanmean": FLOATS,
    "any": ALL,
    "all": ALL,
}
for name, kinds in KINDS.items():
    case(name, T(2, 3, 4), dtypes=kinds)
    case(name, T(), dtypes=kinds)
    case(name, T(2, 3, 4), -1, dtypes=kinds)
    case(name, T(2, 3, 4), (0, 2), keepdim=True, dtypes=kinds)
    if name not in ("any", "all"):
        case(name, T(2, 3, 4), dim=(), dtypes="float32")
    case(name, T(2, 0, 4), 1, dtypes=kinds)
    case(name, T(), 0, dtypes="float32")
for name in ("sum", "nansum", "prod"):
    case(name, T(2, 3), dtype=D("float64"), dtypes="float32 int64 bfloat16")
    case(name, T(2, 3), 0, dtype=D("int32"), dtypes="float32 int64 bfloat16")
case("mean", T(2, 3), dtype=D("float32"), dtypes="int64 bool bfloat16")
case("sum", T(5000, 3), 0, dtypes="float32 float64")
case("mean", T(2, 3000, 3), (0, 1), dtypes=FLOATS)
case("prod", T(2, 3), dtypes=ALL)
case("prod", T(2, 3), 1, True, dtypes=ALL)
case("prod", T(2, 0), 1, dtypes=ALL)
case("count_nonzero", T(20, low=0, high=2), dtypes=ALL)
case("count_nonzero", T(4, 5, 2, low=0, high=2), (0, 1), dtypes=ALL)
case("logsumexp", T(2, 3), 1, dtypes=f"{FLOATS} int64 complex64")
case("logsumexp", T(2, 3, 4, low=-900, high=900), (0, -1), True, dtypes="float32 float64")
case("logsumexp", T(0, 3), 0)
case("logsumexp", T(), 0)
case("sum_to_size", T(2, 3), 1, 3, dtypes=ALL)
case("sum_to_size", T(4, 2, 3), (2, 1), dtypes=ALL)
case("sum_to_size", T(2, 3), (2, 3), dtypes=ALL)
case("sum_to_size", T(), (), dtypes=ALL)
