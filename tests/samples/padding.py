"""Samples of tensorlite.ops.padding."""

from . import ALL, T, case

PAD = "nn.functional.pad"
for amounts in ((1, 2), (1, 0, 2, 1), (1, -1, -2, 1), (0, 0, 1, 1, 2, 0, 0, 3)):
    case(PAD, T(2, 3, 4, 5), amounts, dtypes=ALL)
    case(PAD, T(2, 3, 4, 5), amounts, value=2, dtypes="float32 int64 bfloat16")
case(PAD, T(0, 3), (1, 1))
case(PAD, T(3, 0), (1, 1))
case(PAD, T(), ())
case(PAD, T(3), (-1, -1))
for mode in ("reflect", "replicate", "circular"):
    dtypes = "float32 float64 float16 bfloat16 int64 uint8 complex64"
    case(PAD, T(2, 3, 4, 5), (1, 2, 3, 1), mode, dtypes=dtypes)
    case(PAD, T(3, 4, 5), (1, 2, 3, 1), mode)
    case(PAD, T(2, 3, 5), (1, 2), mode)
    case(PAD, T(3, 5), (1, 2), mode)
    case(PAD, T(2, 3, 4, 5, 3), (1, 2, 3, 1, 2, 0), mode)
    case(PAD, T(0, 3, 5), (1, 2), mode)
case(PAD, T(2, 3, 4), (-1, 2), "reflect")
case(PAD, T(2, 3, 4), (7, 9), "replicate")
case("constant_pad_nd", T(2, 3), (1, -1, 2, 0), 3, dtypes=ALL)
