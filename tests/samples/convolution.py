"""Samples of tensorlite.ops.convolution."""

from . import FLOATS, T, case

DTYPES = f"{FLOATS} int64 int32 complex64"
SIZES = {1: (9,), 2: (7, 8), 3: (5, 6, 4)}

for n, sizes in SIZES.items():
    name, kernel = f"nn.functional.conv{n}d", (3,) * n
    case(name, T(2, 4, *sizes), T(6, 4, *kernel), dtypes=DTYPES)
    case(name, T(4, *sizes), T(6, 4, *kernel), T(6), dtypes=FLOATS)
    case(name, T(2, 4, *sizes), T(6, 4, *[1] * n), T(6))
    case(name, T(2, 4, *sizes), T(6, 4, *[1] * n), stride=2)
    case(name, T(2, 4, *sizes), T(6, 2, *kernel), T(6), stride=2, padding=1, groups=2)
    case(name, T(2, 4, *sizes), T(4, 1, *kernel), T(4), padding=1, groups=4, dtypes=DTYPES)
    case(name, T(2, 4, *sizes), T(8, 1, *kernel), padding=1, groups=4)
    case(name, T(1, 70, *sizes), T(70, 1, *kernel), padding=1, stride=2, groups=70)
    case(name, T(2, 4, *sizes), T(3, 4, *[2] * n), padding=2, dilation=2)
    case(name, T(1, 2, *sizes), T(3, 2, *[3] * n), padding="same")
    case(name, T(1, 2, *sizes), T(3, 2, *[3] * n), padding="same", dilation=2)
    case(name, T(1, 2, *sizes), T(3, 2, *[2] * n), padding="valid", stride=2)
    case(name, T(0, 2, *sizes), T(3, 2, *[2] * n))
    name = f"nn.functional.conv_transpose{n}d"
    case(name, T(2, 4, *sizes), T(4, 3, *kernel), dtypes="float32 float64 complex64")
    case(name, T(2, 4, *[3] * n), T(4, 3, *[2] * n), dtypes="bfloat16 float16", rtol=2e-2)
    case(name, T(4, *sizes), T(4, 3, *kernel), T(3))
    case(name, T(2, 4, *sizes), T(4, 3, *kernel), T(6), stride=2, padding=1, groups=2)
    case(name, T(2, 4, *sizes), T(4, 1, *kernel), T(4), stride=2, output_padding=1, groups=4)
    case(name, T(2, 4, *sizes), T(4, 3, *kernel), T(3), stride=3, output_padding=1, dilation=2)
    case(name, T(0, 4, *sizes), T(4, 3, *kernel))
case("nn.functional.conv2d", T(2, 4, 7, 8), T(6, 4, 3, 2), T(6), (2, 1), (1, 0), (1, 2))
case("nn.functional.conv2d", T(2, 4, 7, 8), T(6, 4, 3, 2), None, [2], [1], [2])
case("convolution", T(2, 4, 7), T(6, 2, 3), T(6), (2,), (1,), (1,), False, (0,), 2)
case("convolution", T(2, 4, 7, 5), T(4, 3, 3, 2), None, (2, 1), (1, 0), (1, 1), True, (1, 0), 1)
case("nn.functional.conv_tbc", T(9, 2, 3), T(3, 3, 4), T(4), 1)
