"""Samples of tensorlite.ops.linalg."""

from . import FLOATS, INTS, T, case

NUMBERS = f"{FLOATS} {INTS} complex64"
for left, right in (
    ((2, 3), (3, 4)), ((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((5, 2, 3), (3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)), ((3,), (5, 3, 2)), ((5, 2, 3), (3,)), ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
):  # fmt: skip
    case("matmul", T(*left), T(*right), dtypes=NUMBERS)
