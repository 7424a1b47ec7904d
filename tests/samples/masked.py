"""Samples of tensorlite.ops.masked."""

from . import FLOATS, D, T, case

MASK = T(3, 4, dtype="bool")
inf = float("inf")
for name in ("sum", "prod", "amax", "amin", "mean", "logsumexp", "var", "std"):
    floats = name in ("mean", "logsumexp", "var", "std")
    kinds = "float32 float64" if floats else "float32 float64 int64 uint8"
    case(f"masked.{name}", T(3, 4), mask=MASK, dtypes=kinds)
    case(f"masked.{name}", T(2, 3, 4), 2, mask=MASK, dtypes=kinds)
    case(f"masked.{name}", T(2, 3, 4), (0, 2), keepdim=True, mask=MASK, dtypes=kinds)
    case(f"masked.{name}", T(3, 4), 1, dtypes=kinds)
    if name != "logsumexp":
        case(f"masked.{name}", T(3, 4), 1, mask=MASK, dtype=D("float64"), dtypes="float32 int64")
for name in ("argmax", "argmin"):
    case(f"masked.{name}", T(3, 4), mask=MASK)
    case(f"masked.{name}", T(3, 4), 1, keepdim=True, mask=MASK)
case("masked.median", T(3, 5), 0, mask=T(3, 5, dtype="bool"), dtypes="float32 float64")
case("masked.median", T(3, 5), keepdim=True)
for order in (0, 1, 2.0, 3, inf, -inf, -1):
    case("masked.norm", T(3, 4), order, 1, mask=MASK)
case("masked.norm", T(3, 4), mask=MASK, dtypes="float32 float64")
for name in ("cumsum", "cumprod"):
    case(f"masked.{name}", T(3, 4), 1, mask=MASK, dtypes=f"{FLOATS} int64 uint8")
for name in ("softmax", "log_softmax", "softmin"):
    case(f"masked.{name}", T(3, 9), 1, mask=T(3, 9, dtype="bool"), dtypes="float32 float64")
    case(f"masked.{name}", T(3, 4), 0)
for order in (1, 2.0, inf):
    case("masked.normalize", T(3, 4), order, 1, mask=MASK, dtypes="float32 float64")
case("masked.logaddexp", T(3, 4), T(3, 4), input_mask=MASK, dtypes="float32 float64")
case("masked.logaddexp", T(3, 4), T(3, 4), input_mask=MASK, other_mask=T(3, 4, dtype="bool"))
case("masked.var", T(3, 4), 1, False, mask=MASK)
case("masked.var", T(3, 4), 1, correction=2, mask=MASK)
