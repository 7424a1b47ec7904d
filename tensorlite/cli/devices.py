"""``tensorlite devices``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

import tensorlite as tl


@click.command()
def command() -> None:
    """List the devices, and why those that cannot be used cannot.

    Example: tensorlite devices
    """
    table = Table("device", "usable", "about")
    for row in tl.devices():
        table.add_row(row["device"], row["usable"], row["about"])
    Console().print(table)
    Console().print(f"auto is {tl.device('auto')}; without a choice tensors go to "
                    f"{tl.get_default_device()}")  # fmt: skip
