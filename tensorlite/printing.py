"""The text of a tensor, as PyTorch writes it.

Floats have four digits, or an exponent when they differ too much; more than 1000 elements are
shown by the three at each end of every dimension; lines are 80 characters wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .errors import ArgumentError

if TYPE_CHECKING:
    from .tensor import Tensor

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Options:
    """How tensors are printed."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = Options()
_PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Changes how tensors are printed; ``profile`` is "default", "short" or "full".

    Source: PyTorch ``torch.set_printoptions``.

    >>> import tensorlite as tl
    >>> tl.set_printoptions(precision=2); print(tl.tensor([0.123]))
    tensor([0.12])
    >>> tl.set_printoptions(profile="default")
    """
    global _options
    if profile is not None:
        if profile not in _PROFILES:
            raise ArgumentError(f"set_printoptions: profile is one of {[*_PROFILES]}")
        _options = _PROFILES[profile]
    given = {
        "precision": precision, "threshold": threshold, "edgeitems": edgeitems,
        "linewidth": linewidth,
    }  # fmt: skip
    changed: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    _options = replace(_options, sci_mode=sci_mode, **changed)


def text(tensor: Tensor) -> str:
    """The repr of a tensor."""
    prefix = "tensor("
    indent = len(prefix)
    array = tensor.cpu()._host()
    suffixes = []
    if tensor.device.kind != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    kind = tensor.dtype
    plain = kind in (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_)
    plain = plain or kind is dtypes.get_default_dtype().to_complex()
    if array.size == 0:
        if tensor.ndim != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
        plain = kind is dtypes.get_default_dtype()
        body = "[]"
    else:
        body = _body(array, kind, indent)
    if not plain:
        suffixes.append(f"dtype={kind!r}")
    return _joined(prefix + body, suffixes, indent)


def _joined(start: str, suffixes: list[str], indent: int) -> str:
    lines = [start]
    last = len(start) - start.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > _options.linewidth:
            lines.append(",\n" + " " * indent + suffix)
            last = indent + len(suffix)
        else:
            lines.append(", " + suffix)
            last += len(suffix) + 2
    return "".join(lines) + ")"


def _body(array: Array, kind: dtypes.dtype, indent: int) -> str:
    summarize = array.size > _options.threshold
    shown = _edges(array) if summarize else array
    if kind is dtypes.string:
        return np.array2string(array, separator=", ", prefix=" " * indent)
    if kind.is_complex:
        formats = [_Formatter(shown.real.reshape(-1)), _Formatter(shown.imag.reshape(-1))]
        return _nested(array, indent, summarize, _complex_format(formats), _complex_width(formats))
    numbers = _plain(shown, kind).reshape(-1)
    formatter = _Formatter(numbers)
    values = _plain(array, kind)
    return _nested(values, indent, summarize, formatter.format, formatter.width)


def _plain(array: Array, kind: dtypes.dtype) -> Array:
    if kind.native:
        return array
    return array.astype(np.float32 if kind.is_floating_point else np.int8)


def _edges(array: Array) -> Array:
    """The elements that a summary shows, all in one vector."""
    edge = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * edge:
            places = [*range(edge), *range(size - edge, size)]
            array = np.take(array, places, axis)
    return array


def _complex_format(formats: list[_Formatter]) -> Any:
    def write(value: Any) -> str:
        real, imaginary = formats[0].format(value.real), formats[1].format(value.imag).strip()
        sign = "" if imaginary[0] in "+-" else "+"
        return f"{real}{sign}{imaginary}j"

    return write


def _complex_width(formats: list[_Formatter]) -> int:
    return formats[0].width + formats[1].width + 1


class _Formatter:
    """One width and notation for all elements, from those that are shown."""

    def __init__(self, values: Array) -> None:
        self.floating = values.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max(len(str(v)) for v in values.tolist())
            return
        values = values.astype(np.float64)
        # Zeros, infinities and nan take no part, as in PyTorch, so they may stick out.
        counted = values[np.isfinite(values) & (values != 0)]
        if counted.size == 0:
            return
        low, high = float(np.abs(counted).min()), float(np.abs(counted).max())
        self.whole = bool((counted == np.ceil(counted)).all())
        self.scientific = high / low > 1000.0 or high > 1e8 or (not self.whole and low < 1e-4)
        if _options.sci_mode is not None:
            self.scientific = _options.sci_mode
        self.width = max(len(self.format(v)) for v in counted.tolist())

    def format(self, value: Any) -> str:
        """One element, right-aligned."""
        if not self.floating:
            return f"{value!s:>{self.width}}"
        number = float(value)
        if self.scientific:
            found = f"{number:.{_options.precision}e}"
        elif self.whole:
            found = f"{number:.0f}" + ("." if math.isfinite(number) else "")
        else:
            found = f"{number:.{_options.precision}f}"
        return found.rjust(self.width)


def _nested(array: Array, indent: int, summarize: bool, write: Any, width: int) -> str:
    if array.ndim == 0:
        return str(write(array.item() if array.dtype.kind != "c" else array[()])).strip()
    if array.ndim == 1:
        return _row(array, indent, summarize, write, width)
    edge = _options.edgeitems
    if summarize and len(array) > 2 * edge:
        parts = [_nested(a, indent + 1, summarize, write, width) for a in array[:edge]]
        parts.append("...")
        parts += [_nested(a, indent + 1, summarize, write, width) for a in array[-edge:]]
    else:
        parts = [_nested(a, indent + 1, summarize, write, width) for a in array]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _row(array: Array, indent: int, summarize: bool, write: Any, width: int) -> str:
    per_line = max(1, (_options.linewidth - indent) // (width + 2))
    edge = _options.edgeitems
    items = list(array) if array.dtype.kind == "c" else array.tolist()
    if summarize and len(items) > 2 * edge:
        cells = [write(v) for v in items[:edge]] + [" ..."] + [write(v) for v in items[-edge:]]
    else:
        cells = [write(v) for v in items]
    lines = [cells[i : i + per_line] for i in range(0, len(cells), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"
