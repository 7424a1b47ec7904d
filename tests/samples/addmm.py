"""Samples of tensorlite.ops.addmm."""

from . import FLOATS, INTS, T, case

NUMBERS = f"{FLOATS} {INTS} complex64"
case("addmm", T(2, 4), T(2, 3), T(3, 4), dtypes=NUMBERS)
case("addmm", T(4), T(2, 3), T(3, 4), beta=2, alpha=3, dtypes=NUMBERS)
case("addmm", T(4), T(2, 3), T(3, 4), beta=0, alpha=0.5, dtypes=f"{FLOATS} complex64")
case("addmv", T(2), T(2, 3), T(3), beta=2, alpha=3, dtypes=NUMBERS)
case("addr", T(2, 3), T(2), T(3), beta=2, alpha=3, dtypes=NUMBERS)
case("addr", T(2, 3), T(2), T(3), dtypes="bool")
case("baddbmm", T(2, 3, 5), T(2, 3, 4), T(2, 4, 5), beta=2, alpha=3, dtypes=NUMBERS)
case("addbmm", T(3, 5), T(2, 3, 4), T(2, 4, 5), beta=2, alpha=3, dtypes=f"{INTS} float64 complex64")
case("addbmm", T(3, 5), T(2, 3, 4), T(2, 4, 5), dtypes="float32")
