"""``tensorlite fetch``."""

from __future__ import annotations

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    if not names and not everything:
        Console().print(listing())
        return
    wanted = names or tuple(row["name"] for row in fetch.table())
    for name in wanted:
        model = fetch.fetch(name)
        for key, path in model.files.items():
            click.echo(f"{key}\t{path}")


def listing() -> Table:
    """What can be fetched, and what is here already."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("here", no_wrap=True)
    table.add_column("what it is, version, license", overflow="fold")
    for row in fetch.table():
        size = f"{row['size'] / 1e6:.1f} MB" if row["size"] else "-"
        about = f"{row['description']}; {row['version']}, {row['license']}"
        table.add_row(row["name"], size, "yes" if row["cached"] else "no", Text(about))
    return table
