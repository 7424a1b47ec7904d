"""Samples of tensorlite.ops.dropout."""

from . import FLOATS, T, case

F = "nn.functional"
for name in ("dropout", "alpha_dropout", "feature_alpha_dropout"):
    case(f"{F}.{name}", T(3, 4), 0.5, False, dtypes=FLOATS)
    case(f"{F}.{name}", T(3, 4), 0.5, True, dtypes=FLOATS, exact=False)
    case(f"{F}.{name}", T(3, 4), 0.0, True)
case(f"{F}.dropout", T(3, 4), 1.0, True)
case("feature_dropout", T(3, 4, 5), 0.5, False, dtypes=FLOATS)
case("feature_dropout", T(3, 4, 5), 0.5, True, dtypes=FLOATS, exact=False)
for name, shape in (
    ("dropout1d", (2, 3, 4)),
    ("dropout1d", (3, 4)),
    ("dropout2d", (2, 3, 4, 5)),
    ("dropout3d", (2, 3, 4, 5, 6)),
    ("dropout3d", (3, 4, 5, 6)),
):
    case(f"{F}.{name}", T(*shape), 0.5, False)
    case(f"{F}.{name}", T(*shape), 0.5, True, exact=False)
