"""Converted models as modules: calling them, looking inside, and what they say when it is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import OnnxError, UnsupportedOperatorError

HEAD = '<ir_version: 8, opset_import: ["": 17]>'


def model(text: str, head: str = HEAD, **kwargs: Any) -> Any:
    return tl.onnx.load(onnx.parser.parse_model(head + text), **kwargs)


@pytest.fixture
def small(device: tl.device) -> Any:
    return model(
        """g (float[n, 3] x) => (float[n, 2] y, float[n, 2] z)
        <float[3, 2] w = {1, 2, 3, 4, 5, 6}> {
            h = MatMul(x, w)
            y = Relu(h)
            z = Neg(y)
        }""",
        device=device,
    )


def test_is_a_module_with_named_weights(small: Any) -> None:
    assert isinstance(small, nn.Module)
    assert [name for name, _ in small.named_parameters()] == ["w"]
    assert list(small.state_dict()) == ["w"]
    assert [str(i) for i in small.inputs] == ["x: float32[n, 3]"]


def test_is_called_by_position_and_by_name(small: Any, device: tl.device) -> None:
    x = tl.tensor([[1.0, -1.0, 0.0]], device=device)
    y, z = small(x)
    assert y.device == device
    assert y.tolist() == [[0.0, 0.0]] and z.tolist() == [[-0.0, -0.0]]
    assert small(x=x)[0].tolist() == y.tolist()
    named = small.run({"x": np.ones((2, 3), np.float32)})
    assert list(named) == ["y", "z"]
    assert named["y"].tolist() == [[9.0, 12.0], [9.0, 12.0]]


def test_lists_are_taken_in_the_declared_dtype(small: Any) -> None:
    assert small([[1, 1, 1]])[0].tolist() == [[9.0, 12.0]]


def test_sizes_may_change_between_calls(small: Any) -> None:
    for n in (1, 4, 0):
        assert small(np.ones((n, 3), np.float32))[0].shape == (n, 2)


def test_intermediate_values_by_value_and_node(small: Any) -> None:
    x = np.array([[1, -1, 0]], np.float32)
    assert small.intermediate("h", x).tolist() == [[-2.0, -2.0]]
    node = small.model.graph.nodes[0].name
    assert small.intermediate(node, x).tolist() == [[-2.0, -2.0]]
    assert small.intermediate("w", x).shape == (3, 2)
    with pytest.raises(OnnxError, match="'hh'.*'h'"):
        small.intermediate("hh", x)


def test_summary_counts_and_measures(small: Any) -> None:
    summary = small.summary(np.ones((5, 3), np.float32))
    assert summary.parameters == 6 and summary.weight_bytes == 24
    assert [row.node.op_type for row in summary.rows] == ["MatMul", "Relu", "Neg"]
    assert summary.rows[0].parameters == 6 and summary.rows[0].bytes == 40
    assert summary.peak_bytes == 60 + 40  # x and h; then x is free
    assert "MatMul" in repr(summary) and "6 parameters" in repr(summary)
    assert small.summary().rows[1].outputs.startswith("float32")


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((), {}, "missing input 'x'.*x: float32"),
        (([[1.0, 2, 3]], 1), {}, "2 inputs given"),
        ((), {"xx": [[1.0, 2, 3]]}, "no input is named 'xx'.*Did you mean 'x'"),
        (([[1.0, 2, 3]],), {"x": 1}, "by position and by name"),
        ((np.ones((1, 3)),), {}, r"expected float32\[n, 3\], got float64 \(1, 3\).*tl.float32"),
        ((np.ones(3, np.float32),), {}, r"expected 2 dimensions.*got float32 \(3,\)"),
        ((np.ones((1, 4), np.float32),), {}, "dimension 1 is 4, expected 3"),
        (("text",), {}, "input 'x': expected float32"),
    ],
)
def test_wrong_inputs_are_named(small: Any, args: Any, kwargs: Any, says: str) -> None:
    with pytest.raises(OnnxError, match=says):
        small(*args, **kwargs)


def test_symbols_agree_over_inputs() -> None:
    pair = model("g (float[n] a, float[n] b) => (float[n] y) {y = Add(a, b)}")
    with pytest.raises(OnnxError, match=r"dimension 0 \(n\) is 3, but n is 2 in input 'a'"):
        pair(np.ones(2, np.float32), np.ones(3, np.float32))


def test_a_failing_node_says_which_and_what_came_in() -> None:
    broken = model("g (float[n] a, float[m] b) => (float[k] y) {y = Add(a, b)}")
    with pytest.raises(OnnxError, match=r"Add.*opset 17.*a: float32 \(2,\), b: float32 \(3,\)"):
        broken(np.ones(2, np.float32), np.ones(3, np.float32))


def test_all_unknown_operators_are_listed_at_once() -> None:
    head = '<ir_version: 8, opset_import: ["": 17, "my.domain": 1]>'
    text = """g (float[n] x) => (float[n] y) {
        a = my.domain.Wobble(x)
        b = my.domain.Wobble(a)
        y = Rellu(b)
    }"""
    with pytest.raises(UnsupportedOperatorError) as error:
        model(text, head)
    said = str(error.value)
    assert "2 unknown operators" in said
    assert "my.domain.Wobble" in said and "Did you mean 'Relu'" in said
    assert "Wobble_0" in said and "Wobble_1" in said
    assert '@tl.onnx.register("my.domain", "Wobble")' in said


def test_an_operator_of_ones_own() -> None:
    @tl.onnx.register("my.other", "Scale")
    def scale(x: tl.Tensor, *, factor: float = 2.0) -> tl.Tensor:
        return x * factor

    head = '<ir_version: 8, opset_import: ["": 17, "my.other": 1]>'
    found = model("g (float[n] x) => (float[n] y) {y = my.other.Scale<factor = 3.0>(x)}", head)
    assert found([1, 2]).tolist() == [3.0, 6.0]
    with pytest.raises(OnnxError, match="unknown attribute 'faktor'; it takes factor"):
        model("g (float[n] x) => (float[n] y) {y = my.other.Scale<faktor = 3.0>(x)}", head)


def test_if_and_loop_see_the_scope_around_them() -> None:
    chosen = model(
        """g (bool c, float[n] x) => (float[n] y) {
            y = If(c) <
                then_branch = a () => (float[n] p) { p = Add(x, x) },
                else_branch = b () => (float[n] q) { q = Neg(x) }
            >
        }"""
    )
    assert chosen(True, [1, 2]).tolist() == [2.0, 4.0]
    assert chosen(False, [1, 2]).tolist() == [-1.0, -2.0]
    counted = model(
        """g (int64 n, float[2] x) => (float[2] last, float[k, 2] every) <bool go = {1}> {
            last, every = Loop(n, go, x) <
                body = b (int64 i, bool c, float[2] s) => (bool d, float[2] t, float[2] u) {
                    d = Identity(c)
                    t = Add(s, x)
                    u = Identity(t)
                }
            >
        }"""
    )
    last, every = counted(3, [1, 2])
    assert last.tolist() == [4.0, 8.0]
    assert every.tolist() == [[2.0, 4.0], [3.0, 6.0], [4.0, 8.0]]
    assert counted(0, [1, 2])[1].shape == (0, 2)


def test_functions_of_the_model_and_of_the_specification() -> None:
    head = '<ir_version: 8, opset_import: ["": 17, "local": 1]>'
    found = model(
        """g (float[n] x) => (float[n] y) { y = local.twice<k = 3.0>(x) }
        <opset_import: ["": 17], domain: "local">
        twice <k> (a) => (b) {
            c = Constant<value_float: float = @k>()
            b = Mul(a, c)
        }""",
        head,
    )
    assert found([1, 2]).tolist() == [3.0, 6.0]


def test_moves_and_converts_like_any_module(small: Any) -> None:
    small.to("numba")
    assert small.w.device == "numba" if hasattr(small, "w") else True
    assert small(np.ones((1, 3), np.float32))[0].device == "numba"


def test_values_are_freed_as_they_die(device: tl.device) -> None:
    chain = "; ".join(f"v{i + 1} = Relu(v{i})" for i in range(20)).replace(";", "\n")
    found = model(f"g (float[n] v0) => (float[n] v20) {{ {chain} }}", device=device)
    summary = found.summary(np.ones(1000, np.float32))
    assert summary.peak_bytes is not None and summary.peak_bytes <= 3 * 4000


def test_the_backend_interface() -> None:
    from tensorlite.converters.onnx import backend

    proto = onnx.parser.parse_model(HEAD + "g (float[n] x) => (float[n] y) {y = Relu(x)}")
    assert backend.supports_device("CPU")
    (y,) = backend.prepare(proto, "CPU").run([np.array([-1, 1], np.float32)])
    assert isinstance(y, np.ndarray) and y.tolist() == [0.0, 1.0]
    node = onnx.helper.make_node("Add", ["a", "b"], ["c"])
    (c,) = backend.run_node(node, [np.ones(2, np.float32)] * 2)
    assert c.tolist() == [2.0, 2.0]
