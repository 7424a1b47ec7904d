"""``tensorlite fetch``."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from .. import fetch


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Fetch every model of the list.")
def command(names: tuple[str, ...], everything: bool) -> None:
    """Get real models from the Python package registry; without a name, list them.

    A NAME is a package ("rapidocr") or one of its files ("rapidocr/det"). Packages are pinned by
    version and SHA-256; nothing in them is run. The files' paths are printed.

    \b
    Examples: tensorlite fetch
              tensorlite fetch silero-vad
    """
    console = Console()
    if not names and not everything:
        table = Table("name", "version", "license", "size", "here", "what it is")
        for row in fetch.table():
            size, here = f"{row['size'] / 1e6:.1f} MB", "yes" if row["cached"] else ""
            about = row["description"]
            table.add_row(row["name"], row["version"], row["license"], size, here, about)
        console.print(table)
        return
    wanted = names or tuple(row["name"] for row in fetch.table())
    for name in wanted:
        model = fetch.fetch(name)
        for key, path in model.files.items():
            click.echo(f"{key}\t{path}")
