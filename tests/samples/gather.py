"""Samples of tensorlite.ops.gather."""

from . import ALL, REAL, T, case


def index(*shape, high=3):
    """Indices below ``high``."""
    return T(*shape, dtype="int64", low=0, high=high)


for dim, shape in ((0, (2, 4)), (1, (3, 2)), (-1, (2, 5))):
    case("gather", T(3, 4), dim, index(*shape), dtypes=ALL)
    case("scatter", T(3, 5), dim, T(1, 1, dtype="int64", low=0, high=2), T(3, 5), dtypes=ALL)
    case("scatter_add", T(3, 5), dim, index(*shape), T(3, 5), dtypes=REAL)
    for reduce in ("sum", "prod", "amax", "amin", "mean"):
        for include in (True, False):
            case("scatter_reduce", T(3, 5), dim, index(*shape), T(3, 5), reduce,
                 include_self=include, dtypes="float32 int64")  # fmt: skip
case("gather", T(), 0, T(dtype="int64", low=0, high=1))
case("scatter", T(3, 5), 1, index(3, 1), 7)
case("scatter", T(3, 5), 1, index(3, 1), 7, reduce="add")
case("index_select", T(3, 4), 0, index(5), dtypes=ALL)
case("index_select", T(4, 3), 1, index(2))
case("index_add", T(3, 4), 0, index(5), T(5, 4), dtypes=REAL)
case("index_add", T(3, 4), 0, index(5), T(5, 4), alpha=2)
case("index_copy", T(4, 3), 1, T(1, dtype="int64", low=0, high=3), T(4, 1), dtypes=ALL)
case("index_fill", T(4, 3), 1, index(2), 5, dtypes=ALL)
case("index_put", T(4, 3), (index(5), index(5)), T(), dtypes=ALL)
case("index_put", T(4, 3), (index(5),), T(3), True)
case("take", T(3, 4), index(2, 2, high=12), dtypes=ALL)
case("take_along_dim", T(3, 4), index(3, 2), 1)
case("take_along_dim", T(3, 4), index(5))
case("put", T(3, 4), index(1), T(1), dtypes=ALL)
case("put", T(3, 4), index(5), T(5), True)
case("masked_fill", T(3, 4), T(3, 4, dtype="bool"), 2, dtypes=ALL)
case("masked_fill", T(3, 4), T(4, dtype="bool"), 1.5)
case("masked_select", T(3, 4), T(3, 4, dtype="bool"), dtypes=ALL)
case("masked_select", T(4), T(3, 4, dtype="bool"))
case("masked_scatter", T(3, 4), T(3, 4, dtype="bool"), T(12), dtypes=ALL)
case("where", T(3, 4, dtype="bool"), T(3, 4), T(4), dtypes=ALL)
case("where", T(3, 4, dtype="bool"), T(3, 4), 1.5, dtypes="float32 int64 bool")
case("where", T(3, 4, dtype="bool"))
case("tensor_where", T(3, 4), T(3, 4, dtype="bool"), T(4), torch="Tensor.where")
for name in ("nonzero", "argwhere"):
    case(name, T(3, 4), dtypes="bool int64 float32 complex64")
    case(name, T())
case("nonzero", T(3, 4, dtype="bool"), as_tuple=True)
case("select_scatter", T(3, 4), T(4), 0, -1)
case("slice_scatter", T(3, 4), T(3, 2), 1, 1, 3)
case("slice_scatter", T(4, 3), T(2, 3), 0, None, None, 2)
case("diagonal_scatter", T(3, 4), T(3), 1)
case("diagonal_scatter", T(2, 3, 3), T(2, 3), 0, 1, 2)
