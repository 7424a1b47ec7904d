"""Samples of tensorlite.ops.eigen. Phases of eigenvectors are free: see the tests."""

from . import T, case

KINDS = "float32 float64 complex64 complex128"
for shape in ((3, 3), (2, 4, 4), (0, 2, 2)):
    case("linalg.eig", T(*shape, definite=True), dtypes=KINDS, exact=False)
    case("linalg.eigh", T(*shape, definite=True), dtypes=KINDS, exact=False)
    case("linalg.eigh", T(*shape, definite=True), "U", dtypes=KINDS, exact=False)
    case("linalg.eigvalsh", T(*shape, definite=True), dtypes=KINDS)
    case("linalg.eigvalsh", T(*shape), "U", dtypes=KINDS)
case("linalg.eigvals", T(3, 3), dtypes=KINDS)
