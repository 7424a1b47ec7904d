"""What an optimisation did, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .view import Change


@dataclass(frozen=True)
class Explanation:
    """The changes made to a model; prints as a table: pass, node, what was done."""

    title: str
    changes: tuple[Change, ...]
    before: int
    after: int

    def totals(self) -> str:
        """The last line: how many nodes there were and are."""
        if not self.changes:
            return f"{self.after} nodes, nothing was changed"
        counts = Counter(change.name for change in self.changes)
        done = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        return f"{self.before} nodes became {self.after}: {done}"

    def rows(self) -> list[tuple[str, str, str]]:
        return [(change.name, change.node, change.done) for change in self.changes]

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=self.title, caption=self.totals())
        for name in ("pass", "node", "done"):
            table.add_column(name, overflow="fold")
        for row in self.rows():
            table.add_row(*map(Text, row))
        return table

    def __repr__(self) -> str:
        widths = _widths([("pass", "node", "done"), *self.rows()])
        lines = [
            "  ".join(cell[:w].ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in self.rows()
        ]
        return "\n".join([self.title, *lines, self.totals()])


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [min(max(map(len, column)), 60) for column in zip(*rows, strict=True)]
