"""Tensors of ONNX files: what onnx's own helpers make of them, and errors where they lie."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import assert_same, build, refuses, sparse, tensor, with_weight

from tensorlite.converters.onnx.external import ExternalFolder
from tensorlite.converters.onnx.reader import read
from tensorlite.converters.onnx.tensors import DTYPES, STRING, TensorReader

NUMERIC = sorted(set(DTYPES) - {STRING})
SHAPES = [(), (1,), (5,), (2, 3), (0, 4), (3, 1, 7)]


def sample(code, shape, seed=0):
    """An array of the dtype with every kind of bits in it."""
    rng = np.random.default_rng(seed)
    dtype = DTYPES[code]
    if dtype == np.bool_:
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return (rng.normal(size=shape) * 2).astype(np.float32).astype(dtype)


def array_of(proto):
    return TensorReader(ExternalFolder(None)).tensor(proto)


def test_every_data_type_of_onnx_is_known():
    codes = set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED}
    assert set(DTYPES) == codes
    for code in NUMERIC:
        assert DTYPES[code] == helper.tensor_dtype_to_np_dtype(code)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", NUMERIC, ids=lambda c: DTYPES[c].name)
def test_raw_data(code, shape):
    array = sample(code, shape)
    proto = numpy_helper.from_array(array, "w")
    assert proto.data_type == code
    assert_same(array_of(proto), numpy_helper.to_array(proto))
    assert_same(array_of(proto), np.asarray(array))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("code", NUMERIC, ids=lambda c: DTYPES[c].name)
def test_data_in_typed_fields(code, shape):
    proto = helper.make_tensor("w", code, shape, np.ravel(sample(code, shape)))
    assert not proto.HasField("raw_data")
    assert_same(array_of(proto), numpy_helper.to_array(proto))


def test_small_integers_wrap_like_the_bits_they_are():
    proto = TensorProto(data_type=TensorProto.INT8, dims=[2], int32_data=[255, -1])
    assert array_of(proto).tolist() == [-1, -1]


def test_bool_bytes_other_than_one_are_true():
    proto = TensorProto(data_type=TensorProto.BOOL, dims=[3], raw_data=b"\0\x01\x07")
    assert (array_of(proto) ^ np.array([True, True, True])).tolist() == [True, False, False]


def test_arrays_may_be_written_to():
    proto = numpy_helper.from_array(np.arange(12, dtype=np.float32))
    array_of(proto)[0] = 7
    assert array_of(proto)[0] == 0


@pytest.mark.parametrize("shape", [(), (4,), (2, 2), (0,)], ids=str)
def test_strings(shape):
    words = ["", "ä日本", "two words", "\n"][: int(np.prod(shape))]
    proto = helper.make_tensor("s", TensorProto.STRING, shape, [w.encode() for w in words])
    array = array_of(proto)
    assert array.dtype == object
    assert array.shape == shape
    assert array.ravel().tolist() == words


def test_strings_that_are_not_utf8_keep_their_bytes():
    proto = helper.make_tensor("s", TensorProto.STRING, [1], [b"a\xff"])
    assert array_of(proto)[0].encode("utf-8", "surrogateescape") == b"a\xff"


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("code", [TensorProto.FLOAT, TensorProto.INT4, TensorProto.STRING])
def test_sparse_tensors_become_dense(code, linear):
    places = np.array([[0, 1, 2], [1, 0, 0], [1, 1, 3]])
    shape = (2, 2, 4)
    values = np.array(["a", "b", "c"], object) if code == STRING else sample(code, 3)
    dense = np.full(shape, "", object) if code == STRING else np.zeros(shape, DTYPES[code])
    for place, value in zip(places, values, strict=True):
        dense[tuple(place)] = value
    indices = np.ravel_multi_index(tuple(places.T), shape) if linear else places
    proto = helper.make_sparse_tensor(
        numpy_helper.from_array(values, "w"),
        numpy_helper.from_array(indices.astype(np.int64)),
        shape,
    )
    got = TensorReader(ExternalFolder(None)).sparse(proto)
    assert got.dtype == dense.dtype
    assert got.tolist() == dense.tolist()

    node = helper.make_node("Identity", ["w"], ["y"])
    model = read(build([node], inputs=[], sparse_initializer=[proto]))
    assert model.graph.initializers["w"].tolist() == dense.tolist()


BAD_TENSORS = [
    (tensor(raw_data=bytes(15)), "needs 16 bytes, the file has 15"),
    (tensor(raw_data=bytes(20)), "needs 16 bytes, the file has 20"),
    (tensor(raw_data=b""), "needs 16 bytes, the file has 0"),
    (tensor(float_data=[1, 2, 3]), "needs 4 numbers in float_data, the file has 3"),
    (tensor(int64_data=[1, 2, 3, 4]), "needs 4 numbers in float_data, the file has 0"),
    (tensor(dims=[2**60]), "impossible shape"),
    (tensor(dims=[2**60], raw_data=bytes(16)), "impossible shape"),
    (tensor(dims=[2**40], raw_data=bytes(16)), "needs 4398046511104 bytes, the file has 16"),
    (tensor(dims=[2**31, 2**31, 2**31, 4]), "impossible shape"),
    (tensor(dims=[0, 2**62]), "impossible shape"),
    (tensor(dims=[-1], raw_data=bytes(4)), "negative dimension"),
    (tensor(dims=[-2, -2], raw_data=bytes(16)), "negative dimension"),
    (tensor(dims=[1] * 70, raw_data=bytes(4)), "70 dimensions"),
    (tensor(code=0, raw_data=bytes(16)), "unknown data type code 0"),
    (tensor(code=99, raw_data=bytes(16)), "unknown data type code 99"),
    (tensor(code=-1, raw_data=bytes(16)), "unknown data type code -1"),
    (tensor(TensorProto.INT4, [5], raw_data=bytes(2)), "needs 3 bytes, the file has 2"),
    (tensor(TensorProto.INT4, [5], int32_data=[0] * 5), "needs 3 numbers in int32_data"),
    (tensor(TensorProto.COMPLEX64, [2], float_data=[1, 2]), "needs 4 numbers"),
    (tensor(TensorProto.STRING, [2], string_data=[b"a"]), "needs 2 strings, the file has 1"),
    (tensor(TensorProto.STRING, [1], raw_data=b"a"), "strings stand in string_data"),
    (tensor(TensorProto.STRING, [2**50]), "strings, the file has 0"),
    (tensor(segment=TensorProto.Segment(begin=0, end=1)), "segments"),
]


@pytest.mark.parametrize(("proto", "message"), BAD_TENSORS, ids=range(len(BAD_TENSORS)))
def test_tensors_that_do_not_fit(proto, message):
    refuses(with_weight(proto), message, "main_graph")
    node = helper.make_node("Constant", [], ["y"], name="const", value=proto)
    refuses(build([node]), message, "node 'const' (Constant, opset 17)", "attribute 'value'")


BAD_SPARSE = [
    (sparse([1], [0], [2**60]), "impossible shape"),
    (sparse([1], [0], [2**40]), "would fill"),
    (sparse([1], [9], [9]), "outside of its shape"),
    (sparse([1], [-1], [9]), "outside of its shape"),
    (sparse([1], [[0, 3]], [2, 3]), "outside of its shape"),
    (sparse([1], [[-1, 3]], [2, 4]), "outside of its shape"),
    (sparse([1, 2], [1, 1], [9]), "ascending"),
    (sparse([1, 2], [2, 1], [9]), "ascending"),
    (sparse([1, 2], [1], [9]), "indices of shape"),
    (sparse([[1, 2]], [1, 2], [9]), "values of one dimension"),
    (sparse([1], [0], [-9]), "negative dimension"),
    (onnx.SparseTensorProto(dims=[3]), "unknown data type code 0"),
]


@pytest.mark.parametrize(("proto", "message"), BAD_SPARSE, ids=range(len(BAD_SPARSE)))
def test_sparse_tensors_that_do_not_fit(proto, message):
    node = helper.make_node("Constant", [], ["y"], name="const", sparse_value=proto)
    refuses(build([node]), "node 'const'", message)


def test_many_sparse_tensors_together_are_bounded():
    nodes = [
        helper.make_node("Constant", [], [f"y{i}"], sparse_value=sparse([1], [0], [1 << 23]))
        for i in range(20)
    ]
    refuses(build(nodes, outputs=["y0"]), "would fill", "256 MiB")
