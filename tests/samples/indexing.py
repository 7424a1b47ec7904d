"""Samples of tensorlite.ops.indexing."""

from . import ALL, T, case

PLACES = T(4, dtype="int64", low=0, high=3)
for index in (
    1,
    -1,
    slice(1, 3),
    None,
    Ellipsis,
    (slice(None), 2),
    (0, slice(None, None, 2)),
    True,
):
    case("getitem", T(3, 4, 5), index, dtypes=ALL if index == 1 else "float32")
for index in (
    PLACES,
    (slice(None), PLACES),
    (0, slice(None), PLACES),
    (PLACES, PLACES),
    (PLACES, slice(None), PLACES),
    (PLACES, None, PLACES),
    ([0, 2], 1),
    T(3, dtype="bool"),
    (slice(None), T(4, dtype="bool")),
    T(3, 4, dtype="bool"),
    (Ellipsis, PLACES),
    T(dtype="int64", low=1, high=2),
    (None, PLACES, 1),
):
    case("getitem", T(3, 4, 5), index)
for index in (1, slice(1, 3), T(3, dtype="bool"), [0, 2]):
    case("setitem", T(3, 4), index, 2, dtypes=ALL)
    case("setitem", T(3, 4), index, T(4))
