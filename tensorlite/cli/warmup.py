"""``tensorlite warmup``."""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np

import tensorlite as tl

from ..devices.numba import llvm
from . import values
from .run import AT_LEAST_0, AT_LEAST_1, parse_sizes


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--size", "sizes", multiple=True, metavar="SYMBOL=N", help="An open size, as n=8.")
@click.option("--threads", type=AT_LEAST_1, help="That will run it; all processors, unless given.")
@click.option("--seed", type=AT_LEAST_0, default=0, show_default=True, help="Of random inputs.")
@click.option("--explain", is_flag=True, help="Show the steps of the plan.")
def command(
    model: Path, sizes: tuple[str, ...], threads: int | None, seed: int, explain: bool
) -> None:
    """Compile an ONNX model's plan ahead, so that its kernels are on disk when it is first used.

    Kernels are made for this processor and kept in TENSORLITE_CACHE_DIR (or ~/.cache/tensorlite).

    \b
    Examples: tensorlite warmup model.onnx
              tensorlite warmup model.onnx --size batch=8 --explain
    """
    if threads is not None:
        tl.set_num_threads(threads)
    start = time.perf_counter()
    module = tl.onnx.load(model, device="numba")
    random, open_sizes = np.random.default_rng(seed), parse_sizes(sizes, module)
    given = {
        info.name: values.random_input(info, random, open_sizes)
        for info in module.inputs
        if info.kind != "optional"
    }
    compiled = module.compile(**given)
    compiled(**given)
    seconds = time.perf_counter() - start
    if explain:
        from rich.console import Console

        Console().print(compiled.explain())
    else:
        click.echo(compiled.explain().summary)
    click.echo(
        f"{llvm.made()} kernels compiled, {llvm.found()} found compiled; {seconds:.1f} s in all"
    )
