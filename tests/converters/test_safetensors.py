"""safetensors files against the safetensors package and PyTorch, and broken ones."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tensorlite import errors
from tensorlite.converters.safetensors import (
    DTYPES,
    read_metadata,
    read_safetensors,
    write_safetensors,
)

PLAIN = [code for code, dtype in DTYPES.items() if dtype.isbuiltin == 1]


def example(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    raw = np.arange(48, dtype=np.uint8)
    return (raw % 2 == 1) if dtype == np.bool_ else raw.view(dtype)


def same(got: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> None:
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    assert got.tobytes() == wanted.tobytes()


def file(header: Any, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize("code", PLAIN)
def test_reads_what_the_package_writes(code: str, tmp_path: Path) -> None:
    array = example(DTYPES[code])
    save_file({"x": array, "y": array[:6].reshape(2, 3)}, tmp_path / "x.safetensors")
    got = read_safetensors(tmp_path / "x.safetensors")
    same(got["x"], array)
    same(got["y"], array[:6].reshape(2, 3))


@pytest.mark.parametrize("code", PLAIN)
def test_the_package_reads_what_is_written(code: str, tmp_path: Path) -> None:
    array = example(DTYPES[code])
    write_safetensors({"x": array}, tmp_path / "x.safetensors", {"format": "np"})
    same(load_file(tmp_path / "x.safetensors")["x"], array)
    with safe_open(tmp_path / "x.safetensors", framework="np") as opened:
        assert opened.metadata() == {"format": "np"}
    assert read_metadata(tmp_path / "x.safetensors") == {"format": "np"}


@pytest.mark.parametrize("code", DTYPES)
def test_pytorch_agrees(code: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    array = example(DTYPES[code])
    dtype = getattr(torch, array.dtype.name)
    tensor = torch.from_numpy(array.view(np.uint8)).view(dtype)
    save_file({"x": tensor.reshape(1, -1)}, tmp_path / "torch.safetensors")
    same(read_safetensors(tmp_path / "torch.safetensors")["x"], array.reshape(1, -1))
    if code == "F8_E8M0":
        return  # which the package's reader for PyTorch does not know in every version
    write_safetensors({"x": array}, tmp_path / "own.safetensors")
    got = load_file(tmp_path / "own.safetensors")["x"]
    assert got.dtype == dtype
    assert got.view(torch.uint8).numpy().tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "array",
    [
        np.float32(2.5).reshape(()),
        np.zeros(0, np.int8),
        np.zeros((3, 0, 2)),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(10)[::-3],
        np.arange(4, dtype=">i4"),
        np.broadcast_to(np.float32(1), (2, 3)),
    ],
)
def test_every_layout(array: np.ndarray[Any, Any], tmp_path: Path) -> None:
    write_safetensors({"x": array, "other": np.ones(3, np.int8)}, tmp_path / "x.safetensors")
    for got in (
        read_safetensors(tmp_path / "x.safetensors"),
        load_file(tmp_path / "x.safetensors"),
    ):
        np.testing.assert_array_equal(got["x"], array)
        assert got["x"].shape == array.shape and got["x"].dtype == array.dtype.newbyteorder("=")


def test_names_of_every_kind(tmp_path: Path) -> None:
    names = ["", "a.b.0", "ä/€ 😀", 'quote"\\\n\t', "a" * 5000, "__metadata"]
    write_safetensors({n: np.full(2, i) for i, n in enumerate(names)}, tmp_path / "x.safetensors")
    got = read_safetensors(tmp_path / "x.safetensors")
    assert {name: int(array[0]) for name, array in got.items()} == {
        name: i for i, name in enumerate(names)
    }


def test_nothing_at_all(tmp_path: Path) -> None:
    write_safetensors({}, tmp_path / "x.safetensors")
    assert read_safetensors(tmp_path / "x.safetensors") == {}
    assert read_metadata(tmp_path / "x.safetensors") == {}


def test_arrays_are_mapped_and_writing_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors({"x": np.zeros(1000), "y": np.zeros(10)}, path)
    before = path.read_bytes()
    got = read_safetensors(path)
    got["x"][:] = 1
    assert path.read_bytes() == before and read_safetensors(path)["x"].max() == 0
    assert got["x"].base is not None and not np.shares_memory(got["x"], got["y"])
    write_safetensors(got, path)  # onto the file that they are mapped from
    assert read_safetensors(path)["x"].min() == 1


def test_unaligned_data_is_copied(tmp_path: Path) -> None:
    for padding in range(8):
        header = json.dumps({"x": entry([2], 0, 8)}).encode() + b" " * padding
        (tmp_path / "x").write_bytes(file(header, struct.pack("<2f", 1, 2)))
        got = read_safetensors(tmp_path / "x")["x"]
        assert got.flags.aligned and got.flags.writeable and got.tolist() == [1, 2]


def test_the_tensors_may_be_in_any_order(tmp_path: Path) -> None:
    header = {"b": entry([1], 4, 8), "none": entry([0], 4, 4), "a": entry([1], 0, 4)}
    (tmp_path / "x").write_bytes(file(header, struct.pack("<2f", 1, 2)))
    got = read_safetensors(tmp_path / "x")
    assert {name: array.tolist() for name, array in got.items()} == {"b": [2], "none": [], "a": [1]}


EIGHT = bytes(8)
BROKEN = {
    "empty": (b"", "no safetensors file"),
    "short": (b"\x02\0\0\0\0\0\0", "no safetensors file"),
    "text": (b"hello world, this is text", "no safetensors file"),
    "header too long": (struct.pack("<Q", 100_000_001) + b"{}", "no safetensors file"),
    "header huge": (b"\xff" * 8 + b"{}", "no safetensors file"),
    "header cut off": (struct.pack("<Q", 50) + b'{"x":', "cut off"),
    "no JSON": (file(b'{"x": '), "no JSON"),
    "a list": (file(b"[]"), "no safetensors file"),
    "not UTF-8": (file(b'{"\xff": 1}'), "no JSON"),
    "two values": (file(b"{}{}"), "no JSON"),
    "deep": (file(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nested too deep"),
    "twice": (file(b'{"x":{},"x":{}}'), "the same name twice"),
    "NaN": (file(b'{"x": NaN}'), "NaN"),
    "huge integer": (file(b'{"x": ' + b"9" * 5000 + b"}"), "no JSON"),
    "entry": (file({"x": 1}), "exactly a dtype"),
    "missing": (file({"x": {"dtype": "F32", "shape": []}}), "exactly a dtype"),
    "more": (file({"x": entry([1], 0, 4) | {"more": 1}}, bytes(4)), "exactly a dtype"),
    "dtype": (file({"x": entry([1], 0, 4, "F31")}, bytes(4)), "'F31'"),
    "dtype of 6 bits": (file({"x": entry([4], 0, 3, "F6_E2M3")}, bytes(3)), "'F6_E2M3'"),
    "dtype is a list": (file({"x": entry([1], 0, 4, ["F32"])}, bytes(4)), "no text"),
    "shape": (file({"x": entry("1", 0, 4)}, bytes(4)), "no shape"),
    "negative": (file({"x": entry([-1], 0, 4)}, bytes(4)), "no sizes"),
    "negatives": (file({"x": entry([-1, -1], 0, 4)}, bytes(4)), "no sizes"),
    "true": (file({"x": entry([True], 0, 4)}, bytes(4)), "no sizes"),
    "float": (file({"x": entry([1.0], 0, 4)}, bytes(4)), "no sizes"),
    "huge": (file({"x": entry([2**61, 2**61], 0, 4)}, bytes(4)), "does not fit"),
    "overflow": (file({"x": entry([2**32, 2**32], 0, 0)}), "does not fit"),
    "endless": (file({"x": entry([2**80], 0, 4)}, bytes(4)), "no sizes"),
    "dimensions": (file({"x": entry([1] * 65, 0, 4)}, bytes(4)), "too many dimensions"),
    "empty but large": (file({"x": entry([0, 2**61, 2**61], 0, 0)}), "tensor 'x'"),
    "offsets": (file({"x": entry([1], 0, 4) | {"data_offsets": [0, 4, 8]}}, bytes(4)), "no sizes"),
    "backwards": (file({"x": entry([1], 4, 0)}, bytes(4)), "does not fit"),
    "too few bytes": (file({"x": entry([2], 0, 4)}, bytes(4)), "does not fit"),
    "hole": (file({"x": entry([1], 4, 8)}, EIGHT), "begins at byte 4"),
    "hole between": (
        file({"x": entry([1], 0, 4), "y": entry([1], 8, 12)}, bytes(12)),
        "begins at byte 8",
    ),
    "overlap": (file({"x": entry([2], 0, 8), "y": entry([1], 4, 8)}, EIGHT), "begins at byte 4"),
    "same place": (file({"x": entry([2], 0, 8), "y": entry([2], 0, 8)}, EIGHT), "begins at byte 0"),
    "cut off": (file({"x": entry([2], 0, 8)}, bytes(7)), "cut off"),
    "more behind": (file({"x": entry([2], 0, 8)}, bytes(9)), "the file has 9"),
    "bytes without tensors": (file({}, EIGHT), "the file has 8"),
    "bool": (file({"x": entry([2], 0, 2, "BOOL")}, b"\1\2"), "other than 0 and 1"),
    "metadata": (file({"__metadata__": {"a": 1}}), "metadata is not texts"),
    "metadata is a list": (file({"__metadata__": []}), "metadata is not texts"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(name: str, tmp_path: Path) -> None:
    content, says = BROKEN[name]
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(errors.FileFormatError) as caught:
        read_safetensors(path)
    assert says in str(caught.value) and "x.safetensors: " in str(caught.value)
    assert len(str(caught.value)) < 1000


FINE = file(
    {"x": entry([2], 0, 8), "__metadata__": {"a": "b"}, "flag": entry([3], 8, 11, "BOOL")},
    bytes(8) + b"\1\0\1",
)


def test_cut_off_anywhere(tmp_path: Path) -> None:
    for length in range(len(FINE)):
        (tmp_path / "x").write_bytes(FINE[:length])
        with pytest.raises(errors.FileFormatError):
            read_safetensors(tmp_path / "x")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    places=st.lists(st.tuples(st.integers(0, len(FINE) - 1), st.integers(0, 255)), min_size=1),
)
def test_changed_bytes(places: list[tuple[int, int]], tmp_path: Path) -> None:
    content = bytearray(FINE)
    for place, value in places:
        content[place] = value
    (tmp_path / "x").write_bytes(content)
    try:
        read_safetensors(tmp_path / "x")
    except errors.FileFormatError:
        return
    # What is read here is read by the package as well.
    load_file(tmp_path / "x")


@pytest.mark.parametrize(
    ("arrays", "metadata", "says"),
    [
        ({"x": np.zeros(2, complex)}, None, "no complex128"),
        ({"x": np.zeros(2, ml_dtypes.int4)}, None, "no int4"),
        ({"__metadata__": np.zeros(2)}, None, "no tensor may be named"),
        ({"\udc80": np.zeros(2)}, None, "cannot be written"),
        ({"x": np.zeros(2)}, {"a": 1}, "texts only"),
    ],
)
def test_what_cannot_be_written(arrays: Any, metadata: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"before")
    with pytest.raises(errors.FileFormatError, match=says):
        write_safetensors(arrays, path, metadata)
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write_safetensors({}, tmp_path / "missing" / "x.safetensors")
