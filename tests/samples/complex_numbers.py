"""Samples of tensorlite.ops.complex_numbers."""

from . import ALL, REAL, T, case

for name in ("real", "conj", "conj_physical", "resolve_conj", "is_conj"):
    case(name, T(2, 3), dtypes=ALL)
case("imag", T(2, 3), dtypes="complex64 complex128")
case("angle", T(2, 3), dtypes=f"{REAL} bool complex64 complex128")
case("complex", T(2, 3), T(3), dtypes="float32 float64")
case("polar", T(2, 3), T(2, 1), dtypes="float32 float64")
case("view_as_real", T(2, 3), dtypes="complex64 complex128")
case("view_as_real", T(), dtypes="complex64")
case("view_as_complex", T(2, 3, 2), dtypes="float32 float64", exact=False)
