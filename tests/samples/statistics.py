"""Samples of tensorlite.ops.statistics."""

from . import FLOATS, T, case

KINDS = f"{FLOATS} complex64"
for name in ("var", "std", "var_mean", "std_mean"):
    case(name, T(2, 3, 4), dtypes=KINDS)
    case(name, T(2, 3, 4), 1, dtypes=KINDS)
    case(name, T(2, 3, 4), (0, 2), keepdim=True, correction=0, dtypes=KINDS)
    case(name, T(2, 3, 4), False, dtypes=KINDS)
    case(name, T(2, 3, 4), -1, False, True, dtypes=KINDS)
    case(name, T(2, 3, 4), unbiased=True, dtypes=KINDS)
    case(name, T(5000, 2), 0, correction=2.5, dtypes="float32")
case("cov", T(3, 9), dtypes=f"{KINDS} int64")
case("cov", T(9), correction=0, dtypes=f"{KINDS} int64")
case("cov", T(3, 5), fweights=T(5, dtype="int64", low=1, high=4), dtypes="float32 complex64")
case("cov", T(3, 5), aweights=T(5, dtype="float32", low=1, high=4), dtypes="float32 int64")
case(
    "cov", T(3, 5), fweights=T(5, dtype="int64", low=1, high=4),
    aweights=T(5, dtype="float64", low=1, high=4), dtypes="float32 float64",
)  # fmt: skip
case("corrcoef", T(3, 9), dtypes=f"{KINDS} int64")
case("corrcoef", T(9))
