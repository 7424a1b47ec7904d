"""Medians, spreads, goals, and tables of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from .reasons import reason

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


def agreement(errors: dict[str, float], close: float) -> tuple[bool, list[str]]:
    """Whether a peer has our result, and the peers that have another one.

    >>> agreement({"a": 1e-6, "b": 0.5}, 1e-3)
    (True, ['b'])
    """
    others = [peer for peer, error in errors.items() if not error <= close]
    return not errors or len(others) < len(errors), others


def row(result: dict[str, Any]) -> list[str]:
    """A line of the table."""
    name, threads = result["name"], str(result["threads"])
    if "failed" in result:
        return [name, threads, "", result["failed"], *[""] * 4, "failed"]
    seconds = result["seconds"]
    ours = duration(statistics.median(seconds["tensorlite"]))
    peers = {peer: statistics.median(seconds[peer]) for peer in result["goals"]}
    if not peers:
        return [name, threads, ours, "", "", "", limits(result), "", "no peer"]
    best = min(peers, key=lambda peer: peers[peer])
    middle, low, high = ratios(seconds["tensorlite"], seconds[best])
    quickest = min(seconds["tensorlite"]) / min(seconds[best])
    unsure = any(low <= goal < high for goal in result["goals"].values())
    times = ", ".join(f"{peer} {duration(value)}" for peer, value in peers.items())
    goals = sorted(set(result["goals"].values()))
    return [
        name, threads, ours, times, f"{middle:.2f} ({low:.2f}-{high:.2f})", f"{quickest:.2f}",
        limits(result), " / ".join(f"{goal:g}" for goal in goals),
        ("met" if result["met"] else "missed") + " ~" * unsure,
    ]  # fmt: skip


def limits(result: dict[str, Any]) -> str:
    """The share of what the cores multiply, or of what the memory moves, where that is known.

    >>> limits({"share": 0.87}), limits({"memory": 0.5}), limits({"memory": 2.0}), limits({})
    ('87%', '50% of memory', 'in caches', '')
    """
    if result.get("share"):
        return f"{result['share']:.0%}"
    memory = result.get("memory") or 0.0
    return "in caches" if memory > 1 else f"{memory:.0%} of memory" if memory else ""


HEAD = [
    "work", "threads", "tensorlite", "peers", "ours / the best (quartiles)", "quickest turns",
    "of the limit", "goal", "",
]  # fmt: skip


def markdown(groups: dict[str, list[dict[str, Any]]]) -> str:
    """A table for each group, and why lines miss their goals where that is known."""
    found = []
    for group, results in groups.items():
        found += [f"### {group.capitalize()}", "", f"| {' | '.join(HEAD)} |"]
        found.append(f"|{' --- |' * len(HEAD)}")
        found += [f"| {' | '.join(row(result))} |" for result in results]
        found.append("")
        missed = [r for r in results if r.get("met") is False]
        why = [*dict.fromkeys(reason(r["name"]) for r in missed)]
        found += [f"- {sentence}" for sentence in why if sentence]
        unable = {f"{p} is left out of {r['name']}: {w}" for r in results
                  for p, w in r.get("unable", {}).items()}  # fmt: skip
        found += [f"- {sentence}" for sentence in sorted(unable)]
        found += [""] if why or unable else []
    return "\n".join(found)


START_HEAD = [
    "network", "tensorlite", "empty cache", "peers", "ours / ONNX Runtime", "", "file",
    "peak memory over it", "peers'", "ours / ONNX Runtime", "",
]  # fmt: skip
_PEER, _STARTED = "onnxruntime", ("resnet50", "silero-vad")  # the networks with a goal for starts


def start_row(name: str, result: dict[str, Any]) -> list[str]:
    """Start time and memory over the file, beside the peers'; the goals are at most 1.0."""
    engines, size = result["engines"], result["weights"]
    starts = {engine: statistics.median(times["filled"]) for engine, times in engines.items()}
    over = {e: statistics.median(times["peak"]) - size for e, times in engines.items()}

    def others(values: dict[str, float], shown: Any) -> str:
        return ", ".join(f"{e} {shown(v)}" for e, v in values.items() if e != "tensorlite")

    def against(values: dict[str, float], goal: bool) -> list[str]:
        if _PEER not in values:
            return ["", ""]
        ratio = values["tensorlite"] / values[_PEER]
        return [f"{ratio:.2f}", ("met" if ratio <= 1 else "missed") if goal else ""]

    return [
        name, duration(starts["tensorlite"]), duration(engines["tensorlite"]["empty"][0]),
        others(starts, duration), *against(starts, name in _STARTED), megabytes(size),
        megabytes(over["tensorlite"]), others(over, megabytes), *against(over, True),
    ]  # fmt: skip


def megabytes(count: float) -> str:
    """Whole megabytes, or tenths of the first ten.

    >>> megabytes(102.4e6), megabytes(2.25e6)
    ('102 MB', '2.2 MB')
    """
    return f"{count / 1e6:.1f} MB" if count < 1e7 else f"{count / 1e6:.0f} MB"


def start_markdown(results: dict[str, Any]) -> str:
    """The table of start times and memory."""
    if not results:
        return ""
    lines = ["### Start, from the process's to the first result, and memory", ""]
    lines += [f"| {' | '.join(START_HEAD)} |", f"|{' --- |' * len(START_HEAD)}"]
    lines += [f"| {' | '.join(start_row(*item))} |" for item in results.items()]
    why = [reason(f"{name}, start") for name in results]
    sentences = [f"- {sentence}" for sentence in dict.fromkeys(why) if sentence]
    return "\n".join([*lines, "", *sentences, ""])


def filled(text: str, kept: dict[str, Any]) -> str:
    """A text with everything in its place for tables, the networks in theirs; or only the tables.

    >>> nothing = {"machine": {"cores": 2}, "results": [], "start": {}}
    >>> filled("before <!-- networks --> old <!-- /networks --> after", nothing).splitlines()[0]
    'before <!-- networks -->'
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in kept["results"]:
        groups.setdefault(result["group"], []).append(result)
    about = ", ".join(f"{key} {value}" for key, value in kept["machine"].items())
    whole = f"{about}\n\n{counted(kept['results'])}\n\n{markdown(groups)}"
    tables = {
        "table": f"{whole}\n{start_markdown(kept['start'])}",
        "networks": networks(groups.get("networks", [])),
    }
    if not any(f"<!-- {name} -->" in text for name in tables):
        return tables["table"]
    for name, table in tables.items():
        first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
        if first in text:
            before, _, rest = text.partition(first)
            text = f"{before}{first}\n{table.strip()}\n{last}{rest.partition(last)[2]}"
    return text


def counted(results: list[dict[str, Any]]) -> str:
    """How many goals are met."""
    met = [result["met"] for result in results if "met" in result]
    failed = sum("failed" in result for result in results)
    return f"{sum(met)} of {len(met)} goals met" + (f", {failed} lines failed" if failed else "")


def networks(results: list[dict[str, Any]]) -> str:
    """Our time over the quicker peer's, for each number of threads."""
    threads = sorted({result["threads"] for result in results})
    head = [f"{n} thread{'s' if n > 1 else ''}" for n in threads]
    lines = [f"| network | {' | '.join(head)} | goal |", f"|{' --- |' * (len(head) + 2)}"]
    rows: dict[str, dict[int, list[str]]] = {}
    for result in results:
        rows.setdefault(result["name"], {})[result["threads"]] = row(result)
    for name, cells in rows.items():
        shown = [" ".join(cells[n][i] for i in (4, 8)) if n in cells else "" for n in threads]
        goal = next(iter(cells.values()))[7]
        lines.append(f"| {name} | {' | '.join(shown)} | {goal} |")
    return "\n".join(lines)
