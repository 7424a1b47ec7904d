"""One shape for the errors of operators: what was called, with what, and what is wrong."""

from __future__ import annotations

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
        return ShapeError(text)
    return OperatorError(text)


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
