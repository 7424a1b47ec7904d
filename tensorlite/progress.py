"""Progress on long work: a bar and the time left on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[int, int], None]


@contextmanager
def progress(title: str, *, show: bool | None = None) -> Iterator[Report]:
    """Gives a function to be told how far the work is: ``report(done, total)``.

    The bar goes to stderr, and only if that is a terminal (or ``show`` says so).

    >>> with progress("reading", show=False) as report:
    ...     report(1, 2)
    """
    if not (sys.stderr.isatty() if show is None else show):
        yield lambda done, total: None
        return
    from rich import progress as rich
    from rich.console import Console

    text, left = rich.TextColumn("{task.description}"), rich.TimeRemainingColumn()
    columns = (text, rich.BarColumn(), rich.TaskProgressColumn(), left)
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
