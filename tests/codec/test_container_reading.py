""".tlz files: what comes back, whole and in part, and that a stranger can read them."""

from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tlz_stranger as stranger
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tlz_samples import every_dtype, weights, write_vectors

import tensorlite as tl
from tensorlite.codec import Checkpoint, encoders, parallel
from tensorlite.codec.directory import DTYPES
from tensorlite.codec.encoders import Uniform, codebook, uniform
from tensorlite.codec.saving import save_arrays
from tensorlite.codec.writing import writing
from tensorlite.errors import ArgumentError, DimensionError, FileFormatError, UnknownNameError

Array = np.ndarray[Any, Any]
VECTORS = Path(__file__).parent / "vectors" / "schemes.tlz"


def equal(found: Array, wanted: Array) -> bool:
    return (found.dtype, found.shape, found.tobytes()) == (
        wanted.dtype, wanted.shape, wanted.tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["mmap", "read"])
@pytest.mark.parametrize("verify", ["none", "fast", "full"])
def test_every_dtype_comes_back_bit_for_bit(tmp_path: Path, mode: str, verify: str) -> None:
    arrays = {**every_dtype(), **weights()}
    save_arrays(arrays, tmp_path / "x.tlz")
    with Checkpoint(tmp_path / "x.tlz", mode=mode, verify=verify) as file:
        assert list(file) == list(arrays) == file.keys() and len(file) == len(arrays)
        assert all(equal(file[name], array) for name, array in arrays.items())
        assert file.broken() == file.broken(full=False) == {}


def test_save_and_load_keep_a_module(tmp_path: Path, device: tl.device) -> None:
    net = tl.nn.Sequential(tl.nn.Linear(70, 30), tl.nn.BatchNorm1d(30)).to(device)
    tl.save(net, tmp_path / "net.tlz", metadata={"made": "here"})
    found = tl.load(tmp_path / "net.tlz", device=device)
    other = tl.nn.Sequential(tl.nn.Linear(70, 30), tl.nn.BatchNorm1d(30)).to(device)
    other.load_state_dict(found)
    assert all(tensor.device == device for tensor in found.values())
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(found[name].numpy(force=True), tensor.numpy(force=True))


class Net(tl.nn.Module):
    """A network with an argument."""

    def __init__(self, width: int, names: list[str] | None = None) -> None:
        super().__init__()
        self.layer = tl.nn.Linear(3, width)
        self.names = names

    def forward(self, x: Any) -> Any:
        return self.layer(x)


def test_a_network_is_built_of_its_class(tmp_path: Path) -> None:
    net = Net(5, ["a"])
    tl.save(net, tmp_path / "x.tlz", arguments={"width": 5, "names": ["a"]})
    with Checkpoint(tmp_path / "x.tlz") as file:
        built = file.build(Net)
        with pytest.raises(FileFormatError, match="class 'Net', not 'Linear'"):
            file.build(tl.nn.Linear)
    assert built.names == ["a"]
    np.testing.assert_array_equal(built(tl.ones(1, 3)).numpy(), net(tl.ones(1, 3)).numpy())
    for wrong in ({"width": tl.ones(1)}, {"width": float("nan")}, {"width": (1, 2)}):
        with pytest.raises(ArgumentError, match="arguments are"):
            tl.save(net, tmp_path / "x.tlz", arguments=wrong)
    tl.save(net, tmp_path / "y.tlz", files={"network.json": b"[" * 9999})
    tl.save(net, tmp_path / "z.tlz")
    for name, match in (("y", "'network.json' is not as it should be"), ("z", "does not say")):
        with Checkpoint(tmp_path / f"{name}.tlz") as file:
            with pytest.raises(FileFormatError, match=match):
                file.build(Net)


def test_a_stranger_reads_what_we_write() -> None:
    theirs = stranger.File(VECTORS.read_bytes())
    with Checkpoint(VECTORS) as ours:
        for name in ours:
            assert theirs.tensor(name) == ours[name].tobytes(), name
        for name in ours.directory.files:
            assert theirs.file(name) == ours.file(name)
        assert theirs.directory["metadata"] == ours.metadata


def test_the_vectors_have_every_scheme_coder_and_dtype() -> None:
    with Checkpoint(VECTORS) as file:
        entries = list(file.directory.tensors.values())
        assert {e.scheme for e in entries} == {"stored", "bytes", "floats", "uniform", "codebook"}
        assert {e.dtype for e in entries} == set(DTYPES)
        planes, groups = [], []
        for entry in entries:
            for i in range(len(entry.parts)):
                part: Any = file._part(entry, i)
                planes += list(getattr(part, "planes", ()))
                groups.append(len(getattr(part, "groups", ())))
                planes += [p for g in getattr(part, "groups", ()) for p in (g.symbols, g.rest)]
        assert {p.method for p in planes} == {"stored", "constant", "huffman", "split", "rans"}
        assert {p.parsed.pairs for p in planes if p.method == "huffman"} == {False, True}
        assert max(groups) > 1
        tables = [e.parameters for e in entries if "packed" in e.parameters]
        assert {t["packed"] for t in tables} == {0, 1}


def test_old_files_decode_to_what_is_written_today(tmp_path: Path) -> None:
    write_vectors(tmp_path / "now.tlz")
    with Checkpoint(VECTORS) as old, Checkpoint(tmp_path / "now.tlz") as new:
        assert list(old) == list(new)
        assert all(old.entry(name).sha256 == new.entry(name).sha256 for name in old)


def test_without_numba_the_same_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorlite.codec import floats, huffman, planes, rans, tables

    with Checkpoint(VECTORS) as file:
        compiled = file.read_all()
        for module in (floats, huffman, planes, rans, tables, parallel):
            monkeypatch.setattr(module, "compiles", lambda: False)
        plain = file.read_all()
    assert all(equal(plain[name], compiled[name]) for name in compiled)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_file_is_the_same_whatever_the_threads(tmp_path: Path, threads: int) -> None:
    random = np.random.default_rng(0)
    arrays = {"w": random.standard_normal((900, 700)).astype(np.float32), **weights()}
    for plan in (None, Uniform(4)):
        save_arrays(arrays, tmp_path / "one.tlz", plan=plan, threads=1)
        save_arrays(arrays, tmp_path / "many.tlz", plan=plan, threads=threads)
        assert (tmp_path / "one.tlz").read_bytes() == (tmp_path / "many.tlz").read_bytes()
        with Checkpoint(tmp_path / "one.tlz", threads=1) as a:
            with Checkpoint(tmp_path / "one.tlz", threads=threads) as b:
                assert all(equal(a[name], b[name]) for name in arrays)


@pytest.mark.parametrize("plan", [None, Uniform(4), Uniform(3, 16, symmetric=True), Uniform(8)])
def test_ranges_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Any) -> None:
    monkeypatch.setattr(encoders, "PART", 700)
    arrays = {k: v for k, v in weights(50, 33).items() if v.ndim}
    save_arrays(arrays, tmp_path / "x.tlz", plan=plan)
    with Checkpoint(tmp_path / "x.tlz", verify="full") as file:
        assert len(file.entry("weight").parts) == 3
        for name in arrays:
            whole, length = file[name], len(arrays[name])
            if plan is None:
                assert equal(whole, arrays[name])
            for first in range(0, length + 1, 7):
                for last in range(first, length + 1, 5):
                    assert equal(file.rows(name, first, last), whole[first:last])
        assert file.broken() == {}


@pytest.mark.parametrize("rows", [(-1, 2), (2, 1), (0, 51)])
def test_rows_that_are_not_there(tmp_path: Path, rows: tuple[int, int]) -> None:
    save_arrays({"x": np.zeros((50, 2))}, tmp_path / "x.tlz")
    with Checkpoint(tmp_path / "x.tlz") as file, pytest.raises(DimensionError, match="'x'.*50"):
        file.rows("x", *rows)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_array_comes_back(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    dtype = data.draw(st.sampled_from(["f2", "f4", "f8", "i1", "u2", "i8", "c8", "bool"]))
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40))
    array = data.draw(hnp.arrays(np.dtype(dtype), shape))
    name = data.draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50))
    path = tmp_path_factory.mktemp("any") / "x.tlz"
    save_arrays({name: array}, path, metadata={name: name}, files={name: name.encode()})
    with Checkpoint(path, verify="full") as file:
        assert equal(file[name], array)
        assert file.metadata == {name: name} and file.file(name) == name.encode()
        assert file.broken() == {}


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_few_bits_are_those_of_quantize(
    tmp_path: Path, bits: int, symmetric: bool, dtype: str
) -> None:
    array = weights(40, 70)["weight"].astype(DTYPES[dtype])
    tl.save({"w": array}, tmp_path / "x.tlz", bits=bits, group_size=32, symmetric=symmetric)
    half = tl.tensor(array.astype(np.float16))
    codes, scales, zeros = tl.quantize(half, bits, 32, symmetric)
    wanted = tl.dequantize(codes, scales.float(), zeros, bits, 32, 70).numpy().astype(array.dtype)
    assert equal(tl.load(tmp_path / "x.tlz")["w"].numpy(), wanted)


def test_a_convolution_and_what_is_not_quantised(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {
        "conv": random.standard_normal((64, 32, 3, 3)).astype(np.float32),
        "bias": random.standard_normal(4000).astype(np.float32),
        "ids": np.arange(4000).reshape(2, 2000),
        "broken": np.full((50, 50), np.nan, np.float32),
        "large": random.standard_normal((50, 50)).astype(np.float32) * 1e8,
    }
    tl.save(arrays, tmp_path / "x.tlz", bits=8)
    with Checkpoint(tmp_path / "x.tlz") as file:
        schemes = {name: file.entry(name).scheme for name in file}
        assert schemes == {"conv": "uniform", "bias": "floats", "ids": "bytes",
                           "broken": "floats", "large": "uniform"}  # fmt: skip
        for name in ("bias", "ids", "broken"):
            assert equal(file[name], arrays[name])
        for name in ("conv", "large"):
            error = np.abs(file[name] - arrays[name]).max() / np.abs(arrays[name]).max()
            assert error < 0.005


@pytest.mark.parametrize("verify", ["fast", "full"])
def test_matrices_are_quantised_along_their_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: str
) -> None:
    monkeypatch.setattr(encoders, "PART", 1000)
    array = np.random.default_rng(0).standard_normal((70, 48)).astype(np.float32)
    arrays = {"w": array, "v": array, "lossless": np.arange(12).reshape(3, 4)}
    with writing(tmp_path / "x.tlz") as writer:
        writer.add("w", array, Uniform(4), transposed=True)
        writer.add("v", np.ascontiguousarray(array.T), Uniform(4))
        writer.add("i", arrays["lossless"], Uniform(4), transposed=True)
    with Checkpoint(tmp_path / "x.tlz", verify=verify) as file:
        assert file.entry("w").transposed and len(file.entry("w").parts) > 1
        assert equal(file["w"], np.ascontiguousarray(file["v"].T))
        assert equal(file.rows("w", 3, 60), file["w"][3:60]) and equal(
            file["i"], arrays["lossless"]
        )
        found = file.quantized("w")
        assert found is not None and found.transposed and found.columns == 70
        assert file.broken() == file.broken(full=False) == {}
        assert equal(file.read_all()["w"], file["w"])


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("columns, group", [(96, 32), (70, 32), (27, 32), (64, 64)])
def test_quantised_tensors_need_not_become_floats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, columns: int, group: int
) -> None:
    monkeypatch.setattr(encoders, "PART", 1000)
    array = np.random.default_rng(0).standard_normal((48, columns)).astype(np.float32)
    for symmetric in (False, True):
        arrays = {"w": array, "b": array[0]}
        tl.save(arrays, tmp_path / "x.tlz", bits=bits, group_size=group, symmetric=symmetric)
        with Checkpoint(tmp_path / "x.tlz") as file:
            assert file.quantized("b") is None
            found, wanted = file.quantized("w"), file["w"]
        assert found is not None and found.bits == bits and found.columns == columns
        codes, scales = tl.tensor(found.codes), tl.tensor(found.scales)
        zeros = None if found.zeros is None else tl.tensor(found.zeros)
        assert (zeros is None) == symmetric
        floats = tl.dequantize(codes, scales.float(), zeros, bits, found.group_size, columns)
        np.testing.assert_array_equal(floats.numpy(), wanted)
        x = tl.ones(1, columns)
        if columns % found.group_size == 0:
            y = tl.quantized_linear(x, codes, scales, zeros, None, bits, found.group_size)
            np.testing.assert_allclose(y.numpy()[0], wanted.sum(1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("groups", [(1, 1), (1, 4), (6, 1), (6, 4)])
def test_grids_of_scales(tmp_path: Path, groups: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 32, (6, 10), dtype=np.uint8)
    scales = random.random(groups).astype(np.float32)
    zeros = random.integers(0, 32, groups, dtype=np.uint8)
    group = -(-10 // groups[1])
    of = scales[:, np.arange(10) // group], zeros[:, np.arange(10) // group].astype(np.int32)
    with writing(tmp_path / "x.tlz") as writer:
        writer.add_encoded("u", uniform("float32", (6, 10), codes, scales, zeros, 5, group))
        values = random.random(32).astype(np.float32)
        writer.add_encoded("c", codebook("float32", (6, 10), codes, values, scales, group))
    with Checkpoint(tmp_path / "x.tlz", verify="full") as file:
        assert equal(file["u"], (codes - of[1]).astype(np.float32) * of[0])
        assert equal(file["c"], values[codes] * of[0])


def _read(path: Path) -> bytes:
    with Checkpoint(path) as file:
        return file["weight"].tobytes()


def test_several_threads_and_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.tlz"
    save_arrays(weights(), path)
    wanted = weights()["weight"].tobytes()
    with Checkpoint(path) as file, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: file["weight"].tobytes(), range(20)))
    assert set(found) == {wanted}
    with multiprocessing.get_context("spawn").Pool(2) as processes:
        assert set(processes.map(_read, [path] * 4)) == {wanted}


def test_a_mapped_tensor_is_not_copied_and_writing_to_it_changes_no_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 1024), dtype=np.uint8)
    save_arrays({"x": noise}, tmp_path / "x.tlz")
    before = (tmp_path / "x.tlz").read_bytes()
    with Checkpoint(tmp_path / "x.tlz") as file:
        found = file["x"]
        assert found.base is not None and found.ctypes.data % 64 == 0
    found[:] = 0
    assert (tmp_path / "x.tlz").read_bytes() == before


def test_killed_while_writing_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.tlz"
    save_arrays({"x": np.arange(10)}, path)
    before = path.read_bytes()
    program = f"""
import os, signal, numpy as np
from tensorlite.codec.writing import writing
with writing({str(path)!r}) as writer:
    writer.add("x", np.zeros(100000))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode < 0
    assert path.read_bytes() == before
    save_arrays({"x": np.arange(10)}, path)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.tlz"
    save_arrays({"x": np.arange(10)}, path)
    before = path.read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        save_arrays({"x": np.arange(20)}, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["x.tlz"]


def test_the_mode_of_the_file_is_as_the_umask_says(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save_arrays({"x": np.arange(10)}, tmp_path / "x.tlz")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x.tlz").stat().st_mode) == 0o640


def test_wrong_calls(tmp_path: Path) -> None:
    path = tmp_path / "x.tlz"
    save_arrays({"weight": np.arange(10)}, path, files={"a.txt": b"a"})
    with Checkpoint(path) as file:
        assert "weight" in file and "bias" not in file
        with pytest.raises(UnknownNameError, match="Did you mean 'weight'"):
            file["wieght"]
        with pytest.raises(UnknownNameError, match=r"Did you mean 'a\.txt'"):
            file.file("b.txt")
    for options in ({"mode": "rb"}, {"verify": "yes"}):
        with pytest.raises(ArgumentError, match="expected one of"):
            Checkpoint(path, **options)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        Checkpoint(tmp_path / "y.tlz")
    with pytest.raises(ArgumentError, match="2, 3, 4 or 8 bits"):
        tl.save({"x": tl.ones(2)}, path, bits=5)
    with pytest.raises(ArgumentError, match="only .tlz files hold files, arguments"):
        tl.save({"x": tl.ones(2)}, tmp_path / "x.npz", bits=4)
    with pytest.raises(ArgumentError, match="file 'a'.*got a int"):
        tl.save({"x": tl.ones(2)}, path, files={"a": 1})  # type: ignore[dict-item]
    with pytest.raises(ArgumentError, match="threads: expected at least 1"):
        save_arrays({}, path, threads=0)
    for name in ("", "x" * 1025, "\ud800"):
        with pytest.raises(FileFormatError, match="the name of a tensor"):
            tl.save({name: tl.ones(2)}, path)
    with pytest.raises(FileFormatError, match="metadata is texts only"):
        tl.save({}, path, metadata={"a": 1})  # type: ignore[dict-item]
    with pytest.raises(FileFormatError, match="two tensors have the name 'a'"):
        with writing(path) as writer:
            writer.add("a", np.zeros(2))
            writer.add("a", np.zeros(2))
    with Checkpoint(path) as file:
        assert file["weight"].tolist() == list(range(10))


def test_never_larger_than_raw_by_more_than_a_thousandth(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 1 << 32, (1000, 1000), dtype=np.uint32)
    save_arrays({"a": noise, "b": noise.view(np.float32)}, tmp_path / "x.tlz")
    assert (tmp_path / "x.tlz").stat().st_size < 2 * noise.nbytes * 1.001
