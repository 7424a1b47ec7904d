"""The layout: real folders at the top, links inside the package, one list of packages."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKED = ("ops", "devices", "converters", "codec")
ANSWER_KEYS = ("torch", "onnxruntime", "onnx.reference", "openvino", "tinygrad", "sklearn")
SOURCES = sorted(
    p
    for top in ("tensorlite", *LINKED)
    for p in (ROOT / top).rglob("*.py")
    if "link" not in p.parts
)


def package_of(folder: Path) -> str:
    parts = folder.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "tensorlite" else ("tensorlite", *parts))


@pytest.mark.parametrize("name", LINKED)
def test_links_lead_to_the_folders_at_the_top(name: str) -> None:
    assert (ROOT / "tensorlite" / name).resolve() == ROOT / name


def test_every_package_on_disk_is_in_the_wheel() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {package_of(p.parent) for p in SOURCES if p.name == "__init__.py"}
    through_links = {f"tensorlite.{name}" for name in LINKED}
    on_disk = {n for n in found if not any(n.startswith(f"tensorlite.{t}.{t}") for t in LINKED)}
    assert listed == on_disk | through_links


@pytest.mark.parametrize("name", LINKED)
def test_a_second_copy_cannot_be_imported(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "relative import" in run.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sources_are_documented_short_and_import_no_answer_key(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is"
    assert text.count("\n") <= 600, "two subjects in one file?"
    imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    imported += [
        n.module
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module and not n.level
    ]
    for name in imported:
        assert not any(name == key or name.startswith(f"{key}.") for key in ANSWER_KEYS), name


def test_test_files_have_names_of_their_own() -> None:
    """pytest imports them by name alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
