"""tl.load and tl.save: the kind of a file is found in its content, and errors say what it is."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import errors


@pytest.fixture
def weights() -> dict[str, tl.Tensor]:
    return {
        "weight": tl.from_numpy(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "bias": tl.from_numpy(np.arange(3)).to(tl.bfloat16),
        "steps": tl.from_numpy(np.array(7)),
    }


def same(got: Any, wanted: dict[str, tl.Tensor]) -> None:
    assert set(got) == set(wanted)
    for name, tensor in wanted.items():
        assert isinstance(got[name], tl.Tensor) and got[name].dtype is tensor.dtype
        assert tuple(got[name].shape) == tuple(tensor.shape)
        np.testing.assert_array_equal(got[name].numpy(), tensor.numpy())


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".NPZ"])
@pytest.mark.parametrize("name", ["as written", "other.bin", "none"])
def test_what_is_saved_is_loaded(
    suffix: str, name: str, weights: dict[str, tl.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / f"w{suffix}"
    tl.save(weights, path)
    if name != "as written":
        path = path.rename(tmp_path / name)
    same(tl.load(path), weights)
    same(tl.load(str(path)), weights)


def test_one_tensor_in_an_npy_file(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    tl.save(weights["bias"], tmp_path / "x.npy")
    same({"bias": tl.load(tmp_path / "x.npy")}, {"bias": weights["bias"]})


def test_device_under_test(
    device: tl.device, weights: dict[str, tl.Tensor], tmp_path: Path
) -> None:
    for name in ("x.safetensors", "x.npz"):
        tl.save({key: value.to(device) for key, value in weights.items()}, tmp_path / name)
        got = tl.load(tmp_path / name, device=device)
        assert {str(tensor.device) for tensor in got.values()} == {
            str(weights["bias"].to(device).device)
        }
        same({key: value.cpu() for key, value in got.items()}, weights)


def test_a_device_that_is_none(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    tl.save(weights, tmp_path / "x.npz")
    with pytest.raises(errors.DeviceUnavailableError):
        tl.load(tmp_path / "x.npz", device="tpu")


def test_pytorchs_arguments(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    tl.save(weights, path)
    same(tl.load(path, "cpu"), weights)
    same(tl.load(path, map_location=tl.device("cpu"), weights_only=True), weights)
    with pytest.raises(errors.ArgumentError, match="never done"):
        tl.load(path, weights_only=False)
    for location in ({"cuda:0": "cpu"}, lambda storage, place: storage):
        with pytest.raises(errors.ArgumentError, match="expected a device"):
            tl.load(path, map_location=location)
    for call in (lambda f: tl.load(f), lambda f: tl.save({}, f)):
        with pytest.raises(errors.ArgumentError, match="path of a file, got a BytesIO"):
            call(io.BytesIO())


def test_metadata(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    from tensorlite.converters.safetensors import read_metadata

    tl.save(weights, tmp_path / "x.safetensors", metadata={"made": "by hand"})
    assert read_metadata(tmp_path / "x.safetensors") == {"made": "by hand"}
    with pytest.raises(errors.ArgumentError, match="safetensors files hold metadata"):
        tl.save(weights, tmp_path / "x.npz", metadata={"a": "b"})


def test_a_module_is_saved_as_its_state_dict(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    class Module:
        def state_dict(self) -> OrderedDict[str, tl.Tensor]:
            return OrderedDict(weights)

    tl.save(Module(), tmp_path / "x.safetensors")
    same(tl.load(tmp_path / "x.safetensors"), weights)


def test_tensors_share_no_memory_with_the_file(
    weights: dict[str, tl.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "x.safetensors"
    tl.save(weights, path)
    got = tl.load(path)
    got["weight"].numpy()[:] = 9
    same(tl.load(path), weights)
    tl.save(got, path)
    assert tl.load(path)["weight"].numpy().min() == 9


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
@pytest.mark.parametrize("name", ["x.pth", "x.bin"])
def test_pytorchs_files(options: Any, name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    saved = {"state_dict": model.state_dict(), "dtype": torch.bfloat16, "epoch": 3}
    torch.save(saved, tmp_path / name, **options)
    got = tl.load(tmp_path / name)
    assert (got["dtype"], got["epoch"]) == (tl.bfloat16, 3)
    assert got["state_dict"]._metadata == model.state_dict()._metadata
    same(got["state_dict"], {k: tl.from_numpy(v.numpy()) for k, v in saved["state_dict"].items()})


def test_tensors_of_a_pytorch_file_share_memory(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = torch.zeros(3, 3)
    torch.save([x, x[0], x], tmp_path / "x.pt")
    whole, row, again = tl.load(tmp_path / "x.pt")
    whole.numpy()[0, 1] = 5
    assert row.numpy()[1] == 5 and again is whole


def zip_of(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(name, b"content")
    return out.getvalue()


def tar_of(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        file.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def image(kind: str) -> bytes:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    out = io.BytesIO()
    pillow.new("RGB", (4, 4)).save(out, kind)
    return out.getvalue()


def onnx_model() -> bytes:
    import onnx.helper as helper

    graph = helper.make_graph([], "g", [], [])
    return bytes(helper.make_model(graph, producer_name="p").SerializeToString())


OTHERS: dict[str, tuple[Any, str]] = {
    "empty": (b"", "the file is empty"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        "Git LFS pointer, not the file",
    ),
    "html": (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "a web page"),
    "html in small": (b"<html lang=en>", "a web page"),
    "xml": (b'<?xml version="1.0"?><Error>AccessDenied</Error>', "a web page"),
    "json": (json.dumps({"weight_map": {}}).encode(), "JSON text"),
    "text": (b"hello\nworld\n", "this file is text"),
    "bytes": (bytes(range(255, 0, -1)), "a kind that is not known"),
    "png": (lambda: image("PNG"), "an image"),
    "jpeg": (lambda: image("JPEG"), "an image"),
    "gif": (lambda: image("GIF"), "an image"),
    "bmp": (lambda: image("BMP"), "an image"),
    "webp": (lambda: image("WEBP"), "an image"),
    "tiff": (lambda: image("TIFF"), "an image"),
    "gzip": (gzip.compress(b"content"), "a compressed file"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(16), "GGUF"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(16), "HDF5"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(16), "TensorFlow Lite"),
    "onnx": (onnx_model, "tl.onnx.load(path)"),
    "pickle": (pickle.dumps({"a": 1}), "torch.save did not write"),
    "tar": (tar_of("storages"), "tar archive"),
    "zip": (zip_of("word/document.xml"), "it begins with 'word/document.xml'"),
    "half a zip": (zip_of("a.npy")[:-10], "cut off or damaged"),
}


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz", ".npy", ".bin", ""])
@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_named(name: str, suffix: str, tmp_path: Path) -> None:
    content, says = OTHERS[name]
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content() if callable(content) else content)
    if name in ("text", "bytes") and suffix not in (".bin", ""):
        says = "it is no"  # of the kind that its name says
    with pytest.raises(errors.FileFormatError) as caught:
        tl.load(path)
    assert says in str(caught.value) and str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_onnx_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"broken")
    with pytest.raises(errors.FileFormatError, match=r"tl\.onnx\.load"):
        tl.load(tmp_path / "x.onnx")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        tl.load(tmp_path / "missing.pt")
    with pytest.raises(OSError, match="a folder; give the path of a file"):
        tl.load(tmp_path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_pickles_are_not_written(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ArgumentError, match="can run code") as caught:
        tl.save({}, tmp_path / f"x{suffix}")
    assert ".safetensors and .npz" in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x", "x.txt", "x.onnx"])
def test_other_suffixes(name: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ArgumentError, match="the suffix says") as caught:
        tl.save({}, tmp_path / name)
    assert ".safetensors and .npz" in str(caught.value)


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        ([1, 2], "expected a dict of tensors by name or a module, got a list"),
        (np.zeros(2), "one tensor alone goes into a .npy file"),
        ({"epoch": 3}, "the value of 'epoch' is a int"),
        ({"nested": {"x": np.zeros(2)}}, "the value of 'nested' is a dict"),
        ({1: np.zeros(2)}, "names that are texts, got 1"),
        ({"x": np.array(["a"])}, "the value of 'x' is a ndarray"),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_other_values(obj: Any, says: str, suffix: str, tmp_path: Path) -> None:
    with pytest.raises(errors.ArgumentError) as caught:
        tl.save(obj, tmp_path / f"x{suffix}")
    assert says in str(caught.value) and not list(tmp_path.iterdir())


def test_loading_needs_no_other_package(weights: dict[str, tl.Tensor], tmp_path: Path) -> None:
    tl.save(weights, tmp_path / "x.safetensors")
    program = (
        "import sys, tensorlite as tl; tl.load(sys.argv[1]); "
        "print([m for m in ('torch', 'safetensors', 'onnx', 'numba', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "x.safetensors")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_files_are_as_readable_as_the_umask_says(tmp_path: Path, suffix: str) -> None:
    before = os.umask(0o027)
    try:
        tl.save({"a": tl.ones(2)}, tmp_path / f"w{suffix}")
    finally:
        os.umask(before)
    assert (tmp_path / f"w{suffix}").stat().st_mode & 0o777 == 0o640
