"""Samples of tensorlite.ops.joining."""

from . import ALL, T, case

for dim in (0, 1, -1):
    case("cat", [T(2, 3), T(2, 3)], dim, dtypes=ALL)
    case("stack", [T(2, 3), T(2, 3)], dim, dtypes=ALL)
case("cat", [T(2, 3), T(4, 3, dtype="float64"), T(0)])
for name in ("vstack", "hstack", "dstack", "column_stack"):
    case(name, [T(3), T(3)], dtypes=ALL)
    case(name, [T(2, 3), T(2, 3)])
    case(name, [T(), T()])
for sizes in (2, 5, 7, [1, 4], [0, 2, 3]):
    case("split", T(5, 2), sizes)
case("split", T(2, 5), 2, 1, dtypes=ALL)
case("split_with_sizes", T(2, 5), [2, 3], 1)
for count in (1, 2, 3, 7):
    case("chunk", T(5, 2), count)
    case("tensor_split", T(5, 2), count)
case("tensor_split", T(5, 2), (1, 3))
case("vsplit", T(4, 2, 2), 2)
case("hsplit", T(4, 2, 2), (1,))
case("hsplit", T(4), 2)
case("dsplit", T(4, 2, 2), 2)
case("unbind", T(3, 2), dtypes=ALL)
case("unbind", T(3, 2), -1)
case("repeat", T(2, 3), 2, 1, 2, dtypes=ALL)
case("tile", T(2, 3), (2,), dtypes=ALL)
case("repeat_interleave", T(2, 3), 2, dtypes=ALL)
case("repeat_interleave", T(2, 3), T(3, dtype="int64", low=0, high=3), 1)
case("flip", T(2, 3), (0, 1), dtypes=ALL)
case("fliplr", T(2, 3))
case("flipud", T(2, 3))
case("roll", T(2, 3), 2, dtypes=ALL)
case("roll", T(2, 3), (1, -1), (0, 1))
case("roll", T(2, 3), 1, -1)
for k in (0, 1, 2, -1):
    case("rot90", T(2, 3), k, (0, 1))
for k in (-1, 0, 1):
    case("tril", T(2, 3, 4), k, dtypes=ALL)
    case("triu", T(2, 3, 4), k, dtypes=ALL)
    case("diag", T(3), k)
    case("diag", T(3, 4), k)
    case("diag_embed", T(2, 3), k, dtypes=ALL)
    case("diagflat", T(2, 2), k)
case("diag_embed", T(2, 3), 0, 0, 2)
case("block_diag", T(2, 3), T(3), T(), T(1, 2), dtypes="float32 int64")
case("cartesian_prod", T(2), T(3), T(2))
case("cartesian_prod", T(3))
for replacement in (False, True):
    for count in (0, 1, 2, 3):
        case("combinations", T(4), count, replacement)
