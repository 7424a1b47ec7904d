"""Samples of tensorlite.ops.decomposition. Signs of singular vectors are free: see the tests."""

from . import T, case

KINDS = "float32 float64 complex64 complex128"
for shape in ((4, 4), (2, 3, 3), (0, 0), (0, 3, 3)):
    case("linalg.cholesky", T(*shape, definite=True), dtypes=KINDS)
case("linalg.cholesky", T(3, 3, definite=True), upper=True, dtypes=KINDS)
case("cholesky", T(2, 3, 3, definite=True), True, dtypes=KINDS)
case("linalg.cholesky_ex", T(2, 3, 3, definite=True), dtypes=KINDS)
case("linalg.cholesky_ex", T(3, 3, definite=True), upper=True, dtypes=KINDS)
for shape in ((3, 3), (4, 2), (2, 2, 4)):
    for mode in ("reduced", "complete", "r"):
        case("linalg.qr", T(*shape), mode, dtypes=KINDS)
    case("geqrf", T(*shape), dtypes=KINDS)
    for full in (True, False):
        case("linalg.svd", T(*shape), full, dtypes=KINDS, exact=False)
        case("svd", T(*shape), full, dtypes=KINDS, exact=False)
    case("linalg.svdvals", T(*shape), dtypes=KINDS)
case("svd", T(3, 2), compute_uv=False, dtypes=KINDS)
case("qr", T(4, 2), False, dtypes=KINDS)
case("linalg.householder_product", T(4, 2), T(2), dtypes=KINDS)
case("orgqr", T(2, 4, 3), T(2, 2), dtypes=KINDS)
for left in (True, False):
    for transpose in (True, False):
        shape = (4, 3) if left else (3, 4)
        case("ormqr", T(4, 2), T(2), T(*shape), left, transpose, dtypes="float32 float64")
