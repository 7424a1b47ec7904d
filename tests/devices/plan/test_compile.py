"""``module.compile``: what it is called with and gives, where numbers escape, and its reports."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
import tensorlite.nn.functional as F
from tensorlite import nn
from tensorlite.errors import OperatorError

pytest.importorskip("llvmlite")

from tensorlite.devices.numba.plan import compile


def same(function: Any, *args: Any) -> Any:
    """A compiled function that gave what the function gives, twice."""
    compiled = compile(function, *args)
    for _ in range(2):
        ours, theirs = compiled(*args), function(*args)
        if isinstance(theirs, tl.Tensor):
            ours, theirs = (ours,), (theirs,)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
        args = tuple(
            a * 2 if isinstance(a, tl.Tensor) and a.is_floating_point() else a for a in args
        )
    return compiled


def calls(compiled: Any) -> list[str]:
    """The names of what runs outside of kernels."""
    return [row[1] for row in compiled.explain().rows() if row[4]]


def test_a_python_number_from_a_tensor_keeps_its_part_eager() -> None:
    class Scaled(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * x.max().item()

    net = nn.Sequential(nn.Linear(8, 8), Scaled(), nn.ReLU())
    compiled = same(net, tl.randn(4, 8))
    assert calls(compiled) == ["Scaled"]


def test_a_choice_by_value_is_made_anew() -> None:
    def choose(x: Any) -> Any:
        return x + 1 if bool(x.sum() > 0) else x - 1

    compiled = compile(choose, tl.ones(3))
    assert compiled(tl.ones(3)).tolist() == [2, 2, 2]
    assert compiled(-tl.ones(3)).tolist() == [-2, -2, -2]


def test_in_place_forms_are_new_values() -> None:
    def net(x: Any) -> Any:
        y = x * 2
        y += 1
        F.relu(y, inplace=True)
        return y.mul_(3)

    assert calls(same(net, tl.randn(3, 5))) == []


def test_writing_into_a_view_is_seen_in_what_it_is_of() -> None:
    def net(x: Any) -> Any:
        y = x * 2
        y[0] = 7
        y[:, 1:].add_(1)
        return y

    same(net, tl.randn(3, 5))


def test_inputs_are_not_written_to_by_the_plan() -> None:
    x = tl.randn(4)
    before = x.numpy().copy()
    compile(lambda x: F.relu(x) + 1, x)(x)
    np.testing.assert_array_equal(x.numpy(), before)


def test_writing_to_an_input_does_not_reach_the_caller() -> None:
    def net(x: Any) -> Any:
        x.add_(1)
        return x * 2

    x = tl.ones(2)
    compiled = compile(net)
    for _ in range(2):
        assert compiled(x).tolist() == [4, 4] and x.tolist() == [1, 1]


def test_random_numbers_are_new() -> None:
    compiled = compile(lambda x: x + tl.rand(1000), tl.zeros(1000))
    first, second = (compiled(tl.zeros(1000)).numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    dropped = compile(lambda x: F.dropout(x, 0.5, training=True), tl.ones(1000))
    assert 300 < int((dropped(tl.ones(1000)).numpy() == 0).sum()) < 700


def test_results_of_every_structure() -> None:
    x = tl.randn(2, 3)
    assert compile(lambda x: x, x)(x).tolist() == x.tolist()
    assert compile(lambda x: tl.ones(2), x)(x).tolist() == [1, 1]
    found = compile(lambda x: {"a": x + 1, "b": [x, None, 3], "c": "text"}, x)(x)
    assert found["b"][1:] == [None, 3] and found["c"] == "text"
    np.testing.assert_allclose(found["a"].numpy(), x.numpy() + 1)
    twice = compile(lambda x: (x * 2,) * 2, x)(x)
    np.testing.assert_array_equal(twice[0].numpy(), twice[1].numpy())


def test_results_belong_to_the_caller() -> None:
    compiled = compile(lambda x: x + 1, tl.zeros(3))
    first = compiled(tl.zeros(3))
    compiled(tl.ones(3))
    assert first.tolist() == [1, 1, 1]


def test_shapes_dtypes_and_other_arguments_have_plans_of_their_own() -> None:
    compiled = compile(lambda x, power=1.0: x * power)
    for shape in ((2,), (3,), (2, 2)):
        assert compiled(tl.ones(shape), power=3.0).tolist() == tl.full(shape, 3.0).tolist()
    assert compiled(tl.ones(2)).tolist() == [1, 1]
    assert compiled(tl.ones(2, dtype=tl.int64), power=2).dtype is tl.int64
    assert len(compiled.plans) == 5
    compiled.limit = 2
    compiled(tl.ones(7))
    assert len(compiled.plans) == 2
    assert compiled(tl.ones(7)).tolist() == [1] * 7


def test_numbers_out_of_range_are_errors() -> None:
    table = nn.Embedding(10, 4)
    compiled = same(table, tl.tensor([[1, 4], [0, 3]]))
    for wrong in (10, -1, 2**40):
        with pytest.raises(OperatorError, match="out of range"):
            compiled(tl.tensor([[1, wrong], [0, 9]]))
    assert compiled(tl.tensor([[1, 2], [0, 9]])).shape == (2, 2, 4)


def test_errors_of_the_module_come_through_and_leave_nothing_behind() -> None:
    net = nn.Linear(4, 2)
    with pytest.raises(tl.errors.ShapeError):
        net.compile(tl.ones(3))
    same(net, tl.randn(3, 4))
    with tl.explain() as recorded:
        tl.ones(2) + 1
    assert [row.operator for row in recorded.rows] == ["ones", "add"]


def test_several_threads_compile_and_call() -> None:
    nets = [nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)) for _ in range(4)]
    failed: list[BaseException] = []

    def work(net: Any) -> None:
        try:
            for rows in range(1, 12):
                same(net, tl.randn(rows, 6))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_plan_in_several_threads(count: int) -> None:
    net = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 8, 3))
    x = tl.randn(1, 3, 24, 24)
    before = tl.get_num_threads()
    tl.set_num_threads(count)
    try:
        compiled = net.compile(x)
        expected = compiled(x).numpy()
        different: list[float] = []

        def call() -> None:
            for _ in range(20):
                different.append(float(np.abs(compiled(x).numpy() - expected).max()))

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert different == [0.0] * 60
    finally:
        tl.set_num_threads(before)


def test_text_passes_through() -> None:
    import onnx

    head = '<ir_version: 9, opset_import: ["": 20]>'
    text = head + " g (string[n] x, string[n] y) => (string[n] z) {z = StringConcat(x, y)}"
    model = tl.onnx.load(onnx.parser.parse_model(text))
    compiled = model.compile()
    for first, second in ((["a", "bc"], ["x", "y"]), (["ä", ""], ["", ""]), ([], [])):
        given = [np.array(words, object) for words in (first, second)]
        expected = [a + b for a, b in zip(first, second, strict=True)]
        assert compiled(*given).tolist() == expected


def test_reports() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()).eval()
    x = tl.randn(1, 3, 8, 8)
    compiled = net.compile(x)
    text = repr(compiled.explain())
    assert "conv 3x3+relu" in text and "0 calls" in text and "batch" not in text
    profile = compiled.profile(x)
    assert len(profile.rows()) == len(compiled.explain().rows()) and profile.total > 0
    assert "GFLOP/s" in repr(profile)
    assert "no plan" in repr(compile(lambda x: x).explain())


def test_constant_and_computed_indices_together() -> None:
    rows, x = tl.tensor([1, 0]), tl.randn(2, 3)
    same(lambda x, i: x[rows, i], x, tl.tensor([2, 1]))
    same(lambda x, i: x[:, i], x, tl.tensor([2, 1]))
    same(lambda x, i: x[..., i], x, tl.tensor([2, 1]))


def test_state_that_is_written_is_no_constant() -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", tl.zeros(2, dtype=tl.int64))

        def forward(self, x: Any) -> Any:
            self.calls[...] = self.calls + 1
            self.calls.add_(1)
            added = tl.zeros(3)
            added[0] = 5
            return x + added + self.calls[0]

    net = Counter()
    compiled = net.compile()
    assert [compiled(tl.zeros(3)).tolist() for _ in range(3)] == [[7, 2, 2], [9, 4, 4], [11, 6, 6]]
    assert net.calls.tolist() == [6, 6]


def test_constants_that_are_put_together_are_constants() -> None:
    def masked(x: Any) -> Any:
        mask = tl.zeros(3, 3)
        mask[0, 1:] = 1
        mask.mul_(2)
        return x * mask

    assert calls(same(masked, tl.randn(3, 3))) == []


def test_tensors_by_name_in_any_order() -> None:
    x, y = tl.tensor([1.0, 2.0], device="numba"), tl.tensor([5.0, 7.0], device="numba")
    fast = compile(lambda a, b: a - b)
    for _ in range(2):
        assert fast(x, y).tolist() == [-4.0, -5.0]
        assert fast(x, b=y).tolist() == fast(b=y, a=x).tolist() == [-4.0, -5.0]
        assert fast(a=y, b=x).tolist() == fast(b=x, a=y).tolist() == [4.0, 5.0]
    assert len(fast.plans) == 4
