"""External data of ONNX models: mapped, checked, and only from below the model's folder."""

from __future__ import annotations

import os

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assert_same, build, external, refuses, tensor, with_weight

from tensorlite.converters.onnx.external import ExternalFolder
from tensorlite.converters.onnx.reader import read
from tensorlite.converters.onnx.tensors import TensorReader
from tensorlite.errors import UnsafeFileError


@pytest.mark.parametrize("offset", [0, 1, 4096])
@pytest.mark.parametrize(
    "dtype", [np.float32, bool, np.complex128, ml_dtypes.bfloat16, ml_dtypes.int4]
)
def test_external_data(tmp_path, dtype, offset):
    array = (np.arange(15) % 2).reshape(3, 5).astype(dtype)
    proto = numpy_helper.from_array(array)
    raw = proto.raw_data
    (tmp_path / "weights.bin").write_bytes(bytes(offset) + raw + b"more")
    proto = external("weights.bin", proto, offset=offset, length=len(raw))
    got = TensorReader(ExternalFolder(tmp_path)).tensor(proto)
    assert_same(got, array)
    assert got.flags.aligned
    assert got.flags.writeable


def save_external(folder, array):
    folder.mkdir(exist_ok=True)
    (folder / "deep").mkdir(exist_ok=True)
    array.tofile(folder / "deep" / "w.bin")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    model = build([node], initializer=[external("deep/w.bin", numpy_helper.from_array(array))])
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx", model


def test_writing_to_external_data_leaves_the_file_alone(tmp_path):
    array = np.arange(8, dtype=np.float32)
    path, _ = save_external(tmp_path, array)
    weights = read(path).graph.initializers["w"]
    weights += 1
    assert np.array_equal(np.fromfile(tmp_path / "deep" / "w.bin", np.float32), array)
    assert np.array_equal(read(path).graph.initializers["w"], array)


def test_folder_for_models_that_come_without_one(tmp_path):
    array = np.arange(8, dtype=np.float32)
    _, model = save_external(tmp_path / "weights", array)
    for source in (model, model.SerializeToString()):
        got = read(source, folder=tmp_path / "weights").graph.initializers["w"]
        assert np.array_equal(got, array)


def test_a_link_that_stays_inside_the_folder_is_followed(tmp_path):
    array = np.arange(8, dtype=np.float32)
    path, _ = save_external(tmp_path, array)
    (tmp_path / "deep" / "w.bin").rename(tmp_path / "moved.bin")
    (tmp_path / "deep" / "w.bin").symlink_to(tmp_path / "moved.bin")
    assert np.array_equal(read(path).graph.initializers["w"], array)


def test_weights_over_two_gigabytes(tmp_path):
    array = np.arange(4, dtype=np.int64)
    offset = 3 << 30
    with open(tmp_path / "w.bin", "wb") as file:
        file.seek(offset)
        file.write(array.tobytes())
    proto = external("w.bin", numpy_helper.from_array(array), offset=offset)
    assert np.array_equal(TensorReader(ExternalFolder(tmp_path)).tensor(proto), array)
    whole = TensorProto(name="w", data_type=TensorProto.INT8, data_location=TensorProto.EXTERNAL)
    whole.dims.append(offset + array.nbytes)
    whole.external_data.add(key="location", value="w.bin")
    got = TensorReader(ExternalFolder(tmp_path)).tensor(whole)
    assert got.size == offset + 32
    assert got[-8] == 3


def test_the_reader_leaves_nothing_open(tmp_path):
    path, _ = save_external(tmp_path, np.arange(8, dtype=np.float32))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    models = [read(path) for _ in range(5)]
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    # A mapping holds one descriptor of its own until the arrays are gone.
    assert after - before <= len(models)
    del models
    if os.path.isdir("/proc/self/fd"):
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_for_every_tensor(tmp_path):
    """More files than a process may have open at once."""
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    weights = []
    for i in range(300):
        (tmp_path / f"w{i}").write_bytes(np.int32([i]).tobytes())
        weights.append(external(f"w{i}", numpy_helper.from_array(np.int32([i])), f"w{i}"))
    model = build([helper.make_node("Relu", ["w0"], ["y"])], inputs=[], initializer=weights)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
    try:
        got = read(model, folder=tmp_path).graph.initializers
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert [int(got[f"w{i}"][0]) for i in range(300)] == list(range(300))


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    (inside / "w.bin").write_bytes(bytes(16))
    (tmp_path / "secret").write_bytes(bytes(16))
    return inside


def save(folder, weight):
    path = folder / "model.onnx"
    path.write_bytes(with_weight(weight).SerializeToString())
    return path


@pytest.mark.parametrize(
    "location",
    ["../secret", "sub/../../secret", "..", "/etc/passwd", "C:\\secret", "\\\\host\\share\\x"]
    + ["..\\secret", "C:secret", "w.bin/../../secret", "w\0.bin", "\\secret"],
)
def test_external_data_outside_of_the_folder(folder, location):
    message = "only files below the model's folder are read"
    refuses(save(folder, external(location)), "'w'", message, kind=UnsafeFileError)


def test_external_data_through_a_link(folder):
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "dir").symlink_to(folder.parent)
    refuses(save(folder, external("link")), "a link to", kind=UnsafeFileError)
    refuses(save(folder, external("dir/secret")), "a link to", kind=UnsafeFileError)
    (folder / "loop").symlink_to(folder / "loop")
    refuses(save(folder, external("loop")), "missing")


def test_external_data_that_is_no_file(folder):
    refuses(save(folder, external("gone.bin")), "'gone.bin'", "missing", "beside the model")
    refuses(save(folder, external("n" * 5000)), "missing")
    (folder / "sub").mkdir()
    refuses(save(folder, external("sub")), "not a regular file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
        refuses(save(folder, external("pipe")), "not a regular file")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"offset": "1"}, "lies at bytes 1 to 17 of 'w.bin', which has only 16"),
        ({"offset": "17"}, "which has only 16"),
        ({"offset": str(2**62)}, "which has only 16"),
        ({"offset": "-1"}, "the offset of its external data is '-1', not a number"),
        ({"offset": "9" * 100_000}, "not a number"),
        ({"offset": "²"}, "not a number"),
        ({"offset": ""}, "not a number"),
        ({"length": "15"}, "needs 16 bytes, its external data has 15"),
        ({"length": str(2**60)}, "needs 16 bytes"),
        ({"length": "x"}, "the length of its external data is 'x', not a number"),
    ],
)
def test_external_data_that_does_not_fit_its_file(folder, entries, message):
    refuses(save(folder, external("w.bin", **entries)), "'w'", message)


def test_external_data_that_is_larger_than_its_file(folder):
    weight = external("w.bin")
    weight.dims[:] = [2**50]
    refuses(save(folder, weight), "which has only 16")


def test_external_data_without_location(folder):
    refuses(save(folder, external()), "without a location")
    refuses(save(folder, external("")), "without a location")


def test_external_strings(folder):
    refuses(save(folder, external("w.bin", tensor(TensorProto.STRING))), "cannot be external data")


def test_external_data_of_a_model_without_folder():
    model = with_weight(external("w.bin"))
    refuses(model, "'w.bin'", "pass the path of the model, or folder=")
    refuses(model.SerializeToString(), "pass the path of the model, or folder=")


def test_an_empty_external_file(folder):
    (folder / "empty").write_bytes(b"")
    refuses(save(folder, external("empty")), "which has only 0")
    weight = external("empty")
    weight.dims[:] = [0, 3]
    assert read(save(folder, weight)).graph.initializers["w"].shape == (0, 3)
