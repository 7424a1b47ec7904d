"""``tensorlite repl``."""

from __future__ import annotations

import code
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np

import tensorlite as tl

from ..tensor import Tensor
from .values import summary

BANNER = (
    f"tensorlite {tl.__version__} on Python {sys.version.split()[0]}, device {{device}}\n"
    "tl, nn, F and np are there; Tab completes; try: tl.randn(3, 4) @ tl.randn(4, 2)"
)


@click.command()
@click.option("--device", help="Where new tensors go: cpu, numba, cuda, auto.")
def command(device: str | None) -> None:
    """A Python prompt with tl, nn, F and np in it.

    A tensor is shown with its dtype, shape, device and range.

    Example: tensorlite repl --device numba
    """
    if device is not None:
        tl.set_default_device(device)
    names: dict[str, Any] = {"tl": tl, "nn": tl.nn, "F": tl.nn.functional, "np": np}
    names["__builtins__"] = __builtins__
    history = prepare_terminal(names)
    previous = sys.displayhook
    sys.displayhook = shown(names)
    try:
        banner = BANNER.format(device=tl.get_default_device()) if sys.stdin.isatty() else ""
        code.interact(banner, local=names, exitmsg="")
    finally:
        sys.displayhook = previous
        keep(history)


def shown(names: dict[str, Any]) -> Any:
    """How a result is shown: tensors with a line above them, the rest by rich."""
    from rich.console import Console

    console = Console()

    def display(value: Any) -> None:
        if value is None:
            return
        names["_"] = value
        if isinstance(value, Tensor):
            console.print(f"[dim]{summary(value)}[/dim]".replace(" [", r" \["), highlight=False)
            console.print(repr(value), markup=False, soft_wrap=True)
        elif hasattr(value, "__rich__"):
            console.print(value)
        else:
            console.print(repr(value), markup=False)

    return display


def prepare_terminal(names: dict[str, Any]) -> Path | None:
    """History and completion, where the terminal has them."""
    if not sys.stdin.isatty():
        return None
    try:
        import readline
        import rlcompleter
    except ImportError:  # Windows
        return None
    readline.set_completer(rlcompleter.Completer(names).complete)
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(base) / "tensorlite" / "history"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            readline.read_history_file(path)
    return path


def keep(history: Path | None) -> None:
    """Writes what was typed for the next time."""
    if history is None:
        return
    import readline

    readline.set_history_length(2000)
    with suppress(OSError):
        readline.write_history_file(history)
