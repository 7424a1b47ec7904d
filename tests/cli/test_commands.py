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
from tensorlite import fetch
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


def test_run_as_a_plan_gives_the_same(model: Path) -> None:
    plain, planned = (run("run", model, "--device", "numba", *more) for more in ([], ["--compile"]))
    assert plain[0] == planned[0] == 0
    assert plain[1].splitlines()[1].split(",")[0] == planned[1].splitlines()[1].split(",")[0]
    code, text = run("run", model, "--profile", "--time", 3)
    assert code == 0 and "linear" in text and "of the limit" in text


def test_warmup_compiles_once(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLITE_CACHE_DIR", str(tmp_path / "cache"))
    first = program("warmup", model, "--size", "n=5")
    assert first.returncode == 0, first.stderr
    assert "0 found compiled" in first.stdout and "0 kernels compiled" not in first.stdout
    again = program("warmup", model, "--size", "n=5", "--explain", "--threads", 1)
    assert "0 kernels compiled" in again.stdout and "linear" in again.stdout
    assert program("warmup", model, "--size", "m=5").returncode == 2


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


def test_run_takes_inputs_by_name_from_one_json_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"x": [[1, 0, 0]]}')
    assert run("run", model, tmp_path / "in.json", "--output", tmp_path / "out.json")[0] == 0
    assert json.loads((tmp_path / "out.json").read_text()) == {"y": [[1.0, 2.0]]}
    (tmp_path / "other.json").write_text('{"xs": [[1, 0, 0]]}')
    done = program("run", model, tmp_path / "other.json")
    assert done.returncode == 1 and "no input is named 'xs'. Did you mean 'x'?" in done.stderr


@pytest.mark.parametrize(
    ("shape", "options", "want"),
    [
        ("1, 3, 4, 6", (), (1, 3, 4, 6)),
        ("n, 3, h, w", (), (1, 3, 10, 20)),
        ("n, 3, h, w", ("--resize", "5x7"), (1, 3, 5, 7)),
        ("n, h, w, 3", (), (1, 10, 20, 3)),
        ("n, h, w, c", ("--layout", "nhwc"), (1, 10, 20, 3)),
        ("3, h, w", (), (3, 10, 20)),
        ("1, 1, h, w", (), (1, 1, 10, 20)),
    ],
)
def test_run_fits_a_picture_to_the_input(
    shape: str, options: Any, want: tuple[int, ...], tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    image.new("RGB", (20, 10), (255, 51, 0)).save(tmp_path / "p.png")
    text = f"{HEAD} g (float[{shape}] x) => (float[{shape}] y) {{y = Identity(x)}}"
    onnx.save(onnx.parser.parse_model(text), tmp_path / "m.onnx")
    place = tmp_path / "y.npy"
    args = (tmp_path / "p.png", "--mean", "0.5", "--std", "0.5", "--output", place, *options)
    code, said = run("run", tmp_path / "m.onnx", *args)
    assert code == 0, said
    found = np.load(place)
    assert found.shape == want
    if 3 in want[-3:]:
        red = found.reshape(-1, 3)[0, 0] if want[-1] == 3 else found.reshape(3, -1)[0, 0]
        assert red == pytest.approx(1)
        assert found.mean() == pytest.approx((1 - 0.6 - 1) / 3, rel=1e-5)


def test_run_on_a_broken_picture(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    for args in (("run", model, tmp_path / "bad.png"), ("demo", "--image", tmp_path / "bad.png")):
        done = program(*args)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
        assert "bad.png" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", b""),
        ("a.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'"),
        ("a.npz", b"PK\x03\x04 no archive"),
        ("a.npz", b"not even that"),
        ("a.json", b"[1, 2"),
        ("a.json", b"\xff\xfe\x00"),
        ("a.json", b"[" * 200_000),
    ],
)
def test_run_on_a_broken_file(
    name: str, content: bytes, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SystemExit) as stop:
        main(["run", str(model), str(tmp_path / name)])
    assert stop.value.code == 1
    assert name in capsys.readouterr().err


def test_run_writes_text_sequences_and_bfloat16_without_pickles(tmp_path: Path) -> None:
    body = """(string[n] t, float[4] x, bfloat16[2] b)
        => (string[n] u, seq(float[2]) s, bfloat16[2] c)
    {u = Identity(t) \n s = SplitToSequence(x) \n c = Identity(b)}"""
    onnx.save(onnx.parser.parse_model(f"{HEAD} g {body}"), tmp_path / "m.onnx")
    np.save(tmp_path / "t.npy", np.array(["one", "two"]))
    place = tmp_path / "out.npz"
    code, said = run("run", tmp_path / "m.onnx", tmp_path / "t.npy", "--output", place)
    assert code == 0, said
    with np.load(place, allow_pickle=False) as found:
        assert found["u"].tolist() == ["one", "two"]
        assert found["s.3"].shape == (1,) and found["c"].dtype == np.float32
    assert run("run", tmp_path / "m.onnx", tmp_path / "t.npy", "--output", "y.npy")[0] == 2


def test_inspect_counts_constants_wherever_they_are(tmp_path: Path) -> None:
    text = (
        HEAD
        + """ g (float[2] x) => (float[2] y) {
        w = Constant <value = float[2] {1, 2}> () \n y = Add(x, w)
    }"""
    )
    onnx.save(onnx.parser.parse_model(text), tmp_path / "m.onnx")
    assert "2 numbers in 1 constants" in run("inspect", tmp_path / "m.onnx")[1]


def test_inspect_shows_what_is_inside(model: Path) -> None:
    code, text = run("inspect", model, "--nodes")
    assert code == 0
    assert "float32[n, 3]" in text and "MatMul" in text and "6 numbers" in text and "17" in text


def test_devices_lists_reasons() -> None:
    code, text = run("devices")
    assert code == 0 and "cpu" in text and "numba" in text and "cuda" in text
    if "CuPy is not installed" in text:
        assert "tensorlite[cuda12]" in text


def test_fetch_lists_models() -> None:
    code, text = run("fetch")
    assert code == 0 and all(row["name"] in text for row in fetch.table())


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
        (("run", "MODEL", "--size", "m=2"), 2, "the model has no size 'm'; its open sizes are n"),
        (("run", "MODEL", "--size", "n=99999999999999"), 1, "Unable to allocate"),
        (("run", "MODEL", "--output", "no/such/out.npz"), 2, "there is no folder"),
        (("run", "MODEL", "--mean", "a"), 2, "expected numbers"),
        (("run", "MODEL", "--std", "1,0,1"), 2, "0 does not do"),
        (("run", "MODEL", "--resize", "big"), 2, "height and width like 224x224"),
        (("run", "MODEL", "--time", "0"), 2, "not in the range"),
        (("run", "MODEL", "z=x.npy"), 1, "x.npy: there is no such file"),
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
