"""Samples of tensorlite.ops.pooling, adaptive_pooling and unpooling."""

from . import FLOATS, T, case

F = "nn.functional."
SIZES = {1: (11,), 2: (9, 7), 3: (6, 7, 5)}

for n, sizes in SIZES.items():
    name = f"{F}max_pool{n}d"
    dtypes = FLOATS if n == 1 else f"{FLOATS} int64 int32 uint8"
    case(name, T(2, 3, *sizes), 2, dtypes=dtypes)
    case(name, T(3, *sizes), 3, 2, 1, dtypes=dtypes)
    case(name, T(0, 3, *sizes), 2)
    case(name, T(2, 3, *sizes), 3, 2, 1, 1, True)
    case(name, T(2, 3, *sizes), 2, 1, dilation=2)
    case(name, T(2, 3, *sizes), 3, 2, 1, ceil_mode=True, return_indices=True)
    case(name, T(3, *sizes), 2, 1, return_indices=True, dtypes=f"{FLOATS} int64")
    case(name, T(2, 3, *sizes), 2, 1, 1, 2, return_indices=True)
    case(f"{name}_with_indices", T(2, 3, *sizes), 2, 1)

    name = f"{F}avg_pool{n}d"
    dtypes = f"{FLOATS} int64" if n < 3 else "float32 float64 int64"
    case(name, T(2, 3, *sizes), 2, dtypes=dtypes)
    case(name, T(3, *sizes), 3, 2, 1, dtypes=dtypes)
    case(name, T(0, 3, *sizes), 2)
    case(name, T(2, 3, *sizes), 3, 2, 1, True)
    case(name, T(2, 3, *sizes), 3, 2, 1, ceil_mode=True, count_include_pad=False)
    if n > 1:
        case(name, T(2, 3, *sizes), 3, 2, 1, divisor_override=2, dtypes="float32 int64")

    for name, dtypes in (
        (f"{F}adaptive_avg_pool{n}d", FLOATS),
        (f"{F}adaptive_max_pool{n}d", FLOATS),
    ):
        case(name, T(2, 3, *sizes), 1, dtypes=dtypes)
        case(name, T(3, *sizes), 4, dtypes=dtypes)
        case(name, T(2, 3, *sizes), [13] * n)
        case(name, T(0, 3, *sizes), 2)
        case(name, T(2, 3, *sizes), 0)
        if n > 1:
            case(name, T(2, 3, *sizes), [None, *range(2, n + 1)])
    case(f"{F}adaptive_max_pool{n}d", T(2, 3, *sizes), 4, return_indices=True, dtypes=FLOATS)
    case(f"{F}adaptive_max_pool{n}d_with_indices", T(3, *sizes), 2)

    name = f"{F}lp_pool{n}d"
    case(name, T(2, 3, *sizes, low=0.5), 2, 2, dtypes=f"{FLOATS} int64" if n < 3 else "float32")
    case(name, T(3, *sizes, low=0.5), 1.5, 3, 2, True)

    places = T(2, 3, *[4] * n, dtype="int64", low=5, high=6)
    case(f"{F}max_unpool{n}d", T(2, 3, *[4] * n), places, 2, exact=False)
    case(f"{F}max_unpool{n}d", T(0, 3, *[4] * n), T(0, 3, *[4] * n, dtype="int64"), 2)
case("adaptive_max_pool1d", T(2, 3, 11), 4, dtypes=FLOATS)
for n in (2, 3):
    name, sizes = f"{F}fractional_max_pool{n}d", SIZES[n]
    case(name, T(2, 3, *sizes), 2, 3, _random_samples=T(2, 3, n, low=0, high=1))
    case(name, T(3, *sizes), 2, 3, return_indices=True, _random_samples=T(1, 3, n, low=0, high=1))
    case(name, T(2, 3, *sizes), 2, None, (0.5,) * n, exact=False, dtypes=FLOATS)
    case(f"{name}_with_indices", T(2, 3, *sizes), 2, 3, exact=False)
