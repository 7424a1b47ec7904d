"""The whole table: tensorlite beside its peers, line by line, in one command.

\b
    python benchmarks/run.py                             everything (an hour)
    python benchmarks/run.py --only networks,int8        some groups
    python benchmarks/run.py --lines resnet50 --threads 1 --quick
    python benchmarks/run.py --json results.json --markdown results.md --resume
    python benchmarks/run.py --lines none --resume --json results.json --markdown README.md

The last one measures nothing: it only writes the tables again.

Each engine has a process of its own and they take turns; medians of the rounds are shown, the
quartiles of the ratios, and the share that the arithmetic of the products has of what the
processor's cores can do. A line whose result differs from a peer's is failed, not timed. Weights
and inputs are random and fixed where no trained ones exist.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from suite import report, start
from suite.lines import CASES, Case
from suite.workers import Failed, measure

GROUPS = [*dict.fromkeys(case.group for case in CASES.values()), "start"]
PEERS = ("numpy", "torch", "onnxruntime", "openvino")
_QUICK = 3
PACKAGES = ("tensorlite", "numpy", "torch", "onnxruntime", "openvino", "numba", "llvmlite")


def machine() -> dict[str, Any]:
    """The processor and the versions."""
    from tensorlite.devices.numba.llvm import target

    versions = {}
    for package in PACKAGES:
        if find_spec(package):
            versions[package] = metadata.version(package)
    return {
        "processor": target().cpu, "cores": os.cpu_count(), "system": platform.platform(),
        "python": platform.python_version(), **versions,
    }  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How lines are measured, and the limits that they are shown beside."""

    rounds: int
    seconds: float
    pinned: bool
    peak: float  # GFLOP/s of a core in float32
    bandwidth: float  # GB/s


def timed(case: Case, threads: int, settings: Settings) -> dict[str, Any]:
    """One line's result."""
    found: dict[str, Any] = {"name": case.name, "group": case.group, "threads": threads}
    try:
        measured = measure(case, threads, settings.rounds, settings.seconds, settings.pinned)
    except Failed as error:
        return found | {"failed": str(error), "goals": case.goals}
    agreed, others = report.agreement(measured.errors, case.close)
    if not agreed:
        return found | {"failed": f"another result than {others}", "goals": case.goals}
    unable = measured.unable | {peer: "it has another result than the rest" for peer in others}
    goals = {peer: goal for peer, goal in case.goals.items() if peer not in unable}
    found |= {"goals": goals, "seconds": measured.seconds, "errors": measured.errors}
    found |= {"unable": unable}
    if goals:
        found["met"] = report.judged(measured.seconds, goals, case.best_of)
    seconds = statistics.median(measured.seconds["tensorlite"])
    if case.moved:
        found["memory"] = case.moved * 1e-9 / seconds / settings.bandwidth
    else:
        limit = settings.peak * threads * case.rate
        found["share"] = measured.flops * 1e-9 / seconds / limit
    return found


def among(case: Case, peers: list[str]) -> Case:
    """A line with only these peers."""
    kept = {e: make for e, make in case.engines.items() if e in ("tensorlite", *peers)}
    goals = {e: goal for e, goal in case.goals.items() if e in kept}
    return replace(case, engines=kept, goals=goals)


def shown(results: list[dict[str, Any]]) -> Table:
    table = Table(*report.HEAD, title="tensorlite and its peers", title_justify="left")
    for result in results:
        table.add_row(*report.row(result))
    return table


@click.command(help=__doc__, context_settings={"max_content_width": 100})
@click.option("--only", default=",".join(GROUPS), help=f"groups: {', '.join(GROUPS)}")
@click.option("--lines", default="", help="only lines whose name contains this")
@click.option("--threads", default="1,2", show_default=True)
@click.option("--peers", default=",".join(PEERS), show_default=True, help="where installed")
@click.option("--rounds", default=15, show_default=True, help="turns of each engine")
@click.option("--seconds", default=15.0, show_default=True, help="of a line; then 5 turns do")
@click.option("--json", "target", type=click.Path(path_type=Path), help="results, every round")
@click.option("--markdown", type=click.Path(path_type=Path), multiple=True,
              help="tables; a file with places for them keeps its text")  # fmt: skip
@click.option("--quick", is_flag=True, help="three turns of each engine")
@click.option("--pin", is_flag=True, help="keep engines on the first processors, if none has them")
@click.option("--resume", is_flag=True, help="keep the lines that the JSON file has")
def main(
    only: str, lines: str, threads: str, peers: str, rounds: int, seconds: float,
    target: Path | None, markdown: tuple[Path, ...], quick: bool, pin: bool, resume: bool,
) -> None:  # fmt: skip
    groups = only.split(",")
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise click.BadParameter(f"no group {unknown[0]!r}; there are {', '.join(GROUPS)}")
    wanted = [int(n) for n in threads.split(",")]
    here = [peer for peer in PEERS if peer in peers.split(",") and find_spec(peer)]
    kept: dict[str, Any] = {"results": [], "start": {}}
    if resume and target is not None and target.exists():
        kept = json.loads(target.read_text())
    done = {(r["name"], r["threads"]) for r in kept["results"] if "failed" not in r}
    work = [
        (among(case, here), n) for case in CASES.values() for n in wanted
        if case.group in groups and lines in case.name and n in case.threads
        and (case.name, n) not in done
    ]  # fmt: skip
    starts = [n for n in start.NETWORKS if "start" in groups and lines in n] if 1 in wanted else []
    starts = [name for name in starts if name not in kept["start"]]
    rounds = _QUICK if quick else rounds
    again = {(case.name, n) for case, n in work}
    kept["results"] = [r for r in kept["results"] if (r["name"], r["threads"]) not in again]
    if work or starts or "machine" not in kept:
        kept["machine"], settings = machine(), Settings(rounds, seconds, pin, *limits())
    console = Console(width=160)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(work) + len(starts))
        for case, n in work:
            progress.update(task, description=f"{case.name}, {n} thread{'s' if n > 1 else ''}")
            kept["results"].append(timed(case, n, settings))
            save(kept, target, markdown)
            progress.advance(task)
        for name in starts:
            progress.update(task, description=f"{name}, start")
            engines = [engine for engine in start.ENGINES if engine in ("tensorlite", *here)]
            try:
                kept["start"][name] = start.measure(start_model(name), engines, rounds // 2 + 1)
            except RuntimeError as error:
                console.print(f"{name} does not start: {error}", markup=False)
            save(kept, target, markdown)
            progress.advance(task)
    save(kept, target, markdown)
    if kept["results"]:
        console.print(shown(kept["results"]))
    if kept["start"]:
        console.print(report.start_markdown(kept["start"]), markup=False)


def start_model(name: str) -> Any:
    """What makes a network and its inputs."""
    import network_files
    from suite.networks import speech

    if name == "silero-vad":
        return lambda: network_files.fetched("silero-vad/op15", speech)
    return lambda: network_files.made(name)


def limits() -> tuple[float, float]:
    """GFLOP/s of one core, and GB/s."""
    from tensorlite.devices.numba.plan.report import bandwidth, peak

    return peak(), bandwidth()


def save(kept: dict[str, Any], target: Path | None, markdown: tuple[Path, ...]) -> None:
    if target is not None:
        target.write_text(json.dumps(kept, indent=1))
    for path in markdown:
        path.write_text(report.filled(path.read_text() if path.exists() else "", kept))


if __name__ == "__main__":
    main()
