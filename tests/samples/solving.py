"""Samples of tensorlite.ops.solving."""

from . import T, case

KINDS = "float32 float64 complex64 complex128"
A = T(3, 3, definite=True)
for right in (T(3), T(3, 2), T(4, 3, 2)):
    case("linalg.solve", A, right, dtypes=KINDS)
case("linalg.solve", T(2, 3, 3, definite=True), T(2, 3), dtypes=KINDS)
case("linalg.solve", A, T(2, 3), left=False, dtypes=KINDS)
case("linalg.solve_ex", A, T(3, 2), dtypes=KINDS)
case("linalg.solve_ex", A, T(3), dtypes=KINDS)
for shape in ((3, 3), (2, 4, 4), (0, 0)):
    case("linalg.inv", T(*shape, definite=True), dtypes=KINDS)
    case("inverse", T(*shape, definite=True), dtypes=KINDS)
    case("linalg.inv_ex", T(*shape, definite=True), dtypes=KINDS)
for shape in ((4, 2), (2, 4), (3, 2, 2), (0, 3)):
    case("linalg.pinv", T(*shape), dtypes=KINDS)
    case("pinverse", T(*shape), dtypes=KINDS)
case("linalg.pinv", T(3, 3), atol=1.0, rtol=0.5, dtypes=KINDS)
case("linalg.pinv", A, hermitian=True, dtypes=KINDS)
for driver in (None, "gels", "gelsd", "gelsy", "gelss"):
    case("linalg.lstsq", T(5, 3), T(5, 2), driver=driver, dtypes=KINDS)
    case("linalg.lstsq", T(2, 3), T(2, 2), driver=driver, dtypes=KINDS)
for upper in (True, False):
    case("cholesky_solve", T(3, 2), A, upper, dtypes=KINDS)
    case("cholesky_inverse", A, upper, dtypes=KINDS)
    for unit in (True, False):
        for left in (True, False):
            case(
                "linalg.solve_triangular", A, T(3, 2) if left else T(2, 3), upper=upper, left=left,
                unitriangular=unit, dtypes=KINDS,
            )  # fmt: skip
        case("triangular_solve", T(2, 3, 2), A, upper, True, unit, dtypes=KINDS)
P = T(3, dtype="int32", low=3, high=4)
for adjoint in (True, False):
    case("linalg.lu_solve", A, P, T(3, 2), adjoint=adjoint, dtypes=KINDS)
    case("linalg.lu_solve", A, P, T(2, 3), left=False, adjoint=adjoint, dtypes=KINDS)
case("lu_solve", T(3, 2), A, P, dtypes=KINDS)
case("linalg.ldl_solve", A, T(3, dtype="int32", low=3, high=4), T(3, 2), dtypes=KINDS)
