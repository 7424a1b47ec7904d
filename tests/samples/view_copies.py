"""Samples of tensorlite.ops.view_copies."""

from . import T, case

case("permute_copy", T(2, 3, 4), (2, 0, 1))
case("transpose_copy", T(2, 3, 4), 0, 2)
case("t_copy", T(2, 3))
case("expand_copy", T(1, 3), (2, 3))
case("narrow_copy", T(5, 2), 0, 1, 3)
case("squeeze_copy", T(1, 3))
case("unsqueeze_copy", T(3), -1)
case("diagonal_copy", T(3, 4), 1)
case("as_strided_copy", T(10), (3, 4), (2, 1), 1, dense=True)
case("unfold_copy", T(7), 0, 3, 2)
case("view_copy", T(2, 6), (3, 4), dense=True)
case("unbind_copy", T(3, 2))
case("split_with_sizes_copy", T(5, 2), [2, 3])
case("alias_copy", T(2, 3))
