"""Samples of tensorlite.ops.creation and tensorlite.ops.copying."""

from . import ALL, T, case

for name in ("zeros", "ones"):
    case(name, 2, 3)
    case(name, (2, 0))
    case(f"{name}_like", T(2, 3), dtypes=ALL)
    case(f"new_{name}", T(2, 3), (4,), dtypes=ALL)
case("empty", 2, 3, exact=False)
case("empty_like", T(2, 3), exact=False, dtypes=ALL)
case("new_empty", T(2, 3), (4,), exact=False)
for value in (1, 1.5, True, 1j):
    case("full", (2, 3), value)
case("full_like", T(2, 3), 2, dtypes=ALL)
case("new_full", T(2, 3), (2,), 3, dtypes=ALL)
case("new_tensor", T(2, 3), [1, 2], dtypes=ALL)
for args in ((5,), (1, 5), (1, 8, 3), (5, 0, -2), (0.5,), (0, 1, 0.3), (2, 2), (-3.0, 3)):
    case("arange", *args)
for args in ((0, 1, 5), (3, -3, 4), (1, 1, 1), (0, 1, 0)):
    case("linspace", *args)
    case("logspace", *args)
case("eye", 3)
case("eye", 2, 4)
for offset in (0, -1, 2):
    case("tril_indices", 3, 4, offset)
    case("triu_indices", 3, 4, offset)
case("meshgrid", T(2), T(3), indexing="ij")
case("meshgrid", T(2), T(3), T(), indexing="xy")
case("clone", T(2, 3), dtypes=ALL)
case("copy_", T(2, 3), T(3, dtype="float64"), dtypes="float32 int64 bool complex64")
case("fill_", T(2, 3), 2, dtypes=ALL)
case("zero_", T(2, 3), dtypes=ALL)
case("type_as", T(2, 3), T(1, dtype="int32"), dtypes="float32 bool uint8")
for name in "bool char short int long half bfloat16 float double cfloat cdouble".split():
    dtypes = "float32 float64 int64 bool bfloat16"
    case(f"to_{name}", T(2, 3), torch=f"Tensor.{name}", dtypes=dtypes)
case("to_byte", T(2, 3, low=0), torch="Tensor.byte", dtypes="float32 int64 bool")
case("fill", T(2, 3), 2, dtypes=ALL)
case("fill_diagonal_", T(3, 3), 5)
case("fill_diagonal_", T(7, 3), 5)
case("fill_diagonal_", T(7, 3), 5, wrap=True)
case("fill_diagonal_", T(3, 7), 5, wrap=True)
case("fill_diagonal_", T(3, 3, 3), 5)
case("scalar_tensor", 2)
case("scalar_tensor", 2.5)
case("empty_strided", (2, 3), (1, 2), exact=False)
case("new_empty_strided", T(2, 3), (2, 3), (1, 2), exact=False)
case("empty_permuted", (2, 3, 4), (2, 0, 1), exact=False)
for args in ((1, 3), (0, 1, 0.25), (5, 1, -2)):
    case("range", *args)
