"""A few of the mutants of benchmarks/fuzz_onnx.py: a model or a named error, nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_models import build

import tensorlite as tl
from tensorlite.errors import OnnxError, TensorliteError

PROGRAM = Path(__file__).parents[3] / "benchmarks" / "fuzz_onnx.py"


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--mutants", "5000"], ["--mutants", "3000", "--run"]])
def test_mutants(options: list[str]) -> None:
    command = [sys.executable, str(PROGRAM), *options, "--processes", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "error" in done.stdout


def test_words_of_the_format_in_the_wrong_place() -> None:
    """Every attribute of a few nodes with a value of every other type."""
    values: list[Any] = [1.5, 3, "text", [1.5], [3], ["text"], numpy_helper.from_array(np.ones(2))]
    nodes = {"Concat": ("axis",), "LeakyRelu": ("alpha",), "Constant": ("value", "value_ints"),
             "Cast": ("to",), "Transpose": ("perm",), "Pad": ("mode",)}  # fmt: skip
    for op_type, names in nodes.items():
        for name in names:
            for value in values:
                node = helper.make_node(op_type, [] if op_type == "Constant" else ["x"], ["y"])
                node.attribute.append(helper.make_attribute(name, value))
                try:
                    tl.onnx.load(build([node]))
                except TensorliteError as error:
                    assert op_type in str(error)


@pytest.mark.parametrize("attribute", [{"value": 3}, {"value": [1.0]}, {"value_ints": "text"}])
def test_constants_that_are_none(attribute: dict[str, Any]) -> None:
    node = helper.make_node("Constant", [], ["y"], name="c", **attribute)
    with pytest.raises(OnnxError, match="'c'.*attribute"):
        tl.onnx.load(build([node]))


def test_a_constant_without_output() -> None:
    model = build([helper.make_node("Constant", [], ["y"], value_int=3)])
    del model.graph.node[0].output[:]
    model.graph.output[0].CopyFrom(onnx.ValueInfoProto(name="x"))
    with pytest.raises(OnnxError, match="output"):
        tl.onnx.load(model)


def test_attributes_of_another_type() -> None:
    node = helper.make_node("LeakyRelu", ["x"], ["y"], alpha="steep")
    with pytest.raises(OnnxError, match="LeakyRelu.*expected FLOAT as attribute 'alpha'.*steep"):
        tl.onnx.load(build([node]))


def test_outputs_that_no_node_gives() -> None:
    with pytest.raises(OnnxError, match="2 outputs, expected at most 1"):
        tl.onnx.load(build([helper.make_node("Relu", ["x"], ["h", "y"])]))
    tl.onnx.register("my.domain", "OneOutput")(lambda x: x)
    node = helper.make_node("OneOutput", ["x"], ["h", "y"], domain="my.domain")
    proto = build([node])
    proto.opset_import.append(helper.make_opsetid("my.domain", 1))
    model = tl.onnx.load(proto)
    with pytest.raises(OnnxError, match="no node gave the value 'y'"):
        model(tl.ones(2))


def test_a_sequence_where_a_tensor_belongs() -> None:
    nodes = [
        helper.make_node("SequenceConstruct", ["x"], ["s"]),
        helper.make_node("Range", ["s", "s", "s"], ["y"], name="r"),
    ]
    model = tl.onnx.load(build(nodes))
    with pytest.raises(OnnxError, match="'r'.*a sequence of 1"):
        model(tl.ones(2))
