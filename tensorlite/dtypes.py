"""The dtypes and their promotion, PyTorch's, in one table each.

``tl.float32`` and its siblings are singletons; ``x.dtype is tl.float32`` is the way to compare.
Sources: PyTorch's "Tensor Attributes" page for the rules, ONNX ``TensorProto.DataType`` for the
small floats and 4-bit integers.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from .errors import DTypeError, nearest

Number = bool | int | float | complex


class dtype:
    """The kind of number a tensor holds.

    >>> import tensorlite as tl
    >>> tl.float32
    tensorlite.float32
    >>> tl.float32.itemsize, tl.float32.is_floating_point
    (4, True)
    """

    __slots__ = ("name", "numpy", "kind", "itemsize", "is_floating_point", "is_complex", "native")

    def __init__(self, name: str, numpy: Any, kind: str) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(numpy)
        self.kind = kind  # "b" bool, "u" unsigned, "i" signed, "f" float, "c" complex
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = kind == "f"
        self.is_complex = kind == "c"
        self.native = self.numpy.isbuiltin == 1  # NumPy's own, not one of ml_dtypes

    @property
    def is_signed(self) -> bool:
        """Whether it has negative numbers."""
        return self.kind in "ifc"

    @property
    def is_integral(self) -> bool:
        """Whether it is an integer (bool is not)."""
        return self.kind in "ui"

    @property
    def is_half(self) -> bool:
        """Whether arithmetic on it is done in float32 and rounded back."""
        return self.kind == "f" and self.itemsize < 4

    def to_complex(self) -> dtype:
        """The complex dtype whose parts are of this one."""
        return complex128 if self.name in ("float64", "complex128") else complex64

    def to_real(self) -> dtype:
        """The float dtype of the parts of a complex one; others give themselves."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    def __repr__(self) -> str:
        return f"tensorlite.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return to_dtype, (self.name,)


bool_ = dtype("bool", np.bool_, "b")
uint8 = dtype("uint8", np.uint8, "u")
uint16 = dtype("uint16", np.uint16, "u")
uint32 = dtype("uint32", np.uint32, "u")
uint64 = dtype("uint64", np.uint64, "u")
int8 = dtype("int8", np.int8, "i")
int16 = dtype("int16", np.int16, "i")
int32 = dtype("int32", np.int32, "i")
int64 = dtype("int64", np.int64, "i")
float16 = dtype("float16", np.float16, "f")
bfloat16 = dtype("bfloat16", ml_dtypes.bfloat16, "f")
float32 = dtype("float32", np.float32, "f")
float64 = dtype("float64", np.float64, "f")
complex64 = dtype("complex64", np.complex64, "c")
complex128 = dtype("complex128", np.complex128, "c")
float8_e4m3fn = dtype("float8_e4m3fn", ml_dtypes.float8_e4m3fn, "f")
float8_e4m3fnuz = dtype("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, "f")
float8_e5m2 = dtype("float8_e5m2", ml_dtypes.float8_e5m2, "f")
float8_e5m2fnuz = dtype("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, "f")
float8_e8m0fnu = dtype("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, "f")
float4_e2m1fn = dtype("float4_e2m1fn", ml_dtypes.float4_e2m1fn, "f")
int4 = dtype("int4", ml_dtypes.int4, "i")
uint4 = dtype("uint4", ml_dtypes.uint4, "u")
int2 = dtype("int2", ml_dtypes.int2, "i")
uint2 = dtype("uint2", ml_dtypes.uint2, "u")

ALL: tuple[dtype, ...] = tuple(d for d in list(globals().values()) if isinstance(d, dtype))
string = dtype("string", object, "S")  # Python strings, as ONNX models hold them; no arithmetic
BY_NAME: dict[str, dtype] = {d.name: d for d in ALL}
BY_NUMPY: dict[np.dtype[Any], dtype] = {d.numpy: d for d in (*ALL, string)}
ALIASES: dict[str, dtype] = {
    "half": float16, "float": float32, "double": float64, "short": int16, "int": int32,
    "long": int64, "cfloat": complex64, "cdouble": complex128,
}  # fmt: skip
_PYTHON: dict[type, dtype] = {bool: bool_, int: int64, float: float32, complex: complex64}

# PyTorch's promotion of two dtypes. "-" is a pair that PyTorch refuses; a dtype that is not
# here (the 8-bit and smaller floats, the 4- and 2-bit integers) mixes with itself only.
_COLUMNS = "b u1 i1 i2 i4 i8 u2 u4 u8 f2 bf f4 f8 c4 c8".split()
_CODES = dict(
    zip(
        _COLUMNS,
        (bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64, float16, bfloat16)
        + (float32, float64, complex64, complex128),
        strict=True,
    )
)
_GRID = """
b    b  u1 i1 i2 i4 i8  -  -  - f2 bf f4 f8 c4 c8
u1  u1  u1 i2 i2 i4 i8  -  -  - f2 bf f4 f8 c4 c8
i1  i1  i2 i1 i2 i4 i8  -  -  - f2 bf f4 f8 c4 c8
i2  i2  i2 i2 i2 i4 i8  -  -  - f2 bf f4 f8 c4 c8
i4  i4  i4 i4 i4 i4 i8  -  -  - f2 bf f4 f8 c4 c8
i8  i8  i8 i8 i8 i8 i8  -  -  - f2 bf f4 f8 c4 c8
u2   -   -  -  -  -  - u2  -  - f2 bf f4 f8  -  -
u4   -   -  -  -  -  -  - u4  - f2 bf f4 f8  -  -
u8   -   -  -  -  -  -  -  - u8 f2 bf f4 f8  -  -
f2  f2  f2 f2 f2 f2 f2 f2 f2 f2 f2 f4 f4 f8 c4 c8
bf  bf  bf bf bf bf bf bf bf bf f4 bf f4 f8 c4 c8
f4  f4  f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f8 c4 c8
f8  f8  f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 c8 c8
c4  c4  c4 c4 c4 c4 c4  -  -  - c4 c4 c4 c8 c4 c8
c8  c8  c8 c8 c8 c8 c8  -  -  - c8 c8 c8 c8 c8 c8
"""
PROMOTION: dict[tuple[dtype, dtype], dtype] = {(d, d): d for d in (*ALL, string)}
for _row in _GRID.strip().splitlines():
    _name, *_cells = _row.split()
    for _column, _cell in zip(_COLUMNS, _cells, strict=True):
        if _cell != "-":
            PROMOTION[_CODES[_name], _CODES[_column]] = _CODES[_cell]

_default = float32


def promote_types(first: dtype, second: dtype) -> dtype:
    """The smallest dtype that PyTorch's rules give for two dtypes.

    Raises DTypeError for pairs that do not mix (uint16 with int8, float8 with anything else).

    >>> promote_types(uint8, int8)
    tensorlite.int16
    """
    try:
        return PROMOTION[first, second]
    except KeyError:
        raise DTypeError(
            f"promote_types: {first.name} and {second.name} do not mix (as in PyTorch); "
            f"convert one, e.g. x.to(tl.float32)"
        ) from None


def to_dtype(value: Any) -> dtype:
    """The dtype for a tensorlite dtype, NumPy dtype or scalar type, Python type or name.

    >>> to_dtype("float32"), to_dtype(float), to_dtype(np.int8)
    (tensorlite.float32, tensorlite.float32, tensorlite.int8)
    """
    if isinstance(value, dtype):
        return value
    if isinstance(value, str):
        found = BY_NAME.get(value.rpartition(".")[2]) or ALIASES.get(value)
        if found is None:
            raise DTypeError(f"no dtype is named {value!r}.{nearest(value, [*BY_NAME, *ALIASES])}")
        return found
    if value in _PYTHON:
        return _default if value is float else _PYTHON[value]
    try:
        return from_numpy(np.dtype(value))
    except TypeError:
        raise DTypeError(f"expected a dtype such as tl.float32, got {value!r}") from None


def from_numpy(value: np.dtype[Any]) -> dtype:
    """The tensorlite dtype of a NumPy dtype (either byte order)."""
    try:
        return BY_NUMPY[value]
    except KeyError:
        pass
    native = value.newbyteorder("=") if value.byteorder in "<>" else value
    if native in BY_NUMPY:
        return BY_NUMPY[native]
    raise DTypeError(
        f"no tensorlite dtype holds NumPy's {value}; the dtypes are: {', '.join(BY_NAME)}"
    )


def of_number(value: Number) -> dtype:
    """The dtype that a Python number has before it meets a tensor."""
    if isinstance(value, bool | np.bool_):
        return bool_
    if isinstance(value, int | np.integer):
        return int64
    if isinstance(value, float | np.floating):
        return _default
    return _default.to_complex()


def result_of(dims: dtype | None, zeros: dtype | None, numbers: dtype | None) -> dtype:
    """The dtype of an operation, from the promoted dtypes of its tensors with dimensions, its
    0-d tensors and its Python numbers: a lower rank matters only when it is of a higher kind
    (bool < integer < float < complex). Source: PyTorch "Type promotion".
    """
    result = _rank(dims, _rank(zeros, numbers))
    assert result is not None, "an operation on nothing"
    return result


def _rank(higher: dtype | None, lower: dtype | None) -> dtype | None:
    if higher is None or lower is None:
        return higher or lower
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        return higher.to_complex() if lower.is_complex else higher
    if higher is bool_ or lower.is_floating_point or lower.is_complex:
        return lower if higher.is_integral else promote_types(higher, lower)
    return higher


def can_cast(source: dtype, target: dtype) -> bool:
    """Whether PyTorch lets a result of ``source`` be stored in ``target``: never from complex to
    real, from float to integer, or from a number to bool.

    >>> can_cast(float64, float32), can_cast(float32, int64)
    (True, False)
    """
    order = "b", "ui", "f", "c"
    level = [next(i for i, kinds in enumerate(order) if d.kind in kinds) for d in (source, target)]
    return level[0] <= level[1]


def get_default_dtype() -> dtype:
    """The dtype of new float tensors: float32 unless changed."""
    return _default


def set_default_dtype(value: Any) -> None:
    """Changes the dtype of new float tensors (float16, bfloat16, float32 or float64)."""
    global _default
    found = to_dtype(value)
    if not found.is_floating_point or found.itemsize < 2:
        raise DTypeError(f"set_default_dtype: expected a float of 16 bits or more, got {found}")
    _default = found


class finfo:
    """The limits of a float dtype, as ``torch.finfo`` gives them.

    >>> finfo(float32).max
    3.4028234663852886e+38
    """

    def __init__(self, type: dtype | None = None) -> None:
        found = to_dtype(type or _default).to_real()
        if not found.is_floating_point:
            raise DTypeError(f"finfo: expected a float dtype, got {found}; use iinfo for integers")
        limits: Any = ml_dtypes.finfo(found.numpy)  # type: ignore[no-untyped-call]
        self.dtype, self.bits = found.name, found.itemsize * 8
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = 10.0 ** -int(limits.precision)

    def __repr__(self) -> str:
        return f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})"  # noqa: E501


class iinfo:
    """The limits of an integer dtype, as ``torch.iinfo`` gives them.

    >>> iinfo(int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: dtype) -> None:
        found = to_dtype(type)
        if not found.is_integral:
            raise DTypeError(f"iinfo: expected an integer dtype, got {found}")
        limits: Any = ml_dtypes.iinfo(found.numpy)  # type: ignore[no-untyped-call]
        self.dtype, self.bits = found.name, int(limits.bits)
        self.min, self.max = int(limits.min), int(limits.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
