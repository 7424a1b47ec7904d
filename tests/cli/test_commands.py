"""The command line: what it prints, its exit codes, and one sentence for each wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import tensorlite as tl
from tensorlite.cli import COMMANDS, group, main

HEAD = '<ir_version: 8, opset_import: ["": 17]>'
TEXT = (
    HEAD + "g (float[n, 3] x) => (float[n, 2] y) <float[3, 2] w = {1,2,3,4,5,6}> {y = MatMul(x, w)}"
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    onnx.save(onnx.parser.parse_model(TEXT), path)
    return path


def run(*args: Any) -> tuple[int, str]:
    """Exit code and all that was printed, as the program itself would."""
    found = CliRunner().invoke(group, [str(a) for a in args])
    return found.exit_code, found.output


def program(*args: Any, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tensorlite", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, input=text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    code, text = run(name, "--help")
    assert code == 0 and f"tensorlite {name}" in text and "Example" in text


def test_help_lists_the_commands_and_version() -> None:
    code, text = run("--help")
    assert code == 0 and all(name in text for name in COMMANDS)
    assert tl.__version__ in run("--version")[1]


def test_demo_sees_a_cat(device: tl.device) -> None:
    code, text = run("demo", "--device", device)
    assert code == 0
    best = text.splitlines()[1]
    assert "cat" in best and "%" in best
    assert "tensorlite repl" in text


def test_demo_takes_a_picture_of_ones_own(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    from sklearn.datasets import load_sample_image

    image.fromarray(load_sample_image("flower.jpg")).save(tmp_path / "flower.png")
    code, text = run("demo", "--image", tmp_path / "flower.png", "--device", "cpu")
    assert code == 0 and "daisy" in text.splitlines()[1]


def test_run_on_random_inputs(model: Path) -> None:
    code, text = run("run", model, "--size", "n=4")
    assert code == 0
    assert "y: float32 [4, 2]" in text and "x: random" in text and " ms on " in text


def test_run_on_files_and_writes_outputs(model: Path, tmp_path: Path) -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "all.npz", x=x)
    (tmp_path / "x.json").write_text(json.dumps(x.tolist()))
    want = x @ np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    for given in ("x.npy", "all.npz", "x.json", "x=x.npy"):
        name, _, file = given.rpartition("=")
        text = f"{name}={tmp_path / file}" if name else tmp_path / file
        code, said = run("run", model, text, "--output", tmp_path / "out.npz")
        assert code == 0, said
        np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["y"], want)
    assert run("run", model, tmp_path / "x.npy", "--output", tmp_path / "y.npy")[0] == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), want)
    assert run("run", model, tmp_path / "x.npy", "--output", tmp_path / "y.json")[0] == 0
    assert json.loads((tmp_path / "y.json").read_text())["y"] == want.tolist()


def test_inspect_shows_what_is_inside(model: Path) -> None:
    code, text = run("inspect", model, "--nodes")
    assert code == 0
    assert "float32[n, 3]" in text and "MatMul" in text and "6 numbers" in text and "17" in text


def test_devices_lists_reasons() -> None:
    code, text = run("devices")
    assert code == 0 and "cpu" in text and "numba" in text and "cuda" in text


def test_fetch_lists_models() -> None:
    code, text = run("fetch")
    assert code == 0 and "silero-vad" in text and "MIT" in text


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("run", "nothing.onnx"), 1, "nothing.onnx: there is no such file"),
        (("run", "MODEL", "nothing.npy"), 1, "nothing.npy: there is no such file"),
        (("run", "MODEL", "a.npy", "b.npy"), 1, "no such file"),
        (("run", "MODEL", "TEXT"), 1, "expected one of .npy"),
        (("run", "MODEL", "--device", "tpu"), 1, "there is no device 'tpu'"),
        (("run", "MODEL", "--size", "n"), 2, "expected SYMBOL=N"),
        (("run", "MODEL", "--output", "out.txt"), 2, "expected .npz, .npy or .json"),
        (("run", "MODEL", "--mean", "a"), 2, "expected numbers"),
        (("run",), 2, "Missing argument"),
        (("inspect", "TEXT"), 1, "not an ONNX"),
        (("fetch", "silerovad"), 1, "Did you mean 'silero-vad"),
        (("demo", "--image", "nothing.png"), 1, "nothing.png"),
        (("rnu",), 2, "No such command 'rnu'"),
    ],
)
def test_a_wrong_input_gives_one_sentence(
    args: Any, code: int, says: str, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("some notes")
    places = {"MODEL": model, "TEXT": tmp_path / "notes.txt"}
    done = program(*[places.get(a, a) for a in args])
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= (1 if code == 1 else 5)


def test_repl_works_without_a_terminal() -> None:
    done = program("repl", text="x = tl.arange(3)\nx\n1/0\nx.sum()\n")
    assert done.returncode == 0
    assert "int64 [3], from 0 to 2" in done.stdout and "tensor([0, 1, 2])" in done.stdout
    assert "tensor(3)" in done.stdout and "ZeroDivisionError" in done.stderr


def test_main_shows_a_traceback_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["run", "nothing.onnx"])
    assert stop.value.code == 1
    with pytest.raises(tl.TensorliteError):
        main(["--traceback", "run", "nothing.onnx"])
