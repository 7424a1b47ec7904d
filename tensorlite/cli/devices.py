"""``tensorlite devices``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

import tensorlite as tl


@click.command()
def command() -> None:
    """List the devices, and why those that cannot be used cannot.

    Example: tensorlite devices
    """
    table = Table("device", "usable", "about")
    for row in tl.devices():
        table.add_row(*map(Text, (row["device"], row["usable"], row["about"])))
    Console().print(table)
    click.echo(f"auto is {tl.device('auto')}; otherwise tensors go to {tl.get_default_device()}")
