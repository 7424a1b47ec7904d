"""Operators of the opsets below 7, which nobody runs any more, against NumPy.

Broadcasting was asked for then, from a stated axis on; what was written in place was said in
``consumed_inputs``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from single_node import node_model, ours, same

import tensorlite as tl

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
POSITIVE = np.abs(RNG.standard_normal((2, 3, 4, 5))).astype(np.float32) + np.float32(0.5)
CHANNELS = POSITIVE[0, :, 0, 0].copy()
MATRIX = RNG.standard_normal((4, 6)).astype(np.float32)
OTHER = RNG.standard_normal((6, 3)).astype(np.float32)


def check(
    device: Any, want: Any, op_type: str, opset: int, *inputs: Any, **attributes: Any
) -> None:
    """Asserts what a node gives."""
    model = node_model(op_type, list(inputs), opset=opset, **attributes)
    same(ours(model, list(inputs), device), [want], rtol=1e-4, atol=1e-5)


ARITHMETIC: dict[str, Any] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power,
}  # fmt: skip
LOGICAL: dict[str, Any] = {
    "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor, "Greater": np.greater,
    "Less": np.less, "Equal": np.equal,
}  # fmt: skip

# The second operand's part of X, the axis that is stated, and its shape among X's.
AXES = [
    (np.s_[0, :, 0, 0], {"axis": 1}, (1, 3, 1, 1)),
    (np.s_[0, :, :, 0], {"axis": 1}, (1, 3, 4, 1)),
    (np.s_[:, 0, 0, 0], {"axis": 0}, (2, 1, 1, 1)),
    (np.s_[0, 0, :, 0], {"axis": -2}, (1, 1, 4, 1)),
    (np.s_[0, 0], {}, (1, 1, 4, 5)),
    (np.s_[0, 0, 0, 0], {}, (1, 1, 1, 1)),
]


@pytest.mark.parametrize(("part", "axis", "shape"), AXES)
@pytest.mark.parametrize("name", [*ARITHMETIC, *LOGICAL])
def test_broadcasting_from_an_axis(
    name: str, part: Any, axis: dict[str, int], shape: tuple[int, ...], device: tl.device
) -> None:
    opsets = (1,) if name in (*LOGICAL, "Pow") else (1, 6)
    a, b = (X > 0, POSITIVE > 1) if name in ("And", "Or", "Xor") else (POSITIVE, POSITIVE[::-1])
    if name == "Equal":
        a, b = (np.round(v * 2).astype(np.int64) for v in (a, b))
    b = np.array(b[part])
    want = {**ARITHMETIC, **LOGICAL}[name](a, b.reshape(shape))
    for opset in opsets:
        check(device, want, name, opset, a, b, broadcast=1, **axis)


@pytest.mark.parametrize("name", [*ARITHMETIC, *LOGICAL])
def test_without_broadcasting(name: str, device: tl.device) -> None:
    a, b = (X > 0, POSITIVE > 1) if name in ("And", "Or", "Xor") else (POSITIVE, POSITIVE[::-1])
    if name == "Equal":
        a, b = (np.round(v * 2).astype(np.int64) for v in (a, b))
    check(device, {**ARITHMETIC, **LOGICAL}[name](a, b), name, 1, a, np.array(b))


ACTIVATIONS: dict[str, tuple[dict[str, float], Any]] = {
    "Abs": ({}, np.abs), "Neg": ({}, np.negative), "Floor": ({}, np.floor), "Ceil": ({}, np.ceil),
    "Exp": ({}, np.exp), "Tanh": ({}, np.tanh), "Sigmoid": ({}, lambda x: 1 / (1 + np.exp(-x))),
    "Relu": ({}, lambda x: np.maximum(x, 0)), "Reciprocal": ({}, lambda x: 1 / x),
    "Elu": ({"alpha": 0.5}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    "Selu": (
        {"alpha": 1.2, "gamma": 0.9},
        lambda x: np.float32(0.9) * np.where(x > 0, x, np.float32(1.2) * np.expm1(x)),
    ),
    "LeakyRelu": ({"alpha": 0.2}, lambda x: np.where(x > 0, x, np.float32(0.2) * x)),
    "HardSigmoid": (
        {"alpha": 0.3, "beta": 0.4}, lambda x: np.clip(np.float32(0.3) * x + np.float32(0.4), 0, 1),
    ),
    "Clip": ({"min": -0.5, "max": 0.4}, lambda x: np.clip(x, np.float32(-0.5), np.float32(0.4))),
    "Dropout": ({"is_test": 1}, lambda x: x),
    "GlobalLpPool": ({"p": 3.0}, lambda x: (np.abs(x) ** 3).sum((2, 3), keepdims=True) ** (1 / 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_functions_of_one_tensor(name: str, device: tl.device) -> None:
    attributes, function = ACTIVATIONS[name]
    check(device, function(X).astype(np.float32), name, 1, X, **attributes)


def test_functions_of_several_tensors(device: tl.device) -> None:
    inputs = X, POSITIVE, -X
    check(device, np.maximum(np.maximum(*inputs[:2]), inputs[2]), "Max", 1, *inputs)
    check(device, np.minimum(np.minimum(*inputs[:2]), inputs[2]), "Min", 1, *inputs)
    check(device, POSITIVE, "Sum", 1, *inputs)
    check(device, POSITIVE / np.float32(3), "Mean", 1, *inputs)
    check(device, np.concatenate(inputs, 1), "Concat", 1, *inputs)
    check(device, np.concatenate(inputs, 3), "Concat", 1, *inputs, axis=3)


@pytest.mark.parametrize("opset", [1, 6])
def test_slopes_are_of_channels(opset: int, device: tl.device) -> None:
    want = np.where(X > 0, X, X * CHANNELS[:, None, None])
    check(device, want, "PRelu", opset, X, CHANNELS)
    check(device, np.where(X > 0, X, X * CHANNELS[0]), "PRelu", opset, X, CHANNELS[:1])


@pytest.mark.parametrize("opset", [1, 6])
def test_gemm(opset: int, device: tl.device) -> None:
    product = MATRIX @ OTHER
    whole = np.ones((4, 3), np.float32)
    check(device, product / 2 + whole, "Gemm", opset, MATRIX, OTHER, whole, alpha=0.5)
    check(device, product + 2 * CHANNELS, "Gemm", opset, MATRIX, OTHER, CHANNELS, broadcast=1,
          beta=2.0)  # fmt: skip
    check(device, product + whole, "Gemm", opset, MATRIX.T.copy(), OTHER.T.copy(), whole, transA=1,
          transB=1)  # fmt: skip


@pytest.mark.parametrize(
    ("opset", "attributes"),
    [(1, {"consumed_inputs": [0, 0, 0, 1, 1]}), (6, {}), (6, {"spatial": 1, "momentum": 0.5})],
)
def test_batch_normalization(opset: int, attributes: dict[str, Any], device: tl.device) -> None:
    scale, bias, mean, spread = CHANNELS, -CHANNELS, CHANNELS / 2, CHANNELS + 1
    shaped = [v[:, None, None] for v in (scale, bias, mean, spread)]
    want = shaped[0] * (X - shaped[2]) / np.sqrt(shaped[3] + np.float32(0.01)) + shaped[1]
    check(device, want, "BatchNormalization", opset, X, scale, bias, mean, spread, is_test=1,
          epsilon=0.01, **attributes)  # fmt: skip


def test_shapes(device: tl.device) -> None:
    padded = np.pad(X, ((0, 0), (0, 0), (1, 0), (2, 1)), constant_values=2)
    check(device, padded, "Pad", 1, X, paddings=[0, 0, 1, 2, 0, 0, 0, 1], value=2.0)
    twice = np.array(2, np.float32), np.array(1, np.float32)
    check(device, np.tile(X, (1, 2, 1, 1)), "Tile", 1, X, *twice)
    check(device, X.reshape(2, -1, 5), "Reshape", 1, X, shape=[0, -1, 5])


def test_pools(device: tl.device) -> None:
    windows = np.lib.stride_tricks.sliding_window_view(X, (2, 3), (2, 3))
    how = {"kernel_shape": [2, 3]}
    check(device, windows.mean((-1, -2)), "AveragePool", 1, X, **how)
    lengths = (np.abs(windows) ** 3).sum((-1, -2)) ** (1 / 3)
    check(device, lengths.astype(np.float32), "LpPool", 1, X, p=3.0, **how)


def test_gru_of_opset_3(device: tl.device) -> None:
    """The gates z, r and h; the new state is (1 - z) h + z times the old one."""
    x = RNG.standard_normal((3, 2, 4)).astype(np.float32)
    w = RNG.standard_normal((1, 6, 4)).astype(np.float32)
    r = RNG.standard_normal((1, 6, 2)).astype(np.float32)
    state, found = np.zeros((2, 2), np.float32), []
    for step in x:
        gates = step @ w[0].T
        first = 1 / (1 + np.exp(-(gates[:, :4] + state @ r[0, :4].T)))
        z, reset = first[:, :2], first[:, 2:]
        h = np.tanh(gates[:, 4:] + (reset * state) @ r[0, 4:].T)
        state = (1 - z) * h + z * state
        found.append(state[None])
    model = node_model("GRU", [x, w, r], 2, 3, hidden_size=2)
    same(ours(model, [x, w, r], device), [np.stack(found), state[None]], rtol=1e-4)
