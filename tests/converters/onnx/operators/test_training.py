"""Adagrad, Adam and Momentum against ONNX's reference, its test cases and PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, reference, same

from tensorlite.errors import OnnxError

DOMAIN = "ai.onnx.preview.training"
MOMENTS = {"Adagrad": 1, "Adam": 2, "Momentum": 1}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "Adagrad": {"decay_factor": 0.25, "epsilon": 1e-5, "norm_coefficient": 0.125},
    "Adam": {
        "alpha": 0.875,
        "beta": 0.75,
        "epsilon": 1e-5,
        "norm_coefficient": 0.125,
        "norm_coefficient_post": 0.0625,
    },
    "Momentum": {"alpha": 0.875, "beta": 0.75, "mode": "standard", "norm_coefficient": 0.125},
}
CASES = [
    "test_adagrad",
    "test_adagrad_multiple",
    "test_adam",
    "test_adam_multiple",
    "test_momentum",
    "test_momentum_multiple",
    "test_nesterov_momentum",
]


def inputs(
    name: str, count: int, shapes: list[tuple[int, ...]], dtype: Any = np.float32, rate: float = 0.5
) -> list[Any]:
    random = np.random.default_rng(0)
    kinds = 2 + MOMENTS[name]
    tensors = [
        (np.abs if kind >= 2 else np.asarray)(random.standard_normal(shape)).astype(dtype)
        for kind in range(kinds)
        for shape in shapes
    ]
    return [np.asarray(rate, dtype), np.asarray(count, np.int64), *tensors]


def run(name: str, given_: list[Any], device: Any = "cpu", **attributes: Any) -> list[Any]:
    outputs = (len(given_) - 2) // (2 + MOMENTS[name]) * (1 + MOMENTS[name])
    model = node_model(name, given_, outputs, 1, DOMAIN, **attributes)
    return ours(model, given_, device)


def as_typed(model: Any, given_: list[Any]) -> list[Any]:
    """ONNX's reference, whose Adam of one float32 tensor wrongly gives a float64."""
    return [np.asarray(y).astype(given_[2].dtype) for y in reference(model, given_)]


@lru_cache
def cases() -> dict[str, Any]:
    loader = pytest.importorskip("onnx.backend.test.loader", reason="onnx has no test cases here")
    with warnings.catch_warnings(action="ignore"):
        return {case.name: case for case in loader.load_model_tests(kind="node")}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_cases_of_onnx(name: str, device: Any) -> None:
    case = cases()[name]
    given_, want = case.data_sets[0]
    model = case.model
    same(ours_named(model, given_, device), want, case.rtol, 1e-6)


def ours_named(model: Any, given_: list[Any], device: Any) -> list[Any]:
    import tensorlite as tl

    names = [info.name for info in model.graph.input]
    found = tl.onnx.load(model, device=device).run(dict(zip(names, given_, strict=True)))
    return [value.numpy(force=True) for value in found.values()]


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("shapes", [[(3,)], [()], [(0, 2)], [(2, 3), (4,)], [(2,)] * 3])
def test_reference(name: str, count: int, shapes: list[tuple[int, ...]], device: Any) -> None:
    agree(
        name,
        *inputs(name, count, shapes),
        outputs=len(shapes) * (1 + MOMENTS[name]),
        opset=1,
        domain=DOMAIN,
        device=device,
        key=as_typed,
        **ATTRIBUTES[name],
    )


@pytest.mark.parametrize("name", MOMENTS)
def test_reference_in_float64(name: str, device: Any) -> None:
    agree(
        name,
        *inputs(name, 3, [(2, 3)], np.float64),
        outputs=1 + MOMENTS[name],
        opset=1,
        domain=DOMAIN,
        device=device,
        key=as_typed,
        rtol=1e-12,
        atol=1e-12,
        **ATTRIBUTES[name],
    )


@settings(max_examples=30, deadline=None)
@given(
    mode=st.sampled_from(["standard", "nesterov"]),
    count=st.integers(0, 3),
    alpha=st.sampled_from([0.0, 0.5, 0.875]),
    beta=st.sampled_from([0.0, 0.25, 1.0]),
    norm=st.sampled_from([0.0, 0.125]),
    rate=st.sampled_from([0.0, 0.5]),
)
def test_momentum(
    mode: str, count: int, alpha: float, beta: float, norm: float, rate: float
) -> None:
    agree(
        "Momentum",
        *inputs("Momentum", count, [(2, 3)], rate=rate),
        outputs=2,
        opset=1,
        domain=DOMAIN,
        key=as_typed,
        mode=mode,
        alpha=alpha,
        beta=beta,
        norm_coefficient=norm,
    )


@pytest.mark.parametrize("name", ["Adagrad", "Adam"])
def test_defaults_are_those_of_the_schema(name: str, device: Any) -> None:
    agree(
        name,
        *inputs(name, 2, [(3,)]),
        outputs=1 + MOMENTS[name],
        opset=1,
        domain=DOMAIN,
        device=device,
        key=as_typed,
    )


def test_tensors_of_two_dtypes_keep_them(device: Any) -> None:
    wide, narrow = inputs("Adam", 2, [(3,)], np.float64), inputs("Adam", 2, [(2,)])
    both = [x for pair in zip(wide[2:], narrow[2:], strict=True) for x in pair]
    have = run("Adam", [*narrow[:2], *both], device)
    assert [y.dtype for y in have] == [np.float64, np.float32] * 3
    apart = [run("Adam", [*narrow[:2], *x[2:]], device) for x in (wide, narrow)]
    same(have, [y for pair in zip(*apart, strict=True) for y in pair])


def steps(
    name: str, optimizer: Callable[[Any], Any], first: int, device: Any, **attributes: Any
) -> None:
    """Five steps here and by a PyTorch optimiser; the counts begin with ``first``."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    random = np.random.default_rng(1)
    x = random.standard_normal(6)
    parameter = torch.nn.Parameter(torch.from_numpy(x.copy()))
    taught = optimizer(parameter)
    moments = [np.zeros(6)] * MOMENTS[name]
    for count in range(first, first + 5):
        gradient = random.standard_normal(6)
        parameter.grad = torch.from_numpy(gradient)
        taught.step()
        given_ = [np.float64(0.125), np.int64(count), x, gradient, *moments]
        x, *moments = run(name, [np.asarray(v) for v in given_], device, **attributes)
        same([x], [parameter.detach().numpy()], 1e-9, 1e-9)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_pytorchs_adagrad(decay: float, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    steps(
        "Adagrad",
        lambda p: torch.optim.Adagrad([p], 0.125, lr_decay=decay, eps=2.0**-20, weight_decay=0.25),
        0,
        device,
        decay_factor=decay,
        epsilon=2.0**-20,
        norm_coefficient=0.25,
    )


@pytest.mark.parametrize("nesterov", [False, True])
def test_pytorchs_momentum(nesterov: bool, device: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    steps(
        "Momentum",
        lambda p: torch.optim.SGD([p], 0.125, momentum=0.75, nesterov=nesterov, weight_decay=0.25),
        0,
        device,
        alpha=0.75,
        beta=1.0,
        mode="nesterov" if nesterov else "standard",
        norm_coefficient=0.25,
    )


def test_pytorchs_adam(device: Any) -> None:
    """With epsilon 0: PyTorch adds it after the correction of the bias, ONNX before."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    steps(
        "Adam",
        lambda p: torch.optim.Adam([p], 0.125, (0.75, 0.875), 0.0, weight_decay=0.25),
        1,
        device,
        alpha=0.75,
        beta=0.875,
        epsilon=0.0,
        norm_coefficient=0.25,
    )


@pytest.mark.parametrize("name", MOMENTS)
def test_wrong_inputs(name: str) -> None:
    given_ = inputs(name, 1, [(2, 3)])
    attributes = ATTRIBUTES[name]
    with pytest.raises(OnnxError, match=f"expected {2 + MOMENTS[name]} inputs per tensor"):
        run(name, [*given_, given_[-1]], **attributes)
    with pytest.raises(OnnxError, match=r"expected R to be a scalar, got \(2,\)"):
        run(name, [np.zeros(2, np.float32), *given_[1:]], **attributes)
    with pytest.raises(OnnxError, match="expected R of dtype float32, float64"):
        run(name, [np.float16(0.5), *given_[1:]], **attributes)
    with pytest.raises(OnnxError, match="expected T of dtype int64"):
        run(name, [given_[0], np.int32(1), *given_[2:]], **attributes)
    with pytest.raises(OnnxError, match="expected input 2 of dtype float32, float64"):
        run(name, [*given_[:2], given_[2].astype(np.float16), *given_[3:]], **attributes)


def test_wrong_mode() -> None:
    given_ = inputs("Momentum", 1, [(2,)])
    with pytest.raises(OnnxError, match="expected mode to be one of standard, nesterov"):
        run("Momentum", given_, **{**ATTRIBUTES["Momentum"], "mode": "heavy"})
