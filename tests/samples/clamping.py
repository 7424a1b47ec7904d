"""Samples of tensorlite.ops.clamping."""

from . import ALL, FLOATS, INTS, REAL, T, case

case("clamp", T(2, 3), -1, 2, dtypes=f"{FLOATS} int64 int32")
case("clamp", T(2, 3), 1.5, dtypes=REAL)
case("clamp", T(2, 3), max=1, dtypes=REAL)
case("clamp", T(2, 3), T(3), T(2, 1), dtypes=REAL)
case("clamp", T(2, 3), 2, 1, dtypes=REAL)
case("clamp", T(), T(3), dtypes=REAL)
for name in ("clamp_min", "clamp_max"):
    case(name, T(2, 3), 1, dtypes=REAL)
    case(name, T(2, 3), T(3), dtypes=REAL)
case("nan_to_num", T(2, 3), dtypes=ALL)
case("nan_to_num", T(2, 3), 1.5, 2, -3, dtypes="float32 complex64 int64")
case("lerp", T(2, 3), T(3), 0.25, dtypes=f"{FLOATS} complex64")
case("lerp", T(2, 3), T(3), T(2, 1, low=0, high=1), dtypes=f"{FLOATS} complex64")
for name in ("addcmul", "addcdiv"):
    other = T(2, 1, low=1, high=4)
    kinds = REAL if name == "addcmul" else FLOATS
    case(name, T(2, 3), T(3), other, dtypes=f"{kinds} complex64")
    case(name, T(2, 3), T(3), other, value=2, dtypes=f"{kinds} complex64")
case("addcmul", T(2, 3), T(3, dtype="float32"), T(3), value=0.5, dtypes=INTS)
case(
    "fma", T(2, 3), T(3), T(2, 1), dtypes="float32 float16 bfloat16",
    torch=lambda a, b, c: (a.double() * b.double() + c.double()).to(a.dtype),
)  # fmt: skip
