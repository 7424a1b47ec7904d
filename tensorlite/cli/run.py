"""``tensorlite run``."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

import tensorlite as tl

from ..progress import progress
from . import values


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[float]:
    """A list of numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"expected numbers like 0.5,0.5,0.5, got {text!r}") from None


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, metavar="[FILE | NAME=FILE]...")
@click.option("--device", default="auto", show_default=True, help="cpu, numba, cuda, auto")
@click.option("--output", type=click.Path(path_type=Path), help="Write outputs: .npz, .npy, .json")
@click.option("--size", "sizes", multiple=True, metavar="SYMBOL=N", help="An open size, as n=8.")
@click.option("--seed", default=0, show_default=True, help="Of random inputs.")
@click.option("--mean", default="0,0,0", callback=numbers, help="Taken from pictures in [0, 1].")
@click.option("--std", default="1,1,1", callback=numbers, help="What pictures are divided by.")
@click.option("--time", "repeats", type=int, help="Run this many times and show the median.")
def command(
    model: Path, inputs: tuple[str, ...], device: str, output: Path | None,
    sizes: tuple[str, ...], seed: int, mean: list[float], std: list[float], repeats: int | None,
) -> None:  # fmt: skip
    """Run an ONNX model and show (or write) its outputs.

    Inputs are .npy, .npz, .json files or pictures, by position or as NAME=FILE; an input that is
    not given is random.

    \b
    Examples: tensorlite run model.onnx
              tensorlite run model.onnx photo.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
              tensorlite run model.onnx ids=ids.npy mask=mask.npy --output out.npz
    """
    if output is not None and output.suffix not in (".npz", ".npy", ".json"):
        raise click.UsageError(f"--output {output}: expected .npz, .npy or .json")
    module = tl.onnx.load(model, device=device)
    given = gather(module, inputs, mean, std)
    random, open_sizes = np.random.default_rng(seed), parse_sizes(sizes)
    for info in module.inputs:
        if info.name not in given:
            given[info.name] = values.random_input(info, random, open_sizes)
            click.echo(f"{info.name}: random, {info}", err=True)
    outputs, seconds = timed(module, given, repeats)
    show(outputs, seconds, module)
    if output is not None:
        write(outputs, output)
        click.echo(f"wrote {output}")


def gather(
    module: Any, inputs: tuple[str, ...], mean: list[float], std: list[float]
) -> dict[str, Any]:
    """The inputs given as files, by name."""
    infos = {info.name: info for info in module.model.graph.inputs}
    free = [info.name for info in module.inputs]
    given: dict[str, Any] = {}
    for text in inputs:
        name, equals, place = text.partition("=")
        if not equals:
            if not free:
                raise click.UsageError(f"{text}: the model takes {len(module.inputs)} inputs")
            name, place = free[0], text
        if name in free:
            free.remove(name)
        value = values.read(Path(place), infos.get(name), mean, std)
        given.update(value if place.endswith(".npz") and not equals else {name: value})
    return given


def parse_sizes(texts: tuple[str, ...]) -> dict[str, int]:
    """``n=8`` as {"n": 8}."""
    found = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        if not name or not value.isdecimal():
            raise click.UsageError(f"--size {text}: expected SYMBOL=N, such as n=8")
        found[name] = int(value)
    return found


def timed(module: Any, given: dict[str, Any], repeats: int | None) -> tuple[dict[str, Any], float]:
    """The outputs, and the (median) time of a run."""
    times = []
    with progress("running", show=None if repeats else False) as report:
        for i in range(max(repeats or 1, 1)):
            start = time.perf_counter()
            outputs = module.run(given)
            times.append(time.perf_counter() - start)
            report(i + 1, repeats or 1)
    return outputs, statistics.median(times)


def show(outputs: dict[str, Any], seconds: float, module: Any) -> None:
    """Each output in a line, the best classes below."""
    for name, value in outputs.items():
        click.echo(f"{name}: {values.summary(value)}")
        for place, score in values.best(value):
            click.echo(f"    {place:6d}  {score:.4f}")
    click.echo(f"{seconds * 1e3:.1f} ms on {module.place}")


def write(outputs: dict[str, Any], path: Path) -> None:
    """The outputs in a file: .npz and .json by name, .npy if there is only one."""
    arrays = {name: value.cpu().numpy() for name, value in outputs.items()}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".json":
        path.write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}))
    elif len(arrays) == 1:
        np.save(path, next(iter(arrays.values())))
    else:
        raise click.UsageError(f"--output {path}: {len(arrays)} outputs do not fit; use .npz")
