"""Samples of tensorlite.ops.view_in_place."""

from . import T, case

case("squeeze_", T(1, 3, 1), 0)
case("unsqueeze_", T(3), -1)
case("t_", T(2, 3))
case("transpose_", T(2, 3, 4), 0, -1)
case("as_strided_", T(10), (3, 4), (2, 1), 1, dense=True)
