"""Samples of tensorlite.ops.bitwise."""

from . import ALL, INTS, T, case

for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(name, T(2, 3, low=-99, high=99), T(3, low=-99, high=99), dtypes=f"{INTS} bool")
    case(name, T(2, 3, low=-99, high=99), 5, dtypes=f"{INTS} bool")
    case(name, 5, T(2, 3, low=-99, high=99), dtypes=INTS)
    case(name, T(2, 3), T(3, dtype="bool"), dtypes=INTS)
case("bitwise_not", T(2, 3, low=-99, high=99), dtypes=f"{INTS} bool")
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    case(name, T(2, 3, low=-99, high=99), T(3, low=0, high=9), dtypes=INTS)
    case(name, T(6, low=-99, high=99), T(6, low=60, high=70, dtype="int64"), dtypes=INTS)
    case(name, T(2, 3, low=-99, high=99), 3, dtypes=INTS)
for name in ("logical_and", "logical_or", "logical_xor"):
    case(name, T(20, low=0, high=2), T(20, low=0, high=2), dtypes=ALL)
    case(name, T(20, low=0, high=2), T(1, dtype="bool"), dtypes=ALL)
case("logical_not", T(20, low=0, high=2), dtypes=ALL)
