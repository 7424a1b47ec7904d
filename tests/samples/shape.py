"""Samples of tensorlite.ops.shape."""

from . import ALL, T, case

for shape in ((3, 4), (12,), (2, -1, 3), (-1,), ((4, 3),)):
    case("reshape", T(2, 6), *([shape[0]] if isinstance(shape[0], tuple) else [shape]), dtypes=ALL)
    case("view", T(2, 6), *([shape[0]] if isinstance(shape[0], tuple) else shape), dense=True)
case("reshape", T(0, 3), (3, -1))
case("view_as", T(2, 6), T(3, 4), dense=True)
case("reshape_as", T(2, 6), T(3, 4))
case("flatten", T(2, 3, 4), dtypes=ALL)
case("flatten", T(2, 3, 4), 1, 2)
case("flatten", T())
case("unflatten", T(2, 12), 1, (3, -1))
case("ravel", T(2, 3))
for dim in (0, -1, (0, 2), 1):
    case("squeeze", T(1, 2, 1), dim)
case("squeeze", T(1, 2, 1), dtypes=ALL)
for dim in (0, -1, 2):
    case("unsqueeze", T(2, 3), dim, dtypes=ALL)
case("transpose", T(2, 3, 4), 0, -1, dtypes=ALL)
case("transpose", T(), 0, 0)
case("t", T(2, 3))
case("t", T(3))
case("adjoint", T(2, 3, 4), dtypes="float32 complex64")
case("permute", T(2, 3, 4), (2, 0, -2), dtypes=ALL)
case("movedim", T(2, 3, 4), 0, -1)
case("movedim", T(2, 3, 4), (0, 1), (2, 0))
case("expand", T(1, 3), 4, -1, dtypes=ALL)
case("expand", T(3, 1), 2, 3, 4)
case("broadcast_to", T(1, 3), (4, 3))
case("expand_as", T(1, 3), T(4, 3))
case("broadcast_shapes", (2, 1), (3,), (1, 1, 3))
case("broadcast_tensors", T(2, 1), T(3))
case("narrow", T(2, 5), 1, 1, 3, dtypes=ALL)
case("narrow", T(2, 5), -1, -2, 2)
case("select", T(2, 5), 1, -1, dtypes=ALL)
case("as_strided", T(10), (3, 4), (2, 1), 1, dense=True)
case("diagonal", T(3, 4), dtypes=ALL)
case("diagonal", T(2, 3, 4), 1, 1, 2)
case("diagonal", T(2, 3, 4), -2, 0, -1)
case("unfold", T(2, 7), 1, 3, 2)
case("unfold", T(7, 2), 0, 7, 1)
for n in (1, 2, 3):
    for sizes in ((), (2,), (2, 3), (2, 3, 4)):
        case(f"atleast_{n}d", T(*sizes))
