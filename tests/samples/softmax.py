"""Samples of tensorlite.ops.softmax."""

from . import FLOATS, D, T, case

for name in ("softmax", "log_softmax"):
    for dim in (0, 1, -1):
        case(name, T(3, 4, 5), dim, dtypes=FLOATS)
    case(name, T(), 0)
    case(name, T(0, 3), 1)
    case(name, T(3, 0), 1)
    case(name, T(3, 4, low=-90, high=90), 1)
    case(name, T(3, 4), 1, dtype=D("float64"), dtypes="float32 int64 bfloat16")
    case(name, T(3, 4), 1, dtype=D("bfloat16"))
    case(name, T(3, 4), 0, D("float32"), dtypes="float16 float32")
    case(name, T(3, 4), -1, 3, D("float64"), torch=f"nn.functional.{name}")
case("nn.functional.softmin", T(3, 4), dim=0, dtypes=FLOATS)
case("nn.functional.gumbel_softmax", T(3, 4), exact=False, dtypes="float32 float64")
case("nn.functional.gumbel_softmax", T(3, 4), 0.5, True, dim=0, exact=False)
