"""Samples of tensorlite.ops.linalg."""

from . import ALL, FLOATS, INTS, T, case

NUMBERS = f"{FLOATS} {INTS} complex64"
for left, right in (
    ((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 2)), ((5, 2, 3), (3,)), ((0, 3), (3, 2)),
    ((2, 0), (0, 3)), ((5, 3, 0), (5, 0, 2)),
):  # fmt: skip
    case("matmul", T(*left), T(*right), dtypes=NUMBERS)
case("mm", T(2, 3), T(3, 4), dtypes=NUMBERS)
case("mm", T(60, 70), T(70, 50), dtypes="float32 float64")
case("bmm", T(2, 3, 4), T(2, 4, 5), dtypes=NUMBERS)
case("mv", T(2, 3), T(3), dtypes=NUMBERS)
for name in ("dot", "vdot"):
    case(name, T(9), T(9), dtypes=NUMBERS)
    case(name, T(0), T(0), dtypes=NUMBERS)
case("linalg.vecdot", T(2, 3), T(2, 3), dtypes=f"{FLOATS} complex64")
case("linalg.vecdot", T(2, 3, 4), T(3, 1), dim=1, dtypes="float32 complex64")
case("inner", T(2, 3), T(4, 3), dtypes=NUMBERS)
case("inner", T(5, 2, 3), T(3), dtypes=NUMBERS)
case("inner", T(), T(2, 3), dtypes=NUMBERS)
case("outer", T(2), T(3), dtypes=ALL)
case("outer", T(2), T(3, dtype="float64"), dtypes=ALL)
case("linalg.multi_dot", [T(2, 3), T(3, 4), T(4, 5), T(5, 2)], dtypes="float32 complex64")
case("linalg.multi_dot", [T(3), T(3, 4), T(4)], dtypes="float32")
case("chain_matmul", T(2, 3), T(3, 4), T(4, 1))
case("kron", T(2, 3), T(2, 1), dtypes=ALL)
case("kron", T(2, 3), T(4), dtypes="float32 int64")
case("kron", T(3, 2), T(1, 2, 3, dtype="float64"), dtypes="float32 int64")
case("linalg.cross", T(2, 3), T(2, 3), dtypes=f"{FLOATS} int64 complex64")
case("linalg.cross", T(3, 1, 2), T(3, 4, 2), dim=0)
case("cross", T(2, 3), T(2, 3), 1, dtypes=f"{FLOATS} int64 complex64")
case("tensordot", T(2, 3, 4), T(3, 4, 5), dtypes=NUMBERS)
case("tensordot", T(2, 3), T(4), dims=0, dtypes=NUMBERS)
case("tensordot", T(2, 3, 4), T(5, 4, 2), dims=([0, 2], [2, 1]), dtypes=NUMBERS)
case("trace", T(3, 4), dtypes=f"{FLOATS} {INTS} complex64")
