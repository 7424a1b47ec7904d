"""``tensorlite decompress``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..codec.container import Checkpoint
from ..codec.graph import KIND, put_together
from ..converters import npz, safetensors
from ..converters.binary import Array, replacing
from ..errors import FileFormatError, UnsafeFileError
from ..progress import progress

_MOST = 2**31 - 1  # bytes of a protobuf message


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="A .safetensors, .npz or .onnx file.")  # fmt: skip
@click.option("--files", type=click.Path(path_type=Path, file_okay=False),
              help="A folder for the files that it holds.")  # fmt: skip
@click.option("--quantized", is_flag=True,
              help="Products of 4 and 8 bits become MatMulNBits in an .onnx file.")  # fmt: skip
@click.option("--partial", is_flag=True, help="Leave out tensors that are broken.")
@click.option("--max-bytes", type=click.IntRange(min=0), help="Of memory for what comes out.")
@click.option("--threads", type=click.IntRange(min=1), help="All processors, unless given.")
def command(
    source: Path, output: Path | None, files: Path | None, quantized: bool, partial: bool,
    max_bytes: int | None, threads: int | None,
) -> None:  # fmt: skip
    """Turn a .tlz file back into .safetensors or .npz, or into .onnx where it holds a graph.

    By default the result is IN with .onnx where it holds a graph, or else .safetensors. With
    --partial tensors that are broken are named and left out, and the exit code is 1.

    \b
    Examples: tensorlite decompress model.tlz -o model.onnx
              tensorlite decompress model.tlz -o small.onnx --quantized
              tensorlite decompress weights.tlz -o weights.safetensors --files .
              tensorlite decompress broken.tlz --partial -o rest.safetensors
    """
    with Checkpoint(source, threads=threads, max_bytes=max_bytes, partial=partial) as file:
        graph = any(held.kind == KIND for held in file.directory.files.values())
        kind = ".onnx" if graph and not partial else ".safetensors"
        target = source.with_suffix(kind) if output is None else output
        if target.suffix.lower() not in (".onnx", ".safetensors", ".npz"):
            raise click.UsageError(f"--output {target}: expected .safetensors, .npz or .onnx")
        if files is not None:
            write_files(file, files)
        lost: list[str] = []
        if target.suffix.lower() == ".onnx":
            write_onnx(file, target, quantized)
        else:
            arrays, lost = read_tensors(file, partial)
            if target.suffix.lower() == ".npz":
                npz.write_npz(arrays, target)
            else:
                safetensors.write_safetensors(arrays, target, file.metadata)
    click.echo(f"wrote {target}")
    if lost:
        click.echo(f"without {len(lost)} tensors that are broken", err=True)
        sys.exit(1)


def read_tensors(file: Checkpoint, partial: bool) -> tuple[dict[str, Array], list[str]]:
    """Tensors by name, and what is wrong with those that are not there."""
    with progress(f"reading {file.path.name}") as report:
        if not partial:
            return file.read_all(report), []
        found, lost = {}, []
        for done, name in enumerate(file):
            try:
                found[name] = file[name]
            except FileFormatError as error:
                lost.append(str(error))
                click.echo(str(error), err=True)
            report(done + 1, len(file))
    return found, lost


def write_onnx(file: Checkpoint, target: Path, quantized: bool) -> None:
    """The ONNX model that a file holds."""
    with progress(f"reading {file.path.name}") as report:
        proto = put_together(file, report, quantized)
    if (size := proto.ByteSize()) > _MOST:
        raise FileFormatError(
            f"{target}: the model has {size:,} bytes, and an ONNX file at most {_MOST:,}; write "
            "its weights as .safetensors"
        )
    for key, text in file.metadata.items():
        if key not in {entry.key for entry in proto.metadata_props}:
            proto.metadata_props.add(key=key, value=text)
    with replacing(target) as part:
        part.write_bytes(proto.SerializeToString(deterministic=True))


def write_files(file: Checkpoint, folder: Path) -> None:
    """The files that are kept beside the tensors, into a folder; graphs are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entry in file.directory.files.items():
        if entry.kind == KIND:
            continue
        if Path(name).name != name or "\\" in name or ":" in name or name in (".", ".."):
            raise UnsafeFileError(f"{file.path}: file {name!r} would lie outside of {folder}")
        with replacing(folder / name) as part:
            part.write_bytes(file.file(name))
        click.echo(f"wrote {folder / name}")
