"""An LSTM whose weights are 8-bit integers and whose inputs are quantised as they come."""

from __future__ import annotations

from typing import Any

import tensorlite as tl
from tensorlite import Tensor

from ...registry import onnx_op
from ..expected import expect
from ..quantization import dynamic_quantize_linear, numbers
from ..quantized_products import integer_product, rows_centred
from ..recurrent import Sequence, directions, functions, lstm_step
from .activation import MICROSOFT

_BYTES = (tl.int8, tl.uint8)


class _Weights:
    """Weights (directions, inputs, 4 * hidden) with scales and zero points of the directions, or
    of the columns of each direction.
    """

    def __init__(
        self, name: str, weights: Tensor, scale: Tensor, zero: Tensor, sizes: tuple[int, int, int]
    ) -> None:
        self.centred = numbers(expect(name, weights, sizes, _BYTES))
        count, _, columns = sizes
        self.scale = _per_direction(f"{name}_scale", scale.float(), count, columns)
        zeros = expect(f"{name}_zero_point", zero, None, (weights.dtype,))
        zeros = _per_direction(f"{name}_zero_point", numbers(zeros), count, columns)
        self.centred = self.centred - zeros.unsqueeze(1)

    def product(self, direction: int, x: Tensor) -> Tensor:
        """``x``, quantised to uint8 by its own range, times the weights."""
        whole, scale, zero = dynamic_quantize_linear(x)
        total = integer_product(rows_centred(whole, zero), self.centred[direction])
        return total.float() * (scale * self.scale[direction])


def _per_direction(name: str, parameter: Tensor, count: int, columns: int) -> Tensor:
    """(directions, 1) or (directions, columns)."""
    if parameter.ndim == 2:
        return expect(name, parameter, (count, columns))
    return expect(name, parameter, (count,)).unsqueeze(1)


@onnx_op("DynamicQuantizeLSTM", domain=MICROSOFT)
def dynamic_quantize_lstm(
    x: Tensor, w: Tensor, r: Tensor, b: Tensor | None, lengths: Tensor | None,
    initial_h: Tensor | None, initial_c: Tensor | None, p: Tensor | None, w_scale: Tensor,
    w_zero: Tensor, r_scale: Tensor, r_zero: Tensor, *,
    activation_alpha: list[float] | None = None, activation_beta: list[float] | None = None,
    activations: list[str] | None = None, clip: float | None = None, direction: str = "forward",
    hidden_size: int | None = None, input_forget: int = 0,
) -> tuple[Any, ...]:  # fmt: skip
    """The standard ``LSTM``; the inputs of all steps are quantised together, those from the last
    step at each. The weights are transposed: (directions, inputs, 4 * hidden).
    """
    count = directions(direction)
    f = functions(
        activations or ["Sigmoid", "Tanh", "Tanh"] * count, activation_alpha, activation_beta
    )
    expect("X", x, ("steps", "batch", "inputs"), (tl.float32,))
    n = expect("R", r, (count, "hidden", "4 * hidden")).shape[1]
    inputs = _Weights("W", w, w_scale, w_zero, (count, x.shape[2], 4 * n))
    states = _Weights("R", r, r_scale, r_zero, (count, n, 4 * n))
    node = Sequence(
        _within(x, lengths), (w, r, b), lengths, [initial_h, initial_c], direction=direction,
        layout=0, hidden=n, gates=4, product=inputs.product,
    )  # fmt: skip
    return node.run(lstm_step(node, states.product, p, f, clip, input_forget))


def _within(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Zeros after the longest sequence: what is never looked at must not widen the range."""
    if lengths is None or lengths.numel() == 0:
        return x
    steps = tl.arange(x.shape[0], device=x.device).reshape(-1, 1, 1)
    return tl.where(steps < lengths.max(), x, 0.0)
