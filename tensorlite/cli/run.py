"""``tensorlite run``."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

import tensorlite as tl

from ..errors import UnknownNameError, nearest
from ..progress import progress
from . import values

AT_LEAST_0, AT_LEAST_1 = click.IntRange(min=0), click.IntRange(min=1)


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"expected numbers like 0.5,0.5,0.5, got {text!r}") from None
    if parameter.name == "std" and 0 in found:
        raise click.BadParameter("pictures are divided by it, so 0 does not do")
    return found


def height_width(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    """``224x224`` as two numbers."""
    if text is None:
        return None
    parts = text.split("x")
    if len(parts) != 2 or not all(p.isdecimal() and int(p) > 0 for p in parts):
        raise click.BadParameter(f"expected height and width like 224x224, got {text!r}")
    return int(parts[0]), int(parts[1])


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("inputs", nargs=-1, metavar="[FILE | NAME=FILE]...")
@click.option("--device", default="auto", show_default=True, help="cpu, numba, cuda, auto")
@click.option("--output", type=click.Path(path_type=Path), help="Write outputs: .npz, .npy, .json")
@click.option("--size", "sizes", multiple=True, metavar="SYMBOL=N", help="An open size, as n=8.")
@click.option("--seed", type=AT_LEAST_0, default=0, show_default=True, help="Of random inputs.")
@click.option("--mean", default="0", callback=numbers, help="Taken from pictures in [0, 1].")
@click.option("--std", default="1", callback=numbers, help="What pictures are divided by.")
@click.option(
    "--resize", callback=height_width, metavar="HxW", help="Where the model leaves it open."
)
@click.option("--layout", type=click.Choice(["nchw", "nhwc"]), help="Of pictures, if not plain.")
@click.option("--compile", "plan", is_flag=True, help="Run it as a plan: compiled kernels only.")
@click.option("--profile", is_flag=True, help="Show the time of each kernel of its plan.")
@click.option("--time", "repeats", type=AT_LEAST_1, help="Run so many times, show the median.")
def command(
    model: Path, inputs: tuple[str, ...], device: str, output: Path | None,
    sizes: tuple[str, ...], seed: int, mean: tuple[float, ...], std: tuple[float, ...],
    resize: tuple[int, int] | None, layout: str | None, plan: bool, profile: bool,
    repeats: int | None,
) -> None:  # fmt: skip
    """Run an ONNX model (or a .tlz file that holds one) and show (or write) its outputs.

    Inputs are .npy, .npz, .json files or pictures, by position or as NAME=FILE; an input that is
    not given is random. The file of an .npz, or a JSON object, holds several inputs by name.
    Pictures become the input's size and layout, in [0, 1] before --mean and --std.

    \b
    Examples: tensorlite run model.onnx
              tensorlite run model.onnx photo.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
              tensorlite run model.onnx ids=ids.npy mask=mask.npy --output out.npz
              tensorlite run model.onnx --profile
              tensorlite run model.tlz photo.jpg
    """
    if output is not None and output.suffix not in (".npz", ".npy", ".json"):
        raise click.UsageError(f"--output {output}: expected .npz, .npy or .json")
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"--output {output}: there is no folder {output.parent}")
    module = tl.onnx.load(model, device=device)
    given = gather(module, inputs, values.PictureOptions(mean, std, resize, layout))
    random, open_sizes = np.random.default_rng(seed), parse_sizes(sizes, module)
    for info in module.inputs:
        if info.name not in given and info.kind != "optional":
            given[info.name] = values.random_input(info, random, open_sizes)
            shape = list(given[info.name].shape)
            click.echo(f"{info.name}: random {info.dtype} {shape}", err=True)
    compiled = module.compile(**given) if plan or profile else None
    outputs, seconds = timed(module, compiled, given, repeats)
    show(outputs, seconds, module)
    if compiled is not None and profile:
        from rich.console import Console

        Console().print(compiled.profile(**given))
    if output is not None:
        values.write(outputs, output)
        click.echo(f"wrote {output}")


def gather(module: Any, inputs: tuple[str, ...], options: values.PictureOptions) -> dict[str, Any]:
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
        value = values.read(Path(place), infos.get(name), options)
        several = isinstance(value, dict)
        if several and equals:
            raise click.UsageError(
                f"{text}: {place} holds several arrays by name; leave out {name}="
            )
        given.update(value if several else {name: value})
        free = [name for name in free if name not in given]
    unknown = [name for name in given if name not in infos]
    if unknown:
        raise UnknownNameError(
            f"no input is named {unknown[0]!r}.{nearest(unknown[0], infos)} "
            f"The model takes {', '.join(map(str, module.inputs)) or 'none'}"
        )
    return given


def parse_sizes(texts: tuple[str, ...], module: Any) -> dict[str, int]:
    """``n=8`` as {"n": 8}; only symbols of the model's inputs."""
    known = sorted({d for i in module.inputs for d in i.shape or () if isinstance(d, str)})
    found = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        if not name or not value.isdecimal():
            raise click.UsageError(f"--size {text}: expected SYMBOL=N, such as n=8")
        if name not in known:
            has = f"its open sizes are {', '.join(known)}" if known else "it has no open sizes"
            raise click.UsageError(f"--size {text}: the model has no size {name!r}; {has}")
        found[name] = int(value)
    return found


def timed(
    module: Any, compiled: Any, given: dict[str, Any], repeats: int | None
) -> tuple[dict[str, Any], float]:
    """The outputs, and the (median) time of a run, as a plan if there is one."""
    times = []
    with progress("running", show=None if repeats else False) as report:
        for i in range(max(repeats or 1, 1)):
            start = time.perf_counter()
            outputs = module.run(given) if compiled is None else compiled(**given)
            times.append(time.perf_counter() - start)
            report(i + 1, repeats or 1)
    if compiled is not None:
        found = outputs if isinstance(outputs, tuple) else (outputs,)
        outputs = {info.name: value for info, value in zip(module.outputs, found, strict=True)}
    return outputs, statistics.median(times)


def show(outputs: dict[str, Any], seconds: float, module: Any) -> None:
    """Each output in a line, the best classes below."""
    for name, value in outputs.items():
        click.echo(f"{name}: {values.summary(value)}")
        for place, score in values.best(value):
            click.echo(f"    {place:6d}  {score:.4f}")
    click.echo(f"{seconds * 1e3:.1f} ms on {module.place}")
