"""Medians, spreads, goals, and tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def duration(seconds: float) -> str:
    """Three digits and a unit.

    >>> duration(0.01234), duration(2.5e-6)
    ('12.3 ms', '2.5 us')
    """
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """The median of the rounds' ratios, and their quartiles.

    >>> ratios([1, 2, 3], [2, 2, 2])
    (1.0, 0.75, 1.25)
    """
    each = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    if len(each) < 2:
        return each[0], each[0], each[0]
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive")
    return middle, low, high


def judged(seconds: dict[str, list[float]], goals: dict[str, float], best_of: bool) -> bool:
    """Whether the goals are met: against each peer, or against the quickest."""
    found = {peer: ratios(seconds["tensorlite"], seconds[peer])[0] for peer in goals}
    if best_of:
        return max(found.values()) <= max(goals.values())
    return all(found[peer] <= goal for peer, goal in goals.items())


def row(result: dict[str, Any]) -> list[str]:
    """A line of the table."""
    name, threads = result["name"], str(result["threads"])
    if "failed" in result:
        return [name, threads, "", result["failed"], "", "", "", "failed"]
    seconds = result["seconds"]
    ours = statistics.median(seconds["tensorlite"])
    peers = {peer: statistics.median(seconds[peer]) for peer in result["goals"]}
    best = min(peers, key=lambda peer: peers[peer])
    middle, low, high = ratios(seconds["tensorlite"], seconds[best])
    times = ", ".join(f"{peer} {duration(value)}" for peer, value in peers.items())
    goals = sorted(set(result["goals"].values()))
    share = f"{result['share']:.0%}" if result.get("share") else ""
    return [
        name, threads, duration(ours), times, f"{middle:.2f} ({low:.2f}-{high:.2f})", share,
        " / ".join(f"{goal:g}" for goal in goals), "met" if result["met"] else "missed",
    ]  # fmt: skip


HEAD = [
    "work", "threads", "tensorlite", "peers", "ours / the best (quartiles)", "of the limit",
    "goal", "",
]  # fmt: skip


def markdown(groups: dict[str, list[dict[str, Any]]]) -> str:
    """A table for each group."""
    found = []
    for group, results in groups.items():
        found += [f"### {group.capitalize()}", "", f"| {' | '.join(HEAD)} |"]
        found.append(f"|{' --- |' * len(HEAD)}")
        found += [f"| {' | '.join(row(result))} |" for result in results]
        found.append("")
    return "\n".join(found)


def start_rows(results: dict[str, Any]) -> list[list[str]]:
    """Start times and memory over the weights, ours beside the peers'."""
    found = []
    for name, result in results.items():
        cells = [name]
        for engine in result["engines"].values():
            cells.append(duration(statistics.median(engine["filled"])))
            cells.append(f"{statistics.median(engine['peak']) / 1e6:.0f} MB")
        first = result["engines"]["tensorlite"]
        cells.append(duration(first["empty"][0]))
        cells.append(f"{result['weights'] / 1e6:.0f} MB")
        found.append(cells)
    return found


def start_markdown(results: dict[str, Any]) -> str:
    """The table of start times and memory."""
    if not results:
        return ""
    engines = list(next(iter(results.values()))["engines"])
    head = ["network", *[f"{e}{what}" for e in engines for what in ("", ", peak memory")],
            "tensorlite, empty cache", "file"]  # fmt: skip
    lines = ["### Start, from the process's to the first result, and memory", ""]
    lines += [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in start_rows(results)]
    return "\n".join([*lines, ""])
