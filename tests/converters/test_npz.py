"""NumPy's files against NumPy, and broken ones."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorlite import errors
from tensorlite.converters import archive
from tensorlite.converters.npz import read_npy, read_npz, write_npy, write_npz

DTYPES = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()
SMALL = (
    "bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu "
    "float4_e2m1fn int2 int4 uint2 uint4"
).split()
LAYOUTS = [
    np.arange(24.0).reshape(2, 3, 4),
    np.arange(24.0).reshape(4, 6).T,
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(10)[::-3],
    np.float32(2.5).reshape(()),
    np.zeros(0),
    np.zeros((0, 3), order="F"),
    np.arange(5, dtype=">i4"),
    np.broadcast_to(np.float32(1), (2, 3)),
]


def npy(header: str | bytes, data: bytes = b"", version: int = 1) -> bytes:
    raw = header if isinstance(header, bytes) else header.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes([version, 0]) + length + raw + data


def described(descr: object, shape: object, order: object = False) -> str:
    return repr({"descr": descr, "fortran_order": order, "shape": shape}) + "\n"


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("order", "<>")
def test_reads_what_numpy_writes(code: str, order: str, tmp_path: Path) -> None:
    array = np.arange(12).reshape(3, 4).astype(code).astype(np.dtype(code).newbyteorder(order))
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", array, named=array[0])
    np.savez_compressed(tmp_path / "y.npz", array, named=array[0])
    for got in (
        read_npy(tmp_path / "x.npy"),
        read_npz(tmp_path / "x.npz")["arr_0"],
        read_npz(tmp_path / "y.npz")["arr_0"],
    ):
        assert got.dtype == np.dtype(code) and got.flags.aligned and got.flags.writeable
        np.testing.assert_array_equal(got, array)
    assert list(read_npz(tmp_path / "x.npz")) == np.load(tmp_path / "x.npz").files


@pytest.mark.parametrize("array", LAYOUTS)
def test_every_layout_both_ways(array: np.ndarray[Any, Any], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    write_npy(array, tmp_path / "y.npy")
    write_npz({"x": array, "file": array}, tmp_path / "y.npz")
    for got in (
        read_npy(tmp_path / "x.npy"),
        np.load(tmp_path / "y.npy"),
        np.load(tmp_path / "y.npz")["file"],
        read_npz(tmp_path / "y.npz")["x"],
    ):
        assert got.shape == array.shape
        np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize("name", SMALL)
def test_small_dtypes_keep_their_name(name: str, tmp_path: Path) -> None:
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(getattr(ml_dtypes, name))
    write_npz({"x": array}, tmp_path / "x.npz")
    write_npy(array[0, 1].reshape(()), tmp_path / "x.npy")
    got = read_npz(tmp_path / "x.npz")["x"]
    assert got.dtype == array.dtype and got.tobytes() == array.tobytes()
    assert read_npy(tmp_path / "x.npy") == array[0, 1]
    by_numpy = np.load(tmp_path / "x.npz")["x"][name].view(getattr(ml_dtypes, name))
    assert by_numpy.tobytes() == array.tobytes()


def test_versions_of_the_header(tmp_path: Path) -> None:
    for version in ((1, 0), (2, 0), (3, 0)):
        out = io.BytesIO()
        np.lib.format.write_array(out, np.arange(3.0), version=version)
        (tmp_path / "x.npy").write_bytes(out.getvalue())
        assert read_npy(tmp_path / "x.npy").tolist() == [0, 1, 2]
    python2 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }"
    (tmp_path / "x.npy").write_bytes(npy(python2, bytes(8)))
    assert read_npy(tmp_path / "x.npy").shape == (2, 1)


def test_names_of_every_kind(tmp_path: Path) -> None:
    names = ["", "a.b.0", "a/b", "../../up", "ä€😀", "x.npy", "file", "/root"]
    write_npz({name: np.full(2, i) for i, name in enumerate(names)}, tmp_path / "x.npz")
    for got in (read_npz(tmp_path / "x.npz"), np.load(tmp_path / "x.npz")):
        found = {name: int(got[name][0]) for name in got if name in names}
        assert found["a/b"] == 2 and found["../../up"] == 3
    assert list(read_npz(tmp_path / "x.npz")) == names
    assert list(tmp_path.iterdir()) == [tmp_path / "x.npz"]
    for bad in ("a\0b", "\udc80"):
        with pytest.raises(errors.FileFormatError, match="cannot have the name"):
            write_npz({bad: np.zeros(1)}, tmp_path / "y.npz")


def test_equal_arrays_give_equal_files_and_nothing_gives_nothing(tmp_path: Path) -> None:
    for name in "xy":
        write_npz({"a": np.arange(3)}, tmp_path / name)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()
    write_npz({}, tmp_path / "x")
    assert read_npz(tmp_path / "x") == {}


def test_arrays_are_mapped_and_writing_leaves_the_file(tmp_path: Path) -> None:
    write_npy(np.zeros(1000), tmp_path / "x.npy")
    write_npz({"x": np.zeros(1000)}, tmp_path / "x.npz")
    before = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    read_npy(tmp_path / "x.npy")[:] = 1
    read_npz(tmp_path / "x.npz")["x"][:] = 1
    assert before == [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert read_npy(tmp_path / "x.npy").max() == read_npz(tmp_path / "x.npz")["x"].max() == 0


BROKEN = {
    "empty": (b"", "no array of NumPy's"),
    "version": (npy(described("<f4", (1,)), bytes(4), version=9), "unknown version"),
    "cut off in its length": (b"\x93NUMPY\x01\x00v", "its header"),
    "cut off in its header": (npy(described("<f4", (1,)))[:30], "cut off in its header"),
    "long header": (npy(described("<f4", (1,)) + " " * 20_000, bytes(4)), "too long"),
    "huge header": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "too long"),
    "no dict": (npy("[1]"), "does not say"),
    "code": (npy("__import__('os').system('true')"), "cannot be read"),
    "code in it": (npy("{'descr': exit(), 'shape': (1,)}"), "cannot be read"),
    "brackets": (npy("(" * 5000), "cannot be read"),
    "lists": (npy("[" * 90 + "]" * 90), "does not say"),
    "minus": (npy("-" * 9000 + "1"), "cannot be read"),
    "not UTF-8": (npy(b"{'\xff': 1}"), "cannot be read"),
    "keys": (npy("{'descr': '<f4', 'shape': (1,)}", bytes(4)), "does not say"),
    "shape": (npy(described("<f4", [1]), bytes(4)), "no shape"),
    "order": (npy(described("<f4", (1,), 0), bytes(4)), "no shape and order"),
    "negative": (npy(described("<f4", (-1,)), bytes(4)), "a shape that is none"),
    "negatives": (npy(described("<f4", (-1, -1)), bytes(4)), "a shape that is none"),
    "true": (npy(described("<f4", (True,)), bytes(4)), "a shape that is none"),
    "float": (npy(described("<f4", (1.0,)), bytes(4)), "a shape that is none"),
    "huge": (npy(described("<f4", (10**13,)), bytes(4)), "cut off"),
    "huger": (npy(described("<f4", (2**80,)), bytes(4)), "a shape that is none"),
    "overflow": (npy(described("<f4", (2**32, 2**32)), b""), "has not the 0 bytes"),
    "empty but large": (npy(described("<f4", (0, 2**61, 2**61)), b""), "an array of shape"),
    "dimensions": (npy(described("<f4", (1,) * 65), bytes(4)), "a shape that is none"),
    "too few": (npy(described("<f4", (2,)), bytes(7)), "cut off"),
    "too many": (npy(described("<f4", (2,)), bytes(9)), "has not the 9 bytes"),
    "bool": (npy(described("|b1", (2,)), b"\1\2"), "other than 0 and 1"),
    "text": (npy(described("<U3", (1,)), bytes(12)), "'<U3'"),
    "bytes": (npy(described("|S3", (1,)), bytes(3)), "'|S3'"),
    "dates": (npy(described("<M8[ns]", (1,)), bytes(8)), "'<M8[ns]'"),
    "raw": (npy(described("|V2", (1,)), bytes(2)), "tl.save"),
    "raw float8": (npy(described("<f1", (1,)), bytes(1)), "tl.save"),
    "long double": (npy(described("<f16", (1,)), bytes(16)), "'<f16'"),
    "fields": (npy(described([("a", "<f4"), ("b", "<f4")], (1,)), bytes(8)), "several fields"),
    "field": (npy(described([("bfloat17", "<u2")], (1,)), bytes(2)), "several fields"),
    "field size": (npy(described([("bfloat16", "<u4")], (1,)), bytes(4)), "several fields"),
    "descr": (npy(described(3, (1,)), bytes(4)), "several fields"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_arrays(name: str, tmp_path: Path) -> None:
    content, says = BROKEN[name]
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(errors.FileFormatError) as caught:
        read_npy(tmp_path / "x.npy")
    assert says in str(caught.value) and "x.npy: " in str(caught.value)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("entry.npy", content)
    with pytest.raises(errors.FileFormatError) as caught:
        read_npz(tmp_path / "x.npz")
    assert says in str(caught.value) and "x.npz: its entry 'entry.npy': " in str(caught.value)


class Harm:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('it ran')",)


def test_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([Harm()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", x=np.array([Harm()], dtype=object), allow_pickle=True)
    with pytest.raises(errors.UnsafeFileError, match="Python objects"):
        read_npy(tmp_path / "x.npy")
    with pytest.raises(errors.UnsafeFileError, match="Python objects"):
        read_npz(tmp_path / "x.npz")


def test_archives_that_unpack_to_absurd_sizes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros(10**6))
    assert read_npz(tmp_path / "x.npz")["x"].size == 10**6
    monkeypatch.setattr(archive, "_BOMB_SIZE", 10**6)
    with pytest.raises(errors.FileFormatError, match="would unpack"):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("size", [0, 1, 100, 10**6, 2**31, 2**32 - 2])
def test_entries_that_lie_about_their_size(size: int, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros(100))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    place = content.index(b"PK\1\2")
    content[place + 24 : place + 28] = struct.pack("<I", size)
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(errors.FileFormatError):
        read_npz(tmp_path / "x.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", compression=method) as file:
        file.writestr("x.npy", npy(described("<f4", (1,)), bytes(4)))
    with pytest.raises(errors.FileFormatError, match="compressed in a way that is not read"):
        read_npz(tmp_path / "x.npz")


def compressed() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, x=np.arange(5), y=np.array([True]))
    return out.getvalue()


FINE = {
    "npy": npy(described("<f4", (2,)), bytes(8)),
    "npz": compressed(),
}


@pytest.mark.parametrize("kind", FINE)
def test_cut_off_anywhere(kind: str, tmp_path: Path) -> None:
    for length in range(len(FINE[kind])):
        (tmp_path / "x").write_bytes(FINE[kind][:length])
        with pytest.raises(errors.FileFormatError):
            (read_npy if kind == "npy" else read_npz)(tmp_path / "x")


@pytest.mark.parametrize("kind", FINE)
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_changed_bytes(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(FINE[kind])
    places = st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)
    for place in data.draw(places):
        content[place] = data.draw(st.integers(0, 255))
    (tmp_path / "x").write_bytes(content)
    try:
        (read_npy if kind == "npy" else read_npz)(tmp_path / "x")
    except errors.FileFormatError as error:
        assert str(tmp_path / "x") in str(error)


def test_an_error_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    write_npz({"x": np.arange(3)}, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz({"x": np.arange(3), "y": np.array([Harm()], dtype=object)}, path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
