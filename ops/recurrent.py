"""Recurrent networks: RNN, GRU and LSTM, layer on layer, and single cells.

Sequences are worked on packed: rows of one step behind those of the step before, with the
number of sequences that are still going at each step. A batch of equally long sequences is the
case in which that number never falls. The inputs of all steps are multiplied at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError
from .dropout import kept
from .registry import Array, op

States = list[Array]
Cell = Callable[..., States]


@op(upcast=True)
def lstm(
    xp: Any,
    input: Array,
    hx: Sequence[Array],
    params: Sequence[Array],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
    batch_sizes: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Long short-term memory (Hochreiter & Schmidhuber, 1997): (output, h_n, c_n).

    input (L, N, I), or (N, L, I) with ``batch_first``, or (rows, I) with the ``batch_sizes`` of a
    packed sequence. ``hx`` is (h_0, c_0), each (layers * directions, N, H). ``params`` are, for a
    layer and direction, the weights (4H, I) and (4H, H), the biases (4H,) and (4H,) if there are,
    and the projection (P, H) if there is one. Raises ShapeError.
    Source: PyTorch ``torch.nn.LSTM``.

    >>> import tensorlite as tl
    >>> weights = [tl.ones(4, 2), tl.ones(4, 1)]
    >>> state = (tl.zeros(1, 1, 1), tl.zeros(1, 1, 1))
    >>> y, h, c = tl.lstm(tl.ones(3, 1, 2), state, weights, False, 1, 0.0, False, False)
    >>> tuple(y.shape), tuple(h.shape), tuple(c.shape)
    ((3, 1, 1), (1, 1, 1), (1, 1, 1))
    """
    shape = (has_biases, num_layers, dropout if train else 0.0, bidirectional)
    output, states = _run(xp, _lstm, input, list(hx), params, shape, batch_first, batch_sizes)
    return output, states[0], states[1]


@op(upcast=True)
def gru(
    xp: Any,
    input: Array,
    hx: Array,
    params: Sequence[Array],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
    batch_sizes: Array | None = None,
) -> tuple[Array, Array]:
    """Gated recurrent units (Cho et al., 2014): (output, h_n); arguments as in :func:`lstm`.

    Weights are (3H, I) and (3H, H): reset, update, new. Source: PyTorch ``torch.nn.GRU``.

    >>> import tensorlite as tl
    >>> weights = [tl.ones(3, 2), tl.ones(3, 1)]
    >>> y, h = tl.gru(tl.ones(3, 1, 2), tl.zeros(1, 1, 1), weights, False, 1, 0.0, False, False)
    >>> tuple(y.shape)
    (3, 1, 1)
    """
    shape = (has_biases, num_layers, dropout if train else 0.0, bidirectional)
    output, states = _run(xp, _gru, input, [hx], params, shape, batch_first, batch_sizes)
    return output, states[0]


@op(upcast=True)
def rnn_tanh(
    xp: Any,
    input: Array,
    hx: Array,
    params: Sequence[Array],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
    batch_sizes: Array | None = None,
) -> tuple[Array, Array]:
    """``h = tanh(x @ w_ih.T + h @ w_hh.T + b)``: (output, h_n); arguments as in :func:`lstm`.

    Source: PyTorch ``torch.nn.RNN`` (Elman, 1990).

    >>> import tensorlite as tl
    >>> weights = [tl.ones(1, 1), tl.zeros(1, 1)]
    >>> y, h = tl.rnn_tanh(
    ...     tl.zeros(2, 1, 1), tl.zeros(1, 1, 1), weights, False, 1, 0.0, False, False
    ... )
    >>> y.flatten()
    tensor([0., 0.])
    """
    shape = (has_biases, num_layers, dropout if train else 0.0, bidirectional)
    output, states = _run(xp, _rnn_tanh, input, [hx], params, shape, batch_first, batch_sizes)
    return output, states[0]


@op(upcast=True)
def rnn_relu(
    xp: Any,
    input: Array,
    hx: Array,
    params: Sequence[Array],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool = False,
    batch_sizes: Array | None = None,
) -> tuple[Array, Array]:
    """``h = relu(x @ w_ih.T + h @ w_hh.T + b)``: (output, h_n); arguments as in :func:`lstm`.

    Source: PyTorch ``torch.nn.RNN``.

    >>> import tensorlite as tl
    >>> weights = [tl.ones(1, 1), tl.ones(1, 1)]
    >>> y, h = tl.rnn_relu(
    ...     tl.ones(3, 1, 1), tl.zeros(1, 1, 1), weights, False, 1, 0.0, False, False
    ... )
    >>> y.flatten()
    tensor([1., 2., 3.])
    """
    shape = (has_biases, num_layers, dropout if train else 0.0, bidirectional)
    output, states = _run(xp, _rnn_relu, input, [hx], params, shape, batch_first, batch_sizes)
    return output, states[0]


@op(upcast=True)
def lstm_cell(
    xp: Any,
    input: Array,
    hx: Sequence[Array],
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> tuple[Array, Array]:
    """One step of :func:`lstm`: input (N, I), hx (h, c), each (N, H); the new (h, c).

    Source: PyTorch ``torch.nn.LSTMCell``.

    >>> import tensorlite as tl
    >>> state = (tl.zeros(1, 1), tl.zeros(1, 1))
    >>> h, c = tl.lstm_cell(tl.ones(1, 2), state, tl.ones(4, 2), tl.ones(4, 1))
    >>> c
    tensor([[0.8491]])
    """
    h, c = _step(xp, _lstm, input, list(hx), w_ih, w_hh, b_ih, b_hh)
    return h, c


@op(upcast=True)
def gru_cell(
    xp: Any,
    input: Array,
    hx: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """One step of :func:`gru`: input (N, I), hx (N, H); the new h.

    Source: PyTorch ``torch.nn.GRUCell``.

    >>> import tensorlite as tl
    >>> tl.gru_cell(tl.ones(1, 2), tl.zeros(1, 1), tl.ones(3, 2), tl.ones(3, 1))
    tensor([[0.1149]])
    """
    return _step(xp, _gru, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


@op(upcast=True)
def rnn_tanh_cell(
    xp: Any,
    input: Array,
    hx: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """One step of :func:`rnn_tanh`: input (N, I), hx (N, H); the new h.

    Source: PyTorch ``torch.nn.RNNCell``.

    >>> import tensorlite as tl
    >>> tl.rnn_tanh_cell(tl.ones(1, 2), tl.zeros(1, 1), tl.ones(1, 2), tl.ones(1, 1))
    tensor([[0.9640]])
    """
    return _step(xp, _rnn_tanh, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


@op(upcast=True)
def rnn_relu_cell(
    xp: Any,
    input: Array,
    hx: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """One step of :func:`rnn_relu`: input (N, I), hx (N, H); the new h.

    Source: PyTorch ``torch.nn.RNNCell``.

    >>> import tensorlite as tl
    >>> tl.rnn_relu_cell(tl.ones(1, 2), tl.zeros(1, 1), tl.ones(1, 2), tl.ones(1, 1))
    tensor([[2.]])
    """
    return _step(xp, _rnn_relu, input, [hx], w_ih, w_hh, b_ih, b_hh)[0]


# Cells: the new states from the input's and the old state's products with the weights


def _lstm(xp: Any, from_input: Array, from_state: Array, states: States) -> States:
    gates = from_input + from_state
    size = gates.shape[-1] // 4
    new = xp.tanh(gates[:, 2 * size : 3 * size])
    xp.negative(gates, out=gates)
    xp.exp(gates, out=gates)
    gates += 1
    xp.reciprocal(gates, out=gates)
    enter, forget, leave = gates[:, :size], gates[:, size : 2 * size], gates[:, 3 * size :]
    cell = forget * states[1] + enter * new
    return [leave * xp.tanh(cell), cell]


def _gru(xp: Any, from_input: Array, from_state: Array, states: States) -> States:
    size = from_input.shape[-1] // 3
    gates = 1 / (1 + xp.exp(-(from_input[:, : 2 * size] + from_state[:, : 2 * size])))
    reset, update = gates[:, :size], gates[:, size:]
    new = xp.tanh(from_input[:, 2 * size :] + reset * from_state[:, 2 * size :])
    return [new + update * (states[0] - new)]


def _rnn_tanh(xp: Any, from_input: Array, from_state: Array, states: States) -> States:
    return [xp.tanh(from_input + from_state)]


def _rnn_relu(xp: Any, from_input: Array, from_state: Array, states: States) -> States:
    return [xp.maximum(from_input + from_state, 0)]


def _step(
    xp: Any,
    cell: Cell,
    input: Array,
    states: States,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None,
    b_hh: Array | None,
) -> States:
    if input.ndim != 2 or input.shape[1] != w_ih.shape[1]:
        raise ShapeError(f"expected an input (N, {w_ih.shape[1]}), got {tuple(input.shape)}")
    for state in states:
        if tuple(state.shape) != (input.shape[0], w_hh.shape[1]):
            raise ShapeError(
                f"expected a hidden state {(input.shape[0], w_hh.shape[1])}, got "
                f"{tuple(state.shape)}"
            )
    return cell(xp, _times(input, w_ih, b_ih), _times(states[0], w_hh, b_hh), states)


def _times(x: Array, weight: Array, bias: Array | None) -> Array:
    product = x @ weight.T
    if bias is not None:
        product += bias
    return product


# Sequences and layers


def _run(
    xp: Any,
    cell: Cell,
    input: Array,
    states: States,
    params: Sequence[Array],
    shape: tuple[bool, int, float, bool],
    batch_first: bool,
    batch_sizes: Array | None,
) -> tuple[Array, States]:
    """All layers; the output in the form of the input, and the last states."""
    if batch_sizes is not None:
        output, last = _layers(
            xp, cell, input, [int(n) for n in batch_sizes], states, params, shape
        )
        return output, last
    if input.ndim != 3:
        raise ShapeError(f"expected an input of 3 dimensions, got {tuple(input.shape)}")
    x = input.swapaxes(0, 1) if batch_first else input
    steps, batch = x.shape[:2]
    rows = x.reshape(steps * batch, x.shape[2])
    output, last = _layers(xp, cell, rows, [batch] * steps, states, params, shape)
    output = output.reshape(steps, batch, output.shape[-1])
    return (output.swapaxes(0, 1) if batch_first else output), last


def _layers(
    xp: Any,
    cell: Cell,
    rows: Array,
    sizes: list[int],
    states: States,
    params: Sequence[Array],
    shape: tuple[bool, int, float, bool],
) -> tuple[Array, States]:
    has_biases, layers, dropout, bidirectional = shape
    directions = 2 if bidirectional else 1
    each = len(params) // (layers * directions)
    _check(rows, sizes, states, params, layers * directions, each)
    ended: list[States] = []
    for layer in range(layers):
        if layer and dropout:
            rows = rows * kept(xp, rows.shape, rows.dtype, dropout)
        outputs = []
        for direction in range(directions):
            number = layer * directions + direction
            weights = params[number * each : (number + 1) * each]
            begin = [state[number].copy() for state in states]
            outputs.append(
                _direction(xp, cell, rows, sizes, begin, weights, has_biases, direction == 1)
            )
            ended.append(begin)
        rows = xp.concatenate(outputs, axis=1) if bidirectional else outputs[0]
    return rows, [xp.stack(of_one_kind) for of_one_kind in zip(*ended, strict=True)]


def _direction(
    xp: Any,
    cell: Cell,
    rows: Array,
    sizes: list[int],
    states: States,
    weights: Sequence[Array],
    has_biases: bool,
    backward: bool,
) -> Array:
    """One layer in one direction; ``states`` is left as it is after each sequence's end."""
    w_ih, w_hh = weights[:2]
    b_ih, b_hh = weights[2:4] if has_biases else (None, None)
    projection = weights[-1] if len(weights) in (3, 5) else None
    from_input = _times(rows, w_ih, b_ih)
    output = xp.empty((rows.shape[0], states[0].shape[1]), rows.dtype)
    begin, starts = 0, []
    for size in sizes:
        starts.append(begin)
        begin += size
    for step in reversed(range(len(sizes))) if backward else range(len(sizes)):
        size = sizes[step]
        place = slice(starts[step], starts[step] + size)
        going = [state[:size] for state in states]
        new = cell(xp, from_input[place], _times(going[0], w_hh, b_hh), going)
        if projection is not None:
            new[0] = new[0] @ projection.T
        for state, value in zip(going, new, strict=True):
            state[...] = value
        output[place] = new[0]
    return output


def _check(
    rows: Array,
    sizes: list[int],
    states: States,
    params: Sequence[Array],
    layers: int,
    each: int,
) -> None:
    wanted = params[0].shape[1]
    if rows.shape[1] != wanted:
        raise ShapeError(
            f"expected an input of size {wanted} in its last dimension, got {rows.shape[1]}"
        )
    batch = max(sizes, default=0)
    widths = [params[1].shape[1], params[0].shape[0] // 4]  # hidden (or projected), cell
    for state, width in zip(states, widths, strict=False):
        if tuple(state.shape) != (layers, batch, width):
            raise ShapeError(
                f"expected a hidden state {(layers, batch, width)}, got {tuple(state.shape)}"
            )
