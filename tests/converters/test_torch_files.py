"""PyTorch's weight files against PyTorch itself: what it wrote is what is read."""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorlite import errors
from tensorlite.converters.torch import read_torch

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

KINDS = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}
DTYPES = (
    "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 "
    "complex64 complex128 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"
).split()


@pytest.fixture(params=KINDS)
def roundtrip(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Writes with PyTorch, reads with tensorlite, in each of the two kinds of files."""

    def run(obj: Any, **options: Any) -> Any:
        path = tmp_path / "weights.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's, on kinds that it gives up
            torch.save(obj, path, **KINDS[request.param], **options)
        return read_torch(path)

    return run


def check(array: np.ndarray[Any, Any], tensor: Any) -> None:
    """The same dtype, shape, strides and bytes."""
    tensor = tensor.detach()
    assert str(tensor.dtype) == f"torch.{array.dtype.name}"
    assert array.shape == tuple(tensor.shape)
    if tensor.numel():
        assert array.strides == tuple(n * tensor.element_size() for n in tensor.stride())
    expected = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    np.testing.assert_array_equal(np.ascontiguousarray(array).reshape(-1).view("u1"), expected)


def repack(path: Path, change: Any) -> None:
    """Writes a zip archive again with ``change(name, content)``, or without an entry (None)."""
    with zipfile.ZipFile(path) as archive:
        old = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in old.items():
            new = change(name.partition("/")[2], content)
            if new is not None:
                archive.writestr(name, new)


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype(name: str, roundtrip: Any) -> None:
    dtype = getattr(torch, name)
    raw = torch.arange(96, dtype=torch.uint8)
    tensor = raw % 2 == 1 if dtype == torch.bool else raw.view(dtype)
    check(roundtrip({"x": tensor})["x"], tensor)
    check(roundtrip(tensor), tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        torch.arange(24.0)[5:20:3],
        torch.arange(24.0).reshape(4, 6)[1:3, ::2],
        torch.tensor(3.5),
        torch.arange(9)[4],
        torch.zeros(0),
        torch.zeros(3, 0, 2, dtype=torch.int8),
        torch.tensor([1.5]).expand(3, 5),
        torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        torch.ones(1, 1, 1),
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)}-{tensor.stride()}",
)
def test_every_layout(tensor: Any, roundtrip: Any) -> None:
    check(roundtrip(tensor), tensor)


def test_parameters_and_buffers_are_arrays(roundtrip: Any) -> None:
    x = torch.arange(6.0).reshape(2, 3)
    tagged = torch.nn.Parameter(x.clone())
    tagged.tag = "kept nowhere"
    saved = [torch.nn.Parameter(x), torch.nn.Buffer(x), tagged, x.clone().requires_grad_()]
    for got, wanted in zip(roundtrip(saved), saved, strict=True):
        assert type(got) is np.ndarray
        check(got, wanted)


def test_tensors_share_memory_as_in_pytorch(roundtrip: Any) -> None:
    x = torch.zeros(4, 4)
    got = roundtrip({"x": x, "row": x[1], "t": x.T, "other": x.clone(), "again": x})
    got["x"][1, 2] = 7
    assert got["row"][2] == 7 and got["t"][2, 1] == 7 and got["other"][1, 2] == 0
    assert got["again"] is got["x"]


def test_writing_to_an_array_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(torch.zeros(1000), path)
    before = path.read_bytes()
    read_torch(path)[:] = 1
    assert path.read_bytes() == before
    assert read_torch(path).max() == 0


def test_state_dict_keeps_order_and_metadata(roundtrip: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    wanted = model.state_dict()
    got = roundtrip(wanted)
    assert type(got) is OrderedDict and list(got) == list(wanted)
    assert got._metadata == wanted._metadata
    for name in wanted:
        check(got[name], wanted[name])


def test_a_training_checkpoint(roundtrip: Any) -> None:
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    saved = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "best": np.float64(0.25),
        "classes": ["cat", "dog"],
        "rng": torch.get_rng_state(),
    }
    got = roundtrip(saved)
    check(got["state_dict"]["weight"], model.weight)
    check(got["rng"], saved["rng"])
    state = optimizer.state_dict()["state"][0]
    check(got["optimizer"]["state"][0]["exp_avg"], state["exp_avg"])
    assert got["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]
    assert (got["epoch"], got["best"], got["classes"]) == (3, 0.25, ["cat", "dog"])


PLAIN = {
    "numbers": [0, 1, -1, 255, 256, 65536, -(2**31), 2**40, -(2**70), 1.5, float("inf"), 1 + 2j],
    "texts": ["", "ä€😀", "a" * 300, b"", b"bytes\xff", bytearray(b"ab")],
    "containers": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], {}, {1, 2}, frozenset("ab")],
    "counter": Counter("abca"),
    "ordered": OrderedDict(b=1, a=OrderedDict()),
    "constants": [None, True, False],
    ("a", 1): {2.5: 0, None: 1, False: 2},
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values(protocol: int, roundtrip: Any) -> None:
    got = roundtrip(PLAIN, pickle_protocol=protocol)
    assert got == PLAIN
    assert [type(x) for x in got["texts"]] == [type(x) for x in PLAIN["texts"]]


def test_pytorchs_own_values(roundtrip: Any) -> None:
    saved = [torch.Size([2, 3]), torch.device("cuda", 1), torch.device("cpu"), torch.bfloat16]
    shape, cuda, cpu, dtype = roundtrip(saved)
    assert (shape, cuda, cpu, dtype.name) == ((2, 3), "cuda:1", "cpu", "bfloat16")


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array([True, False]),
        np.array(2.5, dtype=">f4"),
        np.zeros((0, 3), dtype=np.int16),
        np.float32(1.5),
        np.int64(-3),
        np.bool_(True),
        np.complex128(1 + 2j),
    ],
)
def test_numpy_values(value: Any, roundtrip: Any) -> None:
    got, again = roundtrip([value, value])
    wanted = pickle.loads(pickle.dumps(value))  # which turns >f4 into <f4
    np.testing.assert_array_equal(got, value)
    assert (type(got), got.dtype, again is got) == (type(value), wanted.dtype, True)


def test_lists_that_contain_themselves(roundtrip: Any) -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    got = roundtrip(loop)
    assert got[1] is got


def test_a_bare_storage(roundtrip: Any) -> None:
    got = roundtrip([torch.arange(3.0).untyped_storage(), torch.arange(4)])
    assert got[0].storage.raw.tobytes() == np.arange(3, dtype="f4").tobytes()
    check(got[1], torch.arange(4))


def test_callbacks_make_the_readers_own_objects(tmp_path: Path) -> None:
    x = torch.arange(3.0)
    torch.save([x, x, torch.float32, torch.zeros(2, dtype=torch.uint16)], tmp_path / "x.pt")
    got = read_torch(
        tmp_path / "x.pt", tensor=lambda a: ("tensor", a.shape), dtype=lambda d: f"own {d}"
    )
    assert got == [("tensor", (3,)), ("tensor", (3,)), "own float32", ("tensor", (2,))]
    assert got[0] is got[1]


@pytest.mark.parametrize("name", DTYPES)
def test_big_endian(name: str, tmp_path: Path) -> None:
    dtype = getattr(torch, name)
    raw = torch.arange(96, dtype=torch.uint8)
    tensor = raw % 2 == 1 if dtype == torch.bool else raw.view(dtype)
    path = tmp_path / "x.pt"
    torch.save([tensor, tensor[2:5]], path)
    unit = dtype.itemsize // (2 if dtype.is_complex else 1)

    def change(part: str, content: bytes) -> bytes:
        if part == "byteorder":
            return b"big"
        return np.frombuffer(content, f"u{unit}").byteswap().tobytes() if "/" in part else content

    repack(path, lambda part, c: c if part.startswith(".") else change(part, c))
    got, part = read_torch(path)
    check(got, tensor)
    check(part, tensor[2:5])
    assert np.shares_memory(got, part)
    if name not in ("uint16", "uint32", "uint64"):  # whose bytes PyTorch forgets to swap
        for array, loaded in zip((got, part), torch.load(path), strict=True):
            check(array, loaded)


def test_without_a_byteorder_it_is_little(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(torch.arange(3.0), path)
    repack(path, lambda part, content: None if part == "byteorder" else content)
    check(read_torch(path), torch.arange(3.0))


def test_tensors_saved_on_a_gpu(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(torch.arange(3.0), path)
    text, gpu = b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:3"
    repack(path, lambda part, content: content.replace(text, gpu))
    check(read_torch(path), torch.arange(3.0))


def test_without_sums(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    before = torch.serialization.get_crc32_options()
    try:
        torch.serialization.set_crc32_options(False)
        torch.save(torch.arange(3.0), path)
    finally:
        torch.serialization.set_crc32_options(before)
    check(read_torch(path), torch.arange(3.0))


def test_unaligned_entries_are_copied(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save([torch.arange(3.0), torch.arange(5, dtype=torch.float64)], path)
    for name_length in range(1, 9):
        repack_under(path, tmp_path / "y.pt", "r" * name_length)
        got = read_torch(tmp_path / "y.pt")
        check(got[1], torch.arange(5, dtype=torch.float64))
        assert all(array.flags.aligned and array.flags.writeable for array in got)


def repack_under(source: Path, target: Path, root: str) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(f"{root}/{info.filename.partition('/')[2]}", old.read(info))


def legacy(obj: bytes, keys: list[str], storages: list[tuple[int, bytes]]) -> bytes:
    """A legacy file around a pickle, as PyTorch 0.x wrote it."""
    out = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, out, protocol=2)
    out.write(obj)
    pickle.dump(keys, out, protocol=2)
    for elements, raw in storages:
        out.write(elements.to_bytes(8, "little") + raw)
    return out.getvalue()


def test_views_of_storages_as_pytorch_0_wrote_them(tmp_path: Path) -> None:
    def tensor(view: bytes, length: int) -> bytes:
        storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpuK\x06"
        return (
            b"ctorch._utils\n_rebuild_tensor\n(" + storage + view + b"tQ"
            b"K\0K" + bytes([length]) + b"\x85K\x01\x85tR"
        )

    view = b"X\x01\0\0\0vK\x02K\x03\x87"  # ("v", 2, 3): three elements from the third on
    pickled = b"\x80\x02" + tensor(b"N", 6) + tensor(view, 3) + b"\x86."
    raw = np.arange(6, dtype="<f4")
    path = tmp_path / "x.pth"
    path.write_bytes(legacy(pickled, ["k"], [(6, raw.tobytes())]))
    whole, part = read_torch(path)
    for got, wanted in zip((whole, part), torch.load(path), strict=True):
        check(got, wanted)
    np.testing.assert_array_equal(part, [2, 3, 4])
    assert np.shares_memory(whole, part)


def test_texts_of_python_2(tmp_path: Path) -> None:
    pickled = b"\x80\x02}q\x00(U\x03keyU\x05valueU\x01bU\x02\xff\xfeT\x04\0\0\0longK\x01u."
    path = tmp_path / "x.pth"
    path.write_bytes(legacy(pickled, [], []))
    assert read_torch(path) == {"key": "value", "b": b"\xff\xfe", "long": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_whole_modules_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 2), path, **KINDS[kind])
    with pytest.raises(errors.UnsafeFileError) as caught:
        read_torch(path)
    for part in ("model.pth", "'torch.nn.modules.linear.Linear'", "state_dict"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantised"),
        (lambda: torch.qint8, "quantised"),
        (lambda: torch.eye(3).to_sparse(), "sparse"),
        (lambda: torch.eye(3).to_sparse_csr(), "sparse"),
        (lambda: torch.zeros(2, device="meta"), "meta device"),
        (lambda: torch.zeros(2, dtype=torch.complex64).conj(), "resolve_conj"),
        (lambda: torch.zeros(2, dtype=torch.complex32), "half-precision complex"),
        (lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "nested"),
    ],
)
def test_special_tensors_are_refused_by_name(make: Any, says: str, roundtrip: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor = make()
    with pytest.raises(errors.FileFormatError, match=says):
        roundtrip(tensor)


def test_pickle_dump_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(pickle.dumps({"x": torch.ones(2)}))
    with pytest.raises(errors.FileFormatError, match="torch.save did not write"):
        read_torch(path)
