"""Samples of tensorlite.ops.lu."""

from . import T, case

KINDS = "float32 float64 complex64 complex128"
for shape in ((3, 3), (4, 2), (2, 2, 4)):
    case("linalg.lu", T(*shape), dtypes=KINDS)
    case("linalg.lu_factor", T(*shape), dtypes=KINDS)
    case("linalg.lu_factor_ex", T(*shape), dtypes=KINDS)
case("lu", T(3, 3), get_infos=True, dtypes=KINDS)
case("lu_unpack", T(4, 3), T(3, dtype="int32", low=3, high=5), dtypes=KINDS)
case("lu_unpack", T(3, 3), T(3, dtype="int32", low=3, high=4), True, False, dtypes=KINDS)
for hermitian in (True, False):
    case("linalg.ldl_factor", T(3, 3, definite=True), hermitian=hermitian, dtypes=KINDS)
    case("linalg.ldl_factor_ex", T(2, 3, 3, definite=True), hermitian=hermitian, dtypes=KINDS)
