"""``tl.explain()``: which kernel ran for which operator, where, and why not a faster one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..devices.base import Device, put_fast_back, set_fast_aside
from ..devices.kernels import Kernel
from .registry import Op


@dataclass(frozen=True)
class Row:
    """One operator that ran."""

    operator: str
    kernel: str
    device: str
    arguments: str
    copies: int
    why: str

    @staticmethod
    def of(
        entry: Op, device: Device, chosen: Kernel | None, reasons: list[str], args: tuple[Any, ...]
    ) -> Row:
        """The row for a call whose kernel has been chosen."""
        shown = [_short(a) for a in args]
        copies = 0
        if chosen is not None:
            name = chosen.label
        elif not entry.over_arrays:
            name = "composite"
        elif device.xp is None:
            name, copies = "reference:numpy", 1 + sum(hasattr(a, "dtype") for a in args)
            reasons = [*reasons, f"{device.kind} has no kernel that takes it: ran on the host"]
        else:
            name = f"reference:{device.xp.__name__}"
        if not reasons and chosen is None and device.kind not in ("cpu",):
            reasons = [f"{device.kind} has no kernel for it"]
        return Row(entry.name, name, str(device), ", ".join(shown), copies, "; ".join(reasons))


def _short(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_short(v) for v in value[:4])}{', ...' if value[4:] else ''}]"
    text = repr(value)
    return text if len(text) < 24 else f"{text[:21]}..."


RECORDERS: list[explain] = []
_lock = threading.Lock()


def record(row: Row) -> None:
    """Notes a call with the recorders of this thread."""
    for recorder in RECORDERS:
        if recorder.thread == threading.get_ident():
            recorder.rows.append(row)


class explain:
    """Records what runs inside a ``with`` block, in this thread; prints as a table.

    >>> import tensorlite as tl
    >>> with tl.explain() as e:
    ...     y = tl.ones(2) + 1
    >>> [(row.operator, row.kernel) for row in e.rows]
    [('ones', 'reference:numpy'), ('add', 'reference:numpy')]
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.thread = threading.get_ident()

    def __enter__(self) -> explain:
        with _lock:
            if not RECORDERS:
                set_fast_aside()
            RECORDERS.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _lock:
            RECORDERS.remove(self)
            if not RECORDERS:
                put_fast_back()

    def counts(self) -> list[tuple[Row, int]]:
        """The distinct rows, in the order they first ran, with how often they did."""
        found: dict[Row, int] = {}
        for row in self.rows:
            found[row] = found.get(row, 0) + 1
        return list(found.items())

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for name in ("operator", "kernel", "device", "arguments", "copies", "times", "why"):
            table.add_column(name, overflow="fold")
        for row, times in self.counts():
            cells = (row.operator, row.kernel, row.device, row.arguments, str(row.copies or ""))
            table.add_row(*map(Text, (*cells, str(times), row.why)))
        return table

    def __repr__(self) -> str:
        if not self.rows:
            return "nothing ran"
        columns = [("operator", "kernel", "device", "arguments", "copies", "times", "why")]
        columns += [
            (r.operator, r.kernel, r.device, r.arguments, str(r.copies or ""), str(n), r.why)
            for r, n in self.counts()
        ]
        widths = [max(len(row[i]) for row in columns) for i in range(len(columns[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in columns
        )
