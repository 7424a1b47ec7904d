"""Samples of tensorlite.ops.polynomials."""

from . import T, case

for name in (
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h",
    "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p",
):  # fmt: skip
    points = T(5, 1, low=0.1, high=0.9)
    degrees = T(6, low=0, high=6, dtype="int64")
    case(f"special.{name}", points, degrees, dtypes="float32 float64", rtol=1e-4)
    case(f"special.{name}", points, 3, dtypes="float32 float64", rtol=1e-4)
    case(f"special.{name}", 0.5, degrees, rtol=1e-4)
