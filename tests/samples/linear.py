"""Samples of tensorlite.ops.linear."""

from . import FLOATS, T, case

F = "nn.functional"
for lead in ((), (3,), (2, 3), (0,)):
    case(f"{F}.linear", T(*lead, 5), T(4, 5), T(4), dtypes=f"{FLOATS} complex64")
    case(f"{F}.linear", T(*lead, 5), T(4, 5))
    case(f"{F}.bilinear", T(*lead, 5), T(*lead, 6), T(4, 5, 6), T(4))
case(f"{F}.linear", T(3, 5), T(5))
case(f"{F}.linear", T(3, 5), T(4, 5), T(4), dtypes="int64")
case(f"{F}.bilinear", T(3, 5), T(3, 6), T(4, 5, 6), dtypes="float32 float64 bfloat16")
