"""The benchmark of all goals: its statistics, its report, and one line of it from end to end."""

from __future__ import annotations

import doctest
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def result(**changed: Any) -> dict[str, Any]:
    seconds = {"tensorlite": [2e-3, 1e-3, 3e-3], "a": [4e-3] * 3, "b": [2e-3] * 3}
    return {
        "name": "work", "group": "work", "threads": 1, "goals": {"a": 0.9, "b": 0.9},
        "seconds": seconds, "met": False, "share": 0.5, **changed,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["report", "workers"])
def test_examples_hold(name: str) -> None:
    outcome = doctest.testmod(import_module(f"suite.{name}"), extraglobs={"np": np})
    assert outcome.attempted > 0 and outcome.failed == 0


def test_the_better_peer_or_each_of_them_is_the_goal() -> None:
    from suite.report import judged

    seconds = {"tensorlite": [1.0, 1.0], "slow": [4.0, 4.0], "quick": [1.05, 1.05]}
    assert judged(seconds, {"slow": 0.96, "quick": 0.96}, best_of=True)
    assert not judged(seconds, {"slow": 0.9, "quick": 0.9}, best_of=True)
    assert judged(seconds, {"slow": 0.3, "quick": 1.0}, best_of=False)
    assert not judged(seconds, {"slow": 0.2, "quick": 1.0}, best_of=False)


def test_a_line_shows_medians_and_the_ratio_to_the_quickest_peer() -> None:
    from suite.report import row

    assert row(result()) == [
        "work", "1", "2 ms", "a 4 ms, b 2 ms", "1.00 (0.75-1.25)", "0.50", "50%", "0.9",
        "missed ~",
    ]  # fmt: skip
    assert row(result(failed="another result"))[-1] == "failed"
    assert row(result(goals={}))[-1] == "no peer"


def test_a_report_says_why_a_goal_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    from suite import reasons, report

    monkeypatch.setattr(reasons, "_REASONS", (("wor*", "The reason."), ("*", "Other.")))
    missed = [result(), result(threads=2), result(name="rest")]
    text = report.markdown({"work": [*missed, result(name="quick", met=True)]})
    assert text.count("\n| work | ") == 1 + 2
    assert text.endswith("- The reason.\n- Other.\n")


def test_tables_take_their_places_in_a_text() -> None:
    from suite.report import filled

    kept = {"machine": {"cores": 2}, "results": [result(group="networks")], "start": {}}
    text = "a\n<!-- networks -->\nold\n<!-- /networks -->\nb\n"
    new = filled(text, kept)
    assert new == filled(new, kept)
    assert new.startswith("a\n<!-- networks -->\n| network | 1 thread | goal |\n")
    assert new.endswith("| work | 1.00 (0.75-1.25) missed ~ | 0.9 |\n<!-- /networks -->\nb\n")
    assert "cores 2\n\n0 of 1 goals met" in filled("", kept)


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [1.0, 3.0], [1.0]])
def test_a_wrong_result_is_found(wrong: list[float]) -> None:
    from suite.workers import difference

    assert difference(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0
    assert difference(np.array(wrong), np.array([1.0, 2.0])) >= 0.5


def test_a_peer_that_disagrees_with_the_others_is_told_apart() -> None:
    from suite.report import agreement

    assert agreement({}, 1e-3) == (True, [])
    assert agreement({"a": 1.0}, 1e-3) == (False, ["a"])
    assert agreement({"a": 1e-6, "b": float("nan")}, 1e-3) == (True, ["b"])


def test_one_line_from_end_to_end_and_again_from_its_file(tmp_path: Path) -> None:
    run = import_module("run")
    to, text = tmp_path / "results.json", tmp_path / "results.md"
    options = ["--only", "steps", "--lines", "one operator", "--peers", "none", "--quick"]
    done = CliRunner().invoke(run.main, [*options, "--json", str(to)])
    assert done.exit_code == 0, done.output
    (line,) = json.loads(to.read_text())["results"]
    assert "failed" not in line and len(line["seconds"]["tensorlite"]) == 3
    again = [*options, "--json", str(to), "--resume", "--markdown", str(text)]
    assert CliRunner().invoke(run.main, again).exit_code == 0
    assert json.loads(to.read_text())["results"] == [line]
    assert "| one operator, 64 numbers | 1 |" in text.read_text()


def test_an_unknown_group_is_told() -> None:
    done = CliRunner().invoke(import_module("run").main, ["--only", "nothing"])
    assert done.exit_code == 2 and "no group 'nothing'" in done.output
