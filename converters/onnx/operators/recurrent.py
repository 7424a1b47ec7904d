"""RNN, GRU and LSTM, with every activation, clipping, peepholes, both directions and layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorlite as tl
from tensorlite import Tensor
from tensorlite.nn import functional as F

from ....errors import OnnxError
from ..registry import onnx_op
from .expected import expect
from .indexing import is_traced, reverse_sequence

Activation = Callable[[Tensor], Tensor]
Names = list[str] | tuple[str, ...]
Product = Callable[[int, Tensor], Tensor]  # with the weights of a direction

# name -> (function of x, alpha, beta; default alpha; default beta)
_ACTIVATIONS: dict[str, tuple[Callable[[Tensor, float, float], Tensor], float, float]] = {
    "relu": (lambda x, a, b: tl.relu(x), 0, 0),
    "tanh": (lambda x, a, b: tl.tanh(x), 0, 0),
    "sigmoid": (lambda x, a, b: tl.sigmoid(x), 0, 0),
    "affine": (lambda x, a, b: x * a + b, 1, 0),
    "leakyrelu": (lambda x, a, b: F.leaky_relu(x, a), 0.01, 0),
    "thresholdedrelu": (lambda x, a, b: tl.where(x > a, x, 0.0), 1, 0),
    "scaledtanh": (lambda x, a, b: a * tl.tanh(x * b), 1, 1),
    "hardsigmoid": (lambda x, a, b: tl.clamp(x * a + b, 0, 1), 0.2, 0.5),
    "elu": (lambda x, a, b: F.elu(x, a), 1, 0),
    "softsign": (lambda x, a, b: F.softsign(x), 0, 0),
    "softplus": (lambda x, a, b: F.softplus(x), 0, 0),
}
_USES_ALPHA = ("affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu")
_USES_BETA = ("affine", "scaledtanh", "hardsigmoid")


def functions(
    names: list[str], alphas: list[float] | None, betas: list[float] | None
) -> list[Activation]:
    """The functions of a node; alphas and betas are handed out to those that have one."""
    alpha, beta = list(alphas or ()), list(betas or ())
    found: list[Activation] = []
    for name in names:
        key = name.lower()
        if key not in _ACTIVATIONS:
            raise OnnxError(f"unknown activation {name!r}; the known are {', '.join(_ACTIVATIONS)}")
        function, a, b = _ACTIVATIONS[key]
        a = alpha.pop(0) if key in _USES_ALPHA and alpha else a
        b = beta.pop(0) if key in _USES_BETA and beta else b
        found.append(lambda x, f=function, a=a, b=b: f(x, a, b))  # type: ignore[misc]
    return found


def named(activations: list[str], count: int) -> list[str]:
    if len(activations) != count:
        raise OnnxError(f"expected {count} activations, got {activations}")
    return activations


class Sequence:
    """One recurrent node: its inputs split by direction, its outputs put together."""

    def __init__(
        self,
        x: Tensor,
        weights: tuple[Tensor, Tensor, Tensor | None],
        lengths: Tensor | None,
        states: list[Tensor | None],
        *,
        direction: str,
        layout: int,
        hidden: int,
        gates: int,
        product: Product | None = None,
    ) -> None:
        self.layout = layout
        self.x = x.transpose(0, 1) if layout else x
        self.lengths = None if lengths is None else lengths.long()
        self.hidden = hidden
        w, r, b = weights
        self.directions = ["forward", "reverse"] if direction == "bidirectional" else [direction]
        batch, zero = self.x.shape[1], {"dtype": x.dtype, "device": x.device}
        self.product = product or (lambda k, x: tl.matmul(x, w[k].T))
        self.b = tl.zeros(len(self.directions), 2 * gates * hidden, **zero) if b is None else b
        moved = [s.transpose(0, 1) if layout and s is not None else s for s in states]
        sizes = (len(self.directions), batch, hidden)
        self.states = [tl.zeros(*sizes, **zero) if s is None else s for s in moved]

    def run(self, step: Callable[[int, Tensor, list[Tensor]], list[Tensor]]) -> tuple[Any, ...]:
        """Y and the last states; ``step`` gives the next states (the first is the output)."""
        outputs, finals = [], []
        for k, direction in enumerate(self.directions):
            state = last = [s[k] for s in self.states]
            rows: list[Tensor] = []
            x = self._reversed(self.x) if direction == "reverse" else self.x
            inputs = self.product(k, x) + self.b[k][: self.b.shape[1] // 2]
            for t in range(x.shape[0]):
                state = step(k, inputs[t], state)
                if self.lengths is None:
                    last = state
                else:
                    alive = (t < self.lengths).unsqueeze(1)
                    last = [tl.where(alive, a, b) for a, b in zip(state, last, strict=True)]
                    state = [tl.where(alive, s, 0.0) for s in state]
                rows.append(state[0])
            y = tl.stack(rows) if rows else x.new_zeros(0, x.shape[1], self.hidden)
            outputs.append(self._reversed(y) if direction == "reverse" else y)
            finals.append(last)
        y = tl.stack(outputs, 1)  # steps, directions, batch, hidden
        last = [tl.stack([f[i] for f in finals]) for i in range(len(self.states))]
        if self.layout:
            return (y.permute(2, 0, 1, 3), *[s.transpose(0, 1) for s in last])
        return (y, *last)

    def _reversed(self, x: Tensor) -> Tensor:
        """Back to front; with lengths, each sequence within its own."""
        if self.lengths is None:
            return tl.flip(x, [0])
        return reverse_sequence(x, self.lengths, batch_axis=1, time_axis=0)


def checked(
    x: Tensor,
    weights: tuple[Tensor, Tensor, Tensor | None],
    lengths: Tensor | None,
    states: dict[str, Tensor | None],
    *,
    gates: int,
    count: int,
    hidden: int | None,
    layout: int,
) -> int:
    """The hidden size, if all inputs have the shapes that go with it."""
    w, r, b = weights
    if layout not in (0, 1):
        raise OnnxError(f"expected layout to be 0 or 1, got {layout}")
    expect("X", x, ("batch", "steps", "inputs") if layout else ("steps", "batch", "inputs"))
    steps, batch = (x.shape[1], x.shape[0]) if layout else (x.shape[0], x.shape[1])
    expect("R", r, ("directions", "gates", "hidden_size" if hidden is None else hidden))
    n = r.shape[2]
    expect("R", r, (count, gates * n, n))
    expect("W", w, (count, gates * n, x.shape[2]))
    if b is not None:
        expect("B", b, (count, 2 * gates * n))
    for name, state in states.items():
        if state is not None:
            expect(name, state, (batch, count, n) if layout else (count, batch, n))
    if lengths is not None and expect("sequence_lens", lengths, (batch,)).numel():
        if (
            not is_traced(lengths)
            and not 0 <= lengths.min().item() <= lengths.max().item() <= steps
        ):
            raise OnnxError(f"expected sequence_lens from 0 to {steps}, got {lengths.tolist()}")
    return int(n)


def directions(direction: str) -> int:
    if direction not in ("forward", "reverse", "bidirectional"):
        raise OnnxError(f"unknown direction {direction!r}")
    return 2 if direction == "bidirectional" else 1


def _clipped(x: Tensor, clip: float | None) -> Tensor:
    return x if clip is None else tl.clamp(x, -clip, clip)


@onnx_op("RNN")
def rnn(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None,
    initial_h: Tensor | None = None, *, activation_alpha: list[float] | None = None,
    activation_beta: list[float] | None = None, activations: Names = ("Tanh", "Tanh"),
    clip: float | None = None, direction: str = "forward", hidden_size: int | None = None,
    layout: int = 0, output_sequence: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """``h = f(x W' + h R' + b)``."""
    count = directions(direction)
    # The default in the schema has two for a single direction, too.
    names = named(list(activations)[:count], count)
    f = functions(names, activation_alpha, activation_beta)
    hidden = checked(x, (w, r, b), lengths, {"initial_h": initial_h}, gates=1, count=count,
                     hidden=hidden_size, layout=layout)  # fmt: skip
    node = Sequence(x, (w, r, b), lengths, [initial_h], direction=direction, layout=layout,
                    hidden=hidden, gates=1)  # fmt: skip

    def step(k: int, xt: Tensor, state: list[Tensor]) -> list[Tensor]:
        (h,) = state
        return [f[k](_clipped(xt + tl.matmul(h, r[k].T) + node.b[k][hidden:], clip))]

    return node.run(step)


@onnx_op("GRU")
def gru(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None,
    initial_h: Tensor | None = None, *, activation_alpha: list[float] | None = None,
    activation_beta: list[float] | None = None, activations: list[str] | None = None,
    clip: float | None = None, direction: str = "forward", hidden_size: int | None = None,
    layout: int = 0, linear_before_reset: int = 0, output_sequence: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """Gates in the order z, r, h; ``linear_before_reset`` resets after the product with R."""
    count = directions(direction)
    names = named(activations or ["Sigmoid", "Tanh"] * count, 2 * count)
    f = functions(names, activation_alpha, activation_beta)
    n = checked(x, (w, r, b), lengths, {"initial_h": initial_h}, gates=3, count=count,
                hidden=hidden_size, layout=layout)  # fmt: skip
    node = Sequence(x, (w, r, b), lengths, [initial_h], direction=direction, layout=layout,
                    hidden=n, gates=3)  # fmt: skip

    def step(k: int, xt: Tensor, state: list[Tensor]) -> list[Tensor]:
        (h,) = state
        gate, candidate = f[2 * k], f[2 * k + 1]
        bias = node.b[k][3 * n :]
        both = xt[:, : 2 * n] + tl.matmul(h, r[k][: 2 * n].T) + bias[: 2 * n]
        z, reset = gate(_clipped(both, clip)).split(n, 1)
        if linear_before_reset:
            back = reset * (tl.matmul(h, r[k][2 * n :].T) + bias[2 * n :])
        else:
            back = tl.matmul(reset * h, r[k][2 * n :].T) + bias[2 * n :]
        new = candidate(_clipped(xt[:, 2 * n :] + back, clip))
        return [(1 - z) * new + z * h]

    return node.run(step)


@onnx_op("LSTM")
def lstm(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None = None, lengths: Tensor | None = None,
    initial_h: Tensor | None = None, initial_c: Tensor | None = None, p: Tensor | None = None,
    *, activation_alpha: list[float] | None = None, activation_beta: list[float] | None = None,
    activations: list[str] | None = None, clip: float | None = None, direction: str = "forward",
    hidden_size: int | None = None, input_forget: int = 0, layout: int = 0,
    output_sequence: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """Gates in the order i, o, f, c; ``p`` are the peephole weights of i, o and f."""
    count = directions(direction)
    names = named(activations or ["Sigmoid", "Tanh", "Tanh"] * count, 3 * count)
    f = functions(names, activation_alpha, activation_beta)
    states = {"initial_h": initial_h, "initial_c": initial_c}
    n = checked(x, (w, r, b), lengths, states, gates=4, count=count, hidden=hidden_size,
                layout=layout)  # fmt: skip
    if p is not None:
        expect("P", p, (count, 3 * n))
    node = Sequence(x, (w, r, b), lengths, [initial_h, initial_c], direction=direction,
                    layout=layout, hidden=n, gates=4)  # fmt: skip
    return node.run(lstm_step(node, lambda k, h: tl.matmul(h, r[k].T), p, f, clip, input_forget))


def lstm_step(
    node: Sequence, recurrent: Product, p: Tensor | None, f: list[Activation], clip: float | None,
    input_forget: int,
) -> Callable[[int, Tensor, list[Tensor]], list[Tensor]]:  # fmt: skip
    """One step of an LSTM, for :meth:`Sequence.run`; ``recurrent`` is the product with R."""
    n = node.hidden

    def step(k: int, xt: Tensor, state: list[Tensor]) -> list[Tensor]:
        h, c = state
        gate, candidate, squash = f[3 * k : 3 * k + 3]
        parts = xt + recurrent(k, h) + node.b[k][4 * n :]
        i, o, forget, new = parts.split(n, 1)
        if p is not None:
            pi, po, pf = p[k].split(n)
            i, forget = i + pi * c, forget + pf * c
        i = gate(_clipped(i, clip))
        keep = 1 - i if input_forget else gate(_clipped(forget, clip))
        c = keep * c + i * candidate(_clipped(new, clip))
        o = gate(_clipped(o if p is None else o + po * c, clip))
        return [o * squash(c), c]

    return step
