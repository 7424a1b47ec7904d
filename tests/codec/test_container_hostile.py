""".tlz files that are broken, or lie: a FileFormatError that says where, and the rest is there."""

from __future__ import annotations

import importlib
import json
import random
import struct
import subprocess
import sys
import tracemalloc
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tlz_samples import weights

import tensorlite as tl
from tensorlite.codec import Checkpoint
from tensorlite.codec.directory import HEAD, MOST_DIRECTORY, SUPERBLOCK
from tensorlite.codec.encoders import Uniform, codebook, uniform
from tensorlite.codec.planes import encode_plane
from tensorlite.codec.saving import save_arrays
from tensorlite.codec.writing import writing
from tensorlite.errors import FileFormatError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("fuzz_tlz")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small file, with a tensor of every scheme that networks have."""
    random_ = np.random.default_rng(0)
    with writing(tmp_path / "x.tlz", {"made": "here"}) as writer:
        writer.add("first", random_.standard_normal((16, 16)).astype(np.float16))
        writer.add("few", random_.standard_normal((32, 32)).astype(np.float32), Uniform(3))
        writer.add("last", np.arange(100))
        writer.add_file("labels", b"cat\ndog\n" * 8, "labels")
    return tmp_path / "x.tlz"


def rebuilt(path: Path, change: Any, area: Any = None) -> None:
    """The file with its directory changed, and all checksums right."""
    data = path.read_bytes()
    held = SUPERBLOCK.unpack(data[: SUPERBLOCK.size])
    directory = json.loads(zlib.decompress(data[HEAD : HEAD + held[7]]))
    rest = data[held[8] :] if area is None else area
    found = change(directory)
    directory = directory if found is None else found
    text = directory if isinstance(directory, bytes) else json.dumps(directory).encode()
    path.write_bytes(with_directory(text, rest))


def with_directory(text: bytes, area: bytes, **changed: int) -> bytes:
    packed = zlib.compress(text)
    start = -(-(HEAD + len(packed)) // 64) * 64
    fields = {"magic": b"\x89TLZ\r\n\x1a\n", "major": 1, "minor": 0, "unpacked": len(text),
              "required": 0, "optional": 0, "whole": start + len(area), "size": len(packed),
              "start": start, "crc": zlib.crc32(packed), **changed}  # fmt: skip
    head = SUPERBLOCK.pack(*fields.values())
    return (head + struct.pack("<I", zlib.crc32(head)) + packed).ljust(start, b"\0") + area


def fails(path: Path, match: str, **options: Any) -> None:
    with pytest.raises(FileFormatError, match=match):
        with Checkpoint(path, **options) as file:
            file.read_all()


def test_every_byte_flipped(path: Path) -> None:
    data = path.read_bytes()
    with Checkpoint(path) as file:
        whole = {name: file[name].tobytes() for name in file}
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        try:
            with Checkpoint(path, partial=True) as file:
                assert at >= HEAD, f"byte {at} of the head"
                broken = file.broken()
                assert len(broken) == 1, f"byte {at}: {broken}"
                for name in file:
                    if name in broken:
                        assert f"tensor {name!r} (bytes" in broken[name]
                        with pytest.raises(FileFormatError, match=f"x.tlz: tensor {name!r}"):
                            file[name]
                    else:
                        assert file[name].tobytes() == whole[name]
        except FileFormatError as error:
            assert str(path) in str(error)


def test_cut_off_anywhere(path: Path) -> None:
    data = path.read_bytes()
    with Checkpoint(path) as file:
        ends = {
            name: file.directory.start + max(s.at + s.size for p in e.parts for s in p.values())
            for name, e in file.directory.tensors.items()
        }
        start = file.directory.start
        whole = {name: file[name].tobytes() for name in file}
    for size in range(len(data)):
        path.write_bytes(data[:size])
        fails(path, "cut off|is empty|others|of the format")
        if size < start:
            continue
        fails(path, r"cut off: .* bytes were written, .* are there")
        with Checkpoint(path, partial=True, mode="read") as file:
            broken = file.broken()
            assert {name for name in file if name in broken} == {
                name for name, end in ends.items() if end > size
            }
            for name in set(file) - set(broken):
                assert file[name].tobytes() == whole[name]


def test_bytes_behind_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    fails(path, "1 bytes behind its end")


@pytest.mark.parametrize(
    "content, match",
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\r\n <html>", "web page"),
        (b'{"error": "not found"}', "JSON text"),
        (b"GGUF" + bytes(100), "GGUF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image"),
        (b"\x1f\x8b" + bytes(100), "compressed file"),
        (b"\x89TLZ\n\x1a\n" + bytes(100), "text transfers"),
        (b"\tTLZ\r\n\x1a\n" + bytes(100), "text transfers"),
        (b"\x89TLZ", "text transfers|cut off"),
        (b"\x89TLZ\r\n\x1a\n", "cut off"),
        (b"nothing", "no .tlz file"),
    ],
)
def test_what_is_no_tlz_file(tmp_path: Path, content: bytes, match: str) -> None:
    (tmp_path / "x.tlz").write_bytes(content)
    fails(tmp_path / "x.tlz", match)
    with pytest.raises(FileFormatError, match=match):
        tl.load(tmp_path / "x.tlz")


@pytest.mark.parametrize(
    "changed, match",
    [
        ({"major": 2}, "version 2.0 of the format.*update tensorlite"),
        ({"major": 0}, "version 0.0"),
        ({"required": 4}, r"needs features.*0x4"),
        ({"unpacked": 1 << 25}, "head makes no sense"),
        ({"unpacked": 1}, "unpacked to another size"),
        ({"unpacked": 1000}, "unpacked to another size"),
        ({"start": 128 << 32}, "head makes no sense"),
        ({"size": 3}, "its directory .* was changed"),
        ({"whole": 3}, "head makes no sense"),
        ({"whole": 1 << 63}, "sections end at"),
        ({"crc": 0}, "its directory .* was changed"),
    ],
)
def test_heads_that_lie(tmp_path: Path, changed: dict[str, int], match: str) -> None:
    text = b'{"files": {}, "metadata": {}, "tensors": {}}'
    (tmp_path / "x.tlz").write_bytes(with_directory(text, b"", **changed))
    fails(tmp_path / "x.tlz", match)


@pytest.mark.parametrize("changed", [{"minor": 9}, {"optional": 1 << 60}])
def test_what_the_future_adds_is_ignored(path: Path, changed: dict[str, int]) -> None:
    data = path.read_bytes()
    held = SUPERBLOCK.unpack(data[: SUPERBLOCK.size])
    directory = json.loads(zlib.decompress(data[HEAD : HEAD + held[7]]))
    directory["report"] = {"psnr": 40}
    directory["tensors"]["few"]["psnr"] = 40
    text = json.dumps(directory).encode()
    path.write_bytes(with_directory(text, data[held[8] :], **changed))
    with Checkpoint(path) as file:
        assert file.broken() == {}


@pytest.mark.parametrize(
    "text, match",
    [
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b"\xff", "no JSON"),
        (b'{"tensors": 1}', "has no 'files'"),
        (b'{"a": 1, "a": 2}', "same name twice"),
        (b'{"a": 1.5}', "only whole numbers"),
        (b'{"a": NaN}', "only whole numbers"),
        (b"[" * 60_000, "nested too deep"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "no JSON"),
    ],
)
def test_directories_that_are_none(tmp_path: Path, text: bytes, match: str) -> None:
    (tmp_path / "x.tlz").write_bytes(with_directory(text, b""))
    fails(tmp_path / "x.tlz", match)


HUGE = 1 << 40


def entry(**changed: Any) -> Any:
    def change(directory: Any) -> None:
        directory["tensors"]["few"].update(changed)

    return change


@pytest.mark.parametrize(
    "change, match",
    [
        (entry(shape=[-1, 4]), "tensor 'few'.*no shape"),
        (entry(shape=[True, 4]), "tensor 'few'.*no shape"),
        (entry(shape=[1 << 60]), "tensor 'few'.*2\\*\\*48"),
        (entry(shape=[1 << 30, 1 << 30]), "tensor 'few'.*2\\*\\*48"),
        (entry(shape=[1] * 33), "tensor 'few'.*up to 32"),
        (entry(shape=[HUGE, 1], rows=HUGE), "more than|allowed|symbols"),
        (entry(shape=[0, HUGE]), "parts of"),
        (entry(rows=0), "parts of 0 rows"),
        (entry(rows=1), "1 parts of 1 rows"),
        (entry(rows=-5), "parts of -5 rows"),
        (entry(dtype="float128"), "the dtype 'float128'"),
        (entry(dtype="int8"), "makes no numbers of int8"),
        (entry(scheme="neural"), "tensor 'few' .*'neural' is not known.*update tensorlite"),
        (entry(scheme="floats"), "tensor 'few' .*sections"),
        (entry(scheme=3), "no 'scheme'"),
        (entry(sha256="0"), "no SHA-256"),
        (entry(sha256="A" * 64), "no SHA-256"),
        (entry(transposed=1), "no matrix that is transposed"),
        (entry(transposed=True, shape=[32, 32, 1]), "no matrix that is transposed"),
        (entry(snr="high"), "'snr' that is none"),
        (entry(snr=1 << 70), "'snr' that is none"),
        (entry(parts=[{}]), "no sections"),
        (entry(parts=[{"codes": [0]}]), "no pair"),
        (entry(parts=[{"codes": [0, 1 << 70]}]), "section of|sections end"),
        (entry(parts=[{"codes": [-8, 8]}]), "section of|sections end"),
        (entry(parameters={}), "tensor 'few' .*parameter 'bits'"),
        (entry(parameters={"bits": 9}), "parameter 'bits'.*got 9"),
        (entry(parameters={"bits": 3, "packed": 2}), "parameter 'packed'"),
        (entry(parameters={"bits": 8, "packed": 1}), "8 bits are not packed"),
    ],
)
def test_directories_that_lie(path: Path, change: Any, match: str) -> None:
    rebuilt(path, change)
    tracemalloc.start()
    fails(path, match)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_a_scheme_from_the_future_leaves_the_other_tensors(path: Path) -> None:
    rebuilt(path, entry(scheme="neural"))
    with Checkpoint(path) as file:
        assert file["last"].tolist() == list(range(100)) and file["first"].shape == (16, 16)
        assert list(file.broken()) == ["few"]


@pytest.mark.parametrize("move", [-8, 8, 64, 1 << 20])
def test_sections_that_overlap_or_leave_holes(path: Path, move: int) -> None:
    def change(directory: Any) -> None:
        place = directory["tensors"]["few"]["parts"][0]["codes"]
        place[0] += move

    rebuilt(path, change)
    fails(path, "has a section of .* bytes at|sections end at")


def test_two_tensors_in_one_section(path: Path) -> None:
    def change(directory: Any) -> None:
        directory["tensors"]["again"] = directory["tensors"]["few"]

    rebuilt(path, change)
    fails(path, "has a section of .* where tensor '(few|again)' ends at")


def test_a_directory_of_a_million_names(tmp_path: Path) -> None:
    names = ",".join(f'"{i:x}":0' for i in range(1_000_000))
    text = b'{"files":{},"metadata":{},"tensors":{' + names.encode() + b"}}"
    (tmp_path / "x.tlz").write_bytes(with_directory(text, b""))
    if len(text) > MOST_DIRECTORY:
        fails(tmp_path / "x.tlz", "head makes no sense")
    else:
        fails(tmp_path / "x.tlz", "no JSON object")
    with pytest.raises(FileFormatError, match="at most 16,777,216 bytes"):
        with writing(tmp_path / "y.tlz", {str(i): "" for i in range(2_000_000)}):
            pass
    assert not (tmp_path / "y.tlz").exists()


def test_a_small_directory_does_not_unpack_to_a_large_one(tmp_path: Path) -> None:
    text = b'{"a":[' + b"[]," * 5_000_000 + b"[]]}"
    (tmp_path / "x.tlz").write_bytes(with_directory(text, b""))
    assert (tmp_path / "x.tlz").stat().st_size < 20_000
    tracemalloc.start()
    fails(tmp_path / "x.tlz", "head makes no sense")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    with writing(tmp_path / "y.tlz", {"a": "a" * 1_000_000}):
        pass
    with Checkpoint(tmp_path / "y.tlz") as file:
        assert file.metadata == {"a": "a" * 1_000_000}


def test_bombs_are_stopped_before_they_take_memory(tmp_path: Path) -> None:
    """A constant plane of 2**40 zeros takes hundreds of kilobytes in a file."""
    one = encode_plane(np.zeros(1 << 12, np.uint8), block=1 << 12).to_bytes()
    head = bytearray(one)
    blocks = 1 << 14
    struct.pack_into("<IQQ", head, 4, 1 << 26, blocks << 26, blocks)
    directory = struct.pack("<II", 1, zlib.crc32(b"\0")) * blocks
    start = bytes(head[:24]) + directory
    plane = start + struct.pack("<I", zlib.crc32(start)) + bytes(blocks)
    path = tmp_path / "x.tlz"
    with writing(path) as writer:
        writer.add("bomb", np.zeros(100, np.uint8))
        writer.add("good", np.arange(3))
    size = len(plane)

    def change(directory: Any) -> None:
        bomb, good = directory["tensors"]["bomb"], directory["tensors"]["good"]
        bomb.update(shape=[blocks << 26], rows=blocks << 26, scheme="bytes")
        bomb["parts"] = [{"data": [0, size]}]
        held = good["parts"][0]
        held["data"][0] = -(-size // 64) * 64
        held["sums"][0] = held["data"][0] + 24

    good = np.arange(3).tobytes()
    area = plane.ljust(-(-size // 64) * 64, b"\0") + good + struct.pack("<I", zlib.crc32(good))
    rebuilt(path, change, area)
    tracemalloc.start()
    with Checkpoint(path) as file:
        with pytest.raises(FileFormatError, match="'bomb'.*1,099,511,627,776 bytes.*max_bytes"):
            file["bomb"]
        with pytest.raises(FileFormatError, match="max_bytes"):
            file.read_all()
        assert list(file.broken()) == ["bomb"] and list(file.broken(full=False)) == []
        assert file["good"].tolist() == [0, 1, 2]
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_a_file_that_unpacks_to_more_than_it_says(path: Path) -> None:
    packed = zlib.compress(bytes(100 << 20), 9)

    def change(directory: Any) -> None:
        held = {"kind": "file", "coder": "zlib", "size": 1000, "section": [0, len(packed)]}
        held.update(crc32=zlib.crc32(packed), sha256="0" * 64)
        directory["files"] = {"bomb": held}
        directory["tensors"] = {}

    rebuilt(path, change, packed)
    tracemalloc.start()
    with Checkpoint(path) as file:
        with pytest.raises(FileFormatError, match="file 'bomb': it is unpacked to another size"):
            file.file("bomb")
        assert list(file.broken()) == ["file bomb"]
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()


def test_tables_that_lie(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (30, 40), dtype=np.uint8)
    values = np.arange(3, dtype=np.float32)
    path = tmp_path / "x.tlz"
    grid = np.ones((30, 5), np.float32)
    with writing(path) as writer, pytest.raises(FileFormatError, match="code 3 has no value in 3"):
        writer.add_encoded("x", codebook("float32", (30, 40), codes, values))
    with writing(path) as writer, pytest.raises(FileFormatError, match="more than 1 bits"):
        writer.add_encoded("x", uniform("float32", (30, 40), codes, grid, None, 1, 8))
    with writing(path) as writer:
        writer.add_encoded("x", uniform("float32", (30, 40), codes, grid * np.inf, None, 2, 8))
    with Checkpoint(path) as file:
        assert not np.isfinite(file["x"]).any()
    for changed, match in (
        ({"group": 7}, "plane of 150 symbols"),
        ({"group": 41}, "parameter 'group'.*1 to 40, got 41"),
        ({"group": 0}, "parameter 'group'"),
        ({"by_row": 0}, "plane of 150 symbols is there, and not of 5"),
        ({"scale_dtype": "int8"}, "scale_dtype"),
        ({"scale_dtype": "float16"}, "behind its end"),
        ({"bits": 1}, "1 bits are not packed"),
    ):
        before = path.read_bytes()
        rebuilt(path, lambda d, c=changed: d["tensors"]["x"]["parameters"].update(c))
        fails(path, f"tensor 'x' .*{match}")
        path.write_bytes(before)


def test_what_is_not_in_the_dtype(tmp_path: Path) -> None:
    save_arrays({"x": np.arange(200, dtype=np.uint8), "y": weights()["ids"]}, tmp_path / "x.tlz")
    for dtype in ("bool", "int4", "int2", "float4_e2m1fn"):
        before = (tmp_path / "x.tlz").read_bytes()
        rebuilt(tmp_path / "x.tlz", lambda d, t=dtype: d["tensors"]["x"].update(dtype=t))
        fails(tmp_path / "x.tlz", "bits that its dtype does not have")
        (tmp_path / "x.tlz").write_bytes(before)


def test_numbers_that_are_others_than_were_written(path: Path) -> None:
    rebuilt(path, entry(sha256="0" * 64))
    with Checkpoint(path) as file:
        assert file["few"].shape == (32, 32)
        assert list(file.broken()) == ["few"] and file.broken(full=False) == {}
    fails(path, "tensor 'few'.*the SHA-256 differs", verify="full")


def test_bytes_between_sections(path: Path) -> None:
    with Checkpoint(path) as file:
        sections = [section for _, section in file.directory.sections()]
        ends = [a.at + a.size for a, b in pairwise(sections) if a.at + a.size < b.at]
        gap = file.directory.start + ends[0]
    data = bytearray(path.read_bytes())
    data[gap] = 1
    path.write_bytes(data)
    with Checkpoint(path) as file:
        assert file.broken() == {
            "zeros": f"byte {gap:,}, which fills up to the next section, is not zero"
        }


@pytest.mark.parametrize("numpy", [False, True])
def test_a_share_of_the_mutants(fuzz: Any, monkeypatch: pytest.MonkeyPatch, numpy: bool) -> None:
    if numpy:
        for name in ("floats", "huffman", "planes", "rans", "tables", "parallel"):
            module = importlib.import_module(f"tensorlite.codec.{name}")
            monkeypatch.setattr(module, "compiles", lambda: False)
    rng = random.Random(5)
    found = {seed: fuzz.outcome(seed) for seed in (rng.randrange(10**6) for _ in range(600))}
    assert {s: what for s, what in found.items() if what not in fuzz.GOOD} == {}
    assert len(set(found.values())) == len(fuzz.GOOD)


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--numpy"]])
def test_many_mutants(options: list[str]) -> None:
    command = [sys.executable, str(BENCHMARKS / "fuzz_tlz.py"), "--mutants", "10000"]
    done = subprocess.run([*command, "--processes", "1", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "0 findings" in done.stdout
