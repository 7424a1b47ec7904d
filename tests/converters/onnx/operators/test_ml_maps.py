"""ZipMap, DictVectorizer and CastMap of ai.onnx.ml, against ONNX Runtime and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from single_node import node_model, onnxruntime, ours, same

import tensorlite as tl
from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml", "opset": 1}
INT, TEXT = TensorProto.INT64, TensorProto.STRING
FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def map_model(op_type: str, key: int, value: int, **attributes: Any) -> onnx.ModelProto:
    """A model of one node with a map as its input."""
    kind = helper.make_map_type_proto(key, helper.make_tensor_type_proto(value, []))
    node = helper.make_node(op_type, ["x0"], ["y0"], domain="ai.onnx.ml", **attributes)
    graph = helper.make_graph(
        [node], "g", [helper.make_value_info("x0", kind)], [onnx.ValueInfoProto(name="y0")]
    )
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def mapped(op_type: str, key: int, value: int, x: Any, device: Any = "cpu", **kwargs: Any) -> Any:
    (found,) = ours(map_model(op_type, key, value, **kwargs), [x], device)
    return found


@pytest.mark.parametrize("labels", [{"classlabels_int64s": [7, -1, 0]},
                                    {"classlabels_strings": ["a", "ü", ""]}])  # fmt: skip
@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (4, 3), (3,)])
def test_zip_map(labels: Any, shape: Any, device: Any) -> None:
    x = np.random.default_rng(0).random(shape).astype(np.float32)
    model = node_model("ZipMap", [x], **ML, **labels)
    (have,) = ours(model, [x], device)
    (want,) = onnxruntime(model, [x])
    assert have == want
    assert all(type(value) is float for row in have for value in row.values())


@pytest.mark.parametrize(
    ("x", "labels", "message"),
    [
        (np.zeros((1, 3), np.float32), {"classlabels_int64s": [1, 2]}, r"\[N, 2\] or \[2\], got"),
        (np.zeros((1, 2)), {"classlabels_int64s": [1, 2]}, "got float64"),
        (np.zeros((1, 1, 2), np.float32), {"classlabels_int64s": [1, 2]}, "got float32"),
        (np.zeros((1, 2), np.float32), {}, "got neither"),
        (np.zeros((1, 1), np.float32), {"classlabels_int64s": [1], "classlabels_strings": ["a"]},
         "got both"),
    ],
)  # fmt: skip
def test_zip_map_refuses(x: Any, labels: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"ZipMap_0.*{message}"):
        ours(node_model("ZipMap", [x], **ML, **labels), [x])


def test_zip_map_of_a_classifier_flows_on(device: Any) -> None:
    """A sequence of maps goes through the operators on sequences."""
    nodes = [
        helper.make_node("ZipMap", ["x"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[3, 5]),
        helper.make_node("SequenceLength", ["maps"], ["count"]),
        helper.make_node("Identity", ["maps"], ["same"]),
    ]
    x = helper.make_tensor_value_info("x", FLOAT, [None, 2])
    outputs = [onnx.ValueInfoProto(name=name) for name in ("count", "same")]
    imports = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], outputs), opset_imports=imports)
    count, maps = tl.onnx.load(model, device=device)(np.float32([[1, 2], [3, 4], [5, 6]]))
    assert count.item() == 3
    assert maps == [{3: 1.0, 5: 2.0}, {3: 3.0, 5: 4.0}, {3: 5.0, 5: 6.0}]


STRINGS = {"string_vocabulary": ["a", "c", "b", "z"]}
INTS = {"int64_vocabulary": [7, -1, 3]}


@pytest.mark.parametrize("x", [{"a": 4.0, "c": 8.0}, {"z": 0.5}, {"q": 1.0, "b": -1.0}])
def test_dict_vectorizer(x: Any, device: Any) -> None:
    have = mapped("DictVectorizer", TEXT, FLOAT, x, device, **STRINGS)
    (want,) = onnxruntime(map_model("DictVectorizer", TEXT, FLOAT, **STRINGS), [x])
    same([have], [want.reshape(-1)])  # one dimension, says the specification
    numbers = {ord(key): value for key, value in x.items()}
    vocabulary = {"int64_vocabulary": [ord(key) for key in STRINGS["string_vocabulary"]]}
    same([mapped("DictVectorizer", INT, FLOAT, numbers, device, **vocabulary)], [have])


def test_dict_vectorizer_as_scikit_learn(device: Any) -> None:
    feature = pytest.importorskip("sklearn.feature_extraction", reason="no scikit-learn")
    rows = [{"a": 1.0, "b": 2.0}, {"b": 3.0, "c": 0.25}, {}]
    vectorizer = feature.DictVectorizer(sparse=False, dtype=np.float32)
    want = vectorizer.fit_transform(rows)
    names = vectorizer.get_feature_names_out().tolist()
    model = tl.onnx.load(
        map_model("DictVectorizer", TEXT, FLOAT, string_vocabulary=names), device=device
    )
    for row, line in zip(rows, want, strict=True):
        np.testing.assert_array_equal(model(row).numpy(), line)


@pytest.mark.parametrize(
    ("value", "x", "want"),
    [
        (DOUBLE, {7: 0.1, 3: 2}, np.array([0.1, 0, 2])),
        (FLOAT, {7: 0.1, 3: np.float64(2)}, np.float32([0.1, 0, 2])),
        (INT, {7: 2**60 + 1}, np.array([2**60 + 1, 0, 0])),
        (TEXT, {-1: "x"}, np.array(["", "x", ""], object)),
        (FLOAT, {}, np.zeros(3, np.float32)),
    ],
)
def test_dict_vectorizer_keeps_the_type_of_the_values(
    value: int, x: Any, want: Any, device: Any
) -> None:
    same([mapped("DictVectorizer", INT, value, x, device, **INTS)], [want])


@pytest.mark.parametrize(
    ("x", "attributes", "message"),
    [
        ({1: 2.0}, STRINGS, r"input 'x0': expected map\(string, float32\[\]\), got 1 in it"),
        ({"a": "b"}, STRINGS, "got 'b' in it"),
        (np.zeros(3), STRINGS, r"expected map\(string, float32\[\]\), got float64"),
        ({"a": 1.0}, INTS, "DictVectorizer_0.*integers as keys, got the key 'a'"),
        ({"a": 1.0}, {}, "DictVectorizer_0.*string_vocabulary, got neither"),
        ({"a": 1.0}, {**INTS, **STRINGS}, "DictVectorizer_0.*got both"),
    ],
)
def test_dict_vectorizer_refuses(x: Any, attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=message):
        mapped("DictVectorizer", TEXT, FLOAT, x, **attributes)


FORMS: list[dict[str, Any]] = [{}, {"map_form": "SPARSE", "max_map": 6}]


@pytest.mark.parametrize("cast_to", ["TO_FLOAT", "TO_INT64"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("x", [{3: 1.5, 1: -2.75}, {0: 7.0}, {5: 1.0, 0: 2.0, 2: 3e9}])
def test_cast_map(x: Any, form: Any, cast_to: str, device: Any) -> None:
    have = mapped("CastMap", INT, FLOAT, x, device, cast_to=cast_to, **form)
    same([have], onnxruntime(map_model("CastMap", INT, FLOAT, cast_to=cast_to, **form), [x]))


@pytest.mark.parametrize(
    ("value", "x", "cast_to", "want"),
    [
        (TEXT, {3: "1.5", 1: "-2"}, "TO_FLOAT", np.float32([[-2, 1.5]])),
        (TEXT, {3: "9007199254740993", 1: "-2"}, "TO_INT64", np.array([[-2, 2**53 + 1]])),
        (TEXT, {3: "x", 1: ""}, "TO_STRING", np.array([["", "x"]], object)),
        (FLOAT, {3: 1.5, 1: -2.0}, "TO_STRING", np.array([["-2.0", "1.5"]], object)),
        (FLOAT, {}, "TO_FLOAT", np.zeros((1, 0), np.float32)),
    ],
)
def test_cast_map_between_text_and_numbers(
    value: int, x: Any, cast_to: str, want: Any, device: Any
) -> None:
    same([mapped("CastMap", INT, value, x, device, cast_to=cast_to)], [want])


def test_sparse_cast_map_of_text(device: Any) -> None:
    have = mapped("CastMap", INT, TEXT, {2: "b"}, device, cast_to="TO_STRING", **FORMS[1])
    assert have.tolist() == [["", "", "b", "", "", ""]]


@pytest.mark.parametrize(
    ("x", "attributes", "message"),
    [
        ({1: 2.0}, {"cast_to": "TO_INT32"}, "one of TO_FLOAT, TO_STRING, TO_INT64, got 'TO_INT32'"),
        ({1: 2.0}, {"map_form": "FULL"}, "one of DENSE, SPARSE, got 'FULL'"),
        ({1: 2.0}, {"map_form": "SPARSE", "max_map": 0}, "max_map is 0"),
        ({6: 2.0}, FORMS[1], "keys from 0 to max_map - 1 = 5, got some from 6 to 6"),
        ({-1: 2.0, 0: 1.0}, FORMS[1], "got some from -1 to 0"),
    ],
)
def test_cast_map_refuses(x: Any, attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"CastMap_0.*{message}"):
        mapped("CastMap", INT, FLOAT, x, **attributes)


def test_cast_map_refuses_text_that_is_no_number() -> None:
    with pytest.raises(OnnxError, match="CastMap_0.*could not convert string to float: 'x'"):
        mapped("CastMap", INT, TEXT, {1: "x"})
