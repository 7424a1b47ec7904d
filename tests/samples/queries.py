"""Samples of tensorlite.ops.queries."""

from . import ALL, D, T, case

for name in ("is_floating_point", "is_complex", "is_signed"):
    case(name, T(2), dtypes=ALL)
case("is_nonzero", T(1), dtypes="float32 bool int64")
case("is_same_size", T(2, 3), T(2, 3))
case("is_same_size", T(2, 3), T(3, 2))
case("is_tensor", T(2))
case("is_tensor", 5)
case("numel", T(2, 3))
case("get_device", T(2, 3))
case("result_type", T(2), T(3, dtype="float64"), dtypes=ALL)
case("result_type", T(2), 1.5, dtypes="int64 bool float16")
for first in ("float64", "int64", "bool", "complex64"):
    case("can_cast", D(first), D("float32"))
    case("can_cast", D(first), D("int32"))
