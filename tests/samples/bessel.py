"""Samples of tensorlite.ops.bessel."""

from . import FLOATS, INTS, T, case

case("i0", T(20, low=-9, high=9), dtypes=FLOATS)
for name in ("i0e", "i1", "i1e"):
    case(f"special.{name}", T(20, low=-9, high=9), dtypes="float32 float64")
    case(f"special.{name}", T(5, low=0, high=9), dtypes=f"{INTS} bool")
for name in (
    "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0",
):  # fmt: skip
    case(f"special.{name}", T(20, low=0.1, high=9), dtypes="float32 float64", rtol=1e-5)
    case(f"special.{name}", T(5, low=1, high=9), dtypes=INTS, rtol=1e-5)
case("special.airy_ai", T(20, low=-5, high=5), dtypes="float32 float64", rtol=1e-4)
