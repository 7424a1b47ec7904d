"""Samples of tensorlite.ops.interpolation."""

from . import FLOATS, T, case

NAME = "nn.functional.interpolate"
IMAGE = T(2, 3, 7, 5)
for shape in ((2, 3, 7), (2, 3, 7, 5), (1, 2, 4, 5, 3)):
    n = len(shape) - 2
    for mode in ("nearest", "nearest-exact"):
        case(NAME, T(*shape), 9, mode=mode, dtypes=f"{FLOATS} uint8")
        case(NAME, T(*shape), scale_factor=2, mode=mode)
        case(NAME, T(*shape), scale_factor=0.6, mode=mode)
        case(NAME, T(*shape), scale_factor=1.7, mode=mode, recompute_scale_factor=True)
    case(NAME, T(*shape), 3, mode="area", dtypes=FLOATS)
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[n]
    case(NAME, T(*shape), 9, mode=linear, dtypes=FLOATS)
    case(NAME, T(*shape), [3, 9, 2][:n], mode=linear, align_corners=True, dtypes=FLOATS)
    case(NAME, T(*shape), scale_factor=[1.3, 0.5, 2][:n], mode=linear)
    case(NAME, T(*shape), scale_factor=1.7, mode=linear, recompute_scale_factor=True)
    case(NAME, T(0, *shape[1:]), 9, mode="nearest")
for mode in ("bilinear", "bicubic"):
    case(NAME, IMAGE, (11, 3), mode=mode, antialias=True)
    case(NAME, IMAGE, (3, 2), mode=mode, antialias=True, align_corners=True)
    case(NAME, IMAGE, scale_factor=0.4, mode=mode, antialias=True)
case(NAME, IMAGE, (11, 3), mode="bicubic", dtypes=FLOATS)
case(NAME, IMAGE, scale_factor=1.6, mode="bicubic", align_corners=True)
case(NAME, T(1, 3, 12, 9, high=255), (7, 20), mode="bilinear", antialias=True, dtypes="uint8")
case(NAME, T(1, 3, 12, 9, high=255), (24, 18), mode="bilinear", dtypes="uint8")

# PyTorch has these names still but warns; upsample_bilinear's values are in test_interpolation.
for name in ("upsample", "upsample_nearest"):
    case(f"nn.functional.{name}", IMAGE, scale_factor=2, torch=NAME)
    case(f"nn.functional.{name}", IMAGE, 9, torch=NAME)
case("nn.functional.upsample", IMAGE, 9, mode="bilinear", align_corners=True, torch=NAME)
case("nn.functional.upsample_bilinear", IMAGE, scale_factor=2, exact=False, torch=NAME)
