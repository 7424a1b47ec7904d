"""One shape for the errors of operators: what was called, with what, and what is wrong."""

from __future__ import annotations

import re
from typing import Any

from ..errors import ArgumentError, DimensionError, DTypeError, OperatorError, ShapeError
from ..tensor import Tensor
from .registry import Op


def explained(
    entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> OperatorError:
    """The error to raise in place of one from inside a body (NumPy's, mostly)."""
    called = f"{entry.name}({described(entry, args, kwargs)})"
    if isinstance(error, TypeError) and "ufunc" in str(error):  # NumPy's words say no more
        return DTypeError(f"{called}: not defined for these dtypes; convert with x.to(...)")
    text = f"{called}: {message(error)}"
    if isinstance(error, IndexError):
        return DimensionError(text)
    if isinstance(error, TypeError | AttributeError):
        usage = ""
        if "argument" in str(error):
            usage = f"; its signature is {entry.name}{entry.__signature__}"
        return ArgumentError(text + usage)
    if isinstance(error, ValueError):
        return ShapeError(f"{called}: {unlike_sizes(text) or message(error)}")
    return OperatorError(text)


def unlike_sizes(text: str) -> str:
    """Which sizes NumPy says do not broadcast, or "" if that is not what it says.

    >>> unlike_sizes("operands could not be broadcast together with shapes (2,7) (5,)")
    'sizes 7 and 5 of dimension -1 do not broadcast: they differ and none is 1'
    """
    start = max(text.find("could not be broadcast"), text.find("cannot be broadcast"))
    if start < 0:
        return ""
    # A matrix product writes (3,2,4,8)->(3,2,newaxis,newaxis): the last two are its own.
    own = 2 if "newaxis" in text else 0
    found = re.findall(r"(?<!->)\(([\d, ]*)\)", text[start:])
    shapes = [[int(n) for n in shape.split(",") if n.strip()] for shape in found]
    for place in range(1 + own, max(map(len, shapes), default=0) + 1):
        sizes = dict.fromkeys(s[-place] for s in shapes if len(s) >= place and s[-place] != 1)
        if len(sizes) > 1:
            listed = " and ".join(map(str, sizes))
            return (
                f"sizes {listed} of dimension {-place} do not broadcast: they differ and none is 1"
            )
    return ""


def message(error: Exception) -> str:
    """What an exception says, or its kind when it says nothing."""
    return str(error).strip() or type(error).__name__


def described(entry: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The arguments of a call in a few words: ``input: float32 (2, 3), dim=1``."""
    parts = []
    for i, value in enumerate(args):
        name = entry.params[i] if i < len(entry.params) else ""
        parts.append(f"{name}: {short(value)}" if isinstance(value, Tensor) else short(value))
    parts += [f"{name}={short(value)}" for name, value in kwargs.items()]
    return ", ".join(parts)


def short(value: Any) -> str:
    """One argument in a few words."""
    if isinstance(value, Tensor):
        where = "" if value.device.kind == "cpu" else f" on {value.device}"
        return f"{value.dtype.name} {tuple(value.shape)}{where}"
    if isinstance(value, list | tuple):
        inside = ", ".join(short(v) for v in value[:8]) + (", ..." if value[8:] else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
