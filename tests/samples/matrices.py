"""Samples of tensorlite.ops.matrices."""

from . import T, case

inf = float("inf")
KINDS = "float32 float64 complex64 complex128"
for name in ("det", "slogdet", "logdet"):
    case(name, T(3, 3, definite=True), dtypes=KINDS)
    case(name, T(2, 3, 3), dtypes="float32 float64" if name == "logdet" else KINDS)
    case(name, T(0, 0), dtypes=KINDS)
for n in (0, 1, 2, 5, -1, -3):
    case("matrix_power", T(2, 3, 3, definite=True, low=-1, high=1), n, dtypes=KINDS)
case("matrix_exp", T(2, 3, 3, low=-1, high=1), dtypes=KINDS)
case("matrix_exp", T(4, 4), dtypes="float64")
case("linalg.matrix_rank", T(2, 4, 3), dtypes=KINDS)
case("linalg.matrix_rank", T(4, 3), atol=3.0, rtol=0.1, dtypes=KINDS)
case("linalg.matrix_rank", T(3, 3, definite=True), hermitian=True, dtypes=KINDS)
case("linalg.matrix_rank", T(3, 3), 2.0, dtypes="float32")
for p in (None, 2, -2, 1, -1, inf, -inf, "fro", "nuc"):
    case("linalg.cond", T(2, 3, 3, definite=True), p, dtypes=KINDS)
case("linalg.tensorinv", T(2, 3, 6), dtypes=KINDS)
case("linalg.tensorinv", T(6, 2, 3), ind=1, dtypes=KINDS)
case("linalg.tensorsolve", T(2, 3, 6), T(2, 3), dtypes=KINDS)
case("linalg.tensorsolve", T(2, 6, 3), T(2, 3), dims=(1,), dtypes=KINDS)
for name in ("linalg.vander", "vander"):
    case(name, T(4), dtypes="float32 float64 int64 complex64")
    case(name, T(4), N=2, dtypes="float32 int64")
case("linalg.vander", T(2, 3), N=4, dtypes="float32 int64")
case("vander", T(3), 4, True)
case("linalg.diagonal", T(2, 3, 4), dtypes="float32 bool int64 complex64")
case("linalg.diagonal", T(2, 3, 4), offset=1, dim1=0, dim2=1)
