"""LabelEncoder, CategoryMapper and OneHotEncoder of ai.onnx.ml, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from single_node import agree, node_model, onnxruntime, ours, reference, same

from tensorlite.errors import OnnxError

ML: dict[str, Any] = {"domain": "ai.onnx.ml"}
SHAPES = [(), (0,), (5,), (2, 0, 3), (2, 3)]
NUMBERS = [np.int16, np.int32, np.int64, np.float32, np.float64]


def words(*items: Any, shape: Any = (-1,)) -> Any:
    array = np.empty(len(items), object)
    array[:] = items
    return array.reshape(shape)


def tensor(values: Any) -> Any:
    return numpy_helper.from_array(np.asarray(values), "t")


def run(op_type: str, x: Any, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model(op_type, [x], **ML, **attributes), [x], device)


def data(kind: str, shape: Any) -> Any:
    """Elements 0 to 4, as strings "k0" to "k4" or as numbers."""
    numbers = np.asarray(np.random.default_rng(0).integers(0, 5, shape))
    if kind == "strings":
        return words(*[f"k{i}" for i in np.reshape(numbers, -1)], shape=shape)
    return np.asarray(numbers, np.float32 if kind == "floats" else np.int64)


KEYS = {"strings": ["k3", "k0", "k1"], "int64s": [3, 0, 1], "floats": [3.0, 0.0, 1.0]}
VALUES = {"strings": ["x", "", "ü"], "int64s": [5, -7, 2**40], "floats": [0.5, -1e9, 3.0]}
DEFAULTS = {"strings": ("string", "?"), "int64s": ("int64", 9), "floats": ("float", 0.25)}


@pytest.mark.parametrize("opset", [2, 4])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("keys", KEYS)
def test_label_encoder(keys: str, values: str, opset: int, device: Any) -> None:
    attributes = {f"keys_{keys}": KEYS[keys], f"values_{values}": VALUES[values]}
    name, default = DEFAULTS[values]
    for shape in SHAPES:
        x = data(keys, shape)
        agree("LabelEncoder", x, opset=opset, device=device, **ML, **attributes)
        extra = {f"default_{name}": default}
        agree("LabelEncoder", x, opset=opset, device=device, **ML, **attributes, **extra)


@pytest.mark.parametrize("values", [*NUMBERS, object])
@pytest.mark.parametrize("keys", [*NUMBERS, object])
def test_label_encoder_of_tensors(keys: Any, values: Any, device: Any) -> None:
    known = words("a", "b", "c") if keys is object else np.array([3, -1, 7], keys)
    given = words("x", "y", "") if values is object else np.array([1, 2, 100], values)
    fallback = words("?") if values is object else np.array([42], values)
    x = words("c", "z", "a", "b") if keys is object else np.array([7, 0, 3, -1], keys)
    attributes = {"keys_tensor": tensor(known), "values_tensor": tensor(given)}
    want = [given[2], fallback[0], given[0], given[1]]
    want = words(*want) if values is object else np.array(want, values)
    have = run("LabelEncoder", x, device, opset=4, default_tensor=tensor(fallback), **attributes)
    same(have, [want])
    unused = {"O": "_Unused", "i": -1, "f": -0.0}[given.dtype.kind]
    have = run("LabelEncoder", x, device, opset=4, **attributes)
    assert have[0][1] == unused and have[0].dtype == given.dtype
    if values is np.float32:
        assert np.signbit(have[0][1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_label_encoder_finds_nan_and_negative_zero(dtype: Any, device: Any) -> None:
    x = np.array([np.nan, -0.0, 1, 9, -np.nan], dtype)
    x.view(f"u{x.itemsize}")[4] ^= 1  # another of the many nans
    keys = tensor(np.array([1, np.nan, 0], dtype))
    attributes = {"keys_tensor": keys, "values_strings": ["one", "nan", "zero"]}
    have = run("LabelEncoder", x, device, opset=4, **attributes)
    assert have[0].tolist() == ["nan", "zero", "one", "_Unused", "nan"]
    if dtype is np.float32:
        agree("LabelEncoder", x, opset=4, keys_floats=[1.0, np.nan, 0.0],
              values_strings=attributes["values_strings"], device=device, **ML)  # fmt: skip


def test_label_encoder_of_a_key_that_is_there_twice(device: Any) -> None:
    x = np.array([1, 2, 3])
    attributes = {"keys_int64s": [1, 2, 1], "values_int64s": [5, 6, 7]}
    agree("LabelEncoder", x, opset=4, key=reference, device=device, **ML, **attributes)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(-9, 9), st.integers(-(2**63), 2**63 - 1), min_size=1), st.data())
def test_label_encoder_of_any_numbers(table: dict[int, int], draw: st.DataObject) -> None:
    x = np.array(draw.draw(st.lists(st.integers(-10, 10))), np.int64)
    attributes = {"keys_int64s": [*table], "values_int64s": [*table.values()]}
    agree("LabelEncoder", x, opset=2, **ML, **attributes)


@pytest.mark.parametrize("shape", SHAPES)
def test_first_label_encoder(shape: Any, device: Any) -> None:
    classes = ["k1", "k0", "k3", "k1"]
    for kind in ("strings", "int64s"):
        x = data(kind, shape)
        agree("LabelEncoder", x, opset=1, device=device, classes_strings=classes, **ML)
    agree("LabelEncoder", np.array([-1, 0, 4]), opset=1, device=device, classes_strings=classes,
          default_string="?", **ML)  # fmt: skip
    agree("LabelEncoder", words("k9"), opset=1, device=device, classes_strings=classes,
          default_int64=77, **ML)  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "exactly one of keys_floats, .* got none"),
        ({"keys_int64s": [1], "keys_floats": [1.0], "values_int64s": [1]},
         "got keys_floats and keys_int64s"),
        ({"keys_int64s": [1]}, "exactly one of values_floats, .* got none"),
        ({"keys_int64s": [1, 2], "values_int64s": [1]},
         r"keys of shape \(2,\) and values of \(1,\)"),
        ({"keys_tensor": tensor([[1]]), "values_tensor": tensor([[1]])}, r"in one dimension"),
        ({"keys_tensor": tensor([True]), "values_int64s": [1]}, "keys_tensor is of dtype bool"),
        ({"keys_int64s": [1], "values_tensor": tensor(np.uint8([1]))}, "values_tensor .* uint8"),
        ({"keys_int64s": [1], "values_int64s": [1], "default_tensor": tensor(np.float32([1]))},
         "default_tensor to be one int64, as the values are; got float32"),
        ({"keys_int64s": [1], "values_int64s": [1], "default_tensor": tensor([1, 2])},
         r"got int64 \(2,\)"),
        ({"keys_int64s": [1], "values_tensor": tensor(np.int16([1])), "default_int64": 2**20},
         "default_int64 1048576 does not fit"),
        ({"keys_floats": [1.0], "values_int64s": [1]}, "of dtype float32, got int64"),
    ],
)  # fmt: skip
def test_label_encoder_refuses(attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"LabelEncoder_0.*{message}"):
        run("LabelEncoder", np.array([1]), opset=4, **attributes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["strings", "int64s"])
def test_category_mapper(kind: str, shape: Any, device: Any) -> None:
    attributes = {"cats_int64s": [3, 0, 1, 3, 7], "cats_strings": ["k1", "k2", "k4", "k0", "k1"]}
    x = data(kind, shape)
    agree("CategoryMapper", x, opset=1, device=device, **ML, **attributes)
    defaults = {"default_int64": 12} if kind == "strings" else {"default_string": ""}
    agree("CategoryMapper", x, opset=1, device=device, **ML, **attributes, **defaults)


def test_category_mapper_refuses() -> None:
    attributes = {"cats_int64s": [3, 0], "cats_strings": ["a"], "opset": 1}
    with pytest.raises(OnnxError, match="CategoryMapper_0.*as many keys as values"):
        run("CategoryMapper", np.array([1]), **attributes)
    attributes["cats_int64s"] = [3]
    with pytest.raises(OnnxError, match="CategoryMapper_0.*dtype string, int64, got float32"):
        run("CategoryMapper", np.float32([1]), **attributes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [object, np.int64, np.int32, np.float32, np.float64])
def test_one_hot_encoder(dtype: Any, shape: Any, device: Any) -> None:
    if dtype is object:
        x, attributes = data("strings", shape), {"cats_strings": ["k3", "k0", "k1", "ü"]}
    else:
        x, attributes = data("int64s", shape).astype(dtype), {"cats_int64s": [3, 0, 2, 2**40]}
    have = run("OneHotEncoder", x, device, opset=1, **attributes)
    key = x.astype(np.int64) if dtype is np.int32 else x  # no kernel for int32 in ONNX Runtime
    same(have, onnxruntime(node_model("OneHotEncoder", [key], opset=1, **ML, **attributes), [key]))


def test_one_hot_encoder_cuts_fractions(device: Any) -> None:
    x = np.float32([1.9, -1.9, 0.5, -0.5, 3.0])
    agree("OneHotEncoder", x, opset=1, device=device, cats_int64s=[1, -1, 0], **ML)
    strange = np.float64([np.nan, np.inf, -1e300, 0])
    have = run("OneHotEncoder", strange, device, opset=1, cats_int64s=[0, -(2**63)])
    same(have, [np.float32([[0, 0], [0, 0], [0, 0], [1, 0]])])


def test_one_hot_encoder_of_the_unknown(device: Any) -> None:
    names: dict[str, Any] = {"cats_strings": ["a"]}
    numbers: dict[str, Any] = {"cats_int64s": [1]}
    for x, cats in [(words("a", "z"), names), (np.array([1, 2]), numbers)]:
        with pytest.raises(OnnxError, match="OneHotEncoder_0.*none of the categories"):
            run("OneHotEncoder", x, device, opset=1, zeros=0, **cats)
        agree("OneHotEncoder", x[:1], opset=1, device=device, zeros=0, **ML, **cats)
        agree("OneHotEncoder", x, opset=1, device=device, zeros=1, **ML, **cats)


@pytest.mark.parametrize(
    ("x", "attributes", "message"),
    [
        (np.array([1]), {}, "either cats_int64s or cats_strings, got neither"),
        (np.array([1]), {"cats_int64s": [1], "cats_strings": ["a"]}, "got both"),
        (np.array([1]), {"cats_strings": ["a"]}, "of dtype string, got int64"),
        (words("a"), {"cats_int64s": [1]}, "got string"),
        (np.array([True]), {"cats_int64s": [1]}, "int64, int32, float32, float64, got bool"),
    ],
)
def test_one_hot_encoder_refuses(x: Any, attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"OneHotEncoder_0.*{message}"):
        run("OneHotEncoder", x, opset=1, **attributes)
