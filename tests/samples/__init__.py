"""Sample inputs of operators: a line each, swept by every generic test in test_operators.py.

``case("softmax", T(2, 3), dim=1)`` calls ``softmax`` on a random tensor of that shape in every
dtype named, and compares with PyTorch's function of the same name. A file per family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FLOATS = "float32 float64 float16 bfloat16"
INTS = "int64 int32 uint8"
ALL = f"{FLOATS} {INTS} bool complex64"
REAL = f"{FLOATS} {INTS}"


@dataclass(frozen=True)
class T:
    """A random tensor: its shape, the range of its numbers, its dtype if it is fixed.

    ``T(2, 3)`` takes the dtype under test; ``T(4, dtype="int64", low=0, high=9)`` keeps its own.
    """

    shape: tuple[int, ...]
    low: float
    high: float
    dtype: str | None
    definite: bool  # symmetric (Hermitian) positive definite matrices

    def __init__(
        self,
        *shape: int,
        low: float = -3,
        high: float = 3,
        dtype: str | None = None,
        definite: bool = False,
    ) -> None:
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "definite", definite)


@dataclass(frozen=True)
class D:
    """A dtype among the arguments: ``case("sum", T(2), dtype=D("float64"))``."""

    name: str


@dataclass(frozen=True)
class Case:
    """One call of one operator."""

    operator: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    dtypes: tuple[str, ...]
    exact: bool  # values are compared; False for random results (structure, shape, dtype only)
    rtol: float | None
    # PyTorch's name where it differs, or what to do where PyTorch has no such function
    torch: str | Callable[..., Any] | None = field(default=None)
    dense: bool = False  # it looks at the memory itself, so it is given tensors in one piece only


CASES: dict[str, list[Case]] = {}


def case(
    operator: str,
    *args: Any,
    dtypes: str = "float32",
    exact: bool = True,
    rtol: float | None = None,
    torch: str | Callable[..., Any] | None = None,
    dense: bool = False,
    **kwargs: Any,
) -> None:
    """Declares a sample call of an operator (its full name, such as "nn.functional.conv2d").

    ``torch`` is PyTorch's name where it differs, or a function of PyTorch's tensors that gives
    what is expected: ``torch=lambda x: x.relu() ** 2``.
    """
    found = Case(operator, args, kwargs, tuple(dtypes.split()), exact, rtol, torch, dense)
    CASES.setdefault(operator, []).append(found)


def load_all() -> dict[str, list[Case]]:
    """Every case of every file in this folder, by operator."""
    from importlib import import_module
    from pkgutil import iter_modules

    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return CASES
