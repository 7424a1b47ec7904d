"""``tensorlite verify``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..codec.container import Checkpoint
from ..progress import progress


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--fast", is_flag=True, help="Compare checksums only; decode nothing.")
@click.option("--threads", type=click.IntRange(min=1), help="All processors, unless given.")
def command(paths: tuple[Path, ...], fast: bool, threads: int | None) -> None:
    """Say whether .tlz files are as they were written, and if not, which tensors are broken.

    Every block's checksum is compared and every tensor is decoded and its SHA-256 compared; --fast
    leaves the decoding out. The exit code is 1 where anything is broken.

    \b
    Examples: tensorlite verify model.tlz
              tensorlite verify --fast *.tlz
    """
    wrong = False
    for path in paths:
        wrong |= not check(path, fast, threads)
    if wrong:
        sys.exit(1)


def check(path: Path, fast: bool, threads: int | None) -> bool:
    """Whether a file is whole; says so, or what is not."""
    level = "by its checksums" if fast else "by its SHA-256"
    with Checkpoint(path, threads=threads, partial=True) as file:
        with progress(f"checking {path.name}") as report:
            broken = file.broken(full=not fast, report=report)
        names = [name for name in file if name in broken]
    if not broken:
        click.echo(f"{path}: whole; each of {len(file)} tensors {level}")
        return True
    for sentence in broken.values():
        click.echo(f"{path}: {sentence}", err=True)
    if names and len(names) < len(file):
        click.echo(
            f"{path}: the other {len(file) - len(names)} of {len(file)} tensors are whole: "
            f"tensorlite decompress {path} --partial -o rest.safetensors",
            err=True,
        )
    return False
