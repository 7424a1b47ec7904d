"""Samples of tensorlite.ops.norms."""

from . import FLOATS, D, T, case

inf = float("inf")
REAL = f"{FLOATS} complex64"
case("linalg.vector_norm", T(2, 3), dtypes=REAL)
for order in (0, 0.5, 1, 2, 3, -1, inf, -inf):
    case("linalg.vector_norm", T(2, 3, 4, low=0.2), order, (0, 2), True, dtypes=REAL)
    case("linalg.norm", T(4, low=0.2), order, dtypes=REAL)
    case("norm", T(3, 4, low=0.2), order, 1, dtypes=REAL)
    case("dist", T(3, 4), T(4), order)
case("linalg.vector_norm", T(2, 3), 3, 1, dtype=D("float64"), dtypes="float32 bfloat16")
case("linalg.vector_norm", T(0, 3), dim=0)
for order in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
    kinds = REAL if order in ("fro", 1, -1, inf, -inf) else "float32 float64 complex64"
    case("linalg.matrix_norm", T(2, 3, 4), order, dtypes=kinds)
    case("linalg.matrix_norm", T(2, 3, 4), order, (2, 0), True, dtypes=kinds)
    case("linalg.norm", T(3, 4), order, dtypes=kinds)
case("linalg.norm", T(2, 3, 4), dtypes=REAL)
case("linalg.norm", T(2, 3, 4), dim=(0, 1), dtypes=REAL)
case("linalg.norm", T(2, 3, 4), dim=2, keepdim=True, dtypes=REAL)
case("norm", T(2, 3), dtypes=REAL)
case("norm", T(2, 3, 4), "fro", (0, 2), True, dtypes=REAL)
case("norm", T(3, 4), "nuc", dtypes="float32 complex64")
case("norm", T(3, 4), 2, 0, dtype=D("float64"))
case("norm", T(), dtypes=REAL)
case("frobenius_norm", T(2, 3, 4), (0, 1))
case("nuclear_norm", T(2, 3, 4), (0, 1))
case("renorm", T(4, 3), 2, 0, 2.0, dtypes=REAL)
case("renorm", T(4, 3, 2), 1, -2, 5.0)
