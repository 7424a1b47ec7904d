"""Recurrent layers: one product for all inputs, then for each time step a product and its gates.

The recurrent weights are packed once for all steps; each hidden state is written where it belongs
in the output, and the next product reads it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....ops.trace import references
from ...expressions import Tree, operand
from ..builder import FLOAT, Arguments, Builder, Lazy, array_of, lowering
from ..places import Array, View
from .joining import part
from .matrix import times

_PARTS = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


@lowering("lstm", "gru", "rnn_tanh", "rnn_relu")
def recurrent(builder: Builder, call: Arguments) -> str | None:
    """All layers and directions."""
    name, params = call.call.name, [*call["params"]]
    states = call["hx"]
    states = [*states] if isinstance(states, tuple | list) else [states]
    if references(params) or call.get("batch_sizes") is not None:
        return "weights that are computed, or sequences of different lengths"
    if call.get("train", False) and call.get("dropout", 0.0):
        return "dropout"
    if any(builder.dtype_of(t) != FLOAT for t in (call["input"], *states, *params)):
        return "not float32"
    shape, layers = builder.shape(call["input"]), call["num_layers"]
    if len(shape) != 3 or 0 in shape:
        return "no batch of sequences"
    directions = 2 if call.get("bidirectional", False) else 1
    each = len(params) // (layers * directions)
    if each != (4 if call["has_biases"] else 2):
        return "a projection"
    x, swapped = builder.view(call["input"]), bool(call.get("batch_first", False))
    x = _swapped(x) if swapped else x
    given = [builder.view(s) for s in states]
    hidden = given[0].shape[-1]
    ends = [builder.new(s.shape) for s in given]
    for layer in range(layers):
        last = layer == layers - 1
        wide = (x.shape[0], x.shape[1], directions * hidden)
        out = builder.new(wide, FLOAT, (1, 0, 2) if last and swapped else None)
        for direction in range(directions):
            number = layer * directions + direction
            weights = [array_of(w) for w in params[number * each : (number + 1) * each]]
            begin = [_at(s, number) for s in given]
            mine = part(out, (*wide[:2], hidden), (0, 0, direction * hidden))
            final = _direction(builder, name, x, begin, weights, mine, direction == 1)
            for end, state in zip(ends, final, strict=True):
                builder.copy(state, _at(end, number))
        x = out
    found = references(call.call.outputs)
    for index, view in zip(found, [_swapped(x) if swapped else x, *ends], strict=True):
        builder.give(index, view)
    return None


def _swapped(view: View) -> View:
    """The first two dimensions the other way round."""
    (a, b, c), (d, e, f) = view.shape, view.strides
    return View(view.buffer, (b, a, c), (e, d, f), view.dtype, view.offset)


def _at(view: View, index: int) -> View:
    """One of the slices along the first dimension."""
    offset = view.offset + index * view.strides[0] * view.dtype.itemsize
    return View(view.buffer, view.shape[1:], view.strides[1:], view.dtype, offset)


def _direction(
    builder: Builder, name: str, x: View, states: list[View], weights: Sequence[Array], out: View,
    backward: bool,
) -> list[View]:  # fmt: skip
    """One layer in one direction; gives the last states."""
    hidden = out.shape[-1]
    count = _PARTS[name] * hidden
    to_input, to_state = weights[0].T, weights[1].T
    before, after = (weights[2], weights[3]) if len(weights) > 2 else (np.zeros(count, "f4"),) * 2
    if name != "gru":  # whose term is multiplied by a gate
        before, after = (before + after).astype(np.float32), np.zeros(count, np.float32)
    inputs = builder.compute(times(builder, x, to_input, before, (0, 1, 2)))
    steps = range(x.shape[0])
    for t in reversed(steps) if backward else steps:
        product = times(builder, states[0], to_state, after, (0, 1))
        to, given = _at(out, t), _at(inputs, t)
        states = _STEPS[name](builder, product, given, states, to)
    return states


def _split(view: View, count: int) -> list[View]:
    """Equal parts of the columns."""
    rows, columns = view.shape[0], view.shape[1] // count
    return [part(view, (rows, columns), (0, i * columns)) for i in range(count)]


def _sum(builder: Builder, product: Lazy, given: View) -> Lazy:
    return builder.combine("add", [product, given], product.shape)


def _lstm(builder: Builder, product: Lazy, given: View, states: list[View], to: View) -> list[View]:
    gates = _split(builder.compute(_sum(builder, product, given)), 4)
    enter, forget, new, leave, old = (operand(i) for i in range(5))
    kept: Tree = ("mul", ("sigmoid", forget), old)
    tree: Tree = ("add", kept, ("mul", ("sigmoid", enter), ("tanh", new)))
    cell = builder.compute(Lazy(tree, (*gates, states[1]), to.shape))
    shown: Tree = ("mul", ("sigmoid", operand(0)), ("tanh", operand(1)))
    return [builder.compute(Lazy(shown, (gates[3], cell), to.shape), to), cell]


def _gru(builder: Builder, product: Lazy, given: View, states: list[View], to: View) -> list[View]:
    mine, theirs = _split(builder.compute(product), 3), _split(given, 3)
    r, z, n, from_r, from_z, from_n, old = (operand(i) for i in range(7))
    reset: Tree = ("sigmoid", ("add", from_r, r))
    update: Tree = ("sigmoid", ("add", from_z, z))
    new: Tree = ("tanh", ("add", from_n, ("mul", reset, n)))
    tree: Tree = ("add", new, ("mul", update, ("sub", old, new)))
    return [builder.compute(Lazy(tree, (*mine, *theirs, states[0]), to.shape), to)]


def _rnn(
    function: str, builder: Builder, product: Lazy, given: View, to: View
) -> list[View]:  # fmt: skip
    total = _sum(builder, product, given)
    return [builder.compute(builder.combine(function, [total], to.shape), to)]


_STEPS: dict[str, Any] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn_tanh": lambda b, product, given, states, to: _rnn("tanh", b, product, given, to),
    "rnn_relu": lambda b, product, given, states, to: _rnn("relu", b, product, given, to),
}


@lowering("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(builder: Builder, call: Arguments) -> str | None:
    """One step."""
    names = ("w_ih", "w_hh", "b_ih", "b_hh")
    weights = [call.get(n) for n in names if call.get(n) is not None]
    states = call["hx"]
    states = [*states] if isinstance(states, tuple | list) else [states]
    if references(weights) or any(
        builder.dtype_of(t) != FLOAT for t in (call["input"], *states, *weights)
    ):
        return "weights that are computed, or not float32"
    x = builder.view(call["input"])
    if len(x.shape) != 2 or 0 in x.shape or len(weights) not in (2, 4):
        return "no batch"
    given = [builder.view(s) for s in states]
    sequence = View(x.buffer, (1, *x.shape), (0, *x.strides), x.dtype, x.offset)
    out = builder.new((1, *given[0].shape))
    arrays = [array_of(w) for w in weights]
    final = _direction(
        builder, call.call.name.removesuffix("_cell"), sequence, given, arrays, out, False
    )
    for index, view in zip(references(call.call.outputs), final, strict=True):
        builder.give(index, view)
    return None
