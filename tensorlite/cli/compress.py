"""``tensorlite compress``."""

from __future__ import annotations

from pathlib import Path

import click

from ..codec.container import Checkpoint
from ..codec.graph import KIND, NAME
from ..codec.saving import save_arrays, uniform_plan
from ..errors import FileFormatError
from ..progress import progress
from .checkpoints import pairs, read_source, summary


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="By default IN with .tlz.")
@click.option("--lossless", is_flag=True, help="Keep every bit. The default without --bits.")
@click.option("--bits", type=click.Choice(["8", "4", "3", "2"]), help="Of numbers in matrices.")
@click.option("--group-size", default=32, show_default=True, help="Numbers that share a scale.")
@click.option("--symmetric", is_flag=True, help="Scales only, no zero points.")
@click.option("--file", "files", multiple=True, metavar="NAME=PATH", help="A file to keep in it.")
@click.option("--meta", multiple=True, metavar="NAME=TEXT", help="A text to keep in it.")
@click.option("--threads", type=click.IntRange(min=1), help="All processors, unless given.")
def command(
    source: Path, output: Path | None, lossless: bool, bits: str | None, group_size: int,
    symmetric: bool, files: tuple[str, ...], meta: tuple[str, ...], threads: int | None,
) -> None:  # fmt: skip
    """Compress an ONNX model or a file of weights into a .tlz file, and check what was written.

    IN is .onnx (the graph is kept, so that the result can be run), .safetensors, .pt, .npz. With
    --bits large matrices of floats are quantised, in groups of numbers along a row (of the weights
    of an ONNX product: along a column); everything else keeps every bit.

    \b
    Examples: tensorlite compress model.onnx -o model.tlz --lossless
              tensorlite compress weights.safetensors --bits 4 --group-size 64
              tensorlite compress model.onnx --bits 8 --file tokenizer.json=tokenizer.json
    """
    if lossless and bits is not None:
        raise click.UsageError("--lossless keeps every bit: leave out --bits, or --lossless")
    plan = uniform_plan(None if bits is None else int(bits), group_size, symmetric)
    target = source.with_suffix(".tlz") if output is None else output
    if target.suffix.lower() != ".tlz":
        raise click.UsageError(f"--output {target}: expected a name that ends in .tlz")
    given = {name: Path(place).read_bytes() for name, place in pairs(files, "--file").items()}
    with progress(f"reading {source.name}"):
        found = read_source(source)
    with progress(f"compressing {source.name}") as report:
        save_arrays(
            found.arrays, target, plan=plan,
            metadata={**found.metadata, **pairs(meta, "--meta")},
            files={**found.files, **given}, kinds={NAME: KIND} if found.files else {},
            transposed=found.transposed, threads=threads, report=report,
        )  # fmt: skip
    with Checkpoint(target, threads=threads, max_bytes=1 << 48) as file:
        with progress(f"checking {target.name}") as report:
            broken = file.broken(report=report)
        if broken:
            raise FileFormatError(
                f"{target}: it was not written as it should be ({next(iter(broken.values()))}); "
                "the disk or the memory of this machine may be broken"
            )
        click.echo(f"wrote {target}: {summary(file)}")
