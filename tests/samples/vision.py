"""Samples of tensorlite.ops.vision and grid_sampling."""

from . import ALL, FLOATS, T, case

F = "nn.functional."
case(f"{F}pixel_shuffle", T(2, 8, 3, 4), 2, dtypes=ALL)
case(f"{F}pixel_shuffle", T(9, 1, 2), 3)
case(f"{F}pixel_shuffle", T(2, 2, 4, 3, 3), 2)
case(f"{F}pixel_shuffle", T(0, 4, 3, 3), 2)
case(f"{F}pixel_unshuffle", T(2, 2, 6, 4), 2, dtypes=ALL)
case(f"{F}pixel_unshuffle", T(1, 3, 6), 3)
case(f"{F}channel_shuffle", T(2, 6, 3), 3, dtypes="float32 float64 int64")
case(f"{F}channel_shuffle", T(2, 6, 2, 3), 2)

WINDOW = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (2, 1), "stride": (2, 1)}
case(f"{F}unfold", T(2, 3, 6, 7), 2, dtypes=f"{FLOATS} complex64")
case(f"{F}unfold", T(3, 6, 7), **WINDOW)
case(f"{F}unfold", T(2, 3, 6, 7), **WINDOW)
case(f"{F}fold", T(2, 12, 30), (6, 7), 2, dtypes=f"{FLOATS} complex64")
case(f"{F}fold", T(18, 28), (6, 7), **WINDOW)
case(f"{F}fold", T(2, 18, 28), (6, 7), **WINDOW)

WIDE = {"low": -1.4, "high": 1.4}
for padding in ("zeros", "border", "reflection"):
    for corners in (False, True):
        options = {"padding_mode": padding, "align_corners": corners}
        for mode in ("bilinear", "nearest", "bicubic"):
            case(f"{F}grid_sample", T(2, 3, 5, 6), T(2, 4, 3, 2, **WIDE), mode, **options)
        for mode in ("bilinear", "nearest"):
            case(f"{F}grid_sample", T(1, 2, 4, 5, 3), T(1, 3, 2, 4, 3, **WIDE), mode, **options)
case(f"{F}grid_sample", T(0, 3, 5, 6), T(0, 4, 3, 2), align_corners=False)
case(f"{F}grid_sample", T(2, 3, 5, 6), T(2, 4, 3, 2, **WIDE), align_corners=False, dtypes="float64")
for corners in (False, True):
    case(f"{F}affine_grid", T(2, 2, 3), (2, 3, 4, 5), corners, dtypes="float32 float64")
    case(f"{F}affine_grid", T(2, 3, 4), (2, 3, 4, 3, 2), corners)
case("grid_sampler", T(2, 3, 5, 6), T(2, 4, 3, 2, **WIDE), 1, 2, True)
case("affine_grid_generator", T(2, 2, 3), (2, 3, 4, 5), False)
